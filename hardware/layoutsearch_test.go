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
	best, err := SearchLayout(r, 64)
	if err != nil || !best.Fits {
		t.Fatalf("%v, fits %v", err, best.Fits)
	}
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
}

// 11 billion parameters in Adam do not fit on two 80 GB devices; each change, applied, does, and of
// counts the smallest alone is told.
func TestChangesThatMakeARunFit(t *testing.T) {
	r := xxlRun(t, "a100", 128)
	r.Layout = flops.Layout{DP: 2}
	changes, err := Changes(r)
	if err != nil || len(changes) == 0 {
		t.Fatalf("%d changes, %v", len(changes), err)
	}
	more, cards := 0, 0
	for _, c := range changes {
		p, err := Predict(c.Run)
		if err != nil || !*p.Fits || c.What == "" {
			t.Errorf("%q does not fit: %v", c.What, err)
			continue
		}
		if p.StepSeconds.Value != c.StepSeconds || p.Memory.PeakBytes != c.PeakBytes {
			t.Errorf("%q: %g s in %g bytes, predicted %g in %g", c.What, c.StepSeconds, c.PeakBytes,
				p.StepSeconds.Value, p.Memory.PeakBytes)
		}
		if p.Devices > 2 {
			more++
		}
		if c.Run.Profile.Name != r.Profile.Name {
			cards++
		}
	}
	if more != 1 || cards > 1 {
		t.Errorf("%d changes with more devices, %d with another card; the smallest alone is wanted",
			more, cards)
	}
}

// The fastest layout that fits is the one that trying all of them finds.
func TestSearchIsBruteForce(t *testing.T) {
	for _, c := range []struct {
		card           string
		devices, batch int
	}{{"a100", 8, 64}, {"a100-40gb", 16, 96}, {"tpu-v5e", 16, 32}, {"h100", 12, 48}, {"v100", 8, 16}} {
		r := xxlRun(t, c.card, c.batch)
		r.Shape = t5(1024, 4096, 16, 12, 12)
		if _, bf16 := r.Profile.Peaks[BF16]; !bf16 {
			r.Execution.Precision = flops.FP16Mixed
		}
		got, err := SearchLayout(r, c.devices)
		if err != nil {
			t.Fatal(err)
		}
		var best LayoutChoice
		m, err := NewMachine(&r.Profile, r.Execution, r.Software)
		if err != nil {
			t.Fatal(err)
		}
		usable, _ := r.Profile.UsableBytes()
		for l := range layouts(&r, c.devices, &m) {
			for _, mode := range recomputeModes {
				r.Layout, r.Execution.Recompute = l, mode
				p, err := Predict(r)
				if err != nil || p.Memory.PeakBytes > usable {
					continue
				}
				seconds, peak := p.StepSeconds.Value, p.Memory.PeakBytes
				if !best.Fits || seconds < best.StepSeconds ||
					seconds == best.StepSeconds && peak < best.PeakBytes {
					best = LayoutChoice{l, mode, seconds, peak, true}
				}
			}
		}
		if got != best {
			t.Errorf("%d × %s: found %+v, all of them tried %+v", c.devices, c.card, got, best)
		}
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

// What a change claims is what predicting the changed run says.
func TestChangesAreReEvaluated(t *testing.T) {
	r := xxlRun(t, "a100-40gb", 64)
	r.Layout, r.Execution.Recompute = flops.Layout{DP: 8, ZeRO: 3, MicroBatch: 1},
		flops.RecomputeFull
	base, err := Predict(r)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := Changes(r)
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
