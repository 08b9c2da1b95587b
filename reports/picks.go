package reports

import (
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Picks adds the answer in short: the shape to train for each axis, with what it saves on every one.
// hardware is told where the table is one of several.
func (r *Report) Picks(found *recommend.Result, hardware string) {
	columns := []Column{
		{Title: "to save"},
		{Title: "train", Wraps: true},
		{Title: "params"},
		{Title: "FLOPs"},
		{Title: "memory"},
		{Title: "step"},
		{Title: "cost"},
		{Title: qualityTitle(found), Kind: quantity.Number},
	}
	percent := func(f *float64) Cell {
		if f == nil {
			return Cell{}
		}
		return Plain(strings.TrimPrefix(percentText(*f), "+"))
	}
	asCost := true // step times save what costs do: on one cluster without traffic
	for _, p := range found.Picks {
		s := &found.Rows[p.Row].Saved
		asCost = asCost && percent(s.StepTime) == percent(s.Cost)
	}
	if asCost {
		columns = slices.Delete(columns, 5, 6)
		columns[5].Title = "step, cost"
	}
	like := found.Anchor.Shape.Name
	t := Table{Title: "Instead of " + like}
	if hardware != "" {
		t.Title += " on " + hardware
	}
	for _, p := range found.Picks {
		row := &found.Rows[p.Row]
		s := row.Saved
		change := p.Difference.Downstream.Interval
		if byLoss(found) {
			change = p.Difference.Upstream.Interval
		}
		f := result.PickOf(&p, row, like, hardware)
		if hardware != "" {
			r.Document.Add(f)
		} else {
			r.Document.Related = append(r.Document.Related, f)
		}
		cells := []Cell{
			Text(p.Axis.String()), Text(row.Shape.Name).Marked(marks(row)), percent(s.Params),
			percent(s.FLOPs), percent(s.Memory), percent(s.StepTime), percent(s.Cost), Optional(change),
		}
		if asCost {
			cells = slices.Delete(cells, 5, 6)
		}
		t.add(cells...)
	}
	t.Columns = columns
	t.Notes = []string{
		"Share of " + like + " saved (negative: costs more); " + qualityTitle(found) +
			" is the difference with its 80 % interval. + = at least as good on every axis.",
	}
	r.Tables = append(r.Tables, t)
}
