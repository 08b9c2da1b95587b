package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// estimateCell prints an estimate that may lack bounds, or be absent.
func estimateCell(e *result.Estimate) Cell {
	if in, ok := e.Interval(); ok {
		return Estimate(in)
	}
	if e == nil {
		return Cell{}
	}
	return Amount(e.Value)
}

// IsoFLOP fills in the report of an isoFLOP fit.
func (r *Report) IsoFLOP(s *learn.Scanned) {
	f := result.IsoFLOPOf(s)
	r.Document.Results = append(r.Document.Results, f)
	t := Table{
		Title: fmt.Sprintf("isoFLOP: params ∝ C^%s, tokens ∝ C^%s", exponentText(&f.A),
			exponentText(&f.B)),
		Columns: []Column{
			{Title: "budget", Kind: quantity.FLOP},
			{Title: "runs"},
			{Title: "best params", Kind: quantity.Params},
			{Title: "best tokens", Kind: quantity.Tokens},
			{Title: "loss", Digits: 4},
			{Title: "place in the scan", Kind: quantity.Fraction, Digits: 2},
			{Title: "refused"},
		},
	}
	for i := range f.Budgets {
		b := &f.Budgets[i]
		row := []Cell{
			Amount(b.FLOPs), Count(int64(b.Rows)), estimateCell(b.Params), estimateCell(b.Tokens),
			optionalAmount(b.Loss), optionalAmount(b.Position),
			{},
		}
		if refused := s.IsoFLOP.Groups[i].Refused; refused != nil {
			row[len(row)-1] = Text(refused.Error())
		}
		t.Rows = append(t.Rows, row)
	}
	t.Notes = append(t.Notes, fmt.Sprintf("a + b = %s; intervals at %.0f %%.",
		quantity.Format(quantity.Number, f.A.Value+f.B.Value, 4), percent*f.Level))
	for _, w := range f.Warnings { // but those that a row of the table says already
		if !slices.ContainsFunc(f.Budgets, func(b result.Budget) bool {
			return b.Refused != nil && strings.HasSuffix(w, b.Refused.Reason)
		}) {
			t.Notes = append(t.Notes, w)
		}
	}
	t.Notes = append(append(t.Notes, derivedNotes(s.Rows)...), dropNotes(f.Rows)...)
	r.Tables = append(r.Tables, t)
}

func exponentText(e *result.Estimate) string {
	if in, ok := e.Interval(); ok {
		return "(" + quantity.FormatInterval(quantity.Number, in) + ")"
	}
	return quantity.Format(quantity.Number, e.Value, 3)
}

// Envelope fills in the report of a training-curve envelope.
func (r *Report) Envelope(s *learn.Scanned) {
	f := result.EnvelopeOf(s)
	r.Document.Results = append(r.Document.Results, f)
	t := Table{
		Title: fmt.Sprintf("envelope: params ∝ C^%s", exponentText(&f.A)),
		Columns: []Column{
			{Title: "params", Kind: quantity.Params},
			{Title: "leads from", Kind: quantity.FLOP},
			{Title: "to", Kind: quantity.FLOP},
		},
	}
	for _, l := range f.Leaders {
		t.Rows = append(t.Rows, []Cell{Amount(l.Params), Amount(l.FromFLOPs), Amount(l.ToFLOPs)})
	}
	t.Notes = append(t.Notes, fmt.Sprintf(
		"%d of %d points are on the Pareto front of %d runs (--format json lists them); intervals at %.0f %%.",
		len(f.Front), f.Rows.Used, len(s.Curves), percent*f.Level))
	t.Notes = append(append(append(t.Notes, f.Warnings...), derivedNotes(s.Rows)...),
		dropNotes(f.Rows)...)
	r.Tables = append(r.Tables, t)
}

// Allocate fills in the report of budgets split between parameters and tokens.
func (r *Report) Allocate(all []learn.Allocated) {
	t := Table{Columns: []Column{
		{Title: "budget", Kind: quantity.FLOP},
		{Title: "params", Kind: quantity.Params},
		{Title: "tokens", Kind: quantity.Tokens},
		{Title: "tokens a parameter", Digits: 3},
		{Title: "loss", Digits: 4},
		{Title: "nearest shape"},
		{Title: "its loss", Digits: 4},
	}}
	for i := range all {
		a := result.AllocationOf(&all[i])
		r.Document.Results = append(r.Document.Results, a)
		row := []Cell{
			Amount(a.FLOPs), estimateCell(&a.Params), estimateCell(&a.Tokens),
			Amount(all[i].Allocation.Tokens / all[i].Allocation.Params), estimateCell(&a.Loss),
			{},
			{},
		}
		if len(a.Nearest) > 0 {
			row[5], row[6] = Text(a.Nearest[0].Shape), Amount(a.Nearest[0].Loss)
		}
		t.Rows = append(t.Rows, row)
		if note := a.Law + ": " + a.Source + "."; !slices.Contains(t.Notes, note) {
			t.Notes = append(t.Notes, note)
		}
	}
	t.Notes = append(t.Notes,
		"FLOPs of training are counted as "+FLOPsOf(all[0].PerParamToken)+". The nearest shape is trained on the tokens that the budget leaves it.")
	r.Tables = append(r.Tables, t)
}

// FLOPsOf words a count of k·params·tokens.
func FLOPsOf(k float64) string {
	return fmt.Sprintf("%.4g·params·tokens", k)
}
