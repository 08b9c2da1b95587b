package config

import (
	"maps"
	"slices"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// families are the words of "family".
var families = []string{
	string(shapes.T5), string(shapes.T511), string(shapes.Switch), string(shapes.BART),
	string(shapes.Translation),
	string(shapes.Whisper), string(shapes.BERT), string(shapes.GPT), string(shapes.Llama),
	string(shapes.ViT),
}

// readYAML reads this project's own format: the fields of [shapes.Shape] in snake_case, upon the
// shape that extends names.
func readYAML(t *text, rd *reader) (*Result, error) {
	root, err := parseYAML(t)
	if err != nil {
		return nil, err
	}
	in := newReading(t.file)
	y := &yamlShape{section: newSection(in, root)}
	if err := y.extend(rd); err != nil {
		return nil, err
	}
	y.read()
	y.complain(y.section, "")
	return result(YAML, in, y.shape)
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
	y.set("d_model", &s.DModel)
	y.set("vocab", &s.Vocab)
	y.set("token_types", &s.TokenTypes)
	y.parse("head", &s.Head)
	y.parse("norm", &s.Norm)
	s.HeadBias = y.flag("head_bias", s.HeadBias, "head_bias")
	s.EmbeddingNorm = y.flag("embedding_norm", s.EmbeddingNorm, "embedding_norm")
	s.Pooler = y.flag("pooler", s.Pooler, "pooler")
	y.bias()
	y.stack("encoder", &s.Encoder)
	y.stack("decoder", &s.Decoder)
	if !y.extended {
		y.require("d_model", "family")
	}
}

// require makes the absence of a field a fault of its own, rather than of the zero it would leave
// behind.
func (y *yamlShape) require(names ...string) {
	for _, name := range names {
		if _, ok := y.byName[name]; !ok {
			y.fault(Position{File: y.file}, name, "is missing", "",
				name+": here, or extends: a shape that has it")
		}
	}
}

func (y *yamlShape) family() {
	w := y.word("family", string(y.shape.Family), "family")
	if f, ok := y.byName["family"]; ok && !slices.Contains(families, w) {
		y.unknownWord(f.value.at, "family", "is unknown", f.value.show(), w, families)
		return
	}
	y.shape.Family = shapes.Family(w)
}

// set reads a whole number over what the base has.
func (y *yamlShape) set(name string, v *int) { setIn(y.section, "", name, v) }

func setIn(s *section, prefix, name string, v *int) (given bool) {
	_, given = s.byName[name]
	*v = s.integer(prefix+name, *v, name)
	return given
}

// parse reads one of the words of a kind over what the base has.
func (y *yamlShape) parse(name string, v interface{ UnmarshalText([]byte) error }) {
	parseIn(y.section, "", name, v)
}

func parseIn(s *section, prefix, name string, v interface{ UnmarshalText([]byte) error }) (
	given bool,
) {
	f, ok := s.byName[name]
	before := len(s.faults)
	w := s.word(prefix+name, "", name)
	if !ok || len(s.faults) > before {
		return false
	}
	if err := v.UnmarshalText([]byte(w)); err != nil {
		var allowed []string
		if kind, ok := err.(*shapes.KindError); ok {
			allowed = kind.Valid
		}
		s.unknownWord(f.value.at, f.name, "is unknown", f.value.show(), w, allowed)
		return false
	}
	return true
}

func (y *yamlShape) bias() {
	f, ok := y.take("bias")
	if !ok {
		return
	}
	y.note("bias", f.name, f.at)
	words := f.value.items
	if f.value.kind != list {
		words = []*node{f.value}
	}
	y.shape.Bias = shapes.NoBias
	for _, w := range words {
		b, known := biasWords[w.text]
		if w.kind != word || !known {
			y.unknownWord(w.at, "bias", "is unknown", w.show(), w.text,
				slices.Collect(maps.Keys(biasWords)))
			continue
		}
		y.shape.Bias |= b
	}
}

// stack reads one stack. What a new value makes meaningless is reset: key heads follow heads while
// they are equal, positions and experts vanish with their kind, and a stack of no layers is no
// stack.
func (y *yamlShape) stack(name string, k *shapes.Stack) {
	f, ok := y.take(name)
	if !ok {
		return
	}
	if f.value.kind == word && f.value.text == "none" {
		*k = shapes.Stack{}
		return
	}
	if f.value.kind != object {
		y.fault(f.value.at, name, "is not a section", f.value.show(),
			"indented lines such as layers: 12, or none")
		return
	}
	s := newSection(y.reading, f.value)
	prefix := name + "."
	y.note(name, name, f.at)
	setIn(s, prefix, "layers", &k.Layers)
	setIn(s, prefix, "d_ff", &k.DFF)
	setIn(s, prefix, "d_kv", &k.DKV)
	follows := k.KVHeads == k.Heads
	headsGiven := setIn(s, prefix, "heads", &k.Heads)
	if !setIn(s, prefix, "kv_heads", &k.KVHeads) && headsGiven && follows {
		k.KVHeads = k.Heads
		s.fields[prefix+"kv_heads"] = s.fields[prefix+"heads"]
	}
	k.Gated = s.flag(prefix+"gated", k.Gated, "gated")
	parseIn(s, prefix, "activation", &k.Activation)
	k.FinalNorm = s.flag(prefix+"final_norm", k.FinalNorm, "final_norm")
	positionGiven := parseIn(s, prefix, "position", &k.Position)
	if !setIn(s, prefix, "positions", &k.Positions) && positionGiven &&
		k.Position != shapes.Relative && k.Position != shapes.Learned {
		k.Positions = 0
	}
	setIn(s, prefix, "experts", &k.Experts)
	if k.Experts == 0 {
		k.ActiveExperts, k.SparseEvery = 0, 0
	}
	setIn(s, prefix, "active_experts", &k.ActiveExperts)
	setIn(s, prefix, "sparse_every", &k.SparseEvery)
	y.frontend(s, prefix, &k.Frontend)
	y.complain(s, prefix)
	if k.Layers == 0 {
		*k = shapes.Stack{}
		if _, ok := s.byName["layers"]; !ok {
			s.fault(f.at, prefix+"layers", "is missing", "",
				"the number of layers, or no "+name+" at all")
		}
	}
}

func (y *yamlShape) frontend(s *section, prefix string, front *shapes.Frontend) {
	f, ok := s.take("frontend")
	if !ok {
		return
	}
	if f.value.kind != object {
		y.fault(f.value.at, prefix+"frontend", "is not a section", f.value.show(),
			"indented lines such as kind: audio")
		return
	}
	inner := newSection(y.reading, f.value)
	if parseIn(inner, prefix+"frontend.", "kind", &front.Kind) {
		*front = shapes.Frontend{Kind: front.Kind}
	}
	y.note(prefix+"frontend", "frontend", f.at)
	setIn(inner, prefix+"frontend.", "channels", &front.Channels)
	setIn(inner, prefix+"frontend.", "patch", &front.Patch)
	y.complain(inner, prefix+"frontend.")
}

// complain makes every key nobody asked for a fault: in our own format a key without effect is a
// slip.
func (y *yamlShape) complain(s *section, prefix string) {
	known := slices.Collect(maps.Keys(s.taken))
	for _, f := range s.untaken() {
		y.unknownWord(f.at, prefix+f.name, "is an unknown key", "", f.name, known)
	}
}
