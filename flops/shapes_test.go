package flops

import (
	"pgregory.net/rapid"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// t5 returns a T5 v1.0 shape (Raffel et al. 2020, arXiv 1910.10683, appendix E).
func t5(el, dl, d, f, kv, heads int) shapes.Shape {
	stack := shapes.Stack{
		DFF: f, DKV: kv, Heads: heads, KVHeads: heads, Positions: 32,
		FinalNorm: true,
	}
	s := shapes.Shape{Family: shapes.T5, DModel: d, Vocab: 32128, Encoder: stack, Decoder: stack}
	s.Encoder.Layers, s.Decoder.Layers = el, dl
	return s
}

// gpt returns a GPT-2 style decoder (Radford et al. 2019).
func gpt(layers, d, f, kv, heads, vocab int) shapes.Shape {
	return shapes.Shape{
		Family: shapes.GPT, DModel: d, Vocab: vocab, Norm: shapes.LayerNorm, Bias: shapes.BiasAll,
		Decoder: shapes.Stack{
			Layers: layers, DFF: f, DKV: kv, Heads: heads, KVHeads: heads, Activation: shapes.GELU,
			Position: shapes.Learned, Positions: 1024, FinalNorm: true,
		},
	}
}

// llama returns a Llama style decoder (Touvron et al. 2023, arXiv 2302.13971).
func llama(layers, d, f, kv, heads, kvHeads, vocab int) shapes.Shape {
	return shapes.Shape{
		Family: shapes.Llama, DModel: d, Vocab: vocab, Head: shapes.HeadUntied,
		Decoder: shapes.Stack{
			Layers: layers, DFF: f, Gated: true, DKV: kv, Heads: heads, KVHeads: kvHeads,
			Activation: shapes.SiLU,
			Position:   shapes.Rotary, FinalNorm: true,
		},
	}
}

// bert returns a BERT encoder with pooler (Devlin et al. 2019, arXiv 1810.04805).
func bert(layers, d, f, heads, vocab int) shapes.Shape {
	return shapes.Shape{
		Family: shapes.BERT, DModel: d, Vocab: vocab, Norm: shapes.LayerNorm, Bias: shapes.BiasAll,
		Head: shapes.HeadNone, EmbeddingNorm: true, TokenTypes: 2, Pooler: true,
		Encoder: shapes.Stack{
			Layers: layers, DFF: f, DKV: d / heads, Heads: heads, KVHeads: heads,
			Activation: shapes.GELU,
			Position:   shapes.Learned, Positions: 512,
		},
	}
}

// randomShape draws any valid shape: both stacks or one, grouped queries, gates, experts, every
// norm, head, bias, position and front end.
func randomShape(t *rapid.T) shapes.Shape {
	s := shapes.Shape{
		Name:   "random",
		DModel: rapid.IntRange(1, 300).Draw(t, "d_model"),
		Vocab:  rapid.IntRange(1, 2000).Draw(t, "vocab"),
		Norm: rapid.SampledFrom([]shapes.Norm{shapes.RMSNorm, shapes.LayerNormNoBias, shapes.FixedNorm, shapes.LayerNorm}).
			Draw(t,
				"norm"),
		Head: rapid.SampledFrom([]shapes.Head{
			shapes.HeadTied, shapes.HeadUntied,
			shapes.HeadMLM, shapes.HeadNone,
		}).Draw(t, "head"),
		HeadBias: rapid.Bool().Draw(t, "head_bias"),
		Bias: rapid.SampledFrom([]shapes.Bias{
			shapes.NoBias, shapes.BiasQKV,
			shapes.BiasAll, shapes.BiasNoKey,
		}).Draw(t, "bias"),
		EmbeddingNorm: rapid.Bool().Draw(t, "embedding_norm"),
	}
	which := rapid.IntRange(1, 3).Draw(t, "stacks")
	if which&1 != 0 {
		s.Encoder = randomStack(t, "encoder")
	}
	if which&2 != 0 {
		s.Decoder = randomStack(t, "decoder")
	}
	unusual(t, &s, which == 3)
	s.Pooler = s.Encoder.Layers > 0 && rapid.Bool().Draw(t, "pooler")
	if s.ReadsTokens() {
		s.TokenTypes = rapid.IntRange(0, 3).Draw(t, "token_types")
	}
	if err := s.Validate(); err != nil {
		t.Fatalf("random shape is not valid: %v", err)
	}
	return s
}

// unusual draws what few families have.
func unusual(t *rapid.T, s *shapes.Shape, both bool) {
	some := func(name string) bool { return rapid.IntRange(0, 3).Draw(t, name) == 0 }
	size := func(name string) int { return rapid.IntRange(1, 90).Draw(t, name) }
	if some("factorised") {
		s.EmbeddingWidth = size("embedding_width")
	}
	if both {
		s.Towers = some("towers")
		if s.Encoder.Frontend.Kind == shapes.Tokens && some("source_vocab") {
			s.SourceVocab = size("source_vocab")
		}
		if (s.SourceVocab > 0 || s.Encoder.Frontend.Kind != shapes.Tokens) && some("source_width") {
			s.SourceWidth = size("source_width")
		}
		if s.SourceVocab == 0 && s.SourceWidth == 0 && s.Encoder.Frontend.Kind == shapes.Tokens &&
			some("tied_stacks") {
			s.Decoder, s.TiedStacks = s.Encoder, true
		}
		if s.CrossAttention() {
			s.Decoder.Latent = shapes.Latent{}
			if s.TiedStacks {
				s.Encoder = s.Decoder
			}
		}
	}
	for n := range s.Dense {
		if some("dense") {
			at := shapes.Place(rapid.IntRange(0, 4).Draw(t, "at"))
			encoder := at == shapes.EncoderInput || at == shapes.EncoderOutput
			if at == shapes.Pooled || both || encoder == (s.Encoder.Layers > 0) {
				s.Dense[n] = shapes.Dense{
					In: size("dense_in"), Out: size("dense_out"), Bias: some("dense_bias"), At: at,
				}
			}
		}
	}
}

// unusualLayers draws what the layers of few families have.
func unusualLayers(t *rapid.T, k *shapes.Stack) {
	some := func(name string) bool { return rapid.IntRange(0, 3).Draw(t, name) == 0 }
	size := func(name string) int { return rapid.IntRange(1, 90).Draw(t, name) }
	k.Parallel = some("parallel")
	k.NormsPerLayer = rapid.SampledFrom([]int{0, 0, 0, 1, 2, 3, 4}).Draw(t, "norms_per_layer")
	switch {
	case k.Position != shapes.Disentangled && some("latent"):
		k.KVHeads = k.Heads
		k.Latent = shapes.Latent{
			QueryRank: rapid.IntRange(0, 40).Draw(t, "query_rank"), KVRank: size("kv_rank"),
			RotaryWidth: rapid.IntRange(0, k.DKV).Draw(t, "rotary"), ValueWidth: size("value"),
		}
	default:
		k.QKNorm = shapes.QKNorm(rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "qk_norm"))
	}
	if some("window") {
		k.Window = size("window")
		k.FullLayers = rapid.IntRange(0, k.Layers).Draw(t, "full_layers")
	}
	if k.Experts > 0 {
		k.DenseFirst = rapid.IntRange(0, k.Layers).Draw(t, "dense_first")
		if some("expert_width") {
			k.ExpertDFF = size("expert_d_ff")
		}
		if some("shared") {
			k.SharedDFF, k.SharedGate = size("shared_d_ff"), some("shared_gate")
		}
	} else if k.Window == 0 && k.Position != shapes.RelativeLayers && some("own_layers") {
		k.OwnLayers = rapid.IntRange(1, k.Layers).Draw(t, "own")
	}
	if some("extras") {
		k.LayerExtra, k.Extra = size("layer_extra"), size("extra")
	}
}

func randomStack(t *rapid.T, name string) shapes.Stack {
	kvHeads := rapid.IntRange(1, 4).Draw(t, name+".kv_heads")
	k := shapes.Stack{
		Layers: rapid.IntRange(1, 9).Draw(t, name+".layers"),
		DFF:    rapid.IntRange(1, 700).Draw(t, name+".d_ff"),
		Gated:  rapid.Bool().Draw(t, name+".gated"),
		Activation: rapid.SampledFrom([]shapes.Activation{
			shapes.ReLU, shapes.GELU,
			shapes.SiLU,
		}).Draw(t, name+".activation"),
		DKV:     rapid.IntRange(1, 80).Draw(t, name+".d_kv"),
		Heads:   kvHeads * rapid.IntRange(1, 4).Draw(t, name+".group"),
		KVHeads: kvHeads,
		Position: rapid.SampledFrom([]shapes.Position{
			shapes.Relative, shapes.Learned,
			shapes.Rotary, shapes.Sinusoidal, shapes.ALiBi, shapes.NoPosition,
			shapes.RelativeLayers, shapes.Disentangled,
		}).Draw(t,
			name+".position"),
		FinalNorm: rapid.Bool().Draw(t, name+".final_norm"),
	}
	if k.Position.Table() {
		k.Positions = rapid.IntRange(64, 90).Draw(t, name+".positions")
	}
	if rapid.Bool().Draw(t, name+".sparse") {
		k.Experts = rapid.IntRange(1, 8).Draw(t, name+".experts")
		k.ActiveExperts = rapid.IntRange(1, k.Experts).Draw(t, name+".active_experts")
		k.SparseEvery = rapid.IntRange(1, k.Layers).Draw(t, name+".sparse_every")
	}
	unusualLayers(t, &k)
	switch rapid.IntRange(0, 6).Draw(t, name+".frontend") {
	case 1:
		k.Frontend = shapes.Frontend{
			Kind:     shapes.Audio,
			Channels: rapid.IntRange(1, 80).Draw(t, name+".channels"),
		}
	case 3:
		k.Frontend = shapes.Frontend{Kind: shapes.Convolved}
		for n := range rapid.IntRange(1, shapes.MaxConvs).Draw(t, name+".convs") {
			k.Frontend.Convs[n] = shapes.Conv{
				In: int32(1 + n), Out: 7, Taps: int32(3 + n), Rate: int32(10 - n),
				Extra: int32(2 * n), Bias: n%2 == 0,
			}
		}
	case 2:
		k.Frontend = shapes.Frontend{
			Kind: shapes.Patches, Channels: 3,
			Patch: rapid.IntRange(1, 16).Draw(t, name+".patch"),
			NoBias: rapid.Bool().
				Draw(t, name+".no_bias"),
			NoClass: rapid.Bool().Draw(t, name+".no_class"),
		}
	}
	return k
}

func randomWorkload(t *rapid.T) Workload {
	return Workload{
		Batch:         rapid.IntRange(1, 9).Draw(t, "batch"),
		EncoderLength: rapid.IntRange(1, 64).Draw(t, "encoder_length"),
		DecoderLength: rapid.IntRange(1, 64).Draw(t, "decoder_length"),
	}
}
