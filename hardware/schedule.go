package hardware

import "github.com/deepnarrow/deepnarrow/flops"

// Fits reports whether a device holds the peak of a step in its usable memory, nil when the profile
// does not state its memory.
func (p *Profile) Fits(m *flops.Memory) *bool {
	usable, known := p.UsableBytes()
	if !known {
		return nil
	}
	fits := m.PeakBytes <= usable
	return &fits
}

// Length says how long a run is: by its work, by the clock or by the bill. The first field that is
// not 0 counts.
type Length struct {
	Steps       float64 // optimizer steps
	Tokens      float64 // see [flops.Workload.TrainingTokens]
	WallSeconds float64 // wall clock, restarts and checkpoints included
	MaxUSD      float64 // the bill that must not be exceeded
}

// Schedule is a whole run: its work, its time and its bill. What cannot be known is absent with the
// reason; a run of given wall-clock time has a bill even where its step time is unknown.
type Schedule struct {
	Steps     Estimate
	Tokens    Estimate
	Occupancy Occupancy
	Bill      Bill
	Goodput   Input
}

// Plan returns the schedule of a run on that many devices whose steps take stepSeconds and consume
// tokensPerStep.
//
//	wall = steps · step seconds / goodput      given steps or tokens
//	steps = wall · goodput / step seconds      given the wall clock
//	wall = most USD / (devices · price)        given the bill
//
// The low bound of steps and tokens is the safe one to promise.
func Plan(devices int, stepSeconds Estimate, tokensPerStep float64, length Length, goodput Input,
	rates Rates,
) Schedule {
	s := Schedule{Goodput: goodput, Occupancy: Occupancy{Devices: devices}}
	perStep := Exactly(tokensPerStep)
	switch {
	case length.Steps > 0:
		s.Steps = Exactly(length.Steps)
	case length.Tokens > 0:
		s.Steps = product(Exactly(length.Tokens), reciprocal(perStep))
	case length.WallSeconds > 0:
		s.Occupancy.WallSeconds = Exactly(length.WallSeconds)
		s.Steps = product(stepSecondsUntil(length.WallSeconds, goodput), reciprocal(stepSeconds))
	default:
		budget := affordableStepSeconds(length.MaxUSD, devices, rates.Price, Given("goodput", 1))
		s.Occupancy.WallSeconds = budget
		s.Steps = product(budget, goodput.Estimate, reciprocal(stepSeconds))
	}
	if length.Steps > 0 || length.Tokens > 0 {
		s.Occupancy = occupy(devices, product(s.Steps, stepSeconds), goodput)
	}
	s.Tokens = product(s.Steps, perStep)
	s.Bill = rates.bill(s.Occupancy)
	return s
}
