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

// An ExtrapolationScore says how a prediction fared on rows it had not seen.
type ExtrapolationScore struct {
	Points int
	// RMSLE is √mean (ln ŷ − ln y)² over the rows.
	RMSLE float64
	// Coverage80 and Coverage95 are the shares of rows inside the intervals of these levels.
	Coverage80, Coverage95 float64
	// HalfWidth80 is the mean over rows of half the 80 % interval in ln y.
	HalfWidth80 float64
}

// Score compares the extrapolation with rows (x[i], y[i]), each counted once even where x repeats.
// The error is a [*Refusal]: TooFewPoints without rows, BadValue if a number is not finite and
// positive. It panics if the lengths differ.
func (x *Extrapolation) Score(at, y []float64) (ExtrapolationScore, error) {
	if len(at) != len(y) {
		panic("fit: a score needs as many y as x")
	}
	if len(y) == 0 {
		return ExtrapolationScore{}, refuse(TooFewPoints, nil, "no rows to score")
	}
	k80, k95 := intervalScales(0.80), intervalScales(0.95)
	var t scoreTally
	for i := range y {
		if !finitePositive(at[i]) || !finitePositive(y[i]) {
			return ExtrapolationScore{}, badRow(i,
				"row %d to score is (%g, %g); x and y must be finite and positive", i, at[i], y[i])
		}
		mean, spread := x.moments(math.Log(at[i]))
		scale := x.scale(spread)
		t.add(mean, y[i], false, k80*scale, k95*scale)
	}
	return t.score(), nil
}

// scoreTally collects an [ExtrapolationScore] row by row.
type scoreTally struct {
	errors     []float64
	in80, in95 int
	halfWidths float64
}

// add counts one row: the prediction and half-widths are in ln y or, when raw, in y.
func (t *scoreTally) add(predicted, y float64, raw bool, half80, half95 float64) {
	e := predicted - math.Log(y)
	miss := math.Abs(e)
	if raw {
		e, miss = math.Log(predicted/y), math.Abs(predicted-y)
	}
	t.count(e, miss, y, raw, half80, half95)
}

// count is add of a known error in ln y and its size in the units of the half-widths.
func (t *scoreTally) count(e, miss, y float64, raw bool, half80, half95 float64) {
	t.errors = append(t.errors, e)
	if miss <= half80 {
		t.in80++
	}
	if miss <= half95 {
		t.in95++
	}
	if raw {
		half80 /= y // to first order in ln y
	}
	t.halfWidths += half80
}

func (t *scoreTally) score() ExtrapolationScore {
	n := float64(len(t.errors))
	return ExtrapolationScore{
		Points: len(t.errors), RMSLE: RMS(t.errors), Coverage80: float64(t.in80) / n,
		Coverage95: float64(t.in95) / n, HalfWidth80: t.halfWidths / n,
	}
}
