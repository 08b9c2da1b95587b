package kernel

// recordFeedForward lists output = x + W_o·act(W_i·norm(x)). Gated, the first product computes both
// halves side by side.
func (m *Model) recordFeedForward(s *stack, saved *feedForwardSaved, name string, x,
	output []float32,
) program {
	var p program
	e, g := &s.e, &s.back
	norm := m.tensor(name + "layer_norm.weight")
	second := m.linear(name + "DenseReluDense.wo.weight")
	p.onForward(m.normForward(norm, saved.normed, saved.inverse, x, output, e.rows))

	var first linear
	var gradient []float32 // of what the first product wrote
	if e.gated {
		first = m.linear(name+"DenseReluDense.wi_0.weight", name+"DenseReluDense.wi_1.weight")
		gradient = g.gates
		p.onForward(first.apply(m, saved.gates, saved.normed, e.rows, false), m.gate(saved, e))
		p.onBackward(second.backInput(m, g.hidden, g.residual, e.rows, false),
			second.backWeight(m, g.residual, saved.hidden, e.rows, true))
		p.onBackward(m.gateBackward(saved, g, e))
	} else {
		first = m.linear(name + "DenseReluDense.wi.weight")
		gradient = g.hidden
		h, dh := saved.hidden, g.hidden
		p.onForward(first.apply(m, h, saved.normed, e.rows, false))
		p.onForward(m.parallel(len(h), elementsPerTask, func(lo, hi int) { m.vec.ReLU(h[lo:hi], h[lo:hi]) }))
		p.onBackward(second.backInput(m, dh, g.residual, e.rows, false),
			second.backWeight(m, g.residual, h, e.rows, true))
		p.onBackward(m.parallel(len(h), elementsPerTask, func(lo, hi int) { m.vec.ReLUBackward(dh[lo:hi], dh[lo:hi], h[lo:hi]) }))
	}
	p.onForward(second.apply(m, output, saved.hidden, e.rows, true))
	p.onBackward(first.backWeight(m, gradient, saved.normed, e.rows, true),
		first.backInput(m, g.normed, gradient, e.rows, false))
	p.onBackward(m.normBackward(norm, g.aroundNorm(), x, saved.inverse, e.rows)...)
	return p
}

// gate is hidden = gelu(a) ⊙ b, where a and b are the halves of each row of the gates.
func (m *Model) gate(saved *feedForwardSaved, e *extents) op {
	return m.parallel(e.rows, rowsPerTask(e.f), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			a, b := halves(saved.gates, r, e.f)
			m.vec.GEGLU(saved.hidden[r*e.f:(r+1)*e.f], a, b)
		}
	})
}

func (m *Model) gateBackward(saved *feedForwardSaved, g *gradients, e *extents) op {
	return m.parallel(e.rows, rowsPerTask(e.f), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			a, b := halves(saved.gates, r, e.f)
			da, db := halves(g.gates, r, e.f)
			m.vec.GEGLUBackward(da, db, g.hidden[r*e.f:(r+1)*e.f], a, b)
		}
	})
}

func halves(x []float32, row, width int) (left, right []float32) {
	at := x[2*row*width:]
	return at[:width], at[width : 2*width]
}
