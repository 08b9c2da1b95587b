package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// view is what the page shows.
type view struct {
	Head
	Version  string
	Sections []section
}

// section is one result file, or what several say together.
type section struct {
	ID       string
	Heading  string
	Link     string // text of the link to it
	File     string
	Command  string  // the command line that made it; empty where the result does not say
	First    []table // before the subjects
	Subjects []subject
	Plots    []plot
	Tables   []table
	Warnings []string
	Terms    []pair // conventions

	plans []*result.Plan
}

// subject is one shape, law or run, with its cards and bars.
type subject struct {
	Name, Detail string
	Command      string // plans it the same way; empty for what is not a plan
	Cards        []card
	Bars         []bars
	Plots        []plot
	Tables       []table
}

type card struct {
	Label, Value, Note string
	Bad                bool
}

type pair struct{ Key, Value string }

// bars is a list of parts of a whole.
type bars struct {
	Title string
	Rows  []bar
}

type bar struct {
	Label, Value, Share, Note string
	Percent                   float64 // of the longest, for the drawing
}

// table is a table of the terminal with what only a page can do.
type table struct {
	reports.Table
	Marks []mark // of the rows, or none
	More  int    // rows left out
	// Flip lets the rows stand side by side as columns, headings to the left.
	Flip bool
}

// mark links a row to a point of a plot, and gives it a class.
type mark struct{ Key, Class string }

// columnsOf makes columns of words from their titles; one that starts with ¶ holds sentences.
func columnsOf(titles ...string) []reports.Column {
	var out []reports.Column
	for _, t := range titles {
		out = append(out, reports.Column{
			Title: strings.TrimPrefix(t, "¶"), Wraps: strings.HasPrefix(t, "¶"),
		})
	}
	return out
}

// row puts a row below the others.
func (t *table) row(cells ...reports.Cell) { t.Rows = append(t.Rows, cells) }

// add puts a row of words below the others.
func (t *table) add(cells ...string) {
	var row []reports.Cell
	for _, c := range cells {
		row = append(row, reports.Text(c))
	}
	t.row(row...)
}

// measure is a cell with its heading.
type measure struct {
	title string
	kind  quantity.Kind
	cell  reports.Cell
}

// measured puts a row below the others, whose headings are the same.
func (t *table) measured(list []measure) {
	var row []reports.Cell
	t.Columns = nil
	for _, m := range list {
		t.Columns = append(t.Columns, reports.Column{Title: m.title, Kind: m.kind})
		row = append(row, m.cell)
	}
	t.row(row...)
}

// kept returns the tables that have rows, cut.
func kept(all ...table) []table {
	var out []table
	for _, t := range all {
		if len(t.Rows) > 0 {
			out = append(out, t.cut())
		}
	}
	return out
}

// mostRows keeps the page small and quick; the JSON has every row.
const mostRows = 1000

// cut drops the rows that are too many, and columns in which no row has anything.
func (t table) cut() table {
	if len(t.Rows) > mostRows {
		t.More = len(t.Rows) - mostRows
		t.Rows = t.Rows[:mostRows]
	}
	for c := len(t.Columns) - 1; c >= 0; c-- {
		told := func(row []reports.Cell) bool { return row[c] != reports.Cell{} }
		if slices.ContainsFunc(t.Rows, told) {
			continue
		}
		t.Columns = slices.Delete(slices.Clone(t.Columns), c, c+1)
		for r := range t.Rows {
			t.Rows[r] = slices.Delete(slices.Clone(t.Rows[r]), c, c+1)
		}
	}
	return t
}

// left says that rows were dropped.
func (t *table) left() string { return fmt.Sprintf("%d more rows are in the JSON.", t.More) }

// short is a cell of an amount with its unit, for a column of many sizes.
func short(kind quantity.Kind, v float64) reports.Cell {
	return reports.Amount(v).Written(quantity.Format(kind, v, 3))
}

// shortEstimate is [short] of an interval, absent for nil.
func shortEstimate(kind quantity.Kind, in *quantity.Interval) reports.Cell {
	if in == nil {
		return reports.Cell{}
	}
	return reports.Estimate(*in).Written(quantity.FormatInterval(kind, *in))
}

// part is one share of a sum.
type part struct {
	name  string
	value float64
	note  string
}

// partsOf lists a map of parts.
func partsOf[N int64 | float64](m map[string]N) []part {
	var out []part
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, part{name: name, value: float64(m[name])})
	}
	return out
}

// mostBars keeps a chart readable; the rest is one bar.
const mostBars = 12

// barsOf draws parts of a sum, the largest first.
func barsOf(title string, kind quantity.Kind, parts []part) bars {
	b := bars{Title: title}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(b.value, a.value) })
	if len(parts) > mostBars {
		rest := part{name: "everything else"}
		for _, p := range parts[mostBars-1:] {
			rest.value += p.value
		}
		parts = append(slices.Clone(parts[:mostBars-1]), rest)
	}
	sum, longest := 0.0, 0.0
	for _, p := range parts {
		sum += p.value
		longest = max(longest, p.value)
	}
	if sum <= 0 {
		return bars{}
	}
	for _, p := range parts {
		b.Rows = append(b.Rows, bar{
			Label: spaced(p.name), Value: quantity.Format(kind, p.value, 0),
			Share: quantity.Format(quantity.Fraction, p.value/sum, 0),
			Note:  p.note, Percent: 100 * p.value / longest,
		})
	}
	return b
}

// spaced writes a name of JSON as words.
func spaced(name string) string { return strings.ReplaceAll(name, "_", " ") }

// estimate is a cell of [intervalOf].
func estimate(e *result.Estimate) reports.Cell { return reports.Estimate(intervalOf(e)) }

// intervalOf returns the value with its bounds, those that are unknown at the value.
func intervalOf(e *result.Estimate) quantity.Interval {
	in, ok := e.Interval()
	if !ok {
		in = quantity.Interval{Value: e.Value, Low: e.Value, High: e.Value}
	}
	return in
}
