package evidence

import (
	"math"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// region is where evidence was measured: the positions of its rows, in doublings along each
// dimension in which evidence is near or far.
type region struct {
	rows      [][]float64
	low, high []float64
}

func regionOf(rows [][]float64) region {
	r := region{rows: rows}
	for _, row := range rows {
		if r.low == nil {
			r.low, r.high = append(r.low, row...), append(r.high, row...)
		}
		for j, v := range row {
			r.low[j], r.high[j] = min(r.low[j], v), max(r.high[j], v)
		}
	}
	return r
}

// outside returns how many doublings a position lies beyond the measured ones, in its worst
// dimension.
func (r *region) outside(here []float64) float64 {
	worst := 0.0
	for j, v := range here {
		worst = max(worst, r.low[j]-v, v-r.high[j])
	}
	return worst
}

// classify says how near the evidence a shape is that was not measured.
func (r *region) classify(here []float64) Class {
	switch o := r.outside(here); {
	case o == 0:
		return Interpolated
	case o <= 1:
		return Extrapolated
	}
	return Rule
}

// nearest returns the index of the measured position with the smallest largest distance, and that
// distance as a factor; the first of equals.
func (r *region) nearest(here []float64) (index int, factor float64) {
	best := math.Inf(1)
	for i := range r.rows {
		if d := r.distance(i, here); d < best {
			best, index = d, i
		}
	}
	return index, math.Exp2(best)
}

// distance returns the largest of the distances to row i along each dimension, in doublings.
func (r *region) distance(i int, here []float64) float64 {
	worst := 0.0
	for j, v := range r.rows[i] {
		worst = max(worst, math.Abs(v-here[j]))
	}
	return worst
}

// around is the interval of a value with a half-width.
func around(v, half float64) quantity.Interval {
	return quantity.Interval{Value: v, Low: v - half, High: v + half}
}
