package fit

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// sixtyRuns is a Chinchilla surface of 60 runs with 0.3 % noise.
func sixtyRuns(seed uint64) Data {
	d := surface(Chinchilla(), []float64{1.8, 480, 2000, 0.35, 0.37}, geometric(5e7, 2e10, 10),
		geometric(1e9, 5e11, 6))
	rng := rand.New(rand.NewPCG(seed, 60))
	for i := range d.Y {
		d.Y[i] *= math.Exp(0.003 * rng.NormFloat64())
	}
	return d
}

// The trial: 60 good rows and one of loss 7.31 ended in "undetermined parameter A".
func TestDivergedRunIsNamed(t *testing.T) {
	clean := sixtyRuns(1)
	want := mustFit(t, Chinchilla(), clean, LogHuber(1e-3), nil)
	for _, obj := range []Objective{LogHuber(1e-3), LAD()} {
		d := sixtyRuns(1)
		const bad = 37
		d.Y[bad] = 7.31
		r := mustFit(t, Chinchilla(), d, obj, nil)
		const moved = 0.05 // a robust fit to 59 rows of 60, of a parameter known to a few percent
		closeTo(t, "E", r.Params[0], want.Params[0], moved)
		out := r.Outliers(d, 3)
		if len(out) != 3 || out[0].Row != bad || !out[0].Diverged() || out[1].Diverged() {
			t.Fatalf("%v: outliers %+v", obj, out)
		}
		closeTo(t, "residual", out[0].Residual,
			math.Log(7.31/r.Predict(d.Columns["params"][bad], d.Columns["tokens"][bad])), 1e-12)
	}
	for _, o := range want.Outliers(clean, clean.Len()) {
		if o.Diverged() {
			t.Errorf("%+v among normal residuals", o)
		}
	}
}

// A mean has the leverage 1/n in every row, so that |t| = |e|/(s·√(1 − 1/n)).
func TestStudentisedByHand(t *testing.T) {
	mean := Law{
		Name: "mean", Columns: []string{"x"}, Response: "score", Direct: true,
		Params: []Param{{Name: "m"}},
		Eval: func(theta, _, grad []float64) float64 {
			if grad != nil {
				grad[0] = 1
			}
			return theta[0]
		},
		Start: func(_ []float64, s Summary, theta []float64) { theta[0] = s.YMin },
	}
	d := Data{
		Columns: map[string][]float64{"x": {1, 2, 3, 4, 5}}, Y: []float64{-3, -1, 0, 1, 3},
	}
	r := mustFit(t, mean, d, Squared(), nil)
	out := r.Outliers(d, 1)
	// median |e| = 1, so s = 1.4826·√(5/4); the largest residual is 3 and its leverage 1/5.
	closeTo(t, "t", math.Abs(out[0].Studentised), 3/(normalMAD*math.Sqrt(1.25*0.8)), 1e-6)
	if e := out[0]; math.Signbit(e.Residual) != (d.Y[e.Row] < 0) {
		t.Errorf("%+v: the residual is what the row has above the fit", e)
	}
}

func TestBoundsHoldAndWarn(t *testing.T) {
	d := sixtyRuns(2)
	free := mustFit(t, Chinchilla(), d, LogHuber(1e-3), nil)
	for _, c := range []struct {
		bound [2]float64
		want  float64
		warns bool
	}{
		{[2]float64{0, 1.5}, 1.5, true},
		{[2]float64{2, 9}, 2, true},
		{[2]float64{0, 2}, free.Params[0], false},
	} {
		r := mustFit(t, Chinchilla(), d, LogHuber(1e-3),
			&Settings{Bounds: map[string][2]float64{"E": c.bound}})
		closeTo(t, "E", r.Params[0], c.want, 1e-9)
		warned := len(r.Warnings) > 0 && strings.Contains(r.Warnings[0], "E is held by its bound")
		if warned != c.warns {
			t.Errorf("bound %v: warnings %q", c.bound, r.Warnings)
		}
	}
	r := mustFit(t, Chinchilla(), d, LogHuber(1e-3),
		&Settings{Fixed: map[string]float64{"E": 1.69}})
	closeTo(t, "E fixed", r.Params[0], 1.69, 1e-12)
	if _, err := Bootstrap(context.Background(), r, d, &BootstrapSettings{Resamples: 8}); err != nil {
		t.Error(err)
	}
	held, err := Bootstrap(context.Background(), r, d, &BootstrapSettings{Resamples: 8})
	if err != nil || held.Params[0].Low != held.Params[0].High {
		t.Errorf("a fixed parameter varies: %+v, %v", held, err)
	}
}

// Rows above the fit cost q, rows below 1 − q: the q-quantile of a constant response is its order
// statistic.
func TestQuantileLossOnTheRawScale(t *testing.T) {
	o := quantileLoss(0.9)
	above, _, _, _ := o.penalty(-1)
	below, _, _, _ := o.penalty(1)
	closeTo(t, "weight of rows above over below", above/below, 9, 1e-12)
	if !o.raw {
		t.Error("quantile:q is a loss in y")
	}
}
