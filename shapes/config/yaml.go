package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/deepnarrow/deepnarrow/internal/yamlfile"
)

// parseYAML returns the mapping a YAML file consists of. Anchors, aliases, merge keys and tags are
// faults: a shape needs none of them, and they are how small files grow large.
func parseYAML(t *text) (root *node, err error) {
	if len(t.bytes) > maxYAMLBytes {
		return nil, fileError(t.file, "is too large", fmt.Sprintf("%d bytes", len(t.bytes)),
			fmt.Sprintf("YAML of at most %d bytes", maxYAMLBytes))
	}
	defer func() {
		// The tree is the parser's; a defect of its own must not take the program down.
		if p := recover(); p != nil {
			root, err = nil, fileError(t.file, "is not valid YAML", clip(fmt.Sprint(p)), "")
		}
	}()
	file, err := yamlfile.Parse(t.bytes, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, yamlError(t, err)
	}
	c := &yamlConverter{file: t.file}
	var found *node
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
		return nil, fileError(t.file, "is empty", "", "")
	case found.kind != object:
		return nil, &Error{Faults: []Fault{{
			Position: found.at, Problem: "has no keys",
			Value: found.show(), Allowed: "lines of key: value",
		}}}
	}
	return found, nil
}

// yamlError turns a parser's error into one with a place.
func yamlError(t *text, err error) error {
	var limit *yamlfile.LimitError
	if errors.As(err, &limit) {
		return &Error{Faults: []Fault{{
			Position: yamlPosition(t.file, limit.At), Problem: limit.Problem, Allowed: limit.Allowed,
		}}}
	}
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		return &Error{Faults: []Fault{{
			Position: yamlPosition(t.file, syntax.GetToken()),
			Problem:  "is not valid YAML", Value: clip(syntax.GetMessage()),
		}}}
	}
	return fileError(t.file, "is not valid YAML", clip(err.Error()), "")
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
	return &Error{Faults: []Fault{{
		Position: yamlPosition(c.file, n.GetToken()), Problem: problem,
		Value: value, Allowed: allowed,
	}}}
}

func (c *yamlConverter) node(n ast.Node, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, c.fail(n, "is nested too deep", "", fmt.Sprintf("at most %d levels", maxDepth))
	}
	if n == nil {
		return &node{kind: null, at: Position{File: c.file}, text: "null"}, nil
	}
	at := yamlPosition(c.file, n.GetToken())
	scalar := func(k kind) (*node, error) { return &node{kind: k, at: at, text: n.GetToken().Value}, nil }
	switch v := n.(type) {
	case *ast.NullNode:
		return &node{kind: null, at: at, text: "null"}, nil
	case *ast.BoolNode:
		out, _ := scalar(boolean)
		out.text = strings.ToLower(out.text)
		return out, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return scalar(number)
	case *ast.StringNode:
		return &node{kind: word, at: at, text: v.Value}, nil
	case *ast.LiteralNode:
		return &node{kind: word, at: at, text: v.Value.Value}, nil
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

func (c *yamlConverter) sequence(v *ast.SequenceNode, at Position, depth int) (*node, error) {
	out := &node{kind: list, at: at}
	for _, item := range v.Values {
		n, err := c.node(item, depth+1)
		if err != nil {
			return nil, err
		}
		out.items = append(out.items, n)
	}
	return out, nil
}

func (c *yamlConverter) mapping(values []*ast.MappingValueNode, at Position, depth int) (*node,
	error,
) {
	out := &node{kind: object, at: at}
	for _, pair := range values {
		if pair.Key.IsMergeKey() {
			return nil, c.fail(pair.Key, "is a merge key, which is not accepted here", "<<",
				"extends: and another shape")
		}
		key, err := c.node(pair.Key, depth+1)
		if err != nil {
			return nil, err
		}
		if key.kind == list || key.kind == object {
			return nil, c.fail(pair.Key, "is not a key", key.show(), "a word")
		}
		value, err := c.node(pair.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if value.at.Line == 0 {
			value.at = key.at
		}
		out.fields = append(out.fields, field{name: key.text, at: key.at, value: value})
	}
	if len(out.fields) > 0 {
		out.at = out.fields[0].at
	}
	return out, nil
}
