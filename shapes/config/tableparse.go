package config

import (
	"cmp"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// tableParser reads one entry.
type tableParser struct {
	*reading
	table *Table
	a     *architecture
}

// moved adds the lines before an entry to the places of its faults.
func moved(err error, lines int) error {
	var list *Error
	if errors.As(err, &list) {
		for i := range list.Faults {
			if list.Faults[i].Line > 0 {
				list.Faults[i].Line += lines
			}
		}
	}
	return err
}

func (p *tableParser) entry(s *section, chain []string) {
	if f, ok := s.take("like"); ok {
		p.inherit(f, chain)
	}
	a := p.a
	if w := s.word("", "", "family"); w != "" {
		a.family = shapes.Family(w)
	}
	if w := s.word("", "", "within"); w != "" {
		a.within = w
	}
	a.refuse = s.word("", a.refuse, "refuse")
	a.uncounted = s.word("", a.uncounted, "uncounted")
	a.rest = s.word("", a.rest, "rest")
	if f, ok := s.take("assume"); ok {
		for _, g := range f.value.fields {
			a.assume[g.name] = g.value.text
		}
	}
	if f, ok := s.take("prefix"); ok {
		a.prefixes = texts(f.value)
	}
	if f, ok := s.take("when"); ok {
		a.when = texts(f.value)
	}
	if f, ok := s.take("fields"); ok {
		for _, g := range f.value.fields {
			p.declare(g)
		}
	}
	if f, ok := s.take("shape"); ok {
		a.shape = p.assignments(a.shape, f.value)
	}
	if f, ok := s.take("dense"); ok {
		a.dense = p.denseRules(f.value)
	}
	if f, ok := s.take("convs"); ok {
		a.convs = p.convRules(f.value)
	}
	if f, ok := s.take("classes"); ok {
		for _, g := range f.value.fields {
			p.class(g)
		}
	}
	if w := s.word("", "", "usual"); w != "" {
		a.usual = w
	}
	if f, ok := s.take("ignore"); ok {
		for _, w := range texts(f.value) {
			a.ignore[w] = true
		}
	}
	if f, ok := s.take("expect"); ok {
		for _, g := range f.value.fields {
			p.expectation(g)
		}
	}
	p.parts(s)
	if f, ok := s.take("left_out"); ok {
		for _, g := range f.value.fields {
			a.leftOut[g.name] = g.value.text
		}
	}
	if f, ok := s.take("check"); ok {
		for _, g := range f.value.fields {
			p.check(g)
		}
	}
	for _, f := range s.untaken() {
		p.unknownWord(
			f.at,
			f.name,
			"is an unknown key",
			"",
			f.name,
			slices.Collect(maps.Keys(s.taken)),
		)
	}
}

func (p *tableParser) parts(s *section) {
	two := func(name string) (encoder, decoder string) {
		f, ok := s.take(name)
		if !ok {
			return "", ""
		}
		inner := newSection(p.reading, f.value)
		return inner.word("", "", "encoder"), inner.word("", "", "decoder")
	}
	encoder, decoder := two("parts")
	encoderModel, decoderModel := two("part_models")
	same := s.word("", "", "default_part")
	towers := s.flag("", false, "towers")
	if encoder != "" {
		p.a.parts = &parts{
			encoder, decoder, cmp.Or(encoderModel, same), cmp.Or(decoderModel, same), towers,
		}
	}
}

func (p *tableParser) check(f field) {
	s := newSection(p.reading, f.value)
	c := check{field: f.name, problem: s.word("", "", "or"), allowed: s.word("", "", "allowed")}
	if must, ok := s.take("must"); ok {
		c.must = p.expression(f.name, must.value, must.value.text)
		p.a.checks = append(p.a.checks, c)
	}
}

// texts returns the words of a list, or the one word.
func texts(n *node) []string {
	if n.kind != list {
		return []string{n.text}
	}
	var out []string
	for _, item := range n.items {
		out = append(out, item.text)
	}
	return out
}

// inherit starts from copies of other entries, later ones over earlier.
func (p *tableParser) inherit(f field, chain []string) {
	for _, base := range texts(f.value) {
		if len(chain) > maxExtends || slices.Contains(chain, base) {
			p.fault(f.value.at, "like", "goes in a circle", quote(base), "a chain that ends")
			return
		}
		var b *architecture
		var err error
		if src, ok := p.table.sources[base]; ok && base != p.a.name {
			b, err = p.table.parse(base, src, append(chain, p.a.name))
		} else if p.table.below != nil {
			b, err = p.table.below.find(base)
		}
		if err != nil || b == nil {
			p.fault(f.value.at, "like", "names no entry", quote(base), "")
			return
		}
		p.a.over(b)
	}
}

// replace sets an assignment, instead of one of the same field; of an assignment to both stacks
// it takes one.
func replace(list []assignment, s assignment) []assignment {
	stack, rest, _ := strings.Cut(s.field, ".")
	out := slices.Clone(list)
	for i := range out {
		if other := map[string]string{"encoder": "decoder.", "decoder": "encoder."}[stack]; other != "" &&
			out[i].field == "both."+rest {
			out[i].field = other + rest
		}
		switch {
		case out[i].field == s.field:
			out[i] = s
			return out
		case stack == "both" && (out[i].field == "encoder."+rest || out[i].field == "decoder."+rest):
			out[i].value = s.value
		}
	}
	return append(out, s)
}

// declare reads one field: "name | alias: default". docs/shape-file.md lists the kinds of default.
func (p *tableParser) declare(f field) {
	d := &declaration{}
	for n := range strings.SplitSeq(f.name, "|") {
		d.names = append(d.names, strings.TrimSpace(n))
	}
	v := f.value
	switch v.kind {
	case null:
		d.nullable = true
	case number:
		x, err := strconv.ParseFloat(v.text, 64)
		if err != nil {
			p.fault(v.at, f.name, "is not a number", v.show(), "")
		}
		d.kind, d.absent, d.mention = number, x, x != 0
		d.fraction = strings.Contains(v.text, ".")
	case boolean:
		d.kind, d.absent, d.nullable = boolean, v.text == "true", true
	case list:
		d.kind, d.nullable = list, true
		if len(v.items) > 0 {
			d.absent = plainValue(v)
		}
	case word:
		p.declareWord(d, f)
	default:
		p.fault(v.at, f.name, "is not a default", v.show(), "a value, or a word of the table")
	}
	p.a.put(d.names[0], d)
}

func (p *tableParser) declareWord(d *declaration, f field) {
	text := f.value.text
	kinds := map[string]kind{"number": number, "text": word, "flag": boolean, "list": list}
	switch k, known := kinds[text]; {
	case known:
		d.kind, d.nullable = k, true
	case text == "fraction":
		d.kind, d.nullable, d.fraction = number, true, true
	case text == "required flag":
		d.kind, d.required = boolean, true
	case text == "required":
		d.kind, d.required = number, true
	case strings.HasPrefix(text, "?="):
		d.nullable = true
		d.instead = p.expression(f.name, f.value, text[2:])
	case strings.HasPrefix(text, "="):
		d.always = p.expression(f.name, f.value, text[1:])
	case strings.HasSuffix(text, "?"):
		x, err := strconv.ParseFloat(strings.TrimSuffix(text, "?"), 64)
		if err != nil {
			p.fault(f.value.at, f.name, "is not a number", f.value.show(), "")
		}
		d.kind, d.absent, d.mention, d.nullable = number, x, x != 0, true
	default:
		d.kind, d.absent, d.nullable = word, text, true
	}
}

func (p *tableParser) expression(fieldName string, n *node, text string) expression {
	e, err := parseExpression(text)
	if err != nil {
		p.fault(n.at, fieldName, "is not an expression: it "+err.Error(), quote(text), "")
		return constant{}
	}
	return e
}

func (p *tableParser) assignments(out []assignment, n *node) []assignment {
	for _, f := range n.fields {
		stack, rest, cut := strings.Cut(f.name, ".")
		known := fieldNamed(modelFields, f.name) != nil
		if cut && (stack == "encoder" || stack == "decoder" || stack == "both") {
			known = fieldNamed(stackFields, rest) != nil
		}
		if !known {
			p.fault(f.at, f.name, "is not a field of a shape", "", "see docs/shape-file.md")
			continue
		}
		out = replace(out, assignment{f.name, p.expression(f.name, f.value, f.value.text)})
	}
	return out
}

// denseLine is "place: in -> out", with "+ bias" behind it or not.
var denseLine = regexp.MustCompile(`^([a-z-]+): (.+) -> (.+?)( \+ bias)?$`)

func (p *tableParser) denseRules(n *node) []denseRule {
	var out []denseRule
	for _, text := range texts(n) {
		m := denseLine.FindStringSubmatch(text)
		var r denseRule
		if m == nil || r.at.UnmarshalText([]byte(m[1])) != nil {
			p.fault(n.at, "dense", "is not a layer", quote(text), "pooled: in -> out + bias")
			continue
		}
		r.in, r.out = p.expression("dense", n, m[2]), p.expression("dense", n, m[3])
		r.bias = m[4] != ""
		out = append(out, r)
	}
	return out
}

// convLine is "encoder: in -> out, taps, rate, extra, bias", the last two optional.
var convLine = regexp.MustCompile(`^(encoder|decoder): (.+) -> (.+)$`)

func (p *tableParser) convRules(n *node) []convRule {
	var out []convRule
	for _, text := range texts(n) {
		m := convLine.FindStringSubmatch(text)
		if m == nil {
			p.fault(
				n.at,
				"convs",
				"is not a convolution",
				quote(text),
				"encoder: in -> out, taps, rate",
			)
			continue
		}
		parts := strings.Split(m[3], ",")
		for len(parts) < 5 {
			parts = append(parts, "0")
		}
		at := func(i int) expression { return p.expression("convs", n, parts[i]) }
		out = append(out, convRule{
			stack: m[1], in: p.expression("convs", n, m[2]), out: at(0), taps: at(1), rate: at(2),
			extra: at(3), bias: at(4),
		})
	}
	return out
}

func (p *tableParser) class(f field) {
	if f.value.kind == null { // not a class of this entry, though of one it follows
		delete(p.a.classes, f.name)
		return
	}
	c := &class{}
	if f.value.kind == object {
		s := newSection(p.reading, f.value)
		c.uncounted = s.word("", "", "uncounted")
		if d, ok := s.take("dense"); ok {
			c.dense = p.denseRules(d.value)
		}
		rest := &node{kind: object, at: f.value.at, fields: s.untaken()}
		c.shape = p.assignments(nil, rest)
	}
	p.a.classes[f.name] = c
	if p.a.usual == "" {
		p.a.usual = f.name
	}
}

func (p *tableParser) expectation(f field) {
	e := expectation{allowed: []*node{f.value}}
	switch f.value.kind {
	case list:
		e.allowed = f.value.items
	case object:
		s := newSection(p.reading, f.value)
		if only, ok := s.take("only"); ok {
			e.allowed = []*node{only.value}
			if only.value.kind == list {
				e.allowed = only.value.items
			}
		}
		e.reason = s.word("", "", "as")
	}
	p.a.expect[f.name] = e
}
