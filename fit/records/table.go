package records

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/internal/suggest"
)

// Table holds recorded runs by column.
type Table struct {
	// Lost lists what could not become a row: a line with too many cells, a record whose checksum
	// differs.
	Lost []Lost
	// Warnings are about the files as a whole.
	Warnings []string

	columns []*column
	aliases map[string]*column
	origins []Origin
	shapes  *shapeReader // nil until a column is derived from shapes
}

// Origin is where a row was read. Line counts from 1, or numbers the records of a format without
// lines.
type Origin struct {
	File string
	Line int
}

func (o Origin) String() string { return fmt.Sprintf("%s:%d", o.File, o.Line) }

// Lost is a record that never became a row.
type Lost struct {
	Origin
	Reason string
}

// column has text as read, or numbers that were derived.
type column struct {
	heading string // as the file has it
	head    quantity.Header
	text    []string                   // "" is absent
	numbers map[quantity.Kind]*Numbers // what the text says as amounts of a kind, once asked for
	derived *Numbers                   // of a column that no file has
	how     string                     // how it was derived
}

// Numbers is a column as amounts in base units.
type Numbers struct {
	// Values holds NaN where there is no number.
	Values []float64
	// Faults says why a row has none.
	Faults map[int]string
}

const absent = "nothing recorded"

// Fault returns why a row has no number.
func (n *Numbers) Fault(row int) string {
	if f, ok := n.Faults[row]; ok {
		return f
	}
	return absent
}

// newTable returns a table without rows.
func newTable(headings []string) *Table {
	t := &Table{aliases: map[string]*column{}}
	for _, h := range headings {
		t.add(h)
	}
	return t
}

// add appends a column, absent in the rows that are there.
func (t *Table) add(heading string) *column {
	c := &column{heading: heading, head: splitHeading(heading)}
	c.text = make([]string, len(t.origins))
	t.columns = append(t.columns, c)
	return c
}

// Len returns the number of rows.
func (t *Table) Len() int { return len(t.origins) }

// Origin returns where a row was read.
func (t *Table) Origin(row int) Origin { return t.origins[row] }

// Names returns the names of the columns as the files have them.
func (t *Table) Names() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.heading
	}
	return names
}

// Has tells whether a column of that name was read or can be derived.
func (t *Table) Has(name string) bool {
	_, err := t.Numbers(name)
	return err == nil
}

// ColumnError reports a column that the records lack.
type ColumnError struct {
	Name       string
	Columns    []string
	Suggestion string // the nearest column; may be empty
}

func (e *ColumnError) Error() string {
	return fmt.Sprintf("no column %q in the records; there are: %s", e.Name,
		strings.Join(e.Columns, ", "))
}

// find returns the column of that name: the heading, the heading without its unit, or either with
// other case, blanks and hyphens.
func (t *Table) find(name string) (*column, error) {
	if c := t.aliases[name]; c != nil {
		return c, nil
	}
	for _, c := range t.columns {
		if c.heading == name || c.head.Name == name {
			return c, nil
		}
	}
	for _, c := range t.columns {
		if fold(c.heading) == fold(name) || fold(c.head.Name) == fold(name) {
			return c, nil
		}
	}
	e := &ColumnError{Name: name, Columns: t.Names()}
	candidates := slices.Clone(e.Columns)
	for _, c := range t.columns {
		candidates = append(candidates, c.head.Name)
	}
	e.Suggestion, _ = suggest.Nearest(name, candidates)
	return nil, e
}

// fold makes spellings of one name equal.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '.':
			return '_'
		}
		return r
	}, strings.ToLower(strings.TrimSpace(name)))
}

// Map gives the column theirs the name ours. The error is a [*ColumnError].
func (t *Table) Map(ours, theirs string) error {
	c, err := t.find(theirs)
	if err != nil {
		return err
	}
	t.aliases[ours] = c
	return nil
}

// Text returns a column as it was read; absent cells are empty. The caller does not change it. The
// error is a [*ColumnError].
func (t *Table) Text(name string) ([]string, error) {
	c, err := t.find(name)
	if err != nil {
		return nil, err
	}
	if c.text == nil {
		c.text = make([]string, t.Len())
		for i, v := range c.derived.Values {
			if !math.IsNaN(v) {
				c.text[i] = quantity.Shortest(v)
			}
		}
	}
	return c.text, nil
}

// Numbers returns a column as amounts of the kind that its name has. The caller does not change it.
// The error is a [*ColumnError], or a [*quantity.Error] for a heading whose unit measures something
// else.
func (t *Table) Numbers(name string) (*Numbers, error) {
	c, err := t.find(name)
	if err != nil {
		if c = t.derive(name); c == nil {
			return nil, err
		}
	}
	if c.derived != nil {
		return c.derived, nil
	}
	kind, reader, err := c.reader(name)
	if err != nil {
		return nil, fmt.Errorf("column %q: %w", c.heading, err)
	}
	if n := c.numbers[kind]; n != nil {
		return n, nil
	}
	n := &Numbers{Values: make([]float64, len(c.text)), Faults: map[int]string{}}
	for i, cell := range c.text {
		if cell == "" {
			n.Values[i] = math.NaN()
			continue
		}
		if n.Values[i], err = reader.Parse(cell); err != nil {
			n.Values[i], n.Faults[i] = math.NaN(), err.Error()
		}
	}
	if c.numbers == nil {
		c.numbers = map[quantity.Kind]*Numbers{}
	}
	c.numbers[kind] = n
	return n, nil
}

// Derivation says how a column came about that no file has.
type Derivation struct{ Column, How string }

// Derived lists the columns that were computed so far, by name.
func (t *Table) Derived() []Derivation {
	var out []Derivation
	for name, c := range t.aliases {
		if c.how != "" {
			out = append(out, Derivation{name, c.how})
		}
	}
	slices.SortFunc(out, func(a, b Derivation) int { return strings.Compare(a.Column, b.Column) })
	return out
}

// Join returns the rows of all tables, in order, under the union of their columns. It panics
// without tables.
func Join(tables ...*Table) *Table {
	if len(tables) == 1 {
		return tables[0]
	}
	out := newTable(nil)
	at := map[string]*column{}
	for _, t := range tables {
		for _, c := range t.columns {
			to := at[c.heading]
			if to == nil {
				to = out.add(c.heading)
				at[c.heading] = to
			}
			to.text = append(to.text, c.text...)
		}
		out.origins = append(out.origins, t.origins...)
		for _, c := range out.columns {
			c.text = append(c.text, make([]string, len(out.origins)-len(c.text))...)
		}
		out.Lost = append(out.Lost, t.Lost...)
		out.Warnings = append(out.Warnings, t.Warnings...)
	}
	return out
}
