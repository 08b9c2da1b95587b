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
// routers add theirs. Fixed sinusoidal tables and buffers that no optimizer updates are not
// counted. It does not allocate.
func CountParameters(s *shapes.Shape) Parameters {
	var p Parameters
	d := int64(s.DModel)
	norm := normParameters(s)

	tables := tokenTable(s) + int64(s.TokenTypes)*d
	p.By[Embedding] = tables
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
		layers := int64(k.Layers)
		if layers == 0 {
			continue
		}
		attention := attentionParameters(s, k)
		norms := 2 * layers * norm
		if part.cross {
			p.By[DecoderCrossAttention] = layers * attention
			norms += layers * norm
		}
		if k.FinalNorm {
			norms += norm
		}
		if s.EmbeddingNorm {
			p.By[Embedding] += norm
		}
		expert := ffnParameters(s, k)
		sparse := int64(k.SparseLayers())
		p.By[part.in.attention] = layers * attention
		p.By[part.in.norm] = norms
		p.By[part.in.ffn] = (layers-sparse)*expert + sparse*int64(k.Experts)*(expert+d)
		p.By[FrontendInput] += frontendParameters(s, k)
		idle += sparse * int64(k.Experts-k.ActiveExperts) * expert
	}
	if s.Pooler {
		p.By[PoolerLayer] = d*d + d
	}
	p.By[LogitHead] = headParameters(s)

	for _, n := range p.By {
		p.Total += n
	}
	p.Active = p.Total - idle
	p.NonEmbedding = p.Total - tables - learnedPositions(s, &s.Encoder) - learnedPositions(s,
		&s.Decoder)
	if s.Head == shapes.HeadUntied {
		p.NonEmbedding -= int64(s.Vocab) * d
	}
	return p
}

// tokenTable returns V·d when any part of the model needs the token embedding.
func tokenTable(s *shapes.Shape) int64 {
	if s.ReadsTokens() || s.Head == shapes.HeadTied || s.Head == shapes.HeadMLM {
		return int64(s.Vocab) * int64(s.DModel)
	}
	return 0
}

func normParameters(s *shapes.Shape) int64 {
	if s.Norm == shapes.LayerNorm {
		return 2 * int64(s.DModel)
	}
	return int64(s.DModel)
}

func positionParameters(s *shapes.Shape, k *shapes.Stack) int64 {
	if k.Layers > 0 && k.Position == shapes.Relative {
		return int64(k.Positions) * int64(k.Heads)
	}
	return learnedPositions(s, k)
}

func learnedPositions(s *shapes.Shape, k *shapes.Stack) int64 {
	if k.Layers > 0 && k.Position == shapes.Learned {
		return int64(k.Positions) * int64(s.DModel)
	}
	return 0
}

// attentionParameters returns 2di + 2dk and the biases of one attention block.
func attentionParameters(s *shapes.Shape, k *shapes.Stack) int64 {
	d, i, kv := int64(s.DModel), int64(k.Inner()), int64(k.KVInner())
	return 2*d*i + 2*d*kv +
		present(s.Bias, shapes.BiasQ, i) + present(s.Bias, shapes.BiasK, kv) +
		present(s.Bias, shapes.BiasV, kv) + present(s.Bias, shapes.BiasO, d)
}

// ffnParameters returns gdf and the biases of one dense feed-forward or expert.
func ffnParameters(s *shapes.Shape, k *shapes.Stack) int64 {
	d, f, g := int64(s.DModel), int64(k.DFF), int64(k.FFNMatrices())
	return g*d*f + present(s.Bias, shapes.BiasFFN, (g-1)*f+d)
}

func present(have, want shapes.Bias, n int64) int64 {
	if have.Has(want) {
		return n
	}
	return 0
}

// frontendParameters returns the weights and biases of the convolutions. Whisper: widths 3, c→d and
// d→d (Radford et al. 2022, arXiv 2212.04356, section 2.2). ViT: one p×p convolution and the class
// token (Dosovitskiy et al. 2020, arXiv 2010.11929, section 3.1).
func frontendParameters(s *shapes.Shape, k *shapes.Stack) int64 {
	d, c, patch := int64(s.DModel), int64(k.Frontend.Channels), int64(k.Frontend.Patch)
	switch k.Frontend.Kind {
	case shapes.Audio:
		return (3*c*d + d) + (3*d*d + d)
	case shapes.Patches:
		return patch*patch*c*d + d + d
	default:
		return 0
	}
}

func headParameters(s *shapes.Shape) int64 {
	d, v := int64(s.DModel), int64(s.Vocab)
	n := int64(0)
	switch s.Head {
	case shapes.HeadUntied:
		n = v * d
	case shapes.HeadMLM:
		n = d*d + d + normParameters(s)
	}
	if s.HeadBias && s.Head != shapes.HeadNone {
		n += v
	}
	return n
}
