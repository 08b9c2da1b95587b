package config

import (
	"fmt"
	"io"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// Value is a value of a YAML file and its place.
type Value struct {
	syntax.Position
	Kind    ValueKind
	Text    string  // of a scalar, as written: 012 and 1_000 are for the caller to refuse
	Items   []Value // of a list
	Entries []Entry // of a section, in file order; a key stands once
}

// ValueKind is what a [Value] is.
type ValueKind uint8

// The kinds of values. Text in quotes, words, numbers and true or false are all scalars: what they
// mean depends on the key.
const (
	NoValue ValueKind = iota
	Scalar
	List
	Section
)

// String says the kind as error messages do.
func (k ValueKind) String() string {
	return [...]string{"nothing", "a single value", "a list", "a section"}[k]
}

// Entry is one key of a section.
type Entry struct {
	syntax.Position
	Key   string
	Value Value
}

// ReadYAML returns the section that a YAML file consists of, for the other files of this project
// that people write by hand. Size, nesting and tokens are bounded as for shapes; anchors, aliases,
// merge keys, tags and keys that stand twice are faults. The error is an [*syntax.Error].
func ReadYAML(name string, r io.Reader) (Value, error) {
	raw, err := syntax.ReadAll(name, r, syntax.MaxYAMLBytes)
	if err != nil {
		return Value{}, err
	}
	t, err := syntax.DecodeText(name, raw)
	if err != nil {
		return Value{}, err
	}
	root, err := syntax.ParseYAML(t)
	if err != nil {
		return Value{}, err
	}
	tree := treeBuilder{}
	v := tree.value(root)
	if len(tree.faults) > 0 {
		return Value{}, &syntax.Error{Faults: tree.faults}
	}
	return v, nil
}

type treeBuilder struct{ faults []syntax.Fault }

func (b *treeBuilder) value(n *syntax.Node) Value {
	v := Value{Position: n.At}
	switch n.Kind {
	case syntax.Null:
	case syntax.List:
		v.Kind = List
		for _, item := range n.Items {
			v.Items = append(v.Items, b.value(item))
		}
	case syntax.Object:
		v.Kind = Section
		seen := map[string]syntax.Position{}
		for _, f := range n.Fields {
			if first, twice := seen[f.Name]; twice {
				b.faults = append(b.faults, syntax.Fault{
					Position: f.At, Field: f.Name,
					Problem: "stands twice", Value: fmt.Sprintf("first in line %d", first.Line),
				})
				continue
			}
			seen[f.Name] = f.At
			v.Entries = append(v.Entries, Entry{
				Position: f.At, Key: f.Name, Value: b.value(f.Value),
			})
		}
	default:
		v.Kind, v.Text = Scalar, n.Text
	}
	return v
}
