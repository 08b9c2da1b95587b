package fit

import (
	"math"
	"slices"
)

// descendLAD minimises a penalty with a kink: descents with the kink rounded ever tighter, each
// starting where the last ended, until the active-set method takes over and ends at a certified
// optimum.
func (pb *problem) descendLAD(start []float64, ws *workspace) optimum {
	pb = pb.merged()
	abs := each(pb.residuals(start), math.Abs)
	slices.Sort(abs)
	scale := max(abs[len(abs)/2], 1e-300)
	x, evals := start, 0
	for level := range roundings {
		h := scale * math.Pow(0.1, float64(level))
		end := pb.withObjective(pb.obj.smoothed(h)).minimiseTo(x, ws, 1e-9, 60)
		evals += end.evals
		x = end.theta
		if level < 2 {
			continue // the active rows do not show yet
		}
		v := pb.activeSet(x, h, ws)
		x, evals = v.theta, evals+v.evals
		if v.converged {
			return optimum{x, v.value, true, evals}
		}
	}
	return optimum{x, pb.eval(x, nil), false, evals}
}

// roundings is how often the kink is rounded ten times tighter before the search for the active
// rows is given up.
const roundings = 8

// merged returns the problem with equal rows made one, their weights added: the fit can pass
// through a row only once.
func (pb *problem) merged() *problem {
	w := append([]float64(nil), pb.w...)
	first := make(map[[maxFeatures + 1]float64]int, pb.n)
	for i := range pb.n {
		var key [maxFeatures + 1]float64
		copy(key[:], pb.row(i))
		key[maxFeatures] = pb.y[i]
		at, seen := first[key]
		if !seen {
			first[key] = i
			continue
		}
		w[at] += w[i]
		w[i] = 0
	}
	if len(first) == pb.n {
		return pb
	}
	one := *pb
	one.w = make([]float64, pb.n)
	for i := range one.w {
		one.w[i] = 1
	}
	return one.withWeights(w)
}

// onVertex is the residual below which a row counts as passed through.
const onVertex = 1e-10

// vertexRows counts the rows whose residual is zero to rounding.
func (pb *problem) vertexRows(theta []float64) int {
	n := 0
	for _, e := range pb.residuals(theta) {
		if math.Abs(e) < onVertex {
			n++
		}
	}
	return n
}
