package fit

import "math"

// spreadShare is what the spread of the candidates adds to the scale of a prediction error: they
// are not independent guesses, and most of them are wrong together or not at all.
//
// Evidence: measured-here, as the round number at which the coverage of the intervals differs less
// between data sets than at 1 (docs/extrapolation.md).
const spreadShare = 0.5

// A levelFactor says how many scales an interval of a nominal level reaches to either side.
type levelFactor struct {
	level, scales float64
}

// intervalFactors returns the calibrated levels, in rising order.
//
// Evidence: measured-here. The smallest factors with which the intervals cover that share of the
// rows after the end of 46 public learning curves, averaged by curve (docs/extrapolation.md).
func intervalFactors() [2]levelFactor {
	return [2]levelFactor{{0.80, 1.21}, {0.95, 1.90}}
}

// CalibratedReach is the largest x, over the last x fitted, at which the intervals of
// [Extrapolation] were checked. Beyond it they are a guess.
const CalibratedReach = 2.2

// Interval returns the prediction interval of one new row at x > 0 at a nominal level in (0, 1):
//
//	ŷ·exp(∓ k·s),  s² = Validation² + (3·Noise)² + (spread(x)/2)².
//
// spread is the standard deviation of ln ŷ over the candidates. k is calibrated at 80 and 95 %; at
// other levels the ratio of k to the normal quantile is interpolated in that quantile, and held
// beyond the two.
//
// The interval is for a row, not for the mean of a curve. The rows of one curve miss together: of
// curves in general the stated share of rows is covered, of one curve often nearly all or half. It
// panics for a level outside (0, 1).
func (x *Extrapolation) Interval(at, level float64) (low, high float64) {
	if !(level > 0 && level < 1) {
		panic("fit: the level of an interval lies between 0 and 1")
	}
	mean, spread := x.moments(math.Log(at))
	half := intervalScales(level) * x.scale(spread)
	return math.Exp(mean - half), finiteExp(mean + half)
}

// finiteExp returns e^v, or the largest number instead of infinity.
func finiteExp(v float64) float64 { return min(math.Exp(v), math.MaxFloat64) }

// scale returns s.
func (x *Extrapolation) scale(spread float64) float64 {
	return math.Hypot(x.Validation, math.Hypot(x.settings.noiseFactor*x.Noise, spreadShare*spread))
}

// intervalScales returns k.
func intervalScales(level float64) float64 { return scalesOf(intervalFactors(), level) }

// scalesOf interpolates calibrated factors: see [Extrapolation.Interval].
func scalesOf(f [2]levelFactor, level float64) float64 {
	z, z0, z1 := twoSidedNormal(level), twoSidedNormal(f[0].level), twoSidedNormal(f[1].level)
	ratio0, ratio1 := f[0].scales/z0, f[1].scales/z1
	t := min(max((z-z0)/(z1-z0), 0), 1)
	return z * (ratio0 + t*(ratio1-ratio0))
}
