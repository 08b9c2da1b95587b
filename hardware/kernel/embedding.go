package kernel

import "github.com/deepnarrow/deepnarrow/hardware/kernel/vec"

// lookUp is x = E[ids].
func (m *Model) lookUp(x []float32, ids []int32) op {
	table, d := m.tensor("shared.weight").Values, m.shape.DModel
	return m.parallel(len(ids), rowsPerTask(d), func(lo, hi int) { m.vec.Gather(x[lo*d:hi*d], table, ids[lo:hi], d) })
}

// scatterColumns is how many columns of the table one task adds to: tokens repeat, so tasks share
// columns and not rows.
const scatterColumns = 64

// scatter is dE[ids] += dx.
func (m *Model) scatter(dx []float32, ids []int32) op {
	table, d := m.tensor("shared.weight").Gradient, m.shape.DModel
	return m.parallel(d, scatterColumns, func(lo, hi int) { m.vec.ScatterAdd(table, dx, ids, d, lo, hi) })
}

// crossEntropy turns each row of logits into its gradient and leaves its loss.
func (m *Model) crossEntropy() op {
	cols, f := m.shape.Vocab, &m.feed
	return m.parallel(len(f.targets), rowsPerTask(cols), func(lo, hi int) {
		o := vec.LossOptions{ZLoss: m.options.ZLoss, GradScale: f.gradScale}
		m.vec.CrossEntropy(m.logits[lo*cols:hi*cols], cols, f.targets[lo:hi], f.weights[lo:hi], o,
			f.losses[lo:hi])
	})
}
