package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// findings fills a section with the results of check, the most urgent first.
func (s *section) findings(d *result.Saved) error {
	t := table{Table: reports.Table{Title: "Findings", Columns: columnsOf("status", "file", "rule",
		"¶message", "¶hint")}}
	urgency := []string{"error", "fail", "warn", "pass"}
	counts := map[string]int{}
	var all []*result.Finding
	err := each(d.Results, func(_ int, f *result.Finding) {
		counts[f.Status]++
		all = append(all, f)
	})
	slices.SortStableFunc(all, func(a, b *result.Finding) int {
		return slices.Index(urgency, a.Status) - slices.Index(urgency, b.Status)
	})
	for _, f := range all[:min(len(all), mostRows)] {
		file := f.File
		if f.Line > 0 {
			file += ":" + strconv.Itoa(f.Line)
		}
		t.add(f.Status, file, f.Rule, f.Message, f.Hint)
		t.Marks = append(t.Marks, mark{Class: "status-" + f.Status})
	}
	sum := subject{Name: "Rules"}
	for _, status := range urgency {
		sum.card(status, strconv.Itoa(counts[status]), "")
		sum.Cards[len(sum.Cards)-1].Bad = counts[status] > 0 &&
			(status == "error" || status == "fail")
	}
	t = t.cut()
	t.More = len(all) - len(t.Rows)
	s.Subjects, s.Tables = append(s.Subjects, sum), append(s.Tables, t)
	return err
}

// differences fills a section with the results of diff.
func (s *section) differences(d *result.Saved) error {
	t := table{Table: reports.Table{
		Title: "What changes",
		Notes: []string{"~ the difference may be none: its interval holds 0 or, where that is not known, those of both sides overlap."},
		Columns: columnsOf("metric", "Δ", "Δ %", "base", "change", "¶causes, the largest first",
			"of"),
	}}
	err := each(d.Results, func(_ int, d *result.Difference) {
		metric, _ := plan.ParseMetric(d.Metric)
		amount := func(v *float64, plus string) reports.Cell {
			if v == nil {
				return reports.Cell{}
			}
			return reports.Amount(*v).Written(signed(metric, *v, plus))
		}
		share := reports.Cell{}
		if d.Relative != nil {
			share = reports.Amount(*d.Relative).Written(fmt.Sprintf("%+.1f", 100**d.Relative))
		}
		delta := amount(d.Delta, "+")
		uncertain := d.Overlap
		if i := d.RelativeInterval; i != nil {
			uncertain = i.Low <= 0 && i.High >= 0
		}
		if uncertain && d.Delta != nil {
			delta = delta.Marked(" ~")
		}
		slices.SortStableFunc(d.Attribution, func(a, b result.Effect) int {
			return cmp.Compare(math.Abs(b.Delta), math.Abs(a.Delta))
		})
		var causes []string
		for _, a := range d.Attribution {
			causes = append(causes, a.Field+" "+signed(metric, a.Delta, "+"))
		}
		name := d.Metric
		if d.Only != "" {
			name = "in " + d.Only + " only"
		}
		t.row(reports.Text(name), delta, share, amount(d.Base, ""), amount(d.Change, ""),
			reports.Text(strings.Join(causes, "; ")), reports.Text(d.Name))
	})
	s.Tables = append(s.Tables, t.cut())
	return err
}

// signed writes an amount of a metric with its sign; plus is that of those above 0.
func signed(m plan.Metric, v float64, plus string) string {
	if v < 0 {
		plus = "−"
	}
	return plus + quantity.Format(m.Kind(), math.Abs(v), 0)
}

// allocations fills a section with the results of allocate.
func (s *section) allocations(d *result.Saved) error {
	t := table{Table: reports.Table{Title: "Best split of each budget", Columns: []reports.Column{
		{Title: "budget"},
		{Title: "params", Kind: quantity.Params},
		{Title: "tokens", Kind: quantity.Tokens},
		{Title: "loss", Digits: 4},
		{Title: "law", Wraps: true},
	}}}
	near := table{Table: reports.Table{Title: "Shapes of about that size"}}
	near.Columns = columnsOf("budget", "shape", "params", "tokens that the budget leaves", "loss")
	near.Columns[4].Digits = 4
	params := plot{Title: "Best size", Y: "parameters", KindY: quantity.Params}
	tokens := plot{Title: "Best number of tokens", Y: "tokens", KindY: quantity.Tokens}
	err := each(d.Results, func(i int, a *result.Allocation) {
		budget := short(quantity.FLOP, a.FLOPs)
		t.row(budget, estimate(&a.Params), estimate(&a.Tokens), estimate(&a.Loss),
			reports.Text(a.Law+": "+a.Source))
		key := fmt.Sprintf("%s-%d", s.ID, i)
		t.Marks = append(t.Marks, mark{Key: key})
		for _, p := range []struct {
			*plot
			e *result.Estimate
		}{{&params, &a.Params}, {&tokens, &a.Tokens}} {
			in := intervalOf(p.e)
			p.add(point{
				Key: key, Class: "candidate", X: a.FLOPs, Measured: true,
				Label: quantity.Format(quantity.FLOP, a.FLOPs, 3) + ": " +
					quantity.FormatInterval(p.KindY, in),
			}, &in)
		}
		for _, n := range a.Nearest {
			near.row(budget, reports.Text(n.Shape), short(quantity.Params, float64(n.Params)),
				short(quantity.Tokens, n.Tokens), reports.Amount(n.Loss))
		}
		s.Warnings = append(s.Warnings, a.Warnings...)
	})
	for _, p := range []*plot{&params, &tokens} {
		p.X, p.Kind, p.LogX, p.LogY = "training FLOPs", quantity.FLOP, true, true
	}
	s.Plots = append(s.Plots, laid(params, tokens)...)
	s.First, s.Tables = append(s.First, t.cut()), append(s.Tables, kept(near)...)
	return err
}

// transfers fills a section with the results of transfer.
func (s *section) transfers(d *result.Saved) error {
	return each(d.Results, func(_ int, x *result.Transfer) {
		s.Subjects = append(s.Subjects, transferSubject(x))
	})
}

func transferSubject(x *result.Transfer) subject {
	out := subject{Name: x.Upstream + " against " + x.Downstream, Detail: x.Verdict}
	out.card("does lower loss mean a better score?", "yes", "")
	if !x.Carries {
		out.Cards[0].Value, out.Cards[0].Bad = "no", true
	}
	number := func(v float64) string { return quantity.Format(quantity.Number, v, 3) }
	if l := x.Link; l != nil {
		out.card("error of the score, from the loss", number(l.RMSE), "link "+l.Law+": "+l.Formula)
	} else if x.Unlinked != "" {
		out.card("link", "none", x.Unlinked)
	}
	if h := x.HeldOut; h != nil {
		out.card("error on "+h.Column+" left out", number(h.GivenRMSE),
			"80 % intervals hold "+quantity.Format(quantity.Fraction, h.GivenCoverage80, 0))
	}
	out.card("rows used", strconv.Itoa(x.Rows.Used), fmt.Sprintf("%d dropped", x.Rows.Dropped))
	t := table{Table: reports.Table{Title: "Rank correlation", Columns: []reports.Column{
		{Title: "measure"},
		{Title: "value", Digits: 3},
	}}}
	for _, m := range []struct {
		name string
		e    *result.Estimate
	}{
		{"Spearman", &x.Spearman},
		{"Spearman at equal size", x.Partial},
		{"Kendall", &x.Kendall},
		{"Pearson", &x.Pearson},
	} {
		if m.e != nil {
			t.row(reports.Text(m.name), estimate(m.e))
		}
	}
	out.Tables = append(out.Tables, t.cut())
	if h := x.HeldOut; h != nil {
		out.held(x, h)
	}
	swaps := table{Table: reports.Table{
		Title:   fmt.Sprintf("Pairs that swap ranks: %d of %d", len(x.Inversions), x.Pairs),
		Columns: columnsOf("better "+x.Upstream, "better "+x.Downstream),
	}}
	for _, v := range x.Inversions[:min(len(x.Inversions), mostRows)] {
		swaps.add(v.Upstream, v.Downstream)
	}
	out.Tables = append(out.Tables, kept(swaps)...)
	return out
}

// held draws the scores that were predicted from the other rows against those recorded.
func (s *subject) held(x *result.Transfer, h *result.HeldOut) {
	p := plot{
		Title: "Scores of runs left out", X: "predicted " + x.Downstream, Y: "recorded " + x.Downstream,
		Note: "Each was predicted without its " + h.Column + "; on the line a prediction is right.",
	}
	var right []place
	for _, r := range h.Rows {
		in := intervalOf(&r.Given)
		p.Dots = append(p.Dots, dot{
			X: in.Value, Y: r.Score, Label: fmt.Sprintf("%s: recorded %s, predicted %s", r.Value,
				quantity.Format(quantity.Number, r.Score, 4),
				quantity.FormatInterval(quantity.Number, in)),
		})
		right = append(right, place{in.Value, in.Value})
	}
	slices.SortFunc(right, func(a, b place) int { return cmp.Compare(a.X, b.X) })
	p.Lines = []line{{At: right}}
	s.Plots = append(s.Plots, laid(p)...)
}

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
