package flops

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/shapes"
)

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
	Owners    int     // layers with parameters of their own, which the others repeat
	Matmul    Matmul  // zero for vector work and look-ups
	Vector    float64 // FLOPs outside matrix products: softmax, norm, activation, bias, residual
	Read      float64 // elements a vector operation reads
	Written   float64 // elements a vector operation writes
	Lookups   int     // positions looked up in a table of Vocab rows
	InLayer   bool    // inside a repeated layer, as against input, final norm and head
	Sparse    bool    // only in the layers that have experts
	Core      bool    // part of softmax(QKᵀ)·V: what selective recompute repeats
	Causal    bool    // half of a core that a causal kernel may skip
	Windowed  bool    // only in the layers that have a window
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
// 4·B·Sd·Se·i, logits 2·B·Sd·V·d. Embedding look-ups are free. A window of W positions makes S² of
// a layer's core S·min(S, W); see [CountParameters] for the products of latent attention, whose core
// runs on the expanded keys and values, as in training.
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
		n += int64(l[i].Owners) * l[i].Params
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
	typed  bool // the token types' are

	inLayer, sparse bool // marks of the rows being added
	tied            bool // the rows being added repeat parameters of the other stack
	owners          int  // layers with weights of their own, of the stack being added
}

func (b *builder) add(o Op) {
	o.InLayer, o.Sparse, o.Owners = b.inLayer, b.sparse, o.Layers
	if b.inLayer {
		o.Owners = min(o.Owners, b.owners)
	}
	if b.tied {
		o.Params = 0
	}
	b.ops = append(b.ops, o)
}

// input adds what happens before the first layer of a stack.
func (b *builder) input(stack string, k *shapes.Stack, length int) {
	s, d, tokens := b.shape, b.shape.WidthOf(k), b.work.Batch*length
	elements := float64(tokens) * float64(s.InputWidth(k))
	convs, extra := k.Frontend.Convolutions(d)
	extra += k.Extra
	switch c := k.Frontend; c.Kind {
	case shapes.Tokens:
		table := int64(0)
		switch {
		case !s.SharesTable(k):
			table = sourceTable(s)
		case !b.booked:
			table, b.booked = tokenTable(s), true
		}
		if !b.typed {
			table, b.typed = table+typeTable(s), true
		}
		b.add(Op{
			Name: stack + ".embedding", Component: Embedding, Layers: 1, Params: table,
			Lookups: tokens, Read: elements, Written: elements,
		})
	default:
		for n := range convs {
			if convs[n] != (shapes.Conv{}) {
				b.convolution(stack, c.Kind, n, &convs[n], tokens)
			}
		}
	}
	if extra > 0 {
		b.add(Op{Name: stack + ".extra", Component: FrontendInput, Layers: 1, Params: int64(extra)})
	}
	b.tied = s.TiedStacks && k == &s.Encoder
	switch n := positionParameters(s, k); k.Position {
	case shapes.Learned, shapes.Sinusoidal:
		b.add(Op{
			Name: stack + ".positions", Component: Positions, Layers: 1, Params: n,
			Vector: elements, Read: 2 * elements, Written: elements,
		})
	case shapes.Relative, shapes.RelativeLayers:
		bias := float64(k.Heads) * float64(length) * float64(length)
		b.add(Op{
			Name: stack + ".relative_bias", Component: Positions, Layers: 1, Params: n,
			Read: bias, Written: bias,
		})
	case shapes.Disentangled:
		b.add(Op{Name: stack + ".relative_table", Component: Positions, Layers: 1, Params: n})
	}
	b.tied = false
	if s.EmbeddingNorm {
		b.norm(stack+".embedding_norm", Embedding, 1, tokens, s.InputWidth(k), 1)
	}
	at := shapes.DecoderInput
	if k == &s.Encoder {
		at = shapes.EncoderInput
	}
	b.dense(stack, at)
}

// convolution adds one convolution of a front end.
func (b *builder) convolution(stack string, kind shapes.FrontendKind, n int, c *shapes.Conv, tokens int) {
	rows := tokens * int(c.Rate)
	elements := float64(rows) * float64(c.Out)
	o := Op{
		Name: fmt.Sprintf("%s.conv%d", stack, n+1), Component: FrontendInput, Layers: 1,
		Params: convParameters(c), Matmul: Matmul{1, rows, int(c.Out), int(c.Taps) * int(c.In)},
		Vector: elements * (1 + geluFLOPs), Read: elements, Written: elements,
	}
	if kind == shapes.Patches {
		o.Name, o.Vector = stack+".patches", elements
	}
	b.add(o)
}

// dense adds the dense layers outside the stacks that run at a place.
func (b *builder) dense(name string, at shapes.Place) {
	for n := range b.shape.Dense {
		l := &b.shape.Dense[n]
		if l.At != at || l.In == 0 {
			continue
		}
		b.add(Op{
			Name: fmt.Sprintf("%s.dense%d", name, n+1), Component: denseComponent(l), Layers: 1,
			Params: denseParameters(l), Matmul: Matmul{1, b.work.rows(b.shape, at), l.Out, l.In},
		})
	}
}

// layers adds the repeated layers of a stack and its final norm.
func (b *builder) layers(stack string, k *shapes.Stack, length int, in stackComponents) {
	s, tokens := b.shape, b.work.Batch*length
	d, decoder := s.WidthOf(k), k == &s.Decoder
	b.inLayer, b.owners, b.tied = true, k.HasOwnWeights(), s.TiedStacks && !decoder
	each := (k.Norms() + 1) / 2
	b.norm(stack+".attention_norm", in.norm, k.Layers, tokens, d, each)
	b.attention(stack+".attention", in.attention, k, length, length, decoder)
	b.residual(stack+".attention_residual", in.norm, k.Layers, tokens, d)
	if decoder && s.CrossAttention() {
		b.norm(stack+".cross_attention_norm", in.norm, k.Layers, tokens, d, k.CrossNorms())
		b.attention(stack+".cross_attention", DecoderCrossAttention, k, length,
			b.work.EncoderLength, false)
		b.residual(stack+".cross_attention_residual", in.norm, k.Layers, tokens, d)
	}
	b.norm(stack+".ffn_norm", in.norm, k.Layers, tokens, d, k.Norms()-each)
	if k.LayerExtra > 0 {
		b.add(Op{Name: stack + ".extra", Component: in.norm, Layers: k.Layers, Params: int64(
			k.LayerExtra)})
	}
	sparse := k.SparseLayers()
	b.ffn(stack+".ffn", in.ffn, k, k.Layers-sparse, tokens, k.DFF, 0)
	b.sparse = true
	if k.SharedDFF > 0 {
		b.ffn(stack+".shared", in.ffn, k, sparse, tokens, k.SharedDFF, 0)
		if k.SharedGate {
			b.add(Op{
				Name: stack + ".shared.expert_gate", Component: in.ffn, Layers: sparse,
				Params: int64(d), Matmul: Matmul{1, tokens, 1, d},
			})
		}
	}
	b.ffn(stack+".experts", in.ffn, k, sparse, tokens, k.ExpertInner(), k.Experts)
	b.sparse = false
	b.residual(stack+".ffn_residual", in.norm, k.Layers, tokens, d)
	b.inLayer = false
	if k.FinalNorm {
		b.norm(stack+".final_norm", in.norm, 1, tokens, d, 1)
	}
	b.tied = false
	at := shapes.DecoderOutput
	if !decoder {
		at = shapes.EncoderOutput
	}
	b.dense(stack, at)
}

// attention adds the projections and the core of one attention block that reads queries from `from`
// positions and keys and values from `to` positions.
func (b *builder) attention(name string, c Component, k *shapes.Stack, from, to int, causal bool) {
	s, batch, layers := b.shape, b.work.Batch, k.Layers
	d, source, inner, keys := s.WidthOf(k), s.WidthOf(k), k.Inner(), k.KeyInner()
	if c == DecoderCrossAttention {
		source = s.WidthOf(&s.Encoder)
	}
	if l := &k.Latent; *l == (shapes.Latent{}) {
		b.project(name+".q", c, layers, batch*from, inner, d, shapes.BiasQ)
		b.project(name+".k", c, layers, batch*to, k.KVInner(), source, shapes.BiasK)
		b.project(name+".v", c, layers, batch*to, k.KVInner(), source, shapes.BiasV)
	} else {
		b.latent(name, c, k, batch*from, batch*to, source)
	}
	if k.QKNorm != shapes.NoQKNorm {
		width := int64(2 * k.DKV)
		if k.QKNorm == shapes.QKNormFull {
			width = int64(inner + k.KVInner())
		}
		elements := float64(batch*from)*float64(inner) + float64(batch*to)*float64(k.KVInner())
		b.add(Op{
			Name: name + ".qk_norm", Component: c, Layers: layers,
			Params: normFactor(s.Norm) * width, Vector: normFLOPs * elements, Read: elements,
			Written: elements,
		})
	}
	if k.Position == shapes.Rotary {
		rotated := float64(batch*from)*float64(inner) + float64(batch*to)*float64(keys)
		b.add(Op{
			Name: name + ".rotary", Component: c, Layers: layers,
			Vector: rotaryFLOPs * rotated, Read: rotated, Written: rotated,
		})
	}
	if k.Position == shapes.Disentangled && c != DecoderCrossAttention {
		b.disentangled(name, c, k, from)
	}
	windowed := 0
	if c != DecoderCrossAttention {
		windowed = k.WindowedBefore(layers)
	}
	b.core(name, c, k, layers-windowed, from, to, causal)
	if windowed > 0 {
		first := len(b.ops)
		b.core(name+".window", c, k, windowed, from, min(to, k.Window), causal)
		for n := first; n < len(b.ops); n++ {
			b.ops[n].Windowed = true
		}
	}
	b.project(name+".o", c, layers, batch*from, d, k.OutputInner(), shapes.BiasO)
}

// core adds softmax(QKᵀ)·V of the layers in which a query sees `to` positions.
func (b *builder) core(name string, c Component, k *shapes.Stack, layers, from, to int, causal bool) {
	if layers == 0 {
		return
	}
	heads := b.work.Batch * k.Heads
	scores := float64(heads) * float64(from) * float64(to)
	perScore := float64(softmaxFLOPs)
	biased := k.Position == shapes.Relative || k.Position == shapes.RelativeLayers
	if biased && c != DecoderCrossAttention || k.Position == shapes.ALiBi {
		perScore++
	}
	value := k.OutputInner() / k.Heads
	b.add(Op{
		Name: name + ".scores", Component: c, Layers: layers,
		Matmul: Matmul{heads, from, to, k.DKV}, Core: true, Causal: causal,
	})
	b.add(Op{
		Name: name + ".softmax", Component: c, Layers: layers, Vector: perScore * scores,
		Read: scores, Written: scores, Core: true, Causal: causal,
	})
	b.add(Op{
		Name: name + ".values", Component: c, Layers: layers,
		Matmul: Matmul{heads, from, value, to}, Core: true, Causal: causal,
	})
}

// latent adds the projections of multi-head latent attention: to the ranks, and from them to
// queries, keys and values of every head.
func (b *builder) latent(name string, c Component, k *shapes.Stack, from, to, source int) {
	d, l := b.shape.WidthOf(k), k.Latent
	norm := func(part string, rows, width int) {
		elements := float64(rows) * float64(width)
		b.add(Op{
			Name: name + part, Component: c, Layers: k.Layers, Params: int64(width),
			Vector: normFLOPs * elements, Read: elements, Written: elements,
		})
	}
	if l.QueryRank > 0 {
		b.project(name+".q_rank", c, k.Layers, from, l.QueryRank, d, 0)
		norm(".q_norm", from, l.QueryRank)
		d = l.QueryRank
	}
	b.project(name+".q", c, k.Layers, from, k.Inner(), d, shapes.BiasQ)
	b.project(name+".kv_rank", c, k.Layers, to, l.KVRank+l.RotaryWidth, source, 0)
	norm(".kv_norm", to, l.KVRank)
	b.project(name+".kv", c, k.Layers, to, latentExpanded(k), l.KVRank, 0)
	bias := present(b.shape.Bias, shapes.BiasK, int64(k.KeyInner())) +
		present(b.shape.Bias, shapes.BiasV, int64(k.ValueInner()))
	if bias > 0 {
		b.add(Op{
			Name: name + ".kv_bias", Component: c, Layers: k.Layers, Params: bias,
			Vector: float64(to) * float64(bias),
		})
	}
}

// disentangled adds the products with the table of relative positions: its projections by the
// layer's own query and key matrices, and the scores of content against position both ways.
func (b *builder) disentangled(name string, c Component, k *shapes.Stack, from int) {
	d, heads, rows := b.shape.WidthOf(k), b.work.Batch*k.Heads, k.Positions
	b.add(Op{
		Name: name + ".position_q", Component: c, Layers: k.Layers,
		Matmul: Matmul{1, rows, k.Inner(), d},
	})
	b.add(Op{
		Name: name + ".position_k", Component: c, Layers: k.Layers,
		Matmul: Matmul{1, rows, k.KVInner(), d},
	})
	for _, part := range []string{".content_to_position", ".position_to_content"} {
		b.add(Op{
			Name: name + part, Component: c, Layers: k.Layers, Core: true,
			Matmul: Matmul{heads, from, rows, k.DKV},
		})
	}
}

// ffn adds a dense feed-forward of inner width f (experts 0) or a routed one.
func (b *builder) ffn(name string, c Component, k *shapes.Stack, layers, tokens, f, experts int) {
	if layers == 0 {
		return
	}
	d := b.shape.WidthOf(k)
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

// head adds the pooler, the layers of a task and the logits.
func (b *builder) head() {
	s, d, e := b.shape, b.shape.DModel, b.shape.TableWidth()
	if s.Pooler {
		pooled := s.WidthOf(&s.Encoder)
		b.add(Op{Name: "pooler", Component: PoolerLayer, Layers: 1, Params: int64(pooled)*
			int64(pooled) + int64(pooled), Matmul: Matmul{1, b.work.Batch, pooled, pooled}})
	}
	b.dense("head", shapes.Pooled)
	tokens := b.work.LogitTokens(s)
	if s.Head == shapes.HeadNone {
		return
	}
	params := headParameters(s)
	if s.Head == shapes.HeadMLM {
		elements := float64(tokens) * float64(e)
		transform := transformParameters(s)
		b.add(Op{
			Name: "head.transform", Component: LogitHead, Layers: 1, Params: transform,
			Matmul: Matmul{1, tokens, e, d}, Vector: elements * (1 + geluFLOPs + normFLOPs),
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
		Matmul: Matmul{1, tokens, s.Vocab, e},
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
	if bias != shapes.NoBias && b.shape.Bias.Has(bias) {
		o.Params += int64(out)
		o.Vector = float64(tokens) * float64(out)
	}
	b.add(o)
}

// norm adds so many norms of a width.
func (b *builder) norm(name string, c Component, layers, tokens, width, count int) {
	if count == 0 {
		return
	}
	elements := float64(count) * float64(tokens) * float64(width)
	b.add(Op{
		Name: name, Component: c, Layers: layers,
		Params: int64(count) * normFactor(b.shape.Norm) * int64(width),
		Vector: normFLOPs * elements, Read: elements, Written: elements,
	})
}

func (b *builder) residual(name string, c Component, layers, tokens, width int) {
	elements := float64(tokens) * float64(width)
	b.add(Op{
		Name: name, Component: c, Layers: layers, Vector: elements, Read: 2 * elements,
		Written: elements,
	})
}
