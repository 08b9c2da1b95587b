package syntax

import (
	"fmt"
	"strings"
)

// Position is a place in a file. Line and Column count from 1, columns in characters; both are 0
// when a fault concerns the file as a whole.
type Position struct {
	File   string
	Line   int
	Column int
}

// String returns file:line:column, or the file alone without a line.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Fail returns an error of one fault at a place.
func (p Position) Fail(problem, value, allowed string) error {
	return &Error{Faults: []Fault{{Position: p, Problem: problem, Value: value, Allowed: allowed}}}
}

// Fault is one thing wrong with a file.
type Fault struct {
	Position
	Field      string // the field as the file names it; empty when none is concerned
	Problem    string // what is wrong
	Value      string // the value found; empty when there is none
	Allowed    string // what would be accepted; empty when nothing more can be said
	Suggestion string // the word that was probably meant, or empty
	Err        error  // the cause, where the operating system or the catalogue gave one
}

// String returns "file:line:col: field problem: value; allowed: …", where a suggestion takes the
// place of a list of everything allowed.
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.Position.String())
	b.WriteString(": ")
	if f.Field != "" {
		b.WriteString(Clip(f.Field))
		b.WriteString(" ")
	}
	b.WriteString(f.Problem)
	if f.Value != "" {
		b.WriteString(": ")
		b.WriteString(f.Value)
	}
	switch {
	case f.Suggestion != "":
		b.WriteString("; did you mean " + f.Suggestion + "?")
	case f.Allowed != "":
		b.WriteString("; allowed: " + f.Allowed)
	}
	return b.String()
}

// Error lists everything that is wrong with a file, in the order of its lines.
type Error struct {
	Faults []Fault // never empty
}

func (e *Error) Error() string { return strings.Join(e.Lines(), "\n") }

// Lines returns the faults, a line each.
func (e *Error) Lines() []string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return lines
}

// Unwrap returns the causes of the faults that have one.
func (e *Error) Unwrap() []error {
	var causes []error
	for _, f := range e.Faults {
		if f.Err != nil {
			causes = append(causes, f.Err)
		}
	}
	return causes
}

// Bounds on how much of a name or value an error message repeats; what is clipped may already be a
// quoted value.
const (
	maxQuoted  = 80
	maxClipped = 2 * maxQuoted
)

// Quote returns a value for an error message: quoted, and cut when long.
func Quote(value string) string {
	short, cut := start(value, maxQuoted)
	if cut {
		return fmt.Sprintf("%q…", short)
	}
	return fmt.Sprintf("%q", value)
}

// Clip returns a bare value (a number) for an error message, cut when long.
func Clip(value string) string {
	short, cut := start(value, maxClipped)
	if cut {
		return short + "…"
	}
	return value
}

// start returns the first characters of a value, and whether there are more.
func start(value string, limit int) (string, bool) {
	n := 0
	for i := range value {
		if n++; n > limit {
			return value[:i], true
		}
	}
	return value, false
}
