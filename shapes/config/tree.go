package config

import (
	"fmt"
	"io"
)

// Value is a value of a YAML file and its place.
type Value struct {
	Position
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
	Position
	Key   string
	Value Value
}

// ReadYAML returns the section that a YAML file consists of, for the other files of this project
// that people write by hand. Size, nesting and tokens are bounded as for shapes; anchors, aliases,
// merge keys, tags and keys that stand twice are faults. The error is an [*Error].
func ReadYAML(name string, r io.Reader) (Value, error) {
	raw, err := readAll(name, r, maxYAMLBytes)
	if err != nil {
		return Value{}, err
	}
	t, err := decodeText(name, raw)
	if err != nil {
		return Value{}, err
	}
	root, err := parseYAML(t)
	if err != nil {
		return Value{}, err
	}
	tree := treeBuilder{}
	v := tree.value(root)
	if len(tree.faults) > 0 {
		return Value{}, &Error{Faults: tree.faults}
	}
	return v, nil
}

type treeBuilder struct{ faults []Fault }

func (b *treeBuilder) value(n *node) Value {
	v := Value{Position: n.at}
	switch n.kind {
	case null:
	case list:
		v.Kind = List
		for _, item := range n.items {
			v.Items = append(v.Items, b.value(item))
		}
	case object:
		v.Kind = Section
		seen := map[string]Position{}
		for _, f := range n.fields {
			if first, twice := seen[f.name]; twice {
				b.faults = append(b.faults, Fault{
					Position: f.at, Field: f.name,
					Problem: "stands twice", Value: fmt.Sprintf("first in line %d", first.Line),
				})
				continue
			}
			seen[f.name] = f.at
			v.Entries = append(v.Entries, Entry{
				Position: f.at, Key: f.name,
				Value: b.value(f.value),
			})
		}
	default:
		v.Kind, v.Text = Scalar, n.text
	}
	return v
}
