package flops

import "github.com/deepnarrow/deepnarrow/shapes"

// stage is one pipeline stage: what it holds of each stack.
type stage struct {
	shape                    *shapes.Shape
	exec                     *Execution
	layout                   Layout
	index                    int
	last                     bool // the last stage of the pipeline: it has the head
	encoder, decoder         stackModel
	encoderSpan, decoderSpan span
}

// part is a stack and what a stage holds of it.
type part struct {
	m *stackModel
	s span
}

func (st *stage) parts() [2]part {
	return [2]part{{&st.encoder, st.encoderSpan}, {&st.decoder, st.decoderSpan}}
}

// headStack returns the stack whose output becomes logits.
func (st *stage) headStack() *stackModel {
	if st.shape.Decoder.Layers > 0 {
		return &st.decoder
	}
	return &st.encoder
}

// layerStatic returns the static bytes of the stage's layers, its largest layer, and the largest
// tensors of all.
func (st *stage) layerStatic() (total Static, layer, all tally) {
	for _, part := range st.parts() {
		if part.s.layers == 0 || st.repeats(part.m) {
			continue
		}
		dense, sparse := part.m.layerTallies()
		if n := min(part.s.layers, part.m.stack.HasOwnWeights()) - part.s.sparse; n > 0 {
			all = all.plus(dense.times(n))
			layer = layer.larger(&dense)
		}
		if part.s.sparse > 0 {
			all = all.plus(sparse.times(part.s.sparse))
			layer = layer.larger(&sparse)
		}
	}
	return st.static(all), layer, all
}

// larger returns the tally of more parameters.
func (t tally) larger(u *tally) tally {
	if u.params > t.params {
		return *u
	}
	return t
}

// repeats reports whether a stack's layers are held already, as the other stack's.
func (st *stage) repeats(m *stackModel) bool {
	return st.shape.TiedStacks && st.layout.PP == 1 && m == &st.encoder
}

// outsideStatic returns the static bytes of what the stage holds outside the layers, and raises
// largest to its largest tensor.
//
// The stage with a stack's first layer has its embedding, positions and front end; the one with its
// last layer has its final norm; relative tables are copied to every stage of the stack; the last
// stage has the head, and its own copy of the token table if the head is tied and no other use put
// one there.
func (st *stage) outsideStatic(largest *float64) Static {
	var all tally
	s := st.shape
	table := false
	for _, part := range st.parts() {
		if part.s.layers == 0 {
			continue
		}
		k, repeats := part.m.stack, st.repeats(part.m)
		switch {
		case repeats:
		case k.Position == shapes.Relative:
			all.add(part.m, relativeTableWeights, false, part.m.part)
		case k.Position == shapes.Disentangled:
			all.add(part.m, pairTableWeights, false, part.m.part)
		}
		if part.s.first {
			table = table || s.SharesTable(k)
			all.addInput(s, part.m, repeats)
			all.addDense(s, part.m, inputOf(s, k))
		}
		if part.s.last {
			if k.FinalNorm && !repeats {
				all.add(part.m, normWeights, false, part.m.part)
			}
			all.addDense(s, part.m, outputOf(s, k))
		}
	}
	if st.index == 0 {
		all.add(&st.encoder, tokenTypeWeights, false, EmbeddingPart)
	}
	if st.encoderSpan.last && s.Pooler {
		all.add(&st.encoder, squareWeights, false, headPart)
	}
	head := st.headStack()
	if st.last {
		table = table || s.Head == shapes.HeadTied || s.Head == shapes.HeadMLM
		all.addHead(s, head)
		all.addDense(s, head, shapes.Pooled)
	}
	if table {
		all.add(head, tokenTableWeights, false, EmbeddingPart)
	}
	*largest = max(*largest, all.largest)
	return st.static(all)
}

// addInput counts what turns input into the first layer's residual stream, the token table apart.
func (t *tally) addInput(s *shapes.Shape, m *stackModel, repeats bool) {
	k := m.stack
	if k.Frontend.Kind != shapes.Tokens {
		convs, beside := k.Frontend.Convolutions(s.WidthOf(k))
		for i := range convs {
			c := &convs[i]
			if c.In > 0 {
				t.matrix(m, float64(c.In)*float64(c.Taps), float64(c.Out), c.Bias, EmbeddingPart)
			}
			t.vector(m, float64(c.Extra))
		}
		t.vector(m, float64(beside))
	}
	if k == &s.Encoder && s.SourceVocab > 0 {
		t.add(m, sourceTableWeights, false, EmbeddingPart)
	}
	if k.Position == shapes.Learned && !repeats {
		t.add(m, learnedTableWeights, false, EmbeddingPart)
	}
	if s.EmbeddingNorm {
		t.add(m, embeddingNormWeights, false, EmbeddingPart)
	}
	t.add(m, extraWeights, false, EmbeddingPart)
}

func (t *tally) vector(m *stackModel, n float64) {
	if n > 0 {
		t.tensor(m, matrix{rows: n, cols: 1}, 1, EmbeddingPart)
	}
}

// addDense counts the dense layers outside the stacks that run at a place.
func (t *tally) addDense(s *shapes.Shape, m *stackModel, at shapes.Place) {
	for i := range s.Dense {
		if l := &s.Dense[i]; l.In > 0 && l.At == at {
			part := headPart
			if denseComponent(l) == FrontendInput {
				part = EmbeddingPart
			}
			t.matrix(m, float64(l.In), float64(l.Out), l.Bias, part)
		}
	}
}

// inputOf and outputOf return the places before and behind a stack.
func inputOf(s *shapes.Shape, k *shapes.Stack) shapes.Place {
	if k == &s.Encoder {
		return shapes.EncoderInput
	}
	return shapes.DecoderInput
}

func outputOf(s *shapes.Shape, k *shapes.Stack) shapes.Place {
	if k == &s.Encoder {
		return shapes.EncoderOutput
	}
	return shapes.DecoderOutput
}

// addHead counts the head, a tied table apart.
func (t *tally) addHead(s *shapes.Shape, m *stackModel) {
	switch s.Head {
	case shapes.HeadUntied:
		t.add(m, tokenTableWeights, false, headPart)
	case shapes.HeadMLM:
		t.add(m, transformWeights, false, headPart)
	}
	if s.HeadBias && s.Head != shapes.HeadNone {
		t.add(m, headBiasWeights, false, headPart)
	}
}

// boundary returns the bytes that one micro-batch saves on the stage outside the layers.
func (st *stage) boundary() float64 {
	sum := 0.0
	for _, part := range st.parts() {
		if part.s.layers == 0 {
			continue
		}
		sum += part.m.sum(positionBiasSaved).all
		if part.s.first {
			sum += part.m.sum(stackInputSaved).all
		}
		if part.s.last {
			sum += part.m.sum(stackOutputSaved).all
		}
		if part.m.cross {
			sum += part.m.sum(encoderOutputSaved).all
		}
	}
	if st.last && st.shape.Head != shapes.HeadNone {
		sum += st.headStack().sum(headInputSaved).all
	}
	return sum
}

// logits returns the bytes of the loss of one micro-batch on the last stage:
//
//	b·S·⌈V/TP⌉·(compute + 4 + 4)
//
// for the logits, their float32 copy and the softmax, which the gradient later overwrites; with
// native logits b·S·⌈V/TP⌉·2·compute. The vocabulary is split over TP and the loss reduced across
// it (Shoeybi et al. 2019, arXiv 1909.08053, section 3).
func (st *stage) logits() float64 {
	if !st.last || st.shape.Head == shapes.HeadNone {
		return 0
	}
	m := st.headStack()
	width := 2 * m.element[computeWidth]
	if !st.exec.NativeLogits {
		width = m.element[computeWidth] + 2*floatBytes
	}
	return width * m.dims[tokens] * m.local(vocab, byTP)
}

// collectives returns the bytes of the buffers of communication during forward and backward:
//
//	sequence parallel: one gathered layer input, b·S·d
//	pipeline: one boundary tensor received and one sent, with the encoder output beside a decoder's
//	experts over data-parallel devices stay local, so they need none
//	ZeRO 2 and 3: the whole gradients of one layer before they are reduced
//	ZeRO 3: the gathered weights of one layer and of the next
//
// Gathered weights and gradients never exceed what ZeRO had split off. Reduction of gradients under
// ZeRO 0 and 1 works in place. Buckets of a fixed size that some frameworks add are part of the
// workspace.
func (st *stage) collectives(layer *tally, inLayers, outside Static) float64 {
	sum := 0.0
	l := st.layout
	m := &st.encoder
	if st.decoderSpan.layers > 0 && (st.encoderSpan.layers == 0 ||
		st.decoder.dims[tokens] > st.encoder.dims[tokens]) {
		m = &st.decoder
	}
	width := m.element[computeWidth]
	if l.SequenceParallel && l.TP > 1 {
		sum += width * m.dims[tokens] * m.dims[model]
	}
	if l.PP > 1 {
		boundary := m.dims[tokens] * m.dims[model]
		if m.cross {
			boundary += m.dims[keys] * m.dims[source]
		}
		sum += 2 * width * boundary / m.splits[bySeq]
	}
	b := st.exec.bytes()
	gradient, weight := float64(b.Gradient), float64(b.Weight)
	if trained := inLayers.Trained + outside.Trained; l.ZeRO >= 2 {
		sum += gathered(gradient*layer.trained, gradient*trained, inLayers.Gradients+outside.Gradients)
	}
	if l.ZeRO >= 3 {
		sum += gathered(2*(weight*layer.trained+layer.frozen), inLayers.Whole+outside.Whole,
			inLayers.Weights+outside.Weights)
	}
	return sum
}

// gathered returns the bytes, but no more than what splitting all saved.
func gathered(bytes, all, held float64) float64 {
	return min(bytes, max(0, all-held))
}
