package syntax

import (
	"fmt"
	"slices"
	"strings"
)

// value reads a gin value: a number, text, True, False, None, a list, tuple or dictionary, a macro
// %NAME, or a configurable @name(), which stays opaque.
func (s *ginScanner) value(depth int) (*Node, *Fault) {
	if depth > maxGinDepth {
		return nil, s.wrong(s.pos, "is nested too deep",
			fmt.Sprintf("at most %d levels", maxGinDepth))
	}
	if depth == 0 {
		s.skipSpace()
	} else {
		s.skipBlank()
	}
	start := s.pos
	at := s.text.at(start)
	switch c := s.peek(); {
	case c == '\'' || c == '"':
		return s.adjacent(at, depth)
	case c == '(' || c == '[':
		return s.sequence(at, depth)
	case c == '{':
		return s.dictionary(at, depth)
	case c == '%' || c == '@':
		s.pos++
		name := s.name()
		if name == "" {
			return nil, s.wrong(start, "is a reference without a name", "%NAME or @name")
		}
		if c == '@' && s.peek() == '(' {
			s.pos++
			if s.skipBlank(); s.peek() != ')' {
				return nil, s.wrong(s.pos, "is not closed", "@name()")
			}
			s.pos++
		}
		return &Node{Kind: Reference, At: at, Text: string(c) + name}, nil
	}
	return s.scalar(at)
}

// scalar reads a number or one of the words of Python.
func (s *ginScanner) scalar(at Position) (*Node, *Fault) {
	start := s.pos
	for s.pos < len(s.text.Bytes) && !strings.ContainsRune(" \t\r\n,()[]{}:#=\\'\"",
		rune(s.peek())) {
		s.pos++
	}
	raw := string(s.text.Bytes[start:s.pos])
	switch raw {
	case "True", "False":
		return &Node{Kind: Boolean, At: at, Text: strings.ToLower(raw)}, nil
	case "None":
		return &Node{Kind: Null, At: at, Text: "null"}, nil
	case "":
		return nil, s.wrong(start, "has no value", "a number, text, True, False, None, a list, %NAME or @name")
	}
	if c := raw[0]; c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9' {
		return &Node{Kind: Number, At: at, Text: raw}, nil
	}
	return nil, s.wrong(start, "is not a gin value",
		"a number, text in quotes, True, False, None, a list, %NAME or @name")
}

// adjacent reads a string and, inside brackets, the strings right after it, which Python joins:
// long values are written so.
func (s *ginScanner) adjacent(at Position, depth int) (*Node, *Fault) {
	whole, fault := s.quoted(at)
	for fault == nil && depth > 0 {
		if s.skipBlank(); s.peek() != '\'' && s.peek() != '"' {
			break
		}
		var next *Node
		if next, fault = s.quoted(at); fault == nil {
			whole.Text += next.Text
		}
	}
	return whole, fault
}

// quoted reads a string in single or double quotes; a backslash stands for the character after it.
// A string in three quotes may hold lines.
func (s *ginScanner) quoted(at Position) (*Node, *Fault) {
	start := s.pos
	mark := s.text.Bytes[s.pos : s.pos+1]
	if end := s.pos + 3; end <= len(s.text.Bytes) &&
		string(s.text.Bytes[s.pos:end]) == strings.Repeat(string(mark), 3) {
		mark = s.text.Bytes[s.pos:end]
	}
	s.pos += len(mark)
	var out strings.Builder
	for s.pos < len(s.text.Bytes) {
		rest := s.text.Bytes[s.pos:]
		switch {
		case len(rest) >= len(mark) && string(rest[:len(mark)]) == string(mark):
			s.pos += len(mark)
			return &Node{Kind: Word, At: at, Text: out.String()}, nil
		case rest[0] == '\\' && len(rest) > 1:
			out.WriteByte(rest[1])
			s.pos += 2
		case rest[0] == '\n' && len(mark) == 1:
			return nil, s.wrong(start, "has no closing quote", "")
		default:
			out.WriteByte(rest[0])
			s.pos++
		}
	}
	return nil, s.wrong(start, "has no closing quote", "")
}

// sequence reads a list or tuple.
func (s *ginScanner) sequence(at Position, depth int) (*Node, *Fault) {
	start := s.pos
	closing := byte(']')
	if s.peek() == '(' {
		closing = ')'
	}
	s.pos++
	n := &Node{Kind: List, At: at}
	for {
		if s.skipBlank(); s.peek() == closing {
			s.pos++
			return n, nil
		}
		item, fault := s.value(depth + 1)
		if fault != nil {
			return nil, fault
		}
		n.Items = append(n.Items, item)
		switch s.skipBlank(); s.peek() {
		case ',':
			s.pos++
		case closing:
		default:
			return nil, s.wrong(start, "is not closed", "a list that ends with "+string(closing))
		}
	}
}

// dictionary passes over {…}; no dictionary of a gin file says anything about the shape.
func (s *ginScanner) dictionary(at Position, depth int) (*Node, *Fault) {
	start := s.pos
	s.pos++
	for {
		if s.skipBlank(); s.peek() == '}' {
			s.pos++
			return &Node{Kind: Object, At: at}, nil
		}
		for _, after := range []byte{':', ','} {
			if _, fault := s.value(depth + 1); fault != nil {
				return nil, fault
			}
			switch s.skipBlank(); {
			case s.peek() == after:
				s.pos++
			case after == ',' && s.peek() == '}':
			default:
				return nil, s.wrong(start, "is not closed", "a dictionary that ends with }")
			}
		}
	}
}

// Resolve follows a macro to its value. The value's own place is kept, as that is the line to
// change.
func (f *Gin) Resolve(n *Node) (*Node, error) {
	seen := 0
	for n.Kind == Reference && n.Text[0] == '%' {
		next, ok := f.Macros[n.Text[1:]]
		if seen++; !ok || seen > len(f.Macros) {
			return nil, n.At.Fail("is a macro that never gets a value", n.Text,
				"a macro that "+n.Text[1:]+" = … defines in the same file")
		}
		n = next
	}
	return n, nil
}

// Words returns all text values of a file, in order.
func (f *Gin) Words() []*Node {
	var found []*Node
	for _, b := range f.Bindings {
		if b.Value.Kind == Word {
			found = append(found, b.Value)
		}
	}
	names := make([]string, 0, len(f.Macros))
	for name := range f.Macros {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if f.Macros[name].Kind == Word {
			found = append(found, f.Macros[name])
		}
	}
	return found
}
