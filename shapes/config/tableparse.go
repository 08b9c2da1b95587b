package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// tableParser reads one entry.
type tableParser struct {
	*reading
	table *Table
	a     *architecture
}

// moved adds the lines before an entry to the places of its faults.
func moved(err error, lines int) error {
	var list *syntax.Error
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
	given := func(key string, read func(*syntax.Node)) {
		if f, ok := s.take(key); ok {
			read(f.Value)
		}
	}
	each := func(key string, read func(syntax.Field)) {
		given(key, func(n *syntax.Node) {
			for _, f := range n.Fields {
				read(f)
			}
		})
	}
	a.family = cmp.Or(shapes.Family(s.word("", "", "family")), a.family)
	a.within = cmp.Or(s.word("", "", "within"), a.within)
	a.refuse = s.word("", a.refuse, "refuse")
	a.uncounted = s.word("", a.uncounted, "uncounted")
	a.rest = s.word("", a.rest, "rest")
	each("assume", func(f syntax.Field) { a.assume[f.Name] = f.Value.Text })
	given("prefix", func(n *syntax.Node) { a.prefixes = texts(n) })
	given("when", func(n *syntax.Node) { a.when = texts(n) })
	each("fields", p.declare)
	given("shape", func(n *syntax.Node) { a.shape = p.assignments(a.shape, n) })
	given("dense", func(n *syntax.Node) { a.dense = p.denseRules(n) })
	given("convs", func(n *syntax.Node) { a.convs = p.convRules(n) })
	each("classes", p.class)
	a.usual = cmp.Or(s.word("", "", "usual"), a.usual)
	for _, n := range slices.Sorted(maps.Keys(a.assume)) {
		if a.fields[n] == nil {
			p.fault(s.at, "assume", "names no field", syntax.Quote(n), "")
		}
	}
	if names := slices.Sorted(maps.Keys(a.classes)); len(names) > 0 && a.classes[a.usual] == nil {
		if at, ok := s.take("usual"); ok {
			p.fault(at.Value.At, "usual", "is not one of the classes", a.usual, strings.Join(names, ", "))
		}
		a.usual = names[0] // the entry takes the other away
	}
	given("ignore", func(n *syntax.Node) {
		for _, w := range texts(n) {
			a.ignore[w] = true
		}
	})
	each("expect", p.expectation)
	p.parts(s)
	each("left_out", func(f syntax.Field) { a.leftOut[f.Name] = f.Value.Text })
	each("check", p.check)
	for _, f := range s.untaken() {
		p.unknownWord(f.At, f.Name, "is an unknown key", "", f.Name,
			slices.Collect(maps.Keys(s.taken)))
	}
}

func (p *tableParser) parts(s *section) {
	two := func(name string) (encoder, decoder string) {
		f, ok := s.take(name)
		if !ok {
			return "", ""
		}
		inner := newSection(p.reading, f.Value)
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

func (p *tableParser) check(f syntax.Field) {
	s := newSection(p.reading, f.Value)
	c := check{field: f.Name, problem: s.word("", "", "or"), allowed: s.word("", "", "allowed")}
	if must, ok := s.take("must"); ok {
		c.must = p.expression(f.Name, must.Value, must.Value.Text)
		p.a.checks = append(p.a.checks, c)
	}
}

// texts returns the words of a list, or the one word.
func texts(n *syntax.Node) []string {
	var out []string
	for _, item := range n.Each() {
		out = append(out, item.Text)
	}
	return out
}

// inherit starts from copies of other entries, later ones over earlier.
func (p *tableParser) inherit(f syntax.Field, chain []string) {
	for _, base := range texts(f.Value) {
		if len(chain) > maxExtends || slices.Contains(chain, base) {
			p.fault(f.Value.At, "like", "goes in a circle", syntax.Quote(base), "a chain that ends")
			return
		}
		var b *architecture
		var err error
		if _, ok := p.table.sources[base]; ok && base != p.a.name {
			b, err = p.table.entry(base, append(chain, p.a.name))
		} else if p.table.below != nil {
			b, err = p.table.below.find(base)
		}
		if err != nil || b == nil {
			p.fault(f.Value.At, "like", "names no entry", syntax.Quote(base), "")
			return
		}
		p.a.over(b)
		const most = 1000 // what several entries have in common adds up
		if len(p.a.dense)+len(p.a.convs)+len(p.a.checks) > most {
			p.fault(f.Value.At, "like", "adds up to too many layers and checks", "",
				fmt.Sprintf("at most %d", most))
			return
		}
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
func (p *tableParser) declare(f syntax.Field) {
	d := &declaration{}
	for n := range strings.SplitSeq(f.Name, "|") {
		d.names = append(d.names, strings.TrimSpace(n))
	}
	v := f.Value
	switch v.Kind {
	case syntax.Null:
		d.nullable = true
	case syntax.Number:
		x, err := strconv.ParseFloat(v.Text, 64)
		if err != nil {
			p.fault(v.At, f.Name, "is not a number", v.Show(), "")
		}
		d.kind, d.absent, d.mention = syntax.Number, x, x != 0
		d.fraction = strings.Contains(v.Text, ".")
	case syntax.Boolean:
		d.kind, d.absent, d.nullable = syntax.Boolean, v.Text == "true", true
	case syntax.List:
		d.kind, d.nullable = syntax.List, true
		if len(v.Items) > 0 {
			d.absent = plainValue(v)
		}
	case syntax.Word:
		p.declareWord(d, f)
	default:
		p.fault(v.At, f.Name, "is not a default", v.Show(), "a value, or a word of the table")
	}
	p.a.put(d.names[0], d)
}

func (p *tableParser) declareWord(d *declaration, f syntax.Field) {
	text := f.Value.Text
	kinds := map[string]syntax.Kind{"number": syntax.Number, "text": syntax.Word, "flag": syntax.Boolean, "list": syntax.List}
	switch k, known := kinds[text]; {
	case known:
		d.kind, d.nullable = k, true
	case text == "fraction":
		d.kind, d.nullable, d.fraction = syntax.Number, true, true
	case text == "required flag":
		d.kind, d.required = syntax.Boolean, true
	case text == "required":
		d.kind, d.required = syntax.Number, true
	case strings.HasPrefix(text, "?="):
		d.nullable = true
		d.instead = p.expression(f.Name, f.Value, text[2:])
	case strings.HasPrefix(text, "="):
		d.always = p.expression(f.Name, f.Value, text[1:])
	case strings.HasSuffix(text, "?"):
		x, err := strconv.ParseFloat(strings.TrimSuffix(text, "?"), 64)
		if err != nil {
			p.fault(f.Value.At, f.Name, "is not a number", f.Value.Show(), "")
		}
		d.kind, d.absent, d.mention, d.nullable = syntax.Number, x, x != 0, true
	default:
		d.kind, d.absent, d.nullable = syntax.Word, text, true
	}
}

func (p *tableParser) expression(fieldName string, n *syntax.Node, text string) *expression {
	e, err := parseExpression(text)
	if err != nil {
		p.fault(n.At, fieldName, "is not an expression: it "+err.Error(), syntax.Quote(text), "")
		return &expression{}
	}
	return e
}

func (p *tableParser) assignments(out []assignment, n *syntax.Node) []assignment {
	for _, f := range n.Fields {
		stack, rest, cut := strings.Cut(f.Name, ".")
		known := fieldNamed(modelFields(&shapes.Shape{}), f.Name) != nil
		if cut && (stack == "encoder" || stack == "decoder" || stack == "both") {
			known = fieldNamed(stackFields(&shapes.Stack{}), rest) != nil
		}
		if !known {
			p.fault(f.At, f.Name, "is not a field of a shape", "", "see docs/shape-file.md")
			continue
		}
		out = replace(out, assignment{f.Name, p.expression(f.Name, f.Value, f.Value.Text)})
	}
	return out
}

// denseLine is "place: in -> out", with "+ bias" behind it or not.
var denseLine = regexp.MustCompile(`^([a-z-]+): (.+) -> (.+?)( \+ bias)?$`)

func (p *tableParser) denseRules(n *syntax.Node) []denseRule {
	var out []denseRule
	for _, text := range texts(n) {
		m := denseLine.FindStringSubmatch(text)
		var r denseRule
		if m == nil || r.at.UnmarshalText([]byte(m[1])) != nil {
			p.fault(n.At, "dense", "is not a layer", syntax.Quote(text), "pooled: in -> out + bias")
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

func (p *tableParser) convRules(n *syntax.Node) []convRule {
	var out []convRule
	for _, text := range texts(n) {
		m := convLine.FindStringSubmatch(text)
		if m == nil {
			p.fault(n.At, "convs", "is not a convolution", syntax.Quote(text),
				"encoder: in -> out, taps, rate")
			continue
		}
		parts := strings.Split(m[3], ",")
		for len(parts) < 5 {
			parts = append(parts, "0")
		}
		at := func(i int) *expression { return p.expression("convs", n, parts[i]) }
		out = append(out, convRule{
			stack: m[1], in: p.expression("convs", n, m[2]), out: at(0), taps: at(1), rate: at(2),
			extra: at(3), bias: at(4),
		})
	}
	return out
}

func (p *tableParser) class(f syntax.Field) {
	if f.Value.Kind == syntax.Null { // not a class of this entry, though of one it follows
		delete(p.a.classes, f.Name)
		if p.a.usual == f.Name {
			p.a.usual = ""
		}
		return
	}
	c := &class{}
	if f.Value.Kind == syntax.Object {
		s := newSection(p.reading, f.Value)
		c.uncounted = s.word("", "", "uncounted")
		if d, ok := s.take("dense"); ok {
			c.dense = p.denseRules(d.Value)
		}
		rest := &syntax.Node{Kind: syntax.Object, At: f.Value.At, Fields: s.untaken()}
		c.shape = p.assignments(nil, rest)
	}
	p.a.classes[f.Name] = c
	if p.a.usual == "" {
		p.a.usual = f.Name
	}
}

func (p *tableParser) expectation(f syntax.Field) {
	e := expectation{allowed: f.Value.Each()}
	if f.Value.Kind == syntax.Object {
		s := newSection(p.reading, f.Value)
		if only, ok := s.take("only"); ok {
			e.allowed = only.Value.Each()
		}
		e.reason = s.word("", "", "as")
	}
	p.a.expect[f.Name] = e
}
