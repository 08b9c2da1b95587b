package shapes

// Shape is the architecture of one Transformer. The zero value is not valid; see [Shape.Validate].
//
// Symbols used throughout the project: d = DModel, V = Vocab, and per stack L = Layers, f = DFF, i
// = Heads·DKV, k = KVHeads·DKV. i is not d in general: T5-3B has i = 4096 and d = 1024.
//
// Not modelled: parallel attention and feed-forward blocks that share a norm, sliding-window
// attention, factorised embeddings, query-key norms. None of the supported architectures needs them
// for its parameter count.
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
}

// Inner returns i = Heads·DKV, the width of the concatenated query heads.
func (s *Stack) Inner() int { return s.Heads * s.DKV }

// KVInner returns k = KVHeads·DKV, the width of the concatenated key heads.
func (s *Stack) KVInner() int { return s.KVHeads * s.DKV }

// FFNMatrices returns g, the matrices of the feed-forward: 3 gated, else 2.
func (s *Stack) FFNMatrices() int {
	if s.Gated {
		return 3
	}
	return 2
}

// SparseLayers returns how many of the layers have experts.
func (s *Stack) SparseLayers() int {
	if s.Experts == 0 || s.SparseEvery == 0 {
		return 0
	}
	return s.Layers / s.SparseEvery
}

// CrossAttention reports whether the decoder attends to the encoder.
func (s *Shape) CrossAttention() bool { return s.Encoder.Layers > 0 && s.Decoder.Layers > 0 }

// SameArchitecture reports whether two shapes differ in name and family only.
func (s Shape) SameArchitecture(t Shape) bool {
	s.Name, t.Name = "", ""
	s.Family, t.Family = "", ""
	return s == t
}
