package config

import (
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// hfWriters write the config.json of one model type each; nil where the shape has not the stacks it
// needs. They are tried in order.
var hfWriters = []func(*shapes.Shape) pairs{
	hfT5, hfUMT5, hfSwitch, hfBART, hfMBART, hfMarian, hfPegasus, hfWhisper, hfBERT, hfViT, hfGPT2,
	hfNeoX, hfBloom, hfLlama, hfQwen2, hfQwen3, hfGemma, hfMistral, hfMixtral, hfStarcoder2,
}

func both(s *shapes.Shape) bool { return s.Encoder.Layers > 0 && s.Decoder.Layers > 0 }

func opening(model, class string) pairs {
	return pairs{{"model_type", model}, {"architectures", class}}
}

func hfT5Fields(s *shapes.Shape, model, prefix string) pairs {
	k := &s.Encoder
	if k.Layers == 0 {
		return nil
	}
	class := prefix + "ForConditionalGeneration"
	switch {
	case s.Decoder.Layers == 0:
		class = prefix + "EncoderModel"
	case s.Head == shapes.HeadNone:
		class = prefix + "Model"
	}
	gate := ""
	if k.Gated {
		gate = "gated-"
	}
	p := opening(model, class)
	p = append(p, pairs{
		{"vocab_size", s.Vocab},
		{"d_model", s.DModel},
		{"d_kv", k.DKV},
		{"d_ff", k.DFF},
		{"num_heads", k.Heads},
		{"num_layers", k.Layers},
		{"relative_attention_num_buckets", k.Positions},
		{"feed_forward_proj", gate + k.Activation.String()},
		{"tie_word_embeddings", s.Head != shapes.HeadUntied},
		{"is_encoder_decoder", true},
	}...)
	if s.Decoder.Layers > 0 {
		p.add("num_decoder_layers", s.Decoder.Layers)
	}
	if s.TiedStacks {
		p.add("tie_encoder_decoder", true)
	}
	return p
}

func hfT5(s *shapes.Shape) pairs   { return hfT5Fields(s, "t5", "T5") }
func hfUMT5(s *shapes.Shape) pairs { return hfT5Fields(s, "umt5", "UMT5") }

func hfSwitch(s *shapes.Shape) pairs {
	return hfT5Fields(s, "switch_transformers", "SwitchTransformers").without("feed_forward_proj").and(
		"dense_act_fn", s.Encoder.Activation.String(),
		"num_experts", max(s.Encoder.Experts, s.Decoder.Experts),
		"num_sparse_encoder_layers", s.Encoder.SparseLayers(),
		"num_sparse_decoder_layers", s.Decoder.SparseLayers())
}

func hfBARTFields(s *shapes.Shape, model, headed, bare string) pairs {
	if !both(s) {
		return nil
	}
	class := headed
	if s.Head == shapes.HeadNone {
		class = bare
	}
	e, d := &s.Encoder, &s.Decoder
	return append(opening(model, class), pairs{
		{"vocab_size", s.Vocab},
		{"d_model", s.DModel},
		{"encoder_layers", e.Layers},
		{"decoder_layers", d.Layers},
		{"encoder_ffn_dim", e.DFF},
		{"decoder_ffn_dim", d.DFF},
		{"encoder_attention_heads", e.Heads},
		{"decoder_attention_heads", d.Heads},
		{"activation_function", e.Activation.String()},
		{"tie_word_embeddings", s.Head != shapes.HeadUntied},
		{"is_encoder_decoder", true},
	}...)
}

func withPositions(p pairs, rows int) pairs {
	if rows > 2 {
		return p.and("max_position_embeddings", rows-2)
	}
	return p
}

func hfBART(s *shapes.Shape) pairs {
	p := hfBARTFields(s, "bart", "BartForConditionalGeneration", "BartModel")
	return withPositions(p, s.Encoder.Positions)
}

func hfMBART(s *shapes.Shape) pairs {
	p := hfBARTFields(s, "mbart", "MBartForConditionalGeneration", "MBartModel")
	return withPositions(p, s.Encoder.Positions)
}

func hfMarian(s *shapes.Shape) pairs {
	p, last := hfBARTFields(s, "marian", "MarianMTModel", "MarianModel"), s.Vocab-1
	if s.SourceVocab > 0 {
		p = p.without("vocab_size").and("vocab_size", s.SourceVocab, "decoder_vocab_size", s.Vocab,
			"share_encoder_decoder_embeddings", false)
		last = min(last, s.SourceVocab-1)
	}
	// the class pads with the last token, by default that of a vocabulary of 58,101
	return p.and("pad_token_id", last, "decoder_start_token_id", last)
}

func hfPegasus(s *shapes.Shape) pairs {
	return hfBARTFields(s, "pegasus", "PegasusForConditionalGeneration", "PegasusModel")
}

func hfWhisper(s *shapes.Shape) pairs {
	return hfBARTFields(s, "whisper", "WhisperForConditionalGeneration", "WhisperModel").and(
		"num_mel_bins", s.Encoder.Frontend.Channels, "max_target_positions", s.Decoder.Positions)
}

// hfStack writes the sizes that models of one stack share.
func hfStack(s *shapes.Shape, k *shapes.Stack, model, class string) pairs {
	return append(opening(model, class), pairs{
		{"hidden_size", s.DModel},
		{"num_hidden_layers", k.Layers},
		{"num_attention_heads", k.Heads},
		{"intermediate_size", k.DFF},
		{"hidden_act", k.Activation.String()},
	}...)
}

func hfBERT(s *shapes.Shape) pairs {
	k := &s.Encoder
	if both(s) || k.Layers == 0 {
		return nil
	}
	class := "BertModel"
	if s.Head == shapes.HeadMLM {
		class = "BertForMaskedLM"
	}
	return append(hfStack(s, k, "bert", class), pairs{
		{"vocab_size", s.Vocab},
		{"max_position_embeddings", k.Positions},
		{"type_vocab_size", s.TokenTypes},
	}...)
}

func hfViT(s *shapes.Shape) pairs {
	k := &s.Encoder
	if both(s) || k.Layers == 0 || k.Frontend.Kind != shapes.Patches {
		return nil
	}
	side := 1
	for (side+1)*(side+1) < k.Positions {
		side++
	}
	class := "ViTModel"
	p := hfStack(s, k, "vit", class)
	if s.Dense[0].In > 0 && s.Dense[0].At == shapes.Pooled {
		p[1].value = "ViTForImageClassification"
		p.add("num_labels", s.Dense[0].Out)
	}
	return append(p, pairs{
		{"image_size", side * k.Frontend.Patch},
		{"patch_size", k.Frontend.Patch},
		{"num_channels", k.Frontend.Channels},
		{"qkv_bias", s.Bias.Has(shapes.BiasQKV)},
	}...)
}

// hfDecoder writes a decoder-only model of the class PREFIXForCausalLM, or PREFIXModel without head.
func hfDecoder(s *shapes.Shape, model, prefix string) pairs {
	k := &s.Decoder
	if both(s) || k.Layers == 0 {
		return nil
	}
	class := prefix + "ForCausalLM"
	if s.Head == shapes.HeadNone {
		class = prefix + "Model"
	}
	return append(hfStack(s, k, model, class), pairs{
		{"vocab_size", s.Vocab},
		{"tie_word_embeddings", s.Head != shapes.HeadUntied},
	}...)
}

func hfGPT2(s *shapes.Shape) pairs {
	p := hfDecoder(s, "gpt2", "GPT2")
	if p == nil {
		return nil
	}
	p[1].value = strings.Replace(p[1].value.(string), "ForCausalLM", "LMHeadModel", 1)
	return p.without("intermediate_size", "hidden_act").and(
		"activation_function", s.Decoder.Activation.String(), "n_inner", s.Decoder.DFF,
		"n_positions", s.Decoder.Positions)
}

func hfNeoX(s *shapes.Shape) pairs {
	return hfDecoder(s, "gpt_neox", "GPTNeoX").and("use_parallel_residual", s.Decoder.Parallel,
		"attention_bias", s.Bias.Has(shapes.BiasQKV))
}

func hfBloom(s *shapes.Shape) pairs {
	return hfDecoder(s, "bloom", "Bloom").without("intermediate_size")
}

// hfLlamaFields writes what the descendants of Llama share, without the fields that one lacks.
func hfLlamaFields(s *shapes.Shape, model, prefix string, lacks ...string) pairs {
	return hfDecoder(s, model, prefix).and(
		"num_key_value_heads", s.Decoder.KVHeads, "head_dim", s.Decoder.DKV,
		"attention_bias", s.Bias.Has(shapes.BiasO), "mlp_bias", s.Bias.Has(shapes.BiasFFN)).without(lacks...)
}

func hfLlama(s *shapes.Shape) pairs { return hfLlamaFields(s, "llama", "Llama") }
func hfQwen3(s *shapes.Shape) pairs { return hfLlamaFields(s, "qwen3", "Qwen3", "mlp_bias") }
func hfGemma(s *shapes.Shape) pairs { return hfLlamaFields(s, "gemma", "Gemma", "mlp_bias") }

func hfQwen2(s *shapes.Shape) pairs {
	return hfLlamaFields(s, "qwen2", "Qwen2", "attention_bias", "mlp_bias")
}

func hfMistral(s *shapes.Shape) pairs {
	var window any
	if s.Decoder.Window > 0 {
		window = s.Decoder.Window
	}
	return hfLlamaFields(s, "mistral", "Mistral", "attention_bias", "mlp_bias").and("sliding_window", window)
}

func hfMixtral(s *shapes.Shape) pairs {
	return hfLlamaFields(s, "mixtral", "Mixtral", "attention_bias", "mlp_bias").and(
		"num_local_experts", s.Decoder.Experts, "num_experts_per_tok", s.Decoder.ActiveExperts)
}

func hfStarcoder2(s *shapes.Shape) pairs {
	return hfLlamaFields(s, "starcoder2", "Starcoder2", "attention_bias", "mlp_bias").and(
		"use_bias", s.Bias == shapes.BiasAll)
}
