package fit

import (
	"math"
	"testing"
)

// stackOf is an average of members of which each has its own law, without an offset.
func stackOf(noise float64, heldOut ...[][]float64) *Average {
	x := &Average{}
	for k, e := range heldOut {
		x.members = append(x.members, &member{law: k, offset: math.NaN(), noise: noise, heldOut: e})
	}
	return x
}

// stackTolerance is what is left of a descent that ends when the objective gains less than
// stackGain: weights are off by about its root.
const stackTolerance = 2e-3

// Members that err by +0.3 and −0.1 on the same rows cancel at the weights 1/4 and 3/4; when errors
// count for nothing the prior stays.
func TestStackedWeightsCancelErrors(t *testing.T) {
	folds := []averageFold{{scored: []int{0, 1}}}
	x := stackOf(1e-4, [][]float64{{0.3, 0.3}}, [][]float64{{-0.1, -0.1}})
	const many, none = 1e6, 1e-6
	w := x.stackedWeights(many, folds)
	closeTo(t, "weight of the one that errs by 0.3", w[0], 0.25, stackTolerance)
	closeTo(t, "sum", w[0]+w[1], 1, rounding15)
	w = x.stackedWeights(none, folds)
	closeTo(t, "prior", w[0], 0.5, stackTolerance)
}

// A fold that refuses a member counts its worst error, 0.4, as independent of all others: with
// errors of 0.2 for the first on both rows and 0.2 and a refusal for the second,
//
//	2·q = (0.2·w + 0.2·(1−w))² + (0.2·w)² + (0.4·(1−w))²
//
// is least at 0.04·w = 0.16·(1−w): w = 0.8.
func TestStackedWeightsOfARefusal(t *testing.T) {
	folds := []averageFold{{scored: []int{0}}, {scored: []int{1}}}
	x := stackOf(1e-6, [][]float64{{0.2}, {0.2}}, [][]float64{{0.2}, nil})
	x.members = append(x.members, &member{law: 2, offset: math.NaN(), noise: 1e3, heldOut: [][]float64{{0}, {0.4}}})
	const many = 1e6
	w := x.stackedWeights(many, folds)
	closeTo(t, "weight of the first", w[0], 0.8, stackTolerance)
	closeTo(t, "weight of one that misses its own rows by 1,000", w[2], 0, stackTolerance)
}

// At the optimum, the objective rises on the way to each member: it is convex in one weight against
// the rest.
func TestStackedWeightsAreAnOptimum(t *testing.T) {
	folds := []averageFold{{scored: []int{0, 1, 2}}}
	x := stackOf(0.02, [][]float64{{0.05, -0.02, 0.04}}, [][]float64{{-0.03, 0.01, 0.02}}, [][]float64{{0.1, 0.2, -0.1}})
	const power = 8.0
	objective := func(w []float64) float64 {
		q, kl := 0.02*0.02, 0.0
		for k := range 3 {
			e := 0.0
			for i, m := range x.members {
				e += w[i] * m.heldOut[0][k]
			}
			q += e * e / 3
		}
		for _, v := range w {
			kl += v * math.Log(v*3)
		}
		return math.Log(q)/2 + kl/power
	}
	w := x.stackedWeights(power, folds)
	least := objective(w)
	const step = 0.02
	for i := range w {
		for _, sign := range []float64{-1, 1} {
			moved := make([]float64, 3)
			for l := range moved {
				moved[l] = w[l] * (1 - sign*step)
			}
			moved[i] += sign * step
			if v := objective(moved); !(v > least) {
				t.Errorf("towards member %d by %g: %.9f, below %.9f", i, sign*step, v, least)
			}
		}
	}
}
