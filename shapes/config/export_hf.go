package config

import "github.com/deepnarrow/deepnarrow/shapes"

// hfWriters write the config.json of one model type each; nil where the shape has not the stacks it
// needs. They are tried in order.
var hfWriters = []func(*shapes.Shape) pairs{
	hfT5, hfUMT5, hfSwitch, hfBART, hfMBART, hfMarian, hfPegasus, hfWhisper, hfBERT, hfViT, hfGPT2,
	hfNeoX, hfBloom, hfLlama, hfQwen2, hfQwen3, hfGemma, hfMistral, hfMixtral, hfStarcoder2,
}

// opening begins a configuration of a model type: the class of the family with its head, or without.
func opening(s *shapes.Shape, model, family, headed string) pairs {
	if s.Head == shapes.HeadNone {
		headed = "Model"
	}
	return pairs{{"model_type", model}, {"architectures", family + headed}}
}

func hfT5Fields(s *shapes.Shape, model, family string) pairs {
	k := &s.Encoder
	if k.Layers == 0 {
		return nil
	}
	gate := ""
	if k.Gated {
		gate = "gated-"
	}
	p := opening(s, model, family, "ForConditionalGeneration").and(
		"vocab_size", s.Vocab, "d_model", s.DModel, "d_kv", k.DKV, "d_ff", k.DFF,
		"num_heads", k.Heads, "num_layers", k.Layers, "relative_attention_num_buckets", k.Positions,
		"feed_forward_proj", gate+k.Activation.String(),
		"tie_word_embeddings", s.Head != shapes.HeadUntied, "is_encoder_decoder", true)
	if s.Decoder.Layers > 0 {
		p = p.and("num_decoder_layers", s.Decoder.Layers)
	} else {
		p[1].value = family + "EncoderModel"
	}
	if s.TiedStacks {
		p = p.and("tie_encoder_decoder", true)
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

func hfBARTFields(s *shapes.Shape, model, family, headed string) pairs {
	if !s.TwoStacks() {
		return nil
	}
	e, d := &s.Encoder, &s.Decoder
	return opening(s, model, family, headed).and(
		"vocab_size", s.Vocab, "d_model", s.DModel,
		"encoder_layers", e.Layers, "decoder_layers", d.Layers,
		"encoder_ffn_dim", e.DFF, "decoder_ffn_dim", d.DFF,
		"encoder_attention_heads", e.Heads, "decoder_attention_heads", d.Heads,
		"activation_function", e.Activation.String(),
		"tie_word_embeddings", s.Head != shapes.HeadUntied, "is_encoder_decoder", true)
}

func withPositions(p pairs, rows int) pairs {
	if rows > 2 {
		return p.and("max_position_embeddings", rows-2)
	}
	return p
}

func hfBART(s *shapes.Shape) pairs {
	p := hfBARTFields(s, "bart", "Bart", "ForConditionalGeneration")
	return withPositions(p, s.Encoder.Positions)
}

func hfMBART(s *shapes.Shape) pairs {
	p := hfBARTFields(s, "mbart", "MBart", "ForConditionalGeneration")
	return withPositions(p, s.Encoder.Positions)
}

func hfMarian(s *shapes.Shape) pairs {
	p, last := hfBARTFields(s, "marian", "Marian", "MTModel"), s.Vocab-1
	if s.SourceVocab > 0 {
		p = p.without("vocab_size").and("vocab_size", s.SourceVocab, "decoder_vocab_size", s.Vocab,
			"share_encoder_decoder_embeddings", false)
		last = min(last, s.SourceVocab-1)
	}
	// the class pads with the last token, by default that of a vocabulary of 58,101
	return p.and("pad_token_id", last, "decoder_start_token_id", last)
}

func hfPegasus(s *shapes.Shape) pairs {
	return hfBARTFields(s, "pegasus", "Pegasus", "ForConditionalGeneration")
}

func hfWhisper(s *shapes.Shape) pairs {
	return hfBARTFields(s, "whisper", "Whisper", "ForConditionalGeneration").and(
		"num_mel_bins", s.Encoder.Frontend.Channels, "max_target_positions", s.Decoder.Positions)
}

// stackSizes adds the sizes that models of one stack share.
func (p pairs) stackSizes(s *shapes.Shape, k *shapes.Stack) pairs {
	return p.and("hidden_size", s.DModel, "num_hidden_layers", k.Layers, "num_attention_heads", k.Heads,
		"intermediate_size", k.DFF, "hidden_act", k.Activation.String())
}

// encoderOnly begins the configuration of an encoder; nil for another model.
func encoderOnly(s *shapes.Shape, model, class string) pairs {
	if s.TwoStacks() || s.Encoder.Layers == 0 {
		return nil
	}
	return pairs{{"model_type", model}, {"architectures", class}}.stackSizes(s, &s.Encoder)
}

func hfBERT(s *shapes.Shape) pairs {
	class := "BertModel"
	if s.Head == shapes.HeadMLM {
		class = "BertForMaskedLM"
	}
	return encoderOnly(s, "bert", class).and("vocab_size", s.Vocab,
		"max_position_embeddings", s.Encoder.Positions, "type_vocab_size", s.TokenTypes)
}

func hfViT(s *shapes.Shape) pairs {
	k := &s.Encoder
	if k.Frontend.Kind != shapes.Patches {
		return nil
	}
	side := 1
	for (side+1)*(side+1) < k.Positions {
		side++
	}
	p := encoderOnly(s, "vit", "ViTModel")
	if s.Dense[0].In > 0 && s.Dense[0].At == shapes.Pooled {
		p = encoderOnly(s, "vit", "ViTForImageClassification").and("num_labels", s.Dense[0].Out)
	}
	return p.and("image_size", side*k.Frontend.Patch, "patch_size", k.Frontend.Patch,
		"num_channels", k.Frontend.Channels, "qkv_bias", s.Bias.Has(shapes.BiasQKV))
}

// hfDecoder writes a decoder-only model.
func hfDecoder(s *shapes.Shape, model, family, headed string) pairs {
	k := &s.Decoder
	if s.TwoStacks() || k.Layers == 0 {
		return nil
	}
	return opening(s, model, family, headed).stackSizes(s, k).and("vocab_size", s.Vocab,
		"tie_word_embeddings", s.Head != shapes.HeadUntied)
}

func hfGPT2(s *shapes.Shape) pairs {
	return hfDecoder(s, "gpt2", "GPT2", "LMHeadModel").without("intermediate_size", "hidden_act").and(
		"activation_function", s.Decoder.Activation.String(), "n_inner", s.Decoder.DFF,
		"n_positions", s.Decoder.Positions)
}

func hfNeoX(s *shapes.Shape) pairs {
	return hfDecoder(s, "gpt_neox", "GPTNeoX", "ForCausalLM").and(
		"use_parallel_residual", s.Decoder.Parallel, "attention_bias", s.Bias.Has(shapes.BiasQKV))
}

func hfBloom(s *shapes.Shape) pairs {
	return hfDecoder(s, "bloom", "Bloom", "ForCausalLM").without("intermediate_size")
}

// hfLlamaFields writes what the descendants of Llama share, without the fields that one lacks.
func hfLlamaFields(s *shapes.Shape, model, family string, lacks ...string) pairs {
	return hfDecoder(s, model, family, "ForCausalLM").and(
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
