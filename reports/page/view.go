package page

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// view is what the page shows.
type view struct {
	Title    string
	Version  string
	Sections []section
}

// section is one result file.
type section struct {
	ID          string
	Heading     string
	Link        string // text of the link to it
	File        string
	Subjects    []subject
	Plots       []plot
	Tables      []table
	Warnings    []string
	Conventions []pair
}

// subject is one shape, with its cards and bars.
type subject struct {
	Name, Detail string
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
	Note  string
	Rows  []bar
}

type bar struct {
	Label, Value, Share, Note string
	Percent                   float64 // of the longest, for the drawing
}

// table can be sorted by a click on a heading.
type table struct {
	Title   string
	Note    string
	Columns []column
	Rows    []row
	More    int // rows left out
}

type column struct {
	Title   string
	Numeric bool
	Long    bool // sentences
}

// columnsOf makes columns from their titles: one that starts with # is numeric, with ¶ holds
// sentences.
func columnsOf(titles ...string) []column {
	var out []column
	for _, t := range titles {
		c := column{Title: strings.TrimLeft(t, "#¶")}
		c.Numeric, c.Long = strings.HasPrefix(t, "#"), strings.HasPrefix(t, "¶")
		if c.Title == "" {
			c.Title = "#" // of ranks
		}
		out = append(out, c)
	}
	return out
}

type row struct {
	Key   string // links a row to a point of a plot
	Cells []cell
	Class string
}

// cell is shown as text and sorted by its number where it has one.
type cell struct {
	Text   string
	Number float64
	Known  bool
}

func words(s string) cell { return cell{Text: s} }

func number(text string, v float64) cell { return cell{Text: text, Number: v, Known: true} }

func (e estimate) cell(kind quantity.Kind) cell {
	if e.Interval == nil {
		return words("–")
	}
	return number(e.text(kind), e.Value)
}

// part is one share of a sum.
type part struct {
	name  string
	value float64
	note  string
}

// partsOf lists a map by value, the largest first.
func partsOf(m map[string]float64) []part {
	var out []part
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, part{name: strings.ReplaceAll(name, "_", " "), value: m[name]})
	}
	slices.SortStableFunc(out, func(a, b part) int { return cmp.Compare(b.value, a.value) })
	return out
}

// mostBars keeps a chart readable; the rest is one bar.
const mostBars = 12

// barsOf draws parts of a sum.
func barsOf(title string, kind quantity.Kind, parts []part) bars {
	b := bars{Title: title}
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
			Label: p.name, Value: quantity.Format(kind, p.value, 0),
			Share: quantity.Format(quantity.Fraction, p.value/sum, 0),
			Note:  p.note, Percent: 100 * p.value / longest,
		})
	}
	return b
}
