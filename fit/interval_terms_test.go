package fit

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// termCurve is a curve that bends, on which the candidate laws disagree far out.
func termCurve(t *testing.T) LearningCurve {
	t.Helper()
	var x, y []float64
	for i := 1; i <= 40; i++ {
		x = append(x, float64(i))
		y = append(y, 2+3/math.Sqrt(float64(i))+0.01*float64(i*7%5-2))
	}
	c, err := NewLearningCurve(x, y)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The scale of an interval far out has three terms in quadrature: the error of validation, three
// times the noise, and half of the standard deviation of the candidates, each worked out here.
func TestTermsOfAnExtrapolation(t *testing.T) {
	const at, rounding = 400, 1e-9
	x := Extrapolate(termCurve(t))
	var mean, square float64
	for i, w := range x.weights {
		v := x.candidates[i].logValue(math.Log(at))
		mean, square = mean+w*v, square+w*v*v
	}
	spread := math.Sqrt(square - mean*mean)
	if spread < 0.01 {
		t.Fatalf("the candidates agree to %g: the case shows nothing", spread)
	}
	want := math.Sqrt(x.Validation*x.Validation + 9*x.Noise*x.Noise + spread*spread/4)
	for _, level := range []float64{0.8, 0.95} {
		low, high := x.Interval(at, level)
		k := intervalScales(level)
		if got := math.Log(high/low) / 2 / k; !approx.Relative(got, want, rounding) {
			t.Errorf("at %g: a scale of %g, by hand %g", level, got, want)
		}
	}
	if got := math.Log(x.Predict(at)); !approx.Close(got, mean, rounding) {
		t.Errorf("a prediction of %g in ln, by hand %g", got, mean)
	}
}
