package config

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// t5Model is T5Config: T5 v1.0 and v1.1, T5-Efficient, Flan, ByT5, UL2.
var t5Model = model{
	family: shapes.T5,
	variants: map[string]variant{
		"T5ForConditionalGeneration": {head: true},
		"T5WithLMHeadModel":          {head: true}, // the name until transformers 3
		"T5Model":                    {},
		"T5EncoderModel":             {encoder: true},
	},
	usual:   "T5ForConditionalGeneration",
	read:    func(c *hfConfig) { readT5(c, t5Sizes) },
	ignored: t5Ignored,
}

// mt5Model is MT5Config, whose class defaults describe mt5-small.
var mt5Model = model{
	family: shapes.T511,
	variants: map[string]variant{
		"MT5ForConditionalGeneration": {head: true},
		"MT5Model":                    {},
		"MT5EncoderModel":             {encoder: true},
	},
	usual:   "MT5ForConditionalGeneration",
	read:    func(c *hfConfig) { readT5(c, mt5Sizes) },
	ignored: t5Ignored,
}

// switchModel is SwitchTransformersConfig.
var switchModel = model{
	family: shapes.Switch,
	variants: map[string]variant{
		"SwitchTransformersForConditionalGeneration": {head: true},
		"SwitchTransformersModel":                    {},
		"SwitchTransformersEncoderModel":             {encoder: true},
	},
	usual: "SwitchTransformersForConditionalGeneration",
	read:  readSwitch,
	ignored: append([]string{
		"expert_capacity", "router_jitter_noise", "router_dtype", "router_ignore_padding_tokens",
		"router_z_loss_coef",
		"router_aux_loss_coef", "add_router_probs", "router_type", "batch_prioritized_routing",
		// repeat what the counts of sparse layers make
		"encoder_sparse_step", "decoder_sparse_step",
	}, t5Ignored...),
}

// t5Ignored are fields of published T5 configurations that repeat others or belong to training.
var t5Ignored = []string{
	"relative_attention_max_distance", "n_positions", "max_position_embeddings", "dense_act_fn",
	"is_decoder", "add_cross_attention", "scale_decoder_outputs",
}

// t5Defaults are the sizes of a configuration class.
type t5Defaults struct {
	vocab, width, headWidth, inner, layers, heads int
	feedForward                                   string
	tied                                          bool
}

var (
	t5Sizes     = t5Defaults{32128, 512, 64, 2048, 6, 8, "relu", true}
	mt5Sizes    = t5Defaults{250112, 512, 64, 1024, 8, 6, "gated-gelu", false}
	switchSizes = t5Defaults{32128, 768, 64, 2048, 12, 12, "relu", true}
)

// readT5 reads the fields that T5, mT5 and Switch share. Both stacks have the same width, heads and
// d_ff; only their depths differ.
func readT5(c *hfConfig, absent t5Defaults) {
	const both = "encoder.%[1]s decoder.%[1]s"
	s := c.shape
	s.Vocab = c.size("vocab", absent.vocab, "vocab_size")
	s.DModel = c.size("d_model", absent.width, "d_model", "hidden_size")
	heads := c.size(fmt.Sprintf(both, "heads")+" encoder.kv_heads decoder.kv_heads", absent.heads,
		"num_heads", "num_attention_heads")
	stack := shapes.Stack{
		Layers: c.size("encoder.layers decoder.layers", absent.layers, "num_layers",
			"num_hidden_layers"),
		DFF:       c.size(fmt.Sprintf(both, "d_ff"), absent.inner, "d_ff"),
		DKV:       c.size(fmt.Sprintf(both, "d_kv"), absent.headWidth, "d_kv", "head_dim"),
		Heads:     heads,
		KVHeads:   heads,
		Position:  shapes.Relative,
		Positions: c.integer(fmt.Sprintf(both, "positions"), 32, "relative_attention_num_buckets"),
		FinalNorm: true,
	}
	stack.Gated, stack.Activation = c.t5FeedForward(absent.feedForward)
	s.Encoder, s.Decoder = stack, stack
	if layers, ok := c.optional("decoder.layers", "num_decoder_layers"); ok {
		s.Decoder.Layers = layers
	}
	if c.variant.encoder {
		s.Decoder = shapes.Stack{}
	}
	s.Norm = shapes.RMSNorm
	s.Head = c.lmHead(absent.tied)
	if s.Family == shapes.T5 && (s.Encoder.Gated || s.Head == shapes.HeadUntied) {
		s.Family = shapes.T511
	}
}

// t5FeedForward reads "relu" or "gated-gelu". The is_gated_act that newer files repeat must agree.
func (c *hfConfig) t5FeedForward(absent string) (gated bool, a shapes.Activation) {
	word := c.word("encoder.gated decoder.gated encoder.activation decoder.activation", absent,
		"feed_forward_proj")
	rest, gated := strings.CutPrefix(word, "gated-")
	a, known := activations[rest]
	if !known {
		f := c.byName["feed_forward_proj"]
		c.fault(f.value.at, f.name, "is not a feed-forward of T5", quote(word),
			"gated- or nothing, and one of "+allowedWords(activations))
	}
	if c.flag("", gated, "is_gated_act") != gated {
		f := c.byName["is_gated_act"]
		c.fault(f.value.at, f.name, "contradicts feed_forward_proj "+word, f.value.show(),
			strconv.FormatBool(gated))
	}
	return gated, a
}

// readSwitch adds the experts: every step-th layer is sparse, where step is layers / sparse layers
// rounded down.
func readSwitch(c *hfConfig) {
	readT5(c, switchSizes)
	if _, ok := c.byName["feed_forward_proj"]; !ok { // newer files name the activation alone
		a := c.activation(shapes.ReLU, "dense_act_fn")
		c.shape.Encoder.Activation, c.shape.Decoder.Activation = a, a
	}
	c.refuse("router_bias", isFalse, "a router without bias")
	if c.shape.Encoder.Gated {
		f := c.where("encoder.gated")
		c.fault(f.Position, f.Name, "is gated, which Switch layers never are", "", "relu")
	}
	c.refuse("num_selected_experts", func(n *node) bool { return n.kind == null || n.text == "1" }, "one expert a token")
	experts := c.size("encoder.experts decoder.experts", 8, "num_experts")
	c.sparse(&c.shape.Encoder, experts, "encoder.sparse_every", "num_sparse_encoder_layers")
	c.sparse(&c.shape.Decoder, experts, "decoder.sparse_every", "num_sparse_decoder_layers")
}

func (c *hfConfig) sparse(stack *shapes.Stack, experts int, shapeField, name string) {
	sparse := c.size(shapeField, 3, name)
	if stack.Layers == 0 || sparse == 0 || experts == 0 {
		return
	}
	f := c.where(shapeField)
	if sparse > stack.Layers {
		c.fault(f.Position, name, "is more than there are layers", strconv.Itoa(sparse),
			"at most "+strconv.Itoa(stack.Layers))
		return
	}
	stack.Experts, stack.ActiveExperts, stack.SparseEvery = experts, 1, stack.Layers/sparse
	// The library makes layers 1, 1+step, 1+2·step, … sparse (counted from 0).
	built := (stack.Layers + stack.SparseEvery - 2) / stack.SparseEvery
	if stack.SparseEvery == 1 {
		built = stack.Layers
	}
	if built != stack.SparseLayers() {
		c.fault(f.Position, name, "cannot be expressed as a shape", strconv.Itoa(sparse),
			fmt.Sprintf("a number that divides the %d layers (this one makes %d of them sparse)",
				stack.Layers, built))
	} else if built != sparse {
		c.warn(f.Position, "%s is %d, but the model class makes every %d-th layer sparse: %d of %d",
			name, sparse, stack.SparseEvery, built, stack.Layers)
	}
}
