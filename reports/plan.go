package reports

import (
	"fmt"
	"math"
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
	Loss    *quantity.Interval // nil without a law
	LossLaw string             // where the law comes from
}

// Plan fills in the report of planned runs, one result each, in order. One run is told in full,
// several stand side by side.
func (r *Report) Plan(plans []Planned) {
	for i := range plans {
		f := result.PlanOf(&plans[i].Answer)
		f.Loss = plans[i].Loss
		r.Document.Results = append(r.Document.Results, f)
	}
	level := hardware.Level
	if q := plans[0].Prediction; q != nil {
		level = q.Level
	}
	notes := append([]string{
		fmt.Sprintf(
			"Intervals are %.0f %%. Memory is the peak of the device that needs most. Wall clock is steps over goodput.", 100*level),
		"Tokens are the encoder's inputs, as T5 counts them (the decoder's where there is no encoder).",
	}, missingNotes(plans)...)
	if len(plans) > 1 {
		r.Tables = append(r.Tables, planTable(plans, notes))
		if plans[0].Decode != nil {
			r.Tables = append(r.Tables, decodeTable(plans))
		}
		return
	}
	p := &plans[0]
	r.Tables = append(r.Tables, summaryTable(p, notes))
	if p.Prediction != nil {
		r.Tables = append(r.Tables, timeTable(p.Prediction))
	}
	if t := changeTable(p.Changes); len(t.Rows) > 0 {
		r.Tables = append(r.Tables, t)
	}
	if p.Decode != nil {
		r.Tables = append(r.Tables, decodeTable(plans))
	}
	r.Tables = append(r.Tables, footprintTable(&p.Memory), assumptionTable(p))
}

// changeTable lists the changes worth making.
func changeTable(changes []hardware.Change) Table {
	t := Table{
		Title: "What one change would gain",
		Columns: []Column{
			{Title: "change", Wraps: true},
			{Title: "of", Optional: 1},
			{Title: "gain", Kind: quantity.Fraction},
			{Title: "step", Kind: quantity.Duration, Optional: 2},
			{Title: "fits"},
		},
		Notes: []string{"The gain is in tokens per second and device. Each is found by predicting the changed run; changes of the shape change the model."},
	}
	const most, worthwhile = 8, 0.01
	for _, c := range changes {
		if c.Gain < worthwhile || len(t.Rows) == most {
			break
		}
		t.Rows = append(t.Rows, []Cell{
			Text(c.What), Text(string(c.Kind)), Amount(c.Gain),
			Amount(c.StepSeconds), Text(yesNo(c.Fits)),
		})
	}
	return t
}

// summaryTable tells one run, a line a question.
func summaryTable(p *Planned, notes []string) Table {
	t := Table{
		Title:   fmt.Sprintf("%s on %d × %s", p.Run.Shape.Name, p.Run.Devices(), p.Run.Profile.Name),
		Columns: []Column{{Title: "question"}, {Title: "answer", Wraps: true}},
		Notes:   notes,
	}
	line := func(question, answer string) { t.Rows = append(t.Rows, []Cell{Text(question), Text(answer)}) }
	estimate := func(kind quantity.Kind, e hardware.Estimate) string {
		switch i := e.Interval; {
		case i == nil:
			return "unknown"
		case kind == quantity.Count && i.Low == i.High && i.Value == math.Trunc(i.Value):
			return quantity.Grouped(int64(i.Value))
		default:
			return quantity.FormatInterval(kind, *i)
		}
	}
	line("parameters", quantity.Grouped(p.Params.Total))
	line("batch", fmt.Sprintf("%s, layout %s", workloadText(&p.Run.Shape, p.Run.Workload),
		plan.LayoutText(&p.Run)))
	line("fits in memory", fmt.Sprintf("%s: %s a device", yesNo(p.Fits),
		quantity.Format(quantity.Bytes, p.Memory.PeakBytes, 0)))
	if q := p.Prediction; q != nil {
		line("one step", quantity.FormatInterval(quantity.Duration, q.StepSeconds))
		line("what binds", fmt.Sprintf("%s, at %s MFU", q.Bound,
			quantity.Format(quantity.Fraction, q.MFU, 0)))
	}
	s := &p.Schedule
	line("steps", estimate(quantity.Count, s.Steps))
	line("tokens", estimate(quantity.Tokens, s.Tokens))
	line("wall clock", estimate(quantity.Duration, s.Occupancy.WallSeconds))
	line("cost", estimate(quantity.Money, s.Bill.CostUSD))
	line("energy", estimate(quantity.Energy, s.Bill.EnergyKWh))
	line("CO2e", estimate(quantity.CarbonMass, s.Bill.CO2Kg))
	if p.Loss != nil {
		line("loss at the end", fmt.Sprintf("%s by the law %s",
			quantity.FormatInterval(quantity.Number, *p.Loss), p.LossLaw))
	}
	return t
}

// planTable compares several runs, a row each.
func planTable(plans []Planned, notes []string) Table {
	t := Table{Notes: notes, Columns: []Column{
		{Title: "shape"},
		{Title: "hardware"},
		{Title: "devices"},
		{Title: "layout"},
		{Title: "batch"},
		{Title: "memory", Kind: quantity.Bytes},
		{Title: "fits"},
		{Title: "step", Kind: quantity.Duration},
		{Title: "MFU", Kind: quantity.Fraction},
		{Title: "bound by"},
		{Title: "steps", Kind: quantity.Count},
		{Title: "tokens", Kind: quantity.Tokens},
		{Title: "wall clock", Kind: quantity.Duration},
		{Title: "cost", Kind: quantity.Money},
		{Title: "energy", Kind: quantity.Energy},
		{Title: "CO2e", Kind: quantity.CarbonMass},
	}}
	for i := range plans {
		t.Rows = append(t.Rows, planRow(&plans[i]))
	}
	return t
}

func planRow(p *Planned) []Cell {
	run := &p.Run
	row := []Cell{
		Text(run.Shape.Name), Text(run.Profile.Name), Plain(fmt.Sprint(run.Devices())),
		Text(plan.LayoutText(run)), Text(workloadText(&run.Shape, run.Workload)),
		Amount(p.Memory.PeakBytes), Text(yesNo(p.Fits)),
	}
	if q := p.Prediction; q != nil {
		row = append(row, Estimate(q.StepSeconds), Amount(q.MFU), Text(string(q.Bound)))
	} else {
		row = append(row, Cell{}, Cell{}, Cell{})
	}
	b := &p.Schedule.Bill
	return append(row, Optional(p.Schedule.Steps.Interval), Optional(p.Schedule.Tokens.Interval),
		Optional(p.Schedule.Occupancy.WallSeconds.Interval),
		Optional(b.CostUSD.Interval), Optional(b.EnergyKWh.Interval), Optional(b.CO2Kg.Interval))
}

func yesNo(b *bool) string {
	switch {
	case b == nil:
		return "unknown"
	case *b:
		return "yes"
	default:
		return "no"
	}
}

// missingNotes lists why figures are absent, each reason once.
func missingNotes(plans []Planned) []string {
	var notes []string
	seen := map[string]bool{}
	for i := range plans {
		reasons := plans[i].Missing()
		for _, name := range []string{
			"memory.fits", "time.step_seconds", "steps", "tokens",
			"cost.usd", "cost.energy_kwh", "cost.co2_kg",
		} {
			if why := reasons[name]; why != "" && !seen[why] {
				seen[why] = true
				notes = append(notes, fmt.Sprintf("No %s: %s.", name, why))
			}
		}
	}
	return notes
}

func timeTable(q *hardware.Prediction) Table {
	t := Table{
		Title: "Where the step goes",
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
		t.Rows = append(t.Rows, []Cell{
			Text(part.Name), Amount(part.Seconds),
			Amount(part.Seconds / q.StepSeconds.Value), Text(string(part.Bound)),
		})
	}
	return t
}

func footprintTable(m *flops.Memory) Table {
	t := Table{
		Title: "Memory of the device that needs most, at " +
			strings.ReplaceAll(m.PeakPhase.String(), "_", " "),
		Columns: []Column{
			{Title: "part"},
			{Title: "bytes", Kind: quantity.Bytes},
			{Title: "of peak", Kind: quantity.Fraction},
		},
	}
	for part, n := range m.Peak {
		if n > 0 {
			t.Rows = append(t.Rows, []Cell{
				Text(flops.MemoryPart(part).String()), Amount(n),
				Amount(n / m.PeakBytes),
			})
		}
	}
	return t
}

func assumptionTable(p *Planned) Table {
	t := Table{
		Title: "What this rests on",
		Columns: []Column{
			{Title: "assumption"},
			{Title: "value"},
			{Title: "origin"},
			{Title: "source", Wraps: true},
		},
	}
	for _, a := range p.Assumptions() {
		t.Rows = append(t.Rows, []Cell{
			Text(a.Name), Text(a.Words()), Text(string(a.Origin)),
			Text(a.Source),
		})
	}
	return t
}
