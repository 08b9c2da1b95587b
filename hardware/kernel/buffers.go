package kernel

import (
	"github.com/deepnarrow/deepnarrow/hardware/kernel/vec"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// extents are the dimensions of one stack in one batch.
type extents struct {
	layers    int
	batch     int
	positions int // of a sequence
	rows      int // batch·positions
	sources   int // positions of a sequence that cross-attention reads; 0 in an encoder
	d, f      int
	hidden    int // width of what the first feed-forward product writes: f, or 2f gated
	heads, kv int
	inner     int // heads·kv
	gated     bool
}

func extentsOf(s *shapes.Shape, k *shapes.Stack, batch, positions, sources int) extents {
	e := extents{
		layers: k.Layers, batch: batch, positions: positions, rows: batch * positions,
		sources: sources,
		d:       s.DModel, f: k.DFF, hidden: k.DFF, heads: k.Heads, kv: k.DKV, inner: k.Inner(),
		gated: k.Gated,
	}
	if k.Gated {
		e.hidden = 2 * k.DFF
	}
	return e
}

// scores returns the elements of one layer's attention scores over `to` positions.
func (e *extents) scores(to int) int { return e.batch * e.heads * e.positions * to }

// attentionSaved is what an attention block keeps from its forward pass.
type attentionSaved struct {
	normed, inverse []float32 // T×d; 1/rms a row
	queries         []float32 // T×i, or T×3i with keys and values beside them in self-attention
	keyValues       []float32 // B·Sk×2i, in cross-attention
	probabilities   []float32 // B×heads×S×Sk
	mixed           []float32 // T×i
}

// feedForwardSaved is what a feed-forward block keeps.
type feedForwardSaved struct {
	normed, inverse []float32
	gates           []float32 // T×2f: both inputs of a gated activation; nil ungated
	hidden          []float32 // T×f, activated
}

// layerSaved is what a layer keeps. The residual streams are what each of its blocks reads.
type layerSaved struct {
	input       []float32 // T×d, written by the layer before
	self        attentionSaved
	afterSelf   []float32 // T×d
	cross       attentionSaved
	afterCross  []float32 // nil in an encoder
	feedForward feedForwardSaved
}

// stackSaved is what a stack keeps.
type stackSaved struct {
	layers       []layerSaved
	last         []float32 // T×d, the residual stream behind the last layer
	output       []float32 // T×d, normed
	inverse      []float32
	bias         []float32 // heads×S×S
	biasGradient []float32
}

// gradients are those of one layer's activations while it is differentiated.
type gradients struct {
	residual      []float32 // T×d
	normed        []float32 // T×d
	queries       []float32 // T×3i
	keyValues     []float32 // B·Sk×2i
	mixed         []float32 // T×i
	probabilities []float32 // B×heads×S×Sk
	hidden        []float32 // T×f
	gates         []float32 // T×2f
	partial       []float32 // of a norm's scale, a row for each block of rows
}

func (a *arena) attention(c Component, e *extents, cross bool) attentionSaved {
	s := attentionSaved{
		normed: a.take(c, e.rows*e.d), inverse: a.take(c, e.rows),
		mixed: a.take(c, e.rows*e.inner),
	}
	if cross {
		s.queries = a.take(c, e.rows*e.inner)
		s.keyValues = a.take(c, e.batch*e.sources*2*e.inner)
		s.probabilities = a.take(c, e.scores(e.sources))
		return s
	}
	s.queries = a.take(c, e.rows*3*e.inner)
	s.probabilities = a.take(c, e.scores(e.positions))
	return s
}

// layer takes what a layer keeps besides its input.
func (a *arena) layer(c Component, e *extents) layerSaved {
	l := layerSaved{self: a.attention(c, e, false), afterSelf: a.take(c, e.rows*e.d)}
	if e.sources > 0 {
		l.cross = a.attention(c, e, true)
		l.afterCross = a.take(c, e.rows*e.d)
	}
	l.feedForward = feedForwardSaved{
		normed: a.take(c, e.rows*e.d), inverse: a.take(c, e.rows),
		hidden: a.take(c, e.rows*e.f),
	}
	if e.gated {
		l.feedForward.gates = a.take(c, e.rows*e.hidden)
	}
	return l
}

// stack takes what a stack keeps outside the working memory of recompute.
func (a *arena) stack(e *extents, recompute Recompute) stackSaved {
	s := stackSaved{layers: make([]layerSaved, e.layers)}
	for n := range s.layers {
		input := a.take(ActivationMemory, e.rows*e.d)
		if recompute == RecomputeNone {
			s.layers[n] = a.layer(ActivationMemory, e)
		}
		s.layers[n].input = input
	}
	s.last = a.take(BoundaryMemory, e.rows*e.d)
	s.output = a.take(BoundaryMemory, e.rows*e.d)
	s.inverse = a.take(BoundaryMemory, e.rows)
	s.bias = a.take(BoundaryMemory, e.heads*e.positions*e.positions)
	s.biasGradient = a.take(WorkingMemory, e.heads*e.positions*e.positions)
	return s
}

// working takes what one stack needs while its layers run, over the residual gradient that outlives
// them. With recompute all layers share the saved tensors of one.
func (a *arena) working(e *extents, s *stackSaved, g *gradients, recompute Recompute) {
	const c = WorkingMemory
	if recompute == RecomputeFull {
		shared := a.layer(c, e)
		for n := range s.layers {
			shared.input = s.layers[n].input
			s.layers[n] = shared
		}
	}
	g.normed = a.take(c, e.rows*e.d)
	g.partial = a.take(c, e.d*vec.NormBlocks(e.rows))
	a.overlay(func() {
		g.queries = a.take(c, e.rows*3*e.inner)
		g.keyValues = a.take(c, e.batch*e.sources*2*e.inner)
		g.mixed = a.take(c, e.rows*e.inner)
		g.probabilities = a.take(c, e.scores(max(e.positions, e.sources)))
	}, func() {
		g.hidden = a.take(c, e.rows*e.f)
		if e.gated {
			g.gates = a.take(c, e.rows*e.hidden)
		}
	})
}
