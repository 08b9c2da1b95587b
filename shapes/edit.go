package shapes

import (
	"slices"
	"strconv"
	"strings"
)

// edit is a change of one dimension, named in the letters of Tay et al. 2021 (arXiv 2109.10686)
// where the paper has one.
type edit uint8

const (
	editLayers  edit = iota // nl: layers of every stack
	editEncoder             // el: encoder layers
	editDecoder             // dl: decoder layers
	editModel               // dm: d_model
	editFFN                 // ff: d_ff
	editHead                // kv: d_kv
	editHeads               // nh: heads, and kv_heads where every head has its own
	editKVHeads             // kvh: kv_heads
	editVocab               // vocab: rows of the token embedding
	editGated               // gated: two input projections in the feed-forward
	editTied                // tied: the head shares the token embedding
	editCount
)

var editNames = [editCount]string{
	"nl", "el", "dl", "dm", "ff", "kv", "nh", "kvh", "vocab", "gated", "tied",
}

const editGrammar = "nl el dl dm ff kv nh kvh vocab = a positive whole number, gated tied = true or false"

func (e edit) isFlag() bool { return e == editGated || e == editTied }

// edits is a set of changes; a value of 0 means that there is none. Flags are kept as 1 for false
// and 2 for true.
type edits [editCount]int

const (
	flagFalse = 1
	flagTrue  = 2
)

// String returns the edits as a reference writes them, in the order of the constants.
func (e *edits) String() string {
	var items []string
	for k, v := range e {
		value := strconv.Itoa(v)
		if edit(k).isFlag() {
			value = strconv.FormatBool(v == flagTrue)
		}
		if v != 0 {
			items = append(items, editNames[k]+"="+value)
		}
	}
	return strings.Join(items, ",")
}

// add parses "nl=16,ff=2048" into e. The error is an [*EditError] without its Ref.
func (e *edits) add(text string) *EditError {
	for item := range strings.SplitSeq(text, ",") {
		fault := func(problem, allowed string) *EditError {
			return &EditError{Edit: item, Problem: problem, Allowed: allowed}
		}
		name, value, found := strings.Cut(strings.TrimSpace(item), "=")
		if !found {
			return fault("is not of the form name=value", editGrammar)
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		k, ok := editNamed(name)
		if !ok {
			return fault("unknown name "+strconv.Quote(name), editGrammar)
		}
		n := editValue(k, value)
		if n == 0 {
			return fault("bad value "+strconv.Quote(value), editAllowed(k))
		}
		if problem := e.set(k, n); problem != "" {
			return fault(problem, "each dimension once")
		}
	}
	return nil
}

// set records a value, or says why it contradicts what is there.
func (e *edits) set(k edit, value int) (problem string) {
	if e[k] != 0 {
		return editNames[k] + " is given twice"
	}
	e[k] = value
	if e[editLayers] != 0 && (e[editEncoder] != 0 || e[editDecoder] != 0) {
		return "nl sets both stacks, so el and dl cannot be given with it"
	}
	return ""
}

func editNamed(name string) (edit, bool) {
	k := slices.Index(editNames[:], name)
	return edit(max(0, k)), k >= 0
}

func editAllowed(k edit) string {
	if k.isFlag() {
		return "true or false"
	}
	return "a whole number from 1 to 999999999, digits only"
}

// editValue returns 0 for a value that is not allowed. A leading zero is not: other notations read
// it as octal.
func editValue(k edit, text string) int {
	if k.isFlag() {
		return map[string]int{"false": flagFalse, "true": flagTrue}[strings.ToLower(text)]
	}
	return positive(text)
}

// positive reads digits without sign, separators or leading zero; 0 means that text is something
// else, or more than nine digits and so above every bound.
func positive(text string) int {
	const maxDigits = 9
	if text == "" || len(text) > maxDigits || text[0] == '0' {
		return 0
	}
	n := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0
		}
		n = 10*n + int(text[i]-'0')
	}
	return n
}

// apply changes the present stacks of s. A stack that s lacks stays absent: the error is an
// [*EditError] without its Ref.
func (e *edits) apply(s *Shape) *EditError {
	fault := func(k edit, problem, allowed string) *EditError {
		return &EditError{Edit: editNames[k], Problem: s.Name + " has " + problem, Allowed: allowed}
	}
	switch {
	case e[editEncoder] != 0 && s.Encoder.Layers == 0:
		return fault(editEncoder, "no encoder", "nl or dl")
	case e[editDecoder] != 0 && s.Decoder.Layers == 0:
		return fault(editDecoder, "no decoder", "nl or el")
	case e[editTied] != 0 && s.Head != HeadTied && s.Head != HeadUntied:
		return fault(editTied, "the head "+s.Head.String(),
			"a shape that predicts tokens with a tied or untied head")
	case e[editVocab] != 0 && s.Vocab == 0:
		return fault(editVocab, "no vocabulary", "a shape that reads tokens")
	}
	replace(&s.DModel, e[editModel])
	replace(&s.Vocab, e[editVocab])
	switch e[editTied] {
	case flagTrue:
		s.Head = HeadTied
	case flagFalse:
		s.Head = HeadUntied
	}
	e.applyStack(&s.Encoder, e[editEncoder])
	e.applyStack(&s.Decoder, e[editDecoder])
	return nil
}

func (e *edits) applyStack(k *Stack, layers int) {
	if k.Layers == 0 {
		return
	}
	multiHead := k.KVHeads == k.Heads
	replace(&k.Layers, e[editLayers])
	replace(&k.Layers, layers)
	replace(&k.DFF, e[editFFN])
	replace(&k.DKV, e[editHead])
	replace(&k.Heads, e[editHeads])
	if multiHead {
		k.KVHeads = k.Heads
	}
	replace(&k.KVHeads, e[editKVHeads])
	if e[editGated] != 0 {
		k.Gated = e[editGated] == flagTrue
	}
}

func replace(field *int, value int) {
	if value != 0 {
		*field = value
	}
}
