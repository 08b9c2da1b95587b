package flops

import (
	"math"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// dim is a dimension of a weight or of a saved tensor, looked up in [dims].
type dim uint8

const (
	one       dim = iota
	model         // d
	inner         // i = heads·d_kv
	kvInner       // k = kv_heads·d_kv
	ffn           // f
	heads         // query heads
	experts       // experts of a sparse layer
	active        // experts a token visits
	vocab         // V
	positions     // rows of a position table or buckets of a relative one
	types         // token types
	convIn        // inputs of the first convolution of a front end
	convInner     // inputs of the second one
	tokens        // b·S, positions of the stack in one micro-batch
	keys          // b·Sk, positions attended to by cross-attention
	selfPairs     // b·S·S
	pairs         // b·S·Sk
	square        // S·S, once for all sequences
	dimCount
)

// split says over how many devices of a tensor-parallel group a dimension is divided.
type split uint8

const (
	copied split = iota // held whole by every device
	byTP                // divided by TP
	byKV                // divided by TP, but by no more than kv_heads
	bySeq               // divided by TP under sequence parallelism only
	splitCount
)

// feature is something that weights or saved tensors depend on.
type feature uint16

const (
	withShift feature = 1 << iota // LayerNorm
	withGate                      // gated feed-forward
	// GELU or SiLU: the backward pass needs the input; ReLU's needs its output only
	withInputSaved
	withBiasQ
	withBiasK
	withBiasV
	withBiasO
	withBiasFFN
	withDropout
	withScores    // unfused attention
	withoutScores // fused attention
	withEmbeddingNorm
	withRelative
	withFinalNorm
)

// stackModel is one stack of a shape with every symbol worked out for one device and one
// micro-batch.
type stackModel struct {
	stack   *shapes.Stack
	cross   bool
	dims    [dimCount]float64
	splits  [splitCount]float64
	has     feature
	exec    *Execution
	element [widths]float64 // bytes of an element
	state   float64         // bytes of an element of optimizer state
}

func newStackModel(s *shapes.Shape, k *shapes.Stack, length, keyLength int, x *Execution,
	l Layout,
) stackModel {
	b, n, sk := float64(l.MicroBatch), float64(length), float64(keyLength)
	m := stackModel{stack: k, exec: x, cross: k == &s.Decoder && s.CrossAttention()}
	m.dims = [dimCount]float64{
		one: 1, model: float64(s.DModel), inner: float64(k.Inner()), kvInner: float64(k.KVInner()),
		ffn: float64(k.DFF), heads: float64(k.Heads), experts: float64(k.Experts),
		active: float64(k.ActiveExperts),
		vocab:  float64(s.Vocab), positions: float64(k.Positions), types: float64(s.TokenTypes),
		tokens: b * n, keys: b * sk, selfPairs: b * n * n, pairs: b * n * sk, square: n * n,
	}
	m.dims[convIn], m.dims[convInner] = convolutionInputs(s, k)
	tp := float64(l.TP)
	m.splits = [splitCount]float64{copied: 1, byTP: tp, byKV: min(tp, float64(k.KVHeads)), bySeq: 1}
	if l.SequenceParallel {
		m.splits[bySeq] = tp
	}
	width := x.Precision.Bytes()
	m.state = float64(width.State)
	m.element = [widths]float64{
		computeWidth: float64(width.Compute), maskWidth: 1,
		floatWidth: floatBytes,
	}
	m.has = features(s, k, x)
	return m
}

// convolutionInputs returns the inputs per output of the convolutions of a front end: 3·c then 3·d
// for audio, p·p·c for patches; see frontendParameters for the sources.
func convolutionInputs(s *shapes.Shape, k *shapes.Stack) (first, second float64) {
	switch f := k.Frontend; f.Kind {
	case shapes.Audio:
		return 3 * float64(f.Channels), 3 * float64(s.DModel)
	case shapes.Patches:
		return float64(f.Patch) * float64(f.Patch) * float64(f.Channels), 0
	default:
		return 0, 0
	}
}

func features(s *shapes.Shape, k *shapes.Stack, x *Execution) feature {
	has := feature(0)
	add := func(f feature, on bool) {
		if on {
			has |= f
		}
	}
	add(withShift, s.Norm == shapes.LayerNorm)
	add(withGate, k.Gated)
	add(withInputSaved, k.Activation != shapes.ReLU)
	add(withBiasQ, s.Bias.Has(shapes.BiasQ))
	add(withBiasK, s.Bias.Has(shapes.BiasK))
	add(withBiasV, s.Bias.Has(shapes.BiasV))
	add(withBiasO, s.Bias.Has(shapes.BiasO))
	add(withBiasFFN, s.Bias.Has(shapes.BiasFFN))
	add(withDropout, x.Dropout)
	add(withScores, x.Attention == UnfusedAttention)
	add(withoutScores, x.Attention == FusedAttention)
	add(withEmbeddingNorm, s.EmbeddingNorm)
	add(withRelative, k.Position == shapes.Relative)
	add(withFinalNorm, k.FinalNorm)
	return has
}

// local returns the part of a dimension that one device holds.
func (m *stackModel) local(d dim, by split) float64 {
	if by == copied {
		return m.dims[d]
	}
	return math.Ceil(m.dims[d] / m.splits[by])
}
