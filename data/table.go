package data

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// The glossary is beside the facts, not among them: it defines words and states no measurement that
// would need an evidence class.
//
//go:embed facts/*.csv glossary.csv
var files embed.FS

// embedded parses a file of this package on first use. A fault in it is ours, found by the tests:
// it panics.
func embedded[T any](name string, build func(*row) T) func() []T {
	return sync.OnceValue(func() []T {
		file, err := files.Open(name)
		if err != nil {
			panic("data: " + err.Error())
		}
		defer file.Close()
		rows, err := readTable(name, file, build)
		if err != nil {
			panic("data: " + err.Error())
		}
		return rows
	})
}

// row is one line of a table being built; the first fault of each cell is kept.
type row struct {
	columns map[string]column
	cells   []string
	at      func(field int) string // file:line:col
	faults  []error
}

type column struct {
	index  int
	header quantity.Header
}

// readTable builds one value a row and returns every fault of the file at once, each with
// file:line:col.
func readTable[T any](name string, in io.Reader, build func(*row) T) ([]T, error) {
	reader := csv.NewReader(in)
	heading, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s:1:1: an empty file; needed: a heading and rows", name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	columns := make(map[string]column, len(heading))
	for i, text := range heading {
		header := quantity.ParseHeader(strings.TrimPrefix(text, "\ufeff"))
		if _, twice := columns[header.Name]; twice {
			line, col := reader.FieldPos(i)
			return nil, fmt.Errorf("%s:%d:%d: a column that stands twice: %q", name, line, col,
				header.Name)
		}
		columns[header.Name] = column{i, header}
	}
	var out []T
	var faults []error
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return out, errors.Join(faults...)
		}
		if err != nil {
			return nil, errors.Join(append(faults, fmt.Errorf("%s: %w", name, err))...)
		}
		r := &row{columns: columns, cells: cells, at: func(field int) string {
			line, col := reader.FieldPos(field)
			return fmt.Sprintf("%s:%d:%d", name, line, col)
		}}
		out = append(out, build(r))
		faults = append(faults, r.faults...)
		const mostFaults = 20 // a file of the wrong kind is told soon enough
		if len(faults) > mostFaults {
			return nil, errors.Join(faults...)
		}
	}
}

func (r *row) fault(name, format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf("%s: %s: %s", r.at(r.columns[name].index), name,
		fmt.Sprintf(format, args...)))
}

// text is a cell as it stands; a column that the file lacks reads as empty.
func (r *row) text(name string) string {
	c, ok := r.columns[name]
	if !ok {
		return ""
	}
	return strings.TrimSpace(r.cells[c.index])
}

// required is a cell that must not be empty.
func (r *row) required(name string) string {
	text := r.text(name)
	if text == "" {
		r.fault(name, "nothing given")
	}
	return text
}

// list is a cell of values separated by semicolons.
func (r *row) list(name string) []string {
	text := r.text(name)
	if text == "" {
		return nil
	}
	return strings.Split(text, ";")
}

// read is an amount in the base unit of its kind, or nil where the cell is empty.
func (r *row) read(name string, kind quantity.Kind) (*float64, error) {
	text := r.text(name)
	if text == "" {
		return nil, nil
	}
	cells, err := r.columns[name].header.Reader(kind)
	if err != nil {
		return nil, err
	}
	value, err := cells.Parse(text)
	if err != nil {
		return nil, err
	}
	return &value, nil
}

// optional is an amount, or nil where the cell is empty; one that cannot be read is a fault.
func (r *row) optional(name string, kind quantity.Kind) *float64 {
	value, err := r.read(name, kind)
	if err != nil {
		r.fault(name, "%v", err)
	}
	return value
}

// loose is an amount that nothing depends on: nil where the cell is empty or cannot be read.
func (r *row) loose(name string, kind quantity.Kind) *float64 {
	value, _ := r.read(name, kind)
	return value
}

// given is a value that must be there.
func given[T any](r *row, name string, value *T) (given T) {
	if value != nil {
		return *value
	}
	if r.text(name) == "" {
		r.fault(name, "nothing given")
	}
	return given
}

// amount is an amount that must be given.
func (r *row) amount(name string, kind quantity.Kind) float64 {
	return given(r, name, r.optional(name, kind))
}

// optionalCount is a whole number, or nil where the cell is empty.
func (r *row) optionalCount(name string) *int {
	text := r.text(name)
	if text == "" {
		return nil
	}
	value, err := quantity.ParseExact(quantity.Count, text)
	if err != nil {
		r.fault(name, "%v", err)
		return nil
	}
	n := int(value)
	return &n
}

// count is a whole number that must be given.
func (r *row) count(name string) int { return given(r, name, r.optionalCount(name)) }

// flag is true, yes or 1, or false, no or 0, or nil where the cell is empty.
func (r *row) flag(name string) *bool {
	yes := false
	switch text := r.text(name); text {
	case "":
		return nil
	case "true", "yes", "1", "on":
		yes = true
	case "false", "no", "0", "off":
	default:
		r.fault(name, "neither true nor false: %q", text)
	}
	return &yes
}

// evidence is a class that must be given.
func (r *row) evidence(name string) Evidence {
	class, err := ParseEvidence(r.text(name))
	if err != nil {
		r.fault(name, "%v", err)
	}
	return class
}

// Provenance says where what a row or a cell says comes from, and what to beware of.
type Provenance struct {
	Source   string
	Evidence Evidence
	Note     string
}

// provenance reads the columns source, evidence and note, behind a prefix.
func (r *row) provenance(prefix string) Provenance {
	return Provenance{
		Source: r.required(prefix + "source"), Evidence: r.evidence(prefix + "evidence"),
		Note: r.text(prefix + "note"),
	}
}

// Fact is one number with where it comes from. Its unit is stated where the fact is held.
type Fact struct {
	Value    float64
	Source   string
	Evidence Evidence
	Note     string
}

// fact joins an amount with the columns prefix_source, prefix_evidence and prefix_note, or is nil
// without an amount.
func (r *row) fact(name string, kind quantity.Kind, prefix string) *Fact {
	value := r.optional(name, kind)
	if value == nil {
		return nil
	}
	o := r.provenance(prefix + "_")
	return &Fact{*value, o.Source, o.Evidence, o.Note}
}

//go:embed measured/*.jsonl
var measuredFiles embed.FS

// Measured returns this project's own measurements, evidence class [MeasuredHere]: a file a
// session, its lines with machine, date and spread. README.md beside them has the commands.
func Measured() fs.FS {
	inside, err := fs.Sub(measuredFiles, "measured")
	if err != nil {
		panic("data: " + err.Error()) // a mistake made here
	}
	return inside
}
