package compare

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// Changed is a field, or several that only make sense together, that two shapes say differently.
type Changed struct {
	Field        string // "encoder.layers", "decoder.heads and kv_heads"
	Base, Change string
	set          func(to, from *shapes.Shape)
}

// group is fields of a struct that change together. The first that differs names them.
type group struct {
	names  []string // as files write them
	fields []string // of the Go struct
}

var shapeGroups = []group{
	{[]string{"d_model"}, []string{"DModel"}},
	{[]string{"vocab"}, []string{"Vocab"}},
	{[]string{"head"}, []string{"Head"}},
	{[]string{"head_bias"}, []string{"HeadBias"}},
	{[]string{"norm"}, []string{"Norm"}},
	{[]string{"bias"}, []string{"Bias"}},
	{[]string{"embedding_norm"}, []string{"EmbeddingNorm"}},
	{[]string{"token_types"}, []string{"TokenTypes"}},
	{[]string{"pooler"}, []string{"Pooler"}},
	{[]string{"embedding_width", "dense"}, []string{"EmbeddingWidth", "Dense"}},
	{
		[]string{"source_vocab", "source_width", "towers", "tied_stacks"},
		[]string{"SourceVocab", "SourceWidth", "Towers", "TiedStacks"},
	},
}

var stackGroups = []group{
	{
		[]string{"layers", "own_layers", "window", "full_layers"},
		[]string{"Layers", "OwnLayers", "Window", "FullLayers"},
	},
	{[]string{"d_ff"}, []string{"DFF"}},
	{[]string{"d_kv"}, []string{"DKV"}},
	{
		[]string{"heads", "kv_heads", "qk_norm", "latent"},
		[]string{"Heads", "KVHeads", "QKNorm", "Latent"},
	},
	{[]string{"gated"}, []string{"Gated"}},
	{[]string{"activation"}, []string{"Activation"}},
	{[]string{"position", "positions"}, []string{"Position", "Positions"}},
	{[]string{"final_norm"}, []string{"FinalNorm"}},
	{
		[]string{
			"experts", "active_experts", "sparse_every", "dense_first", "expert_d_ff", "shared_d_ff",
			"shared_gate",
		},
		[]string{
			"Experts", "ActiveExperts", "SparseEvery", "DenseFirst", "ExpertDFF", "SharedDFF",
			"SharedGate",
		},
	},
	{[]string{"frontend"}, []string{"Frontend"}},
	{[]string{"parallel", "norms_per_layer"}, []string{"Parallel", "NormsPerLayer"}},
	{[]string{"layer_extra"}, []string{"LayerExtra"}},
	{[]string{"extra"}, []string{"Extra"}},
}

// Fields returns what differs between the architectures of two shapes, in the order in which files
// say it. A stack that only one of them has is one field.
func Fields(base, change *shapes.Shape) []Changed {
	out := differing("", shapeGroups, func(s *shapes.Shape) reflect.Value {
		return reflect.ValueOf(
			s).Elem()
	}, base, change)
	for _, k := range []struct {
		name string
		of   func(s *shapes.Shape) *shapes.Stack
	}{
		{"encoder", func(s *shapes.Shape) *shapes.Stack { return &s.Encoder }},
		{"decoder", func(s *shapes.Shape) *shapes.Stack { return &s.Decoder }},
	} {
		a, b := k.of(base), k.of(change)
		switch {
		case a.Layers == 0 && b.Layers == 0:
		case a.Layers == 0 || b.Layers == 0:
			out = append(out, Changed{
				Field: k.name, Base: layers(a), Change: layers(b),
				set: func(to, from *shapes.Shape) { *k.of(to) = *k.of(from) },
			})
		default:
			out = append(out, differing(k.name+".", stackGroups,
				func(s *shapes.Shape) reflect.Value { return reflect.ValueOf(k.of(s)).Elem() },
				base, change)...)
		}
	}
	return out
}

func layers(k *shapes.Stack) string {
	if k.Layers == 0 {
		return "none"
	}
	return fmt.Sprintf("%d layers", k.Layers)
}

// differing compares the groups of one struct.
func differing(prefix string, groups []group, of func(*shapes.Shape) reflect.Value, base,
	change *shapes.Shape,
) []Changed {
	var out []Changed
	for _, g := range groups {
		var names, old, fresh []string
		for i, f := range g.fields {
			a, b := of(base).FieldByName(f).Interface(), of(change).FieldByName(f).Interface()
			if a != b {
				names, old, fresh = append(names, g.names[i]), append(old, fmt.Sprint(a)),
					append(fresh, fmt.Sprint(b))
			}
		}
		if len(names) == 0 {
			continue
		}
		out = append(out, Changed{
			Field: prefix + strings.Join(names, " and "), Base: strings.Join(old, ", "),
			Change: strings.Join(fresh, ", "),
			set: func(to, from *shapes.Shape) {
				for _, f := range g.fields {
					of(to).FieldByName(f).Set(of(from).FieldByName(f))
				}
			},
		})
	}
	return out
}
