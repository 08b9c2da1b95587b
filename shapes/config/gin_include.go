package config

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// includeGin opens what a gin file includes: from its folder, from the working directory, from the
// folder that references may not leave, or, for the configurations that T5 was published with, from
// [publishedGin].
func (rd *reader) includeGin(from *syntax.Text, target string) (*syntax.Text, error) {
	candidates := []string{path.Join(path.Dir(from.File), target), path.Clean(target)}
	if rd.Root != "" {
		candidates = append(candidates, path.Join(rd.Root, target))
	}
	why := fs.ErrNotExist
	for _, resolved := range candidates {
		if rd.Open == nil || rd.problem(target, resolved) != "" {
			continue
		}
		f, err := rd.Open(resolved)
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				why = errors.New(syntax.Reason(err))
			}
			continue
		}
		defer f.Close()
		return syntax.ReadText(resolved, f, syntax.MaxGinBytes)
	}
	for _, p := range publishedGin {
		if target == p.path || strings.HasSuffix(target, "/"+p.path) {
			return syntax.DecodeText("published "+p.path, []byte(p.text))
		}
	}
	return nil, why
}

// publishedGin are the base configurations of T5 that others include, as far as they say the shape:
// google-research/t5x (t5x/examples/t5) and text-to-text-transfer-transformer (models/gin).
var publishedGin = []struct{ path, text string }{
	{
		"t5x/examples/t5/t5_1_0/base.gin",
		t5xBase("32128", "12", "12", "768", "3072", "('relu',)", "True"),
	},
	{
		"t5x/examples/t5/t5_1_1/base.gin",
		t5xBase("32128", "12", "12", "768", "2048", "('gelu', 'linear')", "False"),
	},
	{
		"t5x/examples/t5/mt5/base.gin",
		t5xBase("250112", "12", "12", "768", "2048", "('gelu', 'linear')", "False"),
	},
	{
		"t5x/examples/t5/byt5/base.gin",
		t5xBase("384", "18", "6", "1536", "3968", "('gelu', 'linear')", "False"),
	},
	{"models/t5.1.0.base.gin", meshBase},
	{"models/t5.1.1.base.gin", meshBase + `d_ff = 2048
DenseReluDense.activation = ["gelu", "linear"]
Unitransformer.shared_embedding_and_softmax_weights = False
`},
}

func t5xBase(vocab, encoder, decoder, width, inner, activations, tied string) string {
	return "T5Config.vocab_size = " + vocab + "\nT5Config.emb_dim = " + width +
		"\nT5Config.num_heads = 12\nT5Config.num_encoder_layers = " + encoder +
		"\nT5Config.num_decoder_layers = " + decoder + "\nT5Config.head_dim = 64\nT5Config.mlp_dim = " +
		inner + "\nT5Config.mlp_activations = " + activations + "\nT5Config.logits_via_embedding = " +
		tied + "\n"
}

const meshBase = `d_ff = 3072
d_kv = 64
d_model = 768
num_heads = 12
num_layers = 12
Bitransformer.shared_embedding = True
Unitransformer.d_model = %d_model
Unitransformer.positional_embedding = False
Unitransformer.shared_embedding_and_softmax_weights = True
make_layer_stack.num_layers = %num_layers
DenseReluDense.hidden_size = %d_ff
DenseReluDense.activation = "relu"
SelfAttention.num_heads = %num_heads
SelfAttention.key_value_size = %d_kv
SelfAttention.relative_attention_type = "bias_shared"
EncDecAttention.num_heads = %num_heads
EncDecAttention.key_value_size = %d_kv
`
