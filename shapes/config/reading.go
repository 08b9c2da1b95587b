package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/suggest"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// reading collects what is found on the way through one file.
type reading struct {
	file     string
	faults   []syntax.Fault
	warnings []Warning
	fields   map[string]Field // shape field → where the file says it
	unknown  []Field

	usedVocab bool // the caller's vocabulary was taken
}

// Warning is something the reader noticed and went on.
type Warning struct {
	syntax.Position
	Text string
}

func (w Warning) String() string { return w.Position.String() + ": " + w.Text }

// Field is a field as the file names it, and where it stands.
type Field struct {
	syntax.Position
	Name string
}

func newReading(file string) *reading {
	return &reading{file: file, fields: map[string]Field{}}
}

func (r *reading) fault(at syntax.Position, fieldName, problem, value, allowed string) {
	r.faults = append(r.faults, syntax.Fault{
		Position: at, Field: fieldName, Problem: problem, Value: value, Allowed: allowed,
	})
}

// inexpressible records a value that a shape cannot say.
func (r *reading) inexpressible(field string, n *syntax.Node, allowed string) {
	r.fault(n.At, field, "cannot be expressed as a shape", n.Show(), allowed)
}

func (r *reading) warn(at syntax.Position, format string, args ...any) {
	r.warnings = append(r.warnings, Warning{Position: at, Text: fmt.Sprintf(format, args...)})
}

// note records where shape fields (separated by spaces) come from.
func (r *reading) note(shapeFields, name string, at syntax.Position) {
	for f := range strings.FieldsSeq(shapeFields) {
		r.fields[f] = Field{Position: at, Name: name}
	}
}

// place returns where a shape field is said, or the file.
func (r *reading) place(shapeField string) syntax.Position { return r.where(shapeField).Position }

// validate adds the faults of [shapes.Shape.Validate], each at the line that says the field. Where
// a fault is known already, neither the same field nor one that the file does not say is repeated:
// its zero is a consequence.
func (r *reading) validate(s *shapes.Shape) {
	var invalid *shapes.InvalidError
	if !errors.As(s.Validate(), &invalid) {
		return
	}
	before := len(r.faults)
	for _, f := range invalid.Faults {
		where := r.where(f.Field)
		if r.faulted(where) || where.Line == 0 && before > 0 {
			continue
		}
		r.faults = append(r.faults, syntax.Fault{
			Position: where.Position, Field: where.Name,
			Problem: "is out of range", Value: f.Value, Allowed: f.Allowed,
		})
	}
}

// where returns the file's field behind a shape field. Combined names of validation ("encoder.heads
// × d_kv") are found by their first part.
func (r *reading) where(shapeField string) Field {
	return whereIn(r.fields, r.file, shapeField)
}

func whereIn(fields map[string]Field, file, shapeField string) Field {
	if f, ok := fields[shapeField]; ok {
		return f
	}
	if first, _, cut := strings.Cut(shapeField, " "); cut {
		if f, ok := fields[first]; ok {
			return Field{Position: f.Position, Name: shapeField}
		}
	}
	return Field{Position: syntax.Position{File: file}, Name: shapeField}
}

// faulted reports whether a fault at the place of a field is known already.
func (r *reading) faulted(f Field) bool {
	return slices.ContainsFunc(r.faults, func(g syntax.Fault) bool {
		return g.Field == f.Name && g.Position == f.Position
	})
}

// unknownWord records a fault for a word that is none of the candidates.
func (r *reading) unknownWord(at syntax.Position, field, problem, value, word string,
	candidates []string,
) {
	sorted := slices.Sorted(slices.Values(candidates))
	r.faults = append(r.faults, syntax.Fault{
		Position: at, Field: field, Problem: problem, Value: value,
		Allowed: strings.Join(sorted, ", "), Suggestion: suggest.Nearest(word, sorted),
	})
}

// maxFaults is how many faults of one file are listed; nobody mends more at once.
const maxFaults = 100

// err returns nil or the [*syntax.Error] of all faults in the order of their lines.
func (r *reading) err() error {
	if len(r.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(r.faults, func(a, b syntax.Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column))
	})
	faults := slices.CompactFunc(r.faults, func(a, b syntax.Fault) bool {
		return a.Position == b.Position && a.Field == b.Field && a.Problem == b.Problem &&
			a.Value == b.Value
	})
	if more := len(faults) - maxFaults; more > 0 {
		faults = append(faults[:maxFaults:maxFaults],
			syntax.Fault{
				Position: syntax.Position{File: r.file}, Problem: "has more faults",
				Value: strconv.Itoa(more),
			})
	}
	return &syntax.Error{Faults: faults}
}
