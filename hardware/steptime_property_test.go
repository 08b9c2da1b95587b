package hardware

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// plans is how many random plans each property is held to, from the requirements of the step-time
// work.
const plans = 10_000

// randomRun returns a run of a random shape on a random device with a random layout that divides
// it.
func randomRun(random *rand.Rand, catalogue []Profile) Run {
	pick := func(values ...int) int { return values[random.IntN(len(values))] }
	heads := pick(1, 2, 4, 6, 8, 12, 16, 32, 64)
	stack := shapes.Stack{
		Layers: 1 + random.IntN(48), DFF: heads * pick(16, 64, 96, 256, 512),
		Gated: random.IntN(2) == 0, Activation: shapes.GELU,
		DKV: pick(32, 64, 80, 108, 128), Heads: heads, KVHeads: heads, Position: shapes.Relative,
		Positions: 32, FinalNorm: true,
	}
	shape := shapes.Shape{
		DModel: pick(64, 128, 512, 768, 1000, 1024, 4096, 8192),
		Vocab:  pick(259, 32_128, 50_257, 250_112), Decoder: stack,
	}
	if random.IntN(3) > 0 {
		shape.Encoder = stack
		shape.Encoder.Layers = 1 + random.IntN(48)
	}
	if random.IntN(8) == 0 {
		shape.Decoder.Experts, shape.Decoder.ActiveExperts,
			shape.Decoder.SparseEvery = pick(2, 8, 64), 1, pick(1, 2)
	}
	layout := flops.Layout{
		DP: pick(1, 1, 2, 3, 8, 64, 512), TP: 1, PP: 1, ZeRO: random.IntN(4),
		MicroBatch: pick(1, 2, 5, 16),
	}
	if heads%8 == 0 {
		layout.TP = pick(1, 2, 4, 8)
	}
	if shape.Encoder.Layers > 1 && shape.Decoder.Layers > 1 {
		layout.PP = pick(1, 1, 2, 4)
	}
	layout.SequenceParallel = layout.TP > 1 && random.IntN(2) == 0
	compiledGraph := random.IntN(2) == 0
	return Run{
		Profile: catalogue[random.IntN(len(catalogue))], Shape: shape, Layout: layout,
		Workload: flops.Workload{
			Batch:         layout.DP * layout.MicroBatch * pick(1, 2, 7, 64),
			EncoderLength: pick(8, 128, 512, 4096), DecoderLength: pick(8, 128, 512, 2048),
		},
		Execution: flops.Execution{
			Precision: flops.Precision(random.IntN(4)), Optimizer: flops.Optimizer(random.IntN(6)),
			Recompute: flops.Recompute(random.IntN(3)), Attention: flops.Attention(random.IntN(2)),
			Dropout: random.IntN(2) == 0,
		},
		Software: Software{Compiled: &compiledGraph},
	}
}

// predictable returns the time of a run, and false where the profile lacks a number it needs, which
// must be told so.
func predictable(t *testing.T, r *Run) (float64, bool) {
	t.Helper()
	m, err := NewMachine(&r.Profile, r.Execution, r.Software)
	var seconds float64
	if err == nil {
		seconds, err = m.StepSeconds(&r.Shape, r.Workload, r.Layout)
	}
	var missing *MissingError
	if errors.As(err, &missing) {
		if missing.Field == "" || missing.Why == "" {
			t.Fatalf("%s: a missing field without name or reason: %+v", r.Profile.Name, missing)
		}
		return 0, false
	}
	if err != nil {
		t.Fatalf("%s: %v", r.Profile.Name, err)
	}
	return seconds, true
}

func TestEveryStepIsPositiveAndFinite(t *testing.T) {
	random, catalogue := rand.New(rand.NewPCG(5, 1)), Catalogue()
	known := 0
	for range plans {
		r := randomRun(random, catalogue)
		seconds, ok := predictable(t, &r)
		if !ok {
			continue
		}
		known++
		if !(seconds > 0) || math.IsInf(seconds, 0) {
			t.Fatalf("a step of %v s: %+v", seconds, r)
		}
	}
	if known < plans/4 {
		t.Errorf("only %d of %d random plans could be predicted", known, plans)
	}
}

// The same batch and layout on twice the data-parallel devices: a device-second, and so a dollar,
// may not yield more.
func TestMoreDevicesNeverRaiseThroughputPerDollar(t *testing.T) {
	const rounding = 1e-9
	random, catalogue := rand.New(rand.NewPCG(5, 3)), Catalogue()
	for range plans {
		r := randomRun(random, catalogue)
		l := r.Layout.For(r.Workload)
		if l.Accumulate%2 != 0 {
			continue
		}
		few, ok := predictable(t, &r)
		if !ok {
			continue
		}
		more := r
		more.Layout.DP *= 2
		many, ok := predictable(t, &more)
		if ok && 2*many < few*(1-rounding) {
			t.Fatalf("%g s on %d devices, %g s on twice as many: %+v", few, r.Devices(), many, r)
		}
	}
}

// Weak scaling: with twice the devices and twice the batch a step takes no less time. Only with
// optimizer states split over all devices may it, since each then updates half as much; the gain is
// bounded by the update.
func TestWeakScalingNeverGains(t *testing.T) {
	const rounding = 1e-9
	random, catalogue := rand.New(rand.NewPCG(5, 7)), Catalogue()
	for range plans {
		r := randomRun(random, catalogue)
		m, err := NewMachine(&r.Profile, r.Execution, r.Software)
		if err != nil || m.linksNeeded(r.Layout.For(r.Workload)) != noLink {
			continue
		}
		few := m.step(&r.Shape, r.Workload, r.Layout.For(r.Workload))
		update := 0.0
		if r.Layout.ZeRO > 0 {
			// stragglers multiply it too, over at most 2^20 nodes
			update = few[optimizerUpdate] * (1 + m.scaleLoss*20)
		}
		r.Layout.DP *= 2
		r.Workload.Batch *= 2
		if m.linksNeeded(r.Layout.For(r.Workload)) != noLink {
			continue
		}
		many := m.step(&r.Shape, r.Workload, r.Layout.For(r.Workload))
		if many.total() < (few.total()-update)*(1-rounding) {
			t.Fatalf("%g s, with twice the devices and batch %g s: %+v", few.total(), many.total(),
				r)
		}
	}
}

// Doubling the batch, as a larger micro-batch or as more of them, never lowers tokens per second.
func TestLargerBatchesNeverLowerThroughput(t *testing.T) {
	const rounding = 1e-9
	random, catalogue := rand.New(rand.NewPCG(5, 4)), Catalogue()
	for range plans {
		r := randomRun(random, catalogue)
		once, ok := predictable(t, &r)
		if !ok {
			continue
		}
		deeper := r
		deeper.Workload.Batch *= 2
		if s, _ := predictable(t, &deeper); s > 2*once*(1+rounding) {
			t.Fatalf("%g s a step, %g s with twice the micro-batches: %+v", once, s, r)
		}
		wider := deeper
		wider.Layout.MicroBatch *= 2
		if s, _ := predictable(t, &wider); s > 2*once*(1+rounding) {
			t.Fatalf("%g s a step, %g s with micro-batches twice as large: %+v", once, s, r)
		}
	}
}

// More layers, wider layers and longer sequences never take less time.
func TestMoreWorkTakesLonger(t *testing.T) {
	const rounding = 1e-9
	random, catalogue := rand.New(rand.NewPCG(5, 5)), Catalogue()
	for range plans {
		r := randomRun(random, catalogue)
		base, ok := predictable(t, &r)
		if !ok {
			continue
		}
		for name, edit := range map[string]func(*Run){
			"twice the layers":         func(r *Run) { r.Shape.Decoder.Layers *= 2 },
			"twice d_ff":               func(r *Run) { r.Shape.Decoder.DFF *= 2 },
			"twice the decoder length": func(r *Run) { r.Workload.DecoderLength *= 2 },
			"full recomputation":       func(r *Run) { r.Execution.Recompute = flops.RecomputeFull },
		} {
			if name == "twice the layers" && r.Layout.PP > 1 {
				continue // the split between encoder and decoder stages moves
			}
			more := r
			edit(&more)
			if s, _ := predictable(t, &more); s < base*(1-rounding) {
				t.Fatalf("%s: %g s, without %g s: %+v", name, s, base, r)
			}
		}
	}
}

func TestStepSecondsDoesNotAllocate(t *testing.T) {
	random, catalogue := rand.New(rand.NewPCG(5, 6)), Catalogue()
	for range 100 {
		r := randomRun(random, catalogue)
		m, err := NewMachine(&r.Profile, r.Execution, r.Software)
		if err != nil || m.linksNeeded(r.Layout.For(r.Workload)) != noLink {
			continue
		}
		if n := testing.AllocsPerRun(10, func() { _, _ = m.StepSeconds(&r.Shape, r.Workload, r.Layout) }); n > 0 {
			t.Fatalf("%g allocations a call", n)
		}
	}
}
