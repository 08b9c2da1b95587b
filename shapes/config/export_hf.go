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
	p := hfT5Fields(s, "switch_transformers", "SwitchTransformers")
	if p == nil {
		return nil
	}
	p = p.without("feed_forward_proj")
	p.add("dense_act_fn", s.Encoder.Activation.String())
	p.add("num_experts", max(s.Encoder.Experts, s.Decoder.Experts))
	p.add("num_sparse_encoder_layers", s.Encoder.SparseLayers())
	p.add("num_sparse_decoder_layers", s.Decoder.SparseLayers())
	return p
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
	if p != nil && rows > 2 {
		p.add("max_position_embeddings", rows-2)
	}
	return p
}

func hfBART(s *shapes.Shape) pairs {
	return withPositions(
		hfBARTFields(s, "bart", "BartForConditionalGeneration", "BartModel"),
		s.Encoder.Positions,
	)
}

func hfMBART(s *shapes.Shape) pairs {
	return withPositions(
		hfBARTFields(s, "mbart", "MBartForConditionalGeneration", "MBartModel"),
		s.Encoder.Positions,
	)
}

func hfMarian(s *shapes.Shape) pairs {
	p := hfBARTFields(s, "marian", "MarianMTModel", "MarianModel")
	if p == nil {
		return nil
	}
	last := s.Vocab - 1
	if s.SourceVocab > 0 {
		p = p.without("vocab_size")
		p.add("vocab_size", s.SourceVocab)
		p.add("decoder_vocab_size", s.Vocab)
		p.add("share_encoder_decoder_embeddings", false)
		last = min(last, s.SourceVocab-1)
	}
	// the class pads with the last token, by default that of a vocabulary of 58,101
	p.add("pad_token_id", last)
	p.add("decoder_start_token_id", last)
	return p
}

func hfPegasus(s *shapes.Shape) pairs {
	return hfBARTFields(s, "pegasus", "PegasusForConditionalGeneration", "PegasusModel")
}

func hfWhisper(s *shapes.Shape) pairs {
	p := hfBARTFields(s, "whisper", "WhisperForConditionalGeneration", "WhisperModel")
	if p != nil {
		p.add("num_mel_bins", s.Encoder.Frontend.Channels)
		p.add("max_target_positions", s.Decoder.Positions)
	}
	return p
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
	p = p.without("intermediate_size", "hidden_act")
	p.add("activation_function", s.Decoder.Activation.String())
	p.add("n_inner", s.Decoder.DFF)
	p.add("n_positions", s.Decoder.Positions)
	return p
}

func hfNeoX(s *shapes.Shape) pairs {
	p := hfDecoder(s, "gpt_neox", "GPTNeoX")
	if p != nil {
		p.add("use_parallel_residual", s.Decoder.Parallel)
		p.add("attention_bias", s.Bias.Has(shapes.BiasQKV))
	}
	return p
}

func hfBloom(s *shapes.Shape) pairs {
	return hfDecoder(s, "bloom", "Bloom").without("intermediate_size")
}

func hfLlamaFields(s *shapes.Shape, model, prefix string) pairs {
	p := hfDecoder(s, model, prefix)
	if p != nil {
		p.add("num_key_value_heads", s.Decoder.KVHeads)
		p.add("head_dim", s.Decoder.DKV)
		p.add("attention_bias", s.Bias.Has(shapes.BiasO))
		p.add("mlp_bias", s.Bias.Has(shapes.BiasFFN))
	}
	return p
}

func hfLlama(s *shapes.Shape) pairs { return hfLlamaFields(s, "llama", "Llama") }

func hfQwen2(s *shapes.Shape) pairs {
	return hfLlamaFields(s, "qwen2", "Qwen2").without("attention_bias", "mlp_bias")
}

func hfQwen3(
	s *shapes.Shape,
) pairs {
	return hfLlamaFields(s, "qwen3", "Qwen3").without("mlp_bias")
}

func hfGemma(
	s *shapes.Shape,
) pairs {
	return hfLlamaFields(s, "gemma", "Gemma").without("mlp_bias")
}

func hfMistral(s *shapes.Shape) pairs {
	p := hfLlamaFields(s, "mistral", "Mistral").without("attention_bias", "mlp_bias")
	if len(p) > 0 && s.Decoder.Window > 0 {
		p.add("sliding_window", s.Decoder.Window)
	} else if len(p) > 0 {
		p.add("sliding_window", nil)
	}
	return p
}

func hfMixtral(s *shapes.Shape) pairs {
	p := hfLlamaFields(s, "mixtral", "Mixtral").without("attention_bias", "mlp_bias")
	if len(p) > 0 {
		p.add("num_local_experts", s.Decoder.Experts)
		p.add("num_experts_per_tok", s.Decoder.ActiveExperts)
	}
	return p
}

func hfStarcoder2(s *shapes.Shape) pairs {
	p := hfLlamaFields(s, "starcoder2", "Starcoder2").without("attention_bias", "mlp_bias")
	if len(p) > 0 {
		p.add("use_bias", s.Bias == shapes.BiasAll)
	}
	return p
}
