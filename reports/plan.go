package reports

import (
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

// Planned is one planned run, with the loss that a fitted law predicts for its end.
type Planned struct {
	plan.Answer
	Cluster *plan.Cluster
	Label   string             // what it states otherwise than the first, e.g. "price 2x"
	Sure    *float64           // probability that all limits are kept; nil without limits
	Loss    *quantity.Interval // nil without a law
	LossLaw string             // where the law comes from

	Command string   // lays the run out the same way
	Mends   []string // of each of Changes; empty where no flag makes it
}

// Serves says whether the plan is one of serving that answers its traffic.
func (p Planned) Serves() bool { return p.Serving != nil && p.Serving.Decoding != nil }

// Plan fills in the report of planned runs, one result each. One run is told in full, several stand
// side by side, on several clusters the cheapest first. limits are nil where there are none.
func (r *Report) Plan(plans []Planned, limits *plan.Limits) {
	if several(plans, func(p *Planned) string { return clusterName(p) }) {
		slices.SortStableFunc(plans, cheaper)
	}
	first := markPlans(plans, limits)
	for i := range plans {
		r.Document.Add(planOf(&plans[i], first[i]))
		r.Rows = append(r.Rows, rowOf(&plans[i], first[i]))
	}
	notes := append(planNotes(plans), missingNotes(plans)...)
	if len(plans) > 1 {
		r.Headline = compareHeadline(plans, first, limits)
		r.Tables = append(r.Tables, comparison(plans, first, limits, notes))
		r.show(mendTable(plans))
		if plans[0].Decode != nil {
			r.Tables = append(r.Tables, decodeTable(plans))
		}
		return
	}
	p := &plans[0]
	r.Headline = append(decodeHeadline(p.Decode), planHeadline(p)...)
	if p.Decode != nil {
		r.show(decodeTable(plans))
	}
	summary, changes := summaryTable(p, limits, notes), changeTable(p)
	if changes.Detail = !unfit(p); changes.Detail {
		r.show(summary, changes)
	} else { // what is wrong with the run is said; what mends it is the answer
		summary.Detail = len(changes.Rows) > 0
		r.show(changes, summary)
	}
	if p.Prediction != nil {
		r.show(timeTable(p.Prediction))
	}
	r.show(footprintTable(&p.Memory), assumptionTable(p))
}

// planHeadline is the bill and the time of a run, whether it fits, and what to change first.
func planHeadline(p *Planned) []string {
	s := &p.Schedule
	answer := fmt.Sprintf("%s on %d × %s: ", p.Run.Shape.Name, p.Run.Devices(), p.Run.Profile.Name)
	var parts []string
	for _, of := range []struct {
		kind quantity.Kind
		e    hardware.Estimate
		what string
	}{
		{quantity.Duration, s.Occupancy.WallSeconds, ""},
		{quantity.Money, s.Bill.CostUSD, ""},
		{quantity.Tokens, s.Tokens, " tokens"},
	} {
		if of.e.Interval != nil {
			parts = append(parts, quantity.FormatInterval(of.kind, *of.e.Interval)+of.what)
		}
	}
	if len(parts) == 0 {
		parts = []string{"time and cost unknown"}
	}
	memory := quantity.Format(quantity.Bytes, p.Memory.PeakBytes, 0) + " per device"
	switch {
	case p.Fits == nil:
		memory = "Peak memory: " + memory
	case *p.Fits:
		memory = "Fits in memory: " + memory
	default:
		memory = "Does not fit in memory: needs " + memory
	}
	if q := p.Prediction; q != nil {
		memory += fmt.Sprintf(". Bottleneck: %s (%s MFU)", q.Bound, quantity.Format(quantity.Fraction, q.MFU, 0))
	}
	out := []string{answer + strings.Join(parts, ", ") + ".", memory + "."}
	for i, c := range p.Changes {
		if command := p.mend(i); command != "" && (c.Fits == nil || *c.Fits) && (unfit(p) || c.Gain >= plan.Worthwhile) {
			gain := fmt.Sprintf("%s faster with %s", quantity.Format(quantity.Fraction, c.Gain, 2), c.What)
			if unfit(p) {
				gain = "Fits with " + c.What
			}
			return append(out, gain+": "+command)
		}
	}
	return out
}

// planNotes says how the figures of plans are to be read.
func planNotes(plans []Planned) []string {
	level := hardware.Level
	if q := plans[0].Prediction; q != nil {
		level = q.Level
	}
	goodput := ""
	if g := plans[0].Schedule.Goodput.Interval; g != nil {
		goodput = fmt.Sprintf(" (%s)", quantity.Format(quantity.Fraction, g.Value, 2))
	}
	notes := []string{fmt.Sprintf(
		"Intervals are %.0f %%. Memory is the peak per device. Wall clock = steps × step time ÷ goodput%s.",
		100*level, goodput)}
	if plans[0].Run.Shape.Encoder.Layers > 0 {
		notes = append(notes, "Tokens = encoder input tokens.")
	}
	return notes
}

// unfit says whether a run is known not to fit.
func unfit(p *Planned) bool { return p.Fits != nil && !*p.Fits }

// changeTable lists the changes worth making: those that make a run fit, or else that make it faster.
func changeTable(p *Planned) Table {
	t := Table{
		Title: "What would make it faster",
		Columns: []Column{
			{Title: "change", Wraps: true},
			{Title: "kind", Optional: 1},
			{Title: "gain", Kind: quantity.Fraction},
			{Title: "step", Kind: quantity.Duration, Optional: 2},
			{Title: "memory", Kind: quantity.Bytes, Optional: 1},
			{Title: "fits"},
		},
		Notes: []string{"Gain is in tokens per second and device. Each change is planned anew; changes of the shape change the model."},
	}
	if unfit(p) {
		t.Title = "What would make it fit, the smallest change first"
	}
	gain := func(c *hardware.Change) float64 { return c.Gain }
	for _, c := range plan.Told(p.Changes, unfit(p), gain) {
		t.add(Text(c.What), Text(string(c.Kind)), Amount(c.Gain), Amount(c.StepSeconds),
			Amount(c.PeakBytes), Text(plan.YesNo(c.Fits)))
	}
	return t
}

// mend is the command that makes a change, empty where no flag does.
func (p *Planned) mend(change int) string {
	if change < len(p.Mends) {
		return p.Mends[change]
	}
	return ""
}

// summaryTable tells one run, a line a question.
func summaryTable(p *Planned, limits *plan.Limits, notes []string) Table {
	t := measures(notes)
	line := t.line
	line("parameters", quantity.Grouped(p.Params.Total))
	if p.Run.Execution.Tuning != (flops.Tuning{}) {
		line("trained", tunedText(p))
	}
	line("batch", workloadText(&p.Run.Shape, p.Run.Workload))
	line("layout", plan.LayoutText(&p.Run))
	line("peak memory per device", quantity.Format(quantity.Bytes, p.Memory.PeakBytes, 0))
	t.add(Text("fits"), answerCell(plan.YesNo(p.Fits), !unfit(p)))
	if q := p.Prediction; q != nil {
		line("step time", quantity.FormatInterval(quantity.Duration, q.StepSeconds))
		line("bottleneck", fmt.Sprintf("%s (%s MFU)", q.Bound, quantity.Format(quantity.Fraction, q.MFU, 0)))
	}
	s := &p.Schedule
	line("steps", estimate(quantity.Count, s.Steps))
	line("tokens", estimate(quantity.Tokens, s.Tokens))
	line("wall clock", estimate(quantity.Duration, s.Occupancy.WallSeconds))
	line("cost", estimate(quantity.Money, s.Bill.CostUSD))
	if p.Sure != nil {
		line("keeps "+limitText(limits), sureText(p)+" sure")
	}
	line("energy", estimate(quantity.Energy, s.Bill.EnergyKWh))
	line("CO2e", estimate(quantity.CarbonMass, s.Bill.CO2Kg))
	if p.Command != "" {
		t.Basis = []string{"Same layout: " + p.Command}
	}
	if p.Loss != nil {
		line("loss at the end", fmt.Sprintf("%s by the law %s",
			quantity.FormatInterval(quantity.Number, *p.Loss), p.LossLaw))
	}
	return *t
}

// estimate is a figure in words, a whole number in full.
func estimate(kind quantity.Kind, e hardware.Estimate) string {
	switch i := e.Interval; {
	case i == nil:
		return "unknown"
	case kind == quantity.Count && i.Low == i.High && i.Value == math.Trunc(i.Value):
		return quantity.Grouped(int64(i.Value))
	default:
		return quantity.FormatInterval(kind, *i)
	}
}

// tunedText is how many parameters are trained, and how the rest is kept.
func tunedText(p *Planned) string {
	t := p.Run.Execution.Tuning
	text := quantity.Grouped(p.Trained)
	if t.Rank > 0 {
		text += fmt.Sprintf(" of adapters of rank %d on %s", t.Rank, t.Beside())
	}
	if t.Stored != flops.Whole {
		text += ", the rest " + t.Stored.String()
	}
	if t.Frozen != 0 {
		text += "; frozen: " + t.Frozen.String()
	}
	return text
}

// planOf returns a plan as JSON writes it.
func planOf(p *Planned, marks []string) result.Plan {
	f := result.PlanOf(&p.Answer)
	f.Loss, f.WhatIf, f.Sure, f.Command, f.Marks = p.Loss, p.Label, p.Sure, p.Command, marks
	if p.Cluster != nil {
		f.Cluster, f.Terms = p.Cluster.String(), p.Cluster.Terms
	}
	for i := range f.Changes {
		f.Changes[i].Command = p.mend(i)
	}
	return f
}

// spaced writes a name of JSON as words.
func spaced(name string) string { return strings.ReplaceAll(name, "_", " ") }

// missingNotes lists why figures are absent, each reason once with all that it leaves unknown.
func missingNotes(plans []Planned) []string {
	var reasons []string
	unknown := map[string][]string{}
	for i := range plans {
		missing := plans[i].Missing()
		for _, f := range []struct{ field, what string }{
			{"memory.fits", "whether it fits"},
			{"time.step_seconds", "step time"},
			{"steps", "steps"},
			{"tokens", "tokens"},
			{"cost.usd", "cost"},
			{"cost.energy_kwh", "energy"},
			{"cost.co2_kg", "CO2e"},
		} {
			why := missing[f.field]
			if why != "" && len(unknown[why]) == 0 {
				reasons = append(reasons, why)
			}
			if why != "" && !slices.Contains(unknown[why], f.what) {
				unknown[why] = append(unknown[why], f.what)
			}
		}
	}
	notes := make([]string, len(reasons))
	for i, why := range reasons {
		notes[i] = sentence(strings.Join(unknown[why], ", ") + " unknown: " + why)
	}
	return notes
}

func timeTable(q *hardware.Prediction) Table {
	t := Table{
		Title: "Where the step goes", Detail: true,
		Columns: []Column{
			{Title: "part", Wraps: true},
			{Title: "time", Kind: quantity.Duration, Optional: 2},
			{Title: "of step", Kind: quantity.Fraction},
			{Title: "limited by", Optional: 1},
		},
		Notes: []string{fmt.Sprintf("MFU %s, HFU %s of a peak of %s a device.",
			quantity.Format(quantity.Fraction, q.MFU, 3),
			quantity.Format(quantity.Fraction, q.HFU, 3),
			quantity.Format(quantity.FLOPRate, q.PeakFLOPsPerSecond, 3))},
	}
	const negligible = 1e-3 // of the step; JSON has every part
	for _, part := range q.Parts {
		if part.Seconds < negligible*q.StepSeconds.Value {
			continue
		}
		t.add(Text(part.Name), Amount(part.Seconds), Amount(part.Seconds/q.StepSeconds.Value),
			Text(string(part.Bound)))
	}
	return t
}

func footprintTable(m *flops.Memory) Table {
	t := Table{
		Title: "Peak memory per device (" + spaced(m.PeakPhase.String()) + ")", Detail: true,
		Columns: []Column{
			{Title: "part"},
			{Title: "bytes", Kind: quantity.Bytes},
			{Title: "of peak", Kind: quantity.Fraction},
		},
	}
	for part, n := range m.Peak {
		if n > 0 {
			t.add(Text(spaced(flops.MemoryPart(part).String())), Amount(n), Amount(n/m.PeakBytes))
		}
	}
	return t
}

// originText says where a value comes from; prices come from price lists, not data sheets.
func originText(a *plan.Assumption) string {
	if a.Name == "price" && a.Origin == hardware.DataSheet {
		return "price list"
	}
	return string(a.Origin)
}

func assumptionTable(p *Planned) Table {
	t := Table{
		Title: "Assumptions and sources", Detail: true,
		Columns: []Column{
			{Title: "assumption"},
			{Title: "value", Wraps: true},
			{Title: "origin", Optional: 1},
			{Title: "source", Wraps: true},
		},
	}
	for _, a := range p.Assumptions() {
		t.add(Text(a.Name), Text(a.Words()), Text(originText(&a)), Text(a.Source))
	}
	return t
}
