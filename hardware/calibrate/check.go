package calibrate

import (
	"math"

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

// Verdict sums up a check.
type Verdict struct {
	MedianAbsLogError, WorstAbsLogError float64
	Inside                              int // the interval
}

// Check predicts measured steps of the reference kernel by a profile, with 80 % intervals. Errors: an unknown shape, or what keeps a
// run from being predicted.
func Check(profile hardware.Profile, records []Record) ([]Checked, Verdict, error) {
	var out []Checked
	var verdict Verdict
	var errs []float64
	for i := range records {
		m, err := records[i].measurement(profile)
		if err != nil {
			return nil, verdict, err
		}
		p, err := hardware.Predict(m.Run)
		if err != nil {
			return nil, verdict, err
		}
		c := Checked{records[i], m.Seconds, p.StepSeconds}
		out = append(out, c)
		e := math.Abs(c.LogError())
		errs = append(errs, e)
		verdict.WorstAbsLogError = max(verdict.WorstAbsLogError, e)
		if c.Seconds >= c.Predicted.Low && c.Seconds <= c.Predicted.High {
			verdict.Inside++
		}
	}
	if len(errs) == 0 {
		return nil, verdict, ErrNoMeasurements
	}
	verdict.MedianAbsLogError = median(errs)
	return out, verdict, nil
}
