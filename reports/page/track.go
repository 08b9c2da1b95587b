package page

import (
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// tracked fills a section with runs against their plans.
func (s *section) tracked(d *result.Saved) error {
	return each(d.Results, func(_ int, r *result.Track) {
		s.Subjects = append(s.Subjects, trackOf(r))
	})
}

func trackOf(r *result.Track) subject {
	p, m, c := &r.Predicted, &r.Measured, &r.ToComplete
	out := subject{Name: r.Run}
	out.card("verdict", r.Verdict, "")
	out.Cards[0].Bad = r.Verdict != "on plan"
	out.card("done", quantity.Format(quantity.Fraction, r.Progress.Share, 0),
		quantity.Format(quantity.Count, r.Progress.Step, 0)+" of "+
			quantity.Format(quantity.Count, r.Progress.Steps, 0)+" steps")
	if c.Finish != nil {
		out.card("ends", c.Finish.Value, c.Finish.Low+" to "+c.Finish.High)
	}
	findings := table{Table: reports.Table{
		Title: "Findings", Columns: columnsOf("¶finding", "makes it"),
	}}
	for _, f := range r.Findings {
		findings.add(f.Text, f.Verdict)
	}
	measures := table{Table: reports.Table{
		Title:   "Plan, log and prospect",
		Columns: columnsOf("measure", "plan", "so far", "to complete", "whole run"),
	}}
	single := func(v *float64) *quantity.Interval {
		if v == nil {
			return nil
		}
		return &quantity.Interval{Value: *v, Low: *v, High: *v}
	}
	for _, x := range []struct {
		name  string
		kind  quantity.Kind
		cells [4]*quantity.Interval
	}{
		{"step time", quantity.Duration, [4]*quantity.Interval{
			p.StepSeconds, m.StepSeconds, m.RecentSeconds,
		}},
		{"wall clock", quantity.Duration, [4]*quantity.Interval{
			p.TotalSeconds, single(m.Elapsed), c.Seconds, c.TotalSeconds,
		}},
		{"goodput", quantity.Fraction, [4]*quantity.Interval{&p.Goodput, single(m.Goodput)}},
		{"cost", quantity.Money, [4]*quantity.Interval{p.USD, single(m.USD), c.USD, c.TotalUSD}},
		{"loss", quantity.Number, [4]*quantity.Interval{p.Loss, single(m.Loss), nil, c.Loss}},
	} {
		row := []reports.Cell{reports.Text(x.name)}
		for _, in := range x.cells {
			row = append(row, shortEstimate(x.kind, in))
		}
		measures.Rows = append(measures.Rows, row)
	}
	out.Tables = kept(findings, measures)
	return out
}
