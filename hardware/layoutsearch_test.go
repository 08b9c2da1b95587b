package hardware

import (
	"errors"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
)

func xxlRun(t *testing.T, hardware string, batch int) Run {
	s := t5(4096, 10240, 64, 24, 24)
	s.Encoder.Gated, s.Decoder.Gated = true, true
	return Run{
		Profile: found(t, hardware), Shape: s,
		Workload: flops.Workload{Batch: batch, EncoderLength: 512, DecoderLength: 128},
	}
}

// The best layout is no slower than any that a person would try, fits, and predicts as the search
// said.
func TestSearchFindsTheFastestLayoutThatFits(t *testing.T) {
	r := xxlRun(t, "a100", 512)
	found, err := SearchLayout(r, 64)
	if err != nil || !found.Fits {
		t.Fatalf("%v, fits %v", err, found.Fits)
	}
	best := found.Choices[0]
	r.Layout, r.Execution.Recompute = best.Layout, best.Recompute
	p, err := Predict(r)
	if err != nil || p.StepSeconds.Value != best.StepSeconds || !*p.Fits || p.Devices != 64 {
		t.Errorf("predicted %g s on %d devices (%v), the search said %g", p.StepSeconds.Value,
			p.Devices, err, best.StepSeconds)
	}
	for _, l := range []flops.Layout{
		{DP: 64, ZeRO: 3},
		{DP: 8, TP: 8, SequenceParallel: true, ZeRO: 1},
		{DP: 16, PP: 4, ZeRO: 1, MicroBatch: 1},
	} {
		r.Layout = l
		tried, err := Predict(r)
		if err != nil {
			t.Fatal(err)
		}
		if *tried.Fits && tried.StepSeconds.Value < best.StepSeconds*(1-round) {
			t.Errorf("%+v takes %g s, the best found %g", l, tried.StepSeconds.Value,
				best.StepSeconds)
		}
	}
	for i := 1; i < len(found.Choices); i++ {
		if found.Choices[i].StepSeconds < found.Choices[i-1].StepSeconds {
			t.Error("the choices are not sorted")
		}
	}
}

// 11 billion parameters in Adam do not fit on two 80 GB devices; each remedy, applied, does.
func TestSearchSaysWhatWouldFit(t *testing.T) {
	r := xxlRun(t, "a100", 128)
	search, err := SearchLayout(r, 2)
	if err != nil {
		t.Fatal(err)
	}
	if search.Fits || len(search.Choices) == 0 || len(search.Remedies) == 0 {
		t.Fatalf("fits %v, %d choices, %d remedies", search.Fits, len(search.Choices),
			len(search.Remedies))
	}
	more := 0
	for _, m := range search.Remedies {
		if !m.Best.Fits || m.Change == "" {
			t.Errorf("%q does not fit", m.Change)
		}
		if m.Best.Layout.Devices() > 2 {
			more++
		}
	}
	if more != 1 {
		t.Errorf("%d remedies with more devices; the fewest suffice", more)
	}
}

func TestSearchRefusesWhatCannotBeSplit(t *testing.T) {
	r := xxlRun(t, "a100", 1)
	var none *NoLayoutError
	if _, err := SearchLayout(r, 127); !errors.As(err, &none) {
		t.Errorf("127 devices for a batch of 1: %v", err)
	}
	r.Profile.InterBytesPerSecond = nil
	r.Workload.Batch = 64
	var missing *MissingError
	if _, err := SearchLayout(r, 64); !errors.As(err, &missing) {
		t.Errorf("64 devices without a network between nodes: %v", err)
	}
}

// What a sensitivity claims is what predicting the changed run says.
func TestSensitivitiesAreReEvaluated(t *testing.T) {
	r := xxlRun(t, "a100-40gb", 64)
	r.Layout, r.Execution.Recompute = flops.Layout{DP: 8, ZeRO: 3, MicroBatch: 1},
		flops.RecomputeFull
	base, err := Predict(r)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := Sensitivities(r)
	if err != nil || len(changes) < 5 {
		t.Fatalf("%d changes, %v", len(changes), err)
	}
	seen := false
	for i, c := range changes {
		if i > 0 && c.Gain > changes[i-1].Gain {
			t.Error("the changes are not sorted")
		}
		if c.What == "recompute none instead of full" {
			seen = true
			r.Execution.Recompute = flops.RecomputeNone
			p, err := Predict(r)
			if err != nil || !equal(c.Gain, base.StepSeconds.Value/p.StepSeconds.Value-1) ||
				*c.Fits != *p.Fits {
				t.Errorf("a gain of %g, predicted %g against %g s (%v)", c.Gain,
					base.StepSeconds.Value, p.StepSeconds.Value, err)
			}
		}
	}
	if !seen {
		t.Error("dropping recomputation is not among the changes")
	}
}

func BenchmarkSearchLayout1024(b *testing.B) {
	p, err := Find("h100")
	if err != nil {
		b.Fatal(err)
	}
	s := t5(4096, 10240, 64, 24, 24)
	r := Run{Profile: p, Shape: s, Workload: flops.Workload{
		Batch: 2048, EncoderLength: 512,
		DecoderLength: 128,
	}}
	for b.Loop() {
		if _, err := SearchLayout(r, 1024); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPredict(b *testing.B) {
	p, err := Find("h100")
	if err != nil {
		b.Fatal(err)
	}
	r := Run{
		Profile: p, Shape: t5(4096, 10240, 64, 24, 24),
		Workload: flops.Workload{Batch: 2048, EncoderLength: 512, DecoderLength: 128},
		Layout:   flops.Layout{DP: 512, ZeRO: 3},
	}
	for b.Loop() {
		if _, err := Predict(r); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStepSeconds(b *testing.B) {
	p, err := Find("h100")
	if err != nil {
		b.Fatal(err)
	}
	m, err := NewMachine(&p, flops.Execution{}, Software{})
	if err != nil {
		b.Fatal(err)
	}
	s, w := t5(768, 3072, 12, 12, 12), flops.Workload{
		Batch: 128, EncoderLength: 512,
		DecoderLength: 128,
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.StepSeconds(&s, w, flops.Layout{DP: 8}); err != nil {
			b.Fatal(err)
		}
	}
}
