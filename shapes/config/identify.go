package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/suggest"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// identify returns the entry of a configuration and the class to build. model_type and
// architectures may each be missing, neither may be unknown, and they may not disagree.
func identify(s *section, table *Table) (*architecture, *class, bool) {
	before := len(s.faults)
	architecture, architectureAt := firstArchitecture(s)
	typeField, typed := s.take("model_type")
	name := s.word("model_type", "", "model_type")
	if len(s.faults) > before {
		return nil, nil, false
	}
	if name == "" {
		a, cl := table.byClass(architecture)
		if a == nil {
			a, cl = table.bySignature(s), &class{}
			if a != nil && a.usual != "" && a.rest == "" && len(a.prefixes) > 0 {
				cl = a.classes[a.usual]
				s.warn(s.at, "model_type is absent; read as %s", a.className(a.usual))
			}
		}
		if a == nil {
			at, value := s.at, ""
			if architecture != "" {
				at, value = architectureAt, syntax.Quote(architecture)
			}
			s.fault(at, "model_type", "is missing and architectures does not tell it", value,
				"one of the model types of docs/shape-file.md, or a file of a known trainer")
			return nil, nil, false
		}
		return a, cl, true
	}
	a, err := table.find(name)
	if err != nil || a == nil || name[0] == '_' {
		at := s.at
		if typed {
			at = typeField.Value.At
		}
		s.faults = append(s.faults, syntax.Fault{
			Position: at, Field: "model_type",
			Problem: "is an architecture that is not supported yet", Value: syntax.Quote(name),
			Allowed:    "a model type of the table; --architectures FILE adds one (docs/shape-file.md)",
			Suggestion: suggest.Nearest(name, table.names()),
		})
		return nil, nil, false
	}
	if a.refuse != "" || len(a.classes) == 0 {
		return a, &class{}, true
	}
	if architecture == "" {
		s.warn(s.at, "architectures is absent; read as %s", a.className(a.usual))
		return a, a.classes[a.usual], true
	}
	cl := a.classOf(architecture)
	if cl == nil {
		s.fault(architectureAt, "architectures",
			"is not a class of model_type "+name+" this reader knows", syntax.Quote(architecture),
			strings.Join(a.classNames(), ", "))
		return nil, nil, false
	}
	return a, cl, true
}

// className returns a class as configurations write it: the prefix of the entry and the suffix of
// the table.
func (a *architecture) className(suffix string) string {
	if len(a.prefixes) == 0 {
		return suffix
	}
	return a.prefixes[0] + suffix
}

func (a *architecture) classNames() []string {
	var all []string
	for _, suffix := range slices.Sorted(maps.Keys(a.classes)) {
		all = append(all, a.className(suffix))
	}
	return all
}

// classOf returns the class of a name, nil when the entry has none.
func (a *architecture) classOf(full string) *class {
	if cl := a.classes[full]; cl != nil {
		return cl
	}
	for _, p := range a.prefixes {
		if rest, ok := strings.CutPrefix(full, p); ok {
			if cl := a.classes[rest]; cl != nil {
				return cl
			}
		}
	}
	return nil
}

// byClass returns the entry that owns a class name.
func (t *Table) byClass(full string) (*architecture, *class) {
	if full == "" {
		return nil, nil
	}
	for ; t != nil; t = t.below {
		for _, n := range t.order {
			if n[0] == '_' {
				continue
			}
			a, err := t.find(n)
			if err != nil {
				continue
			}
			if cl := a.classOf(full); cl != nil {
				return a, cl
			}
		}
	}
	return nil, nil
}

// bySignature returns the entry whose keys a file without model_type has: a trainer's format, or a
// user's only entry.
func (t *Table) bySignature(s *section) *architecture {
	for ; t != nil; t = t.below {
		for _, n := range t.order {
			src := t.sources[n].text
			if !strings.Contains(src, "when:") && !(t.below != nil && len(t.order) == 1) {
				continue
			}
			a, err := t.find(n)
			if err == nil && a != nil && (a.when != nil || a.own) && a.signed(s) {
				return a
			}
		}
	}
	return nil
}

func (a *architecture) signed(s *section) bool {
	for _, key := range a.when {
		found := false
		for alternative := range strings.SplitSeq(key, "|") {
			name, value, valued := strings.Cut(strings.TrimSpace(alternative), "=")
			found = found ||
				s.has(name) &&
					(!valued || s.byName[name].Value != nil && s.byName[name].Value.Text == value)
		}
		if !found {
			return false
		}
	}
	return true
}

// has reports whether a dotted key is there, with - or _.
func (s *section) has(dotted string) bool {
	n := &syntax.Node{}
	for _, f := range s.byName {
		n.Fields = append(n.Fields, f)
	}
	for key := range strings.SplitSeq(dotted, ".") {
		i := slices.IndexFunc(n.Fields, func(f syntax.Field) bool {
			return strings.ReplaceAll(strings.TrimLeft(f.Name, "-"), "-", "_") == key
		})
		if i < 0 {
			return false
		}
		n = n.Fields[i].Value
	}
	return true
}

// firstArchitecture returns the first class name of "architectures".
func firstArchitecture(s *section) (string, syntax.Position) {
	f, present := s.take("architectures")
	if !present || f.Value.Kind == syntax.Null || f.Value.Kind == syntax.List && len(f.Value.Items) == 0 {
		return "", s.at
	}
	s.note("architectures", f.Name, f.At)
	if f.Value.Kind != syntax.List || f.Value.Items[0].Kind != syntax.Word {
		s.fault(f.Value.At, f.Name, "is not a list of class names", f.Value.Show(),
			`such as ["T5ForConditionalGeneration"]`)
		return "", s.at
	}
	first := f.Value.Items[0]
	if len(f.Value.Items) > 1 {
		s.warn(f.Value.Items[1].At, "only the first of %d architectures is read",
			len(f.Value.Items))
	}
	return first.Text, first.At
}
