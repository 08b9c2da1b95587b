package fit

import (
	"math"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Interval returns the prediction interval of one new row at x, in the order of Law.Columns, at a
// level in (0, 1):
//
//	ln y within ln ŷ ± z·s,  s² = RMS²·n/(n − p) + SE²(ln ŷ) + Validation²
//
// (y within ŷ ± z·s for raw objectives), z the normal quantile of the level, n rows and p
// parameters. SE is the standard deviation over draws; without draws (nil) it is left out, and the
// interval is too narrow away from the rows. ok is false when n ≤ p: nothing is left to judge the
// noise by.
func (r *Result) Interval(draws *Bootstrapped, level float64, x ...float64) (in Interval, ok bool) {
	center, scale, ok := r.moments(draws, x)
	half := twoSidedNormal(level) * scale
	in = Interval{Low: center - half, High: center + half, SE: scale}
	if !r.Objective.raw {
		in.Low, in.High = math.Exp(in.Low), math.Exp(in.High)
	}
	return in, ok
}

// moments returns the prediction and its standard error in the units of the residuals.
func (r *Result) moments(draws *Bootstrapped, x []float64) (center, scale float64, ok bool) {
	free := float64(r.Rows - len(r.Params))
	if free <= 0 {
		return 0, 0, false
	}
	unit := math.Log
	if r.Objective.raw {
		unit = func(y float64) float64 { return y }
	}
	variance := r.RMS*r.RMS*float64(r.Rows)/free + square(r.Validation)
	if draws != nil {
		var sum, squares float64
		center := unit(r.Predict(x...))
		for _, p := range draws.Draws {
			d := unit(draws.Law.Predict(p, x)) - center
			sum += d
			squares += d * d
		}
		n := float64(len(draws.Draws))
		variance += max(squares-sum*sum/n, 0) / (n - 1)
	}
	return unit(r.Predict(x...)), math.Sqrt(variance), true
}

// Score compares the law with rows that it was not fitted to; see [Result.Interval] for the
// intervals. The error is a [*Refusal]: TooFewPoints without rows to score, or when the fit has as
// many parameters as rows. It panics when d lacks a column of the law.
func (r *Result) Score(d Data, draws *Bootstrapped) (ExtrapolationScore, error) {
	if d.Len() == 0 {
		return ExtrapolationScore{}, refuse(TooFewPoints, nil, "no rows to score")
	}
	var t scoreTally
	x := make([]float64, len(r.Law.Columns))
	z80, z95 := twoSidedNormal(0.80), twoSidedNormal(0.95)
	for i, y := range d.Y {
		for j, name := range r.Law.Columns {
			x[j] = d.Columns[name][i]
		}
		center, scale, ok := r.moments(draws, x)
		if !ok {
			return ExtrapolationScore{Points: d.Len()}, refuse(TooFewPoints, nil,
				"nothing is left to judge the noise by: %s, %s",
				quantity.Of(r.Rows, "row"), quantity.Of(len(r.Params), "parameter"))
		}
		seen := math.Log(y)
		if r.Objective.raw {
			seen = y
		}
		t.count(math.Log(r.Predict(x...))-math.Log(y), math.Abs(center-seen), y, r.Objective.raw,
			z80*scale, z95*scale)
	}
	return t.score(), nil
}

// SquaredError returns Σ(ln ŷ − ln y)² over the rows of a curve.
func (x *Extrapolation) SquaredError(c LearningCurve) float64 {
	sum := 0.0
	for i := range c.X {
		e := math.Log(x.Predict(c.X[i])) - math.Log(c.Y[i])
		sum += e * e
	}
	return sum
}
