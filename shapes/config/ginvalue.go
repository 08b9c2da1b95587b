package config

import (
	"fmt"
	"strings"
)

// value reads a gin value: a number, text, True, False, None, a list, tuple or dictionary, a macro
// %NAME, or a configurable @name(), which stays opaque.
func (s *ginScanner) value(depth int) (*node, *Fault) {
	if depth > maxGinDepth {
		return nil, s.fault(s.pos, "is nested too deep", "",
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
			return nil, s.fault(start, "is a reference without a name", quote(s.line(start)),
				"%NAME or @name")
		}
		if c == '@' && s.peek() == '(' {
			s.pos++
			if s.skipBlank(); s.peek() != ')' {
				return nil, s.fault(s.pos, "is not closed", quote(s.line(start)), "@name()")
			}
			s.pos++
		}
		return &node{kind: reference, at: at, text: string(c) + name}, nil
	}
	return s.scalar(at)
}

// scalar reads a number or one of the words of Python.
func (s *ginScanner) scalar(at Position) (*node, *Fault) {
	start := s.pos
	for s.pos < len(s.text.bytes) && !strings.ContainsRune(" \t\r\n,()[]{}:#=\\'\"",
		rune(s.peek())) {
		s.pos++
	}
	raw := string(s.text.bytes[start:s.pos])
	switch raw {
	case "True", "False":
		return &node{kind: boolean, at: at, text: strings.ToLower(raw)}, nil
	case "None":
		return &node{kind: null, at: at, text: "null"}, nil
	case "":
		return nil, s.fault(start, "has no value", quote(s.line(start)),
			"a number, text, True, False, None, a list, %NAME or @name")
	}
	if c := raw[0]; c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9' {
		return &node{kind: number, at: at, text: raw}, nil
	}
	return nil, s.fault(start, "is not a gin value", quote(raw),
		"a number, text in quotes, True, False, None, a list, %NAME or @name")
}

// adjacent reads a string and, inside brackets, the strings right after it, which Python joins:
// long values are written so.
func (s *ginScanner) adjacent(at Position, depth int) (*node, *Fault) {
	whole, fault := s.quoted(at)
	for fault == nil && depth > 0 {
		if s.skipBlank(); s.peek() != '\'' && s.peek() != '"' {
			break
		}
		var next *node
		if next, fault = s.quoted(at); fault == nil {
			whole.text += next.text
		}
	}
	return whole, fault
}

// quoted reads a string in single or double quotes; a backslash stands for the character after it.
// A string in three quotes may hold lines.
func (s *ginScanner) quoted(at Position) (*node, *Fault) {
	start := s.pos
	mark := s.text.bytes[s.pos : s.pos+1]
	if end := s.pos + 3; end <= len(s.text.bytes) &&
		string(s.text.bytes[s.pos:end]) == strings.Repeat(string(mark), 3) {
		mark = s.text.bytes[s.pos:end]
	}
	s.pos += len(mark)
	var out strings.Builder
	for s.pos < len(s.text.bytes) {
		rest := s.text.bytes[s.pos:]
		switch {
		case len(rest) >= len(mark) && string(rest[:len(mark)]) == string(mark):
			s.pos += len(mark)
			return &node{kind: word, at: at, text: out.String()}, nil
		case rest[0] == '\\' && len(rest) > 1:
			out.WriteByte(rest[1])
			s.pos += 2
		case rest[0] == '\n' && len(mark) == 1:
			return nil, s.fault(start, "has no closing quote", quote(s.line(start)), "")
		default:
			out.WriteByte(rest[0])
			s.pos++
		}
	}
	return nil, s.fault(start, "has no closing quote", quote(s.line(start)), "")
}

// sequence reads a list or tuple.
func (s *ginScanner) sequence(at Position, depth int) (*node, *Fault) {
	start := s.pos
	closing := byte(']')
	if s.peek() == '(' {
		closing = ')'
	}
	s.pos++
	n := &node{kind: list, at: at}
	for {
		if s.skipBlank(); s.peek() == closing {
			s.pos++
			return n, nil
		}
		item, fault := s.value(depth + 1)
		if fault != nil {
			return nil, fault
		}
		n.items = append(n.items, item)
		switch s.skipBlank(); s.peek() {
		case ',':
			s.pos++
		case closing:
		default:
			return nil, s.fault(start, "is not closed", quote(s.line(start)),
				"a list that ends with "+string(closing))
		}
	}
}

// dictionary passes over {…}; no dictionary of a gin file says anything about the shape.
func (s *ginScanner) dictionary(at Position, depth int) (*node, *Fault) {
	start := s.pos
	s.pos++
	for {
		if s.skipBlank(); s.peek() == '}' {
			s.pos++
			return &node{kind: object, at: at}, nil
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
				return nil, s.fault(start, "is not closed", quote(s.line(start)),
					"a dictionary that ends with }")
			}
		}
	}
}

// resolve follows a macro to its value. The value's own place is kept, as that is the line to
// change.
func (f *ginFile) resolve(n *node) (*node, error) {
	seen := 0
	for n.kind == reference && n.text[0] == '%' {
		next, ok := f.macros[n.text[1:]]
		if seen++; !ok || seen > len(f.macros) {
			return nil, &Error{Faults: []Fault{{
				Position: n.at,
				Problem:  "is a macro that never gets a value", Value: n.text,
				Allowed: "a macro that " + n.text[1:] + " = … defines in the same file",
			}}}
		}
		n = next
	}
	return n, nil
}
