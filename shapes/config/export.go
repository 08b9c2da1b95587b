package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// ExportFormats are the formats [Export] writes: a config.json of Hugging Face, gin of T5X and of
// Mesh TensorFlow, arguments of Megatron-LM, a configuration of nanotron, and our own YAML.
func ExportFormats() []string { return []string{"hf", "t5x", "mesh", "megatron", "nanotron", "yaml"} }

// Exported is a file that says a shape.
type Exported struct{ Name, Text string }

// InexpressibleError says which fields of a shape a format cannot say.
type InexpressibleError struct {
	Shape, Format string
	Fields        []string // of the format's closest reading, as our YAML names them
}

func (e *InexpressibleError) Error() string {
	return fmt.Sprintf("%s cannot be written as %s: %s", e.Shape, e.Format,
		strings.Join(e.Fields, ", "))
}

// Export returns a valid shape as a file of a format. What is written was read back and gives the
// same architecture; else the error is an [*InexpressibleError]. The format must be one of
// [ExportFormats].
func Export(s *shapes.Shape, format string) (Exported, error) {
	var candidates []Exported
	switch format {
	case "hf":
		for _, write := range hfWriters {
			if fields := write(s); fields != nil {
				candidates = append(candidates, Exported{"config.json", fields.json()})
			}
		}
	case "t5x":
		candidates = []Exported{{"model.gin", exportT5X(s)}}
	case "mesh":
		candidates = []Exported{{"operative_config.gin", exportMesh(s)}}
	case "megatron":
		candidates = []Exported{{"megatron.yaml", exportMegatron(s).yaml("")}}
	case "nanotron":
		for _, fields := range []pairs{hfLlama(s), hfQwen2(s)} {
			text := fields.without("model_type", "architectures").yaml("    ")
			candidates = append(candidates, Exported{"nanotron.yaml", "model:\n  model_config:\n" + text})
		}
	case "yaml":
		candidates = []Exported{{"shape.yaml", writeYAML(s)}}
	default:
		return Exported{}, fmt.Errorf("unknown format: %q; allowed: %s", format,
			strings.Join(ExportFormats(), ", "))
	}
	return closest(s, format, candidates)
}

// closest returns the first file that says the whole shape, or what the best of them cannot say.
func closest(s *shapes.Shape, format string, candidates []Exported) (Exported, error) {
	var lacking []string
	for _, c := range candidates {
		r, err := Read(c.Name, strings.NewReader(c.Text), Options{Vocab: vocabOf(s, format)})
		if err != nil {
			continue
		}
		missing := unlike(s, &r.Shape)
		if len(missing) == 0 {
			return c, nil
		}
		if lacking == nil || len(missing) < len(lacking) {
			lacking = missing
		}
	}
	if lacking == nil {
		lacking = []string{"family"}
	}
	return Exported{}, &InexpressibleError{Shape: s.Name, Format: format, Fields: lacking}
}

// vocabOf returns the vocabulary that is given beside a Mesh TensorFlow file.
func vocabOf(s *shapes.Shape, format string) int {
	if format == "mesh" {
		return s.Vocab
	}
	return 0
}

// unlike returns the fields in which two architectures differ.
func unlike(a, b *shapes.Shape) []string {
	var out []string
	compare := func(prefix string, mine, theirs []shapeField) {
		for i := range mine {
			if mine[i].String() != theirs[i].String() {
				out = append(out, prefix+mine[i].name)
			}
		}
	}
	compare("", modelFields(a), modelFields(b))
	compare("encoder.", stackFields(&a.Encoder), stackFields(&b.Encoder))
	compare("decoder.", stackFields(&a.Decoder), stackFields(&b.Decoder))
	if a.Dense != b.Dense {
		out = append(out, "dense")
	}
	if a.Encoder.Frontend.Convs != b.Encoder.Frontend.Convs ||
		a.Decoder.Frontend.Convs != b.Decoder.Frontend.Convs {
		out = append(out, "frontend.convs")
	}
	return out
}

// pairs are the fields of a file in order.
type pairs []pair

type pair struct {
	key   string
	value any // int, bool or string
}

// and adds keys and their values by turns; nil stays nil.
func (p pairs) and(keysAndValues ...any) pairs {
	for i := 0; p != nil && i < len(keysAndValues); i += 2 {
		p = append(p, pair{keysAndValues[i].(string), keysAndValues[i+1]})
	}
	return p
}

func (p pairs) without(keys ...string) pairs {
	return slices.DeleteFunc(slices.Clone(p), func(x pair) bool { return slices.Contains(keys, x.key) })
}

func (p pairs) json() string {
	var b strings.Builder
	b.WriteString("{")
	for i, x := range p {
		value, _ := json.Marshal(x.value) // of a number, flag or word: cannot fail
		if x.key == "architectures" {
			value = []byte("[" + string(value) + "]")
		}
		comma := ","
		if i == len(p)-1 {
			comma = ""
		}
		fmt.Fprintf(&b, "\n  %q: %s%s", x.key, value, comma)
	}
	b.WriteString("\n}\n")
	return b.String()
}

func (p pairs) yaml(indent string) string {
	var b strings.Builder
	for _, x := range p {
		fmt.Fprintf(&b, "%s%s: %v\n", indent, x.key, x.value)
	}
	return b.String()
}

// exportT5X writes network.T5Config of t5x/examples/t5.
func exportT5X(s *shapes.Shape) string {
	k := &s.Encoder
	return ginLines("network.T5Config.", pairs{
		{"vocab_size", s.Vocab},
		{"emb_dim", s.DModel},
		{"num_heads", k.Heads},
		{"num_encoder_layers", k.Layers},
		{"num_decoder_layers", s.Decoder.Layers},
		{"head_dim", k.DKV},
		{"mlp_dim", k.DFF},
		{"mlp_activations", ginActivation(k)},
		{"logits_via_embedding", s.Head == shapes.HeadTied},
	})
}

// brackets makes a list of a tuple.
var brackets = strings.NewReplacer("(", "[", ",)", "]", ")", "]")

// raw is text that gin takes as it stands.
type raw string

func ginActivation(k *shapes.Stack) raw {
	word := k.Activation.String()
	if k.Activation == shapes.SiLU {
		word = "swish"
	}
	if k.Gated {
		return raw("('" + word + "', 'linear')")
	}
	return raw("('" + word + "',)")
}

func ginLines(prefix string, fields pairs) string {
	var b strings.Builder
	for _, x := range fields {
		value := ""
		switch v := x.value.(type) {
		case bool:
			value = strings.ToUpper(strconv.FormatBool(v)[:1]) + strconv.FormatBool(v)[1:]
		case raw:
			value = string(v)
		case string:
			value = strconv.Quote(v)
		default:
			value = fmt.Sprint(v)
		}
		fmt.Fprintf(&b, "%s%s = %s\n", prefix, x.key, value)
	}
	return b.String()
}

// exportMesh writes the classes of Mesh TensorFlow; the vocabulary is a macro of our own, as these
// files name a tokenizer only.
func exportMesh(s *shapes.Shape) string {
	var b strings.Builder
	b.WriteString("# the rows of the embedding, which the trainer takes from its tokenizer\n" +
		ginLines("", pairs{{"vocab_size", s.Vocab}}) + "\n")
	b.WriteString(ginLines("Bitransformer.", pairs{{"shared_embedding", s.SourceVocab == 0}}))
	for _, part := range []struct {
		scope string
		k     *shapes.Stack
	}{{"encoder/", &s.Encoder}, {"decoder/", &s.Decoder}} {
		k := part.k
		layers := "[@transformer_layers.SelfAttention, @transformer_layers.DenseReluDense]"
		if part.scope == "decoder/" {
			layers = "[@transformer_layers.SelfAttention, @transformer_layers.EncDecAttention, @transformer_layers.DenseReluDense]"
		}
		position := any("bias_shared")
		if k.Position != shapes.Relative {
			position = raw("None")
		}
		b.WriteString("\n" + ginLines(part.scope, pairs{
			{"Unitransformer.d_model", s.DModel},
			{"Unitransformer.positional_embedding", k.Position == shapes.Learned},
			{"Unitransformer.sinusoid_positional_embedding", k.Position == shapes.Sinusoidal},
			{"Unitransformer.shared_embedding_and_softmax_weights", s.Head == shapes.HeadTied},
			{"make_layer_stack.layers", raw(layers)},
			{"make_layer_stack.num_layers", k.Layers},
			{"SelfAttention.num_heads", k.Heads},
			{"SelfAttention.num_memory_heads", memoryHeads(k)},
			{"SelfAttention.key_value_size", k.DKV},
			{"SelfAttention.relative_attention_type", position},
			{"DenseReluDense.hidden_size", k.DFF},
			{"DenseReluDense.activation", raw(brackets.Replace(string(ginActivation(k))))},
			{"DenseReluDense.use_bias", s.Bias.Has(shapes.BiasFFN)},
		}))
		if k.Position == shapes.Relative {
			b.WriteString(ginLines(part.scope,
				pairs{{"SelfAttention.relative_attention_num_buckets", k.Positions}}))
		}
		if k.Position == shapes.Learned {
			b.WriteString(ginLines(part.scope, pairs{{"Unitransformer.max_length", k.Positions}}))
		}
	}
	return b.String()
}

func memoryHeads(k *shapes.Stack) int {
	if k.KVHeads == k.Heads {
		return 0
	}
	return k.KVHeads
}

// exportMegatron writes the arguments of Megatron-LM that say the shape, one key each.
func exportMegatron(s *shapes.Shape) pairs {
	k := s.LastStack()
	p := pairs{{"num_layers", k.Layers}}
	if s.TwoStacks() {
		p = pairs{{"encoder_num_layers", s.Encoder.Layers}, {"decoder_num_layers", s.Decoder.Layers}}
	}
	position := map[shapes.Position]string{
		shapes.Rotary: "rope", shapes.Learned: "learned_absolute", shapes.Relative: "relative",
		shapes.NoPosition: "none",
	}[k.Position]
	norm := map[shapes.Norm]string{shapes.RMSNorm: "RMSNorm", shapes.LayerNorm: "LayerNorm"}[s.Norm]
	p = p.and("hidden_size", s.DModel, "ffn_hidden_size", k.DFF, "num_attention_heads", k.Heads,
		"kv_channels", k.DKV, "swiglu", k.Gated,
		"squared_relu", !k.Gated && k.Activation == shapes.ReLU,
		"position_embedding_type", position, "normalization", norm,
		"add_bias_linear", s.Bias == shapes.BiasAll, "add_qkv_bias", s.Bias == shapes.BiasQKV,
		"untie_embeddings_and_output_weights", s.Head == shapes.HeadUntied,
		"padded_vocab_size", s.Vocab, "qk_layernorm", k.QKNorm == shapes.QKNormHead)
	if k.KVHeads != k.Heads {
		p = p.and("group_query_attention", true, "num_query_groups", k.KVHeads)
	}
	switch k.Position {
	case shapes.Learned:
		p = p.and("max_position_embeddings", k.Positions)
	case shapes.Relative:
		p = p.and("relative_attention_num_buckets", k.Positions)
	}
	if k.Experts > 0 {
		p = p.and("num_experts", k.Experts, "moe_router_topk", k.ActiveExperts,
			"moe_ffn_hidden_size", k.ExpertInner(), "moe_shared_expert_intermediate_size", k.SharedDFF)
	}
	return p
}
