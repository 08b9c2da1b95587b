package kernel

import (
	"github.com/deepnarrow/deepnarrow/hardware/kernel/gemm"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/vec"
)

// recordSelfAttention lists afterSelf = x + W_o·attention(norm(x)).
func (m *Model) recordSelfAttention(s *stack, saved *layerSaved, name string) program {
	var p program
	e, a, g := &s.e, &saved.self, &s.back
	attention := name + "SelfAttention."
	norm, out := m.tensor(name+"layer_norm.weight"), m.linear(attention+"o.weight")
	qkv := m.linear(attention+"q.weight", attention+"k.weight", attention+"v.weight")

	c := core{
		e: e, to: e.positions, bias: s.saved.bias, causal: s == &m.decoder,
		probabilities: a.probabilities, dProbabilities: g.probabilities,
	}
	if !c.causal {
		c.mask = m.feed.mask
	}
	c.q, c.k, c.v = heads(a.queries, 0, 3, e.positions, e), heads(a.queries, 1, 3, e.positions, e),
		heads(a.queries, 2, 3, e.positions, e)
	c.dq, c.dk, c.dv = heads(g.queries, 0, 3, e.positions, e),
		heads(g.queries, 1, 3, e.positions, e), heads(g.queries, 2, 3, e.positions, e)
	c.mixed, c.dMixed = heads(a.mixed, 0, 1, e.positions, e), heads(g.mixed, 0, 1, e.positions, e)

	p.onForward(
		m.normForward(norm, a.normed, a.inverse, saved.input, saved.afterSelf, e.rows),
		qkv.apply(m, a.queries, a.normed, e.rows, false),
		m.coreForward(&c),
		out.apply(m, saved.afterSelf, a.mixed, e.rows, true),
	)
	p.onBackward(
		out.backInput(m, g.mixed, g.residual, e.rows, false),
		out.backWeight(m, g.residual, a.mixed, e.rows, true),
		m.coreBackward(&c),
		m.addBias(s),
		qkv.backWeight(m, g.queries, a.normed, e.rows, true),
		qkv.backInput(m, g.normed, g.queries, e.rows, false),
	)
	p.onBackward(m.normBackward(norm, g.aroundNorm(), saved.input, a.inverse, e.rows)...)
	return p
}

// recordCrossAttention lists afterCross = x + W_o·attention(norm(x), encoder output). The gradient
// of the encoder's output begins in the decoder's last layer and grows towards its first.
func (m *Model) recordCrossAttention(s *stack, saved *layerSaved, name string,
	isLast bool,
) program {
	var p program
	e, a, g := &s.e, &saved.cross, &s.back
	attention := name + "EncDecAttention."
	norm, out := m.tensor(name+"layer_norm.weight"), m.linear(attention+"o.weight")
	query, keyValue := m.linear(attention+"q.weight"),
		m.linear(attention+"k.weight", attention+"v.weight")
	source, dSource, sources := m.encoder.saved.output, m.encoder.back.residual, m.encoder.e.rows

	c := core{
		e: e, to: e.sources, mask: m.feed.mask, probabilities: a.probabilities,
		dProbabilities: g.probabilities,
	}
	c.q, c.dq = heads(a.queries, 0, 1, e.positions, e), heads(g.queries, 0, 1, e.positions, e)
	c.k, c.v = heads(a.keyValues, 0, 2, e.sources, e), heads(a.keyValues, 1, 2, e.sources, e)
	c.dk, c.dv = heads(g.keyValues, 0, 2, e.sources, e), heads(g.keyValues, 1, 2, e.sources, e)
	c.mixed, c.dMixed = heads(a.mixed, 0, 1, e.positions, e), heads(g.mixed, 0, 1, e.positions, e)

	p.onForward(
		m.normForward(norm, a.normed, a.inverse, saved.afterSelf, saved.afterCross, e.rows),
		query.apply(m, a.queries, a.normed, e.rows, false),
		keyValue.apply(m, a.keyValues, source, sources, false),
		m.coreForward(&c),
		out.apply(m, saved.afterCross, a.mixed, e.rows, true),
	)
	p.onBackward(
		out.backInput(m, g.mixed, g.residual, e.rows, false),
		out.backWeight(m, g.residual, a.mixed, e.rows, true),
		m.coreBackward(&c),
		query.backWeight(m, g.queries, a.normed, e.rows, true),
		keyValue.backWeight(m, g.keyValues, source, sources, true),
		keyValue.backInput(m, dSource, g.keyValues, sources, !isLast),
		query.backInput(m, g.normed, g.queries, e.rows, false),
	)
	p.onBackward(m.normBackward(norm, g.aroundNorm(), saved.afterSelf, a.inverse, e.rows)...)
	return p
}

// core is softmax(Q·Kᵀ + bias + mask)·V for every sequence and head, S×kv by Sk×kv matrices that
// lie interleaved in wider rows.
type core struct {
	e                             *extents
	to                            int       // Sk, positions attended to
	bias                          []float32 // heads×S×Sk; nil for none
	mask                          []float32 // B×Sk; nil for none
	causal                        bool
	q, k, v, mixed                gemm.Matrix
	dq, dk, dv, dMixed            gemm.Matrix
	probabilities, dProbabilities []float32 // B×heads×S×Sk
}

// heads is the view of part `part` of rows that hold `parts` of them, each heads·kv wide: one
// matrix a sequence and head.
func heads(x []float32, part, parts, positions int, e *extents) gemm.Matrix {
	if len(x) == 0 {
		return gemm.Matrix{}
	}
	leading := parts * e.inner
	return gemm.RowMajor(x[part*e.inner:], leading).Batch(positions*leading, e.kv)
}

// at is the matrix of one sequence and head.
func at(m gemm.Matrix, sequence, head int) gemm.Matrix {
	m.Data = m.Data[sequence*m.Outer+head*m.Inner:]
	m.Outer, m.Inner = 0, 0
	return m
}

// coreForward computes scores, softmax and values of a sequence and head in one task: they stay in
// the cache of its core.
func (m *Model) coreForward(c *core) op {
	e := c.e
	square := e.positions * c.to
	task := func(worker, id int) {
		sequence, head := id/e.heads, id%e.heads
		p := c.probabilities[id*square : (id+1)*square]
		scores := gemm.RowMajor(p, c.to)
		engine := m.core[worker]
		engine.Mul(scores, at(c.q, sequence, head), at(c.k, sequence, head).T(),
			gemm.Size{M: e.positions, N: c.to, K: e.kv}, false)
		if !m.productsOnly {
			o := vec.SoftmaxOptions{Causal: c.causal}
			if c.bias != nil {
				o.Bias = c.bias[head*square : (head+1)*square]
			}
			if c.mask != nil {
				o.Mask = c.mask[sequence*c.to : (sequence+1)*c.to]
			}
			m.vec.Softmax(p, c.to, o)
		}
		engine.Mul(at(c.mixed, sequence, head), scores, at(c.v, sequence, head),
			gemm.Size{M: e.positions, N: e.kv, K: c.to}, false)
	}
	tasks := e.batch * e.heads
	return op{run: func() { m.pool.ForWorker(tasks, task) }, products: true}
}

// coreBackward computes, for each sequence and head,
//
//	dP = dM·Vᵀ, dV = Pᵀ·dM, dS = P ⊙ (dP − rowsum(P ⊙ dP)), dQ = dS·K, dK = dSᵀ·Q
func (m *Model) coreBackward(c *core) op {
	e := c.e
	square := e.positions * c.to
	task := func(worker, id int) {
		sequence, head := id/e.heads, id%e.heads
		p, ds := c.probabilities[id*square:(id+1)*square], c.dProbabilities[id*square:(id+1)*square]
		probabilities, scores, dMixed := gemm.RowMajor(p, c.to), gemm.RowMajor(ds, c.to),
			at(c.dMixed, sequence, head)
		engine := m.core[worker]
		engine.Mul(scores, dMixed, at(c.v, sequence, head).T(),
			gemm.Size{M: e.positions, N: c.to, K: e.kv}, false)
		engine.Mul(at(c.dv, sequence, head), probabilities.T(), dMixed,
			gemm.Size{M: c.to, N: e.kv, K: e.positions}, false)
		if !m.productsOnly {
			m.vec.SoftmaxBackward(ds, ds, p, c.to)
		}
		engine.Mul(at(c.dq, sequence, head), scores, at(c.k, sequence, head),
			gemm.Size{M: e.positions, N: e.kv, K: c.to}, false)
		engine.Mul(at(c.dk, sequence, head), scores.T(), at(c.q, sequence, head),
			gemm.Size{M: c.to, N: e.kv, K: e.positions}, false)
	}
	tasks := e.batch * e.heads
	return op{run: func() { m.pool.ForWorker(tasks, task) }, products: true}
}
