package fit

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// With Gaussian noise of a known size the intervals cover what they say, on new rows of the same
// law.
func TestPredictionIntervalsCover(t *testing.T) {
	fitted, fresh := shapeSurface(300, 0.02, 5), shapeSurface(3000, 0.02, 6)
	r := mustFit(t, Chinchilla(), fitted, SquaredLog(), nil)
	s, err := r.Score(fresh, nil)
	if err != nil {
		t.Fatal(err)
	}
	// The Chinchilla form leaves out width and depth, so its residuals are a little more than the
	// noise; three standard errors of a share of 3000.
	const sampling = 0.03
	if !approx.Close(s.Coverage80, 0.80, sampling) || !approx.Close(s.Coverage95, 0.95, sampling) {
		t.Errorf("coverage %.3f and %.3f", s.Coverage80, s.Coverage95)
	}
	in, ok := r.Interval(nil, 0.80, 1e9, 1e11)
	if !ok || !approx.Close(math.Log(in.High/in.Low)/2, s.HalfWidth80, 1e-9) {
		t.Errorf(
			"half-width of %v differs from %v, though no row is nearer than another without draws",
			in, s.HalfWidth80)
	}
}

// A raw objective has intervals in units of the response, worked by hand: two rows more than
// parameters, residuals ±1.
func TestRawInterval(t *testing.T) {
	r := &Result{Law: Power(), Objective: Squared(), Params: []float64{10, 0}, RMS: 1, Rows: 4}
	in, ok := r.Interval(nil, 0.95, 3)
	half := 1.959963984540054 * math.Sqrt(4.0/2)
	const rounding = 1e-12
	if !ok || !approx.Close(in.Low, 10-half, rounding) || !approx.Close(
		in.High, 10+half, rounding) {
		t.Errorf("got %v, want 10 ± %v", in, half)
	}
	r.Rows = 2
	if _, ok := r.Interval(nil, 0.95, 3); ok {
		t.Error("two rows and two parameters gave an interval")
	}
}
