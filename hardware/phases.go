package hardware

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/internal/suggest"
)

// Phase is one part of a campaign: pre-training, or fine-tuning on one task.
type Phase struct {
	Name   string
	Run    Run
	Length Length
	Rates  Rates
	// Goodput is the share of the wall clock spent in steps that count.
	Goodput Input
}

// PlannedPhase is a phase with its time and bill.
type PlannedPhase struct {
	Name       string
	Prediction *Prediction // nil where the step time cannot be known; Untimed says why
	Untimed    string
	Schedule   Schedule
}

// Campaign is several phases and their total.
type Campaign struct {
	Phases      []PlannedPhase
	WallSeconds Estimate // one after the other
	Bill        Bill     // its inputs stand with the phases
}

// PlanPhases plans phases that run one after the other, each on its own devices, and adds them up.
//
// A total is the sum of the values, its bounds the sums of the bounds: phases share the model's
// errors, so that they do not average out. What one phase lacks the total lacks, with the phase
// named in the reason.
//
// Errors are those of [Predict] but for [*MissingError], which makes the phase untimed.
func PlanPhases(phases []Phase) (Campaign, error) {
	var c Campaign
	for _, p := range phases {
		planned := PlannedPhase{Name: p.Name}
		var step Estimate
		prediction, err := Predict(p.Run)
		var missing *MissingError
		switch {
		case errors.As(err, &missing):
			planned.Untimed, step.Missing = missing.Error(), missing.Error()
		case err != nil:
			return Campaign{}, fmt.Errorf("%s: %w", p.Name, err)
		default:
			planned.Prediction, step.Interval = &prediction, &prediction.StepSeconds
		}
		tokens := p.Run.Workload.TrainingTokens(&p.Run.Shape)
		planned.Schedule = Plan(p.Run.Devices(), step, float64(tokens), p.Length, p.Goodput,
			p.Rates)
		c.Phases = append(c.Phases, planned)
	}
	c.WallSeconds = c.total(func(s *Schedule) Estimate { return s.Occupancy.WallSeconds })
	c.Bill = Bill{
		DeviceHours: c.total(func(s *Schedule) Estimate { return s.Bill.DeviceHours }),
		CostUSD:     c.total(func(s *Schedule) Estimate { return s.Bill.CostUSD }),
		EnergyKWh:   c.total(func(s *Schedule) Estimate { return s.Bill.EnergyKWh }),
		CO2Kg:       c.total(func(s *Schedule) Estimate { return s.Bill.CO2Kg }),
	}
	return c, nil
}

// total adds one estimate of every phase.
func (c *Campaign) total(of func(*Schedule) Estimate) Estimate {
	var sum quantity.Interval
	var missing []string
	for i := range c.Phases {
		e := of(&c.Phases[i].Schedule)
		if e.Interval == nil {
			missing = append(missing, c.Phases[i].Name+": "+e.Missing)
			continue
		}
		sum.Value += e.Interval.Value
		sum.Low += e.Interval.Low
		sum.High += e.Interval.High
	}
	if len(missing) > 0 {
		return Estimate{Missing: strings.Join(missing, "; ")}
	}
	return Estimate{Interval: &sum}
}

// FineTuning is the batch and the length of fine-tuning on a benchmark.
type FineTuning struct {
	Name     string
	Workload flops.Workload
	Steps    float64
}

// fineTunings are the set-ups of the T5 library: lengths of its task mixtures, and the batch of
// 2^16 input tokens and the 2^18 steps of Raffel et al. 2020 (arXiv 1910.10683, section 3.1.2).
var fineTunings = []FineTuning{
	{"glue", flops.Workload{Batch: 128, EncoderLength: 512, DecoderLength: 84}, 1 << 18},
	{"superglue", flops.Workload{Batch: 128, EncoderLength: 512, DecoderLength: 62}, 1 << 18},
	{"squad", flops.Workload{Batch: 128, EncoderLength: 512, DecoderLength: 97}, 1 << 18},
}

// FineTunings lists the named set-ups.
func FineTunings() []FineTuning { return slices.Clone(fineTunings) }

// FindFineTuning returns the set-up of a name, in any letter case. The error is a [*PresetError].
func FindFineTuning(name string) (FineTuning, error) {
	var names []string
	for _, f := range fineTunings {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
		names = append(names, f.Name)
	}
	nearest, _ := suggest.Nearest(name, names)
	return FineTuning{}, &PresetError{Name: name, Allowed: names, Nearest: nearest}
}

// PresetError says that a name means no fine-tuning set-up.
type PresetError struct {
	Name    string
	Allowed []string
	Nearest string
}

func (e *PresetError) Error() string {
	hint := ""
	if e.Nearest != "" {
		hint = "; did you mean " + e.Nearest + "?"
	}
	return fmt.Sprintf("unknown fine-tuning set-up: %q%s; one of %s", e.Name, hint,
		strings.Join(e.Allowed, ", "))
}
