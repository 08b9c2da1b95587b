package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Table is a result for people. Columns in which no row has anything are left out.
type Table struct {
	Title   string
	Columns []Column
	Rows    [][]Cell
	Notes   []string // footnotes, in order
	Basis   []string // footnotes that only [View].Details shows: what the table rests on
	Detail  bool     // only [View].Details shows the table
	// Folded are rows that are alike, by index in order, of which only [View].Details shows more than
	// [mostAlike]; Alike says what they are, as in "budget refused".
	Folded []int
	Alike  string
}

// mostAlike is how many lines that say the same of other rows are shown.
const mostAlike = 3

// fold leaves out rows that are alike, and notes how many.
func (t *Table) fold(v View) (out Table, left bool) {
	if out = *t; v.Details || len(t.Folded) <= mostAlike {
		return out, false
	}
	out.Rows = nil
	for r, row := range t.Rows {
		if !slices.Contains(t.Folded[mostAlike:], r) {
			out.Rows = append(out.Rows, row)
		}
	}
	noun, rest, _ := strings.Cut(t.Alike, " ")
	more := len(t.Folded) - mostAlike
	out.Notes = append([]string{fmt.Sprintf("and %s %s: --details", quantity.Of(more, "more "+noun), rest)}, t.Notes...)
	return out, true
}

// add appends a row; cells that it lacks at the end are absent.
func (t *Table) add(row ...Cell) {
	t.Rows = append(t.Rows, append(row, make([]Cell, max(0, len(t.Columns)-len(row)))...))
}

// measures is a table with a line a question.
func measures(notes []string) *Table {
	return &Table{Columns: []Column{{Title: "measure"}, {Title: "value", Wraps: true}}, Notes: notes}
}

func (t *Table) line(question, answer string) { t.add(Text(question), Text(answer)) }

// Column heads one column. All its amounts are of one kind and print in one unit, which the heading
// names.
type Column struct {
	Title  string
	Kind   quantity.Kind
	Digits int // significant digits of amounts without interval; 0 = the default
	// Optional columns are left out of a table wider than the view, those of the smallest number
	// first, until it fits; 0 = never.
	Optional int
	Wide     bool // only [View].Wide shows the column
	Wraps    bool // cells of words may be broken over lines
	Cuts     bool // cells of words may end in an ellipsis
}

// Cell is one entry of a table. The zero value is an absent one, shown as a dash.
type Cell struct {
	text   string // of its own; empty for the amount in the column's unit
	number bool
	amount *quantity.Interval
	mark   string
	style  style
}

// Text returns a cell of words.
func Text(s string) Cell { return Cell{text: plain.Line(s)} }

// Count returns an exact whole number, printed in full.
func Count(n int64) Cell { return Amount(float64(n)).Written(quantity.Grouped(n)) }

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

// Written returns the cell of an amount in words of its own, not in the column's unit.
func (c Cell) Written(text string) Cell {
	c.text = plain.Line(text)
	return c
}

// Number returns the amount that a cell is sorted by; ok is false for words.
func (c Cell) Number() (v float64, ok bool) {
	if c.amount == nil {
		return 0, false
	}
	return c.amount.Value, true
}

// Marked returns the cell with a mark behind it that a note explains.
func (c Cell) Marked(mark string) Cell {
	c.mark = mark
	return c
}

// styled returns the cell in a style, for terminals with colours.
func (c Cell) styled(s style) Cell {
	if !c.absent() {
		c.style = s
	}
	return c
}

func (c Cell) absent() bool { return c.text == "" && c.amount == nil && c.mark == "" }

// answerCell is yes or no, or whether something is so, as a colour says at a glance.
func answerCell(text string, good bool) Cell {
	if good {
		return Text(text).styled(green)
	}
	return Text(text).styled(red)
}

const absentCell = "–"

// with returns the table without the columns that no row has anything in and those that the view does
// not show.
func (t *Table) with(v View) (out Table, hidden bool) {
	out = *t
	out.Columns, out.Rows = nil, make([][]Cell, len(t.Rows))
	for c, column := range t.Columns {
		empty := !slices.ContainsFunc(t.Rows, func(row []Cell) bool { return !row[c].absent() })
		if empty && len(t.Rows) > 0 || column.Wide && !v.Wide {
			hidden = hidden || !empty
			continue
		}
		out.Columns = append(out.Columns, column)
		for r, row := range t.Rows {
			out.Rows[r] = append(out.Rows[r], row[c])
		}
	}
	return out, hidden
}

// Lay turns the table into strings: headings with units, and cells; numeric says which columns hold
// numbers.
func (t *Table) Lay() (head []string, rows [][]string, numeric []bool) {
	head = make([]string, len(t.Columns))
	numeric = make([]bool, len(t.Columns))
	rows = make([][]string, len(t.Rows))
	for r := range rows {
		rows[r] = make([]string, len(t.Columns))
	}
	for c, column := range t.Columns {
		var values []float64
		for _, row := range t.Rows {
			if row[c].amount != nil && row[c].text == "" {
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
	case c.text != "":
		return c.text + c.mark
	case c.amount != nil:
		return unit.Interval(*c.amount) + c.mark
	}
	return absentCell
}
