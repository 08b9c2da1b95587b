package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Metric is one number of an [Answer] that runs are compared, limited or recommended by.
type Metric uint8

// The metrics. Times, money and emissions need hardware.
const (
	NoMetric     Metric = iota
	Params              // trainable parameters
	NonEmbedding        // without embedding tables
	StepFLOPs           // of one step, matmul convention
	RunFLOPs            // of the whole run
	Memory              // peak of the device that needs most
	StepTime
	TotalTime // wall clock of the run
	DeviceHours
	Cost
	Energy
	CO2
	DecodeLatency // to generate one answer with one copy of the model
	LifetimeCost  // of training, and of serving that many tokens

	MetricCount // bounds arrays that are indexed by a metric
)

type traits struct {
	name  string // in flags, rules and tables
	label string // on a drawing
	unit  string // base unit, in words
	path  string // in a result's JSON
	kind  quantity.Kind
	of    func(*Answer) hardware.Estimate
}

var metrics = [MetricCount]traits{
	NoMetric: {name: "none"},
	Params: {
		"params", "parameters", "parameters", "params.total", quantity.Params,
		func(a *Answer) hardware.Estimate { return hardware.Exactly(float64(a.Params.Total)) },
	},
	NonEmbedding: {
		"non-embedding-params", "parameters without embedding", "parameters",
		"params.non_embedding", quantity.Params,
		func(a *Answer) hardware.Estimate { return hardware.Exactly(float64(a.Params.NonEmbedding)) },
	},
	StepFLOPs: {
		"step-flops", "FLOPs of a step", "FLOP", "flops.step", quantity.FLOP,
		func(a *Answer) hardware.Estimate { return hardware.Exactly(a.FLOPs.Step) },
	},
	RunFLOPs: {
		"flops", "FLOPs of the run", "FLOP", "run_flops", quantity.FLOP,
		func(a *Answer) hardware.Estimate { return a.RunFLOPs },
	},
	Memory: {
		"memory", "peak memory of a device", "bytes", "memory.peak_bytes", quantity.Bytes,
		func(a *Answer) hardware.Estimate { return hardware.Exactly(a.Memory.PeakBytes) },
	},
	StepTime: {
		"step-time", "step time", "seconds", "time.step_seconds", quantity.Duration,
		func(a *Answer) hardware.Estimate { return a.StepTime },
	},
	TotalTime: {
		"total-time", "wall clock of the run", "seconds", "time.total_seconds", quantity.Duration,
		func(a *Answer) hardware.Estimate { return a.Schedule.Occupancy.WallSeconds },
	},
	DeviceHours: {
		"device-hours", "device-hours of the run", "hours", "cost.device_hours", quantity.Count,
		func(a *Answer) hardware.Estimate { return a.Schedule.Bill.DeviceHours },
	},
	Cost: {
		"cost", "cost of the run", "USD", "cost.usd", quantity.Money,
		func(a *Answer) hardware.Estimate { return a.Schedule.Bill.CostUSD },
	},
	Energy: {
		"energy", "energy of the run", "kWh", "cost.energy_kwh", quantity.Energy,
		func(a *Answer) hardware.Estimate { return a.Schedule.Bill.EnergyKWh },
	},
	CO2: {
		"co2", "emissions of the run", "kgCO2e", "cost.co2_kg", quantity.CarbonMass,
		func(a *Answer) hardware.Estimate { return a.Schedule.Bill.CO2Kg },
	},
	DecodeLatency: {
		"decode-latency", "time to generate one answer", "seconds", "decode.latency_seconds",
		quantity.Duration,
		func(a *Answer) hardware.Estimate { return a.Decode.Latency() },
	},
	LifetimeCost: {
		"lifetime-cost", "cost of training and serving", "USD", "cost.lifetime_usd", quantity.Money,
		(*Answer).LifetimeCost,
	},
}

// Metrics lists every metric in the order of tables.
func Metrics() []Metric {
	out := make([]Metric, 0, MetricCount-1)
	for m := NoMetric + 1; m < MetricCount; m++ {
		out = append(out, m)
	}
	return out
}

// ParseMetric returns the metric of that name; underscores count as hyphens.
func ParseMetric(name string) (Metric, bool) {
	name = strings.ReplaceAll(name, "_", "-")
	i := slices.IndexFunc(metrics[1:], func(t traits) bool { return t.name == name })
	return Metric(i + 1), i >= 0
}

// String returns the name used in flags, rules and tables, e.g. "step-time".
func (m Metric) String() string {
	if m < MetricCount {
		return metrics[m].name
	}
	return fmt.Sprintf("invalid(%d)", uint8(m))
}

// Label is what the metric is, as a drawing says it.
func (m Metric) Label() string { return metrics[m].label }

// Unit is the base unit that amounts of the metric are in.
func (m Metric) Unit() string { return metrics[m].unit }

// Kind is how the metric's amounts are read and written.
func (m Metric) Kind() quantity.Kind { return metrics[m].kind }

// Path is the metric's name in the JSON of a result, joined by dots.
func (m Metric) Path() string { return metrics[m].path }

// Of returns the metric of an answer, absent with the reason where it is not known.
func (m Metric) Of(a *Answer) hardware.Estimate { return metrics[m].of(a) }

// Saved returns the fraction of the base's metric that an answer saves: 0.4 is 40 % less, negative
// is more. Nil where either is not known, or the base is 0.
func (m Metric) Saved(a, base *Answer) *float64 {
	mine, theirs := m.Of(a).Interval, m.Of(base).Interval
	if mine == nil || theirs == nil || theirs.Value == 0 {
		return nil
	}
	f := 1 - mine.Value/theirs.Value
	return &f
}

// Measures are the metrics of one answer, by [Metric].
type Measures [MetricCount]hardware.Estimate

// Measures returns every metric of an answer.
func (a *Answer) Measures() Measures {
	var out Measures
	for _, m := range Metrics() {
		out[m] = m.Of(a)
	}
	return out
}

// inputKinds says how each input of a bill is written; others are plain numbers.
var inputKinds = map[string]quantity.Kind{
	"price": quantity.HourlyPrice, "mean power": quantity.Power, "PUE": quantity.Ratio,
	"grid intensity": quantity.CarbonIntensity, "goodput": quantity.Fraction,
}

// InputKind is how an input of a bill is written, by the name of its assumption.
func InputKind(name string) quantity.Kind { return inputKinds[name] }
