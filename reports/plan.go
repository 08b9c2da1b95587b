package reports

import (
	"fmt"
	"math"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Planned is one planned run.
type Planned struct {
	Shape      shapes.Shape
	Workload   flops.Workload
	Layout     flops.Layout // filled for the workload
	Execution  flops.Execution
	Hardware   string
	Params     flops.Parameters
	FLOPs      flops.Count
	Breakdown  []flops.Share // of one forward pass, by component
	Memory     flops.Memory
	Fits       *bool // nil when the profile states no memory
	Warnings   []string
	Prediction *hardware.Prediction // nil when the step cannot be timed
	Untimed    string               // why
	Changes    []hardware.Change    // what single changes would gain, the largest first
	Schedule   hardware.Schedule
	Loss       *quantity.Interval // by a fitted law; nil without one
	LossLaw    string             // where the law comes from
	Decode     *Decoded           // nil unless asked for
}

type planFields struct {
	Shape       shapeFields        `json:"shape"`
	Hardware    string             `json:"hardware"`
	Devices     int                `json:"devices"`
	Workload    workloadFields     `json:"workload"`
	Layout      layoutFields       `json:"layout"`
	Params      paramsFields       `json:"params"`
	FLOPs       flopsFields        `json:"flops"`
	Memory      memoryFields       `json:"memory"`
	Time        timeFields         `json:"time"`
	Steps       *interval          `json:"steps,omitempty"`
	Tokens      *interval          `json:"tokens,omitempty"`
	Cost        costFields         `json:"cost"`
	Loss        *interval          `json:"loss,omitempty"`
	Breakdown   []breakdownField   `json:"breakdown,omitempty"`
	Assumptions []assumptionFields `json:"assumptions"`
	Changes     []changeFields     `json:"changes,omitempty"`
	Decode      *decodeFields      `json:"decode,omitempty"`
	Missing     map[string]string  `json:"missing,omitempty"`
}

type layoutFields struct {
	DP               int  `json:"dp"`
	TP               int  `json:"tp"`
	PP               int  `json:"pp"`
	ZeRO             int  `json:"zero"`
	MicroBatch       int  `json:"micro_batch"`
	Accumulate       int  `json:"accumulate"`
	Interleave       int  `json:"interleave"`
	SequenceParallel bool `json:"sequence_parallel"`
}

type timeFields struct {
	StepSeconds        *interval    `json:"step_seconds,omitempty"`
	TotalSeconds       *interval    `json:"total_seconds,omitempty"`
	Level              float64      `json:"level,omitempty"`
	Bound              string       `json:"bound,omitempty"`
	MFU                *float64     `json:"mfu,omitempty"`
	HFU                *float64     `json:"hfu,omitempty"`
	PeakFLOPsPerSecond float64      `json:"peak_flops_per_second,omitempty"`
	Parts              []partFields `json:"parts,omitempty"`
}

type partFields struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	Bound   string  `json:"bound"`
}

type costFields struct {
	USD         *interval `json:"usd,omitempty"`
	DeviceHours *interval `json:"device_hours,omitempty"`
	EnergyKWh   *interval `json:"energy_kwh,omitempty"`
	CO2Kg       *interval `json:"co2_kg,omitempty"`
}

type changeFields struct {
	What        string  `json:"what"`
	Kind        string  `json:"kind"`
	Gain        float64 `json:"gain"` // rise of tokens per second and device
	StepSeconds float64 `json:"step_seconds"`
	Fits        *bool   `json:"fits,omitempty"`
}

type assumptionFields struct {
	Name     string    `json:"name"`
	Value    *interval `json:"value,omitempty"`
	Text     string    `json:"text,omitempty"`
	Origin   string    `json:"origin"`
	Source   string    `json:"source,omitempty"`
	Evidence string    `json:"evidence,omitempty"`
	Note     string    `json:"note,omitempty"`
}

// Plan fills in the report of planned runs, one result each, in order. One run is told in full,
// several stand side by side.
func (r *Report) Plan(plans []Planned) {
	for i := range plans {
		r.Document.Results = append(r.Document.Results, planOf(&plans[i]))
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
		Title: fmt.Sprintf("%s on %d × %s", p.Shape.Name, p.Schedule.Occupancy.Devices,
			p.Hardware),
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
	line("batch", fmt.Sprintf("%s, layout %s", workloadText(&p.Shape, p.Workload),
		layoutText(p.Layout)))
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

func planOf(p *Planned) planFields {
	l := p.Layout
	f := planFields{
		Shape: shapeOf(&p.Shape), Hardware: p.Hardware, Devices: p.Schedule.Occupancy.Devices,
		Workload: workloadOf(&p.Shape, p.Workload),
		Layout: layoutFields{
			l.DP, l.TP, l.PP, l.ZeRO, l.MicroBatch, l.Accumulate, l.Interleave,
			l.SequenceParallel,
		},
		Params: paramsOf(&p.Params), FLOPs: flopsOf(p.FLOPs), Memory: memoryOf(&p.Memory, p.Fits),
		Steps: p.Schedule.Steps.Interval, Tokens: p.Schedule.Tokens.Interval,
		Time: timeFields{TotalSeconds: p.Schedule.Occupancy.WallSeconds.Interval},
		Cost: costFields{
			USD:         p.Schedule.Bill.CostUSD.Interval,
			DeviceHours: p.Schedule.Bill.DeviceHours.Interval,
			EnergyKWh:   p.Schedule.Bill.EnergyKWh.Interval, CO2Kg: p.Schedule.Bill.CO2Kg.Interval,
		},
		Loss: p.Loss, Assumptions: []assumptionFields{}, Decode: decodeOf(p), Missing: p.missing(),
	}
	for _, share := range p.Breakdown {
		f.Breakdown = append(f.Breakdown, breakdownField{
			share.Name, share.Params, share.Forward,
			share.Vector,
		})
	}
	if q := p.Prediction; q != nil {
		f.Time.StepSeconds, f.Time.Level, f.Time.Bound = &q.StepSeconds, q.Level, string(q.Bound)
		f.Time.MFU, f.Time.HFU, f.Time.PeakFLOPsPerSecond = &q.MFU, &q.HFU, q.PeakFLOPsPerSecond
		for _, part := range q.Parts {
			f.Time.Parts = append(f.Time.Parts, partFields{
				part.Name, part.Seconds,
				string(part.Bound),
			})
		}
		for _, a := range q.Assumptions {
			f.Assumptions = append(f.Assumptions, assumptionFields{
				Name: a.Name, Text: a.Value,
				Origin: string(a.Origin), Source: a.Source,
			})
		}
	}
	for _, c := range p.Changes {
		f.Changes = append(f.Changes, changeFields{
			c.What, string(c.Kind), c.Gain, c.StepSeconds,
			c.Fits,
		})
	}
	for _, in := range p.inputs() {
		f.Assumptions = append(f.Assumptions, assumptionFields{
			Name: in.Name, Value: in.Interval, Text: in.Missing, Origin: string(in.Origin),
			Source: in.Source, Evidence: string(in.Evidence), Note: in.Note,
		})
	}
	return f
}

func (p *Planned) inputs() []hardware.Input {
	return append([]hardware.Input{p.Schedule.Goodput}, p.Schedule.Bill.Inputs...)
}

// missing says of every absent figure why it is absent.
func (p *Planned) missing() map[string]string {
	out := map[string]string{}
	if p.Untimed != "" {
		out["time.step_seconds"] = p.Untimed
	}
	if p.Fits == nil {
		out["memory.fits"] = "the profile of " + p.Hardware + " states no memory"
	}
	for _, e := range []struct {
		name string
		hardware.Estimate
	}{
		{"steps", p.Schedule.Steps},
		{"tokens", p.Schedule.Tokens},
		{"time.total_seconds", p.Schedule.Occupancy.WallSeconds},
		{"cost.usd", p.Schedule.Bill.CostUSD},
		{"cost.device_hours", p.Schedule.Bill.DeviceHours},
		{"cost.energy_kwh", p.Schedule.Bill.EnergyKWh},
		{"cost.co2_kg", p.Schedule.Bill.CO2Kg},
	} {
		if e.Interval == nil {
			out[e.name] = e.Missing
		}
	}
	return out
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
	row := []Cell{
		Text(p.Shape.Name), Text(p.Hardware), Plain(fmt.Sprint(p.Schedule.Occupancy.Devices)),
		Text(layoutText(p.Layout)),
		Text(workloadText(&p.Shape, p.Workload)), Amount(p.Memory.PeakBytes), Text(yesNo(p.Fits)),
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

// layoutText writes a layout in few letters: "dp 16", "dp 8 tp 2 zero 1, 4 × 2".
func layoutText(l flops.Layout) string {
	var parts []string
	for _, axis := range []struct {
		name string
		n    int
	}{{"dp", l.DP}, {"tp", l.TP}, {"pp", l.PP}} {
		if axis.n > 1 {
			parts = append(parts, fmt.Sprintf("%s %d", axis.name, axis.n))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "single")
	}
	if l.ZeRO > 0 {
		parts = append(parts, fmt.Sprintf("zero %d", l.ZeRO))
	}
	if l.Accumulate > 1 {
		parts = append(parts, fmt.Sprintf("%d × micro-batch %d", l.Accumulate, l.MicroBatch))
	}
	return strings.Join(parts, ", ")
}

// missingNotes lists why figures are absent, each reason once.
func missingNotes(plans []Planned) []string {
	var notes []string
	seen := map[string]bool{}
	for i := range plans {
		p := &plans[i]
		reasons := p.missing()
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
	if p.Prediction != nil {
		for _, a := range p.Prediction.Assumptions {
			t.Rows = append(t.Rows, []Cell{
				Text(a.Name), Text(a.Value), Text(string(a.Origin)),
				Text(a.Source),
			})
		}
	}
	for _, in := range p.inputs() {
		value := Text("unknown")
		if in.Interval != nil {
			value = Text(quantity.FormatInterval(quantity.Number, *in.Interval))
			if kind, known := inputKinds[in.Name]; known {
				value = Text(quantity.FormatInterval(kind, *in.Interval))
			}
		}
		t.Rows = append(t.Rows, []Cell{
			Text(in.Name), value, Text(string(in.Origin)),
			Text(in.Source),
		})
	}
	return t
}

// inputKinds says how each input of a bill is written.
var inputKinds = map[string]quantity.Kind{
	"price": quantity.HourlyPrice, "mean power": quantity.Power, "PUE": quantity.Ratio,
	"grid intensity": quantity.CarbonIntensity, "goodput": quantity.Fraction,
}
