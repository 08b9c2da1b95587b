package config

import (
	"strconv"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// bertModel is BertConfig.
var bertModel = model{
	family: shapes.BERT,
	variants: map[string]variant{
		"BertModel":       {pooler: true},
		"BertForMaskedLM": {head: true},
		"BertForPreTraining": {
			head: true, pooler: true,
			uncounted: "the next-sentence head (2·d_model + 2)",
		},
		"BertForSequenceClassification": {pooler: true, uncounted: "the classification head"},
		"BertForTokenClassification":    {uncounted: "the classification head"},
		"BertForQuestionAnswering":      {uncounted: "the answer-span head"},
	},
	usual: "BertModel",
	read:  readBERT,
	ignored: []string{
		"hidden_dropout_prob", "attention_probs_dropout_prob", "directionality",
		"pooler_fc_size", "pooler_num_attention_heads", "pooler_num_fc_layers",
		"pooler_size_per_head", "pooler_type",
	},
}

// vitModel is ViTConfig.
var vitModel = model{
	family: shapes.ViT,
	variants: map[string]variant{
		"ViTModel":                  {pooler: true},
		"ViTForImageClassification": {uncounted: "the classification head"},
	},
	usual: "ViTModel",
	read:  readViT,
	ignored: []string{
		"hidden_dropout_prob", "attention_probs_dropout_prob", "encoder_stride",
		"pooler_act",
	},
}

// readEncoder reads the sizes that BERT and ViT share; both default to base.
func readEncoder(c *hfConfig) {
	s := c.shape
	s.DModel = c.size("d_model", 768, "hidden_size")
	heads := c.size("encoder.heads encoder.kv_heads", 12, "num_attention_heads")
	s.Encoder = shapes.Stack{
		Layers:   c.size("encoder.layers", 12, "num_hidden_layers"),
		DFF:      c.size("encoder.d_ff", 3072, "intermediate_size"),
		DKV:      c.headWidth("encoder.heads", s.DModel, heads),
		Heads:    heads,
		KVHeads:  heads,
		Position: shapes.Learned,

		Activation: c.activation(shapes.GELU, "hidden_act"),
	}
	s.Norm = shapes.LayerNorm
	s.Bias = shapes.BiasAll
	s.Pooler = c.variant.pooler
	s.Head = shapes.HeadNone
}

func readBERT(c *hfConfig) {
	readEncoder(c)
	s := c.shape
	s.Vocab = c.size("vocab", 30522, "vocab_size")
	s.Encoder.Positions = c.size("encoder.positions", 512, "max_position_embeddings")
	s.TokenTypes = c.integer("token_types", 2, "type_vocab_size")
	s.EmbeddingNorm = true
	c.refuse("is_decoder", isFalse, "an encoder")
	c.refuse("add_cross_attention", isFalse, "an encoder")
	c.refuse("position_embedding_type", func(n *node) bool { return n.kind == null || n.kind == word && n.text == "absolute" }, "absolute positions")
	if c.variant.head {
		c.refuse("tie_word_embeddings", isTrue, "a masked-language-model head with tied embedding")
		s.Head, s.HeadBias = shapes.HeadMLM, true
	}
	c.skip("tie_word_embeddings")
}

func readViT(c *hfConfig) {
	readEncoder(c)
	s := c.shape
	image := c.size("encoder.positions", 224, "image_size")
	patch := c.size("encoder.frontend.patch", 16, "patch_size")
	channels := c.size("encoder.frontend.channels", 3, "num_channels")
	s.Encoder.Frontend = shapes.Frontend{Kind: shapes.Patches, Channels: channels, Patch: patch}
	s.Encoder.FinalNorm = true
	if patch > 0 {
		side := image / patch
		if side == 0 || side > 1<<10 {
			f := c.where("encoder.positions")
			c.fault(f.Position, f.Name, "makes no sensible number of patches", strconv.Itoa(image),
				"1 to 1024 patches of "+strconv.Itoa(patch)+" a side")
			side = 1
		}
		s.Encoder.Positions = side*side + 1 // and the class token
	}
	if !c.flag("bias", true, "qkv_bias") {
		s.Bias = shapes.BiasO | shapes.BiasFFN
	}
	if width, ok := c.optional("", "pooler_output_size"); ok && width != s.DModel && s.Pooler {
		f := c.byName["pooler_output_size"]
		c.fault(f.value.at, f.name, "cannot be expressed as a shape", f.value.show(),
			"the same as hidden_size")
	}
}
