package reports

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

// Priced is one row on one device profile, with the profile's name.
type Priced struct {
	Hardware string // "a100 × 8"
	Row      recommend.Row
}

// Replacement is a shape to train instead of an anchor, on every profile.
type Replacement struct {
	Among string // "anchor", "catalogue" or "lattice"
	On    []Priced
}

// replacementFields are a recommendation with what it is for.
type replacementFields struct {
	Like      string `json:"like"`
	Hardware  string `json:"hardware"`
	Objective string `json:"objective"`
	recommendFields
}

// Replacements adds the table of what to train instead of one shape at fewer parameters. The anchor
// is the first of list; every member is on the same profiles.
func (r *Report) Replacements(anchor string, list []Replacement) {
	t := Table{
		Title: "Instead of " + anchor + ", by parameters",
		Columns: []Column{
			{Title: "shape"},
			{Title: "among"},
			{Title: "el/dl"},
			{Title: "d_model"},
			{Title: "params", Kind: quantity.Params},
			{Title: "saved", Kind: quantity.Fraction},
			{Title: "FLOPs saved", Kind: quantity.Fraction},
		},
	}
	for _, on := range list[0].On {
		t.Columns = append(t.Columns, Column{
			Title: "step saved, " + on.Hardware,
			Kind:  quantity.Fraction,
		})
	}
	for _, on := range list[0].On {
		t.Columns = append(t.Columns, Column{Title: "cost, " + on.Hardware, Kind: quantity.Money})
	}
	t.Columns = append(t.Columns, Column{Title: "upstream loss", Kind: quantity.Number},
		Column{Title: "downstream", Kind: quantity.Number}, Column{Title: "evidence"})
	for i := range list {
		row := &list[i].On[0].Row
		cells := recommendRow(row)
		line := []Cell{
			cells[1], Text(list[i].Among), cells[2], cells[3], cells[4],
			share(row.Saved.Params), share(row.Saved.FLOPs),
		}
		var costs []Cell
		for n := range list[i].On {
			on := &list[i].On[n]
			r.Document.Results = append(r.Document.Results,
				replacementFields{
					anchor, on.Hardware, "params",
					recommendOf(&on.Row, list[i].Among),
				})
			mark := ""
			if fits := on.Row.Fits; fits != nil && !*fits {
				mark = " §"
			}
			line = append(line, share(on.Row.Saved.StepTime))
			costs = append(costs, Optional(on.Row.Schedule.Bill.CostUSD.Interval).Marked(mark))
		}
		line = append(line, costs...)
		t.Rows = append(t.Rows, append(line, Optional(row.Quality.Upstream.Interval),
			Optional(row.Quality.Downstream.Interval), cells[len(cells)-1]))
	}
	r.Tables = append(r.Tables, t)
}

// Faster adds the table of what to train instead of one shape in a shorter step: the pick among the
// released shapes on each profile. Profiles without one say so.
func (r *Report) Faster(anchor string, hardware []string, picks []*recommend.Row) {
	t := Table{
		Title: "Instead of " + anchor + ", by step time",
		Columns: []Column{
			{Title: "hardware"},
			{Title: "released shape"},
			{Title: "el/dl"},
			{Title: "step saved", Kind: quantity.Fraction},
			{Title: "params saved", Kind: quantity.Fraction},
			{Title: "downstream", Kind: quantity.Number},
			{Title: "evidence"},
		},
	}
	for i, row := range picks {
		if row == nil {
			t.Rows = append(t.Rows, []Cell{
				Text(hardware[i]), Text("none is faster at its quality"),
				{},
				{},
				{},
				{},
				{},
			})
			continue
		}
		r.Document.Results = append(r.Document.Results,
			replacementFields{anchor, hardware[i], "step-time", recommendOf(row, "catalogue")})
		cells := recommendRow(row)
		t.Rows = append(t.Rows, []Cell{
			Text(hardware[i]), cells[1], cells[2], share(row.Saved.StepTime),
			share(row.Saved.Params), Optional(row.Quality.Downstream.Interval),
			cells[len(cells)-1],
		})
	}
	r.Tables = append(r.Tables, t)
}

// ReplacementNotes adds what the tables rest on, once.
func (r *Report) ReplacementNotes(result *recommend.Result) {
	t := Table{Title: "How to read the tables", Notes: evidenceNotes(result)}
	t.Notes = append(t.Notes, fmt.Sprintf(
		"Costs are of a run of %s steps, as in the paper, at the example prices of the profiles. § does not fit in the memory of a device.", quantity.Grouped(int64(result.Anchor.Schedule.Steps.Interval.Value))))
	r.Tables = append(r.Tables, t)
}
