package hardware

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/flops"
)

// Calibration is the constants of the step-time model for one device type and software stack, as fitted to measured
// steps, with how far they can be trusted.
type Calibration struct {
	Constants Constants
	// Spread is the standard deviation of each constant's logarithm after the fit.
	Spread Constants
	// Residual is the standard deviation of ln(measured/predicted) of one new run.
	Residual float64
	// FittedOn says what the constants come from, e.g. "60 steps of steps.jsonl, 2026-02-03".
	FittedOn string
}

// constants returns the constants of a run, their spread and what they were fitted on.
func (r *Run) constants() (Constants, spread, string) {
	if c := r.Calibration; c != nil {
		return c.Constants, spread{c.Residual, c.Spread}, c.FittedOn
	}
	u := spread{residual: priorResidual}
	for i := range u.constants {
		u.constants[i] = priors[i].sd
	}
	return Priors(), u, ""
}

// priorResidual is the standard deviation of ln(measured/predicted) that remains with perfect constants: two runs of one
// configuration differ by 17 to 43 % in published tables.
const priorResidual = 0.12

// assumptions lists what the prediction rests on besides the run.
func (r *Run) assumptions(m *Machine, l flops.Layout, fitted string) []Assumption {
	origin := string(Default)
	source := "priors of the step-time model"
	if fitted != "" {
		origin, source = "calibrated", fitted
	}
	var list []Assumption
	add := func(name, value, origin, source string) {
		list = append(list, Assumption{name, value, origin, source})
	}
	field := func(name, value string, f *Field) {
		if f != nil {
			add(name, value, string(f.Origin), f.Source)
		}
	}
	field("memory bandwidth", fmt.Sprintf("%.4g GB/s", r.Profile.BandwidthBytesPerSecond.Value/1e9), r.Profile.BandwidthBytesPerSecond)
	add("matmul ceiling", fmt.Sprintf("%.3g of peak", m.rate/m.peak), origin, source)
	add("compiled graph", fmt.Sprint(compiled(&r.Profile, r.Software)), origin, "")
	if l.Devices() > 1 {
		field("links inside a node", fmt.Sprintf("%.4g GB/s one way", r.Profile.IntraBytesPerSecond.Value/1e9), r.Profile.IntraBytesPerSecond)
	}
	return list
}
