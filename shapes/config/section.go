package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// section is an object of a file whose fields are taken one by one. What was never taken is
// unknown.
type section struct {
	*reading
	at     Position
	byName map[string]field
	order  []string
	taken  map[string]bool

	deferred map[string]Fault // faults of fields that count only when they are asked for
}

// newSection indexes an object; a key that occurs twice is a fault.
func newSection(r *reading, n *node) *section {
	s := &section{
		reading: r, at: n.at, byName: make(map[string]field, len(n.fields)),
		taken: map[string]bool{},
	}
	for _, f := range n.fields {
		if first, twice := s.byName[f.name]; twice {
			r.fault(f.at, quote(f.name), "occurs twice", "",
				fmt.Sprintf("one value (the first is in line %d)", first.at.Line))
			continue
		}
		s.byName[f.name] = f
		s.order = append(s.order, f.name)
	}
	return s
}

// take returns the field of one of the names and marks them all as known. Two names of one thing
// must agree.
func (s *section) take(names ...string) (field, bool) {
	var found field
	ok := false
	for _, name := range names {
		s.taken[name] = true
		f, present := s.byName[name]
		if fault, ok := s.deferred[name]; ok {
			s.faults = append(s.faults, fault)
			delete(s.deferred, name)
			s.byName[name] = field{name: f.name, at: f.at, value: &node{kind: word, at: f.value.at}}
			continue
		}
		switch {
		case !present:
		case !ok:
			found, ok = f, true
		case !f.value.same(found.value):
			s.fault(f.at, f.name, "contradicts "+found.name, f.value.show(),
				"the same value as "+found.value.show()+", or only one of the two")
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
func (s *section) untaken() []field {
	var rest []field
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
	s.note(shapeFields, f.name, f.at)
	if f.value.kind == null {
		return 0, false
	}
	return s.whole(f.name, f.value)
}

// integer is optional with a default, and null is a fault.
func (s *section) integer(shapeFields string, absent int, names ...string) int {
	f, present := s.take(names...)
	if !present {
		return absent
	}
	s.note(shapeFields, f.name, f.at)
	if v, ok := s.whole(f.name, f.value); ok {
		return v
	}
	return absent
}

// whole converts a node to a whole number ≥ 0.
func (s *section) whole(name string, n *node) (int, bool) {
	const allowed = "a whole number of at least 0, in plain decimal digits"
	if n.kind != number {
		s.fault(n.at, name, "is not a number", n.show(), allowed)
		return 0, false
	}
	v, ok := wholeNumber(n.text)
	switch {
	case !ok && isHuge(n.text) || v > maxInteger:
		s.fault(n.at, name, "is too large", n.show(), fmt.Sprintf("at most %d", int64(maxInteger)))
		return 0, false
	case !ok:
		s.fault(n.at, name, "is not a whole number", n.show(), allowed)
		return 0, false
	case v < 0:
		s.fault(n.at, name, "is negative", n.show(), allowed)
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
	s.note(shapeFields, f.name, f.at)
	if f.value.kind != boolean {
		s.fault(f.value.at, f.name, "is not true or false", f.value.show(), "true or false")
		return absent
	}
	return f.value.text == "true"
}

// word returns the text of a field, or the default when absent or null.
func (s *section) word(shapeFields, absent string, names ...string) string {
	f, present := s.take(names...)
	if !present || f.value.kind == null {
		return absent
	}
	s.note(shapeFields, f.name, f.at)
	if f.value.kind != word {
		s.fault(f.value.at, f.name, "is not text", f.value.show(), "text")
		return absent
	}
	return f.value.text
}

// refuse records a fault when a field says something a shape cannot express.
func (s *section) refuse(name string, meaningless func(*node) bool, why string) {
	f, present := s.take(name)
	if present && !meaningless(f.value) {
		s.fault(f.value.at, name, "cannot be expressed as a shape", f.value.show(), why)
	}
}

// isFalse accepts null, false and zero.
func isFalse(n *node) bool {
	return n.kind == null || n.kind == boolean && n.text == "false" || n.kind == number &&
		n.text == "0"
}

// isTrue accepts null and true.
func isTrue(n *node) bool { return n.kind == null || n.kind == boolean && n.text == "true" }

// allowedWords returns "a, b, c", the sorted keys of a table.
func allowedWords[V any](table map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(table)), ", ")
}
