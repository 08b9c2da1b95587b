package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/compare"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Diffed is a comparison of two shapes, or of results by name.
type Diffed struct {
	Base, Change string
	Pairs        []compare.Pair
	Tree         bool // pairs are the configurations of a repository, before and now
}

// Differs reports whether anything is different.
func (d *Diffed) Differs() bool {
	return slices.ContainsFunc(d.Pairs, func(p compare.Pair) bool {
		return p.Only != "" || len(p.Differences)+len(p.Fields) > 0
	})
}

// Warnings lists what was decided for either side and departs from what is usual, each once.
func (d *Diffed) Warnings() []string {
	var out []string
	for _, p := range d.Pairs {
		for _, a := range []*plan.Answer{p.Base, p.Change} {
			if a == nil {
				continue
			}
			for _, w := range a.Resolved.Warnings() {
				if !slices.Contains(out, w) {
					out = append(out, w)
				}
			}
		}
	}
	return out
}

// Diff fills in the report of a comparison, one result a metric. Nothing is in it where nothing
// differs.
func (r *Report) Diff(d Diffed) {
	changed := []result.Changed{}
	if len(d.Pairs) == 1 && !d.Tree {
		for _, f := range d.Pairs[0].Fields {
			changed = append(changed,
				result.Changed{Field: f.Field, Base: f.Base, Change: f.Change})
		}
	}
	r.Document.Inputs["base"], r.Document.Inputs["change"], r.Document.Inputs["fields"] = d.Base,
		d.Change, changed
	if !d.Differs() {
		r.Headline = []string{"No difference between " + d.Base + " and " + d.Change + "."}
		return
	}
	if d.Tree {
		r.tree(&d)
		return
	}
	r.Headline = diffHeadline(&d)
	for i := range d.Pairs {
		p := &d.Pairs[i]
		if p.Only != "" {
			r.Document.Add(diffOf(p, nil))
			r.Tables = append(r.Tables, Table{Title: fmt.Sprintf("%s is in %s only", p.Name,
				p.Only)})
			continue
		}
		for n := range p.Differences {
			r.Document.Add(diffOf(p, &p.Differences[n]))
		}
		if len(p.Differences) > 0 || len(d.Pairs) == 1 {
			t := diffTable(p)
			if len(d.Pairs) == 1 {
				t.Title = "" // the headline says it
			}
			r.Tables = append(r.Tables, t)
		}
		if len(p.Fields) > 0 {
			r.Tables = append(r.Tables, attributionTable(p.Fields, p.Differences))
		}
	}
}

// tree fills in the comparison of a repository's configurations: a row each.
func (r *Report) tree(d *Diffed) {
	t := Table{Columns: []Column{{Title: "configuration"}}}
	shown := []plan.Metric{plan.Params, plan.Memory, plan.Cost, plan.StepTime, plan.StepFLOPs}
	for i, m := range shown {
		t.Columns = append(t.Columns, Column{Title: "Δ % " + m.String(), Optional: 1 + len(shown) - i})
	}
	t.Columns = append(t.Columns, Column{Title: "what differs", Wraps: true, Optional: 1})
	counts := map[string]int{}
	uncertain := false
	for i := range d.Pairs {
		p := &d.Pairs[i]
		row := make([]Cell, len(t.Columns))
		row[0] = Text(p.Name)
		var words []string
		for _, f := range p.Fields {
			words = append(words, f.Field+" "+f.Base+" → "+f.Change)
		}
		word := map[string]string{"base": "gone", "change": "new"}[p.Only]
		if counts[word]++; word != "" {
			row[1] = Text(word)
			r.Document.Add(diffOf(p, nil))
		}
		if len(words) > 0 {
			row[len(row)-1] = Text(strings.Join(words, ", "))
		}
		for n := range p.Differences {
			m := &p.Differences[n]
			r.Document.Add(diffOf(p, m))
			share := m.Relative()
			if at := slices.Index(shown, m.Metric); at >= 0 && m.Known() && !math.IsNaN(share) {
				row[1+at] = Plain(plusMinus(share))
				if m.Share != nil {
					row[1+at] = Plain(signedShare(m.Share))
				}
				if m.Uncertain() {
					row[1+at], uncertain = row[1+at].Marked(" ~"), true
				}
			}
		}
		t.Rows = append(t.Rows, row)
	}
	if uncertain {
		t.Notes = []string{"~ the interval of the difference holds 0: it may be none."}
	}
	r.Headline = []string{fmt.Sprintf("Configurations since %s: %d changed, %d new, %d gone.",
		d.Base, counts[""], counts["new"], counts["gone"])}
	r.Tables = append(r.Tables, t)
}

// diffHeadline says by how much the main metrics of the first pair differ, and what causes it.
func diffHeadline(d *Diffed) []string {
	p := &d.Pairs[0]
	var parts []string
	for i := range p.Differences {
		switch m := &p.Differences[i]; m.Metric {
		case plan.Params, plan.StepFLOPs, plan.StepTime, plan.Memory, plan.Cost:
			if share := m.Relative(); m.Known() && !math.IsNaN(share) {
				text := plusMinus(share)
				if m.Share != nil { // no more digits than the interval supports
					text, _, _ = strings.Cut(signedShare(m.Share), " ")
				}
				parts = append(parts, fmt.Sprintf("%s %s %%", m.Metric, text))
			}
		}
	}
	out := []string{p.Name + ": " + strings.Join(parts, ", ") + "."}
	if len(parts) == 0 {
		out[0] = p.Name + " differs."
	}
	if len(d.Pairs) > 1 {
		out = append(out, fmt.Sprintf("Compared: %s.", quantity.Of(len(d.Pairs), "result")))
	}
	return out
}

// diffOf returns a difference as JSON writes it; nil is a pair of which one side is there only.
func diffOf(p *compare.Pair, d *compare.Difference) result.Difference {
	f := result.Difference{Name: p.Name, Only: p.Only, Attribution: []result.Effect{}}
	if d == nil {
		return f
	}
	f.Metric, f.Unit, f.Overlap = d.Metric.String(), d.Metric.Unit(), d.Overlap
	f.DeltaInterval, f.RelativeInterval = d.Interval, d.Share
	if p.Base != nil {
		f.BaseRun = result.RunOf(&p.Base.Run)
	}
	if p.Change != nil {
		f.Run = result.RunOf(&p.Change.Run)
	}
	if f.BaseRun != nil && f.Run != nil && *f.BaseRun == *f.Run {
		f.BaseRun = nil
	}
	side := func(e hardware.Estimate) (*float64, *interval) {
		switch i := e.Interval; {
		case i == nil:
			return nil, nil
		case i.Low == i.High:
			return &i.Value, nil
		default:
			return &i.Value, i
		}
	}
	f.Base, f.BaseInterval = side(d.Base)
	f.Change, f.ChangeInterval = side(d.Change)
	if d.Known() {
		f.Delta = &d.Delta
		if share := d.Relative(); !math.IsNaN(share) {
			f.Relative = &share
		}
	}
	for _, p := range d.Attribution {
		f.Attribution = append(f.Attribution, result.Effect{Field: p.Field, Delta: p.Delta})
	}
	return f
}

func diffTable(p *compare.Pair) Table {
	t := Table{
		Title: p.Name,
		Columns: []Column{
			{Title: "metric"},
			{Title: "base", Wraps: true},
			{Title: "change", Wraps: true},
			{Title: "Δ", Optional: 1},
			{Title: "Δ %"},
		},
	}
	uncertain, shared := false, false
	for i := range p.Differences {
		d := &p.Differences[i]
		delta, percent := Cell{}, Cell{}
		if d.Known() {
			delta = Plain(signedAmount(d, d.Delta))
			if share := d.Relative(); !math.IsNaN(share) {
				percent = Plain(plusMinus(share))
			}
			if d.Share != nil {
				percent, shared = Plain(signedShare(d.Share)), true
			}
			if d.Uncertain() {
				delta, uncertain = delta.Marked(" ~"), true
			}
		}
		t.add(Text(d.Metric.String()), sideCell(d.Metric, d.Base), sideCell(d.Metric, d.Change), delta, percent)
	}
	if shared {
		t.Notes = append(t.Notes, "The intervals of Δ % are of the difference: errors that both share cancel (80 %).")
	}
	switch {
	case uncertain && shared:
		t.Notes = append(t.Notes, "~ the interval of the difference holds 0: it may be none.")
	case uncertain:
		t.Notes = append(t.Notes, "~ the 80 % intervals overlap; how much of their error is shared is not known.")
	}
	return t
}

func sideCell(m plan.Metric, e hardware.Estimate) Cell {
	switch i := e.Interval; {
	case i == nil:
		return Cell{}
	case m.Kind() == quantity.Params:
		return Count(int64(i.Value))
	default:
		return Plain(quantity.FormatInterval(m.Kind(), *i))
	}
}

// plusMinus writes an exact share as percent with its sign.
func plusMinus(share float64) string {
	return strings.Replace(fmt.Sprintf("%+.1f", 100*share), "-", "−", 1)
}

// signedShare writes a share with its interval as percent, to the digits that the interval supports:
// +14.4 (12.1 to 16.8).
func signedShare(i *interval) string {
	digits := 1
	if half := 100 * i.HalfWidth(); half >= 5 {
		digits = 0
	}
	percent := func(v float64) string { return strings.ReplaceAll(fmt.Sprintf("%.*f", digits, 100*v), "-", "−") }
	sign := ""
	if i.Value > 0 {
		sign = "+"
	}
	return fmt.Sprintf("%s%s (%s to %s)", sign, percent(i.Value), percent(i.Low), percent(i.High))
}

// signedAmount writes a difference, or a part of it, with its sign: parameters in full, estimates
// to the digits that the interval of the difference supports.
func signedAmount(d *compare.Difference, v float64) string {
	sign := "+"
	if v < 0 {
		sign, v = "−", -v
	}
	kind := d.Metric.Kind()
	if kind == quantity.Params {
		return sign + quantity.Grouped(int64(math.Round(v)))
	}
	wide := max(d.Base.Interval.HalfWidth(), d.Change.Interval.HalfWidth())
	if d.Interval != nil {
		wide = d.Interval.HalfWidth()
	}
	if wide == 0 {
		return sign + quantity.Format(kind, v, 0)
	}
	return sign + quantity.FormatRounded(kind, interval{Value: v, Low: v - wide, High: v + wide})
}

// attributionTable says what each field contributes to the main metrics.
func attributionTable(fields []compare.Changed, differences []compare.Difference) Table {
	t := Table{
		Title:   "Which field causes what",
		Columns: []Column{{Title: "field"}, {Title: "base"}, {Title: "change"}},
		Notes:   []string{"Each field's mean effect over all orders of change; the effects sum to Δ."},
	}
	var shown []*compare.Difference
	for i := range differences {
		switch d := &differences[i]; d.Metric {
		case plan.Params, plan.StepFLOPs, plan.Memory, plan.StepTime, plan.Cost:
			if len(d.Attribution) > 0 {
				shown = append(shown, d)
				t.Columns = append(t.Columns, Column{Title: "Δ " + d.Metric.String(), Optional: 9 - len(shown)})
			}
		}
	}
	listed := map[string]bool{}
	for _, f := range fields {
		listed[f.Field] = true
		row := []Cell{Text(f.Field), Plain(f.Base), Plain(f.Change)}
		for _, d := range shown {
			row = append(row, effect(d, f.Field))
		}
		t.Rows = append(t.Rows, row)
	}
	for _, d := range shown {
		for _, p := range d.Attribution {
			if listed[p.Field] {
				continue
			}
			listed[p.Field] = true
			row := []Cell{Text(p.Field), Text("(together)"), {}}
			for _, d := range shown {
				row = append(row, effect(d, p.Field))
			}
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

func effect(d *compare.Difference, field string) Cell {
	for _, p := range d.Attribution {
		if p.Field == field {
			return Plain(signedAmount(d, p.Delta))
		}
	}
	return Cell{}
}
