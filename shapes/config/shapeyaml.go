package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// families are the words of "family".
var families = []string{
	string(shapes.T5), string(shapes.T511), string(shapes.Switch), string(shapes.BART),
	string(shapes.Translation), string(shapes.Whisper), string(shapes.BERT), string(shapes.GPT),
	string(shapes.Llama), string(shapes.ViT),
}

// readYAML reads this project's own format: the fields of [shapes.Shape] in snake_case, upon the
// shape that extends names.
func readYAML(t *syntax.Text, rd *reader) (*Result, error) {
	root, err := syntax.ParseYAML(t)
	if err != nil {
		return nil, err
	}
	if s := newSection(newReading(""), root); !s.ours() {
		if a := rd.table().bySignature(s); a != nil || s.has("model_type") {
			in := newReading(t.File)
			return result(YAML, in, readModel(in, &rd.Options, root))
		}
	}
	return readOurs(root, rd)
}

// readOurs reads the section of a shape.
func readOurs(root *syntax.Node, rd *reader) (*Result, error) {
	in := newReading(root.At.File)
	y := &yamlShape{section: newSection(in, root)}
	if err := y.extend(rd); err != nil {
		return nil, err
	}
	y.read()
	y.complain(y.section, "")
	return result(YAML, in, y.shape)
}

// ourResult returns the shape of a JSON file in our own format: a shape, or the first of the results
// of a command; nil for other files.
func ourResult(root *syntax.Node) *syntax.Node {
	s := newSection(newReading(""), root)
	if s.ours() && !s.has("model_type") {
		return root
	}
	schema, results := s.byName["schema"], s.byName["results"]
	if schema.Value == nil || !strings.HasPrefix(schema.Value.Text, "deepnarrow/") ||
		results.Value == nil || len(results.Value.Items) == 0 {
		return nil
	}
	first := newSection(newReading(""), results.Value.Items[0])
	if shape, ok := first.byName["shape"]; ok && shape.Value.Kind == syntax.Object &&
		newSection(newReading(""), shape.Value).ours() {
		return shape.Value
	}
	return nil
}

// ours reports whether a file looks like our own format rather than a trainer's.
func (s *section) ours() bool {
	return s.has("extends") || s.has("d_model") && (s.has("encoder") || s.has("decoder"))
}

// yamlShape is a YAML file being laid over its base.
type yamlShape struct {
	*section
	shape    shapes.Shape
	extended bool
}

func (y *yamlShape) read() {
	s := &y.shape
	s.Name = y.word("name", "", "name")
	y.family()
	for _, f := range modelFields(s) {
		if f.name != "bias" {
			f.read(y.section, "")
		}
	}
	y.bias()
	y.dense()
	y.stack("encoder", &s.Encoder)
	y.stack("decoder", &s.Decoder)
	if _, given := y.byName["d_model"]; !given && !y.extended { // rather than a fault of its zero
		y.fault(syntax.Position{File: y.file}, "d_model", "is missing", "",
			"d_model: here, or extends: a shape that has it")
	}
}

// read reads a field over what the base has; dotted names stand in a section of their own.
func (f *shapeField) read(s *section, prefix string) (given bool) {
	own := f.name[strings.IndexByte(f.name, '.')+1:]
	said, given := s.byName[own]
	switch v := f.at.(type) {
	case *int:
		*v = s.integer(prefix+own, *v, own)
	case *bool:
		*v = s.flag(prefix+own, *v, own)
	case kindField:
		before := len(s.faults)
		w := s.word(prefix+own, "", own)
		if !given || len(s.faults) > before {
			return false
		}
		if kind, wrong := v.UnmarshalText([]byte(w)).(*shapes.KindError); wrong {
			s.unknownWord(said.Value.At, own, "is unknown", said.Value.Show(), w, kind.Valid)
			return false
		}
	}
	return given
}

func (y *yamlShape) family() {
	w := y.word("family", string(y.shape.Family), "family")
	if f, ok := y.byName["family"]; ok && !slices.Contains(families, w) {
		y.unknownWord(f.Value.At, "family", "is unknown", f.Value.Show(), w, families)
		return
	}
	y.shape.Family = shapes.Family(w)
}

func (y *yamlShape) bias() {
	f, ok := y.take("bias")
	if !ok {
		return
	}
	y.note("bias", f.Name, f.At)
	y.shape.Bias = shapes.NoBias
	for _, w := range f.Value.Each() {
		b, known := biasWords[w.Text]
		if w.Kind != syntax.Word || !known {
			y.unknownWord(w.At, "bias", "is unknown", w.Show(), w.Text,
				slices.Collect(maps.Keys(biasWords)))
			continue
		}
		y.shape.Bias |= b
	}
}

// stack reads one stack. What a new value makes meaningless is reset: key heads follow heads while
// they are equal, positions and experts vanish with their kind, and a stack of no layers is no
// stack. Without a base, positions are those of T5: 32 buckets; and every layer of a stack with
// experts is sparse.
func (y *yamlShape) stack(name string, k *shapes.Stack) {
	f, ok := y.take(name)
	if !ok {
		return
	}
	if f.Value.Kind == syntax.Word && f.Value.Text == "none" {
		*k = shapes.Stack{}
		return
	}
	if f.Value.Kind != syntax.Object {
		y.fault(f.Value.At, name, "is not a section", f.Value.Show(),
			"indented lines such as layers: 12, or none")
		return
	}
	s := newSection(y.reading, f.Value)
	prefix, follows, fresh := name+".", k.KVHeads == k.Heads, k.Layers == 0
	y.note(name, name, f.At)
	given := map[string]bool{}
	sections := map[string]*section{}
	for _, field := range stackFields(k) {
		head, _, cut := strings.Cut(field.name, ".")
		if !cut {
			given[field.name] = field.read(s, prefix)
			continue
		}
		inner, ok := sections[head]
		if !ok {
			inner = y.inner(s, prefix, head)
			sections[head] = inner
			if inner != nil && head == "frontend" && inner.has("kind") {
				k.Frontend = shapes.Frontend{}
			}
		}
		if inner != nil {
			field.read(inner, prefix+head+".")
		}
	}
	if inner := sections["frontend"]; inner != nil {
		y.convs(inner, prefix+"frontend.", &k.Frontend)
	}
	for _, head := range []string{"latent", "frontend"} {
		if inner := sections[head]; inner != nil {
			y.complain(inner, prefix+head+".")
		}
	}
	if !given["kv_heads"] && given["heads"] && follows {
		k.KVHeads = k.Heads
		s.fields[prefix+"kv_heads"] = s.fields[prefix+"heads"]
	}
	if !given["positions"] && given["position"] && !k.Position.Table() {
		k.Positions = 0
	}
	if !given["positions"] && k.Positions == 0 && k.Position == shapes.Relative && fresh {
		k.Positions = relativeBuckets
	}
	switch {
	case k.Experts == 0:
		k.ActiveExperts, k.SparseEvery, k.DenseFirst = 0, 0, 0
		k.ExpertDFF, k.SharedDFF, k.SharedGate = 0, 0, false
	case k.SparseEvery == 0 && !given["sparse_every"]:
		k.SparseEvery = 1
	}
	if k.Experts > 0 && k.ActiveExperts == 0 && !given["active_experts"] {
		k.ActiveExperts = 1
	}
	y.complain(s, prefix)
	if k.Layers == 0 {
		*k = shapes.Stack{}
		if _, ok := s.byName["layers"]; !ok {
			s.fault(f.At, prefix+"layers", "is missing", "",
				"the number of layers, or no "+name+" at all")
		}
	}
}

// relativeBuckets is the size of T5's relative tables (Raffel et al. 2020, section 2.1).
const relativeBuckets = 32

// inner opens a section of a section, nil when there is none.
func (y *yamlShape) inner(s *section, prefix, name string) *section {
	f, ok := s.take(name)
	if !ok {
		return nil
	}
	if f.Value.Kind != syntax.Object {
		such := map[string]string{"frontend": "kind: audio", "latent": "kv_rank: 512"}[name]
		y.fault(f.Value.At, prefix+name, "is not a section", f.Value.Show(),
			"indented lines such as "+such)
		return nil
	}
	y.note(prefix+name, name, f.At)
	return newSection(y.reading, f.Value)
}

// dense reads the list of dense layers outside the stacks.
func (y *yamlShape) dense() {
	for n, item := range y.list(y.section, "", "dense", shapes.MaxDense) {
		if n == 0 {
			y.shape.Dense = [shapes.MaxDense]shapes.Dense{}
		}
		s := newSection(y.reading, item)
		l, prefix := &y.shape.Dense[n], fmt.Sprintf("dense.%d.", n)
		for _, f := range []shapeField{{"at", &l.At}, {"in", &l.In}, {"out", &l.Out}, {"bias", &l.Bias}} {
			f.read(s, prefix)
		}
		y.complain(s, prefix)
	}
}

// convs reads the list of convolutions of a front end.
func (y *yamlShape) convs(s *section, prefix string, front *shapes.Frontend) {
	for n, item := range y.list(s, prefix, "convs", shapes.MaxConvs) {
		if n == 0 {
			front.Convs = [shapes.MaxConvs]shapes.Conv{}
		}
		inner := newSection(y.reading, item)
		c, prefix := &front.Convs[n], fmt.Sprintf("%sconvs.%d.", prefix, n)
		for _, f := range []struct {
			name string
			v    *int32
		}{{"in", &c.In}, {"out", &c.Out}, {"taps", &c.Taps}, {"rate", &c.Rate}, {"extra", &c.Extra}} {
			v := int(*f.v)
			(&shapeField{f.name, &v}).read(inner, prefix)
			*f.v = int32(min(v, math.MaxInt32))
		}
		c.Bias = inner.flag(prefix+"bias", false, "bias")
		y.complain(inner, prefix)
	}
}

// list returns the sections of a list.
func (y *yamlShape) list(s *section, prefix, name string, most int) []*syntax.Node {
	f, ok := s.take(name)
	if !ok {
		return nil
	}
	y.note(prefix+name, name, f.At)
	if f.Value.Kind != syntax.List || len(f.Value.Items) > most {
		y.fault(f.Value.At, prefix+name, "is not a list of sections", f.Value.Show(),
			fmt.Sprintf("at most %d of them", most))
		return nil
	}
	for _, item := range f.Value.Items {
		if item.Kind != syntax.Object {
			y.fault(item.At, prefix+name, "is not a section", item.Show(),
				"keys such as in and out")
			return nil
		}
	}
	return f.Value.Items
}

// elsewhere are the names that other formats give to our fields, of a decoder-only model.
var elsewhere = map[string]string{
	"hidden_size": "d_model", "n_embd": "d_model", "dim": "d_model", "vocab_size": "vocab",
	"layers": "decoder.layers", "n_layer": "decoder.layers", "n_layers": "decoder.layers",
	"num_layers": "decoder.layers", "num_hidden_layers": "decoder.layers",
	"heads": "decoder.heads", "n_head": "decoder.heads", "n_heads": "decoder.heads",
	"num_attention_heads": "decoder.heads", "num_key_value_heads": "decoder.kv_heads",
	"n_kv_heads": "decoder.kv_heads", "kv_heads": "decoder.kv_heads", "head_dim": "decoder.d_kv",
	"d_kv": "decoder.d_kv", "d_ff": "decoder.d_ff", "intermediate_size": "decoder.d_ff",
	"ffn_hidden_size": "decoder.d_ff",
}

// complain makes every key nobody asked for a fault: in our own format a key without effect is a
// slip.
func (y *yamlShape) complain(s *section, prefix string) {
	known := slices.Collect(maps.Keys(s.taken))
	for _, f := range s.untaken() {
		if ours := elsewhere[f.Name]; ours != "" && prefix == "" {
			y.faults = append(y.faults, syntax.Fault{
				Position: f.At, Field: f.Name, Problem: "is an unknown key", Suggestion: ours,
			})
			continue
		}
		y.unknownWord(f.At, prefix+f.Name, "is an unknown key", "", f.Name, known)
	}
}
