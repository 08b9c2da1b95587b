package calibrate

import (
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Checked is one measured step beside its prediction.
type Checked struct {
	Record    Record
	Seconds   float64 // what counts as measured: the processor time of a disturbed step
	Predicted quantity.Interval
}

// LogError is ln(measured/predicted).
func (c *Checked) LogError() float64 { return math.Log(c.Seconds / c.Predicted.Value) }

// Verdict sums up checked steps.
type Verdict struct {
	Steps                               int
	MedianAbsLogError, WorstAbsLogError float64 // 0 without steps
	Inside                              int     // the interval
}

// Check predicts measured steps of the reference kernel by a profile, with 80 % intervals. Errors:
// an unknown shape, what keeps a run from being predicted, or [ErrNoMeasurements].
func Check(profile hardware.Profile, records []Record) ([]Checked, error) {
	var out []Checked
	for i := range records {
		m, err := records[i].measurement(profile)
		if err != nil {
			return nil, err
		}
		p, err := hardware.Predict(m.Run)
		if err != nil {
			return nil, err
		}
		out = append(out, Checked{records[i], m.Seconds, p.StepSeconds})
	}
	if len(out) == 0 {
		return nil, ErrNoMeasurements
	}
	return out, nil
}

// Judge sums up steps: all, or those that nothing disturbed.
func Judge(rows []Checked, undisturbed bool) Verdict {
	var v Verdict
	var errs []float64
	for i := range rows {
		c := &rows[i]
		if undisturbed && c.Record.Contended != "" {
			continue
		}
		errs = append(errs, math.Abs(c.LogError()))
		if c.Seconds >= c.Predicted.Low && c.Seconds <= c.Predicted.High {
			v.Inside++
		}
	}
	if v.Steps = len(errs); v.Steps > 0 {
		v.MedianAbsLogError, v.WorstAbsLogError = fit.Median(errs), slices.Max(errs)
	}
	return v
}
