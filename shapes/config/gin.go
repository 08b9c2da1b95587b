package config

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
)

// ginFile is the bindings and macros of a gin file.
type ginFile struct {
	bindings []ginBinding
	macros   map[string]*node
	imports  []string // the import statements
	at       Position
}

// ginBinding is scope/module.Class.parameter = value.
type ginBinding struct {
	scope     string // "" or "encoder", "decoder", …
	class     string // the last part of the dotted class
	parameter string
	at        Position
	value     *node
}

// ginScanner reads the subset of gin that operative configurations consist of: bindings, block
// bindings, macros, imports and comments.
type ginScanner struct {
	text     *text
	pos      int
	file     *ginFile
	faults   []Fault
	selector string // of the block binding whose lines follow, "" outside

	include func(from *text, target string) (*text, error) // opens what a file includes
	chain   []string                                       // the files being read
}

// parseGin returns the bindings of a gin file and of those it includes, later ones replacing
// earlier.
func parseGin(t *text, include func(*text, string) (*text, error)) (*ginFile, error) {
	file := &ginFile{macros: map[string]*node{}, at: Position{File: t.file}}
	s := &ginScanner{text: t, file: file, include: include, chain: []string{t.file}}
	if err := s.scan(); err != nil {
		return nil, err
	}
	return file, nil
}

// scan reads the statements of one file.
func (s *ginScanner) scan() error {
	t := s.text
	if len(t.bytes) > maxGinBytes {
		return fileError(t.file, "is too large", fmt.Sprintf("%d bytes", len(t.bytes)),
			fmt.Sprintf("a gin file of at most %d bytes", maxGinBytes))
	}
	for s.skipBlank(); s.pos < len(t.bytes); s.skipBlank() {
		if len(s.file.bindings)+len(s.file.macros) > maxGinBindings {
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
		return s.fault(
			start,
			"includes a gin file that cannot be read: "+err.Error(),
			quote(target),
			"the file at that path, from here or from the working directory; or the operative_config.gin that training wrote",
		)
	}
	if slices.Contains(s.chain, t.file) || len(s.chain) > maxExtends {
		return s.fault(start, "includes files in a circle", quote(target), "a chain that ends")
	}
	inner := &ginScanner{
		text:    t,
		file:    s.file,
		include: s.include,
		chain:   append(slices.Clone(s.chain), t.file),
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
	for s.pos < len(s.text.bytes) && s.text.bytes[s.pos-1] != '\n' {
		s.pos++
	}
}

func (s *ginScanner) fault(offset int, problem, value, allowed string) *Fault {
	return &Fault{Position: s.text.at(offset), Problem: problem, Value: value, Allowed: allowed}
}

func (s *ginScanner) peek() byte {
	if s.pos < len(s.text.bytes) {
		return s.text.bytes[s.pos]
	}
	return 0
}

// skipBlank passes spaces, line ends and comments.
func (s *ginScanner) skipBlank() {
	for s.pos < len(s.text.bytes) {
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
	for s.pos < len(s.text.bytes) {
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
	for ; i < len(s.text.bytes); i++ {
		switch s.text.bytes[i] {
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
	for s.pos < len(s.text.bytes) && s.peek() != '\n' {
		s.pos++
	}
}

// name reads letters, digits and the separators of scopes and modules.
func (s *ginScanner) name() string {
	start := s.pos
	for s.pos < len(s.text.bytes) {
		c := s.peek()
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (s.pos == start || c != '.' && c != '/' && (c < '0' || c > '9')) {
			break
		}
		s.pos++
	}
	return string(s.text.bytes[start:s.pos])
}

// indented reports whether the statement at pos stands deeper than column 1.
func (s *ginScanner) indented() bool {
	return s.pos > 0 && (s.text.bytes[s.pos-1] == ' ' || s.text.bytes[s.pos-1] == '\t')
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
		return s.fault(start, "is not a gin statement", quote(s.line(start)),
			"Class.parameter = value, NAME = value or import")
	}
	switch name {
	case "import", "from":
		s.file.imports = append(s.file.imports, name+s.line(s.pos))
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
	return s.fault(start, "is not a gin statement", quote(s.line(start)),
		"Class.parameter = value, NAME = value or import")
}

// line returns the rest of the line at an offset.
func (s *ginScanner) line(offset int) string {
	rest, _, _ := strings.Cut(string(s.text.bytes[offset:min(len(s.text.bytes),
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
		return s.fault(s.pos, "has text after the value", quote(s.line(s.pos)),
			"one value a statement")
	}
	if inBlock {
		name = s.selector + "." + name
	}
	selector, parameter, dotted := cutLast(name, ".")
	if !dotted {
		s.file.macros[name] = value
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
		s.file.macros[scope] = value
		return nil
	}
	s.file.bindings = append(s.file.bindings, ginBinding{
		scope: scope, class: class,
		parameter: parameter, at: s.text.at(start), value: value,
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
