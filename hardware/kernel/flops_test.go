package kernel_test

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/shapes"
	"pgregory.net/rapid"
)

// stackOf draws a stack; sizes are odd as often as not.
func stackOf(t *rapid.T, name string, gated bool) shapes.Stack {
	heads := rapid.IntRange(1, 5).Draw(t, name+" heads")
	k := shapes.Stack{
		Layers: rapid.IntRange(1, 3).Draw(t, name+" layers"), DFF: rapid.SampledFrom([]int{1, 7, 33, 64}).Draw(t, name+" d_ff"),
		DKV: rapid.SampledFrom([]int{1, 3, 8, 17}).Draw(t, name+" d_kv"), Heads: heads, KVHeads: heads,
		Position: shapes.Relative, Positions: rapid.SampledFrom([]int{4, 8, 32}).Draw(t, name+" buckets"), FinalNorm: true, Gated: gated,
	}
	if gated {
		k.Activation = shapes.GELU
	}
	return k
}

func shapeOf(t *rapid.T) shapes.Shape {
	gated := rapid.Bool().Draw(t, "gated")
	s := shapes.Shape{
		Name: "drawn", DModel: rapid.SampledFrom([]int{1, 7, 16, 33}).Draw(t, "d_model"), Vocab: rapid.IntRange(2, 65).Draw(t, "vocab"),
		Encoder: stackOf(t, "encoder", gated), Decoder: stackOf(t, "decoder", gated),
	}
	if rapid.Bool().Draw(t, "untied") {
		s.Head = shapes.HeadUntied
	}
	return s
}

func batchOf(t *rapid.T, s *shapes.Shape, o kernel.Options) *kernel.Batch {
	ids := rapid.Int32Range(0, int32(s.Vocab-1))
	b := &kernel.Batch{
		Inputs:  rapid.SliceOfN(ids, o.Batch*o.EncoderLength, o.Batch*o.EncoderLength).Draw(t, "inputs"),
		Targets: rapid.SliceOfN(ids, o.Batch*o.DecoderLength, o.Batch*o.DecoderLength).Draw(t, "targets"),
	}
	if rapid.Bool().Draw(t, "masked") {
		b.InputMask = rapid.SliceOfN(rapid.Bool(), len(b.Inputs), len(b.Inputs)).Draw(t, "input mask")
	}
	return b
}

// Both sides are sums of products of integers below 2⁵³, so they must be the same number. The kernel counts the extents that each call of
// its products had; flops walks a list of operations. Masks change nothing: padding is computed.
func TestExecutedFLOPsEqualTheLedger(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := shapeOf(t)
		length := rapid.SampledFrom([]int{1, 2, 7, 33})
		o := kernel.Options{Batch: rapid.IntRange(1, 3).Draw(t, "batch"), EncoderLength: length.Draw(t, "Se"), DecoderLength: length.Draw(t, "Sd"), Threads: 2}
		recompute := rapid.Bool().Draw(t, "recompute")
		mode := flops.RecomputeNone
		if recompute {
			o.Recompute, mode = kernel.RecomputeFull, flops.RecomputeFull
		}
		m, err := kernel.New(&s, o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = m.Close() }()
		b := batchOf(t, &s, o)
		work := flops.Workload{Batch: o.Batch, EncoderLength: o.EncoderLength, DecoderLength: o.DecoderLength}

		r, err := m.Evaluate(b)
		if err != nil {
			t.Fatal(err)
		}
		ledger := flops.NewLedger(&s, work)
		if float64(r.MatmulFLOPs) != ledger.Forward() {
			t.Errorf("forward: executed %d, the ledger has %.0f", r.MatmulFLOPs, ledger.Forward())
		}
		r, err = m.Step(b, 1e-3)
		if err != nil {
			t.Fatal(err)
		}
		if want := flops.CountUnder(flops.HardwareConvention, &s, work, mode).Step; float64(r.MatmulFLOPs) != want {
			t.Errorf("step: executed %d, counted %.0f", r.MatmulFLOPs, want)
		}
		if !recompute && float64(r.MatmulFLOPs) != 3*ledger.Forward() {
			t.Errorf("step: executed %d, 3 forward passes of the ledger are %.0f", r.MatmulFLOPs, 3*ledger.Forward())
		}
		if m.Parameters() != ledger.Parameters() {
			t.Errorf("%d parameters, the ledger has %d", m.Parameters(), ledger.Parameters())
		}
	})
}
