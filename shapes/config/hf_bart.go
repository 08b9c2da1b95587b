package config

import "github.com/deepnarrow/deepnarrow/shapes"

// bartModel is BartConfig: post-norm, learned positions.
var bartModel = model{
	family: shapes.BART,
	variants: map[string]variant{
		"BartForConditionalGeneration":  {head: true},
		"BartModel":                     {},
		"BartForSequenceClassification": {uncounted: "the classification head"},
	},
	usual: "BartForConditionalGeneration",
	read: func(c *hfConfig) {
		readBART(c, 50265)
		// The first two rows of the table are never used (an offset of fairseq).
		rows := c.size("encoder.positions decoder.positions", 1024, "max_position_embeddings") + 2
		for _, k := range []*shapes.Stack{&c.shape.Encoder, &c.shape.Decoder} {
			k.Position, k.Positions = shapes.Learned, rows
		}
		c.shape.EmbeddingNorm = true
	},
	ignored: append([]string{
		"add_bias_logits", "add_final_layer_norm", "normalize_before", "normalize_embedding",
		"classif_dropout", "static_position_embeddings", "extra_pos_embeddings",
	}, bartIgnored...),
}

// marianModel is MarianConfig: the post-norm Transformer with sinusoids.
var marianModel = model{
	family: shapes.Translation,
	variants: map[string]variant{
		"MarianMTModel": {head: true},
		"MarianModel":   {},
	},
	usual: "MarianMTModel",
	read: func(c *hfConfig) {
		readBART(c, 50265)
		sinusoids(c)
		c.refuse("share_encoder_decoder_embeddings", isTrue, "one embedding shared by both stacks")
		if v, ok := c.optional("", "decoder_vocab_size"); ok && v != c.shape.Vocab {
			f := c.byName["decoder_vocab_size"]
			c.fault(f.value.at, f.name, "cannot be expressed as a shape", f.value.show(),
				"the same as vocab_size")
		}
	},
	ignored: append([]string{
		"add_bias_logits", "add_final_layer_norm", "normalize_before", "normalize_embedding",
		"static_position_embeddings", "extra_pos_embeddings", "max_position_embeddings",
	}, bartIgnored...),
}

// pegasusModel is PegasusConfig: pre-norm with a final norm, sinusoids.
var pegasusModel = model{
	family: shapes.BART,
	variants: map[string]variant{
		"PegasusForConditionalGeneration": {head: true},
		"PegasusModel":                    {},
	},
	usual: "PegasusForConditionalGeneration",
	read: func(c *hfConfig) {
		readBART(c, 50265)
		sinusoids(c)
		c.shape.Encoder.FinalNorm, c.shape.Decoder.FinalNorm = true, true
	},
	ignored: append([]string{
		"add_bias_logits", "add_final_layer_norm", "normalize_before", "normalize_embedding",
		"static_position_embeddings", "extra_pos_embeddings", "max_position_embeddings",
		"classif_dropout",
	}, bartIgnored...),
}

// whisperModel is WhisperConfig: pre-norm, audio in, keys without bias.
var whisperModel = model{
	family: shapes.Whisper,
	variants: map[string]variant{
		"WhisperForConditionalGeneration": {head: true},
		"WhisperModel":                    {},
	},
	usual: "WhisperForConditionalGeneration",
	read:  readWhisper,
	ignored: append([]string{
		"max_source_positions", "median_filter_width", "apply_spec_augment", "mask_time_prob",
		"mask_time_length", "mask_time_min_masks",
		"mask_feature_prob", "mask_feature_length", "mask_feature_min_masks",
		"use_weighted_layer_sum", "classifier_proj_size", "alignment_heads",
	}, bartIgnored...),
}

// bartIgnored are fields of this family that drop, not shape, layers, or that repeat the depth of
// the encoder.
var bartIgnored = []string{
	"encoder_layerdrop", "decoder_layerdrop", "num_hidden_layers",
	"is_decoder", "add_cross_attention",
}

// readBART reads what BART, Marian and Pegasus share.
func readBART(c *hfConfig, vocab int) {
	s := c.shape
	s.Vocab = c.size("vocab", vocab, "vocab_size")
	s.DModel = c.size("d_model", 1024, "d_model", "hidden_size")
	s.Encoder = shapes.Stack{
		Layers: c.size("encoder.layers", 12, "encoder_layers"),
		DFF:    c.size("encoder.d_ff", 4096, "encoder_ffn_dim"),
	}
	s.Decoder = shapes.Stack{
		Layers: c.size("decoder.layers", 12, "decoder_layers"),
		DFF:    c.size("decoder.d_ff", 4096, "decoder_ffn_dim"),
	}
	s.Encoder.Activation = c.activation(shapes.GELU, "activation_function")
	s.Decoder.Activation = s.Encoder.Activation
	bartHeads(c, c.size("encoder.heads encoder.kv_heads", 16, "encoder_attention_heads",
		"num_attention_heads"),
		c.size("decoder.heads decoder.kv_heads", 16, "decoder_attention_heads"))
	s.Norm = shapes.LayerNorm
	s.Bias = shapes.BiasAll
	s.Head = c.lmHead(true) // final_logits_bias is a fixed buffer, not a parameter
}

func bartHeads(c *hfConfig, encoder, decoder int) {
	s := c.shape
	s.Encoder.Heads, s.Encoder.KVHeads = encoder, encoder
	s.Encoder.DKV = c.headWidth("encoder.heads", s.DModel, encoder)
	s.Decoder.Heads, s.Decoder.KVHeads = decoder, decoder
	s.Decoder.DKV = c.headWidth("decoder.heads", s.DModel, decoder)
}

func sinusoids(c *hfConfig) {
	c.shape.Encoder.Position = shapes.Sinusoidal
	c.shape.Decoder.Position = shapes.Sinusoidal
}

// readWhisper requires the sizes whose defaults changed from whisper-base-like to whisper-tiny
// between releases.
func readWhisper(c *hfConfig) {
	s := c.shape
	s.Vocab = c.size("vocab", 51865, "vocab_size")
	s.DModel = c.required("d_model", "d_model", "hidden_size")
	s.Encoder = shapes.Stack{
		Layers:    c.required("encoder.layers", "encoder_layers"),
		DFF:       c.size("encoder.d_ff", 1536, "encoder_ffn_dim"),
		Position:  shapes.Sinusoidal,
		FinalNorm: true,
		Frontend: shapes.Frontend{
			Kind:     shapes.Audio,
			Channels: c.size("encoder.frontend.channels", 80, "num_mel_bins"),
		},
	}
	s.Decoder = shapes.Stack{
		Layers:    c.required("decoder.layers", "decoder_layers"),
		DFF:       c.size("decoder.d_ff", 1536, "decoder_ffn_dim"),
		Position:  shapes.Learned,
		Positions: c.size("decoder.positions", 448, "max_target_positions"),
		FinalNorm: true,
	}
	s.Encoder.Activation = c.activation(shapes.GELU, "activation_function")
	s.Decoder.Activation = s.Encoder.Activation
	bartHeads(c, c.required("encoder.heads encoder.kv_heads", "encoder_attention_heads",
		"num_attention_heads"),
		c.required("decoder.heads decoder.kv_heads", "decoder_attention_heads"))
	s.Norm = shapes.LayerNorm
	s.Bias = shapes.BiasNoKey
	s.Head = c.lmHead(true)
}
