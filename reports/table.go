package reports

import (
	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Table is a result for people.
type Table struct {
	Title   string
	Columns []Column
	Rows    [][]Cell
	Notes   []string // footnotes, in order
	Width   int      // columns of text that it keeps to where no terminal says; 0 = any
}

// Column heads one column. All its amounts are of one kind and print in one unit, which the heading
// names.
type Column struct {
	Title  string
	Kind   quantity.Kind
	Digits int // significant digits of amounts without interval; 0 = the default
	// Optional columns are left out of a table too wide for the terminal, those of the smallest
	// number first, until it fits; 0 = never.
	Optional int
	// Wraps says that cells of words may be broken over lines once no column is left to leave out.
	Wraps bool
}

// Cell is one entry of a table. The zero value is an absent one, shown as a dash.
type Cell struct {
	text   string
	number bool
	amount *quantity.Interval
	mark   string
}

// Text returns a cell of words.
func Text(s string) Cell { return Cell{text: plain.Line(s)} }

// Count returns an exact whole number, printed in full.
func Count(n int64) Cell { return Cell{text: quantity.Grouped(n), number: true} }

// Plain returns a cell of digits that is not an amount: a dimension, a depth.
func Plain(s string) Cell { return Cell{text: plain.Line(s), number: true} }

// Amount returns a value without interval.
func Amount(v float64) Cell { return Estimate(quantity.Interval{Value: v, Low: v, High: v}) }

// Estimate returns a value with its interval.
func Estimate(i quantity.Interval) Cell { return Cell{amount: &i} }

// interval is an estimate as JSON writes it.
type interval = quantity.Interval

// Optional returns the estimate, or an absent cell for nil.
func Optional(i *quantity.Interval) Cell {
	if i == nil {
		return Cell{}
	}
	return Estimate(*i)
}

// Marked returns the cell with a mark behind it that a note explains.
func (c Cell) Marked(mark string) Cell {
	c.mark = mark
	return c
}

const absentCell = "–"

// lay turns the table into strings: headings with units, and cells.
func (t *Table) lay() (head []string, rows [][]string, numeric []bool) {
	head = make([]string, len(t.Columns))
	numeric = make([]bool, len(t.Columns))
	rows = make([][]string, len(t.Rows))
	for r := range rows {
		rows[r] = make([]string, len(t.Columns))
	}
	for c, column := range t.Columns {
		var values []float64
		for _, row := range t.Rows {
			if row[c].amount != nil {
				values = append(values, row[c].amount.Value)
			}
		}
		unit := quantity.NewColumn(column.Kind, column.Digits, values...)
		head[c] = plain.Line(column.Title)
		if u := unit.Unit(); u != "" && len(values) > 0 {
			head[c] += " [" + u + "]"
		}
		for r, row := range t.Rows {
			numeric[c] = numeric[c] || row[c].number || row[c].amount != nil
			rows[r][c] = row[c].print(unit)
		}
	}
	return head, rows, numeric
}

func (c Cell) print(unit quantity.Column) string {
	switch {
	case c.amount != nil:
		return unit.Interval(*c.amount) + c.mark
	case c.text == "":
		return absentCell
	default:
		return c.text + c.mark
	}
}
