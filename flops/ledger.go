package flops

import "github.com/deepnarrow/deepnarrow/shapes"

// Matmul is Count independent products [M×K]·[K×N] of one layer. Count is 1 for a projection over
// all tokens, B·heads for the attention core, and the active experts for a sparse feed-forward.
type Matmul struct {
	Count, M, N, K int
}

// FLOPs returns 2·Count·M·N·K.
func (m Matmul) FLOPs() float64 {
	return 2 * float64(m.Count) * float64(m.M) * float64(m.N) * float64(m.K)
}

// Op is one kind of operation of a stack, repeated in Layers layers. All counts are of one forward
// pass through one layer.
type Op struct {
	Name      string // e.g. "decoder.cross_attention.k"
	Component Component
	Layers    int
	Params    int64   // trainable parameters the operation owns, per layer
	Matmul    Matmul  // zero for vector work and look-ups
	Vector    float64 // FLOPs outside matrix products: softmax, norm, activation, bias, residual
	Read      float64 // elements a vector operation reads
	Written   float64 // elements a vector operation writes
	Lookups   int     // positions looked up in a table of Vocab rows
	InLayer   bool    // inside a repeated layer, as against input, final norm and head
	Sparse    bool    // only in the layers that have experts
	Core      bool    // part of softmax(QKᵀ)·V: what selective recompute repeats
	Causal    bool    // half of a core that a causal kernel may skip
	Experts   int     // weights of so many experts back one Matmul.Count of active ones; 0 = dense
}

// FLOPs returns the matrix-product FLOPs of one forward pass through all layers.
func (o *Op) FLOPs() float64 { return float64(o.Layers) * o.Matmul.FLOPs() }

// Ledger lists every operation of one forward pass of a shape on a workload, in the order in which
// they run. Rows of equal layers are given once.
type Ledger []Op

// FLOPs of vector work, per element. They are conventions, not measurements: Clark et al. 2020
// (ELECTRA, arXiv 2003.10555, released counting script) price softmax and normalisation at 5 and
// GELU at 8.
const (
	softmaxFLOPs = 5
	normFLOPs    = 5
	geluFLOPs    = 8 // SiLU likewise
	reluFLOPs    = 1
	rotaryFLOPs  = 3 // two multiplications and an addition per rotated element
)

// NewLedger returns the operations of a valid shape on a valid workload.
//
// Matrix products follow the formulas of the package comment: an encoder layer costs 2·B·Se·(2di +
// 2dk + gdf) + 4·B·Se²·i, a decoder layer 2·B·Sd·(4di + 2dk + gdf) + 2·B·Se·2dk + 4·B·Sd²·i +
// 4·B·Sd·Se·i, logits 2·B·Sd·V·d. Embedding look-ups are free.
//
// Not modelled: dropout, padding that a kernel skips, and the capacity factor of mixture-of-experts
// routing (each token visits exactly ActiveExperts).
func NewLedger(s *shapes.Shape, w Workload) Ledger {
	b := builder{shape: s, work: w, ops: make(Ledger, 0, 48)}
	if s.Encoder.Layers > 0 {
		b.input("encoder", &s.Encoder, w.EncoderLength)
		b.layers("encoder", &s.Encoder, w.EncoderLength, encoderComponents)
	}
	if s.Decoder.Layers > 0 {
		b.input("decoder", &s.Decoder, w.DecoderLength)
		b.layers("decoder", &s.Decoder, w.DecoderLength, decoderComponents)
	}
	b.head()
	return b.ops
}

// Parameters returns the trainable parameters of all rows. The token table is booked on its first
// look-up, or on the head if nothing looks it up.
func (l Ledger) Parameters() int64 {
	n := int64(0)
	for i := range l {
		n += int64(l[i].Layers) * l[i].Params
	}
	return n
}

// Forward returns the matrix-product FLOPs of one forward pass.
func (l Ledger) Forward() float64 { return l.sum((*Op).FLOPs) }

// Vector returns the FLOPs outside matrix products of one forward pass.
func (l Ledger) Vector() float64 {
	return l.sum(func(o *Op) float64 { return float64(o.Layers) * o.Vector })
}

func (l Ledger) sum(of func(*Op) float64) float64 {
	total := 0.0
	for i := range l {
		total += of(&l[i])
	}
	return total
}

type builder struct {
	shape  *shapes.Shape
	work   Workload
	ops    Ledger
	booked bool // the token table's parameters are on a row already

	inLayer, sparse bool // marks of the rows being added
}

func (b *builder) add(o Op) {
	o.InLayer, o.Sparse = b.inLayer, b.sparse
	b.ops = append(b.ops, o)
}

// input adds what happens before the first layer of a stack.
func (b *builder) input(stack string, k *shapes.Stack, length int) {
	s, d, tokens := b.shape, b.shape.DModel, b.work.Batch*length
	elements := float64(tokens) * float64(d)
	switch c := k.Frontend; c.Kind {
	case shapes.Tokens:
		table := int64(0)
		if !b.booked {
			table, b.booked = tokenTable(s)+int64(s.TokenTypes)*int64(d), true
		}
		b.add(Op{
			Name: stack + ".embedding", Component: Embedding, Layers: 1, Params: table,
			Lookups: tokens, Read: elements, Written: elements,
		})
	case shapes.Audio:
		width := 3
		b.add(Op{
			Name: stack + ".conv1", Component: FrontendInput, Layers: 1,
			Params: int64(width*c.Channels*d + d),
			Matmul: Matmul{1, 2 * tokens, d, width * c.Channels},
			Vector: 2 * elements * (1 + geluFLOPs), Read: 2 * elements, Written: 2 * elements,
		})
		b.add(Op{
			Name: stack + ".conv2", Component: FrontendInput, Layers: 1,
			Params: int64(width*d*d + d), Matmul: Matmul{1, tokens, d, width * d},
			Vector: elements * (1 + geluFLOPs), Read: elements, Written: elements,
		})
	case shapes.Patches:
		b.add(Op{
			Name: stack + ".patches", Component: FrontendInput, Layers: 1,
			Params: frontendParameters(s, k), Matmul: Matmul{
				1, tokens, d,
				c.Patch * c.Patch * c.Channels,
			}, Vector: elements, Read: elements, Written: elements,
		})
	}
	switch n := positionParameters(s, k); k.Position {
	case shapes.Learned, shapes.Sinusoidal:
		b.add(Op{
			Name: stack + ".positions", Component: Positions, Layers: 1, Params: n,
			Vector: elements, Read: 2 * elements, Written: elements,
		})
	case shapes.Relative:
		bias := float64(k.Heads) * float64(length) * float64(length)
		b.add(Op{
			Name: stack + ".relative_bias", Component: Positions, Layers: 1, Params: n,
			Read: bias, Written: bias,
		})
	}
	if s.EmbeddingNorm {
		b.norm(stack+".embedding_norm", Embedding, 1, tokens)
	}
}

// layers adds the repeated layers of a stack and its final norm.
func (b *builder) layers(stack string, k *shapes.Stack, length int, in stackComponents) {
	tokens := b.work.Batch * length
	decoder := k == &b.shape.Decoder
	b.inLayer = true
	b.norm(stack+".attention_norm", in.norm, k.Layers, tokens)
	b.attention(stack+".attention", in.attention, k, length, length, decoder)
	b.residual(stack+".attention_residual", in.norm, k.Layers, tokens)
	if decoder && b.shape.CrossAttention() {
		b.norm(stack+".cross_attention_norm", in.norm, k.Layers, tokens)
		b.attention(stack+".cross_attention", DecoderCrossAttention, k, length,
			b.work.EncoderLength, false)
		b.residual(stack+".cross_attention_residual", in.norm, k.Layers, tokens)
	}
	b.norm(stack+".ffn_norm", in.norm, k.Layers, tokens)
	sparse := k.SparseLayers()
	b.ffn(stack+".ffn", in.ffn, k, k.Layers-sparse, tokens, 0)
	b.sparse = true
	b.ffn(stack+".experts", in.ffn, k, sparse, tokens, k.Experts)
	b.sparse = false
	b.residual(stack+".ffn_residual", in.norm, k.Layers, tokens)
	b.inLayer = false
	if k.FinalNorm {
		b.norm(stack+".final_norm", in.norm, 1, tokens)
	}
}

// attention adds the projections and the core of one attention block that reads queries from `from`
// positions and keys and values from `to` positions.
func (b *builder) attention(name string, c Component, k *shapes.Stack, from, to int, causal bool) {
	s, batch := b.shape, b.work.Batch
	d, inner, kv := s.DModel, k.Inner(), k.KVInner()
	b.project(name+".q", c, k.Layers, batch*from, inner, d, shapes.BiasQ)
	b.project(name+".k", c, k.Layers, batch*to, kv, d, shapes.BiasK)
	b.project(name+".v", c, k.Layers, batch*to, kv, d, shapes.BiasV)
	if k.Position == shapes.Rotary {
		rotated := float64(batch*from)*float64(inner) + float64(batch*to)*float64(kv)
		b.add(Op{
			Name: name + ".rotary", Component: c, Layers: k.Layers,
			Vector: rotaryFLOPs * rotated, Read: rotated, Written: rotated,
		})
	}
	heads := batch * k.Heads
	scores := float64(heads) * float64(from) * float64(to)
	perScore := float64(softmaxFLOPs)
	if (k.Position == shapes.Relative && c != DecoderCrossAttention) || k.Position == shapes.ALiBi {
		perScore++
	}
	b.add(Op{
		Name: name + ".scores", Component: c, Layers: k.Layers,
		Matmul: Matmul{heads, from, to, k.DKV}, Core: true, Causal: causal,
	})
	b.add(Op{
		Name: name + ".softmax", Component: c, Layers: k.Layers, Vector: perScore * scores,
		Read: scores, Written: scores, Core: true, Causal: causal,
	})
	b.add(Op{
		Name: name + ".values", Component: c, Layers: k.Layers,
		Matmul: Matmul{heads, from, k.DKV, to}, Core: true, Causal: causal,
	})
	b.project(name+".o", c, k.Layers, batch*from, d, inner, shapes.BiasO)
}

// ffn adds a dense feed-forward (experts 0) or a routed one.
func (b *builder) ffn(name string, c Component, k *shapes.Stack, layers, tokens, experts int) {
	if layers == 0 {
		return
	}
	d, f := b.shape.DModel, k.DFF
	visits, copies := 1, int64(1)
	if experts > 0 {
		visits, copies = k.ActiveExperts, int64(experts)
		routed := float64(tokens) * float64(experts)
		b.add(Op{
			Name: name + ".router", Component: c, Layers: layers, Params: int64(d) * copies,
			Matmul: Matmul{1, tokens, experts, d},
		})
		b.add(Op{
			Name: name + ".router_softmax", Component: c, Layers: layers,
			Vector: softmaxFLOPs * routed, Read: routed, Written: routed,
		})
	}
	bias := func(width int) (params int64, flops float64) {
		if !b.shape.Bias.Has(shapes.BiasFFN) {
			return 0, 0
		}
		return int64(width), float64(visits*tokens) * float64(width)
	}
	names := []string{".in", ".gate"}[:k.FFNMatrices()-1]
	for _, matrix := range names {
		params, flops := bias(f)
		b.add(Op{
			Name: name + matrix, Component: c, Layers: layers,
			Params: copies * (int64(d)*int64(f) + params), Matmul: Matmul{visits, tokens, f, d},
			Vector: flops, Experts: experts,
		})
	}
	hidden := float64(visits*tokens) * float64(f)
	act := Op{
		Name: name + ".activation", Component: c, Layers: layers, Vector: geluFLOPs * hidden,
		Read: hidden, Written: hidden,
	}
	if k.Activation == shapes.ReLU {
		act.Vector = reluFLOPs * hidden
	}
	if k.Gated {
		act.Vector += hidden
		act.Read += hidden
	}
	b.add(act)
	params, flops := bias(d)
	b.add(Op{
		Name: name + ".out", Component: c, Layers: layers,
		Params: copies * (int64(d)*int64(f) + params), Matmul: Matmul{visits, tokens, d, f},
		Vector: flops, Experts: experts,
	})
}

// head adds the pooler and the logits.
func (b *builder) head() {
	s, d := b.shape, b.shape.DModel
	if s.Pooler {
		b.add(Op{Name: "pooler", Component: PoolerLayer, Layers: 1, Params: int64(d)*int64(d) +
			int64(d), Matmul: Matmul{1, b.work.Batch, d, d}})
	}
	tokens := b.work.LogitTokens(s)
	if s.Head == shapes.HeadNone {
		return
	}
	params := headParameters(s)
	if s.Head == shapes.HeadMLM {
		elements := float64(tokens) * float64(d)
		transform := int64(d)*int64(d) + int64(d) + normParameters(s)
		b.add(Op{
			Name: "head.transform", Component: LogitHead, Layers: 1, Params: transform,
			Matmul: Matmul{1, tokens, d, d}, Vector: elements * (1 + geluFLOPs + normFLOPs),
			Read: elements, Written: elements,
		})
		params -= transform
	}
	if !b.booked {
		params += tokenTable(s)
	}
	logits := float64(tokens) * float64(s.Vocab)
	b.add(Op{
		Name: "head.logits", Component: LogitHead, Layers: 1, Params: params,
		Matmul: Matmul{1, tokens, s.Vocab, d},
	})
	b.add(Op{
		Name: "head.softmax", Component: LogitHead, Layers: 1, Vector: softmaxFLOPs * logits,
		Read: logits, Written: logits,
	})
}

// project adds one dense projection of `tokens` rows from `in` to `out`.
func (b *builder) project(name string, c Component, layers, tokens, out, in int, bias shapes.Bias) {
	o := Op{
		Name: name, Component: c, Layers: layers, Params: int64(out) * int64(in),
		Matmul: Matmul{1, tokens, out, in},
	}
	if b.shape.Bias.Has(bias) {
		o.Params += int64(out)
		o.Vector = float64(tokens) * float64(out)
	}
	b.add(o)
}

func (b *builder) norm(name string, c Component, layers, tokens int) {
	elements := float64(tokens) * float64(b.shape.DModel)
	b.add(Op{
		Name: name, Component: c, Layers: layers, Params: normParameters(b.shape),
		Vector: normFLOPs * elements, Read: elements, Written: elements,
	})
}

func (b *builder) residual(name string, c Component, layers, tokens int) {
	elements := float64(tokens) * float64(b.shape.DModel)
	b.add(Op{
		Name: name, Component: c, Layers: layers, Vector: elements, Read: 2 * elements,
		Written: elements,
	})
}
