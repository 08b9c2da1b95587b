package config

import (
	"strconv"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// llamaModel is LlamaConfig; its defaults describe Llama-7B.
var llamaModel = model{
	family: shapes.Llama,
	variants: map[string]variant{
		"LlamaForCausalLM": {head: true},
		"LLaMAForCausalLM": {head: true}, // the spelling of early conversions
		"LlamaModel":       {},
	},
	usual: "LlamaForCausalLM",
	read: func(c *hfConfig) {
		readLlama(c, llamaDefaults{
			vocab: 32000, width: 4096, inner: 11008, layers: 32, heads: 32,
			activation: shapes.SiLU,
		})
		c.shape.Bias = c.attentionBias()
		if c.flag("", false, "mlp_bias") {
			c.shape.Bias |= shapes.BiasFFN
		}
	},
	ignored: llamaIgnored,
}

// mistralModel is MistralConfig; its defaults describe Mistral-7B-v0.1.
var mistralModel = model{
	family: shapes.Llama,
	variants: map[string]variant{
		"MistralForCausalLM": {head: true},
		"MistralModel":       {},
	},
	usual: "MistralForCausalLM",
	read: func(c *hfConfig) {
		readLlama(c, llamaDefaults{
			vocab: 32000, width: 4096, inner: 14336, layers: 32, heads: 32,
			kvHeads: 8, activation: shapes.SiLU,
		})
		c.slidingWindow()
	},
	ignored: llamaIgnored,
}

// qwen2Model is Qwen2Config: queries, keys and values carry a bias.
var qwen2Model = model{
	family: shapes.Llama,
	variants: map[string]variant{
		"Qwen2ForCausalLM": {head: true},
		"Qwen2Model":       {},
	},
	usual: "Qwen2ForCausalLM",
	read: func(c *hfConfig) {
		readLlama(c, llamaDefaults{
			vocab: 151936, width: 4096, inner: 22016, layers: 32, heads: 32,
			kvHeads: 32, activation: shapes.SiLU,
		})
		c.shape.Bias = shapes.BiasQKV
		if c.flag("", false, "use_sliding_window") {
			c.slidingWindow()
		}
		c.skip("sliding_window", "max_window_layers", "layer_types")
	},
	ignored: llamaIgnored,
}

// gemmaModel is GemmaConfig (the first Gemma): wide heads, tied embedding.
var gemmaModel = model{
	family: shapes.Llama,
	variants: map[string]variant{
		"GemmaForCausalLM": {head: true},
		"GemmaModel":       {},
	},
	usual: "GemmaForCausalLM",
	read: func(c *hfConfig) {
		readLlama(c, llamaDefaults{
			vocab: 256000, width: 3072, inner: 24576, layers: 28, heads: 16,
			kvHeads: 16, headWidth: 256, tied: true, activation: shapes.GELU,
		})
		c.shape.Bias = c.attentionBias()
	},
	ignored: append([]string{"hidden_activation", "use_bidirectional_attention"}, llamaIgnored...),
}

// llamaIgnored are fields of this family that change neither parameters nor matmuls.
var llamaIgnored = []string{
	"max_position_embeddings", "max_sequence_length", "rope_theta", "rope_scaling",
	"rope_parameters", "rope_interleaved", "pretraining_tp",
}

// llamaDefaults are the sizes of a configuration class; kvHeads 0 means as many as heads, headWidth
// 0 means width / heads.
type llamaDefaults struct {
	vocab, width, inner, layers, heads, kvHeads, headWidth int
	tied                                                   bool
	activation                                             shapes.Activation
}

// readLlama reads the fields that Llama, Mistral, Qwen2 and Gemma share.
func readLlama(c *hfConfig, absent llamaDefaults) {
	s := c.shape
	s.Vocab = c.size("vocab", absent.vocab, "vocab_size")
	s.DModel = c.size("d_model", absent.width, "hidden_size")
	heads := c.size("decoder.heads", absent.heads, "num_attention_heads")
	s.Decoder = shapes.Stack{
		Layers:    c.size("decoder.layers", absent.layers, "num_hidden_layers"),
		DFF:       c.size("decoder.d_ff", absent.inner, "intermediate_size"),
		Gated:     true,
		Heads:     heads,
		KVHeads:   c.keyHeads(heads, absent.kvHeads),
		Position:  shapes.Rotary,
		FinalNorm: true,

		Activation: c.activation(absent.activation, "hidden_act"),
	}
	width, given := c.optional("decoder.d_kv", "head_dim")
	switch {
	case given:
		s.Decoder.DKV = width
	case absent.headWidth > 0:
		s.Decoder.DKV = absent.headWidth
	default:
		s.Decoder.DKV = c.headWidth("decoder.heads", s.DModel, heads)
	}
	s.Norm = shapes.RMSNorm
	s.Head = c.lmHead(absent.tied)
}

// keyHeads reads num_key_value_heads: null means one for each query head, absence means the class's
// default.
func (c *hfConfig) keyHeads(heads, absent int) int {
	if v, ok := c.optional("decoder.kv_heads", "num_key_value_heads"); ok {
		return v
	}
	if _, present := c.byName["num_key_value_heads"]; present || absent == 0 {
		if !present {
			c.fields["decoder.kv_heads"] = c.where("decoder.heads")
		}
		return heads
	}
	c.assumed = append(c.assumed, "num_key_value_heads "+strconv.Itoa(absent))
	return absent
}

// attentionBias reads attention_bias, which covers all four projections.
func (c *hfConfig) attentionBias() shapes.Bias {
	if c.flag("bias", false, "attention_bias") {
		return shapes.BiasQKV | shapes.BiasO
	}
	return shapes.NoBias
}
