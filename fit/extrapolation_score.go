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
	s := ExtrapolationScore{Points: len(y)}
	k80, k95 := intervalScales(0.80), intervalScales(0.95)
	errors := make([]float64, len(y))
	for i := range y {
		if !finitePositive(at[i]) || !finitePositive(y[i]) {
			r := refuse(BadValue, nil,
				"row %d to score is (%g, %g); x and y must be finite and positive", i, at[i], y[i])
			r.Rows = []int{i}
			return ExtrapolationScore{}, r
		}
		mean, spread := x.moments(math.Log(at[i]))
		scale := x.scale(spread)
		errors[i] = mean - math.Log(y[i])
		if math.Abs(errors[i]) <= k80*scale {
			s.Coverage80++
		}
		if math.Abs(errors[i]) <= k95*scale {
			s.Coverage95++
		}
		s.HalfWidth80 += k80 * scale
	}
	n := float64(len(y))
	s.RMSLE = RMS(errors)
	s.Coverage80 /= n
	s.Coverage95 /= n
	s.HalfWidth80 /= n
	return s, nil
}
