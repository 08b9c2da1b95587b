package fit

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

func TestNewLearningCurve(t *testing.T) {
	// By hand: sorted by x, the last row of x = 2 kept.
	got, err := NewLearningCurve([]float64{4, 2, 1, 2, 3}, []float64{0.5, 9, 1, 0.8, 0.6})
	if err != nil {
		t.Fatal(err)
	}
	want := LearningCurve{X: []float64{1, 2, 3, 4}, Y: []float64{1, 0.8, 0.6, 0.5}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNewLearningCurveRefuses(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name string
		x, y []float64
		kind Kind
		rows []int
	}{
		{"empty", nil, nil, TooFewPoints, nil},
		{"three distinct x", []float64{1, 2, 3, 3}, []float64{4, 3, 2, 1}, TooFewPoints, nil},
		{
			"zero, negative, NaN, infinite y",
			[]float64{1, 2, 3, 4, 5},
			[]float64{0, -1, nan, inf, 1},
			BadValue,
			[]int{0, 1, 2, 3},
		},
		{"zero x", []float64{0, 1, 2, 3, 4}, []float64{5, 4, 3, 2, 1}, BadValue, []int{0}},
	} {
		_, err := NewLearningCurve(c.x, c.y)
		var r *Refusal
		if !errors.As(err, &r) || r.Kind != c.kind {
			t.Errorf("%s: %v, want %v", c.name, err, c.kind)
			continue
		}
		if diff := cmp.Diff(c.rows, r.Rows); diff != "" {
			t.Errorf("%s: rows %s", c.name, diff)
		}
	}
}

func TestCondensed(t *testing.T) {
	const n = 2*maxFittedPoints + 1 // groups of three
	var c LearningCurve
	for i := range n {
		c.X, c.Y = append(c.X, math.Exp(float64(i))), append(c.Y, math.Exp(-float64(i)))
	}
	short := c.condensed()
	groups := len(short.X)
	if groups > maxFittedPoints || groups != (n+2)/3 {
		t.Fatalf("%d rows of %d", groups, n)
	}
	// By hand: the geometric mean of e^i, e^(i+1), e^(i+2) is e^(i+1).
	const rounding = 1e-12
	if got, want := math.Log(short.X[groups-1]), float64(n-2); !approx.Relative(
		got, want, rounding) {
		t.Errorf("last ln x %g, want %g", got, want)
	}
	if got, want := math.Log(short.Y[groups-1]), -float64(n-2); !approx.Relative(
		got, want, rounding) {
		t.Errorf("last ln y %g, want %g", got, want)
	}
	if same := c.head(maxFittedPoints).condensed(); len(same.X) != maxFittedPoints {
		t.Errorf("a curve of %d rows was averaged to %d", maxFittedPoints, len(same.X))
	}
}
