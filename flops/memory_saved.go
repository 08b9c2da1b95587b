package flops

import (
	"slices"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// savedTensor is one tensor that the forward pass keeps for the backward pass.
type savedTensor struct {
	name       string
	rows, cols dim
	by         split     // the tensor's split over the tensor-parallel group
	needs      feature   // saved only if all of these hold
	kept       Recompute // strongest mode that still keeps it
	width      width
	times      dim // copies: one, or the active experts
}

// width is the size of an element.
type width uint8

const (
	computeWidth width = iota // compute precision
	maskWidth                 // one byte: dropout mask
	floatWidth                // float32
	widths
)

// tensor is one of a layer in the compute precision. Full recompute makes it again, and selective
// recompute the scores of attention.
func tensor(name string, rows, cols dim, by split, needs feature) savedTensor {
	kept := RecomputeSelective
	if needs&withScores != 0 {
		kept = RecomputeNone
	}
	return savedTensor{name: name, rows: rows, cols: cols, by: by, needs: needs, kept: kept}
}

// mask is a dropout mask of such a tensor.
func mask(name string, rows, cols dim, by split, needs feature) savedTensor {
	return tensor(name, rows, cols, by, needs|withDropout).of(maskWidth)
}

func (t savedTensor) of(w width) savedTensor {
	t.width = w
	return t
}

// always is a tensor that every recompute mode keeps.
func (t savedTensor) always() savedTensor {
	t.kept = RecomputeFull
	return t
}

// The saved tensors of each block of a layer. With h = d = i, f = 4h, a heads, 2-byte activations,
// GELU, dropout and unfused attention they sum to the s·b·h·(34 + 5·a·s/h) bytes of Korthikanti et
// al. 2022 (arXiv 2205.05198, section 4.1): attention 11·sbh + 5·as²b, feed-forward 19·sbh, norms
// 4·sbh.
var (
	selfAttentionSaved = slices.Concat(
		[]savedTensor{tensor("layer input", tokens, model, bySeq, 0).always()},
		attentionSaved(tokens, selfPairs))
	crossAttentionSaved = slices.Concat(
		[]savedTensor{tensor("input", tokens, model, bySeq, 0)},
		attentionSaved(keys, pairs))
	// What some families save besides: the inputs of the norms of queries and keys, and of the norms
	// behind attention and feed-forward.
	queryNormSaved = []savedTensor{
		tensor("unnormed queries", tokens, inner, byTP, withQKNorm),
		tensor("unnormed keys", tokens, kvInner, byKV, withQKNorm),
	}
	sandwichSaved = []savedTensor{
		tensor("unnormed attention output", tokens, model, bySeq, withSandwich),
		tensor("unnormed feed-forward output", tokens, model, bySeq, withSandwich),
	}
	// Latent attention saves the ranks before and after their norms; they are held by every device.
	latentSaved = []savedTensor{
		tensor("query rank", tokens, queryRank, copied, withQueryRank),
		tensor("normed query rank", tokens, queryRank, copied, withQueryRank),
		tensor("latent keys and values", tokens, cached, copied, 0),
		tensor("normed latent", tokens, kvRank, copied, 0),
	}
	feedForwardSaved = slices.Concat(feedForwardInput, hiddenSaved(ffn, one), feedForwardMask)
	// Sparse layers route each token to its active experts; the router works in float32 (Fedus et
	// al. 2021, arXiv 2101.03961, section 2.4).
	expertsSaved = slices.Concat(feedForwardInput, []savedTensor{
		tensor("router probabilities", tokens, experts, bySeq, 0).of(floatWidth),
		routed("tokens sent to experts"),
	}, hiddenSaved(expertFFN, active), []savedTensor{routed("outputs of experts")}, feedForwardMask)
	sharedSaved = hiddenSaved(sharedFFN, one)

	feedForwardInput = []savedTensor{
		tensor("feed-forward input", tokens, model, bySeq, withFFNInput),
		tensor("normed feed-forward input", tokens, model, bySeq, withFFNNorm),
	}
	feedForwardMask = []savedTensor{mask("feed-forward dropout mask", tokens, model, bySeq, 0)}
)

// attentionSaved is what an attention block saves behind its input; its keys and values are of the
// positions `to`, and scores its pairs of positions.
func attentionSaved(to, scores dim) []savedTensor {
	return []savedTensor{
		tensor("normed input", tokens, model, bySeq, 0),
		tensor("queries", tokens, inner, byTP, 0),
		tensor("keys", to, kvInner, byKV, 0),
		tensor("values", to, valueInner, byKV, 0),
		tensor("softmax", scores, heads, byTP, withScores),
		mask("softmax dropout mask", scores, heads, byTP, withScores),
		tensor("dropped-out softmax", scores, heads, byTP, withScores|withDropout),
		tensor("log-sum-exp of scores", tokens, heads, byTP, withoutScores).of(floatWidth),
		tensor("input of output projection", tokens, outInner, byTP, 0),
		mask("attention dropout mask", tokens, model, bySeq, 0),
	}
}

// hiddenSaved is what feed-forward networks of an inner width save between their matrices.
func hiddenSaved(width, times dim) []savedTensor {
	out := []savedTensor{
		tensor("input of the activation", tokens, width, byTP, withInputSaved),
		tensor("activated gate", tokens, width, byTP, withGate),
		tensor("gated projection", tokens, width, byTP, withGate),
		tensor("input of the second projection", tokens, width, byTP, 0),
	}
	for i := range out {
		out[i].times = times
	}
	return out
}

// routed is a copy of the residual stream for every active expert.
func routed(name string) savedTensor {
	t := tensor(name, tokens, model, bySeq, 0)
	t.times = active
	return t
}

// The saved tensors outside the layers, kept under every recompute mode (Korthikanti et al. 2022,
// section 4.3).
var (
	stackInputSaved = []savedTensor{
		tensor("embedding", tokens, model, bySeq, withEmbeddingNorm).always(),
		mask("embedding dropout mask", tokens, model, bySeq, 0).always(),
	}
	// One bias is shared by the layers and sequences of a stack, and every pipeline stage of the
	// stack has its copy.
	positionBiasSaved = []savedTensor{
		tensor("relative position bias", square, heads, byTP, withRelative).always(),
	}
	stackOutputSaved = []savedTensor{
		tensor("input of final norm", tokens, model, bySeq, withFinalNorm).always(),
	}
	headInputSaved     = []savedTensor{tensor("input of the head", tokens, model, bySeq, 0).always()}
	encoderOutputSaved = []savedTensor{tensor("encoder output", keys, source, bySeq, 0).always()}
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
