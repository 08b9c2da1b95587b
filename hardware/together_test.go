package hardware

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func togetherRun(t *testing.T, name, device string) Run {
	t.Helper()
	s, err := shapes.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(device)
	if err != nil {
		t.Fatal(err)
	}
	return Run{Profile: p, Shape: s, Workload: flops.DefaultWorkload(&s)}
}

// TestTogetherByHand: a run has no error of difference with itself; the error grows with how far two
// shapes are apart, to that of the two alone on two machines; A is the variance of the prediction itself.
func TestTogetherByHand(t *testing.T) {
	const exact = 1e-12 // of rounding
	base := togetherRun(t, "t5-base", "a100")
	sd := func(b Run) float64 {
		j := StepsTogether(&base, &b)
		return math.Sqrt(max(0, j.A+j.B-2*j.Both))
	}
	if d := sd(base); !(d < exact) {
		t.Errorf("a run differs from itself by ± %g", d)
	}
	p, err := Predict(base)
	if err != nil {
		t.Fatal(err)
	}
	half := math.Log(p.StepSeconds.High / p.StepSeconds.Value)
	if j := StepsTogether(&base, &base); !(math.Abs(fit.NormalQuantile90*math.Sqrt(j.A)-half) < exact) {
		t.Errorf("the error of one is %g, want %g of its own interval", math.Sqrt(j.A), half)
	}
	near, far := sd(togetherRun(t, "t5-base/nl=13", "a100")), sd(togetherRun(t, "t5-3b", "a100"))
	other := sd(togetherRun(t, "t5-base", "h100"))
	if !(0 < near && near < far && far < other) {
		t.Errorf("near ± %g, far ± %g, on another machine ± %g", near, far, other)
	}
	// ln(14/12) twice, for the layers of both stacks
	deeper := togetherRun(t, "t5-base/nl=14", "a100")
	if got, want := apart(&base, &deeper), 2*math.Log(14.0/12); !(math.Abs(got-want) < exact) {
		t.Errorf("apart %g, want %g", got, want)
	}
}

// TestDifferenceByHand: with all errors shared the difference is as uncertain as the level, in proportion;
// with none shared the variances add up.
func TestDifferenceByHand(t *testing.T) {
	const exact = 1e-9 // of rounding
	z := fit.NormalQuantile90
	near := func(got, want float64) bool { return math.Abs(got-want) <= exact*math.Abs(want) }
	a := quantity.Interval{Value: 100, Low: 100 * math.Exp(-z*0.2), High: 100 * math.Exp(z*0.2)}
	shared := Together{0.04, 0.04, 0.04}.Difference(a, quantity.Interval{Value: 110})
	if !near(shared.High, 10*math.Exp(z*0.2)) || !near(shared.Low, 10*math.Exp(-z*0.2)) {
		t.Errorf("shared: %+v, want the sign and 20 %% (in σ)", shared)
	}
	alone := Together{0.04, 0.04, 0}.Difference(a, quantity.Interval{Value: 110})
	if want := z * math.Hypot(20, 22); !near(alone.High-alone.Value, want) {
		t.Errorf("alone: %+v, want ± %g", alone, want)
	}
	// the interval is wider above, by a rate: 0.3 in ln, and all of it is the rates'
	a.High = 100 * math.Exp(0.3)
	rates := Together{}.Difference(a, quantity.Interval{Value: 90})
	if !near(rates.Low, -10*math.Exp(0.3)) || !near(rates.High, -10*math.Exp(-z*0.2)) {
		t.Errorf("rates: %+v, want −10 by factors of e^0.3 and e^−%g", rates, z*0.2)
	}
	if r := (Together{0.04, 0.04, 0.04}).Relative(100, 110); !near(r.Low, 0.1) || !near(r.High, 0.1) {
		t.Errorf("relative: %+v, want 10 %% without error", r)
	}
}
