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
	x, err := r.extrapolate(context.Background(), c)
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
	_, _ = r.extrapolate(context.Background(), curveOf(8, func(x float64) float64 { return 1 / x }))
}

// extrapolate returns the continuation of a learning curve by the one law of r, which was fitted to
// that curve, with the noise and the validation error that give [Extrapolation.Interval] its width:
// the law is fitted again, with the same objective and settings, to the first 80 % of the rows and
// scored on the others. The candidates of law auto have a spread that one law lacks, and the
// factors were not calibrated for it: docs/extrapolation.md has the coverage.
//
// The error is the context's, or that of the second fit if it found no parameters at all. It panics
// if the law does not predict a loss from one column.
func (r *Result) extrapolate(ctx context.Context, c LearningCurve) (*Extrapolation, error) {
	if len(r.Law.Columns) != 1 || r.Law.Direct {
		panic("fit: law " + r.Law.Name + " does not predict a learning curve")
	}
	n := len(c.X)
	origin := originOf(n)
	head := c.head(origin)
	early, err := Fit(ctx, r.Law, Data{
		Columns: map[string][]float64{r.Law.Columns[0]: head.X},
		Y:       head.Y,
	}, r.Objective, &r.set)
	if early == nil {
		return nil, err
	}
	candidate := r.candidate()
	before := early.candidate()
	var heldOut []float64
	for i := origin; i < n; i++ {
		heldOut = append(heldOut, before.logValue(math.Log(c.X[i]))-math.Log(c.Y[i]))
	}
	x := &Extrapolation{
		Laws: []LawShare{{
			Law: r.Law, Weight: 1, Validation: RMS(heldOut),
			Params: r.Params,
		}},
		Points: n, Last: c.X[n-1],
		Noise: c.noise(candidate.logValue), Validation: RMS(heldOut),
		Warnings:   c.warnings(),
		candidates: []curveCandidate{candidate}, weights: []float64{1},
		settings: autoConstants(),
	}
	if err != nil {
		x.Warnings = append(x.Warnings,
			"the rows before the rolling origin do not support the law: "+err.Error())
	}
	return x, nil
}

// candidate returns the result as a candidate of its own, in natural units.
func (r *Result) candidate() curveCandidate {
	c := curveCandidate{law: &r.Law, theta: r.theta, unit: curveUnit{1, 1}}
	if r.Law.Terms != nil {
		c.compiled = r.Law.compile()
	}
	return c
}
