package engine

import (
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// Plan is the answer to one state. The numbers have the names and base units of the JSON that
// `deepnarrow plan` writes; Cards and Bars are the same as text.
type Plan struct {
	Fragment   string         `json:"fragment"`
	Command    string         `json:"command"`
	Name       string         `json:"name"`
	Dimensions map[string]int `json:"dimensions"` // what every control stands at, by its key in the fragment
	Params     struct {
		Total        int64 `json:"total"`
		NonEmbedding int64 `json:"non_embedding"`
	} `json:"params"`
	FLOPs struct {
		Forward float64 `json:"forward"`
		Step    float64 `json:"step"`
	} `json:"flops"`
	Memory struct {
		PeakBytes float64 `json:"peak_bytes"`
		Fits      *bool   `json:"fits,omitempty"`
	} `json:"memory"`
	Time struct {
		StepSeconds  *quantity.Interval `json:"step_seconds,omitempty"`
		TotalSeconds *quantity.Interval `json:"total_seconds,omitempty"`
		Bound        string             `json:"bound,omitempty"`
	} `json:"time"`
	Cost struct {
		USD       *quantity.Interval `json:"usd,omitempty"`
		EnergyKWh *quantity.Interval `json:"energy_kwh,omitempty"`
		CO2Kg     *quantity.Interval `json:"co2_kg,omitempty"`
	} `json:"cost"`
	Cards    []Card   `json:"cards"`
	Charts   []Chart  `json:"charts"`
	Warnings []string `json:"warnings"`
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
		Length: hardware.Length{Steps: float64(s.Steps)},
	}
	profile, err := hardware.Parse(s.Hardware)
	q.Profile = &profile
	return q, err
}

// Answer plans the run of a state: data parallel over its devices.
func Answer(fragment string) (Plan, error) {
	var out Plan
	state, shape, err := settled(fragment)
	if err != nil {
		return out, err
	}
	q, err := state.question()
	if err != nil {
		return out, err
	}
	a, err := q.Of(&shape).Answer()
	if err != nil {
		return out, err
	}
	out.Fragment, out.Command, out.Name = state.Fragment(), state.PlanCommand(), shape.Name
	out.Dimensions = state.dimensions(&a)
	out.Params.Total, out.Params.NonEmbedding = a.Params.Total, a.Params.NonEmbedding
	out.FLOPs.Forward, out.FLOPs.Step = a.FLOPs.Forward, a.FLOPs.Step
	out.Memory.PeakBytes, out.Memory.Fits = a.Memory.PeakBytes, a.Fits
	out.Time.StepSeconds, out.Time.TotalSeconds = a.StepTime.Interval,
		a.Schedule.Occupancy.WallSeconds.Interval
	if a.Prediction != nil {
		out.Time.Bound = string(a.Prediction.Bound)
	}
	bill := &a.Schedule.Bill
	out.Cost.USD, out.Cost.EnergyKWh, out.Cost.CO2Kg = bill.CostUSD.Interval,
		bill.EnergyKWh.Interval, bill.CO2Kg.Interval
	out.Cards, out.Charts = cards(&a), charts(&a)
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
