package config

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// shapeField is a field of [shapes.Shape] or [shapes.Stack] by the name that our YAML, the table of
// architectures and error messages use. Exactly one of the functions is set.
type shapeField struct {
	name   string
	number func(*shapes.Shape, *shapes.Stack) *int
	flag   func(*shapes.Shape, *shapes.Stack) *bool
	kind   func(*shapes.Shape, *shapes.Stack) kindField
}

// kindField is a field with words for values.
type kindField interface {
	fmt.Stringer
	UnmarshalText([]byte) error
}

func modelNumber(n string, f func(*shapes.Shape) *int) shapeField {
	return shapeField{name: n, number: func(s *shapes.Shape, _ *shapes.Stack) *int { return f(s) }}
}

func modelFlag(n string, f func(*shapes.Shape) *bool) shapeField {
	return shapeField{name: n, flag: func(s *shapes.Shape, _ *shapes.Stack) *bool { return f(s) }}
}

func modelKind(n string, f func(*shapes.Shape) kindField) shapeField {
	return shapeField{
		name: n, kind: func(s *shapes.Shape, _ *shapes.Stack) kindField { return f(s) },
	}
}

func stackNumber(n string, f func(*shapes.Stack) *int) shapeField {
	return shapeField{name: n, number: func(_ *shapes.Shape, k *shapes.Stack) *int { return f(k) }}
}

func stackFlag(n string, f func(*shapes.Stack) *bool) shapeField {
	return shapeField{name: n, flag: func(_ *shapes.Shape, k *shapes.Stack) *bool { return f(k) }}
}

func stackKind(n string, f func(*shapes.Stack) kindField) shapeField {
	return shapeField{
		name: n, kind: func(_ *shapes.Shape, k *shapes.Stack) kindField { return f(k) },
	}
}

// modelFields are the fields of a shape, in the order in which our YAML is written.
var modelFields = []shapeField{
	modelNumber("d_model", func(s *shapes.Shape) *int { return &s.DModel }),
	modelNumber("vocab", func(s *shapes.Shape) *int { return &s.Vocab }),
	modelNumber("source_vocab", func(s *shapes.Shape) *int { return &s.SourceVocab }),
	modelNumber("source_width", func(s *shapes.Shape) *int { return &s.SourceWidth }),
	modelNumber("embedding_width", func(s *shapes.Shape) *int { return &s.EmbeddingWidth }),
	modelNumber("token_types", func(s *shapes.Shape) *int { return &s.TokenTypes }),
	modelKind("head", func(s *shapes.Shape) kindField { return &s.Head }),
	modelFlag("head_bias", func(s *shapes.Shape) *bool { return &s.HeadBias }),
	modelKind("norm", func(s *shapes.Shape) kindField { return &s.Norm }),
	modelKind("bias", func(s *shapes.Shape) kindField { return (*biasSet)(&s.Bias) }),
	modelFlag("embedding_norm", func(s *shapes.Shape) *bool { return &s.EmbeddingNorm }),
	modelFlag("pooler", func(s *shapes.Shape) *bool { return &s.Pooler }),
	modelFlag("towers", func(s *shapes.Shape) *bool { return &s.Towers }),
	modelFlag("tied_stacks", func(s *shapes.Shape) *bool { return &s.TiedStacks }),
}

// stackFields are the fields of a stack.
var stackFields = []shapeField{
	stackNumber("layers", func(k *shapes.Stack) *int { return &k.Layers }),
	stackNumber("own_layers", func(k *shapes.Stack) *int { return &k.OwnLayers }),
	stackNumber("d_ff", func(k *shapes.Stack) *int { return &k.DFF }),
	stackFlag("gated", func(k *shapes.Stack) *bool { return &k.Gated }),
	stackKind("activation", func(k *shapes.Stack) kindField { return &k.Activation }),
	stackNumber("d_kv", func(k *shapes.Stack) *int { return &k.DKV }),
	stackNumber("heads", func(k *shapes.Stack) *int { return &k.Heads }),
	stackNumber("kv_heads", func(k *shapes.Stack) *int { return &k.KVHeads }),
	stackKind("qk_norm", func(k *shapes.Stack) kindField { return &k.QKNorm }),
	stackNumber("latent.query_rank", func(k *shapes.Stack) *int { return &k.Latent.QueryRank }),
	stackNumber("latent.kv_rank", func(k *shapes.Stack) *int { return &k.Latent.KVRank }),
	stackNumber("latent.rotary_width", func(k *shapes.Stack) *int { return &k.Latent.RotaryWidth }),
	stackNumber("latent.value_width", func(k *shapes.Stack) *int { return &k.Latent.ValueWidth }),
	stackNumber("window", func(k *shapes.Stack) *int { return &k.Window }),
	stackNumber("full_layers", func(k *shapes.Stack) *int { return &k.FullLayers }),
	stackKind("position", func(k *shapes.Stack) kindField { return &k.Position }),
	stackNumber("positions", func(k *shapes.Stack) *int { return &k.Positions }),
	stackFlag("parallel", func(k *shapes.Stack) *bool { return &k.Parallel }),
	stackNumber("norms_per_layer", func(k *shapes.Stack) *int { return &k.NormsPerLayer }),
	stackFlag("final_norm", func(k *shapes.Stack) *bool { return &k.FinalNorm }),
	stackNumber("experts", func(k *shapes.Stack) *int { return &k.Experts }),
	stackNumber("active_experts", func(k *shapes.Stack) *int { return &k.ActiveExperts }),
	stackNumber("sparse_every", func(k *shapes.Stack) *int { return &k.SparseEvery }),
	stackNumber("dense_first", func(k *shapes.Stack) *int { return &k.DenseFirst }),
	stackNumber("expert_d_ff", func(k *shapes.Stack) *int { return &k.ExpertDFF }),
	stackNumber("shared_d_ff", func(k *shapes.Stack) *int { return &k.SharedDFF }),
	stackFlag("shared_gate", func(k *shapes.Stack) *bool { return &k.SharedGate }),
	stackNumber("layer_extra", func(k *shapes.Stack) *int { return &k.LayerExtra }),
	stackNumber("extra", func(k *shapes.Stack) *int { return &k.Extra }),
	stackKind("frontend.kind", func(k *shapes.Stack) kindField { return &k.Frontend.Kind }),
	stackNumber("frontend.channels", func(k *shapes.Stack) *int { return &k.Frontend.Channels }),
	stackNumber("frontend.patch", func(k *shapes.Stack) *int { return &k.Frontend.Patch }),
	stackFlag("frontend.no_bias", func(k *shapes.Stack) *bool { return &k.Frontend.NoBias }),
	stackFlag("frontend.no_class", func(k *shapes.Stack) *bool { return &k.Frontend.NoClass }),
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
func (f *shapeField) assign(s *shapes.Shape, k *shapes.Stack, v any) error {
	if v == nil {
		return nil
	}
	wrong := func(allowed string) error {
		return &evalFault{
			problem: "does not give " + f.name, value: fmt.Sprint(v), allowed: allowed,
		}
	}
	switch {
	case f.number != nil:
		n, ok := v.(float64)
		switch {
		case !ok:
			return wrong("a whole number")
		case n != math.Trunc(n) || n < 0:
			return wrong("a whole number of at least 0")
		case n > maxInteger:
			return wrong(fmt.Sprintf("at most %d", int64(maxInteger)))
		}
		*f.number(s, k) = int(n)
	case f.flag != nil:
		*f.flag(s, k) = truth(v)
	default:
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
		if !ok || f.kind(s, k).UnmarshalText([]byte(w)) != nil {
			return wrong("one of its words")
		}
	}
	return nil
}
