package fit

import (
	"context"
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

func TestResultExtrapolate(t *testing.T) {
	params := []float64{1.7, 400, 0.35}
	law := PowerOffset()
	c := curveOf(20, func(x float64) float64 {
		// A ripple of 1 %, so that there is noise to report.
		return law.Predict(params, []float64{x}) * (1 + 0.01*math.Sin(10*math.Log(x)))
	})
	r, err := Fit(context.Background(), law, Data{Columns: map[string][]float64{"x": c.X}, Y: c.Y},
		SquaredLog(), nil)
	if err != nil {
		t.Fatal(err)
	}
	x, err := r.Extrapolate(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	at := 2 * c.X[19]
	const rounding = 1e-9
	if got, want := x.Predict(at), r.Predict(at); !approx.Relative(got, want, rounding) {
		t.Errorf("%g, the result predicts %g", got, want)
	}
	// The ripple has a root mean square of 0.01/√2; the fit takes up some of it and the ten rows
	// sample it unevenly.
	if x.Noise < 0.003 || x.Noise > 0.015 {
		t.Errorf("noise %g, want about 0.007", x.Noise)
	}
	low, high := x.Interval(at, 0.8)
	if want := law.Predict(params, []float64{at}); want < low || want > high {
		t.Errorf("%g lies outside %g to %g", want, low, high)
	}
}

func TestResultExtrapolateRefusesOtherLaws(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a law of two columns continued a learning curve")
		}
	}()
	r := &Result{Law: Chinchilla()}
	_, _ = r.Extrapolate(context.Background(), curveOf(8, func(x float64) float64 { return 1 / x }))
}
