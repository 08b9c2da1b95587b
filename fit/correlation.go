package fit

import (
	"cmp"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// kendall returns tau-b, which corrects for ties.
//
// Source: Kendall 1945, Biometrika 33(3).
func kendall(x, y []float64) float64 {
	var concordant, discordant, tiesX, tiesY float64
	for i := range x {
		for j := range i {
			dx, dy := cmp.Compare(x[i], x[j]), cmp.Compare(y[i], y[j])
			switch {
			case dx == 0 && dy == 0:
			case dx == 0:
				tiesX++
			case dy == 0:
				tiesY++
			case dx == dy:
				concordant++
			default:
				discordant++
			}
		}
	}
	c := concordant + discordant
	return (concordant - discordant) / math.Sqrt((c+tiesX)*(c+tiesY))
}

// partial returns the correlation of x and y given z from the three pairwise ones.
func partial(xy, xz, yz float64) float64 {
	d := math.Sqrt((1 - xz*xz) * (1 - yz*yz))
	if d == 0 {
		return math.NaN()
	}
	return max(-1, min(1, (xy-xz*yz)/d))
}

// fisher returns the interval of a correlation r whose Fisher transform has that standard error; a
// correlation of ±1 has none to transform and is returned as it is.
func fisher(r, se, level float64) Estimate {
	if math.Abs(r) == 1 || math.IsNaN(r) {
		return Estimate{Value: r, Low: r, High: r}
	}
	half := se * distuv.UnitNormal.Quantile(0.5+level/2)
	z := math.Atanh(r)
	return Estimate{
		Value: r, Low: math.Tanh(z - half), High: math.Tanh(z + half),
		HasInterval: true,
	}
}
