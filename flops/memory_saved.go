package flops

import "github.com/deepnarrow/deepnarrow/shapes"

// savedTensor is one tensor that the forward pass keeps for the backward pass.
type savedTensor struct {
	name       string
	rows, cols dim
	times      dim // copies: one, or the active experts
	width      width
	by         split     // the tensor's split over the tensor-parallel group
	kept       Recompute // strongest mode that still keeps it
	needs      feature   // saved only if all of these hold
}

// width is the size of an element.
type width uint8

const (
	computeWidth width = iota // compute precision
	maskWidth                 // one byte: dropout mask
	floatWidth                // float32
	widths
)

// The saved tensors of each block of a layer. With h = d = i, f = 4h, a heads, 2-byte activations,
// GELU, dropout and unfused attention they sum to the s·b·h·(34 + 5·a·s/h) bytes of Korthikanti et
// al. 2022 (arXiv 2205.05198, section 4.1): attention 11·sbh + 5·as²b, feed-forward 19·sbh, norms
// 4·sbh.
var (
	selfAttentionSaved = []savedTensor{
		{"layer input", tokens, model, one, computeWidth, bySeq, RecomputeFull, 0},
		{"normed input of q, k, v", tokens, model, one, computeWidth, bySeq, RecomputeSelective, 0},
		{"queries", tokens, inner, one, computeWidth, byTP, RecomputeSelective, 0},
		{"keys", tokens, keyInner, one, computeWidth, byKV, RecomputeSelective, 0},
		{"values", tokens, valueInner, one, computeWidth, byKV, RecomputeSelective, 0},
		{"softmax", selfPairs, heads, one, computeWidth, byTP, RecomputeNone, withScores},
		{
			"softmax dropout mask", selfPairs, heads, one, maskWidth, byTP, RecomputeNone,
			withScores | withDropout,
		},
		{
			"dropped-out softmax", selfPairs, heads, one, computeWidth, byTP, RecomputeNone,
			withScores | withDropout,
		},
		{
			"log-sum-exp of scores", tokens, heads, one, floatWidth, byTP, RecomputeSelective,
			withoutScores,
		},
		{
			"input of output projection", tokens, outInner, one, computeWidth, byTP,
			RecomputeSelective, 0,
		},
		{
			"attention dropout mask", tokens, model, one, maskWidth, bySeq, RecomputeSelective,
			withDropout,
		},
	}
	// What some families save besides: the inputs of the norms of queries and keys, and of the norms
	// behind attention and feed-forward.
	queryNormSaved = []savedTensor{
		{
			"unnormed queries",
			tokens,
			inner,
			one,
			computeWidth,
			byTP,
			RecomputeSelective,
			withQKNorm,
		},
		{"unnormed keys", tokens, kvInner, one, computeWidth, byKV, RecomputeSelective, withQKNorm},
	}
	sandwichSaved = []savedTensor{
		{
			"unnormed attention output", tokens, model, one, computeWidth, bySeq, RecomputeSelective,
			withSandwich,
		},
		{
			"unnormed feed-forward output", tokens, model, one, computeWidth, bySeq,
			RecomputeSelective, withSandwich,
		},
	}
	// Latent attention saves the ranks before and after their norms; they are held by every device.
	latentSaved = []savedTensor{
		{
			"query rank", tokens, queryRank, one, computeWidth, copied, RecomputeSelective,
			withQueryRank,
		},
		{
			"normed query rank", tokens, queryRank, one, computeWidth, copied, RecomputeSelective,
			withQueryRank,
		},
		{
			"latent keys and values",
			tokens,
			cached,
			one,
			computeWidth,
			copied,
			RecomputeSelective,
			0,
		},
		{"normed latent", tokens, kvRank, one, computeWidth, copied, RecomputeSelective, 0},
	}
	crossAttentionSaved = []savedTensor{
		{"cross-attention input", tokens, model, one, computeWidth, bySeq, RecomputeSelective, 0},
		{"normed input of q", tokens, model, one, computeWidth, bySeq, RecomputeSelective, 0},
		{"queries", tokens, inner, one, computeWidth, byTP, RecomputeSelective, 0},
		{"keys of the encoder", keys, keyInner, one, computeWidth, byKV, RecomputeSelective, 0},
		{"values of the encoder", keys, valueInner, one, computeWidth, byKV, RecomputeSelective, 0},
		{"softmax", pairs, heads, one, computeWidth, byTP, RecomputeNone, withScores},
		{
			"softmax dropout mask", pairs, heads, one, maskWidth, byTP, RecomputeNone,
			withScores | withDropout,
		},
		{
			"dropped-out softmax", pairs, heads, one, computeWidth, byTP, RecomputeNone,
			withScores | withDropout,
		},
		{
			"log-sum-exp of scores", tokens, heads, one, floatWidth, byTP, RecomputeSelective,
			withoutScores,
		},
		{
			"input of output projection", tokens, outInner, one, computeWidth, byTP,
			RecomputeSelective, 0,
		},
		{
			"cross-attention dropout mask", tokens, model, one, maskWidth, bySeq, RecomputeSelective,
			withDropout,
		},
	}
	feedForwardSaved = []savedTensor{
		{
			"feed-forward input", tokens, model, one, computeWidth, bySeq, RecomputeSelective,
			withFFNInput,
		},
		{
			"normed feed-forward input", tokens, model, one, computeWidth, bySeq, RecomputeSelective,
			withFFNNorm,
		},
		{
			"input of the activation", tokens, ffn, one, computeWidth, byTP, RecomputeSelective,
			withInputSaved,
		},
		{"activated gate", tokens, ffn, one, computeWidth, byTP, RecomputeSelective, withGate},
		{"gated projection", tokens, ffn, one, computeWidth, byTP, RecomputeSelective, withGate},
		{
			"input of the second projection", tokens, ffn, one, computeWidth, byTP, RecomputeSelective,
			0,
		},
		{
			"feed-forward dropout mask", tokens, model, one, maskWidth, bySeq, RecomputeSelective,
			withDropout,
		},
	}
	// Sparse layers route each token to its active experts; the router works in float32 (Fedus et
	// al. 2021, arXiv 2101.03961, section 2.4).
	expertsSaved = []savedTensor{
		{
			"feed-forward input", tokens, model, one, computeWidth, bySeq, RecomputeSelective,
			withFFNInput,
		},
		{
			"normed feed-forward input", tokens, model, one, computeWidth, bySeq, RecomputeSelective,
			withFFNNorm,
		},
		{"router probabilities", tokens, experts, one, floatWidth, bySeq, RecomputeSelective, 0},
		{
			"tokens sent to experts", tokens, model, active, computeWidth, bySeq, RecomputeSelective,
			0,
		},
		{
			"input of the activation", tokens, expertFFN, active, computeWidth, byTP, RecomputeSelective,
			withInputSaved,
		},
		{
			"activated gate",
			tokens,
			expertFFN,
			active,
			computeWidth,
			byTP,
			RecomputeSelective,
			withGate,
		},
		{
			"gated projection",
			tokens,
			expertFFN,
			active,
			computeWidth,
			byTP,
			RecomputeSelective,
			withGate,
		},
		{
			"input of the second projection", tokens, expertFFN, active, computeWidth, byTP,
			RecomputeSelective, 0,
		},
		{"outputs of experts", tokens, model, active, computeWidth, bySeq, RecomputeSelective, 0},
		{
			"feed-forward dropout mask", tokens, model, one, maskWidth, bySeq, RecomputeSelective,
			withDropout,
		},
	}
	sharedSaved = []savedTensor{
		{
			"input of the shared activation", tokens, sharedFFN, one, computeWidth, byTP,
			RecomputeSelective, withInputSaved,
		},
		{"shared gate", tokens, sharedFFN, one, computeWidth, byTP, RecomputeSelective, withGate},
		{
			"gated shared projection", tokens, sharedFFN, one, computeWidth, byTP,
			RecomputeSelective, withGate,
		},
		{
			"input of the second shared projection", tokens, sharedFFN, one, computeWidth, byTP,
			RecomputeSelective, 0,
		},
	}
)

// The saved tensors outside the layers, kept under every recompute mode (Korthikanti et al. 2022,
// section 4.3).
var (
	stackInputSaved = []savedTensor{
		{"embedding", tokens, model, one, computeWidth, bySeq, RecomputeFull, withEmbeddingNorm},
		{
			"embedding dropout mask", tokens, model, one, maskWidth, bySeq, RecomputeFull,
			withDropout,
		},
	}
	// One bias is shared by the layers and sequences of a stack, and every pipeline stage of the
	// stack has its copy.
	positionBiasSaved = []savedTensor{
		{
			"relative position bias", square, heads, one, computeWidth, byTP, RecomputeFull,
			withRelative,
		},
	}
	stackOutputSaved = []savedTensor{
		{
			"input of final norm", tokens, model, one, computeWidth, bySeq, RecomputeFull,
			withFinalNorm,
		},
	}
	headInputSaved = []savedTensor{
		{"input of the head", tokens, model, one, computeWidth, bySeq, RecomputeFull, 0},
	}
	encoderOutputSaved = []savedTensor{
		{"encoder output", keys, source, one, computeWidth, bySeq, RecomputeFull, 0},
	}
)

// bytes returns the bytes a tensor takes when it is saved, 0 if it is not part of the model.
func (m *stackModel) bytes(t *savedTensor) float64 {
	if m.has&t.needs != t.needs {
		return 0
	}
	n := m.dims[t.rows] * m.dims[t.cols] * m.dims[t.times]
	return m.element[t.width] * n / m.splits[t.by]
}

// savedBytes are sums over a table of saved tensors.
type savedBytes struct {
	all  float64 // without recompute
	kept float64 // under the execution's recompute mode
}

func (m *stackModel) sum(table []savedTensor) savedBytes {
	var out savedBytes
	for n := range table {
		b := m.bytes(&table[n])
		out.all += b
		if m.exec.Recompute <= table[n].kept {
			out.kept += b
		}
	}
	return out
}

func (b savedBytes) plus(c savedBytes) savedBytes {
	return savedBytes{all: b.all + c.all, kept: b.kept + c.kept}
}

// stackSaved is what one micro-batch leaves in the layers that a stage holds.
type stackSaved struct {
	layers float64 // bytes kept
	// bytes that the backward pass of one layer adds: what it recomputes, and gradients
	working float64
}

// saved sums the tables over the layers of a span.
//
// A stack that no gradients run through saves nothing.
//
// The backward pass of a layer adds the tensors that recompute left out, the gradient of the
// residual stream, and the two widest gradients on either side of one operation: of the softmax or
// of the feed-forward's activation.
func (m *stackModel) saved(s span) stackSaved {
	if s.layers == 0 || !m.flows {
		return stackSaved{}
	}
	dense, sparse := savedBytes{}, savedBytes{}
	attention := m.sum(selfAttentionSaved).plus(m.sum(queryNormSaved)).plus(m.sum(sandwichSaved))
	if m.stack.Latent != (shapes.Latent{}) {
		attention = attention.plus(m.sum(latentSaved))
	}
	if m.cross {
		attention = attention.plus(m.sum(crossAttentionSaved))
	}
	widest := max(m.dims[tokens]*m.dims[inner], m.scores()) / m.splits[byTP]
	var out stackSaved
	if s.sparse < s.layers {
		dense = attention.plus(m.sum(feedForwardSaved))
		out.layers += float64(s.layers-s.sparse) * dense.kept
		widest = max(widest, m.dims[tokens]*m.dims[ffn]/m.splits[byTP])
	}
	if s.sparse > 0 {
		sparse = attention.plus(m.sum(expertsSaved)).plus(m.sum(sharedSaved))
		out.layers += float64(s.sparse) * sparse.kept
		widest = max(widest, m.dims[tokens]*m.dims[expertFFN]*m.dims[active]/m.splits[byTP])
	}
	residual := m.dims[tokens] * m.dims[model] / m.splits[bySeq]
	out.working = max(dense.all-dense.kept, sparse.all-sparse.kept) +
		m.element[computeWidth]*(residual+2*widest)
	return out
}

// scores returns the elements of the larger score matrix, 0 when fused. Unfused, a windowed layer
// makes the whole matrix and masks it.
func (m *stackModel) scores() float64 {
	if m.has&withScores == 0 {
		return 0
	}
	n := m.dims[selfPairs]
	if m.cross {
		n = max(n, m.dims[pairs])
	}
	return n * m.dims[heads]
}
