package syntax

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Bounds of a gin file; a real operative_config.gin has some 300 bindings.
const (
	maxGinBindings = 20000
	maxGinDepth    = 16
	maxIncludes    = 16
)

// Gin is the bindings and macros of a gin file.
type Gin struct {
	Bindings []Binding
	Macros   map[string]*Node
	Imports  []string // the import statements
	At       Position
}

// Binding is scope/module.Class.parameter = value.
type Binding struct {
	Scope     string // "" or "encoder", "decoder", …
	Class     string // the last part of the dotted class
	Parameter string
	At        Position
	Value     *Node
}

// ginScanner reads the subset of gin that operative configurations consist of: bindings, block
// bindings, macros, imports and comments.
type ginScanner struct {
	text     *Text
	pos      int
	file     *Gin
	faults   []Fault
	selector string // of the block binding whose lines follow, "" outside

	include func(from *Text, target string) (*Text, error) // opens what a file includes
	chain   []string                                       // the files being read
}

// ParseGin returns the bindings of a gin file and of those it includes, later ones replacing
// earlier.
func ParseGin(t *Text, include func(*Text, string) (*Text, error)) (*Gin, error) {
	file := &Gin{Macros: map[string]*Node{}, At: Position{File: t.File}}
	s := &ginScanner{text: t, file: file, include: include, chain: []string{t.File}}
	if err := s.scan(); err != nil {
		return nil, err
	}
	return file, nil
}

// scan reads the statements of one file.
func (s *ginScanner) scan() error {
	t := s.text
	if len(t.Bytes) > MaxGinBytes {
		return FileError(t.File, "is too large", fmt.Sprintf("%d bytes", len(t.Bytes)),
			fmt.Sprintf("a gin file of at most %d bytes", MaxGinBytes))
	}
	for s.skipBlank(); s.pos < len(t.Bytes); s.skipBlank() {
		if len(s.file.Bindings)+len(s.file.Macros) > maxGinBindings {
			return t.fail(s.pos, "holds too many bindings", "",
				fmt.Sprintf("at most %d", maxGinBindings))
		}
		start := s.pos
		if err := s.statement(); err != nil {
			s.faults = append(s.faults, *err)
			s.recover(start)
		}
		const enough = 20 // a file that is not gin at all is wrong on every line
		if len(s.faults) >= enough {
			break
		}
	}
	if len(s.faults) > 0 {
		return &Error{Faults: s.faults}
	}
	return nil
}

// included reads a file that an include statement names.
func (s *ginScanner) included(start int, target string) *Fault {
	t, err := s.include(s.text, target)
	if err != nil {
		return s.fault(start, "includes a gin file that cannot be read: "+err.Error(), Quote(target),
			"the file at that path, from here or from the working directory; or the operative_config.gin that training wrote")
	}
	if slices.Contains(s.chain, t.File) || len(s.chain) > maxIncludes {
		return s.fault(start, "includes files in a circle", Quote(target), "a chain that ends")
	}
	inner := &ginScanner{
		text: t, file: s.file, include: s.include, chain: append(slices.Clone(s.chain), t.File),
	}
	var list *Error
	if err := inner.scan(); errors.As(err, &list) {
		s.faults = append(s.faults, list.Faults...)
	}
	return nil
}

// recover moves to the line after a fault.
func (s *ginScanner) recover(start int) {
	s.pos = max(s.pos, start+1)
	for s.pos < len(s.text.Bytes) && s.text.Bytes[s.pos-1] != '\n' {
		s.pos++
	}
}

func (s *ginScanner) fault(offset int, problem, value, allowed string) *Fault {
	return &Fault{Position: s.text.at(offset), Problem: problem, Value: value, Allowed: allowed}
}

const ginStatement = "Class.parameter = value, NAME = value or import"

// wrong is the fault of what stands at an offset. It is not quoted: what is not gin may hold a secret.
func (s *ginScanner) wrong(offset int, problem, allowed string) *Fault {
	return s.fault(offset, problem, "", allowed)
}

func (s *ginScanner) peek() byte {
	if s.pos < len(s.text.Bytes) {
		return s.text.Bytes[s.pos]
	}
	return 0
}

// skipBlank passes spaces, line ends and comments.
func (s *ginScanner) skipBlank() {
	for s.pos < len(s.text.Bytes) {
		switch c := s.peek(); {
		case c == '#':
			s.skipLine()
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			s.pos++
		case c == '\\' && s.atLineEnd(s.pos+1):
			s.pos++
		default:
			return
		}
	}
}

// skipSpace passes spaces and continued line ends within a statement.
func (s *ginScanner) skipSpace() {
	for s.pos < len(s.text.Bytes) {
		switch c := s.peek(); {
		case c == ' ' || c == '\t' || c == '\r':
			s.pos++
		case c == '\\' && s.atLineEnd(s.pos+1):
			s.pos++
			for s.peek() != '\n' {
				s.pos++
			}
			s.pos++
		default:
			return
		}
	}
}

// atLineEnd reports whether only blanks stand between an offset and a newline.
func (s *ginScanner) atLineEnd(i int) bool {
	for ; i < len(s.text.Bytes); i++ {
		switch s.text.Bytes[i] {
		case '\n':
			return true
		case ' ', '\t', '\r':
		default:
			return false
		}
	}
	return false
}

func (s *ginScanner) skipLine() {
	for s.pos < len(s.text.Bytes) && s.peek() != '\n' {
		s.pos++
	}
}

// name reads letters, digits and the separators of scopes and modules.
func (s *ginScanner) name() string {
	start := s.pos
	for s.pos < len(s.text.Bytes) {
		c := s.peek()
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (s.pos == start || c != '.' && c != '/' && (c < '0' || c > '9')) {
			break
		}
		s.pos++
	}
	return string(s.text.Bytes[start:s.pos])
}

// indented reports whether the statement at pos stands deeper than column 1.
func (s *ginScanner) indented() bool {
	return s.pos > 0 && (s.text.Bytes[s.pos-1] == ' ' || s.text.Bytes[s.pos-1] == '\t')
}

// statement reads one statement; s.pos stands on its first character.
func (s *ginScanner) statement() *Fault {
	start := s.pos
	inBlock := s.indented() && s.selector != ""
	if !inBlock {
		s.selector = ""
	}
	name := s.name()
	if name == "" {
		return s.wrong(start, "is not a gin statement", ginStatement)
	}
	switch name {
	case "import", "from":
		s.file.Imports = append(s.file.Imports, name+s.line(s.pos))
		s.skipLine()
		return nil
	case "include":
		target, _, _ := strings.Cut(s.line(s.pos), "#")
		s.skipLine()
		return s.included(start, strings.Trim(strings.TrimSpace(target), `'"`))
	}
	s.skipSpace()
	switch s.peek() {
	case ':':
		s.pos++
		s.selector = name
		return nil
	case '=':
		s.pos++
		return s.bind(start, name, inBlock)
	}
	return s.wrong(start, "is not a gin statement", ginStatement)
}

// line returns the rest of the line at an offset.
func (s *ginScanner) line(offset int) string {
	rest, _, _ := strings.Cut(string(s.text.Bytes[offset:min(len(s.text.Bytes),
		offset+4*maxQuoted)]), "\n")
	return rest
}

// bind reads the value of an assignment and files it.
func (s *ginScanner) bind(start int, name string, inBlock bool) *Fault {
	value, fault := s.value(0)
	if fault != nil {
		return fault
	}
	s.skipSpace()
	if c := s.peek(); c != 0 && c != '\n' && c != '#' {
		return s.wrong(s.pos, "has text after the value", "one value a statement")
	}
	if inBlock {
		name = s.selector + "." + name
	}
	selector, parameter, dotted := cutLast(name, ".")
	if !dotted {
		s.file.Macros[name] = value
		return nil
	}
	scope, class, scoped := cutLast(selector, "/")
	if !scoped {
		scope, class = "", selector
	}
	if _, last, ok := cutLast(class, "."); ok {
		class = last
	}
	if class == "macro" && parameter == "value" { // the long form of NAME = value
		s.file.Macros[scope] = value
		return nil
	}
	s.file.Bindings = append(s.file.Bindings, Binding{
		Scope: scope, Class: class, Parameter: parameter, At: s.text.at(start), Value: value,
	})
	return nil
}

// cutLast cuts around the last separator.
func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}
