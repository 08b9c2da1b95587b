package config

import (
	"maps"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// compose reads the two parts of an architecture and joins them.
func (m *modelReader) compose(p *parts) {
	encoder, okE := m.part(p.encoder, p.encoderModel, true)
	decoder, okD := m.part(p.decoder, p.decoderModel, false)
	if !okE || !okD {
		return
	}
	if inner := m.nested[p.decoder]; !p.towers && encoder.DModel != decoder.DModel {
		if f, ok := inner.byName["cross_attention_hidden_size"]; !ok || f.Value.Kind == syntax.Null {
			m.fault(m.root.at, p.decoder+".cross_attention_hidden_size",
				"is absent, so that a projection joins the unequal widths, which a shape cannot say",
				"", "the width of the encoder")
			return
		}
	}
	joined, problem := join(&encoder, &decoder, p.towers)
	if problem != "" {
		m.fault(m.root.at, p.encoder+" and "+p.decoder, problem, "", "")
		return
	}
	if joined.Family == "" {
		joined.Family = m.a.family
	}
	*m.shape = joined
	if f, ok := m.find("tie_encoder_decoder"); ok && !isFalse(f.Value) {
		m.warn(f.At, "tie_encoder_decoder is not followed: the parts of both models are counted")
	}
}

// part reads one model of a section: bare, or with its language-model head.
func (m *modelReader) part(key, model string, bare bool) (shapes.Shape, bool) {
	f, ok := m.root.take(key)
	if !ok || f.Value.Kind != syntax.Object {
		m.fault(m.root.at, key, "is missing", "", "a section that describes the part")
		return shapes.Shape{}, false
	}
	in := newReading(m.file)
	s := newSection(in, f.Value)
	m.nested[key] = s
	name := s.word("", model, "model_type")
	a, err := m.options.table().find(name)
	if model != "" && (err != nil || a == nil || a.parts != nil || a.refuse != "") {
		a, err = m.options.table().find(model)
	}
	if err != nil || a == nil || a.parts != nil {
		m.fault(f.Value.At, key, "is a model that is not supported yet", syntax.Quote(name), "")
		return shapes.Shape{}, false
	}
	s.skip("architectures", "torch_dtype", "is_decoder", "add_cross_attention",
		"cross_attention_hidden_size", "tie_encoder_decoder", "pruned_heads")
	cl := a.classes["Model"]
	if !bare {
		for _, suffix := range []string{"LMHeadModel", "ForCausalLM", "Model"} {
			if c := a.classes[suffix]; c != nil {
				cl = c
				break
			}
		}
	}
	if cl == nil {
		cl = &class{}
	}
	before := len(m.faults)
	bareEntry := *a
	bareEntry.expect = maps.Clone(a.expect)
	delete(bareEntry.expect, "is_decoder")
	delete(bareEntry.expect, "add_cross_attention")
	shape := apply(in, m.options, &bareEntry, cl, s)
	for i := range in.unknown {
		in.unknown[i].Name = key + "." + in.unknown[i].Name
	}
	s.skip(s.order...) // reported already
	m.faults = append(m.faults, in.faults...)
	m.warnings = append(m.warnings, in.warnings...)
	m.unknown = append(m.unknown, in.unknown...)
	if !bare && shape.TwoStacks() { // its decoder alone
		shape.Encoder = shapes.Stack{}
	}
	stack := "decoder."
	if bare {
		stack = "encoder."
	}
	for n, where := range in.fields {
		if of, rest, ok := strings.Cut(n, "."); ok && (of == "encoder" || of == "decoder") {
			m.fields[stack+rest] = where
		} else if !bare {
			m.fields[n] = where
		}
	}
	return shape, len(m.faults) == before && shape.DModel > 0
}

// join makes one shape of an encoder and a decoder. The shape keeps what both have in common; the
// biases, norms' shifts and embedding norms that one has alone become its extra parameters.
func join(e, d *shapes.Shape, towers bool) (s shapes.Shape, problem string) {
	s = shapes.Shape{
		Family: d.Family, DModel: d.DModel, Vocab: d.Vocab, EmbeddingWidth: d.EmbeddingWidth,
		Encoder: *e.LastStack(), Decoder: *d.LastStack(), Head: d.Head, HeadBias: d.HeadBias,
		Norm: d.Norm, Bias: e.Bias & d.Bias, TokenTypes: d.TokenTypes,
		Pooler: e.Pooler, Towers: towers, SourceWidth: e.DModel,
	}
	if d.TwoStacks() || e.TwoStacks() {
		return s, "are not models of one stack each"
	}
	if d.Pooler {
		return s, "have a pooler in the decoder"
	}
	if s.Encoder.Frontend.Kind == shapes.Tokens {
		s.SourceVocab = e.Vocab
		s.Encoder.Extra += e.TokenTypes * e.DModel
	}
	if e.EmbeddingWidth != 0 || e.EmbeddingWidth != d.EmbeddingWidth && s.SourceVocab > 0 {
		return s, "have embeddings of another width than the encoder"
	}
	s.EmbeddingNorm = e.EmbeddingNorm && d.EmbeddingNorm
	for _, part := range []struct {
		from   *shapes.Shape
		k      *shapes.Stack
		blocks int // of attention in a layer
	}{{e, &s.Encoder, 1}, {d, &s.Decoder, 1}} {
		if part.k == &s.Decoder && !towers {
			part.blocks = 2
		}
		width := part.from.DModel
		if more := part.from.Bias &^ s.Bias; more != 0 {
			if more.Has(shapes.BiasFFN) && part.k.Experts > 0 {
				return s, "differ in the biases of experts"
			}
			part.k.LayerExtra += biases(part.k, more, width, part.blocks)
		}
		if part.from.EmbeddingNorm && !s.EmbeddingNorm {
			part.k.Extra += part.from.Norm.Vectors() * part.from.InputWidth(part.from.LastStack())
		}
	}
	if e.Norm != d.Norm {
		more := e.Norm.Vectors() - d.Norm.Vectors()
		k, from, norms := &s.Encoder, e, s.Encoder.Norms()
		if more < 0 {
			s.Norm, more = e.Norm, -more
			k, from, norms = &s.Decoder, d, s.Decoder.Norms()
			if !towers {
				norms += k.CrossNorms()
			}
		}
		if k.QKNorm != shapes.NoQKNorm || from.Head == shapes.HeadMLM {
			return s, "differ in the kind of norm"
		}
		k.LayerExtra += more * norms * from.DModel
		if k.FinalNorm {
			k.Extra += more * from.DModel
		}
		if s.EmbeddingNorm {
			k.Extra += more * from.DModel
		}
	}
	n := 0
	for _, part := range []*shapes.Shape{e, d} {
		for _, l := range part.Dense {
			if l.In == 0 {
				continue
			}
			if n == shapes.MaxDense {
				return s, "have more dense layers than a shape can say"
			}
			l.At = placed(l.At, part == d)
			s.Dense[n] = l
			n++
		}
	}
	return s, ""
}

// placed returns the place of a part's layer in the joined model.
func placed(at shapes.Place, decoder bool) shapes.Place {
	switch {
	case decoder && at == shapes.EncoderInput:
		return shapes.DecoderInput
	case decoder && at == shapes.EncoderOutput:
		return shapes.DecoderOutput
	}
	return at
}

// biases returns the parameters of a set of biases in one layer by its attention blocks.
func biases(k *shapes.Stack, set shapes.Bias, width, blocks int) int {
	n := 0
	for _, b := range []struct {
		bit   shapes.Bias
		width int
	}{
		{shapes.BiasQ, k.Inner()},
		{shapes.BiasK, k.KVInner()},
		{shapes.BiasV, k.ValueInner()},
		{shapes.BiasO, width},
	} {
		if set.Has(b.bit) {
			n += blocks * b.width
		}
	}
	if set.Has(shapes.BiasFFN) {
		n += (k.FFNMatrices()-1)*k.DFF + width
	}
	return n
}
