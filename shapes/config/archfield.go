package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// sectionAt returns the section of a key, opened once.
func (m *modelReader) sectionAt(s *section, path, key string) *section {
	if path != "" {
		path += "."
	}
	path += key
	if inner, ok := m.nested[path]; ok {
		return inner
	}
	f, ok := s.byName[key]
	if !ok || f.value.kind != object {
		return nil
	}
	s.taken[key] = true
	m.nested[path] = newSection(m.reading, f.value)
	return m.nested[path]
}

// find returns the field of a dotted name, of the model's section or of the whole file.
func (m *modelReader) find(dotted string) (field, bool) {
	for _, s := range []*section{m.model, m.root} {
		key, path := dotted, ""
		for {
			if f, ok := s.byName[key]; ok {
				s.taken[key] = true
				return m.interpolated(f, 0), true
			}
			head, rest, cut := strings.Cut(key, ".")
			if !cut {
				break
			}
			inner := m.sectionAt(s, path, head)
			if inner == nil {
				break
			}
			s, key, path = inner, rest, head
		}
		if m.model == m.root {
			break
		}
	}
	return field{}, false
}

// interpolated follows a value such as ${model.hidden_size} to the field it names.
func (m *modelReader) interpolated(f field, depth int) field {
	inner, ok := strings.CutPrefix(f.value.text, "${")
	if f.value.kind != word || !ok || !strings.HasSuffix(inner, "}") || depth > maxExtends {
		return f
	}
	n := m.root.at
	target := &node{kind: object, at: n}
	for _, g := range m.root.byName {
		target.fields = append(target.fields, g)
	}
	for key := range strings.SplitSeq(strings.TrimSuffix(inner, "}"), ".") {
		i := slices.IndexFunc(target.fields, func(g field) bool { return g.name == key })
		if i < 0 {
			return f
		}
		target = target.fields[i].value
	}
	return m.interpolated(field{f.name, f.at, target}, depth+1)
}

// take returns the field of one of the names; two that contradict are a fault.
func (m *modelReader) take(names []string) (field, bool) {
	var found field
	ok := false
	for _, n := range names {
		f, present := m.find(n)
		switch {
		case !present:
		case !ok:
			found, ok = f, true
		case found.value.kind == null:
			found = f
		case f.value.kind != null && !f.value.equals(found.value):
			m.fault(f.at, f.name, "contradicts "+found.name, f.value.show(),
				"the same value as "+found.value.show()+", or only one of the two")
		}
	}
	return found, ok
}

// value returns the value of a declared field, computed once.
func (m *modelReader) value(n string) (any, bool, error) {
	d, declared := m.a.fields[n]
	if !declared {
		switch {
		case n == "labels":
			return m.labels(true), true, nil
		case n == "spans": // of an answer: labels that never have names
			return m.labels(false), true, nil
		case n == "given_vocab":
			if m.options.Vocab > 0 {
				m.usedVocab = true
				return float64(m.options.Vocab), true, nil
			}
			return nil, true, nil
		case m.a.own && m.isField(n):
			d = &declaration{names: []string{n}, nullable: true}
		default:
			return nil, false, nil
		}
	}
	if f, ok := m.take(d.names); ok && d.always == nil && f.value.kind != null {
		m.touched = append(m.touched, f)
	}
	if v, ok := m.values[n]; ok {
		if v == (failed{}) {
			return nil, true, errFaulted
		}
		return v, true, nil
	}
	if slices.Contains(m.busy, n) {
		return nil, true, &evalFault{field: n, problem: "is defined by itself"}
	}
	m.busy = append(m.busy, n)
	v, err := m.compute(n, d)
	if err == errFaulted && d.absent != nil {
		v, err = d.absent, nil // go on with the default, to find further faults
	}
	m.busy = m.busy[:len(m.busy)-1]
	m.values[n] = v
	if err != nil {
		m.values[n] = failed{}
	}
	return v, true, err
}

// isField reports whether a file has a field of that name: in a user's table, names need not be
// declared.
func (m *modelReader) isField(n string) bool {
	_, ok := m.find(n)
	return ok
}

// labels returns the classes of a task's head: the entries of id2label, num_labels, or 2.
func (m *modelReader) labels(named bool) any {
	if f, ok := m.find("id2label"); ok && f.value.kind == object && len(f.value.fields) > 0 {
		if named && strings.HasPrefix(f.value.fields[0].value.text, "LABEL_") {
			m.warnLabels(f.at, len(f.value.fields))
		}
		return float64(len(f.value.fields))
	}
	for _, n := range []string{"num_labels", "_num_labels"} {
		if f, ok := m.find(n); ok && f.value.kind == number {
			if v, ok := m.root.whole(f.name, f.value); ok {
				return float64(v)
			}
		}
	}
	if named {
		m.warnLabels(m.root.at, 2)
	}
	return 2.0 // PretrainedConfig's default
}

// warnLabels says that the head's size may be a default: the labels have no names.
func (m *modelReader) warnLabels(at Position, n int) {
	text := fmt.Sprintf("the labels have no names; the task's head is counted with %d of them", n)
	if !slices.ContainsFunc(m.warnings, func(w Warning) bool { return w.Text == text }) {
		m.warn(at, "%s", text)
	}
}

// failed is the value of a field whose fault is recorded.
type failed struct{}

// errFaulted says that the reading has the fault already.
var errFaulted = &evalFault{}

func (m *modelReader) compute(n string, d *declaration) (any, error) {
	sc := &scope{value: m.value}
	if d.always != nil {
		return d.always.eval(sc)
	}
	f, present := m.take(d.names)
	if present && f.value.kind == null && !d.nullable {
		m.fault(f.value.at, f.name, "is null", "", "a whole number")
		return d.absent, nil
	}
	switch {
	case present && f.value.kind != null:
		return m.convert(f, d)
	case d.instead != nil:
		return d.instead.eval(sc)
	case d.required:
		if d.kind == boolean {
			m.fault(m.model.at, n, "is missing", "", "true or false")
		} else {
			m.fault(m.model.at, n, "is missing", "", m.whyRequired())
		}
		return nil, errFaulted
	case present && d.kind == number: // null
		return nil, nil
	}
	if d.mention {
		m.assumed = append(m.assumed, n+" "+plain(d.absent.(float64)))
	}
	return d.absent, nil
}

func (m *modelReader) whyRequired() string {
	if m.a.when != nil || m.a.own {
		return "a whole number"
	}
	return "a whole number: its default differs between releases of transformers"
}

// convert checks a field's value against its declared kind.
func (m *modelReader) convert(f field, d *declaration) (any, error) {
	v := f.value
	switch {
	case d.kind == number && d.fraction && v.kind == number:
		if x, err := strconv.ParseFloat(v.text, 64); err == nil && x >= 0 && x < maxInteger {
			return x, nil
		}
	case v.kind == number && v.text == "-1" && d.nullable && (d.kind == number || d.kind == null):
		return nil, nil // many classes write −1 for "not set"
	case d.kind == number, d.kind == null && v.kind == number:
		n, ok := m.root.whole(f.name, v)
		if !ok {
			return nil, errFaulted
		}
		return float64(n), nil
	case d.kind == boolean:
		if v.kind != boolean {
			m.fault(v.at, f.name, "is not true or false", v.show(), "true or false")
			return nil, errFaulted
		}
	case d.kind == word && v.kind != word:
		m.fault(v.at, f.name, "is not text", v.show(), "text")
		return nil, errFaulted
	}
	return plainValue(v), nil
}

// plainValue returns a node as expressions see it.
func plainValue(n *node) any {
	switch n.kind {
	case number:
		x, err := strconv.ParseFloat(n.text, 64)
		if err != nil {
			return n.text
		}
		return x
	case boolean:
		return n.text == "true"
	case list:
		out := make([]any, len(n.items))
		for i, item := range n.items {
			out[i] = plainValue(item)
		}
		return out
	case object:
		out := make([]any, len(n.fields))
		for i, f := range n.fields {
			out[i] = f.name
		}
		return out
	case null:
		return nil
	}
	return n.text
}
