package kernel

import (
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// record lists the operations of a step: encoder, decoder and head forward, and back in the
// opposite order.
func (m *Model) record() {
	parts := []program{m.recordStack(&m.encoder), m.recordStack(&m.decoder), m.recordHead()}
	for i := range parts {
		m.program.onForward(parts[i].forward...)
	}
	for _, p := range slices.Backward(parts) {
		m.program.onBackward(p.backward...)
	}
}

// recordStack lists a stack from its token table to its final norm.
func (m *Model) recordStack(s *stack) program {
	var p program
	isEncoder := s == &m.encoder
	ids := m.feed.shifted
	if isEncoder {
		ids = m.feed.inputs
	}
	p.onForward(m.lookUp(s.saved.layers[0].input, ids), m.spreadBias(s))
	layers := make([]program, s.e.layers)
	for n := range layers {
		output := s.saved.last
		if n+1 < s.e.layers {
			output = s.saved.layers[n+1].input
		}
		layers[n] = m.recordLayer(s, n, output)
		p.onForward(layers[n].forward...)
	}
	final := m.tensor(s.name + ".final_layer_norm.weight")
	p.onForward(m.normForward(final, s.saved.output, s.saved.inverse, s.saved.last, nil, s.e.rows))

	inPlace := normBack{dx: s.back.residual, dy: s.back.residual, partial: s.back.partial}
	p.onBackward(m.normBackward(final, inPlace, s.saved.last, s.saved.inverse, s.e.rows)...)
	p.onBackward(serial(func() { clear(s.saved.biasGradient) }))
	for _, layer := range slices.Backward(layers) {
		if m.options.Recompute == RecomputeFull {
			p.onBackward(layer.forward...)
		}
		p.onBackward(layer.backward...)
	}
	p.onBackward(m.gatherBias(s), m.scatter(s.back.residual, ids))
	return p
}

// recordLayer lists the blocks of layer n, which writes the residual stream to output.
func (m *Model) recordLayer(s *stack, n int, output []float32) program {
	saved := &s.saved.layers[n]
	block := fmt.Sprintf("%s.block.%d.layer.", s.name, n)
	blocks := []program{m.recordSelfAttention(s, saved, block+"0.")}
	input, last := saved.afterSelf, 1
	if s == &m.decoder {
		blocks = append(blocks, m.recordCrossAttention(s, saved, block+"1.", n == s.e.layers-1))
		input, last = saved.afterCross, 2
	}
	blocks = append(blocks, m.recordFeedForward(s, &saved.feedForward,
		fmt.Sprintf("%s%d.", block, last), input, output))
	var p program
	for i := range blocks {
		p.onForward(blocks[i].forward...)
	}
	for _, b := range slices.Backward(blocks) {
		p.onBackward(b.backward...)
	}
	return p
}

// recordHead lists logits, loss and their gradients.
//
//	logits = x·Eᵀ, dx = dlogits·E, dE = dlogitsᵀ·x
//
// where E is the token table and x the decoder's output over √d with a tied head.
func (m *Model) recordHead() program {
	var p program
	e := &m.decoder.e
	head, x, dx := m.linear("shared.weight"), m.decoder.saved.output, m.decoder.back.residual
	tied := m.shape.Head == shapes.HeadTied
	if !tied {
		head = m.linear("lm_head.weight")
	}
	scale := float32(1 / math.Sqrt(float64(e.d)))
	scaled := func(x []float32) op {
		return m.parallel(e.rows, rowsPerTask(e.d), func(lo, hi int) { m.vec.Scale(x[lo*e.d:hi*e.d], scale) })
	}
	if tied {
		p.onForward(scaled(x))
	}
	p.onForward(head.apply(m, m.logits, x, e.rows, false), m.crossEntropy())
	p.onBackward(head.backInput(m, dx, m.logits, e.rows, false),
		head.backWeight(m, m.logits, x, e.rows, !tied))
	if tied {
		p.onBackward(scaled(dx))
	} else {
		table := m.tensor("shared.weight").Gradient
		p.onBackward(m.parallel(len(table), elementsPerTask, func(lo, hi int) { clear(table[lo:hi]) }))
	}
	return p
}
