package shapes

import "cmp"

// Shape is the architecture of one Transformer. The zero value is not valid; see [Shape.Validate].
//
// Symbols used throughout the project: d = DModel, V = Vocab, and per stack L = Layers, f = DFF, i
// = Heads·DKV, k = KVHeads·DKV. i is not d in general: T5-3B has i = 4096 and d = 1024.
//
// The fields of the first group describe every model; those of the second say what a few families
// have, and zero means that the model does not have it.
//
// Not modelled: state-space, linear-attention and convolutional layers, layers of unequal width,
// and cross-attention of another width or number of heads than self-attention.
type Shape struct {
	Name   string // catalogue name or edit, e.g. "t5-small/nl=16"; not part of the architecture
	Family Family // which recipe the shape follows, for defaults and labels

	DModel int // width of the residual stream
	Vocab  int // rows of the token embedding, padding included

	Encoder Stack // Layers 0 when absent
	Decoder Stack // Layers 0 when absent; has cross-attention when the encoder is present

	Head     Head // how logits are made
	HeadBias bool // one bias per vocabulary entry on the logits
	Norm     Norm // of every normalisation in the model
	Bias     Bias // which projections carry a bias vector
	// a normalisation right after each stack's input embedding (BERT, BART, BLOOM)
	EmbeddingNorm bool
	TokenTypes    int  // rows of the token-type embedding (BERT: 2)
	Pooler        bool // a d×d dense layer on the first encoder position (BERT)

	// rows of a token table of the encoder's own (FSMT, T5Gemma, wrappers of two models); 0 = the
	// stacks share one
	SourceVocab int
	SourceWidth int // of the encoder's residual stream where it is not d; 0 = d
	// width of the tables of tokens, token types and learned positions where it is not d (ALBERT,
	// ELECTRA: 128); 0 = d. A [Dense] layer at the input widens it
	EmbeddingWidth int
	// the stacks do not attend to each other: two towers (CLIP), or a picture encoder whose output
	// stands among a language model's tokens (LLaVA)
	Towers bool
	// the encoder's layers, positions and final norm are the decoder's: they add no parameters
	TiedStacks bool
	Dense      [MaxDense]Dense // further dense layers outside the stacks, used from the front
}

// MaxDense is how many dense layers a model has outside its stacks.
const MaxDense = 8

// Dense is a dense layer outside the stacks: a projection of embeddings, or a task's head.
type Dense struct {
	In, Out int // 0 where the slot is not used
	Bias    bool
	At      Place
}

// Stack is a run of identical Transformer layers.
type Stack struct {
	Layers     int
	DFF        int        // inner width of the feed-forward network
	Gated      bool       // the feed-forward has two input projections (GEGLU, SwiGLU)
	Activation Activation // of the feed-forward
	DKV        int        // width of one attention head
	Heads      int        // query heads
	// key and value heads: Heads for multi-head, 1 for multi-query, between for grouped-query
	// attention
	KVHeads int

	Position Position // how positions enter
	// rows of a learned position table, or buckets of a relative one; 0 for the others
	Positions int

	FinalNorm bool // a normalisation after the last layer (pre-norm models)

	Experts       int // experts of a mixture-of-experts feed-forward; 0 = dense
	ActiveExperts int // experts each token visits (Switch: 1)
	SparseEvery   int // every SparseEvery-th layer is sparse (Switch: 2); 1 = all

	Frontend Frontend // what feeds the stack when it is not token embeddings

	OwnLayers int // layers with weights of their own, which the others repeat (ALBERT: 1); 0 = all

	Parallel bool // attention and feed-forward read the same input (GPT-J, Falcon)
	// norms of attention and feed-forward together: 1 shared by a parallel block, 4 before and
	// after each (Gemma 2); 0 = 2. Cross-attention has half as many, at least one
	NormsPerLayer int
	QKNorm        QKNorm // norm of queries and keys
	Latent        Latent // multi-head latent attention (DeepSeek)

	// positions that a query of a windowed layer sees, itself included; chunked attention is taken
	// as a window of its chunk. 0 = all
	Window     int
	FullLayers int // layers without the window, spread evenly; 0 without a window

	ExpertDFF  int  // inner width of an expert where it is not d_ff; 0 = d_ff
	SharedDFF  int  // inner width of the experts that every token visits, together
	SharedGate bool // a d×1 gate on the shared experts (Qwen2-MoE)
	DenseFirst int  // leading layers without experts

	// parameters that enter no matrix product: of each layer (layer scales, attention sinks), and
	// outside the layers (mask tokens, norms of a task's head)
	LayerExtra, Extra int
}

// Latent is the low-rank factors of multi-head latent attention (DeepSeek-AI 2024, arXiv
// 2405.04434, section 2.1). Keys are DKV wide, of which RotaryWidth are rotated and shared by the
// heads; only KVRank + RotaryWidth numbers a position are cached. The zero value is ordinary
// attention.
type Latent struct {
	QueryRank   int // 0 = queries are projected directly
	KVRank      int
	RotaryWidth int
	ValueWidth  int // width of one head's values
}

// Inner returns i = Heads·DKV, the width of the concatenated query heads.
func (s *Stack) Inner() int { return s.Heads * s.DKV }

// KVInner returns k = KVHeads·DKV, the width of the concatenated key heads, which latent attention
// has as many of as query heads.
func (s *Stack) KVInner() int { return s.KVHeads * s.DKV }

// KVSplit returns into how many parts tp tensor-parallel devices split the keys and values, which is
// by no more than kv_heads: of fewer heads than devices, several devices hold the same.
func (s *Stack) KVSplit(tp int) int { return min(tp, s.KVHeads) }

// ValueInner returns the width of the concatenated values: k, or Heads·ValueWidth with latent
// attention.
func (s *Stack) ValueInner() int {
	if s.Latent != (Latent{}) {
		return s.Heads * s.Latent.ValueWidth
	}
	return s.KVInner()
}

// OutputInner returns the input width of the output projection: i, or Heads·ValueWidth with latent
// attention.
func (s *Stack) OutputInner() int {
	if s.Latent != (Latent{}) {
		return s.Heads * s.Latent.ValueWidth
	}
	return s.Inner()
}

// CachedWidth returns the numbers a layer caches for each position of its keys and values: 2k, or
// KVRank + RotaryWidth with latent attention.
func (s *Stack) CachedWidth() int {
	if s.Latent != (Latent{}) {
		return s.Latent.KVRank + s.Latent.RotaryWidth
	}
	return 2 * s.KVInner()
}

// Norms returns the norms of attention and feed-forward in one layer.
func (s *Stack) Norms() int { return cmp.Or(s.NormsPerLayer, 2) }

// CrossNorms returns the norms of cross-attention in one layer.
func (s *Stack) CrossNorms() int { return max(1, s.Norms()/2) }

// ExpertInner returns the inner width of one expert.
func (s *Stack) ExpertInner() int { return cmp.Or(s.ExpertDFF, s.DFF) }

// HasOwnWeights returns how many layers have weights of their own.
func (s *Stack) HasOwnWeights() int { return cmp.Or(s.OwnLayers, s.Layers) }

// WindowedBefore returns how many of the first n layers have a window.
func (s *Stack) WindowedBefore(n int) int {
	if s.Window == 0 || s.Layers == 0 {
		return 0
	}
	return n - n*s.FullLayers/s.Layers
}

// SparseBefore returns how many of the first n layers have experts: every SparseEvery-th one after
// the DenseFirst leading ones.
func (s *Stack) SparseBefore(n int) int {
	if s.Experts == 0 || s.SparseEvery == 0 {
		return 0
	}
	return max(0, n/s.SparseEvery-s.DenseFirst/s.SparseEvery)
}

// FFNMatrices returns g, the matrices of the feed-forward: 3 gated, else 2.
func (s *Stack) FFNMatrices() int {
	if s.Gated {
		return 3
	}
	return 2
}

// SparseLayers returns how many of the layers have experts.
func (s *Stack) SparseLayers() int { return s.SparseBefore(s.Layers) }

// TwoStacks reports whether the model has an encoder and a decoder.
func (s *Shape) TwoStacks() bool { return s.Encoder.Layers > 0 && s.Decoder.Layers > 0 }

// LastStack returns the decoder, or the encoder of a model without one.
func (s *Shape) LastStack() *Stack {
	if s.Decoder.Layers > 0 {
		return &s.Decoder
	}
	return &s.Encoder
}

// CrossAttention reports whether the decoder attends to the encoder.
func (s *Shape) CrossAttention() bool { return s.TwoStacks() && !s.Towers }

// WidthOf returns the width of the residual stream of one of the shape's own stacks.
func (s *Shape) WidthOf(k *Stack) int {
	if k == &s.Encoder && s.SourceWidth > 0 {
		return s.SourceWidth
	}
	return s.DModel
}

// TableWidth returns the width of the token table and of the logits' input.
func (s *Shape) TableWidth() int { return cmp.Or(s.EmbeddingWidth, s.DModel) }

// InputWidth returns the width of the tables of positions and of the embedding norm of one of the
// shape's own stacks: that of the token table, or of an encoder with a width of its own.
func (s *Shape) InputWidth(k *Stack) int {
	if k == &s.Encoder && s.SourceWidth > 0 {
		return s.SourceWidth
	}
	return s.TableWidth()
}

// SharesTable reports whether a stack looks its tokens up in the model's token table.
func (s *Shape) SharesTable(k *Stack) bool {
	return k.Layers > 0 && k.Frontend.Kind == Tokens && (s.SourceVocab == 0 || k != &s.Encoder)
}

// SameArchitecture reports whether two shapes differ in name and family only.
func (s Shape) SameArchitecture(t Shape) bool {
	s.Name, t.Name = "", ""
	s.Family, t.Family = "", ""
	return s == t
}
