package hardware

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deepnarrow/deepnarrow/flops"
)

// Each single change is the run with that change and no other: the edited layout, workload and
// execution by hand, and the gain from predicting that run.
func TestChangesByHand(t *testing.T) {
	base := Run{
		Profile: found(t, "h100"), Shape: t5(1024, 4096, 16, 8, 8),
		Workload: flops.Workload{Batch: 64, EncoderLength: 512, DecoderLength: 128},
		Layout:   flops.Layout{DP: 2, TP: 2, PP: 2, ZeRO: 1, MicroBatch: 4},
		Execution: flops.Execution{
			Recompute: flops.RecomputeFull, Attention: flops.UnfusedAttention,
		},
	}
	layout := func(edit func(*flops.Layout)) func(*Run) {
		return func(r *Run) { edit(&r.Layout) }
	}
	compiled := true
	want := map[string]func(*Run){
		"recompute none instead of full": func(r *Run) {
			r.Execution.Recompute = flops.RecomputeNone
		},
		"recompute selective instead of full": func(r *Run) {
			r.Execution.Recompute = flops.RecomputeSelective
		},
		"fused attention": func(r *Run) {
			r.Execution.Attention = flops.FusedAttention
		},
		"a compiled graph": func(r *Run) {
			r.Software.Compiled = &compiled
		},
		"fp8 layer products": func(r *Run) {
			r.Execution.Precision = flops.FP8Mixed
		},
		"micro-batch 8 instead of 4":       layout(func(l *flops.Layout) { l.MicroBatch = 8 }),
		"micro-batch 2 instead of 4":       layout(func(l *flops.Layout) { l.MicroBatch = 2 }),
		"tp 1 and dp 4 instead of 2 and 2": layout(func(l *flops.Layout) { l.TP, l.DP = 1, 4 }),
		"pp 1 and dp 4 instead of 2 and 2": layout(func(l *flops.Layout) { l.PP, l.DP = 1, 4 }),
		"sequence parallelism beside tensor parallelism": layout(
			func(l *flops.Layout) { l.SequenceParallel = true }),
		"zero 0 instead of 1": layout(func(l *flops.Layout) { l.ZeRO = 0 }),
		"zero 2 instead of 1": layout(func(l *flops.Layout) { l.ZeRO = 2 }),
		"zero 3 instead of 1": layout(func(l *flops.Layout) { l.ZeRO = 3 }),
		// 8 micro-batches of 4 become 16: the micro-batch stays
		"batch 128 instead of 64": func(r *Run) {
			r.Workload.Batch = 128
		},
		"vocabulary padded from 32128 to 32256": func(r *Run) {
			r.Shape.Vocab = 32256
		},
		"fewer heads of width 128": func(r *Run) {
			for _, k := range []struct{ heads, kv, width *int }{
				{&r.Shape.Encoder.Heads, &r.Shape.Encoder.KVHeads, &r.Shape.Encoder.DKV},
				{&r.Shape.Decoder.Heads, &r.Shape.Decoder.KVHeads, &r.Shape.Decoder.DKV},
			} {
				*k.heads, *k.kv, *k.width = 8, 8, 128
			}
		},
		"twice the memory bandwidth":    double(func(p *Profile) **Field { return &p.BandwidthBytesPerSecond }),
		"twice the links inside a node": double(func(p *Profile) **Field { return &p.IntraBytesPerSecond }),
		"twice the links between nodes": double(func(p *Profile) **Field { return &p.InterBytesPerSecond }),
	}
	changes, err := Changes(base)
	if err != nil {
		t.Fatal(err)
	}
	before, err := Predict(base)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range changes {
		if i > 0 && c.Gain > changes[i-1].Gain {
			t.Errorf("%s gains more than the change before it", c.What)
		}
		edit, known := want[c.What]
		if !known {
			if c.What == "the fastest layout that fits" { // held by TestSearchIsBruteForce
				continue
			}
			t.Errorf("%s: not listed by hand", c.What)
			continue
		}
		delete(want, c.What)
		r := base
		edit(&r)
		after, err := Predict(r)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, c.What+": step", c.StepSeconds, after.StepSeconds.Value)
		expect(t, c.What+": gain", c.Gain, after.TokensPerSecond/float64(after.Devices)/
			(before.TokensPerSecond/float64(before.Devices))-1)
		if diff := cmp.Diff(after.Fits, c.Fits); diff != "" {
			t.Errorf("%s: fits (-by hand +got):\n%s", c.What, diff)
		}
	}
	for what := range want {
		t.Errorf("%s: missing", what)
	}
	// Two chunks a stage need a stack that can be cut so, which an encoder-decoder cannot.
	base.Shape = termShape()
	base.Shape.Encoder.Layers, base.Shape.Decoder.Layers = 0, 8
	base.Workload.EncoderLength = 0
	for _, c := range candidates(&base) {
		if c.What == "2 chunks a pipeline stage" {
			if l := c.Run.Layout; l.Interleave != 2 || l.PP != 2 || l.MicroBatch != 4 {
				t.Errorf("%s: %+v", c.What, l)
			}
			return
		}
	}
	t.Error("two chunks a stage are not a candidate")
}

func double(at func(*Profile) **Field) func(*Run) {
	return func(r *Run) {
		twice := **at(&r.Profile)
		twice.Value *= 2
		*at(&r.Profile) = &twice
	}
}

// Where one micro-batch is the whole share of a device, twice the batch is twice the micro-batch;
// where nothing is accumulated there is no larger one, and without pipeline no smaller one either.
func TestBatchAndMicroBatchTogether(t *testing.T) {
	base := Run{
		Profile: found(t, "a100"), Shape: t5(512, 2048, 8, 6, 6),
		Workload: flops.Workload{Batch: 64, EncoderLength: 512, DecoderLength: 128},
		Layout:   flops.Layout{DP: 4},
	}
	found := false
	for _, c := range candidates(&base) {
		if strings.HasPrefix(c.What, "micro-batch") {
			t.Errorf("%s where the micro-batch is all of the batch", c.What)
		}
		if c.What != "batch 128 instead of 64" {
			continue
		}
		found = true
		l := c.Run.Layout.For(c.Run.Workload)
		if c.Run.Workload.Batch != 128 || l.MicroBatch != 32 || l.Accumulate != 1 {
			t.Errorf("batch %d in %d × %d", c.Run.Workload.Batch, l.Accumulate, l.MicroBatch)
		}
	}
	if !found {
		t.Error("twice the batch is not a candidate")
	}
	base.Layout.MicroBatch = 4
	for _, c := range candidates(&base) {
		l := c.Run.Layout.For(c.Run.Workload)
		switch {
		case c.What == "batch 128 instead of 64" && (l.MicroBatch != 4 || l.Accumulate != 8),
			strings.HasPrefix(c.What, "micro-batch") && (l.MicroBatch != 8 || l.Accumulate != 2):
			t.Errorf("%s: %d × %d", c.What, l.Accumulate, l.MicroBatch)
		}
	}
}
