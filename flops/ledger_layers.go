package flops

import (
	"github.com/deepnarrow/deepnarrow/shapes"
)

// layers adds the repeated layers of a stack and its final norm.
func (b *builder) layers(stack string, k *shapes.Stack, length int, in stackComponents) {
	s, tokens := b.shape, b.work.Batch*length
	d, decoder := s.WidthOf(k), k == &s.Decoder
	b.inLayer, b.owners, b.tied = true, k.HasOwnWeights(), s.TiedStacks && !decoder
	each := (k.Norms() + 1) / 2
	b.norm(stack+".attention_norm", in.norm, k.Layers, tokens, d, each)
	b.attention(stack+".attention", in.attention, k, length, length)
	b.residual(stack+".attention_residual", in.norm, k.Layers, tokens, d)
	if decoder && s.CrossAttention() {
		b.norm(stack+".cross_attention_norm", in.norm, k.Layers, tokens, d, k.CrossNorms())
		b.attention(stack+".cross_attention", DecoderCrossAttention, k, length, b.work.EncoderLength)
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
	b.dense(stack, outputOf(s, k))
}

// attention adds the projections and the core of one attention block that reads queries from `from`
// positions and keys and values from `to` positions.
func (b *builder) attention(name string, c Component, k *shapes.Stack, from, to int) {
	s, batch, layers := b.shape, b.work.Batch, k.Layers
	d, source, inner, keys := s.WidthOf(k), s.WidthOf(k), k.Inner(), k.KVInner()
	if c == DecoderCrossAttention {
		source = s.WidthOf(&s.Encoder)
	}
	if k.Latent == (shapes.Latent{}) {
		b.project(name+".q", c, layers, batch*from, inner, d, shapes.BiasQ)
		b.project(name+".k", c, layers, batch*to, keys, source, shapes.BiasK)
		b.project(name+".v", c, layers, batch*to, keys, source, shapes.BiasV)
	} else {
		b.latent(name, c, k, batch*from, batch*to, source)
	}
	elements := float64(batch*from)*float64(inner) + float64(batch*to)*float64(keys)
	if width := qkNormWidth(k); width > 0 {
		b.add(Op{
			Name: name + ".qk_norm", Component: c, Layers: layers,
			Params: int64(s.Norm.Vectors()) * int64(width), Vector: normFLOPs * elements,
		})
	}
	if k.Position == shapes.Rotary {
		b.add(Op{Name: name + ".rotary", Component: c, Layers: layers, Vector: rotaryFLOPs * elements})
	}
	if k.Position == shapes.Disentangled && c != DecoderCrossAttention {
		b.disentangled(name, c, k, from)
	}
	windowed := 0
	if c != DecoderCrossAttention {
		windowed = k.WindowedBefore(layers)
	}
	b.core(name, c, k, layers-windowed, from, to, false)
	b.core(name+".window", c, k, windowed, from, min(to, k.Window), true)
	b.project(name+".o", c, layers, batch*from, d, k.OutputInner(), shapes.BiasO)
}

// core adds softmax(QKᵀ)·V of the layers in which a query sees `to` positions.
func (b *builder) core(name string, c Component, k *shapes.Stack, layers, from, to int,
	windowed bool,
) {
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
		Matmul: Matmul{heads, from, to, k.DKV}, Core: true, Windowed: windowed,
	})
	b.add(Op{
		Name: name + ".softmax", Component: c, Layers: layers, Vector: perScore * scores,
		Core: true, Windowed: windowed,
	})
	b.add(Op{
		Name: name + ".values", Component: c, Layers: layers,
		Matmul: Matmul{heads, from, value, to}, Core: true, Windowed: windowed,
	})
}

// latent adds the projections of multi-head latent attention: to the ranks, and from them to
// queries, keys and values of every head.
func (b *builder) latent(name string, c Component, k *shapes.Stack, from, to, source int) {
	d, l := b.shape.WidthOf(k), k.Latent
	norm := func(part string, rows, width int) {
		b.add(Op{
			Name: name + part, Component: c, Layers: k.Layers, Params: int64(width),
			Vector: normFLOPs * (float64(rows) * float64(width)),
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
	bias := present(b.shape.Bias, shapes.BiasK, int64(k.KVInner())) +
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
		b.add(Op{
			Name: name + ".router", Component: c, Layers: layers, Params: int64(d) * copies,
			Matmul: Matmul{1, tokens, experts, d},
		})
		b.add(Op{
			Name: name + ".router_softmax", Component: c, Layers: layers,
			Vector: softmaxFLOPs * (float64(tokens) * float64(experts)),
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
	each := geluFLOPs
	if k.Activation == shapes.ReLU {
		each = reluFLOPs
	}
	if k.Gated {
		each++
	}
	b.add(Op{
		Name: name + ".activation", Component: c, Layers: layers, Vector: float64(each) * hidden,
	})
	params, flops := bias(d)
	b.add(Op{
		Name: name + ".out", Component: c, Layers: layers,
		Params: copies * (int64(d)*int64(f) + params), Matmul: Matmul{visits, tokens, d, f},
		Vector: flops, Experts: experts,
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

// norm adds n norms of a width.
func (b *builder) norm(name string, c Component, layers, tokens, width, count int) {
	if count == 0 {
		return
	}
	b.add(Op{
		Name: name, Component: c, Layers: layers,
		Params: int64(count) * int64(b.shape.Norm.Vectors()) * int64(width),
		Vector: normFLOPs * (float64(count) * float64(tokens) * float64(width)),
	})
}

func (b *builder) residual(name string, c Component, layers, tokens, width int) {
	b.add(Op{
		Name: name, Component: c, Layers: layers, Vector: float64(tokens) * float64(width),
	})
}
