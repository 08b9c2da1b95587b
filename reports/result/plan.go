package result

import (
	"cmp"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// Plan is a result of plan: one run on one machine. What is not known is absent, and Missing says
// why by its path.
type Plan struct {
	Shape    Shape    `json:"shape"`
	Cluster  string   `json:"cluster,omitempty"` // as --cluster takes it
	Hardware string   `json:"hardware"`
	Devices  int      `json:"devices"`
	Terms    string   `json:"terms,omitempty"`   // of the price: on-demand, reserved or spot
	WhatIf   string   `json:"what_if,omitempty"` // what is stated otherwise than in the first result
	Sure     *float64 `json:"sure,omitempty"`    // probability that all limits are kept
	Marks    []string `json:"marks,omitempty"`   // cheapest, fastest, fewest devices, front
	Workload Workload `json:"workload"`
	Run
	Params      Params             `json:"params"`
	FLOPs       FLOPs              `json:"flops"`
	Memory      Memory             `json:"memory"`
	Time        Time               `json:"time"`
	Steps       *quantity.Interval `json:"steps,omitempty"`
	Tokens      *quantity.Interval `json:"tokens,omitempty"`
	RunFLOPs    *quantity.Interval `json:"run_flops,omitempty"`
	Cost        Cost               `json:"cost"`
	Loss        *quantity.Interval `json:"loss,omitempty"`
	Breakdown   []Share            `json:"breakdown,omitempty"`
	Assumptions []Assumption       `json:"assumptions"`
	Changes     []Change           `json:"changes,omitempty"`
	Command     string             `json:"command,omitempty"` // lays the run out the same way
	Decode      *Decode            `json:"decode,omitempty"`
	Serve       *Serve             `json:"serve,omitempty"`
	Missing     map[string]string  `json:"missing,omitempty"`
}

// PlanRow is a plan as a row of CSV: what a spreadsheet compares.
type PlanRow struct {
	Shape       string   `json:"shape"`
	Cluster     string   `json:"cluster"`
	WhatIf      string   `json:"what_if"`
	Layout      string   `json:"layout"`
	Batch       int      `json:"batch"`
	Params      int64    `json:"params"`
	Tokens      *float64 `json:"tokens"`
	Fits        *bool    `json:"fits"`
	PeakBytes   float64  `json:"peak_bytes"`
	StepSeconds *float64 `json:"step_seconds"`
	MFU         *float64 `json:"mfu"`
	Total       *float64 `json:"total_seconds"`
	TotalHigh   *float64 `json:"total_seconds_high"`
	USD         *float64 `json:"cost_usd"`
	USDHigh     *float64 `json:"cost_usd_high"`
	EnergyKWh   *float64 `json:"energy_kwh"`
	CO2Kg       *float64 `json:"co2_kg"`
	Best        string   `json:"best"`
}

// Time is how long a step and the run take, and what a step is made of.
type Time struct {
	StepSeconds        *quantity.Interval `json:"step_seconds,omitempty"`
	TotalSeconds       *quantity.Interval `json:"total_seconds,omitempty"`
	Level              float64            `json:"level,omitempty"`
	Bound              string             `json:"bound,omitempty"`
	MFU                *float64           `json:"mfu,omitempty"`
	HFU                *float64           `json:"hfu,omitempty"`
	PeakFLOPsPerSecond float64            `json:"peak_flops_per_second,omitempty"`
	Parts              []Part             `json:"parts,omitempty"`
}

// Part is one part of a step.
type Part struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	Bound   string  `json:"bound"`
}

// Cost is the bill of a run.
type Cost struct {
	USD         *quantity.Interval `json:"usd,omitempty"`
	DeviceHours *quantity.Interval `json:"device_hours,omitempty"`
	EnergyKWh   *quantity.Interval `json:"energy_kwh,omitempty"`
	CO2Kg       *quantity.Interval `json:"co2_kg,omitempty"`
	Lifetime    *quantity.Interval `json:"lifetime_usd,omitempty"` // of training and serving
}

// Change is a [hardware.Change].
type Change struct {
	What        string  `json:"what"`
	Kind        string  `json:"kind"`
	Gain        float64 `json:"gain"` // rise of tokens per second and device
	StepSeconds float64 `json:"step_seconds"`
	PeakBytes   float64 `json:"peak_bytes,omitempty"`
	Fits        *bool   `json:"fits,omitempty"`
	Command     string  `json:"command,omitempty"` // plans the run with the change
}

// Assumption is a [plan.Assumption].
type Assumption struct {
	Name     string             `json:"name"`
	Value    *quantity.Interval `json:"value,omitempty"`
	Text     string             `json:"text,omitempty"`
	Origin   string             `json:"origin"`
	Source   string             `json:"source,omitempty"`
	Evidence string             `json:"evidence,omitempty"`
	Note     string             `json:"note,omitempty"`
}

// PlanOf returns a planned run as JSON writes it.
func PlanOf(p *plan.Answer) Plan {
	run, schedule := &p.Run, &p.Schedule
	f := Plan{
		Shape: ShapeOf(&run.Shape), Hardware: run.Profile.Name, Devices: run.Devices(),
		Workload: plannedWorkload(p), Run: *RunOf(run),
		Params: ParamsOf(&p.Params), FLOPs: FLOPsOf(p.FLOPs),
		Memory: MemoryOf(&p.Memory, p.Fits), Steps: schedule.Steps.Interval,
		Tokens: schedule.Tokens.Interval, RunFLOPs: p.RunFLOPs.Interval,
		Time: TimeOf(p), Cost: CostOf(&schedule.Bill),
		Assumptions: assumptionsOf(p.Assumptions()), Decode: decodeOf(p),
		Serve: serveOf(p.Serving), Missing: p.Missing(),
		Breakdown: SharesOf(p.Breakdown),
	}
	if f.Execution.Tuning != nil {
		f.Params.Trained = &p.Trained
	}
	for _, c := range p.Changes {
		f.Changes = append(f.Changes, Change{
			What: c.What, Kind: string(c.Kind), Gain: c.Gain, StepSeconds: c.StepSeconds,
			PeakBytes: c.PeakBytes, Fits: c.Fits,
		})
	}
	return f
}

func plannedWorkload(a *plan.Answer) Workload {
	run := &a.Run
	f := WorkloadOf(&run.Shape, run.Workload)
	f.Tokens, f.Dropout = run.Workload.TrainingTokens(&run.Shape), &run.Execution.Dropout
	if i := a.Schedule.Goodput.Interval; i != nil {
		f.Goodput = &i.Value
	}
	return f
}

// TimeOf returns the times of an answer as JSON writes them.
func TimeOf(a *plan.Answer) Time {
	f := Time{TotalSeconds: a.Schedule.Occupancy.WallSeconds.Interval}
	if q := a.Prediction; q != nil {
		f.StepSeconds, f.Level, f.Bound = &q.StepSeconds, q.Level, string(q.Bound)
		f.MFU, f.HFU, f.PeakFLOPsPerSecond = &q.MFU, &q.HFU, q.PeakFLOPsPerSecond
		for _, part := range q.Parts {
			f.Parts = append(f.Parts, Part{part.Name, part.Seconds, string(part.Bound)})
		}
	}
	return f
}

// CostOf returns a bill as JSON writes it.
func CostOf(b *hardware.Bill) Cost {
	return Cost{
		USD: b.CostUSD.Interval, DeviceHours: b.DeviceHours.Interval,
		EnergyKWh: b.EnergyKWh.Interval, CO2Kg: b.CO2Kg.Interval,
	}
}

func assumptionsOf(list []plan.Assumption) []Assumption {
	out := []Assumption{}
	for _, a := range list {
		out = append(out, Assumption{
			Name: a.Name, Value: a.Value, Text: cmp.Or(a.Text, a.Missing), Origin: string(a.Origin),
			Source: a.Source, Evidence: string(a.Evidence), Note: a.Note,
		})
	}
	return out
}

// Phase is one phase of a run file: a planned run with its name.
type Phase struct {
	Phase string `json:"phase"`
	Plan
}

// Total is the sum of the phases, the last of the results.
type Total struct {
	Phase   string            `json:"phase"` // "total"
	Time    Time              `json:"time"`
	Cost    Cost              `json:"cost"`
	Missing map[string]string `json:"missing,omitempty"`
}

// Decode is what generating answers with one copy of the model takes, or why that is not known.
type Decode struct {
	Workload        *Workload          `json:"workload,omitempty"`
	Devices         int                `json:"devices,omitempty"`
	LatencySeconds  *quantity.Interval `json:"latency_seconds,omitempty"`
	EncoderSeconds  *quantity.Interval `json:"encoder_seconds,omitempty"`
	PrefillSeconds  *quantity.Interval `json:"prefill_seconds,omitempty"`
	StepSeconds     *quantity.Interval `json:"step_seconds,omitempty"`
	Generated       int                `json:"generated,omitempty"`
	TokensPerSecond float64            `json:"tokens_per_second,omitempty"`
	Bound           string             `json:"bound,omitempty"`
	Memory          *Memory            `json:"memory,omitempty"`
	TokenBytes      float64            `json:"cache_bytes_per_token,omitempty"`
	SourceBytes     float64            `json:"cross_cache_bytes_per_token,omitempty"`
	Missing         string             `json:"missing,omitempty"`
}

func decodeOf(a *plan.Answer) *Decode {
	d := a.Decode
	switch {
	case d == nil:
		return nil
	case d.Decoding == nil:
		return &Decode{Missing: d.Missing}
	}
	q := d.Decoding
	w, m := WorkloadOf(&a.Run.Shape, d.Workload), MemoryOf(&q.Memory, q.Fits)
	f := Decode{
		Workload: &w, Devices: d.Devices, LatencySeconds: &q.TotalSeconds,
		StepSeconds: &q.StepSeconds, Generated: q.Generated,
		TokensPerSecond: q.TokensPerSecond, Bound: string(q.Bound), Memory: &m,
	}
	f.TokenBytes, f.SourceBytes = cacheOf(a)
	f.EncoderSeconds, f.PrefillSeconds = taken(&q.EncoderSeconds), taken(&q.PrefillSeconds)
	return &f
}

// taken returns a time, nil where none is taken.
func taken(i *quantity.Interval) *quantity.Interval {
	if i.Value > 0 {
		return i
	}
	return nil
}

// cacheOf returns the bytes a whole model caches for one position of an answer and of its source.
func cacheOf(a *plan.Answer) (token, source float64) {
	return flops.CacheBytes(&a.Run.Shape, 1, float64(a.Run.Execution.Precision.Bytes().Compute))
}

// Serve is how a model serves its traffic and what that costs, or why that is not known.
type Serve struct {
	Prompt            int           `json:"prompt"` // tokens of a request
	Generate          int           `json:"generate"`
	RequestsPerSecond float64       `json:"requests_per_second,omitempty"` // as stated
	MaxLatencySeconds float64       `json:"max_latency_seconds,omitempty"`
	Sure              float64       `json:"sure,omitempty"`
	Weights           flops.Storage `json:"weights"`

	Batch    int     `json:"batch,omitempty"` // of one copy
	TP       int     `json:"tp,omitempty"`
	Copies   int     `json:"copies,omitempty"`
	Devices  int     `json:"devices,omitempty"`
	Load     float64 `json:"load,omitempty"`
	Compiled *bool   `json:"compiled,omitempty"`

	LatencySeconds *quantity.Interval `json:"latency_seconds,omitempty"`
	EncoderSeconds *quantity.Interval `json:"encoder_seconds,omitempty"`
	PrefillSeconds *quantity.Interval `json:"prefill_seconds,omitempty"`
	StepSeconds    *quantity.Interval `json:"step_seconds,omitempty"`
	Bound          string             `json:"bound,omitempty"`
	CopyRequests   *quantity.Interval `json:"copy_requests_per_second,omitempty"`
	Memory         *Memory            `json:"memory,omitempty"`

	PerMillionIn  *quantity.Interval `json:"usd_per_million_input_tokens,omitempty"`
	PerMillionOut *quantity.Interval `json:"usd_per_million_output_tokens,omitempty"`
	PerMonth      *quantity.Interval `json:"usd_per_month,omitempty"`
	Life          *quantity.Interval `json:"lifetime_usd,omitempty"` // of serving lifetime_tokens
	Tokens        float64            `json:"lifetime_tokens,omitempty"`
	Missing       string             `json:"missing,omitempty"`
}

// serveOf returns serving as JSON writes it; nil where none is asked for.
func serveOf(s *plan.Served) *Serve {
	if s == nil {
		return nil
	}
	f := &Serve{
		Prompt: s.Prompt, Generate: s.Generate, RequestsPerSecond: s.PerSecond,
		MaxLatencySeconds: s.MaxSeconds, Sure: s.Sure, Weights: s.Stored, Tokens: s.Tokens,
		Missing: s.Missing,
	}
	d := s.Decoding
	if d == nil {
		return f
	}
	compiled, memory := s.Run.Compiled(), MemoryOf(&d.Memory, d.Fits)
	f.Batch, f.TP, f.Copies, f.Devices, f.Load = s.Batch, s.TP, s.Copies, s.Devices(), s.Load
	f.Compiled, f.Memory, f.Bound = &compiled, &memory, string(d.Bound)
	f.LatencySeconds, f.StepSeconds, f.CopyRequests = &d.TotalSeconds, &d.StepSeconds,
		s.Requests.Interval
	f.EncoderSeconds, f.PrefillSeconds = taken(&d.EncoderSeconds), taken(&d.PrefillSeconds)
	f.PerMillionIn, f.PerMillionOut, f.PerMonth = s.PerMillionIn.Interval,
		s.PerMillionOut.Interval, s.PerMonth.Interval
	if f.Missing = s.PerMonth.Missing; s.Tokens > 0 {
		f.Life = s.Life.Interval
	}
	return f
}

// ServedRow is serving as a row of CSV.
type ServedRow struct {
	Shape       string   `json:"shape"`
	Hardware    string   `json:"hardware"`
	Devices     int      `json:"devices,omitempty"`
	Copies      int      `json:"copies,omitempty"`
	Batch       int      `json:"batch,omitempty"`
	Load        float64  `json:"load,omitempty"`
	Latency     *float64 `json:"latency_seconds"`
	LatencyHigh *float64 `json:"latency_seconds_high"`
	PeakBytes   *float64 `json:"peak_bytes"`
	In          *float64 `json:"usd_per_million_input_tokens"`
	Out         *float64 `json:"usd_per_million_output_tokens"`
	Month       *float64 `json:"usd_per_month"`
	Missing     string   `json:"missing"`
}
