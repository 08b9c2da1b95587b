package page

import (
	"encoding/json"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// tracked fills a section with runs against their plans.
func (s *section) tracked(results []json.RawMessage) error {
	for _, raw := range results {
		var r result.Track
		if err := json.Unmarshal(raw, &r); err != nil {
			return err
		}
		s.Subjects = append(s.Subjects, trackOf(&r))
	}
	return nil
}

func trackOf(r *result.Track) subject {
	p, m, c := &r.Predicted, &r.Measured, &r.ToComplete
	out := subject{Name: r.Run, Cards: []card{
		{Label: "verdict", Value: r.Verdict, Bad: r.Verdict != "on plan"},
		{
			Label: "done", Value: quantity.Format(quantity.Fraction, r.Progress.Share, 0),
			Note: quantity.Format(quantity.Count, r.Progress.Step, 0) + " of " +
				quantity.Format(quantity.Count, r.Progress.Steps, 0) + " steps",
		},
	}}
	if c.Finish != nil {
		out.Cards = append(out.Cards, card{
			Label: "ends", Value: c.Finish.Value, Note: c.Finish.Low + " to " + c.Finish.High,
		})
	}
	findings := table{Title: "Findings", Columns: columnsOf("¶finding", "makes it")}
	for _, f := range r.Findings {
		findings.Rows = append(findings.Rows, row{Cells: []cell{words(f.Text), words(f.Verdict)}})
	}
	measures := table{
		Title:   "Plan, log and prospect",
		Columns: columnsOf("measure", "#plan", "#so far", "#to complete", "#whole run"),
	}
	single := func(v *float64) estimate {
		if v == nil {
			return estimate{}
		}
		return estimate{&quantity.Interval{Value: *v, Low: *v, High: *v}}
	}
	for _, x := range []struct {
		name                       string
		kind                       quantity.Kind
		planned, done, left, whole estimate
	}{
		{
			"step time", quantity.Duration,
			estimate{p.StepSeconds},
			estimate{m.StepSeconds},
			estimate{m.RecentSeconds},
			estimate{},
		},
		{
			"wall clock", quantity.Duration,
			estimate{p.TotalSeconds},
			single(m.Elapsed),
			estimate{c.Seconds},
			estimate{c.TotalSeconds},
		},
		{"goodput", quantity.Fraction, estimate{&p.Goodput}, single(m.Goodput), estimate{}, estimate{}},
		{"cost", quantity.Money, estimate{p.USD}, single(m.USD), estimate{c.USD}, estimate{c.TotalUSD}},
		{"loss", quantity.Number, estimate{p.Loss}, single(m.Loss), estimate{}, estimate{c.Loss}},
	} {
		measures.Rows = append(measures.Rows, row{Cells: []cell{
			words(x.name), x.planned.cell(x.kind), x.done.cell(x.kind), x.left.cell(x.kind),
			x.whole.cell(x.kind),
		}})
	}
	if len(findings.Rows) > 0 {
		out.Tables = append(out.Tables, findings)
	}
	out.Tables = append(out.Tables, measures)
	return out
}
