package fit

import (
	"context"
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

// A fit of p parameters to n rows leaves residuals too small by √((n−p)/n): those that a prediction
// interval draws from are widened by the inverse. 8 rows, 2 parameters: √(8/6).
func TestResidualsAreWidened(t *testing.T) {
	d := Data{Columns: map[string][]float64{}}
	for i := 1; i <= 8; i++ {
		d.Columns["params"] = append(d.Columns["params"], float64(i))
		d.Y = append(d.Y, 3/math.Sqrt(float64(i))*math.Exp(0.02*float64(i*7%5-2)))
	}
	law, err := Lookup("power")
	if err != nil {
		t.Fatal(err)
	}
	d.Columns[law.Columns[0]] = d.Columns["params"]
	r, err := Fit(context.Background(), law, d, SquaredLog(), nil)
	if err != nil {
		t.Fatal(err)
	}
	draws, err := Bootstrap(context.Background(), r, d, nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, v := range draws.Residuals {
		sum += v * v
	}
	const rounding = 1e-9
	want := r.RMS * math.Sqrt(8.0/6)
	if got := math.Sqrt(sum / 8); !approx.Relative(got, want, rounding) {
		t.Errorf("widened residuals of %g, by hand %g", got, want)
	}
}
