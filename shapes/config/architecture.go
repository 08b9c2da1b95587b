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
	"strings"
	"sync"

	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
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
		panic(err) // a mistake made here
	}
	return t
})

// ReadTable reads a table of a user's own, whose entries come before the built-in ones and may
// build on them. The error is an [*syntax.Error] with every fault.
func ReadTable(name string, r io.Reader) (*Table, error) {
	t, err := syntax.ReadText(name, r, syntax.MaxYAMLBytes)
	if err != nil {
		return nil, err
	}
	table, err := newTable(name, string(t.Bytes), builtin())
	if err != nil {
		return nil, err
	}
	var faults []syntax.Fault
	for _, entry := range table.order {
		if _, err := table.find(entry); err != nil {
			var list *syntax.Error
			if errors.As(err, &list) {
				faults = append(faults, list.Faults...)
			}
		}
	}
	if len(faults) > 0 {
		return nil, &syntax.Error{Faults: faults}
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
				return nil, syntax.FileError(file, "has an entry twice", syntax.Quote(name), "one entry a name")
			}
			t.order = append(t.order, name)
		}
		at += len(line)
	}
	keep(at)
	if len(t.order) == 0 {
		return nil, syntax.FileError(file, "has no entries", "",
			"lines such as my-model: and fields below")
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

// find returns an entry, nil when there is none; the error is an [*syntax.Error] of the table.
func (t *Table) find(name string) (*architecture, error) {
	if _, ok := t.sources[name]; !ok {
		if t.below == nil {
			return nil, nil
		}
		return t.below.find(name)
	}
	return t.entry(name, nil)
}

// entry returns one of the table's own, parsed once; chain are those that build on it.
func (t *Table) entry(name string, chain []string) (*architecture, error) {
	t.mu.Lock()
	a := t.parsed[name]
	t.mu.Unlock()
	if a != nil {
		return a, nil
	}
	a, err := t.parse(name, t.sources[name], chain)
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
	kind     syntax.Kind // of the value: number, boolean, word or list; null for any scalar
	absent   any         // value when absent
	mention  bool        // the default is a size to be mentioned
	required bool
	nullable bool        // null is a value, else it is a fault or the default
	fraction bool        // a number may have a fraction
	instead  *expression // value when absent or null
	always   *expression // a computed value that no configuration sets
}

// assignment sets a field of the shape.
type assignment struct {
	field string // "d_model", "decoder.layers", or "both.layers"
	value *expression
}

// denseRule is a dense layer outside the stacks.
type denseRule struct {
	at      shapes.Place
	in, out *expression
	bias    bool
}

// convRule is a convolution of a front end.
type convRule struct {
	stack                      string
	in, out, taps, rate, extra *expression
	bias                       *expression
}

// expectation is the values of a field that leave the shape as it is.
type expectation struct {
	allowed []*syntax.Node
	reason  string
}

// check is a condition that a configuration must meet.
type check struct {
	field            string // to blame
	must             *expression
	problem, allowed string
}

// parse reads an entry and what it builds on.
func (t *Table) parse(name string, src tableSource, chain []string) (*architecture, error) {
	text := syntax.NewText(t.file, []byte(src.text))
	root, err := syntax.ParseYAML(text)
	if err != nil {
		return nil, moved(err, src.line)
	}
	in := newReading(t.file)
	p := &tableParser{reading: in, table: t, a: &architecture{
		name: name, fields: map[string]*declaration{}, classes: map[string]*class{},
		ignore: map[string]bool{}, expect: map[string]expectation{}, leftOut: map[string]string{},
		assume: map[string]string{}, own: t.below != nil,
	}}
	body := root.Fields[0].Value
	if body.Kind != syntax.Object {
		in.fault(body.At, name, "is not a section", body.Show(), "fields and shape")
	} else {
		p.entry(newSection(in, body), chain)
	}
	if err := in.err(); err != nil {
		return nil, moved(err, src.line)
	}
	return p.a, nil
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
	a.checks = append(a.checks, b.checks...)
	a.parts = cmp.Or(b.parts, a.parts)
	if b.prefixes != nil {
		a.prefixes = b.prefixes
	}
	a.family, a.rest, a.usual = cmp.Or(b.family, a.family), cmp.Or(b.rest, a.rest), cmp.Or(b.usual, a.usual)
	a.within, a.refuse = cmp.Or(b.within, a.within), cmp.Or(b.refuse, a.refuse)
	a.uncounted = cmp.Or(b.uncounted, a.uncounted)
}

func (a *architecture) put(name string, d *declaration) {
	if _, known := a.fields[name]; !known {
		a.order = append(a.order, name)
	}
	a.fields[name] = d
	delete(a.expect, name)
	delete(a.ignore, name)
}

// allows reports whether a value leaves the shape as the table says it.
func (e *expectation) allows(n *syntax.Node) bool {
	if n.Kind == syntax.Null || (n.Kind == syntax.List || n.Kind == syntax.Object) && len(n.Items)+len(n.Fields) == 0 {
		return true
	}
	if n.Kind == syntax.List {
		return !slices.ContainsFunc(n.Items, func(item *syntax.Node) bool { return !e.allows(item) })
	}
	return slices.ContainsFunc(e.allowed, n.Equals)
}

// says lists what is allowed.
func (e *expectation) says() string {
	if e.reason != "" {
		return e.reason
	}
	var shown []string
	for _, n := range e.allowed {
		shown = append(shown, n.Show())
	}
	return fmt.Sprintf("%s, or no such field", strings.Join(shown, " or "))
}
