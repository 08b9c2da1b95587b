package compare

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/result"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Changed is a field, or several that only make sense together, that two shapes say differently.
type Changed struct {
	Field        string // "encoder.layers", "decoder.heads and kv_heads"
	Base, Change string
	set          func(to, from *shapes.Shape)
}

// group is fields of a struct that change together, by their names in Go. The first that differs
// names them.
type group []string

var shapeGroups = []group{
	{"DModel"},
	{"Vocab"},
	{"Head"},
	{"HeadBias"},
	{"Norm"},
	{"Bias"},
	{"EmbeddingNorm"},
	{"TokenTypes"},
	{"Pooler"},
	{"EmbeddingWidth", "Dense"},
	{"SourceVocab", "SourceWidth", "Towers", "TiedStacks"},
}

var stackGroups = []group{
	{"Layers", "OwnLayers", "Window", "FullLayers"},
	{"DFF"},
	{"DKV"},
	{"Heads", "KVHeads", "QKNorm", "Latent"},
	{"Gated"},
	{"Activation"},
	{"Position", "Positions"},
	{"FinalNorm"},
	{
		"Experts", "ActiveExperts", "SparseEvery", "DenseFirst", "ExpertDFF", "SharedDFF",
		"SharedGate",
	},
	{"Frontend"},
	{"Parallel", "NormsPerLayer"},
	{"LayerExtra"},
	{"Extra"},
}

// written returns the name of a field of a shape, or of a stack, in files and results.
func written(field string) string {
	f, ok := reflect.TypeFor[result.Stack]().FieldByName(field)
	if !ok {
		f, _ = reflect.TypeFor[result.Shape]().FieldByName(field)
	}
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// Fields returns what differs between the architectures of two shapes, in the order in which files
// say it. A stack that only one of them has is one field.
func Fields(base, change *shapes.Shape) []Changed {
	whole := func(s *shapes.Shape) reflect.Value { return reflect.ValueOf(s).Elem() }
	out := differing("", shapeGroups, whole, base, change)
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
	return quantity.Of(k.Layers, "layer")
}

// differing compares the groups of one struct.
func differing(prefix string, groups []group, of func(*shapes.Shape) reflect.Value, base,
	change *shapes.Shape,
) []Changed {
	var out []Changed
	for _, g := range groups {
		var names, old, fresh []string
		for _, f := range g {
			a, b := of(base).FieldByName(f).Interface(), of(change).FieldByName(f).Interface()
			if a != b {
				names = append(names, written(f))
				old, fresh = append(old, fmt.Sprint(a)), append(fresh, fmt.Sprint(b))
			}
		}
		if len(names) == 0 {
			continue
		}
		out = append(out, Changed{
			Field: prefix + strings.Join(names, " and "), Base: strings.Join(old, ", "),
			Change: strings.Join(fresh, ", "),
			set: func(to, from *shapes.Shape) {
				for _, f := range g {
					of(to).FieldByName(f).Set(of(from).FieldByName(f))
				}
			},
		})
	}
	return out
}
