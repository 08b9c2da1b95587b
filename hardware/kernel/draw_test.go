package kernel

import (
	"github.com/deepnarrow/deepnarrow/shapes"
	"pgregory.net/rapid"
)

// stackOf draws a stack; sizes are odd as often as not.
func stackOf(t *rapid.T, name string, gated bool) shapes.Stack {
	heads := rapid.IntRange(1, 5).Draw(t, name+" heads")
	k := shapes.Stack{
		Layers: rapid.IntRange(1, 3).Draw(t, name+" layers"),
		DFF:    rapid.SampledFrom([]int{1, 7, 33, 64}).Draw(t, name+" d_ff"),
		DKV:    rapid.SampledFrom([]int{1, 3, 8, 17}).Draw(t, name+" d_kv"), Heads: heads,
		KVHeads:  heads,
		Position: shapes.Relative, Positions: rapid.SampledFrom([]int{4, 8, 32}).Draw(t,
			name+" buckets"), FinalNorm: true, Gated: gated,
	}
	if gated {
		k.Activation = shapes.GELU
	}
	return k
}

// DrawShape draws a shape of the T5 family: asymmetric, tied or not, gated or not. Every other size
// may be 1, but not d_model: the norm of one feature is its sign, which has no gradient to speak
// of.
func DrawShape(t *rapid.T) shapes.Shape {
	gated := rapid.Bool().Draw(t, "gated")
	s := shapes.Shape{
		Name: "drawn", DModel: rapid.SampledFrom([]int{5, 7, 16, 33}).Draw(t, "d_model"),
		Vocab:   rapid.IntRange(2, 65).Draw(t, "vocab"),
		Encoder: stackOf(t, "encoder", gated), Decoder: stackOf(t, "decoder", gated),
	}
	if rapid.Bool().Draw(t, "untied") {
		s.Head = shapes.HeadUntied
	}
	return s
}

// DrawBatch draws tokens, and half the time masks.
func DrawBatch(t *rapid.T, s *shapes.Shape, o Options) *Batch {
	ids := rapid.Int32Range(0, int32(s.Vocab-1))
	b := &Batch{
		Inputs: rapid.SliceOfN(ids, o.Batch*o.EncoderLength, o.Batch*o.EncoderLength).Draw(t,
			"inputs"),
		Targets: rapid.SliceOfN(ids, o.Batch*o.DecoderLength, o.Batch*o.DecoderLength).Draw(t,
			"targets"),
	}
	if rapid.Bool().Draw(t, "masked") {
		b.InputMask = rapid.SliceOfN(rapid.Bool(), len(b.Inputs), len(b.Inputs)).Draw(t,
			"input mask")
		b.TargetLoss = rapid.SliceOfN(rapid.Bool(), len(b.Targets), len(b.Targets)).Draw(t,
			"target loss")
		b.TargetLoss[0] = true
	}
	return b
}

// DrawOptions draws the extents of a batch and the mode of recompute.
func DrawOptions(t *rapid.T) Options {
	length := rapid.SampledFrom([]int{1, 2, 7, 33})
	return Options{
		Batch: rapid.IntRange(1, 3).Draw(t, "batch"), EncoderLength: length.Draw(t, "Se"),
		DecoderLength: length.Draw(t, "Sd"), Threads: 2,
		Recompute: rapid.SampledFrom([]Recompute{RecomputeNone, RecomputeFull}).Draw(t,
			"recompute"), Seed: rapid.Uint64().Draw(t, "seed"),
	}
}
