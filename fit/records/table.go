package records

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/internal/suggest"
)

// Table holds recorded runs by column.
type Table struct {
	// Lost lists what could not become a row, or is none any more: a line with too many cells, a
	// record whose checksum differs, what a restart has overwritten, a deleted run.
	Lost []Lost
	// Warnings are about the files as a whole: what was skipped, joined, told apart or guessed.
	Warnings []string
	// Found says how many runs were seen, and from where.
	Found string

	columns  []*column
	aliases  map[string]*column
	readings map[string]string // how a column is read, where that is not plain
	rows     []place
	files    []string
	parts    []part
	runs     []string     // the label of each run
	runOf    []int32      // the run of each row, -1 for none; nil where no row has one
	shapes   *shapeReader // nil until a column is derived from shapes
	commas   commaStyle   // what a comma means inside numbers; found when first asked for
}

// place is where a row comes from: its file and line, and the part of a log.
type place struct{ file, line, part int32 }

// Origin is where a row was read. Line counts from 1, or numbers the records of a format without
// lines.
type Origin struct {
	File string
	Line int
}

func (o Origin) String() string {
	if o.Line == 0 {
		return o.File
	}
	return fmt.Sprintf("%s:%d", o.File, o.Line)
}

// Lost is a record that is not a row.
type Lost struct {
	Origin
	Reason string
}

// column has text as read, or numbers that were derived.
type column struct {
	heading string // as the file has it
	head    heading
	cells   cells
	text    []string                   // the cells, once asked for
	numbers map[quantity.Kind]*Numbers // what the cells say as amounts of a kind, once asked for
	derived *Numbers                   // of a column that no file has
	how     string                     // how it was derived
}

// Numbers is a column as amounts in base units.
type Numbers struct {
	// Values holds NaN where there is no number.
	Values []float64

	faults int                  // how many cells are not absent and not numbers
	fault  func(row int) string // why a row has none
}

const absent = "nothing recorded"

// Fault returns why a row has no number.
func (n *Numbers) Fault(row int) string {
	if n.fault != nil {
		if f := n.fault(row); f != "" {
			return f
		}
	}
	return absent
}

// add appends a column, absent in the rows that are there.
func (t *Table) add(text string) *column {
	c := &column{heading: text, head: parseHeading(text)}
	t.columns = append(t.columns, c)
	return c
}

// Len returns the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Origin returns where a row was read.
func (t *Table) Origin(row int) Origin {
	p := t.rows[row]
	return Origin{t.files[p.file], int(p.line)}
}

// Names returns the names of the columns as the files have them, and run where only the files
// themselves say it.
func (t *Table) Names() []string {
	var names []string
	own := t.runOf != nil
	for _, c := range t.columns {
		own = own && fold(c.heading) != "run"
		names = append(names, c.heading)
	}
	if own {
		names = append([]string{"run"}, names...)
	}
	return names
}

// Has tells whether a column of that name was read or can be derived. A name that several columns
// could have is there too: its reader gets the question.
func (t *Table) Has(name string) bool {
	_, err := t.Numbers(name)
	var several *AmbiguousError
	return err == nil || errors.As(err, &several)
}

// ReadAs returns the heading of the column that is read as ours under the name that another program
// gives it; empty otherwise.
func (t *Table) ReadAs(ours string) string {
	c, err := t.find(ours)
	if err != nil || t.aliases[ours] != nil || !synonym(ours, c.head.name) {
		return ""
	}
	return c.heading
}

// ColumnError reports a column that the records lack.
type ColumnError struct {
	Name       string
	Columns    []string
	Suggestion string // the nearest column; may be empty
}

func (e *ColumnError) Error() string {
	const most = 20
	shown, more := e.Columns, ""
	if len(shown) > most {
		shown, more = shown[:most], fmt.Sprintf(" and %d more", len(shown)-most)
	}
	return fmt.Sprintf("no column %q in the records; there are: %s%s", e.Name, strings.Join(shown, ", "), more)
}

// AmbiguousError reports a name that several columns could have.
type AmbiguousError struct {
	Name    string
	Columns []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("several columns may be %s: %s; say which: --map %s='%s'", e.Name,
		strings.Join(e.Columns, ", "), e.Name, e.Columns[0])
}

// find returns the column of that name: mapped to it, its heading with or without the unit, then
// either in other case, blanks and hyphens, then under the name that other programs give it. The
// first of these ways that finds a column decides; when it finds several the error is an
// [*AmbiguousError], when none does a [*ColumnError].
func (t *Table) find(name string) (*column, error) {
	if c := t.aliases[name]; c != nil && c.derived == nil {
		return c, nil
	}
	for _, alike := range []func(*column) bool{
		func(c *column) bool { return c.heading == name },
		func(c *column) bool { return c.head.name == name },
		func(c *column) bool { return fold(c.heading) == fold(name) },
		func(c *column) bool { return fold(c.head.name) == fold(name) },
		func(c *column) bool { return synonym(name, c.head.name) },
	} {
		var found []*column
		for _, c := range t.columns {
			if alike(c) {
				found = append(found, c)
			}
		}
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			e := &AmbiguousError{Name: name}
			for _, c := range found {
				e.Columns = append(e.Columns, c.heading)
			}
			return nil, e
		}
	}
	e := &ColumnError{Name: name, Columns: t.Names()}
	candidates := slices.Clone(e.Columns)
	for _, c := range t.columns {
		candidates = append(candidates, c.head.name)
	}
	e.Suggestion = suggest.Nearest(name, candidates)
	for _, c := range t.columns { // "eval/validation loss" for loss
		words := strings.FieldsFunc(strings.ToLower(c.heading), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r)
		})
		if e.Suggestion == "" && slices.Contains(words, name) {
			e.Suggestion = c.heading
		}
	}
	return nil, e
}

// fold makes spellings of one name equal.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '.', '/':
			return '_'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(name)))
}

// Map gives the column theirs the name ours. theirs may end in a unit in brackets that the heading
// lacks, [M] or (1e18); [1] says that the amounts are as they are written. The error is a
// [*ColumnError] or an [*AmbiguousError].
func (t *Table) Map(ours, theirs string) error {
	c, err := t.find(theirs)
	if err != nil {
		b := quantity.ParseHeader(theirs)
		of, other := t.find(b.Name)
		h := parseHeading(ours + " [" + b.Unit + "]")
		if b.Unit == "" || other != nil || !h.stated {
			return err
		}
		named := *of
		h.name = of.head.name
		named.head, named.numbers = h, nil
		c = &named
	}
	t.aliases[ours] = c
	return nil
}

// Text returns a column as it was read; absent cells are empty. The caller does not change it. The
// error is that of [Table.Numbers].
func (t *Table) Text(name string) ([]string, error) {
	if fold(name) == "run" && t.aliases[name] == nil && t.runOf != nil {
		return t.Runs(), nil
	}
	c, err := t.find(name)
	if err != nil {
		if c = t.aliases[name]; c == nil {
			return nil, err
		}
	}
	if c.text == nil {
		c.text = make([]string, t.Len())
		for i := range c.text {
			if c.derived == nil {
				c.text[i] = c.cells.at(i)
			} else if v := c.derived.Values[i]; !math.IsNaN(v) {
				c.text[i] = quantity.Shortest(v)
			}
		}
	}
	return c.text, nil
}

// Numbers returns a column as amounts of the kind that its name has. The caller does not change it.
// The error is a [*ColumnError], an [*AmbiguousError], or a [*quantity.Error] for a heading whose
// unit measures something else.
func (t *Table) Numbers(name string) (*Numbers, error) {
	c, err := t.find(name)
	if err != nil {
		if _, several := err.(*AmbiguousError); several {
			return nil, err
		}
		if c = t.aliases[name]; c == nil {
			c = t.derive(name)
		}
		if c == nil {
			return nil, err
		}
	}
	if c.derived != nil {
		return c.derived, nil
	}
	r, err := t.reader(c, name)
	if err != nil {
		return nil, fmt.Errorf("column %q: %w", c.heading, err)
	}
	if c.heading != name || r.how() != "" {
		t.readings[name] = strings.TrimSpace("column " + c.heading + " " + r.how())
	}
	if n := c.numbers[r.kind]; n != nil {
		return n, nil
	}
	n := &Numbers{Values: make([]float64, t.Len())}
	for i := range n.Values {
		var problem string
		if n.Values[i], problem = r.parse(c.cells.at(i)); problem != "" {
			n.faults++
		}
	}
	if n.faults > 0 {
		n.fault = func(row int) string {
			_, problem := r.parse(c.cells.at(row))
			return problem
		}
	}
	if c.numbers == nil {
		c.numbers = map[quantity.Kind]*Numbers{}
	}
	c.numbers[r.kind] = n
	return n, nil
}

// Derivation says how a column came about that no file has, or has otherwise.
type Derivation struct{ Column, How string }

// Derived lists the columns that were computed so far, or read under another name or in another
// unit, by name.
func (t *Table) Derived() []Derivation {
	var out []Derivation
	for name, how := range t.readings {
		out = append(out, Derivation{name, how})
	}
	for name, c := range t.aliases {
		if c.how != "" {
			out = append(out, Derivation{name, c.how})
		}
	}
	slices.SortFunc(out, func(a, b Derivation) int { return strings.Compare(a.Column, b.Column) })
	return out
}

// keep leaves only the given rows, in that order.
func (t *Table) keep(rows []int) {
	for _, c := range t.columns {
		c.cells, c.text, c.numbers = c.cells.picked(rows), nil, nil
	}
	kept := make([]place, len(rows))
	var runOf []int32
	for i, row := range rows {
		kept[i] = t.rows[row]
		if t.runOf != nil {
			runOf = append(runOf, t.runOf[row])
		}
	}
	t.rows, t.runOf = kept, runOf
}

// lose takes rows out of the table: reasons holds why, by row.
func (t *Table) lose(reasons map[int]string) {
	if len(reasons) == 0 {
		return
	}
	rows := make([]int, 0, t.Len()-len(reasons))
	for row := range t.Len() {
		if why, lost := reasons[row]; lost {
			t.Lost = append(t.Lost, Lost{t.Origin(row), why})
		} else {
			rows = append(rows, row)
		}
	}
	t.keep(rows)
}
