package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// clusterName is a cluster as a reader sees it, e.g. "64 × a100, us-central1, spot".
func clusterName(p *Planned) string {
	name := machineName(p)
	if c := p.Cluster; c != nil {
		for _, part := range []string{c.Region, c.Terms} {
			if part != "" {
				name += ", " + part
			}
		}
	}
	return name
}

// machineName is how many devices of what, by the name that people type.
func machineName(p *Planned) string {
	return fmt.Sprintf("%d × %s", p.Run.Devices(), p.Run.Profile.Alias())
}

func several(plans []Planned, of func(*Planned) string) bool {
	return slices.ContainsFunc(plans, func(p Planned) bool { return of(&p) != of(&plans[0]) })
}

// value is a metric for ordering: what is not known goes last.
func value(e hardware.Estimate) float64 {
	if e.Interval == nil {
		return math.Inf(1)
	}
	return e.Interval.Value
}

// cheaper orders plans by their bill.
func cheaper(a, b Planned) int {
	return cmp.Compare(value(a.Schedule.Bill.CostUSD), value(b.Schedule.Bill.CostUSD))
}

// markPlans says of each of several clusters for the same work whether it is the cheapest or the
// fastest of those that fit and keep to the limits.
func markPlans(plans []Planned, limits *plan.Limits) [][]string {
	out := make([][]string, len(plans))
	if !several(plans, clusterName) || several(plans, func(p *Planned) string { return p.Label }) {
		return out
	}
	for _, m := range []struct {
		word string
		of   func(*Planned) hardware.Estimate
	}{
		{"cheapest", func(p *Planned) hardware.Estimate { return p.Schedule.Bill.CostUSD }},
		{"fastest", func(p *Planned) hardware.Estimate { return p.Schedule.Occupancy.WallSeconds }},
	} {
		best := -1
		for i := range plans {
			p := &plans[i]
			keeps := limits == nil || p.Sure != nil && *p.Sure >= limits.Sure
			if e := m.of(p); e.Interval != nil && !unfit(p) && keeps &&
				(best < 0 || e.Interval.Value < value(m.of(&plans[best]))) {
				best = i
			}
		}
		if best >= 0 {
			out[best] = append(out[best], m.word)
		}
	}
	return out
}

// planName is what tells a plan from the others.
func planName(p *Planned, plans []Planned) string {
	var parts []string
	if several(plans, func(p *Planned) string { return p.Run.Shape.Name }) {
		parts = append(parts, p.Run.Shape.Name)
	}
	if len(parts) == 0 || several(plans, clusterName) {
		parts = append(parts, clusterName(p))
	}
	if p.Label != "" {
		parts = append(parts, p.Label)
	}
	return strings.Join(parts, ", ")
}

// short is an estimate with its interval in words.
func short(kind quantity.Kind, e hardware.Estimate) string {
	if e.Interval == nil {
		return absentCell
	}
	return quantity.FormatInterval(kind, *e.Interval)
}

// compareHeadline says which of several clusters is the cheapest and which the fastest.
func compareHeadline(plans []Planned, marks [][]string, limits *plan.Limits) []string {
	var out []string
	for i, words := range marks {
		if len(words) > 0 {
			out = append(out, headline(strings.Join(words, " and "), &plans[i], planName(&plans[i], plans)))
		}
	}
	fits := slices.ContainsFunc(plans, func(p Planned) bool { return !unfit(&p) })
	switch {
	case len(out) > 0:
	case !fits:
		out = append(out, "No plan fits in memory; the table below says what would make each fit.")
	case limits != nil && !slices.ContainsFunc(plans, func(p Planned) bool { return p.Sure != nil && *p.Sure >= limits.Sure && !unfit(&p) }):
		out = append(out, fmt.Sprintf("No plan keeps %s with a probability of %s.", limitText(limits),
			quantity.Format(quantity.Fraction, limits.Sure, 0)))
	}
	return out
}

// headline tells a plan that is the best in some respect.
func headline(respect string, p *Planned, name string) string {
	sure := ""
	if p.Sure != nil {
		sure = ", " + sureText(p) + " sure"
	}
	return fmt.Sprintf("%s%s: %s, %s in %s%s.", strings.ToUpper(respect[:1]), respect[1:], name,
		short(quantity.Money, p.Schedule.Bill.CostUSD),
		short(quantity.Duration, p.Schedule.Occupancy.WallSeconds), sure)
}

// limitText names the limits: "10d and $50.0k".
func limitText(l *plan.Limits) string {
	var parts []string
	if l.WallSeconds > 0 {
		parts = append(parts, quantity.Format(quantity.Duration, l.WallSeconds, 0))
	}
	if l.USD > 0 {
		parts = append(parts, quantity.Format(quantity.Money, l.USD, 0))
	}
	return strings.Join(parts, " and ")
}

// mostColumns is how many plans stand as columns of one table.
const mostColumns = 4

// comparison sets plans side by side: as columns while they fit, else as rows.
func comparison(plans []Planned, marks [][]string, limits *plan.Limits, notes []string) Table {
	if len(plans) > mostColumns {
		return planRows(plans, marks, notes)
	}
	t := Table{Notes: notes, Columns: []Column{{Title: ""}}}
	for i := range plans {
		t.Columns = append(t.Columns, Column{Title: machineName(&plans[i]), Wraps: true})
	}
	line := func(measure string, of func(*Planned) string) {
		row := []Cell{Text(measure)}
		for i := range plans {
			row = append(row, Text(of(&plans[i])))
		}
		t.Rows = append(t.Rows, row)
	}
	for _, told := range []struct {
		measure string
		of      func(*Planned) string
	}{
		{"shape", func(p *Planned) string { return p.Run.Shape.Name }},
		{"what if", func(p *Planned) string { return p.Label }},
		{"region", func(p *Planned) string { return p.Cluster.Region }},
		{"terms", func(p *Planned) string { return p.Cluster.Terms }},
	} {
		if told.measure != "shape" && plans[0].Cluster == nil {
			continue
		}
		if several(plans, told.of) {
			line(told.measure, told.of)
		}
	}
	if slices.ContainsFunc(marks, func(m []string) bool { return len(m) > 0 }) {
		row := []Cell{Text("best")}
		for _, m := range marks {
			row = append(row, Text(strings.Join(m, ", ")))
		}
		t.Rows = append(t.Rows, row)
	}
	if plans[0].Run.Execution.Tuning != (flops.Tuning{}) {
		line("trained", tunedText)
	}
	line("layout", func(p *Planned) string { return plan.LayoutText(&p.Run) })
	line("batch", func(p *Planned) string { return workloadText(&p.Run.Shape, p.Run.Workload) })
	line("fits", func(p *Planned) string {
		return plan.YesNo(p.Fits) + ", " + quantity.Format(quantity.Bytes, p.Memory.PeakBytes, 0)
	})
	line("step", func(p *Planned) string { return short(quantity.Duration, p.StepTime) })
	line("bottleneck", func(p *Planned) string {
		if p.Prediction == nil {
			return absentCell
		}
		return fmt.Sprintf("%s (%s MFU)", p.Prediction.Bound,
			quantity.Format(quantity.Fraction, p.Prediction.MFU, 0))
	})
	line("tokens", func(p *Planned) string { return short(quantity.Tokens, p.Schedule.Tokens) })
	line("wall clock", func(p *Planned) string { return short(quantity.Duration, p.Schedule.Occupancy.WallSeconds) })
	line("price", func(p *Planned) string { return priceText(p) })
	line("cost", func(p *Planned) string { return short(quantity.Money, p.Schedule.Bill.CostUSD) })
	if limits != nil {
		line("keeps "+limitText(limits), sureText)
	}
	line("energy", func(p *Planned) string { return short(quantity.Energy, p.Schedule.Bill.EnergyKWh) })
	line("CO2e", func(p *Planned) string { return short(quantity.CarbonMass, p.Schedule.Bill.CO2Kg) })
	if slices.ContainsFunc(plans, func(p Planned) bool { return p.Loss != nil }) {
		line("loss", func(p *Planned) string {
			if p.Loss == nil {
				return absentCell
			}
			return quantity.FormatInterval(quantity.Number, *p.Loss)
		})
	}
	t.Notes = append(t.Notes, priceNotes(plans)...)
	return t
}

func sureText(p *Planned) string {
	if p.Sure == nil {
		return absentCell
	}
	const certain = 0.999 // more than that no interval supports
	if *p.Sure > certain {
		return "> 99.9%"
	}
	return quantity.Format(quantity.Fraction, *p.Sure, 0)
}

func priceText(p *Planned) string {
	i := p.Rates.Price.Interval
	if i == nil {
		return absentCell
	}
	return quantity.Format(quantity.HourlyPrice, i.Value, 0)
}

// planRows lists plans, a row each, with what a choice needs.
func planRows(plans []Planned, marks [][]string, notes []string) Table {
	t := Table{Notes: append(notes, priceNotes(plans)...), Columns: []Column{
		{Title: "plan", Wraps: true},
		{Title: "layout", Wraps: true, Wide: true},
		{Title: "fits", Optional: 6},
		{Title: "step", Kind: quantity.Duration, Optional: 2},
		{Title: "wall clock", Kind: quantity.Duration},
		{Title: "price", Kind: quantity.HourlyPrice, Optional: 4},
		{Title: "cost", Kind: quantity.Money},
		{Title: "sure", Optional: 3},
		{Title: "energy", Kind: quantity.Energy, Optional: 1},
	}}
	doubt := slices.ContainsFunc(plans, func(p Planned) bool { return p.Fits == nil || !*p.Fits })
	for i := range plans {
		p := &plans[i]
		name := planName(p, plans)
		if len(marks[i]) > 0 {
			name += ": " + strings.Join(marks[i], ", ")
		}
		fits, sure := Cell{}, Cell{}
		if doubt {
			fits = Text(plan.YesNo(p.Fits))
		}
		if p.Sure != nil {
			sure = Text(sureText(p))
		}
		t.add(Text(name), Text(plan.LayoutText(&p.Run)), fits, Optional(p.StepTime.Interval),
			Optional(p.Schedule.Occupancy.WallSeconds.Interval), Optional(p.Rates.Price.Interval),
			Optional(p.Schedule.Bill.CostUSD.Interval), sure, Optional(p.Schedule.Bill.EnergyKWh.Interval))
	}
	if doubt {
		t.Columns[2].Optional = 0
	}
	return t
}

// priceNotes says of every price that is not the user's own where it comes from and when.
func priceNotes(plans []Planned) []string {
	var parts []string
	for i := range plans {
		in := &plans[i].Rates.Price
		if in.Interval == nil || in.Origin == hardware.Flag {
			continue
		}
		source := cmp.Or(in.Note, in.Source)
		if in.Origin == hardware.File {
			source = in.Source + ", " + in.Note
		}
		part := fmt.Sprintf("%s %s (%s)", plans[i].Run.Profile.Name, priceText(&plans[i]), source)
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	if len(parts) > mostColumns {
		return []string{"Prices are examples from the price lists that deepnarrow list hardware names; --prices FILE takes yours."}
	}
	return []string{"Prices: " + strings.Join(parts, "; ") + "."}
}

// mendTable lists for each plan that does not fit the smallest change that mends it.
func mendTable(plans []Planned) Table {
	t := Table{
		Title:   "What would make it fit",
		Columns: []Column{{Title: "plan", Wraps: true}, {Title: "change"}, {Title: "command", Wraps: true}},
	}
	for i := range plans {
		p := &plans[i]
		if unfit(p) && len(p.Changes) > 0 {
			t.add(Text(planName(p, plans)), Text(p.Changes[0].What), Text(p.mend(0)))
		}
	}
	return t
}

// Offers fills in the report of a search over clusters: its offers, planned, in their order. of names
// the run where the report has several.
func (r *Report) Offers(plans []Planned, found *plan.Found, of string) {
	marks := make([][]string, len(plans))
	var front, best [][]string
	var frontPlans, bestPlans []Planned
	for i := range found.Offers {
		o := &found.Offers[i]
		for _, m := range []struct {
			word string
			is   bool
		}{{"cheapest", o.Cheapest}, {"fastest", o.Fastest}, {"fewest devices", o.Fewest}, {"front", o.Front}} {
			if m.is {
				marks[i] = append(marks[i], m.word)
			}
		}
		r.Document.Add(planOf(&plans[i], marks[i]))
		r.Rows = append(r.Rows, rowOf(&plans[i], marks[i]))
		words := slices.DeleteFunc(slices.Clone(marks[i]), func(w string) bool { return w == "front" })
		if o.Best || o.Fewest {
			best, bestPlans = append(best, words), append(bestPlans, plans[i])
		}
		if o.Front {
			front, frontPlans = append(front, words), append(frontPlans, plans[i])
		}
		if len(words) > 0 {
			r.Headline = append(r.Headline, headline(strings.Join(words, " and ")+of, &plans[i], clusterName(&plans[i])))
		}
		if o.Cheapest && plans[i].Command != "" {
			r.Headline = append(r.Headline, "  "+plans[i].Command)
		}
	}
	promise := fmt.Sprintf("%s planned, of up to %s", quantity.Of(found.Priced, "cluster"), quantity.Of(found.Limits.Devices, "device"))
	if n := plans[0].Schedule.Tokens.Interval; n != nil {
		promise = fmt.Sprintf("%s planned for %s tokens, of up to %s", quantity.Of(found.Priced, "cluster"),
			quantity.Format(quantity.Tokens, n.Value, 0), quantity.Of(found.Limits.Devices, "device"))
	}
	if text := limitText(&found.Limits); text != "" {
		promise += fmt.Sprintf("; all listed keep %s with a probability of %.0f %% or more", text, 100*found.Limits.Sure)
	}
	const shown = 12
	t := planRows(bestPlans[:min(shown, len(bestPlans))], best, append([]string{promise + "."}, planNotes(plans)...))
	t.Title = "The cheapest count of each accelerator" + of
	if n := len(bestPlans) - shown; n > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d more, at a higher cost: --format json has all.", n))
	}
	if refused := found.Refused; len(refused) > 0 {
		t.Notes = append(t.Notes, "Not among them: "+refusals(refused)+".")
	}
	r.Tables = append(r.Tables, t)
	if len(frontPlans) > 1 {
		t := planRows(frontPlans[:min(shown, len(frontPlans))], front, nil)
		t.Title, t.Notes, t.Detail = "Faster for more money"+of, nil, true
		r.Tables = append(r.Tables, t)
	}
}

// refusals names the clusters that cannot do a run, those of one reason together.
func refusals(list []plan.Refusal) string {
	var out []string
	for i, x := range list {
		if slices.ContainsFunc(list[:i], func(y plan.Refusal) bool { return y.Why == x.Why }) {
			continue
		}
		var names []string
		for _, y := range list[i:] {
			if y.Why == x.Why {
				names = append(names, y.Cluster)
			}
		}
		out = append(out, strings.Join(names, ", ")+" ("+x.Why+")")
	}
	return strings.Join(out, "; ")
}

// middle is the value of an estimate, nil where it is not known.
func middle(e hardware.Estimate) *float64 {
	if e.Interval == nil {
		return nil
	}
	return &e.Interval.Value
}

// rowOf returns a plan as a row of CSV.
func rowOf(p *Planned, marks []string) result.PlanRow {
	high := func(e hardware.Estimate) *float64 {
		if e.Interval == nil {
			return nil
		}
		return &e.Interval.High
	}
	s, b := &p.Schedule, &p.Schedule.Bill
	f := result.PlanRow{
		Shape: p.Run.Shape.Name, WhatIf: p.Label, Layout: plan.LayoutText(&p.Run),
		Batch: p.Run.Workload.Batch, Params: p.Params.Total, Tokens: middle(s.Tokens),
		Fits: p.Fits, PeakBytes: p.Memory.PeakBytes, StepSeconds: middle(p.StepTime),
		Total: middle(s.Occupancy.WallSeconds), TotalHigh: high(s.Occupancy.WallSeconds),
		USD: middle(b.CostUSD), USDHigh: high(b.CostUSD),
		EnergyKWh: middle(b.EnergyKWh), CO2Kg: middle(b.CO2Kg), Best: strings.Join(marks, " "),
	}
	if p.Cluster != nil {
		f.Cluster = p.Cluster.String()
	}
	if p.Prediction != nil {
		f.MFU = &p.Prediction.MFU
	}
	return f
}
