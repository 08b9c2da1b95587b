package engine

import (
	"cmp"
	"encoding"
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Plan is the answer to one state. The numbers are those of the JSON that `deepnarrow plan` writes;
// Cards and Bars are the same as text.
type Plan struct {
	Fragment   string         `json:"fragment"`
	Command    string         `json:"command"`
	Name       string         `json:"name"`
	Dimensions map[string]int `json:"dimensions"` // what every control stands at, by its key in the fragment
	Params     result.Params  `json:"params"`
	FLOPs      result.FLOPs   `json:"flops"`
	Memory     result.Memory  `json:"memory"`
	Time       result.Time    `json:"time"`
	Cost       result.Cost    `json:"cost"`
	// Defaults are what stands for the choices that are not made, by their keys.
	Defaults map[string]string `json:"defaults"`
	Cards    []Card            `json:"cards"`
	Charts   []Chart           `json:"charts"`
	Warnings []string          `json:"warnings"`
	Beside   []Kept            `json:"beside"` // the plans kept for comparison, as far as they can be
}

// Kept is a plan kept for comparison.
type Kept struct {
	Fragment string `json:"fragment"`
	Name     string `json:"name"`
	Cards    []Card `json:"cards"`
	Error    string `json:"error,omitempty"`
}

// Card is one figure as a reader sees it.
type Card struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	Note  string `json:"note,omitempty"`
	Bad   bool   `json:"bad,omitempty"`
}

// Chart says where one total goes.
type Chart struct {
	Title string `json:"title"`
	Bars  []Bar  `json:"bars"`
}

// Bar is one part of a total; Share is its fraction.
type Bar struct {
	Label string  `json:"label"`
	Share float64 `json:"share"`
	Text  string  `json:"text"`
	Note  string  `json:"note,omitempty"`
}

// question is what a state asks: what the command line that it stands for states.
func (s *State) question() (plan.Question, error) {
	q := plan.Question{
		Devices: s.Devices,
		Workload: flops.Workload{
			Batch: s.Batch, EncoderLength: s.EncoderLength, DecoderLength: s.DecoderLength,
		},
		Layout: flops.Layout{
			TP: s.TP, PP: s.PP, Interleave: s.Interleave, ZeRO: s.ZeRO, MicroBatch: s.MicroBatch,
		},
		Length: hardware.Length{Steps: float64(s.Steps)},
	}
	profile, err := hardware.Parse(s.Hardware)
	if err != nil {
		return q, err
	}
	q.Profile = &profile
	q.Precision, err = choice[flops.Precision](s.Precision, err)
	q.Optimizer, err = choice[flops.Optimizer](s.Optimizer, err)
	q.Attention, err = choice[flops.Attention](s.Attention, err)
	q.Recompute, err = choice[flops.Recompute](s.Recompute, err)
	if err != nil {
		return q, err
	}
	if q.Layout.SequenceParallel, err = yes("sp", s.SequenceParallel); err != nil {
		return q, err
	}
	if s.Compiled != "" {
		compiled, err := yes("compiled", s.Compiled)
		if err != nil {
			return q, err
		}
		q.Software.Compiled = &compiled
	}
	if s.Price != "" {
		price, err := quantity.Parse(quantity.HourlyPrice, s.Price)
		if err != nil {
			return q, fmt.Errorf("price: %w", err)
		}
		q.Rates.PriceUSDPerHour = &price
	}
	return q, nil
}

// choice reads a word into a T, nil for none; an error before it goes first.
func choice[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](text string, before error) (*T, error) {
	if text == "" || before != nil {
		return nil, before
	}
	v := new(T)
	return v, P(v).UnmarshalText([]byte(text))
}

func yes(key, text string) (bool, error) {
	switch text {
	case "yes":
		return true, nil
	case "", "no":
		return false, nil
	}
	return false, fmt.Errorf("%s is %q; allowed: yes, no", key, text)
}

// ask plans the run of a state with what else its question asks.
func ask(fragment string, more func(*plan.Question)) (State, plan.Answer, error) {
	state, shape, err := settled(fragment)
	if err != nil {
		return state, plan.Answer{}, err
	}
	q, err := state.question()
	if err != nil {
		return state, plan.Answer{}, err
	}
	if more != nil {
		more(&q)
	}
	a, err := q.Of(&shape).Answer()
	return state, a, err
}

// Answer plans the run of a state, and those kept beside it.
func Answer(fragment string) (Plan, error) {
	var out Plan
	state, a, err := ask(fragment, nil)
	if err != nil {
		return out, err
	}
	shape := &a.Run.Shape
	out.Fragment, out.Command, out.Name = state.fragment(), state.planCommand(), shape.Name
	out.Dimensions = state.dimensions(&a)
	out.Params, out.FLOPs = result.ParamsOf(&a.Params), result.FLOPsOf(a.FLOPs)
	out.Memory = result.MemoryOf(&a.Memory, a.Fits)
	out.Time, out.Cost = result.TimeOf(&a), result.CostOf(&a.Schedule.Bill)
	out.Cards, out.Charts, out.Defaults = cards(&a), charts(&a), defaults(&state, &a)
	out.Beside = []Kept{}
	for _, b := range state.Beside {
		kept := Kept{Fragment: b}
		if other, k, err := ask(b, nil); err != nil {
			kept.Name, kept.Error = other.reference(), err.Error()
		} else {
			kept.Name, kept.Cards = k.Run.Shape.Name, cards(&k)
		}
		out.Beside = append(out.Beside, kept)
	}
	out.Warnings = append([]string{}, a.Warnings()...)
	if why := a.StepTime.Missing; why != "" {
		out.Warnings = append(out.Warnings, "no step time: "+why)
	}
	return out, nil
}

// dimensions returns where every control of a settled state is.
func (s *State) dimensions(a *plan.Answer) map[string]int {
	at, w := dimensions(&a.Run.Shape), a.Run.Workload
	at["batch"], at["enc"], at["dec"] = w.Batch, w.EncoderLength, w.DecoderLength
	at["devices"], at["steps"] = s.Devices, s.Steps
	return at
}

// defaults says what stands for the choices that a state does not make.
func defaults(s *State, a *plan.Answer) map[string]string {
	x, l := &a.Run.Execution, &a.Run.Layout
	price := "unknown"
	for _, in := range a.Schedule.Bill.Inputs {
		if in.Name == "price" && in.Interval != nil {
			price = quantity.Format(quantity.HourlyPrice, in.Interval.Value, 0)
		}
	}
	compiled := a.Run.Compiled()
	stand := map[string]string{
		"precision": x.Precision.String(), "optimizer": x.Optimizer.String(),
		"attention": x.Attention.String(), "recompute": x.Recompute.String(), "price": price,
		"compiled": plan.YesNo(&compiled), "sp": plan.YesNo(&l.SequenceParallel),
		"zero": fmt.Sprint(l.ZeRO), "tp": fmt.Sprint(l.TP), "pp": fmt.Sprint(l.PP),
		"micro": fmt.Sprint(l.MicroBatch), "interleave": fmt.Sprint(max(1, l.Interleave)),
	}
	for _, w := range s.words() {
		if *w.at != "" {
			delete(stand, w.key)
		}
	}
	return stand
}

// cards tells a plan in few figures.
func cards(a *plan.Answer) []Card {
	s := &a.Schedule
	estimate := func(title string, kind quantity.Kind, e hardware.Estimate) Card {
		if e.Interval == nil {
			return Card{Title: title, Text: "unknown", Note: e.Missing}
		}
		return Card{Title: title, Text: quantity.FormatInterval(kind, *e.Interval)}
	}
	memory := Card{Title: "peak memory per device", Text: quantity.Format(quantity.Bytes,
		a.Memory.PeakBytes, 0)}
	if fits := a.Fits; fits != nil {
		memory.Note, memory.Bad = "fits", !*fits
		if memory.Bad {
			memory.Note = "does not fit"
		}
	}
	step := estimate("one step", quantity.Duration, a.StepTime)
	if q := a.Prediction; q != nil {
		step.Note = "bottleneck: " + string(q.Bound) + ", " + quantity.Format(quantity.Fraction, q.MFU, 0) +
			" MFU"
	}
	parameters := Card{
		Title: "parameters", Text: quantity.Grouped(a.Params.Total),
		Note: quantity.Format(quantity.Params, float64(a.Params.NonEmbedding), 0) + " without embedding",
	}
	tokens := estimate("tokens", quantity.Tokens, s.Tokens)
	tokens.Note = "in all steps"
	return []Card{
		memory,
		estimate("cost", quantity.Money, s.Bill.CostUSD),
		estimate("wall clock", quantity.Duration, s.Occupancy.WallSeconds),
		step,
		parameters,
		tokens,
		{
			Title: "FLOPs of a step", Text: quantity.Format(quantity.FLOP, a.FLOPs.Step, 0),
			Note: "matmul convention",
		},
		{Title: "layout", Text: plan.LayoutText(&a.Run)},
		estimate("energy", quantity.Energy, s.Bill.EnergyKWh),
		estimate("CO2e", quantity.CarbonMass, s.Bill.CO2Kg),
	}
}

// charts says where parameters, memory and time go, the largest part first.
func charts(a *plan.Answer) []Chart {
	params, memory := &a.Params, &a.Memory
	p := Chart{Title: "Parameters"}
	for component, n := range params.By {
		p.add(flops.Component(component).String(), quantity.Params, float64(n),
			float64(params.Total), "")
	}
	m := Chart{Title: "Peak memory per device, at " +
		strings.ReplaceAll(memory.PeakPhase.String(), "_", " ")}
	for part, n := range memory.Peak {
		m.add(flops.MemoryPart(part).String(), quantity.Bytes, n, memory.PeakBytes, "")
	}
	charts := []Chart{p, m}
	if q := a.Prediction; q != nil {
		t := Chart{Title: "One step"}
		for _, part := range q.Parts {
			t.add(part.Name, quantity.Duration, part.Seconds, q.StepSeconds.Value,
				string(part.Bound))
		}
		charts = append(charts, t)
	}
	for i := range charts {
		slices.SortStableFunc(charts[i].Bars, func(a, b Bar) int { return cmp.Compare(b.Share, a.Share) })
	}
	return charts
}

// negligible is the share of a total below which a part is not drawn.
const negligible = 1e-3

func (c *Chart) add(label string, kind quantity.Kind, value, total float64, note string) {
	if value < negligible*total {
		return
	}
	c.Bars = append(c.Bars, Bar{
		Label: strings.ReplaceAll(label, "_", " "), Share: value / total,
		Text: quantity.Format(kind, value, 0), Note: note,
	})
}
