package config

import "github.com/deepnarrow/deepnarrow/shapes"

// gpt2Model is GPT2Config.
var gpt2Model = model{
	family: shapes.GPT,
	variants: map[string]variant{
		"GPT2LMHeadModel": {head: true},
		"GPT2Model":       {},
	},
	usual: "GPT2LMHeadModel",
	read:  readGPT2,
	ignored: []string{
		"n_ctx", "resid_pdrop", "embd_pdrop", "attn_pdrop", "summary_type", "summary_use_proj",
		"summary_activation", "summary_proj_to_labels",
		"summary_first_dropout", "scale_attn_weights", "scale_attn_by_inverse_layer_idx",
		"reorder_and_upcast_attn",
	},
}

// gptNeoXModel is GPTNeoXConfig (Pythia, GPT-NeoX-20B). Its blocks run attention and feed-forward
// in parallel, each with its own norm, so the parameters are those of the usual order.
var gptNeoXModel = model{
	family: shapes.GPT,
	variants: map[string]variant{
		"GPTNeoXForCausalLM": {head: true},
		"GPTNeoXModel":       {},
	},
	usual: "GPTNeoXForCausalLM",
	read:  readGPTNeoX,
	ignored: []string{
		"max_position_embeddings", "rotary_pct", "rotary_emb_base", "rope_theta", "rope_scaling",
		"rope_parameters", "partial_rotary_factor", "use_parallel_residual", "is_decoder",
	},
}

// bloomModel is BloomConfig.
var bloomModel = model{
	family: shapes.GPT,
	variants: map[string]variant{
		"BloomForCausalLM": {head: true},
		"BloomModel":       {},
	},
	usual: "BloomForCausalLM",
	read:  readBloom,
	ignored: []string{
		"masked_softmax_fusion", "bias_dropout_fusion", "skip_bias_add", "skip_bias_add_qkv",
		"attention_softmax_in_fp32", "pretraining_tp",
		"slow_but_exact", "apply_residual_connection_post_layernorm", "seq_length", "offset_alibi",
		"unk_token_id",
	},
}

// decoderOnly fills the stack of a GPT-like model.
func decoderOnly(c *hfConfig, layers, heads int, position shapes.Position) *shapes.Stack {
	s := c.shape
	s.Decoder = shapes.Stack{
		Layers:    layers,
		DKV:       c.headWidth("decoder.heads", s.DModel, heads),
		Heads:     heads,
		KVHeads:   heads,
		Position:  position,
		FinalNorm: true,

		Activation: c.activation(shapes.GELU, "hidden_act", "activation_function"),
	}
	s.Norm = shapes.LayerNorm
	s.Bias = shapes.BiasAll
	return &s.Decoder
}

func readGPT2(c *hfConfig) {
	s := c.shape
	s.Vocab = c.size("vocab", 50257, "vocab_size")
	s.DModel = c.size("d_model", 768, "n_embd", "hidden_size")
	stack := decoderOnly(c, c.size("decoder.layers", 12, "n_layer", "num_hidden_layers"),
		c.size("decoder.heads decoder.kv_heads", 12, "n_head", "num_attention_heads"),
		shapes.Learned)
	stack.Positions = c.size("decoder.positions", 1024, "n_positions", "max_position_embeddings")
	stack.DFF = 4 * s.DModel
	c.fields["decoder.d_ff"] = c.where("d_model")
	if inner, ok := c.optional("decoder.d_ff", "n_inner"); ok {
		stack.DFF = inner
	}
	c.refuse("add_cross_attention", isFalse, "a decoder without encoder")
	s.Head = c.lmHead(true)
}

func readGPTNeoX(c *hfConfig) {
	s := c.shape
	s.Vocab = c.size("vocab", 50432, "vocab_size")
	s.DModel = c.size("d_model", 6144, "hidden_size")
	stack := decoderOnly(c, c.size("decoder.layers", 44, "num_hidden_layers"),
		c.size("decoder.heads decoder.kv_heads", 64, "num_attention_heads"), shapes.Rotary)
	stack.DFF = c.size("decoder.d_ff", 24576, "intermediate_size")
	if !c.flag("bias", true, "attention_bias") {
		s.Bias = shapes.BiasFFN
	}
	s.Head = c.lmHead(false)
}

func readBloom(c *hfConfig) {
	s := c.shape
	s.Vocab = c.size("vocab", 250880, "vocab_size")
	s.DModel = c.size("d_model", 64, "hidden_size", "n_embed")
	stack := decoderOnly(c, c.size("decoder.layers", 2, "n_layer", "num_hidden_layers"),
		c.size("decoder.heads decoder.kv_heads", 8, "n_head", "num_attention_heads"), shapes.ALiBi)
	stack.DFF = 4 * s.DModel
	c.fields["decoder.d_ff"] = c.where("d_model")
	if inner, ok := c.optional("", "n_inner"); ok && inner != stack.DFF {
		f := c.byName["n_inner"]
		c.warn(f.at,
			"n_inner %d is ignored, as the model class does: its feed-forward is always 4·hidden_size wide", inner)
	}
	s.EmbeddingNorm = true
	s.Head = c.lmHead(true)
}
