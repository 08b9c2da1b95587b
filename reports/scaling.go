package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/figure"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
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
	f.Panels = panelsOf(figure.IsoFLOPPanels(s)...)
	r.Document.Add(f)
	part := learn.PartName(s.Part)
	r.Headline = append(r.Headline,
		fmt.Sprintf("%s: params ∝ C^%s, tokens ∝ C^%s", cmp.Or(part, "isoFLOP"), exponentText(&f.A), exponentText(&f.B)))
	t := Table{
		Title: part,
		Columns: []Column{
			{Title: "budget", Kind: quantity.FLOP},
			{Title: "runs", Optional: 2},
			{Title: "best params", Kind: quantity.Params},
			{Title: "best tokens", Kind: quantity.Tokens},
			{Title: "loss", Digits: 4},
			{Title: "place in the scan", Kind: quantity.Fraction, Digits: 2, Optional: 1},
			{Title: "refused", Wraps: true},
		},
		Alike: "budget refused",
	}
	for i := range f.Budgets {
		b := &f.Budgets[i]
		why := Cell{}
		if refused := s.IsoFLOP.Groups[i].Refused; refused != nil {
			why = Text(refused.Error())
			t.Folded = append(t.Folded, i)
		}
		t.add(Amount(b.FLOPs), Count(int64(b.Rows)), estimateCell(b.Params), estimateCell(b.Tokens),
			OptionalAmount(b.Loss), OptionalAmount(b.Position), why)
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
	f.Panels = panelsOf(figure.EnvelopePanel(s))
	r.Document.Add(f)
	r.Headline = []string{fmt.Sprintf("envelope: params ∝ C^%s", exponentText(&f.A))}
	t := Table{
		Columns: []Column{
			{Title: "params", Kind: quantity.Params},
			{Title: "leads from", Kind: quantity.FLOP},
			{Title: "to", Kind: quantity.FLOP},
		},
	}
	for _, l := range f.Leaders {
		t.add(Amount(l.Params), Amount(l.FromFLOPs), Amount(l.ToFLOPs))
	}
	t.Notes = append(t.Notes, fmt.Sprintf(
		"%d of %d points are on the Pareto front of %s (--format json lists them); intervals at %.0f %%.",
		len(f.Front), f.Rows.Used, quantity.Of(len(s.Curves), "run"), percent*f.Level))
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
		{Title: "tokens/param", Digits: 3, Optional: 3},
		{Title: "loss", Digits: 4},
		{Title: "nearest shape", Cuts: true, Optional: 2},
		{Title: "its loss", Digits: 4, Optional: 1},
	}}
	several := false
	for i := range all {
		several = several || all[i].Source != all[0].Source
	}
	if several {
		t.Columns = append([]Column{{Title: "law"}}, t.Columns...)
	}
	for i := range all {
		a := result.AllocationOf(&all[i])
		r.Document.Add(a)
		row := []Cell{
			Amount(a.FLOPs), estimateCell(&a.Params), estimateCell(&a.Tokens),
			Amount(all[i].Allocation.Tokens / all[i].Allocation.Params), estimateCell(&a.Loss),
		}
		if len(a.Nearest) > 0 {
			row = append(row, Text(a.Nearest[0].Shape), Amount(a.Nearest[0].Loss))
		}
		if several {
			name, _, _ := strings.Cut(a.Source, ",")
			row = append([]Cell{Text(name)}, row...)
		}
		t.add(row...)
		if i < 4 {
			r.Headline = append(r.Headline, allocationText(&a))
		}
		if note := a.Law + ": " + a.Source + "."; !slices.Contains(t.Basis, note) {
			t.Basis = append(t.Basis, note)
		}
	}
	if why := learn.WhyApart(all); why != "" {
		t.Notes = append(t.Notes, why)
	}
	for i := range all {
		if v := all[i].Served; v != nil {
			t.Notes = append(t.Notes, fmt.Sprintf(
				"Serving %s tokens takes %.0f %% of %s. Training alone would choose %s parameters for that loss, and served as often they would cost more: %.1f %% of their life is saved.",
				quantity.Format(quantity.Tokens, v.Tokens, 0), percent*v.Share,
				quantity.Format(quantity.FLOP, all[i].Allocation.FLOPs, 0),
				quantity.Format(quantity.Params, v.Usual, 0), percent*v.Saved))
		}
	}
	t.Notes = append(t.Notes, "Training FLOPs = "+FLOPsOf(all[0].PerParamToken)+".")
	t.Basis = append(t.Basis, "'its loss': the nearest known model, trained on as many tokens as the budget allows.")
	r.Tables = append(r.Tables, t)
}

// allocationText is the answer to one budget in a line.
func allocationText(a *result.Allocation) string {
	text := func(kind quantity.Kind, e *result.Estimate) string {
		if in, ok := e.Interval(); ok {
			return quantity.FormatInterval(kind, in)
		}
		return quantity.Format(kind, e.Value, 3)
	}
	return fmt.Sprintf("For %s train %s parameters on %s tokens: loss %s.", quantity.Format(quantity.FLOP, a.FLOPs, 3),
		text(quantity.Params, &a.Params), text(quantity.Tokens, &a.Tokens), text(quantity.Number, &a.Loss))
}

// FLOPsOf words a count of k·params·tokens.
func FLOPsOf(k float64) string {
	return fmt.Sprintf("%.4g·params·tokens", k)
}

// Size fills in the report of the model that a budget buys; cluster is how it was asked for, empty for a
// budget in FLOP.
func (r *Report) Size(s *recommend.Sizing, q *recommend.SizeQuestion, cluster string) {
	f := result.SizingOf(s, q, cluster)
	r.Document.Add(f)
	t := Table{Columns: []Column{{Title: "measure"}}}
	where := ""
	if cluster != "" {
		where = " on " + cluster
	}
	best := &f.Candidates[0]
	r.Headline = append(r.Headline, fmt.Sprintf("For %s%s train %s parameters on %s tokens: loss %s.", budgetText(q), where,
		words(quantity.Params, &best.Params).text, words(quantity.Tokens, &best.Tokens).text,
		words(quantity.Number, &best.Loss).text))
	rows := [10][]Cell{}
	for i := range f.Candidates {
		c := &f.Candidates[i]
		t.Columns = append(t.Columns, Column{Title: c.Why, Wraps: true})
		ratio := c.Tokens.Value / c.Params.Value
		cells := [len(rows)]Cell{
			words(quantity.Params, &c.Params), words(quantity.Tokens, &c.Tokens),
			Text(quantity.Format(quantity.Number, ratio, 3)), words(quantity.Number, &c.Loss),
			{},
			words(quantity.Duration, c.Time.TotalSeconds), words(quantity.Money, c.Cost.USD),
			Text(quantity.Format(quantity.Fraction, c.Served, 0)), Text(c.Shape.Name),
		}
		if m := c.Time.MFU; m != nil {
			cells[4] = Text(quantity.Format(quantity.Fraction, *m, 0))
			cells[9] = Text(plan.LayoutText(&s.Rows[i].Answer.Run))
		}
		for k := range rows {
			rows[k] = append(rows[k], cells[k])
		}
	}
	for k, name := range []string{
		"params", "tokens", "tokens/param", "loss", "MFU", "wall clock", "cost", "serving's share", "shape", "layout",
	} {
		if timed := k > 3 && k < 7 || k == 9; timed && cluster == "" || k == 7 && q.ServeTokens == 0 {
			continue
		}
		t.Rows = append(t.Rows, append([]Cell{Text(name)}, rows[k]...))
	}
	timed := ""
	if level := f.Candidates[0].Time.Level; cluster != "" && level != s.Level {
		timed = fmt.Sprintf(", those of wall clock and cost %.0f %%", percent*level)
	}
	t.Basis = append(t.Basis, sentence(f.Source), fmt.Sprintf(
		"Planned: %s, a step of %s tokens; intervals are %.0f %%%s.", quantity.Of(s.Priced, "shape"),
		quantity.Format(quantity.Tokens, float64(f.Candidates[0].Workload.Tokens), 3), percent*s.Level, timed))
	if v := f.Serving; v != nil {
		t.Notes = append(t.Notes, fmt.Sprintf(
			"Serving %s tokens takes its share of the budget; wall clock and cost are of the training.",
			quantity.Format(quantity.Tokens, v.Tokens, 0)))
	}
	t.Notes = append(t.Notes, s.Notes...)
	r.Tables = append(r.Tables, t)
}

// budgetText words a budget.
func budgetText(q *recommend.SizeQuestion) string {
	switch b := &q.Budget; {
	case b.FLOPs > 0:
		return quantity.Format(quantity.FLOP, b.FLOPs, 0)
	case b.WallSeconds > 0:
		return quantity.Format(quantity.Duration, b.WallSeconds, 0)
	case b.DeviceHours > 0:
		return quantity.Format(quantity.Count, b.DeviceHours, 0) + " device-hours"
	default:
		return quantity.Format(quantity.Money, b.USD, 0)
	}
}
