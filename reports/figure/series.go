package figure

import (
	"math"
	"slices"
)

// LogRatios returns ln(recorded/predicted) for each row: the residuals of a law of a positive
// number.
func LogRatios(recorded, predicted []float64) []float64 {
	out := make([]float64, len(recorded))
	for i := range out {
		out[i] = math.Log(recorded[i] / predicted[i])
	}
	return out
}

// Grid returns n values from the least to the largest of all, evenly spaced in the logarithm when
// log is set. Without finite numbers it is empty.
func Grid(n int, log bool, all ...[]float64) []float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, values := range all {
		for _, v := range values {
			if log && v <= 0 || math.IsNaN(v) || math.IsInf(v, 0) {
				continue
			}
			low, high = min(low, v), max(high, v)
		}
	}
	if !(low <= high) {
		return nil
	}
	out := make([]float64, n)
	for i := range out {
		t := float64(i) / float64(n-1)
		if log {
			out[i] = low * math.Pow(high/low, t)
		} else {
			out[i] = low + t*(high-low)
		}
	}
	return out
}

// Wide tells whether numbers are better shown on a logarithmic axis: positive, and the largest more
// than factor times the least.
func Wide(factor float64, all ...[]float64) bool {
	low, high := math.Inf(1), math.Inf(-1)
	for _, values := range all {
		if len(values) > 0 {
			low, high = min(low, slices.Min(values)), max(high, slices.Max(values))
		}
	}
	return low > 0 && high > factor*low
}
