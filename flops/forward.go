package flops

import "github.com/deepnarrow/deepnarrow/shapes"

// Forward returns the matrix-product FLOPs of one forward pass of a valid shape: the sum of the
// [Ledger] in closed form, without allocating.
//
//	encoder layer  2·B·Se·(2di + 2dk + gdf) + 4·B·Se²·i
//	decoder layer  2·B·Sd·(4di + 2dk + gdf) + 2·B·Se·2dk + 4·B·Sd²·i + 4·B·Sd·Se·i
//	logits         2·B·Sd·V·d
//
// A sparse layer costs its active experts and 2·B·S·d·experts of routing. A decoder without encoder
// has the encoder layer's formula.
func Forward(s *shapes.Shape, w Workload) float64 {
	return LayersForward(s, w) + outsideLayers(s, w)
}

// LayersForward returns the part of [Forward] inside the layers of both stacks: what full recompute
// repeats.
func LayersForward(s *shapes.Shape, w Workload) float64 {
	return stackForward(s, &s.Encoder, w) + stackForward(s, &s.Decoder, w)
}

// CoreForward returns the part of [Forward] in the attention cores: what selective recompute
// repeats.
func CoreForward(s *shapes.Shape, w Workload) float64 {
	return selfCore(&s.Encoder, w.Batch, w.EncoderLength) +
		selfCore(&s.Decoder, w.Batch, w.DecoderLength) + crossCore(s, w)
}

// CausalSaving returns the part of [Forward] that a causal kernel skips: half of the decoder's
// self-attention core.
func CausalSaving(s *shapes.Shape, w Workload) float64 {
	return selfCore(&s.Decoder, w.Batch, w.DecoderLength) / 2
}

func stackForward(s *shapes.Shape, k *shapes.Stack, w Workload) float64 {
	if k.Layers == 0 {
		return 0
	}
	length, cross := w.EncoderLength, false
	if k == &s.Decoder {
		length, cross = w.DecoderLength, s.CrossAttention()
	}
	d, i, kv := float64(s.DModel), float64(k.Inner()), float64(k.KVInner())
	tokens := float64(w.Batch) * float64(length)
	layers, sparse := float64(k.Layers), float64(k.SparseLayers())

	total := layers * 2 * tokens * (2*d*i + 2*d*kv)
	expert := float64(k.FFNMatrices()) * d * float64(k.DFF)
	total += (layers - sparse) * 2 * tokens * expert
	total += sparse * 2 * tokens * (float64(k.ActiveExperts)*expert + d*float64(k.Experts))
	total += selfCore(k, w.Batch, length)
	if cross {
		sources := float64(w.Batch) * float64(w.EncoderLength)
		total += layers*2*(tokens*2*d*i+sources*2*d*kv) + crossCore(s, w)
	}
	return total
}

// selfCore returns Layers·4·B·S²·i.
func selfCore(k *shapes.Stack, batch, length int) float64 {
	n := float64(length)
	return float64(k.Layers) * 4 * float64(batch) * n * n * float64(k.Inner())
}

// crossCore returns DL·4·B·Sd·Se·i.
func crossCore(s *shapes.Shape, w Workload) float64 {
	if !s.CrossAttention() {
		return 0
	}
	return float64(s.Decoder.Layers) * 4 * float64(w.Batch) * float64(w.DecoderLength) * float64(
		w.EncoderLength) * float64(s.Decoder.Inner())
}

// outsideLayers returns the FLOPs of front ends, pooler and head.
func outsideLayers(s *shapes.Shape, w Workload) float64 {
	d := float64(s.DModel)
	total := frontendForward(s, &s.Encoder, w.Batch*w.EncoderLength) +
		frontendForward(s, &s.Decoder, w.Batch*w.DecoderLength)
	if s.Pooler {
		total += 2 * float64(w.Batch) * d * d
	}
	tokens := float64(w.LogitTokens(s))
	if s.Head == shapes.HeadMLM {
		total += 2 * tokens * d * d
	}
	return total + 2*tokens*float64(s.Vocab)*d
}

func frontendForward(s *shapes.Shape, k *shapes.Stack, tokens int) float64 {
	if k.Layers == 0 {
		return 0
	}
	t, d, c, patch := float64(tokens), float64(s.DModel), float64(k.Frontend.Channels),
		float64(k.Frontend.Patch)
	switch k.Frontend.Kind {
	case shapes.Audio:
		return 2*(2*t)*3*c*d + 2*t*3*d*d
	case shapes.Patches:
		return 2 * t * patch * patch * c * d
	default:
		return 0
	}
}
