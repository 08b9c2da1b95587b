package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// shapeField is a field of one [shapes.Shape] or [shapes.Stack] by the name that our YAML, the table
// of architectures and error messages use.
type shapeField struct {
	name string
	at   any // *int, *bool or a kindField
}

// kindField is a field with words for values.
type kindField interface {
	fmt.Stringer
	UnmarshalText([]byte) error
}

// String returns a field's value as our YAML has it.
func (f *shapeField) String() string {
	switch v := f.at.(type) {
	case *int:
		return strconv.Itoa(*v)
	case *bool:
		return strconv.FormatBool(*v)
	default:
		return v.(kindField).String()
	}
}

// modelFields are the fields of a shape, in the order in which our YAML is written.
func modelFields(s *shapes.Shape) []shapeField {
	return []shapeField{
		{"d_model", &s.DModel},
		{"vocab", &s.Vocab},
		{"source_vocab", &s.SourceVocab},
		{"source_width", &s.SourceWidth},
		{"embedding_width", &s.EmbeddingWidth},
		{"token_types", &s.TokenTypes},
		{"head", &s.Head},
		{"head_bias", &s.HeadBias},
		{"norm", &s.Norm},
		{"bias", (*biasSet)(&s.Bias)},
		{"embedding_norm", &s.EmbeddingNorm},
		{"pooler", &s.Pooler},
		{"towers", &s.Towers},
		{"tied_stacks", &s.TiedStacks},
	}
}

// stackFields are the fields of a stack.
func stackFields(k *shapes.Stack) []shapeField {
	return []shapeField{
		{"layers", &k.Layers},
		{"own_layers", &k.OwnLayers},
		{"d_ff", &k.DFF},
		{"gated", &k.Gated},
		{"activation", &k.Activation},
		{"d_kv", &k.DKV},
		{"heads", &k.Heads},
		{"kv_heads", &k.KVHeads},
		{"qk_norm", &k.QKNorm},
		{"latent.query_rank", &k.Latent.QueryRank},
		{"latent.kv_rank", &k.Latent.KVRank},
		{"latent.rotary_width", &k.Latent.RotaryWidth},
		{"latent.value_width", &k.Latent.ValueWidth},
		{"window", &k.Window},
		{"full_layers", &k.FullLayers},
		{"position", &k.Position},
		{"positions", &k.Positions},
		{"parallel", &k.Parallel},
		{"norms_per_layer", &k.NormsPerLayer},
		{"final_norm", &k.FinalNorm},
		{"experts", &k.Experts},
		{"active_experts", &k.ActiveExperts},
		{"sparse_every", &k.SparseEvery},
		{"dense_first", &k.DenseFirst},
		{"expert_d_ff", &k.ExpertDFF},
		{"shared_d_ff", &k.SharedDFF},
		{"shared_gate", &k.SharedGate},
		{"layer_extra", &k.LayerExtra},
		{"extra", &k.Extra},
		{"frontend.kind", &k.Frontend.Kind},
		{"frontend.channels", &k.Frontend.Channels},
		{"frontend.patch", &k.Frontend.Patch},
		{"frontend.no_bias", &k.Frontend.NoBias},
		{"frontend.no_class", &k.Frontend.NoClass},
	}
}

// activations are the names configurations give to what [shapes.Shape] tells apart.
var activations = map[string]shapes.Activation{
	"relu": shapes.ReLU, "relu2": shapes.ReLU, "relu_squared": shapes.ReLU, "squared_relu": shapes.ReLU,
	"gelu": shapes.GELU, "gelu_new": shapes.GELU, "gelu_fast": shapes.GELU, "gelu_10": shapes.GELU,
	"gelu_python": shapes.GELU, "gelu_pytorch_tanh": shapes.GELU, "quick_gelu": shapes.GELU,
	"gelu_accurate": shapes.GELU, "gelu_tanh": shapes.GELU, "geglu": shapes.GELU,
	"silu": shapes.SiLU, "swish": shapes.SiLU, "swiglu": shapes.SiLU,
}

func fieldNamed(table []shapeField, name string) *shapeField {
	i := slices.IndexFunc(table, func(f shapeField) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &table[i]
}

// biasSet is the words of a set of biases: none, all, qkv, no-key, or a list of q, k, v, o and ffn
// with commas between.
type biasSet shapes.Bias

// biasWords are the words of "bias", alone or in a list.
var biasWords = map[string]shapes.Bias{
	"none": shapes.NoBias, "all": shapes.BiasAll, "qkv": shapes.BiasQKV, "no-key": shapes.BiasNoKey,
	"q": shapes.BiasQ, "k": shapes.BiasK, "v": shapes.BiasV, "o": shapes.BiasO,
	"ffn": shapes.BiasFFN,
}

// String returns the shortest list of words.
func (b *biasSet) String() string {
	set := shapes.Bias(*b)
	for _, word := range []string{"none", "all", "no-key"} {
		if set == biasWords[word] {
			return word
		}
	}
	var parts []string
	for _, word := range []string{"qkv", "q", "k", "v", "o", "ffn"} {
		if w := biasWords[word]; set.Has(w) {
			parts, set = append(parts, word), set&^w
		}
	}
	return strings.Join(parts, ",")
}

func (b *biasSet) UnmarshalText(text []byte) error {
	*b = 0
	for word := range strings.SplitSeq(string(text), ",") {
		if word == "" {
			continue
		}
		w, ok := biasWords[word]
		if !ok {
			return &shapes.KindError{
				Kind: "bias", Value: word, Valid: strings.Split(allowedWords(biasWords), ", "),
			}
		}
		*b |= biasSet(w)
	}
	return nil
}

// assign sets a field to a value of an expression. Null sets nothing.
func (f *shapeField) assign(v any) error {
	if v == nil {
		return nil
	}
	wrong := func(allowed string) error {
		return &evalFault{
			problem: "does not give " + f.name, value: fmt.Sprint(v), allowed: allowed,
		}
	}
	switch at := f.at.(type) {
	case *int:
		n, ok := v.(float64)
		switch {
		case !ok:
			return wrong("a whole number")
		case n != math.Trunc(n) || n < 0:
			return wrong("a whole number of at least 0")
		case n > maxInteger:
			return wrong(fmt.Sprintf("at most %d", int64(maxInteger)))
		}
		*at = int(n)
	case *bool:
		*at = truth(v)
	case kindField:
		w, ok := v.(string)
		if f.name == "activation" && ok {
			a, known := activations[w]
			if !known {
				return &evalFault{
					problem: "is an activation that is not supported yet", value: syntax.Quote(w),
					allowed: allowedWords(activations),
				}
			}
			w = a.String()
		}
		if !ok || at.UnmarshalText([]byte(w)) != nil {
			return wrong("one of its words")
		}
	}
	return nil
}
