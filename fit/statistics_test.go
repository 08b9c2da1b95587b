package fit

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// rounding bounds a handful of floating-point operations on numbers of order one.
const rounding15 = 1e-14

func TestStatisticsByHand(t *testing.T) {
	closeTo(t, "median of three", Median([]float64{9, 1, 4}), 4, 0)
	closeTo(t, "median of four", Median([]float64{9, 1, 4, 2}), 3, 0)
	closeTo(t, "RMS of 3 and 4", RMS([]float64{3, -4}), math.Sqrt(12.5), rounding15)
	for name, v := range map[string]float64{"median": Median(nil), "RMS": RMS(nil)} {
		if !math.IsNaN(v) {
			t.Errorf("%s of none: %v", name, v)
		}
	}
	if got := Ranks([]float64{3, 1, 3, 2}); !slices.Equal(got, []float64{3.5, 1, 3.5, 2}) {
		t.Errorf("ranks with ties: %v", got)
	}
	// Σd² = 4 of n(n²−1)/6 = 20: 1 − 4/20.
	closeTo(t, "spearman", Spearman([]float64{1, 20, 300, 4e3, 5e4}, []float64{2, 1, 4, 3, 5}), 0.8,
		rounding15)
	if v := Spearman([]float64{1, 2, 3}, []float64{5, 5, 5}); !math.IsNaN(v) {
		t.Errorf("spearman of a constant: %v", v)
	}
	closeTo(t, "normal quantile", NormalQuantile90, distuv.UnitNormal.Quantile(0.9), rounding15)
	closeTo(t, "two-sided normal", twoSidedNormal(0.8), NormalQuantile90, rounding15)
	// Student's t of 2 degrees of freedom: P(|T| ≤ t) = t/√(2 + t²), so t = p·√(2/(1−p²)).
	closeTo(t, "t of 2", tQuantile(0.6, 2), 0.6*math.Sqrt(2/0.64), 1e-9)
	in := percentiles([]float64{1, math.E, math.E * math.E}, 0.5)
	// ln of the draws is 0, 1, 2: standard deviation 1; quartiles half way to the middle one.
	closeTo(t, "error in ln", in.LogSE, 1, rounding15)
	closeTo(t, "lower quartile", in.Low, (1+math.E)/2, rounding15)
	closeTo(t, "upper quartile", in.High, (math.E+math.E*math.E)/2, rounding15)
	if in := percentiles([]float64{-1, 1}, 0.5); in.LogSE != 0 || in.SE != math.Sqrt2 {
		t.Errorf("draws around 0: %+v", in)
	}
}

func TestLeastSquaresByHand(t *testing.T) {
	// y = 2 + 3x through x = 0, 1, 2 with the residuals 1, −2, 1, which no line can lessen.
	x := []float64{1, 0, 1, 1, 1, 2}
	l, ok := LeastSquares(x, []float64{3, 3, 9}, nil)
	if !ok {
		t.Fatal("refused")
	}
	closeTo(t, "intercept", l.Coef[0], 2, rounding15)
	closeTo(t, "slope", l.Coef[1], 3, rounding15)
	closeTo(t, "value", l.At([]float64{1, 5}), 17, 10*rounding15)
	// 1/n + (x − x̄)²/Σ(x − x̄)² = 1/3 + 4²/2.
	closeTo(t, "leverage", l.Leverage([]float64{1, 5}), 1.0/3+8, 10*rounding15)
	// A weight of 3 counts a row three times: 1, 0, 0, 0 at x = 0, 1, 1, 1.
	w, ok := LeastSquares([]float64{1, 0, 1, 1}, []float64{1, 0}, []float64{1, 3})
	if !ok {
		t.Fatal("refused")
	}
	closeTo(t, "weighted leverage", w.Leverage([]float64{1, 1}), 1.0/3, rounding15)
	for name, x := range map[string][]float64{
		"collinear": {1, 2, 2, 4, 3, 6}, "zero": {0, 1, 0, 2, 0, 3},
		"too many": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
	} {
		if _, ok := LeastSquares(x, []float64{1, 2, 3}, nil); ok {
			t.Errorf("%s features were fitted", name)
		}
	}
}
