package engine

import (
	"math"
	"slices"
)

// evenly returns round numbers inside the range of the values: 1, 2 or 5 times a power of ten
// apart, three to seven of them; none for fewer than two values.
func evenly(values []float64) []float64 {
	if len(values) < 2 {
		return nil
	}
	low, high := slices.Min(values), slices.Max(values)
	if low == high {
		return []float64{low}
	}
	const most = 5
	step := math.Pow(10, math.Floor(math.Log10((high-low)/most)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if (high-low)/(step*factor) <= most {
			step *= factor
			break
		}
	}
	var out []float64
	for n := math.Ceil(low / step); n*step <= high; n++ {
		out = append(out, n*step)
	}
	return out
}
