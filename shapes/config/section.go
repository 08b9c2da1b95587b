package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// section is an object of a file whose fields are taken one by one. What was never taken is
// unknown.
type section struct {
	*reading
	at     syntax.Position
	byName map[string]syntax.Field
	order  []string
	taken  map[string]bool

	deferred map[string]syntax.Fault // faults of fields that count only when they are asked for
}

// newSection indexes an object; a key that occurs twice is a fault.
func newSection(r *reading, n *syntax.Node) *section {
	s := &section{
		reading: r, at: n.At, byName: make(map[string]syntax.Field, len(n.Fields)),
		taken: map[string]bool{},
	}
	for _, f := range n.Fields {
		if first, twice := s.byName[f.Name]; twice {
			r.fault(f.At, syntax.Quote(f.Name), "occurs twice", "",
				fmt.Sprintf("one value (the first is in line %d)", first.At.Line))
			continue
		}
		s.byName[f.Name] = f
		s.order = append(s.order, f.Name)
	}
	return s
}

// take returns the field of one of the names and marks them all as known. Two names of one thing
// must agree.
func (s *section) take(names ...string) (syntax.Field, bool) {
	var found syntax.Field
	ok := false
	for _, name := range names {
		s.taken[name] = true
		f, present := s.byName[name]
		if fault, ok := s.deferred[name]; ok {
			s.faults = append(s.faults, fault)
			delete(s.deferred, name)
			s.byName[name] = syntax.Field{Name: f.Name, At: f.At, Value: &syntax.Node{Kind: syntax.Word, At: f.Value.At}}
			continue
		}
		switch {
		case !present:
		case !ok:
			found, ok = f, true
		case !f.Value.Same(found.Value):
			s.fault(f.At, f.Name, "contradicts "+found.Name, f.Value.Show(),
				"the same value as "+found.Value.Show()+", or only one of the two")
		}
	}
	return found, ok
}

// skip marks names as known and without influence on the shape.
func (s *section) skip(names ...string) {
	for _, name := range names {
		s.taken[name] = true
	}
}

// untaken returns the fields nobody asked for, in file order.
func (s *section) untaken() []syntax.Field {
	var rest []syntax.Field
	for _, name := range s.order {
		if !s.taken[name] {
			rest = append(rest, s.byName[name])
		}
	}
	return rest
}

// optional returns the whole number of one of the names; ok is false when it is absent, null or
// wrong (then a fault is recorded).
func (s *section) optional(shapeFields string, names ...string) (value int, ok bool) {
	f, present := s.take(names...)
	if !present {
		return 0, false
	}
	s.note(shapeFields, f.Name, f.At)
	if f.Value.Kind == syntax.Null {
		return 0, false
	}
	return s.whole(f.Name, f.Value)
}

// integer is optional with a default, and null is a fault.
func (s *section) integer(shapeFields string, absent int, names ...string) int {
	f, present := s.take(names...)
	if !present {
		return absent
	}
	s.note(shapeFields, f.Name, f.At)
	if v, ok := s.whole(f.Name, f.Value); ok {
		return v
	}
	return absent
}

// whole converts a node to a whole number ≥ 0.
func (s *section) whole(name string, n *syntax.Node) (int, bool) {
	const allowed = "a whole number of at least 0, in plain decimal digits"
	if n.Kind != syntax.Number {
		s.fault(n.At, name, "is not a number", n.Show(), allowed)
		return 0, false
	}
	v, ok := syntax.WholeNumber(n.Text)
	switch {
	case !ok && isHuge(n.Text) || v > maxInteger:
		s.fault(n.At, name, "is too large", n.Show(), fmt.Sprintf("at most %d", int64(maxInteger)))
		return 0, false
	case !ok:
		s.fault(n.At, name, "is not a whole number", n.Show(), allowed)
		return 0, false
	case v < 0:
		s.fault(n.At, name, "is negative", n.Show(), allowed)
		return 0, false
	}
	return int(v), true
}

// maxInteger bounds every number of a file; shapes bounds each field tighter.
const maxInteger = 1 << 31

// isHuge reports whether a decimal integer is well-formed and over int64.
func isHuge(s string) bool {
	return len(s) > 18 && strings.Trim(s, "0123456789") == "" && s[0] != '0'
}

// flag returns true or false, or the default when absent.
func (s *section) flag(shapeFields string, absent bool, names ...string) bool {
	f, present := s.take(names...)
	if !present {
		return absent
	}
	s.note(shapeFields, f.Name, f.At)
	if f.Value.Kind != syntax.Boolean {
		s.fault(f.Value.At, f.Name, "is not true or false", f.Value.Show(), "true or false")
		return absent
	}
	return f.Value.Text == "true"
}

// word returns the text of a field, or the default when absent or null.
func (s *section) word(shapeFields, absent string, names ...string) string {
	f, present := s.take(names...)
	if !present || f.Value.Kind == syntax.Null {
		return absent
	}
	s.note(shapeFields, f.Name, f.At)
	if f.Value.Kind != syntax.Word {
		s.fault(f.Value.At, f.Name, "is not text", f.Value.Show(), "text")
		return absent
	}
	return f.Value.Text
}

// refuse records a fault when a field says something a shape cannot express.
func (s *section) refuse(name string, meaningless func(*syntax.Node) bool, why string) {
	if f, present := s.take(name); present && !meaningless(f.Value) {
		s.inexpressible(name, f.Value, why)
	}
}

// isFalse accepts null, false and zero.
func isFalse(n *syntax.Node) bool {
	return n.Kind == syntax.Null || n.Kind == syntax.Boolean && n.Text == "false" || n.Kind == syntax.Number &&
		n.Text == "0"
}

// isTrue accepts null and true.
func isTrue(n *syntax.Node) bool {
	return n.Kind == syntax.Null || n.Kind == syntax.Boolean && n.Text == "true"
}

// allowedWords returns "a, b, c", the sorted keys of a table.
func allowedWords[V any](table map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(table)), ", ")
}
