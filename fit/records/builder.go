package records

import (
	"fmt"
	"slices"
	"strings"
)

// part is one part of what was read that may be a run: a folder of event files, a trainer_state.json,
// an MLflow run, or a table whose columns say which run a row belongs to.
type part struct {
	path       string // the run's folder, or the table's file, with slashes
	table      bool   // the rows themselves say their runs
	id, name   string // what the tracker calls the run
	experiment string
}

// builder makes a table of rows whose columns come up as they are read.
type builder struct {
	*Table
	at      map[string]*column
	file    int32
	part    int32
	full    bool
	renamed map[string]bool
	events  map[string]*eventRun
	order   []string // of the folders of events
	found   map[string]int
	opened  int  // files that were read
	known   int  // files that are to be read, as far as known
	growing bool // see [Options]
	times   bool
}

func newBuilder() *builder {
	return &builder{
		Table: &Table{aliases: map[string]*column{}, readings: map[string]string{}},
		at:    map[string]*column{}, renamed: map[string]bool{},
		events: map[string]*eventRun{}, found: map[string]int{},
	}
}

// in says from which file the rows to come are.
func (b *builder) in(file string) {
	b.files = append(b.files, file)
	b.file = int32(len(b.files) - 1)
}

// begin starts a part of a log; kind is what it is counted under.
func (b *builder) begin(p part, kind string) {
	b.parts = append(b.parts, p)
	b.part = int32(len(b.parts) - 1)
	b.found[kind]++
}

// row starts a row at a line of the file.
func (b *builder) row(line int) {
	b.rows = append(b.rows, place{b.file, int32(line), b.part})
}

// maxColumns bounds what a file of ever new fields can make of a table.
const maxColumns = 4096

// maxCell is the longest text that a cell keeps.
const maxCell = 1 << 16

// own are the columns that readers of logs write. What a log itself calls so reads under another
// name.
var own = []string{"run", "run_id", "step", "experiment", "order"}

// column finds or adds a column.
func (b *builder) column(heading string) *column {
	c := b.at[heading]
	if c == nil {
		c = b.add(heading)
		b.at[heading] = c
	}
	return c
}

// put sets a cell of the last row. Columns beyond maxColumns are left out, with a warning.
func (b *builder) put(heading, text string) {
	c := b.at[heading]
	if c == nil {
		if len(b.columns) >= maxColumns {
			if !b.full {
				b.full = true
				b.warn("%s: more than %d different fields; %q and later new ones are left out",
					b.Origin(b.Len()-1), maxColumns, heading)
			}
			return
		}
		c = b.column(strings.Clone(heading))
	}
	if len(text) > maxCell {
		text = text[:maxCell]
	}
	c.cells.set(b.Len()-1, text)
}

// field is put of what a log calls its own: one of our names gets a word before it.
func (b *builder) field(of, name, text string) {
	b.put(b.fieldName(of, name), text)
}

func (b *builder) fieldName(of, name string) string {
	if !slices.Contains(own, name) {
		return name
	}
	other := of + "." + name
	if !b.renamed[other] {
		b.renamed[other] = true
		b.warn("what the log calls %s reads as %s: the name is taken", name, other)
	}
	return other
}

func (b *builder) warn(format string, args ...any) {
	b.Warnings = append(b.Warnings, fmt.Sprintf(format, args...))
}

// warnSome is a warning for each of the first texts, and how many more there are.
func (b *builder) warnSome(texts []string, more string) {
	const shown = 5
	b.Warnings = append(b.Warnings, texts[:min(len(texts), shown)]...)
	if n := len(texts) - shown; n > 0 {
		b.warn(more, n)
	}
}

// lose notes a record that never became a row.
func (b *builder) lose(file string, line int, format string, args ...any) {
	b.Lost = append(b.Lost, Lost{Origin{file, line}, fmt.Sprintf(format, args...)})
}
