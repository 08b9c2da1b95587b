// Package syntax reads text as people and programs write it (JSON, YAML, TOML, lists of arguments,
// gin) into one tree of values, each with its place, and says what is wrong with a file at which
// line. It knows nothing of models.
//
// Input is hostile until read: sizes, nesting and the number of values are bounded.
package syntax

import (
	"strconv"
	"strings"
)

// Kind is what a value in a file is.
type Kind uint8

const (
	Null Kind = iota
	Boolean
	Number
	Word // text
	List
	Object
	Reference // gin: a macro %NAME or a configurable @name
)

var kindNames = []string{
	"null", "true or false", "a number", "text", "a list", "a section", "a reference",
}

// Node is a value of any of the text formats, with its place.
type Node struct {
	Kind   Kind
	At     Position
	Text   string // of a scalar: as written, or decoded when text
	Items  []*Node
	Fields []Field
}

// Field is one key of an object.
type Field struct {
	Name  string
	At    Position
	Value *Node
}

// Show returns the value for an error message.
func (n *Node) Show() string {
	switch n.Kind {
	case Word:
		return Quote(n.Text)
	case List, Object:
		return kindNames[n.Kind]
	}
	return Clip(n.Text)
}

// Scalar reports whether a value is a single one.
func (n *Node) Scalar() bool { return n.Kind != Null && n.Kind != List && n.Kind != Object }

// Is returns "nothing", "a single value", "a list" or "a section".
func (n *Node) Is() string {
	switch {
	case n.Kind == Null:
		return "nothing"
	case n.Scalar():
		return "a single value"
	}
	return kindNames[n.Kind]
}

// Each returns the items of a list, or the value itself.
func (n *Node) Each() []*Node {
	if n.Kind == List {
		return n.Items
	}
	return []*Node{n}
}

// Same reports whether two scalars are written alike.
func (n *Node) Same(m *Node) bool { return n.Kind == m.Kind && n.Text == m.Text }

// WholeNumber parses a plain decimal integer: no sign but minus, no leading zero (octal in some
// readers), no underscore, no exponent, no fraction.
func WholeNumber(s string) (int64, bool) {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 1 && digits[0] == '0' {
		return 0, false
	}
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	v, err := strconv.ParseInt(s, 10, 64)
	return v, err == nil
}

// Equals compares scalars by value: 0, 0.0 and false are alike.
func (n *Node) Equals(m *Node) bool {
	if n.Same(m) {
		return true
	}
	zero := func(n *Node) bool {
		return n.Kind == Boolean && n.Text == "false" ||
			n.Kind == Number && strings.Trim(n.Text, "0.") == ""
	}
	if n.Kind == Number && m.Kind == Number {
		x, errX := strconv.ParseFloat(n.Text, 64)
		y, errY := strconv.ParseFloat(m.Text, 64)
		return errX == nil && errY == nil && x == y
	}
	return zero(n) && zero(m)
}
