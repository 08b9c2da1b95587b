package fit

import "math"

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
