package config

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// Each field of a configuration class that changes the architecture, one at a time; the expected
// field of the shape follows from the class's definition.
func TestFieldsThatChangeTheShape(t *testing.T) {
	tests := []struct {
		name, content string
		got           func(*shapes.Shape) any
		want          any
	}{
		{
			"llama attention_bias",
			`{"model_type": "llama", "attention_bias": true}`,
			bias,
			shapes.BiasQKV | shapes.BiasO,
		},
		{"llama mlp_bias", `{"model_type": "llama", "mlp_bias": true}`, bias, shapes.BiasFFN},
		{"llama no bias", `{"model_type": "llama"}`, bias, shapes.NoBias},
		{"qwen2 bias", `{"model_type": "qwen2"}`, bias, shapes.BiasQKV},
		{
			"neox without attention bias",
			`{"model_type": "gpt_neox", "attention_bias": false}`,
			bias,
			shapes.BiasFFN,
		},
		{
			"vit without query bias",
			`{"model_type": "vit", "qkv_bias": false}`,
			bias,
			shapes.BiasO | shapes.BiasFFN,
		},
		{"mistral absent key heads", `{"model_type": "mistral"}`, keyHeads, 8},
		{
			"mistral null key heads",
			`{"model_type": "mistral", "num_key_value_heads": null}`,
			keyHeads,
			32,
		},
		{
			"llama absent key heads",
			`{"model_type": "llama", "num_attention_heads": 16}`,
			keyHeads,
			16,
		},
		{"gemma head width", `{"model_type": "gemma"}`, headWidth, 256},
		{"llama head_dim", `{"model_type": "llama", "head_dim": 64}`, headWidth, 64},
		{"llama head_dim null", `{"model_type": "llama", "head_dim": null}`, headWidth, 128},
		{
			"llama tied",
			`{"model_type": "llama", "tie_word_embeddings": true}`,
			head,
			shapes.HeadTied,
		},
		{
			"llama without head",
			`{"model_type": "llama", "architectures": ["LlamaModel"]}`,
			head,
			shapes.HeadNone,
		},
		{
			"gpt2 untied",
			`{"model_type": "gpt2", "tie_word_embeddings": false}`,
			head,
			shapes.HeadUntied,
		},
		{"mt5 untied by default", `{"model_type": "mt5"}`, head, shapes.HeadUntied},
		{"t5 tied by default", `{"model_type": "t5"}`, head, shapes.HeadTied},
		{"only architectures", `{"architectures": ["MT5EncoderModel"]}`, head, shapes.HeadNone},
		{
			"gpt2 n_inner null",
			`{"model_type": "gpt2", "n_embd": 96, "n_inner": null}`,
			decoderFF,
			384,
		},
		{"gpt2 n_inner", `{"model_type": "gpt2", "n_embd": 96, "n_inner": 100}`, decoderFF, 100},
		{"gpt2 by the common names", `{"model_type": "gpt2", "hidden_size": 96}`, decoderFF, 384},
		{
			"t5 asymmetric",
			`{"model_type": "t5", "num_layers": 6, "num_decoder_layers": 2}`,
			decoderLayers,
			2,
		},
		{
			"t5 null decoder layers",
			`{"model_type": "t5", "num_layers": 9, "num_decoder_layers": null}`,
			decoderLayers,
			9,
		},
		{
			"t5 gated silu",
			`{"model_type": "t5", "feed_forward_proj": "gated-silu"}`,
			activation,
			shapes.SiLU,
		},
		{"t5 gelu", `{"model_type": "t5", "feed_forward_proj": "gelu"}`, activation, shapes.GELU},
		{
			"switch of newer files",
			`{"model_type": "switch_transformers", "dense_act_fn": "gelu_new"}`,
			activation,
			shapes.GELU,
		},
		{
			"switch dense decoder",
			`{"model_type": "switch_transformers", "num_sparse_decoder_layers": 0}`,
			decoderExperts,
			0,
		},
		{
			"switch all sparse",
			`{"model_type": "switch_transformers", "num_sparse_decoder_layers": 12}`,
			sparseLayers,
			12,
		},
		{
			"vit patches",
			`{"model_type": "vit", "image_size": 384, "patch_size": 16}`,
			encoderPositions,
			24*24 + 1,
		},
		{
			"vit odd image",
			`{"model_type": "vit", "image_size": 230, "patch_size": 16}`,
			encoderPositions,
			14*14 + 1,
		},
		{
			"bart offset",
			`{"model_type": "bart", "max_position_embeddings": 512}`,
			encoderPositions,
			514,
		},
		{
			"bert types",
			`{"model_type": "bert", "type_vocab_size": 1}`,
			func(s *shapes.Shape) any { return s.TokenTypes },
			1,
		},
		{"t5x defaults", "network.T5Config.vocab_size = 100\n", decoderFF, 2048},
		{
			"t5x buckets", "network.T5Config.vocab_size = 100\nnetwork.T5Config.num_buckets = 64\n",
			encoderPositions, 64,
		},
		{
			"t5x one activation", "T5Config.vocab_size = 100\nT5Config.mlp_activations = 'swish'\n",
			activation, shapes.SiLU,
		},
		{
			"mesh learned", mesh(
				"Unitransformer.positional_embedding = True\nUnitransformer.max_length = 77\n"),
			encoderPositions, 77,
		},
		{"mesh sinusoid", mesh(
			"Unitransformer.positional_embedding = False\nUnitransformer.sinusoid_positional_embedding = True\n",
		), position, shapes.Sinusoidal},
		{
			"mesh no position", mesh("Unitransformer.positional_embedding = False\n"), position,
			shapes.NoPosition,
		},
		{
			"mesh memory heads", mesh(
				"Unitransformer.positional_embedding = False\nSelfAttention.num_memory_heads = 2\n",
			),
			keyHeads, 2,
		},
		{
			"mesh bias",
			mesh("Unitransformer.positional_embedding = False\nDenseReluDense.use_bias = True\n"),
			bias, shapes.BiasFFN,
		},
		{
			"mesh untied", mesh("Unitransformer.positional_embedding = False\n"), head,
			shapes.HeadUntied,
		},
		{
			"mesh one scope wins",
			mesh(
				"Unitransformer.positional_embedding = False\ndecoder/make_layer_stack.num_layers = 3\n",
			), decoderLayers, 3,
		},
		{"yaml heads move key heads", "extends: t5-small\ndecoder: {heads: 4}\n", keyHeads, 4},
		{"yaml key heads alone", "extends: t5-small\ndecoder: {kv_heads: 2}\n", keyHeads, 2},
		{
			"yaml position drops the table", "extends: t5-small\nencoder: {position: rotary}\n",
			encoderPositions, 0,
		},
		{"yaml experts gone", "extends: switch-base-8\ndecoder: {experts: 0}\n", sparseLayers, 0},
		{
			"yaml bias words", "extends: t5-small\nbias: [qkv, ffn]\n", bias,
			shapes.BiasQKV | shapes.BiasFFN,
		},
		{"yaml bias word", "extends: t5-small\nbias: no-key\n", bias, shapes.BiasNoKey},
		{"yaml an edit", "extends: t5-small/nl=16\n", decoderLayers, 16},
		{
			"yaml activation", "extends: t5-small\ndecoder: {activation: silu}\n", activation,
			shapes.SiLU,
		},
		{
			"yaml mel bins",
			"extends: whisper-tiny\nencoder:\n  frontend: {kind: audio, channels: 128}\n", frontend,
			shapes.Frontend{Kind: shapes.Audio, Channels: 128},
		},
		{
			"yaml other frontend",
			"extends: vit-base-16\nencoder:\n  frontend: {kind: patches, channels: 1, patch: 8}\n",
			frontend,
			shapes.Frontend{Kind: shapes.Patches, Channels: 1, Patch: 8},
		},
	}
	for _, tt := range tests {
		r, err := Read("-", strings.NewReader(tt.content), Options{Vocab: 32128})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := tt.got(&r.Shape); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// mesh returns a Mesh TensorFlow file with some more lines.
func mesh(more string) string {
	return `Bitransformer.shared_embedding = True
Unitransformer.d_model = 512
make_layer_stack.num_layers = 6
SelfAttention.num_heads = 8
SelfAttention.key_value_size = 64
DenseReluDense.hidden_size = 2048
` + more
}

func bias(s *shapes.Shape) any             { return s.Bias }
func head(s *shapes.Shape) any             { return s.Head }
func keyHeads(s *shapes.Shape) any         { return s.Decoder.KVHeads }
func headWidth(s *shapes.Shape) any        { return s.Decoder.DKV }
func decoderFF(s *shapes.Shape) any        { return s.Decoder.DFF }
func decoderLayers(s *shapes.Shape) any    { return s.Decoder.Layers }
func decoderExperts(s *shapes.Shape) any   { return s.Decoder.Experts }
func sparseLayers(s *shapes.Shape) any     { return s.Decoder.SparseLayers() }
func activation(s *shapes.Shape) any       { return s.Decoder.Activation }
func encoderPositions(s *shapes.Shape) any { return s.Encoder.Positions }
func position(s *shapes.Shape) any         { return s.Encoder.Position }
func frontend(s *shapes.Shape) any         { return s.Encoder.Frontend }

// Smaller slips, each refused with its place. The catalogue knows the two names that are extended.
func TestSlips(t *testing.T) {
	tests := []struct{ content, want string }{
		{`{"model_type": 5}`, `-:1:16: model_type is not text: 5; allowed: text`},
		{
			`{"model_type": "t5", "architectures": "T5Model"}`,
			`-:1:39: architectures is not a list of class names: "T5Model"`,
		},
		{
			`{"model_type": "t5", "architectures": [5]}`,
			`architectures is not a list of class names: a list`,
		},
		{
			`{"architectures": ["NoSuchModel"]}`,
			`-:1:20: model_type is missing and architectures does not tell it: "NoSuchModel"`,
		},
		{
			`{"model_type": "t5", "d_model": null}`,
			`-:1:33: d_model is null; allowed: a whole number`,
		},
		{
			`{"model_type": "t5", "feed_forward_proj": "gated-gelu", "is_gated_act": false}`,
			`is_gated_act contradicts feed_forward_proj: false`,
		},
		{
			`{"model_type": "bart", "activation_function": "tanh"}`,
			`-:1:24: activation_function is an activation that is not supported yet: "tanh"`,
		},
		{
			`{"model_type": "switch_transformers", "feed_forward_proj": "gated-gelu"}`,
			`feed_forward_proj is gated, which Switch layers never are`,
		},
		{
			`{"model_type": "switch_transformers", "num_sparse_encoder_layers": 13}`,
			`num_sparse_encoder_layers makes layers sparse that are not every n-th: 13`,
		},
		{
			`{"model_type": "vit", "image_size": 8}`,
			`image_size makes no sensible number of patches: 8`,
		},
		{`{"model_type": "vit", "patch_size": 0}`, `patch_size is out of range: 0`},
		{
			`{"model_type": "vit", "architectures": ["ViTModel"], "pooler_output_size": 5}`,
			`pooler_output_size cannot be expressed as a shape: 5`,
		},
		{
			`{"model_type": "gpt2", "add_cross_attention": true}`,
			`add_cross_attention cannot be expressed as a shape: true`,
		},
		{"T5Config.vocab_size = 100\nT5Config.emb_dim = @f(\n", `is not closed`},
		{"T5Config.vocab_size = 100 200\n", `-:1:27: has text after the value; allowed`},
		{"T5Config.vocab_size =\n", `-:1:22: has no value`},
		{"A = {'a' 1}\n", `is not closed; allowed: a dictionary that ends with }`},
		{"A = {1: 2\n", `is not closed`},
		{"A = %\n", `-:1:5: is a reference without a name`},
		{"A = hello\n", `-:1:5: is not a gin value; allowed: a number`},
		{"A = \"\"\"x\ny\n", `has no closing quote`},
		{"extends: 5\n", `-:1:10: extends is not text: 5`},
		{
			"extends: ./a.yaml\n",
			`-:1:10: extends refers to a file, which cannot be opened from here: "./a.yaml"`,
		},
		{
			"extends: t5-efficient-base-sh\n",
			`-:1:10: extends cannot be followed: t5-efficient-base-sh cannot be counted`,
		},
		{"extends: t5-small/nl=0\n", `-:1:10: extends cannot be followed: shape "t5-small/nl=0"`},
		{
			"extends: t5-small\nencoder:\n  frontend: audio\n",
			`-:3:13: encoder.frontend is not a section: "audio"`,
		},
		{"extends: t5-small\nencoder:\n  frontend: {kind: video}\n", `kind is unknown: "video"`},
		{
			"extends: t5-small\nencoder:\n  frontend: {mels: 8}\n",
			`encoder.frontend.mels is an unknown key`,
		},
		{
			"extends: t5-small\nencoder:\n  layers: 99999\n",
			`-:3:3: layers is out of range: 99999; allowed: 0 to 8192`,
		},
		{
			"extends: t5-small\nhead: none\npooler: true\nencoder: none\n",
			`-:3:1: pooler is out of range: true; allowed: false without an encoder`,
		},
		{"? [a]\n: b\nc: d\n", `-:2:1: is not valid YAML`},
		{"a: b: c\n", `is not valid YAML`},
	}
	for _, tt := range tests {
		_, err := Read("-", strings.NewReader(tt.content), Options{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v\nwant %s", tt.content, err, tt.want)
		}
	}
}

// The causes stay reachable, so that a caller can tell a missing file from a name that cannot be
// counted.
func TestCauses(t *testing.T) {
	_, err := Read("-", strings.NewReader("extends: t5-efficient-base-sh\n"), Options{})
	var notCountable *shapes.NotCountableError
	if !errors.As(err, &notCountable) {
		t.Errorf("%v hides that it is not countable", err)
	}
	_, err = Read("a.yaml", strings.NewReader("extends: ./none.yaml\n"), testOptions())
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v hides that the file is missing", err)
	}
}

// TestWhatIsNoConfigurationIsNotQuoted: a file that a stranger's glob names may hold a secret, which no
// message repeats.
func TestWhatIsNoConfigurationIsNotQuoted(t *testing.T) {
	const secret = "s3cr3t"
	for _, text := range []string{
		"//registry/:_authToken=s3cr3t\n", "TOKEN=s3cr3t\nOTHER: s3cr3t\n", "machine x login y password s3cr3t\n", "s3cr3t",
		"[default]\naws_secret_access_key = s3cr3t/+a\n", "-----BEGIN KEY-----\ns3cr3t\n-----END KEY-----\n", "host:5432:db:user:s3cr3t\n",
		"token = 's3cr3t\n", "token = {s3cr3t\n", "token = 1 s3cr3t\n", "users:\n- user: {token: s3cr3t}\n  name: \"s3cr3t\n",
		`{"auths": {"x": {"auth": "s3cr3t"}}, "y": s3cr3t}}`, "https://u:s3cr3t@host\n", "export TOKEN=s3cr3t\npython train.py --token s3cr3t s3cr3t\n",
	} {
		for _, name := range []string{".npmrc", "credentials", "c.gin", "c.yaml", "c.json", "c.toml", "c.sh", "c.args", "c.txt", "c.ini"} {
			if _, err := Read(name, strings.NewReader(text), Options{}); err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%s of %q: %v", name, text, err)
			}
		}
	}
}
