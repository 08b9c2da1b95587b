package flops

import (
	"math"

	"github.com/deepnarrow/deepnarrow/shapes"
)

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
	return layersForward(s, w) + outsideLayers(s, w)
}

// layersForward returns the part of [Forward] inside the layers of both stacks: what full recompute
// repeats.
func layersForward(s *shapes.Shape, w Workload) float64 {
	return stackForward(s, &s.Encoder, w) + stackForward(s, &s.Decoder, w)
}

// CoreForward returns the part of [Forward] in the attention cores: what selective recompute
// repeats.
func CoreForward(s *shapes.Shape, w Workload) float64 {
	return selfCore(&s.Encoder, w.Batch, w.EncoderLength) +
		selfCore(&s.Decoder, w.Batch, w.DecoderLength) + crossCore(s, w)
}

// causalSaving returns the part of [Forward] that a causal kernel skips: half of the decoder's
// self-attention core, and in windowed layers the window before the first W positions, W²/2 pairs
// of S·W.
func causalSaving(s *shapes.Shape, w Workload) float64 {
	k, n := &s.Decoder, float64(w.DecoderLength)
	pair := coreFLOPs(k) * float64(w.Batch)
	windowed := float64(k.WindowedBefore(k.Layers))
	window := math.Min(float64(k.Window), n)
	return pair * ((float64(k.Layers)-windowed)*n*n/2 + windowed*window*window/2)
}

func stackForward(s *shapes.Shape, k *shapes.Stack, w Workload) float64 {
	if k.Layers == 0 {
		return 0
	}
	length, cross := w.EncoderLength, false
	if k == &s.Decoder {
		length, cross = w.DecoderLength, s.CrossAttention()
	}
	d := float64(s.WidthOf(k))
	tokens := float64(w.Batch) * float64(length)
	layers, sparse := float64(k.Layers), float64(k.SparseLayers())
	queries, keys := projections(s, k, s.WidthOf(k))

	total := layers * 2 * tokens * float64(queries+keys)
	if k.Position == shapes.Disentangled {
		output := int64(s.WidthOf(k)) * int64(k.OutputInner())
		total += layers * 2 * float64(k.Positions) * float64(queries-output+keys/2)
	}
	g := float64(k.FFNMatrices()) * d
	expert := float64(k.ActiveExperts)*g*float64(k.ExpertInner()) + d*float64(k.Experts) +
		g*float64(k.SharedDFF)
	if k.SharedGate {
		expert += d
	}
	total += (layers - sparse) * 2 * tokens * g * float64(k.DFF)
	total += sparse * 2 * tokens * expert
	total += selfCore(k, w.Batch, length)
	if cross {
		sources := float64(w.Batch) * float64(w.EncoderLength)
		queries, keys := projections(s, k, s.WidthOf(&s.Encoder))
		total += layers*2*(tokens*float64(queries)+sources*float64(keys)) + crossCore(s, w)
	}
	return total
}

// projections returns the multiply-adds a position of the queries costs (their projection and the
// output's, 2di) and one of the keys and values, which are made from vectors of a given width
// (2dk): the elements of their matrices. Latent attention projects to its ranks and from them.
func projections(s *shapes.Shape, k *shapes.Stack, from int) (queries, keys int64) {
	d, i, source := int64(s.WidthOf(k)), int64(k.Inner()), int64(from)
	queries, keys = d*i, 2*source*int64(k.KVInner())
	if l := &k.Latent; *l != (shapes.Latent{}) {
		if q := int64(l.QueryRank); q > 0 {
			queries = q * (d + i)
		}
		c := int64(l.KVRank)
		keys = source*(c+int64(l.RotaryWidth)) + c*int64(latentExpanded(k))
	}
	return queries + d*int64(k.OutputInner()), keys
}

// coreFLOPs returns the FLOPs of one layer's core for one pair of positions: 4i, or with latent
// attention 2i for the scores and 2·heads·v for the values.
func coreFLOPs(k *shapes.Stack) float64 { return 2 * float64(k.Inner()+k.OutputInner()) }

// selfCore returns Layers·4·B·S²·i, where windowed layers see S·min(S, W) pairs. Disentangled
// positions add the products of queries and keys with the table's R rows, 4·B·S·R·i.
func selfCore(k *shapes.Stack, batch, length int) float64 {
	b, n := float64(batch), float64(length)
	windowed := float64(k.WindowedBefore(k.Layers))
	pairs := (float64(k.Layers)-windowed)*n*n + windowed*n*math.Min(float64(k.Window), n)
	total := coreFLOPs(k) * b * pairs
	if k.Position == shapes.Disentangled {
		total += float64(k.Layers) * 4 * b * n * float64(k.Positions) * float64(k.Inner())
	}
	return total
}

// crossCore returns DL·4·B·Sd·Se·i.
func crossCore(s *shapes.Shape, w Workload) float64 {
	if !s.CrossAttention() {
		return 0
	}
	return float64(s.Decoder.Layers) * coreFLOPs(&s.Decoder) * float64(w.Batch) * float64(
		w.DecoderLength) * float64(w.EncoderLength)
}

// outsideLayers returns the FLOPs of front ends, pooler, dense layers and head.
func outsideLayers(s *shapes.Shape, w Workload) float64 {
	d, e := float64(s.DModel), float64(s.TableWidth())
	total := frontendForward(s, &s.Encoder, w.Batch*w.EncoderLength) +
		frontendForward(s, &s.Decoder, w.Batch*w.DecoderLength)
	if s.Pooler {
		pooled := float64(s.WidthOf(&s.Encoder))
		total += 2 * float64(w.Batch) * pooled * pooled
	}
	for i := range s.Dense {
		l := &s.Dense[i]
		total += 2 * float64(w.rows(s, l.At)) * float64(l.In) * float64(l.Out)
	}
	tokens := float64(w.LogitTokens(s))
	if s.Head == shapes.HeadMLM {
		total += 2 * tokens * d * e
	}
	return total + 2*tokens*float64(s.Vocab)*e
}

// rows returns how many vectors a dense layer outside the stacks reads.
func (w Workload) rows(s *shapes.Shape, at shapes.Place) int {
	switch at {
	case shapes.EncoderInput, shapes.EncoderOutput:
		return w.EncoderTokens(s)
	case shapes.DecoderInput, shapes.DecoderOutput:
		return w.DecoderTokens(s)
	default:
		return w.Batch
	}
}

func frontendForward(s *shapes.Shape, k *shapes.Stack, tokens int) float64 {
	if k.Layers == 0 || k.Frontend.Kind == shapes.Tokens {
		return 0
	}
	convs, _ := k.Frontend.Convolutions(s.WidthOf(k))
	total := 0.0
	for i := range convs {
		c := &convs[i]
		total += 2 * float64(tokens) * float64(c.Rate) * float64(c.Taps) * float64(c.In) *
			float64(c.Out)
	}
	return total
}
