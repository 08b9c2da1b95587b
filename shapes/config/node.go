package config

import (
	"strconv"
	"strings"
)

// kind is what a value in a file is.
type kind uint8

const (
	null kind = iota
	boolean
	number
	word // text
	list
	object
	reference // gin: a macro %NAME or a configurable @name
)

var kindNames = []string{
	"null", "true or false", "a number", "text", "a list", "a section",
	"a reference",
}

// node is a value of any of the text formats, with its place.
type node struct {
	kind   kind
	at     Position
	text   string // of a scalar: as written, or decoded when text
	items  []*node
	fields []field
}

// field is one key of an object.
type field struct {
	name  string
	at    Position
	value *node
}

// show returns the value for an error message.
func (n *node) show() string {
	switch n.kind {
	case word:
		return quote(n.text)
	case list, object:
		return kindNames[n.kind]
	}
	return clip(n.text)
}

// same reports whether two scalars are written alike.
func (n *node) same(m *node) bool { return n.kind == m.kind && n.text == m.text }

// wholeNumber parses a plain decimal integer: no sign but minus, no leading zero (octal in some
// readers), no underscore, no exponent, no fraction.
func wholeNumber(s string) (int64, bool) {
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
