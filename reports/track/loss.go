package track

import (
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

const (
	windowShare  = 0.1 // of the rows, for the level of the loss
	fewestWindow = 3
	fewestLosses = 8
	leastRise    = 0.05 // of the loss, before it counts as rising
	sureRise     = 5    // standard errors
)

// losses returns the steps and losses that are positive numbers.
func (l *Log) losses() (x, y []float64) {
	for _, p := range l.Points {
		const least, most = 1e-12, 1e12 // of a loss that is one
		if p.Loss >= least && p.Loss <= most && p.Step > 0 {
			x, y = append(x, p.Step), append(y, p.Loss)
		}
	}
	return x, y
}

// rise returns by how much, as a share, the level of the loss stands above the lowest it had, and
// whether noise cannot explain that.
//
//	level = median of a tenth of the rows;  se = 1.2533 · σ/√n
//	σ = 1.4826 · MAD of the differences of neighbours in ln y, over √2
//
// A rise counts beyond 5 standard errors and 5 %.
func rise(y []float64) (share float64, sure bool) {
	n := len(y)
	if n < fewestLosses {
		return 0, false
	}
	w := max(fewestWindow, int(windowShare*float64(n)))
	logs := make([]float64, n)
	var steps []float64
	for i, v := range y {
		logs[i] = math.Log(v)
		if i > 0 {
			steps = append(steps, math.Abs(logs[i]-logs[i-1]))
		}
	}
	level := func(end int) float64 { return fit.Median(slices.Clone(logs[end-w : end])) }
	least := math.Inf(1)
	for end := w; end <= n-w; end += (w + 1) / 2 {
		least = min(least, level(end))
	}
	up := level(n) - least
	const ofMedian, ofMAD = 1.2533, 1.4826
	se := ofMedian * ofMAD * fit.Median(steps) / math.Sqrt2 / math.Sqrt(float64(w))
	return math.Expm1(up), up > max(math.Log1p(leastRise), sureRise*se)
}

// continued returns the loss at a later step by the laws of learning curves, see [fit.Extrapolate]; nil
// where the log is too short. What a schedule does at its end is not in it.
func continued(x, y []float64, at, level float64) (*quantity.Interval, []string) {
	curve, err := fit.NewLearningCurve(x, y)
	if err != nil {
		return nil, nil
	}
	if last := curve.X[len(curve.X)-1]; at <= last {
		return hardware.Exactly(curve.Y[len(curve.Y)-1]).Interval, nil
	}
	e := fit.Extrapolate(curve)
	out := quantity.Interval{Value: e.Predict(at)}
	out.Low, out.High = e.Interval(at, level)
	notes := slices.Clone(e.Warnings)
	if at > fit.CalibratedReach*e.Last {
		notes = append(notes,
			fmt.Sprintf("The loss is continued to %.2g times the steps recorded; its interval was checked up to %.2g times.", at/e.Last, fit.CalibratedReach))
	}
	return &out, notes
}
