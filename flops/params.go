package flops

import "github.com/deepnarrow/deepnarrow/shapes"

// Parameters counts the trainable parameters of a shape, exactly.
type Parameters struct {
	Total int64
	// Total without token, type and learned position tables and without an untied head matrix
	NonEmbedding int64
	// parameters one token meets: Total with ActiveExperts of the Experts; equal to Total when
	// dense
	Active int64
	By     [components]int64 // by component; sums to Total
}

// CountParameters returns the exact parameter count of a valid shape.
//
// For T5 (RMSNorm, no biases, one relative-bias table per stack) it is
//
//	V·d·(1, or 2 untied) + EL·(2di + 2dk + gdf + 2d) + DL·(4di + 4dk + gdf + 3d) + buckets·heads per stack + d per stack
//
// in the symbols of the package comment, and Raffel et al. 2020 (arXiv 1910.10683, appendix E)
// gives the shapes. Biases, LayerNorm shifts, learned positions, token types, poolers, experts and
// routers add theirs; multi-head latent attention has d·q + q + q·i + d·(c + r) + c +
// c·heads·(d_kv − r + v) + heads·v·d for ranks q and c, r rotated and v value dimensions
// (DeepSeek-AI 2024, arXiv 2405.04434, section 2.1). Fixed sinusoidal tables and buffers that no
// optimizer updates are not counted. It does not allocate.
func CountParameters(s *shapes.Shape) Parameters {
	var p Parameters
	p.By[Embedding] = tokenTable(s) + sourceTable(s) + typeTable(s)
	tables := p.By[Embedding]
	p.By[Positions] = positionParameters(s, &s.Encoder) + positionParameters(s, &s.Decoder)
	idle := int64(0) // parameters of experts that a token does not visit
	for _, part := range [...]struct {
		stack *shapes.Stack
		in    stackComponents
		cross bool
	}{
		{&s.Encoder, encoderComponents, false},
		{&s.Decoder, decoderComponents, s.CrossAttention()},
	} {
		k := part.stack
		if k.Layers == 0 {
			continue
		}
		d := int64(s.WidthOf(k))
		norm := int64(s.Norm.Vectors()) * d
		p.By[FrontendInput] += frontendParameters(s, k) + int64(k.Extra)
		if s.EmbeddingNorm {
			p.By[Embedding] += int64(s.Norm.Vectors()) * int64(s.InputWidth(k))
		}
		if s.TiedStacks && k == &s.Encoder {
			continue
		}
		layers := int64(k.HasOwnWeights())
		norms := layers * (int64(k.Norms())*norm + int64(k.LayerExtra))
		if part.cross {
			p.By[DecoderCrossAttention] = layers * attentionParameters(s, k, s.WidthOf(&s.Encoder))
			norms += layers * int64(k.CrossNorms()) * norm
		}
		if k.FinalNorm {
			norms += norm
		}
		sparse := int64(k.SparseLayers())
		expert := ffnParameters(s, k, k.ExpertInner())
		shared := ffnShared(s, k)
		p.By[part.in.attention] = layers * attentionParameters(s, k, int(d))
		p.By[part.in.norm] = norms
		p.By[part.in.ffn] = (layers-sparse)*ffnParameters(s, k, k.DFF) +
			sparse*(int64(k.Experts)*(expert+d)+shared)
		idle += sparse * int64(k.Experts-k.ActiveExperts) * expert
	}
	if s.Pooler {
		d := int64(s.WidthOf(&s.Encoder))
		p.By[PoolerLayer] = d*d + d
	}
	p.By[LogitHead] = headParameters(s)
	for i := range s.Dense {
		p.By[denseComponent(&s.Dense[i])] += denseParameters(&s.Dense[i])
	}

	for _, n := range p.By {
		p.Total += n
	}
	p.Active = p.Total - idle
	p.NonEmbedding = p.Total - tables - learnedPositions(s, &s.Encoder) - learnedPositions(s,
		&s.Decoder)
	if s.Head == shapes.HeadUntied {
		p.NonEmbedding -= int64(s.Vocab) * int64(s.TableWidth())
	}
	return p
}

// tokenTable returns V·d when any part of the model needs the token table the stacks share.
func tokenTable(s *shapes.Shape) int64 {
	if s.SharesTable(&s.Encoder) || s.SharesTable(&s.Decoder) || s.Head == shapes.HeadTied ||
		s.Head == shapes.HeadMLM {
		return int64(s.Vocab) * int64(s.TableWidth())
	}
	return 0
}

// sourceTable returns the encoder's own token table.
func sourceTable(s *shapes.Shape) int64 {
	return int64(s.SourceVocab) * int64(s.InputWidth(&s.Encoder))
}

func typeTable(s *shapes.Shape) int64 { return int64(s.TokenTypes) * int64(s.TableWidth()) }

// positionParameters returns the table of positions; the stacks of a tied model share the
// decoder's.
func positionParameters(s *shapes.Shape, k *shapes.Stack) int64 {
	if k.Layers == 0 || s.TiedStacks && k == &s.Encoder {
		return 0
	}
	rows := int64(k.Positions)
	switch k.Position {
	case shapes.Relative:
		return rows * int64(k.Heads)
	case shapes.RelativeLayers:
		return rows * int64(k.Heads) * int64(k.Layers)
	case shapes.Disentangled:
		return rows * int64(s.WidthOf(k))
	}
	return learnedPositions(s, k)
}

func learnedPositions(s *shapes.Shape, k *shapes.Stack) int64 {
	if k.Layers > 0 && k.Position == shapes.Learned && !(s.TiedStacks && k == &s.Encoder) {
		return int64(k.Positions) * int64(s.InputWidth(k))
	}
	return 0
}

// attentionParameters returns 2di + 2dk, the biases and the norms of queries, keys and ranks of one
// attention block whose keys and values are made from vectors of a given width.
func attentionParameters(s *shapes.Shape, k *shapes.Stack, from int) int64 {
	queries, keys := projections(s, k, from)
	norms := int64(s.Norm.Vectors())*int64(qkNormWidth(k)) + int64(k.Latent.QueryRank+k.Latent.KVRank)
	return queries + keys + norms +
		present(s.Bias, shapes.BiasQ, int64(k.Inner())) +
		present(s.Bias, shapes.BiasK, int64(k.KVInner())) +
		present(s.Bias, shapes.BiasV, int64(k.ValueInner())) +
		present(s.Bias, shapes.BiasO, int64(s.WidthOf(k)))
}

// qkNormWidth returns the width of the norms of queries and keys together.
func qkNormWidth(k *shapes.Stack) int {
	switch k.QKNorm {
	case shapes.QKNormHead:
		return 2 * k.DKV
	case shapes.QKNormFull:
		return k.Inner() + k.KVInner()
	default:
		return 0
	}
}

// latentExpanded returns the width that the latent vector of keys and values is expanded to:
// heads·(d_kv − rotated + value width).
func latentExpanded(k *shapes.Stack) int {
	return k.Heads * (k.DKV - k.Latent.RotaryWidth + k.Latent.ValueWidth)
}

// ffnParameters returns gdf and the biases of one feed-forward or expert of inner width f.
func ffnParameters(s *shapes.Shape, k *shapes.Stack, f int) int64 {
	d, inner, g := int64(s.WidthOf(k)), int64(f), int64(k.FFNMatrices())
	return g*d*inner + present(s.Bias, shapes.BiasFFN, (g-1)*inner+d)
}

// ffnShared returns the parameters of the experts that every token visits, and of their gate.
func ffnShared(s *shapes.Shape, k *shapes.Stack) int64 {
	if k.SharedDFF == 0 {
		return 0
	}
	n := ffnParameters(s, k, k.SharedDFF)
	if k.SharedGate {
		n += int64(s.WidthOf(k))
	}
	return n
}

func present(have, want shapes.Bias, n int64) int64 {
	if have.Has(want) {
		return n
	}
	return 0
}

// frontendParameters returns the weights and biases of the convolutions of
// [shapes.Frontend.Convolutions].
func frontendParameters(s *shapes.Shape, k *shapes.Stack) int64 {
	if k.Frontend.Kind == shapes.Tokens {
		return 0
	}
	convs, extra := k.Frontend.Convolutions(s.WidthOf(k))
	n := int64(extra)
	for i := range convs {
		n += convParameters(&convs[i])
	}
	return n
}

func convParameters(c *shapes.Conv) int64 {
	n := int64(c.In)*int64(c.Out)*int64(c.Taps) + int64(c.Extra)
	if c.Bias {
		n += int64(c.Out)
	}
	return n
}

func headParameters(s *shapes.Shape) int64 {
	d, v := int64(s.TableWidth()), int64(s.Vocab)
	n := int64(0)
	switch s.Head {
	case shapes.HeadUntied:
		n = v * d
	case shapes.HeadMLM:
		n = transformParameters(s)
	}
	if s.HeadBias && s.Head != shapes.HeadNone {
		n += v
	}
	return n
}

// transformParameters returns the dense layer and the norm of BERT's masked-language-model head,
// d·E + E and a norm of the token table's width E. It has no bias where the feed-forward has none
// (ModernBERT).
func transformParameters(s *shapes.Shape) int64 {
	d, e := int64(s.DModel), int64(s.TableWidth())
	return d*e + int64(s.Norm.Vectors())*e + present(s.Bias, shapes.BiasFFN, e)
}

func denseParameters(l *shapes.Dense) int64 {
	n := int64(l.In) * int64(l.Out)
	if l.Bias {
		n += int64(l.Out)
	}
	return n
}

// denseComponent books a layer at the input as part of it, and all others as a head.
func denseComponent(l *shapes.Dense) Component {
	if l.At == shapes.EncoderInput || l.At == shapes.DecoderInput {
		return FrontendInput
	}
	return LogitHead
}
