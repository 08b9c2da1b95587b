package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
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
	if !ok || f.Value.Kind != syntax.Object {
		return nil
	}
	s.taken[key] = true
	m.nested[path] = newSection(m.reading, f.Value)
	return m.nested[path]
}

// find returns the field of a dotted name, of the model's section or of the whole file.
func (m *modelReader) find(dotted string) (syntax.Field, bool) {
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
	return syntax.Field{}, false
}

// interpolated follows a value such as ${model.hidden_size} to the field it names.
func (m *modelReader) interpolated(f syntax.Field, depth int) syntax.Field {
	inner, ok := strings.CutPrefix(f.Value.Text, "${")
	if f.Value.Kind != syntax.Word || !ok || !strings.HasSuffix(inner, "}") || depth > maxExtends {
		return f
	}
	n := m.root.at
	target := &syntax.Node{Kind: syntax.Object, At: n}
	for _, g := range m.root.byName {
		target.Fields = append(target.Fields, g)
	}
	for key := range strings.SplitSeq(strings.TrimSuffix(inner, "}"), ".") {
		i := slices.IndexFunc(target.Fields, func(g syntax.Field) bool { return g.Name == key })
		if i < 0 {
			return f
		}
		target = target.Fields[i].Value
	}
	return m.interpolated(syntax.Field{Name: f.Name, At: f.At, Value: target}, depth+1)
}

// take returns the field of one of the names; two that contradict are a fault.
func (m *modelReader) take(names []string) (syntax.Field, bool) {
	var found syntax.Field
	ok := false
	for _, n := range names {
		f, present := m.find(n)
		switch {
		case !present:
		case !ok:
			found, ok = f, true
		case found.Value.Kind == syntax.Null:
			found = f
		case f.Value.Kind != syntax.Null && !f.Value.Equals(found.Value):
			m.fault(f.At, f.Name, "contradicts "+found.Name, f.Value.Show(),
				"the same value as "+found.Value.Show()+", or only one of the two")
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
	if f, ok := m.take(d.names); ok && d.always == nil && f.Value.Kind != syntax.Null {
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
	if f, ok := m.find("id2label"); ok && f.Value.Kind == syntax.Object && len(f.Value.Fields) > 0 {
		if named && strings.HasPrefix(f.Value.Fields[0].Value.Text, "LABEL_") {
			m.warnLabels(f.At, len(f.Value.Fields))
		}
		return float64(len(f.Value.Fields))
	}
	for _, n := range []string{"num_labels", "_num_labels"} {
		if f, ok := m.find(n); ok && f.Value.Kind == syntax.Number {
			if v, ok := m.root.whole(f.Name, f.Value); ok {
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
func (m *modelReader) warnLabels(at syntax.Position, n int) {
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
	if d.always != nil {
		return d.always.eval(m.value)
	}
	f, present := m.take(d.names)
	if present && f.Value.Kind == syntax.Null && !d.nullable {
		m.fault(f.Value.At, f.Name, "is null", "", "a whole number")
		return d.absent, nil
	}
	switch {
	case present && f.Value.Kind != syntax.Null:
		return m.convert(f, d)
	case d.instead != nil:
		return d.instead.eval(m.value)
	case d.required:
		if d.kind == syntax.Boolean {
			m.fault(m.model.at, n, "is missing", "", "true or false")
		} else {
			m.fault(m.model.at, n, "is missing", "", m.whyRequired())
		}
		return nil, errFaulted
	case present && d.kind == syntax.Number: // null
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
func (m *modelReader) convert(f syntax.Field, d *declaration) (any, error) {
	v := f.Value
	switch {
	case d.kind == syntax.Number && d.fraction && v.Kind == syntax.Number:
		if x, err := strconv.ParseFloat(v.Text, 64); err == nil && x >= 0 && x < maxInteger {
			return x, nil
		}
	case v.Kind == syntax.Number && v.Text == "-1" && d.nullable && (d.kind == syntax.Number || d.kind == syntax.Null):
		return nil, nil // many classes write −1 for "not set"
	case d.kind == syntax.Number, d.kind == syntax.Null && v.Kind == syntax.Number:
		n, ok := m.root.whole(f.Name, v)
		if !ok {
			return nil, errFaulted
		}
		return float64(n), nil
	case d.kind == syntax.Boolean:
		if v.Kind != syntax.Boolean {
			m.fault(v.At, f.Name, "is not true or false", v.Show(), "true or false")
			return nil, errFaulted
		}
	case d.kind == syntax.Word && v.Kind != syntax.Word:
		m.fault(v.At, f.Name, "is not text", v.Show(), "text")
		return nil, errFaulted
	}
	return plainValue(v), nil
}

// plainValue returns a node as expressions see it.
func plainValue(n *syntax.Node) any {
	switch n.Kind {
	case syntax.Number:
		x, err := strconv.ParseFloat(n.Text, 64)
		if err != nil {
			return n.Text
		}
		return x
	case syntax.Boolean:
		return n.Text == "true"
	case syntax.List:
		out := make([]any, len(n.Items))
		for i, item := range n.Items {
			out[i] = plainValue(item)
		}
		return out
	case syntax.Object:
		out := make([]any, len(n.Fields))
		for i, f := range n.Fields {
			out[i] = f.Name
		}
		return out
	case syntax.Null:
		return nil
	}
	return n.Text
}
