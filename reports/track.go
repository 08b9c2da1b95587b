package reports

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/track"
)

// Track fills in the report of a run against its plan: the verdict, what it rests on, and plan, log and
// prospect side by side.
func (r *Report) Track(a *track.Answer) {
	f := a.Result()
	r.Document.Add(f)
	r.Headline = []string{fmt.Sprintf("%s: %s", f.Run, f.Verdict)}
	const most = 3 // findings in the headline
	for _, x := range f.Findings[:min(len(f.Findings), most)] {
		r.Headline = append(r.Headline, sentence(x.Text))
	}
	if len(f.Findings) == 0 {
		r.Headline[0] += ": nothing departs from the plan"
	}
	findings := Table{Columns: []Column{{Title: "finding", Wraps: true}, {Title: "verdict"}}, Detail: true}
	for _, x := range f.Findings {
		findings.add(Text(x.Text), Text(x.Verdict))
	}
	p, m, c := &f.Predicted, &f.Measured, &f.ToComplete
	t := Table{
		Columns: []Column{
			{Title: "measure"},
			{Title: "plan", Wraps: true},
			{Title: "so far", Wraps: true},
			{Title: "to complete", Wraps: true},
			{Title: "whole run", Wraps: true},
		},
		Notes: []string{fmt.Sprintf(
			"Intervals are %.0f %%. What is left takes the recent step time and a goodput between the measured and the planned one.", percent*f.Level)},
	}
	row := func(name string, kind quantity.Kind, planned *quantity.Interval, sofar any,
		left, whole *quantity.Interval,
	) {
		cells := []Cell{Text(name), words(kind, planned), {}, words(kind, left), words(kind, whole)}
		switch v := sofar.(type) {
		case *quantity.Interval:
			cells[2] = words(kind, v)
		case *float64:
			if v != nil {
				cells[2] = Text(quantity.Format(kind, *v, 0))
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	exactly := func(v float64) *quantity.Interval { return &quantity.Interval{Value: v, Low: v, High: v} }
	g := &f.Progress
	row("steps", quantity.Count, exactly(g.Steps), &g.Step, exactly(max(0, g.Steps-g.Step)), nil)
	t.Rows[0][2] = Text(fmt.Sprintf("%s, %s", quantity.Format(quantity.Count, g.Step, 0),
		quantity.Format(quantity.Fraction, g.Share, 0)))
	row("step time", quantity.Duration, p.StepSeconds, m.StepSeconds, m.RecentSeconds, nil)
	row("wall clock", quantity.Duration, p.TotalSeconds, m.Elapsed, c.Seconds, c.TotalSeconds)
	row("goodput", quantity.Fraction, &p.Goodput, m.Goodput, nil, nil)
	row("cost", quantity.Money, p.USD, m.USD, c.USD, c.TotalUSD)
	row("loss", quantity.Number, p.Loss, m.Loss, nil, c.Loss)
	if c.Finish != nil {
		t.Notes = append(t.Notes, fmt.Sprintf("It ends at %s (%s to %s).", c.Finish.Value, c.Finish.Low,
			c.Finish.High))
	}
	t.Notes = append(t.Notes, f.Notes...)
	r.Tables = append(r.Tables, t)
	if len(f.Findings) > most {
		r.Tables = append(r.Tables, findings)
	}
}

// words writes an estimate with its unit, a dash for nil.
func words(kind quantity.Kind, i *quantity.Interval) Cell {
	if i == nil {
		return Cell{}
	}
	return Text(quantity.FormatInterval(kind, *i))
}
