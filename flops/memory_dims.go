package flops

import (
	"math"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// dim is a dimension of a weight or of a saved tensor, looked up in [dims].
type dim uint8

const (
	one        dim = iota
	model          // d
	inner          // i = heads·d_kv
	kvInner        // k = kv_heads·d_kv
	valueInner     // width of the core's values: k, or heads·v with latent attention
	outInner       // of what the output projection reads
	ffn            // f
	expertFFN      // f of an expert
	sharedFFN      // f of the shared experts
	queryRank      // of latent attention
	kvRank
	cached      // of latent attention: what is cached of a position
	expanded    // of latent attention: keys and values made of the cache
	normed      // width of the norms of queries and keys
	heads       // query heads
	experts     // experts of a sparse layer
	active      // experts a token visits
	vocab       // V
	positions   // rows of a position table or buckets of a relative one
	types       // token types
	source      // width of what cross-attention reads
	input       // width of the stack's tables
	table       // width of the token table
	sourceVocab // rows of the encoder's own token table
	layerExtra  // parameters of a layer that enter no product
	extra       // the same outside the layers
	tokens      // b·S, positions of the stack in one micro-batch
	keys        // b·Sk, positions attended to by cross-attention
	selfPairs   // b·S·S
	pairs       // b·S·Sk
	square      // S·S, once for all sequences
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
type feature uint32

const (
	withScale feature = 1 << iota // every norm but a fixed one
	withShift                     // LayerNorm
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
	withFFNInput // the feed-forward does not read what attention reads
	withFFNNorm  // nor its norm
	withSandwich // norms behind attention and feed-forward too
	withQKNorm
	withQueryRank // latent attention makes queries from a rank too
	withSharedGate
)

// stackModel is one stack of a shape with every symbol worked out for one device and one
// micro-batch.
type stackModel struct {
	stack   *shapes.Stack
	part    Parts
	flows   bool // gradients run through the layers
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
	encoder, decoder := x.Tuning.Flows(s)
	if m.part, m.flows = EncoderPart, encoder; k == &s.Decoder {
		m.part, m.flows = DecoderPart, decoder
	}
	m.dims = [dimCount]float64{
		one: 1, model: float64(s.WidthOf(k)), inner: float64(k.Inner()),
		kvInner:    float64(k.KVInner()),
		valueInner: float64(k.ValueInner()), outInner: float64(k.OutputInner()),
		expertFFN: float64(k.ExpertInner()), sharedFFN: float64(k.SharedDFF),
		queryRank: float64(k.Latent.QueryRank), kvRank: float64(k.Latent.KVRank),
		cached: float64(k.CachedWidth()), normed: float64(qkNormWidth(k)),
		source: float64(s.WidthOf(&s.Encoder)), input: float64(s.InputWidth(k)),
		table: float64(s.TableWidth()), sourceVocab: float64(s.SourceVocab),
		layerExtra: float64(k.LayerExtra), extra: float64(k.Extra),
		ffn: float64(k.DFF), heads: float64(k.Heads), experts: float64(k.Experts),
		active: float64(k.ActiveExperts),
		vocab:  float64(s.Vocab), positions: float64(k.Positions), types: float64(s.TokenTypes),
		tokens: b * n, keys: b * sk, selfPairs: b * n * n, pairs: b * n * sk, square: n * n,
	}
	if k.Latent != (shapes.Latent{}) {
		m.dims[expanded] = float64(latentExpanded(k))
	}
	tp := float64(l.TP)
	m.splits = [splitCount]float64{copied: 1, byTP: tp, byKV: float64(k.KVSplit(l.TP)), bySeq: 1}
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

func features(s *shapes.Shape, k *shapes.Stack, x *Execution) feature {
	has := feature(0)
	add := func(f feature, on bool) {
		if on {
			has |= f
		}
	}
	add(withScale, s.Norm != shapes.FixedNorm)
	add(withShift, s.Norm == shapes.LayerNorm)
	add(withFFNInput, !k.Parallel)
	add(withFFNNorm, k.Norms() > 1)
	add(withSandwich, k.Norms() > 2)
	add(withQKNorm, k.QKNorm != shapes.NoQKNorm)
	add(withQueryRank, k.Latent.QueryRank > 0)
	add(withSharedGate, k.SharedGate)
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
