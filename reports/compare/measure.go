package compare

import (
	"errors"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Metric is something a review looks at.
type Metric string

// The metrics. Times, money and emissions need hardware.
const (
	Params        Metric = "params"
	NonEmbedding  Metric = "non-embedding-params"
	StepFLOPs     Metric = "step-flops" // matmul convention
	Memory        Metric = "memory"     // peak of the device that needs most
	StepTime      Metric = "step-time"
	TotalTime     Metric = "total-time" // wall clock of the run
	DeviceHours   Metric = "device-hours"
	Cost          Metric = "cost"
	Energy        Metric = "energy"
	CO2           Metric = "co2"
	DecodeLatency Metric = "decode-latency" // of one sequence
)

// traits are what differs between metrics.
var traits = []struct {
	metric Metric
	kind   quantity.Kind
	path   string // in a result's JSON
}{
	{Params, quantity.Params, "params.total"},
	{NonEmbedding, quantity.Params, "params.non_embedding"},
	{StepFLOPs, quantity.FLOP, "flops.step"},
	{Memory, quantity.Bytes, "memory.peak_bytes"},
	{StepTime, quantity.Duration, "time.step_seconds"},
	{TotalTime, quantity.Duration, "time.total_seconds"},
	{DeviceHours, quantity.Count, "cost.device_hours"},
	{Cost, quantity.Money, "cost.usd"},
	{Energy, quantity.Energy, "cost.energy_kwh"},
	{CO2, quantity.CarbonMass, "cost.co2_kg"},
	{DecodeLatency, quantity.Duration, "decode_seconds"},
}

// Metrics lists every metric in the order of tables.
func Metrics() []Metric {
	out := make([]Metric, len(traits))
	for i, t := range traits {
		out[i] = t.metric
	}
	return out
}

// ParseMetric returns the metric of that name; underscores count as hyphens.
func ParseMetric(name string) (Metric, bool) {
	m := Metric(strings.ReplaceAll(name, "_", "-"))
	return m, slices.Contains(Metrics(), m)
}

// Kind is how the metric's amounts are read and written.
func (m Metric) Kind() quantity.Kind { return traits[slices.Index(Metrics(), m)].kind }

// Path is the metric's name in the JSON of a result, joined by dots.
func (m Metric) Path() string { return traits[slices.Index(Metrics(), m)].path }

// Measures are the metrics of one shape.
type Measures map[Metric]hardware.Estimate

// Setup is what shapes are measured on.
type Setup struct {
	// Run lays a shape out: its workload, execution and layout, and the profile when Timed.
	Run func(s *shapes.Shape) (hardware.Run, error)
	// Timed says that a profile is named. Else there are no times, no money and no emissions.
	Timed   bool
	Length  hardware.Length
	Goodput hardware.Input
	Rates   hardware.Rates
}

const noHardware = "no hardware is named"

// Measure returns every metric of a valid shape. What cannot be known is absent with the reason.
// The error is that of laying the shape out.
func (s *Setup) Measure(shape *shapes.Shape) (Measures, error) {
	run, err := s.Run(shape)
	if err != nil {
		return nil, err
	}
	p := flops.CountParameters(shape)
	m := Measures{
		Params:       hardware.Exactly(float64(p.Total)),
		NonEmbedding: hardware.Exactly(float64(p.NonEmbedding)),
		StepFLOPs: hardware.Exactly(flops.CountUnder(flops.MatmulConvention, shape, run.Workload,
			run.Execution.Recompute).Step),
	}
	memory, err := flops.TrainingMemory(shape, run.Workload, run.Execution, run.Layout)
	if err != nil {
		return nil, err
	}
	m[Memory] = hardware.Exactly(memory.PeakBytes)
	step := hardware.Estimate{Missing: noHardware}
	if s.Timed {
		if step, err = stepTime(run); err != nil {
			return nil, err
		}
	}
	plan := hardware.Plan(run.Layout.Devices(), step, float64(run.Workload.TrainingTokens(shape)),
		s.Length, s.Goodput, s.Rates)
	m[StepTime], m[TotalTime] = step, plan.Occupancy.WallSeconds
	m[DeviceHours], m[Cost], m[Energy], m[CO2] = plan.Bill.DeviceHours, plan.Bill.CostUSD,
		plan.Bill.EnergyKWh, plan.Bill.CO2Kg
	if s.Timed {
		m[DecodeLatency] = decodeLatency(run)
	} else {
		for _, metric := range []Metric{TotalTime, DeviceHours, Cost, Energy, CO2, DecodeLatency} {
			m[metric] = hardware.Estimate{Missing: noHardware}
		}
	}
	return m, nil
}

// stepTime returns the predicted step, absent where the profile lacks a number.
func stepTime(run hardware.Run) (hardware.Estimate, error) {
	prediction, err := hardware.Predict(run)
	var missing *hardware.MissingError
	switch {
	case errors.As(err, &missing):
		return hardware.Estimate{Missing: missing.Error()}, nil
	case err != nil:
		return hardware.Estimate{}, err
	}
	return hardware.Estimate{Interval: &prediction.StepSeconds}, nil
}

// decodeLatency returns the predicted time to generate one sequence on one copy of the model,
// absent with the reason where that cannot be.
func decodeLatency(run hardware.Run) hardware.Estimate {
	if run.Shape.Decoder.Layers == 0 {
		return hardware.Estimate{Missing: "the shape has no decoder"}
	}
	l := run.Layout
	l.DP, l.MicroBatch, l.Accumulate, l.ZeRO = 1, 0, 0, 0
	run.Layout, run.Workload.Batch = l, 1
	decoding, err := hardware.PredictDecoding(run)
	if err != nil {
		return hardware.Estimate{Missing: err.Error()}
	}
	return hardware.Estimate{Interval: &decoding.TotalSeconds}
}
