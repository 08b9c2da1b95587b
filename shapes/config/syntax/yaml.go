package syntax

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/deepnarrow/deepnarrow/internal/yamlfile"
)

// ParseYAML returns the mapping a YAML file consists of. Anchors, aliases, merge keys and tags are
// faults: a shape needs none of them, and they are how small files grow large.
func ParseYAML(t *Text) (root *Node, err error) {
	if len(t.Bytes) > MaxYAMLBytes {
		return nil, FileError(t.File, "is too large", fmt.Sprintf("%d bytes", len(t.Bytes)),
			fmt.Sprintf("YAML of at most %d bytes", MaxYAMLBytes))
	}
	defer func() {
		// The tree is the parser's; a defect of its own must not take the program down.
		if p := recover(); p != nil {
			root, err = nil, FileError(t.File, "is not valid YAML", Clip(fmt.Sprint(p)), "")
		}
	}()
	file, err := yamlfile.Parse(t.Bytes, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, yamlError(t, err)
	}
	c := &yamlConverter{file: t.File}
	var found *Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if found != nil {
			return nil, c.fail(doc.Body, "is a second document", "", "one document a file")
		}
		if found, err = c.node(doc.Body, 0); err != nil {
			return nil, err
		}
	}
	switch {
	case found == nil:
		return nil, FileError(t.File, "is empty", "", "")
	case found.Kind != Object:
		what := "" // a text is not quoted: a file that is not a configuration may hold a secret
		if found.Kind == List {
			what = found.Show()
		}
		return nil, found.At.Fail("has no keys", what, "lines of key: value")
	}
	return found, nil
}

// yamlError turns a parser's error into one with a place.
func yamlError(t *Text, err error) error {
	var limit *yamlfile.LimitError
	if errors.As(err, &limit) {
		return yamlPosition(t.File, limit.At).Fail(limit.Problem, "", limit.Allowed)
	}
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		return yamlPosition(t.File, syntax.GetToken()).Fail("is not valid YAML",
			Clip(syntax.GetMessage()), "")
	}
	return FileError(t.File, "is not valid YAML", Clip(err.Error()), "")
}

func yamlPosition(file string, t *token.Token) Position {
	if t == nil || t.Position == nil {
		return Position{File: file}
	}
	return Position{File: file, Line: t.Position.Line, Column: t.Position.Column}
}

// yamlConverter turns the parser's tree into ours.
type yamlConverter struct{ file string }

func (c *yamlConverter) fail(n ast.Node, problem, value, allowed string) error {
	return yamlPosition(c.file, n.GetToken()).Fail(problem, value, allowed)
}

func (c *yamlConverter) node(n ast.Node, depth int) (*Node, error) {
	if depth > MaxDepth {
		return nil, c.fail(n, "is nested too deep", "", fmt.Sprintf("at most %d levels", MaxDepth))
	}
	if n == nil {
		return &Node{Kind: Null, At: Position{File: c.file}, Text: "null"}, nil
	}
	at := yamlPosition(c.file, n.GetToken())
	scalar := func(k Kind) (*Node, error) { return &Node{Kind: k, At: at, Text: n.GetToken().Value}, nil }
	switch v := n.(type) {
	case *ast.NullNode:
		return &Node{Kind: Null, At: at, Text: "null"}, nil
	case *ast.BoolNode:
		out, _ := scalar(Boolean)
		out.Text = strings.ToLower(out.Text)
		return out, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return scalar(Number)
	case *ast.StringNode:
		return &Node{Kind: Word, At: at, Text: v.Value}, nil
	case *ast.LiteralNode:
		return &Node{Kind: Word, At: at, Text: v.Value.Value}, nil
	case *ast.SequenceNode:
		return c.sequence(v, at, depth)
	case *ast.MappingNode:
		at = yamlPosition(c.file, v.Start)
		return c.mapping(v.Values, at, depth)
	case *ast.MappingValueNode:
		return c.mapping([]*ast.MappingValueNode{v}, at, depth)
	}
	return nil, c.fail(n, "uses "+strings.ToLower(n.Type().String())+", which is not accepted here",
		"", "plain values, lists and sections")
}

func (c *yamlConverter) sequence(v *ast.SequenceNode, at Position, depth int) (*Node, error) {
	out := &Node{Kind: List, At: at}
	for _, item := range v.Values {
		n, err := c.node(item, depth+1)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, n)
	}
	return out, nil
}

func (c *yamlConverter) mapping(values []*ast.MappingValueNode, at Position, depth int) (*Node,
	error,
) {
	out := &Node{Kind: Object, At: at}
	for _, pair := range values {
		if pair.Key.IsMergeKey() {
			return nil, c.fail(pair.Key, "is a merge key, which is not accepted here", "<<",
				"extends: and another shape")
		}
		key, err := c.node(pair.Key, depth+1)
		if err != nil {
			return nil, err
		}
		if key.Kind == List || key.Kind == Object {
			return nil, c.fail(pair.Key, "is not a key", key.Show(), "a word")
		}
		value, err := c.node(pair.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if value.At.Line == 0 {
			value.At = key.At
		}
		out.Fields = append(out.Fields, Field{Name: key.Text, At: key.At, Value: value})
	}
	if len(out.Fields) > 0 {
		out.At = out.Fields[0].At
	}
	return out, nil
}

// ReadYAML returns the section that a YAML file consists of, for the other files of this project
// that people write by hand; a key that stands twice is a fault as well.
func ReadYAML(name string, r io.Reader) (*Node, error) {
	t, err := ReadText(name, r, MaxYAMLBytes)
	if err != nil {
		return nil, err
	}
	root, err := ParseYAML(t)
	if err != nil {
		return nil, err
	}
	if faults := root.repeated(nil); len(faults) > 0 {
		return nil, &Error{Faults: faults}
	}
	return root, nil
}

// repeated adds a fault for every key that stands twice in its section.
func (n *Node) repeated(faults []Fault) []Fault {
	for _, item := range n.Items {
		faults = item.repeated(faults)
	}
	seen := map[string]int{}
	for _, f := range n.Fields {
		if first, twice := seen[f.Name]; twice {
			faults = append(faults, Fault{
				Position: f.At, Field: f.Name, Problem: "stands twice",
				Value: fmt.Sprintf("first in line %d", first),
			})
			continue
		}
		seen[f.Name] = f.At.Line
		faults = f.Value.repeated(faults)
	}
	return faults
}
