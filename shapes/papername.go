package shapes

import (
	"fmt"
	"slices"
	"strings"
)

// paperName is a row name of Tay et al. 2021 (arXiv 2109.10686) or of the T5-Efficient model cards,
// such as "Small 16L", "NL32-LG" or "small-el16-dl2".
type paperName struct {
	size    string // of the T5-Efficient anchor, e.g. "small"
	changes []paperChange
}

type paperChange struct {
	edit  edit
	value int
}

func (p paperChange) String() string { return fmt.Sprintf("%s%d", editNames[p.edit], p.value) }

// paperSizes maps the sizes as the paper and its figures write them.
var paperSizes = map[string]string{
	"tiny": "tiny", "mini": "mini", "small": "small", "base": "base", "large": "large", "xl": "xl",
	"xxl": "xxl",
	"sm":  "small", "bs": "base", "lg": "large",
}

// parsePaperName reads a normalised name without its "t5-efficient-": one size, anywhere, and at
// least one change. Without a size it is a single NLn, which the paper writes for base.
func parsePaperName(key string) (p paperName, ok bool) {
	for _, token := range strings.Split(key, "-") {
		if size, known := paperSizes[token]; known {
			if p.size != "" {
				return paperName{}, false
			}
			p.size = size
			continue
		}
		change, known := parsePaperChange(token)
		if !known {
			return paperName{}, false
		}
		p.changes = append(p.changes, change)
	}
	if len(p.changes) == 0 {
		return paperName{}, false
	}
	if p.size == "" {
		if len(p.changes) > 1 || p.changes[0].edit != editLayers {
			return paperName{}, false
		}
		p.size = "base"
	}
	return p, true
}

// parsePaperChange reads "nl16" and "16l": letters before or behind the number.
func parsePaperChange(token string) (paperChange, bool) {
	isDigit := func(r rune) bool { return r >= '0' && r <= '9' }
	letters, number := strings.TrimRightFunc(token, isDigit), ""
	if letters != token {
		number = token[len(letters):]
	} else {
		letters = strings.TrimLeftFunc(token, isDigit)
		number = token[:len(token)-len(letters)]
		if letters == "l" { // the paper's tables write 16L for NL16
			letters = "nl"
		}
	}
	value := positive(number)
	e, ok := editNamed(letters)
	if !ok || value == 0 || e > editHeads { // the paper has no kvh, vocab, gated, tied
		return paperChange{}, false
	}
	return paperChange{edit: e, value: value}, true
}

// resolvePaper finds the released model of that name, or edits the anchor of its size.
func (c *index) resolvePaper(p *paperName, whole string) (Shape, edits, error) {
	if e, ok := c.released(p); ok {
		shape, err := e.countable()
		return shape, edits{}, err
	}
	if err := p.ambiguity(whole); err != nil {
		return Shape{}, edits{}, err
	}
	anchor, ok := c.find(efficientPrefix + p.anchor())
	if !ok {
		return Shape{}, edits{}, &UnknownError{Ref: whole}
	}
	var changes edits
	for _, change := range p.changes {
		if problem := changes.set(change.edit, change.value); problem != "" {
			return Shape{}, edits{}, &EditError{
				Ref: whole, Edit: change.String(), Problem: problem,
				Allowed: "each dimension once",
			}
		}
	}
	return anchor.Shape, changes, nil
}

// released looks the name up as the model hub spells it, its changes in either order.
func (c *index) released(p *paperName) (*Entry, bool) {
	forward := efficientPrefix + p.size
	backward := forward
	for i := range p.changes {
		forward += "-" + p.changes[i].String()
		backward += "-" + p.changes[len(p.changes)-1-i].String()
	}
	if e, ok := c.find(forward); ok {
		return e, true
	}
	return c.find(backward)
}

// anchor returns the model that a change of depth starts from. That of XXL is not t5-efficient-xxl
// with its 128 heads of 128: the released xxl-nl4 has 32 heads of 64, and only with those does the
// paper's NL12-XXL have the 3.6B parameters its Table 3 gives.
func (p *paperName) anchor() string {
	if p.size == "xxl" && p.changed(editLayers) {
		return "xxl-nl4"
	}
	return p.size
}

func (p *paperName) changed(e edit) bool {
	return slices.ContainsFunc(p.changes, func(c paperChange) bool { return c.edit == e })
}

// ambiguity reports unreleased names that the released ones would make mean something else than
// they say.
func (p *paperName) ambiguity(whole string) error {
	explicit := efficientPrefix + p.size + "/"
	if p.size == "tiny" && p.changed(editEncoder) != p.changed(editDecoder) {
		given, other := p.changes[0], "dl"
		for _, change := range p.changes {
			if change.edit == editEncoder || change.edit == editDecoder {
				given = change
			}
		}
		if given.edit == editDecoder {
			other = "el"
		}
		choice := fmt.Sprintf("%s%s=%d,%s=", explicit, editNames[given.edit], given.value, other)
		return &AmbiguousError{
			Ref:     whole,
			Reason:  "the released tiny models of this kind have 12 layers in the other stack, tiny itself has 4",
			Choices: []string{choice + "4", choice + "12"},
		}
	}
	const thousand, kibi = 1000, 1024
	for _, change := range p.changes {
		if (change.edit == editFFN || change.edit == editModel) && change.value%thousand == 0 {
			name := explicit + editNames[change.edit]
			return &AmbiguousError{
				Ref: whole, Reason: "the model cards write 1000 for 1024",
				Choices: []string{
					fmt.Sprintf("%s=%d", name, change.value/thousand*kibi),
					fmt.Sprintf("%s=%d", name, change.value),
				},
			}
		}
	}
	return nil
}
