package config

import (
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
)

// trainers are files of trainers and authors' own formats. The counts of released models are those
// that the models' cards and checkpoints report; those of fairseq are sums by hand, with
// d = 512, attention 4(d² + d) = 1,050,624 and f = 2,048 (1,024) feed-forward 2df + f + d.
var trainers = []struct {
	name, file, text string
	vocab            int
	want             int64
}{
	{
		"Llama 2 7B", "params.json",
		`{"dim": 4096, "multiple_of": 256, "n_heads": 32, "n_layers": 32, "norm_eps": 1e-05, "vocab_size": -1}`,
		0, 6_738_415_616,
	},
	{
		"Llama 2 13B", "params.json",
		`{"dim": 5120, "multiple_of": 256, "n_heads": 40, "n_layers": 40, "norm_eps": 1e-05, "vocab_size": -1}`,
		0, 13_015_864_320,
	},
	{
		"Llama 2 70B", "params.json",
		`{"dim": 8192, "multiple_of": 4096, "ffn_dim_multiplier": 1.3, "n_heads": 64, "n_kv_heads": 8,
		"n_layers": 80, "norm_eps": 1e-05, "vocab_size": -1}`,
		0, 68_976_648_192,
	},
	{
		"Llama 3 8B", "params.json",
		`{"dim": 4096, "n_layers": 32, "n_heads": 32, "n_kv_heads": 8, "vocab_size": 128256, "multiple_of": 1024,
		"ffn_dim_multiplier": 1.3, "norm_eps": 1e-05, "rope_theta": 500000.0}`,
		0, 8_030_261_248,
	},
	{
		"Llama 3 70B", "params.json",
		`{"dim": 8192, "ffn_dim_multiplier": 1.3, "multiple_of": 4096, "n_heads": 64, "n_kv_heads": 8,
		"n_layers": 80, "norm_eps": 1e-05, "vocab_size": 128256, "rope_theta": 500000.0}`,
		0, 70_553_706_496,
	},
	{
		"Mistral 7B", "params.json",
		`{"dim": 4096, "n_layers": 32, "head_dim": 128, "hidden_dim": 14336, "n_heads": 32, "n_kv_heads": 8,
		"norm_eps": 1e-05, "sliding_window": 4096, "vocab_size": 32000}`,
		0, 7_241_732_096,
	},
	{
		"Mistral Nemo", "params.json",
		`{"dim": 5120, "n_layers": 40, "head_dim": 128, "hidden_dim": 14336, "n_heads": 32, "n_kv_heads": 8,
		"rope_theta": 1000000.0, "norm_eps": 1e-05, "vocab_size": 131072, "max_seq_len": 128000}`,
		0, 12_247_782_400,
	},
	{
		"Mixtral 8x7B", "params.json",
		`{"dim": 4096, "n_layers": 32, "head_dim": 128, "hidden_dim": 14336, "n_heads": 32, "n_kv_heads": 8,
		"norm_eps": 1e-05, "vocab_size": 32000, "moe": {"num_experts_per_tok": 2, "num_experts": 8}}`,
		0, 46_702_792_704,
	},
	{
		"fairseq language model, nested", "config.yaml",
		`
task: {_name: language_modeling, tokens_per_sample: 512}
model:
  _name: transformer_lm
  decoder_embed_dim: 512
  decoder_layers: 6
  decoder_ffn_embed_dim: 2048
  decoder_attention_heads: 8
  share_decoder_input_output_embed: true
  decoder_normalize_before: true
optimizer: {_name: adam}
`,
		// table, layers with two norms, final norm
		10_000, 10_000*512 + 6*(1_050_624+2_099_712+4*512) + 2*512,
	},
	{
		"fairseq translation, with sections, in a checkpoint", "config.yaml",
		`
cfg:
  task: {_name: translation}
  model:
    _name: transformer
    encoder: {embed_dim: 512, layers: 6, ffn_embed_dim: 1024, attention_heads: 4}
    decoder: {embed_dim: 512, layers: 5, ffn_embed_dim: 1024, attention_heads: 4}
    share_all_embeddings: true
`,
		10_000, 10_000*512 + 6*(1_050_624+1_050_112+4*512) + 5*(2*1_050_624+1_050_112+6*512),
	},
}

func TestTrainers(t *testing.T) {
	for _, c := range trainers {
		r, err := Read(c.file, strings.NewReader(c.text), Options{Vocab: c.vocab})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := flops.CountParameters(&r.Shape).Total; got != c.want {
			t.Errorf("%s: %d, want %d (%d)", c.name, got, c.want, got-c.want)
		}
		if len(r.Unknown) > 0 {
			t.Errorf("%s: unknown fields %v", c.name, r.Unknown)
		}
	}
}

// What fairseq or its dictionary leaves to the reader is a fault, not a guess.
func TestFairseqIsNotGuessed(t *testing.T) {
	const sizes = "decoder_embed_dim: 512\ndecoder_layers: 6\ndecoder_ffn_embed_dim: 1024\n" +
		"decoder_attention_heads: 4\n"
	for text, want := range map[string]string{
		"arch: transformer_iwslt_de_en\n" + sizes:               "encoder_layers is missing",
		"arch: transformer_lm\ndecoder_input_dim: 64\n" + sizes: "adds a projection",
	} {
		_, err := Read("c.yaml", strings.NewReader(text), Options{Vocab: 100})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
