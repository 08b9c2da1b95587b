package engine

import (
	"errors"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
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

// setting is a state resolved against the catalogues.
type setting struct {
	state    State
	shape    shapes.Shape
	workload flops.Workload
	profile  hardware.Profile
	execute  flops.Execution
	warnings []string
}

func resolve(fragment string) (setting, error) {
	state, err := Read(fragment)
	if err != nil {
		return setting{}, err
	}
	x := setting{
		state: state, execute: flops.Execution{Optimizer: flops.Adafactor},
		warnings: []string{},
	}
	if x.shape, x.workload, err = x.state.settle(); err != nil {
		return x, err
	}
	if x.profile, err = hardware.Parse(x.state.Hardware); err != nil {
		return x, err
	}
	// As on the command line: a device without bfloat16 runs in float16.
	_, bf16 := x.profile.Peaks[hardware.BF16]
	if _, fp16 := x.profile.Peaks[hardware.FP16]; !bf16 && fp16 {
		x.execute.Precision = flops.FP16Mixed
		x.warnings = append(x.warnings,
			x.profile.Name+" has no bfloat16 peak: planned in fp16-mixed")
	}
	return x, nil
}

// Answer plans the run of a state: data parallel over its devices.
func Answer(fragment string) (Plan, error) {
	var out Plan
	x, err := resolve(fragment)
	if err != nil {
		return out, err
	}
	layout := flops.Layout{DP: x.state.Devices}
	// A batch that nobody stated grows to fill every copy.
	if x.state.Batch == 0 {
		x.workload.Batch = (x.workload.Batch + layout.DP - 1) / layout.DP * layout.DP
	}
	if err := layout.Validate(&x.shape, x.workload); err != nil {
		return out, err
	}
	layout = layout.For(x.workload)
	run := hardware.Run{
		Profile: x.profile, Shape: x.shape, Workload: x.workload,
		Execution: x.execute, Layout: layout,
	}
	params := flops.CountParameters(&x.shape)
	count := flops.CountUnder(flops.MatmulConvention, &x.shape, x.workload, x.execute.Recompute)
	memory, err := flops.TrainingMemory(&x.shape, x.workload, x.execute, layout)
	if err != nil {
		return out, err
	}
	step := hardware.Estimate{}
	prediction, err := hardware.Predict(run)
	var missing *hardware.MissingError
	switch {
	case err == nil:
		step.Interval = &prediction.StepSeconds
		x.warnings = append(x.warnings, prediction.Warnings...)
	case errors.As(err, &missing):
		step.Missing = err.Error()
		x.warnings = append(x.warnings, "no step time: "+step.Missing)
	default:
		return out, err
	}
	rates, err := hardware.ResolveRates(x.profile, hardware.StatedRates{})
	if err != nil {
		return out, err
	}
	schedule := hardware.Plan(layout.Devices(), step, float64(x.workload.TrainingTokens(&x.shape)),
		hardware.Length{Steps: float64(x.state.Steps)}, hardware.DefaultGoodput(), rates)

	out.Fragment, out.Command, out.Name = x.state.Fragment(), x.state.PlanCommand(), x.shape.Name
	out.Dimensions = x.dimensions()
	out.Params.Total, out.Params.NonEmbedding = params.Total, params.NonEmbedding
	out.FLOPs.Forward, out.FLOPs.Step = count.Forward, count.Step
	out.Memory.PeakBytes, out.Memory.Fits = memory.PeakBytes, x.profile.Fits(&memory)
	out.Time.StepSeconds, out.Time.TotalSeconds, out.Time.Bound = step.Interval,
		schedule.Occupancy.WallSeconds.Interval, string(prediction.Bound)
	out.Cost.USD, out.Cost.EnergyKWh, out.Cost.CO2Kg = schedule.Bill.CostUSD.Interval,
		schedule.Bill.EnergyKWh.Interval, schedule.Bill.CO2Kg.Interval
	out.Cards = cards(&out, &schedule, &prediction)
	out.Charts = charts(&params, &memory, &prediction)
	out.Warnings = x.warnings
	return out, nil
}

// dimensions returns where every control of a settled state stands.
func (x *setting) dimensions() map[string]int {
	at := dimensions(&x.shape)
	at["batch"], at["enc"], at["dec"] = x.workload.Batch, x.workload.EncoderLength,
		x.workload.DecoderLength
	at["devices"], at["steps"] = x.state.Devices, x.state.Steps
	return at
}
