package kernel

import "github.com/deepnarrow/deepnarrow/hardware/kernel/vec"

// normForward is y = norm(x)·w, keeping 1/rms of each row. Where next is not nil, x is copied to it
// while it is at hand: the block's last product adds to that copy.
func (m *Model) normForward(w *Tensor, y, inverse, x, next []float32, rows int) op {
	d := len(w.Values)
	return m.parallel(rows, rowsPerTask(d), func(lo, hi int) {
		m.vec.RMSNorm(y[lo*d:hi*d], inverse[lo:hi], x[lo*d:hi*d], w.Values)
		if next != nil {
			copy(next[lo*d:hi*d], x[lo*d:hi*d])
		}
	})
}

// normBack names the buffers of a norm's backward pass.
type normBack struct {
	dx, dy     []float32
	partial    []float32 // one row of dw for each vec.NormBlock rows
	accumulate bool      // add to dx
}

// aroundNorm is a block's norm: its gradient joins the one that went round the block.
func (g *gradients) aroundNorm() normBack {
	return normBack{dx: g.residual, dy: g.normed, partial: g.partial, accumulate: true}
}

// normBackward is the gradient of normForward. Rows are split at the blocks that vec prescribes, so
// that dw is the same sum for any number of threads.
func (m *Model) normBackward(w *Tensor, b normBack, x, inverse []float32, rows int) []op {
	d := len(w.Values)
	blocks := vec.NormBlocks(rows)
	partial := b.partial[:d*blocks]
	return []op{
		m.parallel(rows, vec.NormBlock, func(lo, hi int) {
			g := vec.NormGrads{
				DX: b.dx[lo*d : hi*d], Accumulate: b.accumulate,
				Partial: partial[lo/vec.NormBlock*d:][:d],
			}
			m.vec.RMSNormBackward(g, b.dy[lo*d:hi*d], x[lo*d:hi*d], w.Values, inverse[lo:hi])
		}),
		serial(func() {
			clear(w.Gradient)
			m.vec.AddColumns(w.Gradient, partial)
		}),
	}
}
