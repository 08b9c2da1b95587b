package config

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// builtinTable is every architecture this program knows; docs/shape-file.md explains the format.
//
//go:embed architectures.yaml
var builtinTable string

// Table is a table of architectures: what each model_type, or each format of a trainer, says about
// a shape.
type Table struct {
	file    string
	sources map[string]tableSource // text of each entry, parsed when it is asked for
	order   []string
	below   *Table // where names that this table lacks are looked up

	mu     sync.Mutex
	parsed map[string]*architecture
}

type tableSource struct {
	text string
	line int // of the file
}

// builtin is the embedded table.
var builtin = sync.OnceValue(func() *Table {
	t, err := newTable("architectures.yaml", builtinTable, nil)
	if err != nil {
		panic(err) // a mistake of ours
	}
	return t
})

// ReadTable reads a table of a user's own, whose entries come before the built-in ones and may
// build on them. The error is an [*Error] with every fault.
func ReadTable(name string, r io.Reader) (*Table, error) {
	raw, err := readAll(name, r, maxYAMLBytes)
	if err != nil {
		return nil, err
	}
	t, err := decodeText(name, raw)
	if err != nil {
		return nil, err
	}
	table, err := newTable(name, string(t.bytes), builtin())
	if err != nil {
		return nil, err
	}
	var faults []Fault
	for _, entry := range table.order {
		if _, err := table.find(entry); err != nil {
			var list *Error
			if errors.As(err, &list) {
				faults = append(faults, list.Faults...)
			}
		}
	}
	if len(faults) > 0 {
		return nil, &Error{Faults: faults}
	}
	return table, nil
}

var entryLine = regexp.MustCompile(`^['"]?([A-Za-z0-9_][^:'"]*)['"]?:`)

// newTable cuts a table into its entries, so that only the ones asked for are parsed.
func newTable(file, text string, below *Table) (*Table, error) {
	t := &Table{
		file: file, sources: map[string]tableSource{}, below: below,
		parsed: map[string]*architecture{},
	}
	var name string
	start, at := 0, 0
	keep := func(end int) {
		if name != "" {
			t.sources[name] = tableSource{text[start:end], strings.Count(text[:start], "\n")}
		}
	}
	for line := range strings.Lines(text) {
		if m := entryLine.FindStringSubmatch(line); m != nil {
			keep(at)
			name, start = m[1], at
			if _, twice := t.sources[name]; twice {
				return nil, fileError(file, "has an entry twice", quote(name), "one entry a name")
			}
			t.order = append(t.order, name)
		}
		at += len(line)
	}
	keep(at)
	if len(t.order) == 0 {
		return nil, fileError(file, "has no entries", "", "lines such as my-model: and fields below")
	}
	return t, nil
}

// names returns the model types of the table and of those below, sorted; formats of trainers and
// shared parts, which begin with a capital or an underscore, are left out.
func (t *Table) names() []string {
	var all []string
	for ; t != nil; t = t.below {
		for _, n := range t.order {
			if n[0] != '_' && !strings.Contains(n, " ") {
				all = append(all, n)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// find returns an entry, nil when there is none; the error is an [*Error] of the table.
func (t *Table) find(name string) (*architecture, error) {
	src, ok := t.sources[name]
	if !ok {
		if t.below == nil {
			return nil, nil
		}
		return t.below.find(name)
	}
	t.mu.Lock()
	a := t.parsed[name]
	t.mu.Unlock()
	if a != nil {
		return a, nil
	}
	a, err := t.parse(name, src, nil)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.parsed[name] = a
	t.mu.Unlock()
	return a, nil
}

// architecture is one entry: how the fields of a configuration make a shape.
type architecture struct {
	name      string
	family    shapes.Family
	fields    map[string]*declaration
	order     []string // of the fields
	shape     []assignment
	dense     []denseRule
	convs     []convRule
	classes   map[string]*class
	usual     string   // the class of a configuration that names none
	prefixes  []string // of class names
	ignore    map[string]bool
	expect    map[string]expectation
	checks    []check
	leftOut   map[string]string // fields whose presence adds what a shape leaves out
	when      []string          // keys that tell a trainer's file from others
	within    string            // the section that describes the model
	rest      string            // what unread fields of the file are: "" unknown, or harmless
	assume    map[string]string // what is taken for a field that is absent, with a warning
	refuse    string            // why the whole architecture cannot be counted
	uncounted string            // what a shape leaves out, always warned of
	parts     *parts            // of an architecture of two models
	own       bool              // of a user's table: names that are not declared are fields
}

// parts are the two models an architecture is made of.
type parts struct {
	encoder, decoder string // their sections
	encoderModel     string // their entries, "" for what the section's model_type says
	decoderModel     string
	towers           bool // they do not attend to each other
}

// class is what a model class changes of an architecture.
type class struct {
	shape     []assignment
	dense     []denseRule
	uncounted string
}

// declaration is a field of a configuration.
type declaration struct {
	names    []string
	kind     kind // of the value: number, boolean, word or list; null for any scalar
	absent   any  // value when absent
	mention  bool // the default is a size to be mentioned
	required bool
	nullable bool       // null is a value, else it is a fault or the default
	fraction bool       // a number may have a fraction
	instead  expression // value when absent or null
	always   expression // a computed value that no configuration sets
}

// assignment sets a field of the shape.
type assignment struct {
	field string // "d_model", "decoder.layers", or "both.layers"
	value expression
}

// denseRule is a dense layer outside the stacks.
type denseRule struct {
	at      shapes.Place
	in, out expression
	bias    bool
}

// convRule is a convolution of a front end.
type convRule struct {
	stack                      string
	in, out, taps, rate, extra expression
	bias                       expression
}

// expectation is the values of a field that leave the shape as it is.
type expectation struct {
	allowed []*node
	reason  string
}

// check is a condition that a configuration must meet.
type check struct {
	field            string // to blame
	must             expression
	problem, allowed string
}

// tableParser reads one entry.
type tableParser struct {
	*reading
	table *Table
	a     *architecture
}

// parse reads an entry and what it builds on.
func (t *Table) parse(name string, src tableSource, chain []string) (*architecture, error) {
	text := newText(t.file, []byte(src.text))
	root, err := parseYAML(text)
	if err != nil {
		return nil, moved(err, src.line)
	}
	in := newReading(t.file)
	p := &tableParser{reading: in, table: t, a: &architecture{
		name: name, fields: map[string]*declaration{}, classes: map[string]*class{},
		ignore: map[string]bool{}, expect: map[string]expectation{}, leftOut: map[string]string{},
		assume: map[string]string{}, own: t.below != nil,
	}}
	body := root.fields[0].value
	if body.kind != object {
		in.fault(body.at, name, "is not a section", body.show(), "fields and shape")
	} else {
		p.entry(newSection(in, body), chain)
	}
	if err := in.err(); err != nil {
		return nil, moved(err, src.line)
	}
	return p.a, nil
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
		p.unknownWord(f.at, f.name, "is an unknown key", "", f.name, slices.Collect(maps.Keys(s.taken)))
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

// over lays another entry over this one.
func (a *architecture) over(b *architecture) {
	for _, n := range b.order {
		a.put(n, b.fields[n])
	}
	for _, s := range b.shape {
		a.shape = replace(a.shape, s)
	}
	a.dense = append(a.dense, b.dense...)
	a.convs = append(a.convs, b.convs...)
	maps.Copy(a.classes, b.classes)
	maps.Copy(a.ignore, b.ignore)
	maps.Copy(a.expect, b.expect)
	maps.Copy(a.leftOut, b.leftOut)
	maps.Copy(a.assume, b.assume)
	if b.rest != "" {
		a.rest = b.rest
	}
	a.checks = append(a.checks, b.checks...)
	if b.parts != nil {
		a.parts = b.parts
	}
	if b.family != "" {
		a.family = b.family
	}
	if b.usual != "" {
		a.usual = b.usual
	}
	if b.prefixes != nil {
		a.prefixes = b.prefixes
	}
	if b.within != "" {
		a.within = b.within
	}
	if b.uncounted != "" {
		a.uncounted = b.uncounted
	}
	if b.refuse != "" {
		a.refuse = b.refuse
	}
}

func (a *architecture) put(name string, d *declaration) {
	if _, known := a.fields[name]; !known {
		a.order = append(a.order, name)
	}
	a.fields[name] = d
	delete(a.expect, name)
	delete(a.ignore, name)
}

// replace sets an assignment, in the place of one of the same field; of an assignment to both stacks
// it takes one.
func replace(list []assignment, s assignment) []assignment {
	stack, rest, _ := strings.Cut(s.field, ".")
	out := slices.Clone(list)
	for i := range out {
		if other := map[string]string{"encoder": "decoder.", "decoder": "encoder."}[stack]; other != "" && out[i].field == "both."+rest {
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
			p.fault(n.at, "convs", "is not a convolution", quote(text), "encoder: in -> out, taps, rate")
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

// allows reports whether a value leaves the shape as the table says it.
func (e *expectation) allows(n *node) bool {
	if n.kind == null || (n.kind == list || n.kind == object) && len(n.items)+len(n.fields) == 0 {
		return true
	}
	if n.kind == list {
		return !slices.ContainsFunc(n.items, func(item *node) bool { return !e.allows(item) })
	}
	return slices.ContainsFunc(e.allowed, n.equals)
}

// equals compares scalars by value: 0, 0.0 and false are alike.
func (n *node) equals(m *node) bool {
	if n.same(m) {
		return true
	}
	zero := func(n *node) bool {
		return n.kind == boolean && n.text == "false" || n.kind == number && strings.Trim(n.text, "0.") == ""
	}
	if n.kind == number && m.kind == number {
		x, errX := strconv.ParseFloat(n.text, 64)
		y, errY := strconv.ParseFloat(m.text, 64)
		return errX == nil && errY == nil && x == y
	}
	return zero(n) && zero(m)
}

// says lists what is allowed.
func (e *expectation) says() string {
	if e.reason != "" {
		return e.reason
	}
	var shown []string
	for _, n := range e.allowed {
		shown = append(shown, n.show())
	}
	return fmt.Sprintf("%s, or no such field", strings.Join(shown, " or "))
}
