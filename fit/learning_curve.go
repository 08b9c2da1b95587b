package fit

import (
	"math"
	"slices"
)

const (
	// minCurvePoints are three rows to fit and one to validate on.
	minCurvePoints = 4
	minHeadPoints  = minCurvePoints - 1
	// A longer curve is averaged down to at most this many rows before laws are fitted: a law has
	// five parameters, and noise is estimated on all rows.
	maxFittedPoints = 256
)

// A LearningCurve is a loss Y recorded at strictly increasing X (examples, tokens, steps or FLOP).
// [NewLearningCurve] makes one.
type LearningCurve struct {
	X, Y []float64
}

// NewLearningCurve returns the rows (x[i], y[i]) in the order of x. Where an x repeats, the last
// row given wins: a log that was resumed holds its final word last. The arguments are neither kept
// nor changed.
//
// The error is a [*Refusal]: BadValue, with the rows, if a value is not finite and positive;
// TooFewPoints if fewer than four distinct x remain. It panics if the lengths differ.
func NewLearningCurve(x, y []float64) (LearningCurve, error) {
	if len(x) != len(y) {
		panic("fit: a learning curve needs as many y as x")
	}
	var bad []int
	for i := range x {
		if !finitePositive(x[i]) || !finitePositive(y[i]) {
			bad = append(bad, i)
		}
	}
	if len(bad) > 0 {
		r := refuse(BadValue, nil,
			"row %d of a learning curve is (%g, %g); x and y must be finite and positive",
			bad[0], x[bad[0]], y[bad[0]])
		r.Rows = bad
		return LearningCurve{}, r
	}
	var c LearningCurve
	for _, i := range orderOf(x) {
		if n := len(c.X); n > 0 && c.X[n-1] == x[i] {
			c.Y[n-1] = y[i]
			continue
		}
		c.X = append(c.X, x[i])
		c.Y = append(c.Y, y[i])
	}
	if len(c.X) < minCurvePoints {
		return LearningCurve{}, refuse(TooFewPoints, nil,
			"a learning curve of %d distinct x; needed: at least %d", len(c.X), minCurvePoints)
	}
	return c, nil
}

func finitePositive(v float64) bool { return v > 0 && !math.IsInf(v, 1) }

// head returns the first n rows.
func (c LearningCurve) head(n int) LearningCurve { return LearningCurve{X: c.X[:n], Y: c.Y[:n]} }

// lowest returns the smallest y.
func (c LearningCurve) lowest() float64 { return slices.Min(c.Y) }

// condensed returns the geometric means of groups of neighbouring rows, as many rows a group as
// bring a long curve to maxFittedPoints; a short curve is returned as it is. The rows are grouped
// from the end, so that every group of the part that matters is full.
func (c LearningCurve) condensed() LearningCurve {
	n := len(c.X)
	size := (n + maxFittedPoints - 1) / maxFittedPoints
	if size <= 1 {
		return c
	}
	groups := (n + size - 1) / size
	out := LearningCurve{X: make([]float64, groups), Y: make([]float64, groups)}
	for g, end := groups-1, n; g >= 0; g, end = g-1, end-size {
		start := max(end-size, 0)
		var sumX, sumY float64
		for i := start; i < end; i++ {
			sumX += math.Log(c.X[i])
			sumY += math.Log(c.Y[i])
		}
		out.X[g] = math.Exp(sumX / float64(end-start))
		out.Y[g] = math.Exp(sumY / float64(end-start))
	}
	return out
}
