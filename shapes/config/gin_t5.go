package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// readGin builds the shape of a T5X or Mesh TensorFlow configuration.
func readGin(r *reading, f *syntax.Gin, vocab int) shapes.Shape {
	has := func(class string) bool {
		return slices.ContainsFunc(f.Bindings, func(b syntax.Binding) bool { return b.Class == class })
	}
	switch {
	case has("T5Config"):
		return readT5X(r, f)
	case has("Bitransformer") || has("Unitransformer"):
		return readMesh(r, f, vocab)
	}
	r.fault(syntax.Position{File: r.file}, "", "configures no model this reader knows", "",
		"bindings of T5Config (T5X) or of Bitransformer and Unitransformer (Mesh TensorFlow)")
	return shapes.Shape{}
}

// ginSection collects the bindings that name accepts under the name it gives them. A later binding
// replaces an earlier one, as gin does.
func ginSection(r *reading, f *syntax.Gin, name func(syntax.Binding) (string, bool)) *section {
	root := &syntax.Node{Kind: syntax.Object, At: f.At}
	index := map[string]int{}
	deferred := map[string]syntax.Fault{}
	for _, b := range f.Bindings {
		key, ok := name(b)
		if !ok {
			continue
		}
		value, err := f.Resolve(b.Value)
		if err != nil {
			fault := err.(*syntax.Error).Faults[0]
			fault.Field = b.Class + "." + b.Parameter
			deferred[key] = fault // of no matter unless the shape needs the value
			value = b.Value
		} else {
			delete(deferred, key)
		}
		entry := syntax.Field{Name: key, At: b.At, Value: value}
		if i, twice := index[key]; twice {
			if first := root.Fields[i].At; first.File == b.At.File && first.File == r.file {
				r.warn(b.At, "%s replaces the value of line %d", key, first.Line)
			}
			root.Fields[i] = entry
			continue
		}
		index[key] = len(root.Fields)
		root.Fields = append(root.Fields, entry)
	}
	s := newSection(r, root)
	s.deferred = deferred
	return s
}

// need reads a whole number that has no default.
func (s *section) need(shapeFields, name string) int {
	v, ok := s.optional(shapeFields, name)
	if f, present := s.byName[name]; !ok && (!present || f.Value.Kind == syntax.Null) {
		s.fault(s.at, name, "is missing", "", "a whole number")
	}
	return v
}

// readT5X reads network.T5Config of t5x/examples/t5: absent fields have the defaults of that class.
// Relative positions have 32 buckets in every model.
func readT5X(r *reading, f *syntax.Gin) shapes.Shape {
	s := ginSection(r, f,
		func(b syntax.Binding) (string, bool) { return b.Parameter, b.Class == "T5Config" })
	heads := s.integer("encoder.heads decoder.heads encoder.kv_heads decoder.kv_heads", 8,
		"num_heads")
	stack := shapes.Stack{
		DFF: s.integer("encoder.d_ff decoder.d_ff", 2048, "mlp_dim"),
		DKV: s.integer("encoder.d_kv decoder.d_kv", 64, "head_dim"), Heads: heads,
		KVHeads: heads, Position: shapes.Relative,
		Positions: s.integer("encoder.positions decoder.positions", 32, "num_buckets"),
		FinalNorm: true,
	}
	stack.Gated, stack.Activation = s.ginActivations("encoder", "mlp_activations")
	s.fields["decoder.gated"], s.fields["decoder.activation"] = s.where("encoder.gated"),
		s.where("encoder.activation")
	shape := shapes.Shape{
		Vocab: s.need("vocab", "vocab_size"), DModel: s.integer("d_model", 512, "emb_dim"),
		Encoder: stack, Decoder: stack, Head: shapes.HeadUntied, Norm: shapes.RMSNorm,
	}
	if slices.ContainsFunc(f.Imports,
		func(i string) bool { return strings.Contains(i, "scalable_t5") }) {
		// that variant scans over equal layers, so each has a relative table of its own
		shape.Encoder.Position, shape.Decoder.Position = shapes.RelativeLayers, shapes.RelativeLayers
	}
	shape.Encoder.Layers = s.integer("encoder.layers", 6, "num_encoder_layers")
	shape.Decoder.Layers = s.integer("decoder.layers", 6, "num_decoder_layers")
	if s.flag("head", false, "logits_via_embedding") {
		shape.Head = shapes.HeadTied
	}
	shape.Family = t5Family(&shape)
	s.skip("dtype", "dropout_rate", "float32_attention_logits", "max_distance", "scan_layers",
		"remat_policy", "transpose_batch_seqlen")
	for _, f := range s.untaken() {
		r.unknown = append(r.unknown, Field{Position: f.At, Name: "T5Config." + f.Name})
	}
	return shape
}

// t5Family tells v1.0 (one input projection, tied head) from v1.1.
func t5Family(s *shapes.Shape) shapes.Family {
	if s.Encoder.Gated || s.Head == shapes.HeadUntied {
		return shapes.T511
	}
	return shapes.T5
}

// ginActivations reads 'relu', ('relu',) or ('gelu', 'linear'): each activation has its own input
// projection, and their outputs are multiplied. One of two is therefore linear. Absent, it is a
// single ReLU.
func (s *section) ginActivations(stack, name string) (gated bool, a shapes.Activation) {
	f, ok := s.take(name)
	if !ok || f.Value.Kind == syntax.Null {
		return false, shapes.ReLU
	}
	s.note(stack+".gated "+stack+".activation", name, f.At)
	items := f.Value.Items
	if f.Value.Kind == syntax.Word {
		items = []*syntax.Node{f.Value}
	}
	var words []string
	for _, item := range items {
		words = append(words, item.Text)
	}
	gated = len(words) == 2 && slices.Contains(words, "linear")
	words = slices.DeleteFunc(words, func(w string) bool { return gated && w == "linear" })
	if len(words) == 1 {
		if a, ok := activations[words[0]]; ok {
			return gated, a
		}
	}
	s.fault(f.Value.At, name, "cannot be expressed as a shape", showItems(items),
		"one of "+allowedWords(activations)+", or such a one and linear")
	return gated, shapes.ReLU
}

// showItems returns the items of a list for an error message.
func showItems(items []*syntax.Node) string {
	var shown []string
	for _, item := range items {
		shown = append(shown, item.Show())
	}
	return syntax.Clip("(" + strings.Join(shown, ", ") + ")")
}

// tokenizers are the vocabularies that T5 and mT5 were released with: pieces and sentinels, padded
// to a multiple of 128 (vocab_divisor).
var tokenizers = []struct {
	path   string
	pieces int
}{
	{"cc_all.32000", 32000},
	{"mc4.250000", 250000},
	{"cc_en.32000", 32000},
	{"cc_corpus.32000", 32000},
}

const (
	sentinels = 100 // extra ids of T5's vocabularies, where a file does not say another number
	divisor   = 128 // vocab_divisor, to a multiple of which rows are padded
)

// extraIDs returns the sentinels a gin file asks for. A model file of "100extra" has them already.
func extraIDs(f *syntax.Gin, model string) int {
	if strings.Contains(model, "extra") {
		return sentinels
	}
	for i := len(f.Bindings) - 1; i >= 0; i-- {
		b := &f.Bindings[i]
		if b.Parameter != "extra_ids" {
			continue
		}
		if n, err := f.Resolve(b.Value); err == nil && n.Kind == syntax.Number {
			if v, ok := syntax.WholeNumber(n.Text); ok && v >= 0 && v < maxInteger {
				return int(v)
			}
		}
	}
	return sentinels
}

// meshVocab returns the rows of the embedding, which a Mesh TensorFlow file does not say: from the
// caller, a macro, or the path of a known tokenizer.
func meshVocab(r *reading, f *syntax.Gin, given int) int {
	if given > 0 {
		r.usedVocab = true
		return given
	}
	for _, macro := range []string{"vocab_size", "VOCAB_SIZE"} {
		if n, ok := f.Macros[macro]; ok && n.Kind == syntax.Number {
			if v, ok := syntax.WholeNumber(n.Text); ok && v > 0 && v < maxInteger {
				r.note("vocab", macro, n.At)
				return int(v)
			}
		}
	}
	for _, n := range f.Words() {
		for _, t := range tokenizers {
			if strings.Contains(n.Text, t.path) {
				r.note("vocab", "vocabulary", n.At)
				rows := (t.pieces + extraIDs(f, n.Text) + divisor - 1) / divisor * divisor
				r.warn(n.At,
					"the file does not say the vocabulary size: taken as %d from the tokenizer %s",
					rows, t.path)
				return rows
			}
		}
	}
	r.fault(f.At, "vocab", "is not said by this file, which names a tokenizer only", "",
		"the rows of the embedding given beside the file, or in it as vocab_size = 32128")
	return 0
}

// className returns the class a reference such as @a.b.SelfAttention means.
func className(n *syntax.Node) string {
	if n.Kind != syntax.Reference {
		return ""
	}
	name := strings.TrimLeft(n.Text, "@")
	return name[strings.LastIndexAny(name, "./")+1:]
}

// wrongLayers returns what keeps a list of layer classes from being the wanted one, or "".
func wrongLayers(n *syntax.Node, want []string) string {
	var got []string
	for _, item := range n.Items {
		got = append(got, className(item))
	}
	if slices.Equal(got, want) {
		return ""
	}
	return fmt.Sprintf("[%s]", strings.Join(got, ", "))
}
