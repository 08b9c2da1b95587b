package hardware

import (
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/flops"
)

// statedSD is the spread of ln(measured/predicted) where the user states the utilisation of a run:
// what their next run of the same kind differs by.
const statedSD = 0.05

// AtMFU returns the profile under which a run reaches a model FLOPs utilisation, as a fraction, and
// the utilisation that the model expected. The level of all times is changed and nothing else, so
// that what other layouts, batches or shapes would change is still the model's:
//
//	time of everything × (FLOPs/(devices·peak·MFU))/(predicted seconds)
//
// The intervals are those of the statement: ±5 % as a standard deviation, and the constants that
// other runs would read. Errors are those of [Predict].
func AtMFU(r Run, mfu float64) (p Profile, expected float64, err error) {
	m, fit, err := r.machine()
	if err != nil {
		return Profile{}, 0, err
	}
	seconds, err := m.StepSeconds(&r.Shape, r.Workload, r.Layout)
	if err != nil {
		return Profile{}, 0, err
	}
	work, _ := flops.CountTuned(&r.Shape, r.Workload, &r.Execution)
	full := work.Step / (float64(r.Devices()) * m.peak) // at an MFU of 1
	expected = full / seconds
	level := math.Log(expected / mfu)
	fit.Constants[SoftwareTime] *= math.Exp(level)
	fit.pin(&r, seconds*math.Exp(level))
	fit.FittedOn = fmt.Sprintf("a stated MFU of %.3g %%", 100*mfu)
	fit.Residual = statedSD
	p = r.Profile.Clone()
	p.Calibration = &fit
	return p, expected, nil
}

// pin conditions the covariance on the time of a run, which is then known: Σ − Σg·gᵀΣ/(gᵀΣg), g the
// slopes of its logarithm.
func (c *Calibration) pin(r *Run, seconds float64) {
	slope := c.slopes(r, r.trainingStep(), seconds, firstOfDecoding)
	var along [constants]float64
	total := 0.0
	for i := range slope {
		for j := range slope {
			along[i] += c.Covariance[i][j] * slope[j]
		}
		total += slope[i] * along[i]
	}
	if !(total > 0) {
		return
	}
	for i := range along {
		for j := range along {
			c.Covariance[i][j] -= along[i] * along[j] / total
		}
	}
}
