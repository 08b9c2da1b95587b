package kernel

import "github.com/deepnarrow/deepnarrow/hardware/kernel/gemm"

// op is one recorded operation. Its function was made when the model was, with everything it needs,
// so that a step allocates nothing.
type op struct {
	run func()
	// products is set for matrix products, which can be timed on their own.
	products bool
}

// play runs a list of operations, or only its matrix products.
func play(ops []op, productsOnly bool) {
	for i := range ops {
		if !productsOnly || ops[i].products {
			ops[i].run()
		}
	}
}

// program is what a part of the network adds to the two passes. Backward lists are in the order in
// which they run.
type program struct{ forward, backward []op }

func (p *program) onForward(ops ...op)  { p.forward = append(p.forward, ops...) }
func (p *program) onBackward(ops ...op) { p.backward = append(p.backward, ops...) }

// parallel is an operation that runs body over the parts of 0 … n−1, per at a time, on all threads.
func (m *Model) parallel(n, per int, body func(lo, hi int)) op {
	tasks := (n + per - 1) / per
	task := func(i int) { body(i*per, min(n, (i+1)*per)) }
	return op{run: func() { m.pool.For(tasks, task) }}
}

// serial is an operation too short to share.
func serial(run func()) op { return op{run: run} }

// elementsPerTask is how much element-wise work one task does: about 10 µs, and a first-level cache
// of it.
const elementsPerTask = 1 << 13

// rowsPerTask is elementsPerTask in rows of the given width.
func rowsPerTask(width int) int { return max(1, elementsPerTask/width) }

// product is an operation on all threads: C = A·B, or C += A·B.
func (m *Model) product(c, a, b gemm.Matrix, s gemm.Size, add bool) op {
	return op{run: func() { m.engine.Mul(c, a, b, s, add) }, products: true}
}

// linear is a weight matrix, stored as outputs × inputs, with its gradient.
type linear struct {
	weight, gradient []float32
	offset           int // in the flat buffers
	out, in          int
}

// apply is y = x·Wᵀ, or y += x·Wᵀ, for rows of x.
func (l linear) apply(m *Model, y, x []float32, rows int, add bool) op {
	return m.product(gemm.RowMajor(y, l.out), gemm.RowMajor(x, l.in),
		gemm.RowMajor(l.weight, l.in).T(), gemm.Size{M: rows, N: l.out, K: l.in}, add)
}

// backInput is dx = dy·W, or dx += dy·W.
func (l linear) backInput(m *Model, dx, dy []float32, rows int, add bool) op {
	return m.product(gemm.RowMajor(dx, l.in), gemm.RowMajor(dy, l.out),
		gemm.RowMajor(l.weight, l.in), gemm.Size{M: rows, N: l.in, K: l.out}, add)
}

// backWeight is dW = dyᵀ·x. Where nothing else adds to dW, its squares follow at once.
func (l linear) backWeight(m *Model, dy, x []float32, rows int, isComplete bool) op {
	p := m.product(gemm.RowMajor(l.gradient, l.in), gemm.RowMajor(dy, l.out).T(),
		gemm.RowMajor(x, l.in), gemm.Size{M: l.out, N: l.in, K: rows}, false)
	if !isComplete {
		return p
	}
	squares := m.watch(l)
	return op{run: func() {
		p.run()
		if !m.productsOnly {
			squares.run()
		}
	}, products: true}
}
