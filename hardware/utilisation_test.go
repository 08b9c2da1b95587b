package hardware

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// A stated utilisation is met exactly, by the definition of MFU; what another layout would change
// stays the model's ratio, and the interval is that of a measured run.
func TestStatedUtilisation(t *testing.T) {
	r := Run{
		Profile: found(t, "h100"), Shape: t5(1024, 4096, 16, 24, 24),
		Workload: flops.Workload{Batch: 512, EncoderLength: 512, DecoderLength: 128},
		Layout:   flops.Layout{DP: 8, MicroBatch: 64},
	}
	before, err := Predict(r)
	if err != nil {
		t.Fatal(err)
	}
	wide := r
	wide.Workload.Batch, wide.Layout.Accumulate = 1024, 2
	ratio := func() float64 {
		a, err := Predict(r)
		b, also := Predict(wide)
		if err != nil || also != nil {
			t.Fatal(err, also)
		}
		return b.StepSeconds.Value / a.StepSeconds.Value
	}
	model := ratio()
	for _, mfu := range []float64{0.05, 0.38, 1} {
		p, expected, err := AtMFU(r, mfu)
		if err != nil {
			t.Fatal(err)
		}
		if !approx.Relative(expected, before.MFU, round) {
			t.Errorf("the model is said to expect %g, and expects %g", expected, before.MFU)
		}
		stated := r
		stated.Profile = p
		after, err := Predict(stated)
		if err != nil {
			t.Fatal(err)
		}
		if !approx.Relative(after.MFU, mfu, round) {
			t.Errorf("MFU %g, want %g", after.MFU, mfu)
		}
		// ±5 % as a standard deviation, 1.2816 of them either way
		if half := math.Log(after.StepSeconds.High / after.StepSeconds.Value); !approx.Close(half,
			1.2816*0.05, 1e-3) {
			t.Errorf("half of the interval is %g in the logarithm", half)
		}
		plain := r.Profile
		r.Profile, wide.Profile = p, p
		if got := ratio(); !approx.Relative(got, model, round) {
			t.Errorf("twice the batch takes %g times as long, by the model %g", got, model)
		}
		r.Profile, wide.Profile = plain, plain
	}
	if r.Profile.Calibration != nil {
		t.Error("the profile was written to")
	}
}
