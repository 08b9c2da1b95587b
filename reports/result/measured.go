package result

import (
	"cmp"
	"encoding/json"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// Measured is what the results of count, plan and recommend have in common, as it is read back.
// What a result lacks is 0 or nil.
type Measured struct {
	Shape struct {
		Name string `json:"name"`
	} `json:"shape"`
	Hardware      string             `json:"hardware"`
	Params        Params             `json:"params"`
	FLOPs         FLOPs              `json:"flops"`
	Memory        Memory             `json:"memory"`
	Time          Time               `json:"time"`
	RunFLOPs      amount             `json:"run_flops"`
	Cost          Cost               `json:"cost"`
	Decode        Decode             `json:"decode"`
	DecodeSeconds *quantity.Interval `json:"decode_seconds"` // of recommend
}

// amount is a number, or an estimate.
type amount struct{ *quantity.Interval }

func (a *amount) UnmarshalJSON(text []byte) error {
	var v float64
	if json.Unmarshal(text, &v) == nil {
		a.Interval = &quantity.Interval{Value: v, Low: v, High: v}
		return nil
	}
	return json.Unmarshal(text, &a.Interval)
}

// Measures returns the metrics that the result has.
func (m *Measured) Measures() plan.Measures {
	var out plan.Measures
	for metric, v := range map[plan.Metric]float64{
		plan.Params: float64(m.Params.Total), plan.NonEmbedding: float64(m.Params.NonEmbedding),
		plan.StepFLOPs: m.FLOPs.Step, plan.Memory: m.Memory.PeakBytes,
	} {
		if v > 0 {
			out[metric] = hardware.Exactly(v)
		}
	}
	for metric, i := range map[plan.Metric]*quantity.Interval{
		plan.RunFLOPs: m.RunFLOPs.Interval, plan.StepTime: m.Time.StepSeconds,
		plan.TotalTime: m.Time.TotalSeconds, plan.DeviceHours: m.Cost.DeviceHours,
		plan.Cost: m.Cost.USD, plan.Energy: m.Cost.EnergyKWh, plan.CO2: m.Cost.CO2Kg,
		plan.LifetimeCost:  m.Cost.Lifetime,
		plan.DecodeLatency: cmp.Or(m.Decode.LatencySeconds, m.DecodeSeconds),
	} {
		if i != nil && i.Low <= i.Value && i.Value <= i.High {
			out[metric] = hardware.Estimate{Interval: i}
		}
	}
	return out
}
