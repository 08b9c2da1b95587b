package plan

import (
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Phase is one part of a campaign, planned: pre-training, or fine-tuning on one task.
type Phase struct {
	Name string
	Answer
}

// Campaign is several phases, one after the other, and their total.
type Campaign struct {
	Phases      []Phase
	WallSeconds hardware.Estimate
	Bill        hardware.Bill // its inputs are with the phases
}

// NewCampaign adds phases up, each on its own devices.
//
// A total is the sum of the values, its bounds the sums of the bounds: phases share the model's
// errors, so that they do not average out. What one phase lacks the total lacks, with the phase
// named in the reason.
func NewCampaign(phases []Phase) Campaign {
	total := func(m Metric) hardware.Estimate {
		var sum quantity.Interval
		var missing []string
		for i := range phases {
			e := m.Of(&phases[i].Answer)
			if e.Interval == nil {
				missing = append(missing, phases[i].Name+": "+e.Missing)
				continue
			}
			sum.Value += e.Interval.Value
			sum.Low += e.Interval.Low
			sum.High += e.Interval.High
		}
		if len(missing) > 0 {
			return hardware.Estimate{Missing: strings.Join(missing, "; ")}
		}
		return hardware.Estimate{Interval: &sum}
	}
	return Campaign{
		Phases: phases, WallSeconds: total(TotalTime),
		Bill: hardware.Bill{
			DeviceHours: total(DeviceHours), CostUSD: total(Cost), EnergyKWh: total(Energy),
			CO2Kg: total(CO2),
		},
	}
}
