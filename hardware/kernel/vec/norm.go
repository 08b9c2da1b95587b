package vec

import "math"

// NormEpsilon is added to the mean square under the root, as in T5.
const NormEpsilon = 1e-6

// NormBlock is how many rows share one partial gradient of the norm's weight.
const NormBlock = 64

// NormBlocks returns how many partial gradients that many rows have.
func NormBlocks(rows int) int { return (rows + NormBlock - 1) / NormBlock }

// RMSNorm writes y = x·w/rms for each row of x as wide as w, and 1/rms of each row to inv.
//
//	rms = sqrt(Σ x²/n + NormEpsilon), no mean subtracted and no bias
//
// y may be x. Source: Zhang and Sennrich 2019, arXiv 1910.07467; Raffel et al. 2020, §2.1, arXiv
// 1910.10683.
func (s *Set) RMSNorm(y, inv, x, w []float32) {
	n := len(w)
	rows := rowsOf(x, n)
	exactly(y, len(x))
	exactly(inv, rows)
	for r := range rows {
		row := x[r*n : (r+1)*n]
		f := float32(1 / math.Sqrt(s.k.sumSquares(row)/float64(n)+NormEpsilon))
		inv[r] = f
		s.k.normApply(y[r*n:(r+1)*n], row, w, f)
	}
}

// NormGrads are the buffers of RMSNormBackward.
type NormGrads struct {
	DX []float32 // gradient of x
	// add to DX, which holds the gradient that goes round the block, instead of writing it
	Accumulate bool
	// Partial gets the gradient of w, a row of len(w) for each NormBlock rows of x:
	// NormBlocks(rows) rows. Their sum by AddColumns, in order, does not depend on how rows were
	// split, provided every part but the last is a multiple of NormBlock rows.
	Partial []float32
}

// RMSNormBackward computes the gradients of RMSNorm from dy, its input x and the inv it wrote.
//
//	dx_j = inv·w_j·dy_j − x_j·inv³/n·Σ_k dy_k·w_k·x_k, dw_j = Σ_rows dy_j·x_j·inv
//
// g.DX may be dy unless it accumulates.
func (s *Set) RMSNormBackward(g NormGrads, dy, x, w, inv []float32) {
	n := len(w)
	rows := rowsOf(x, n)
	exactly(dy, len(x))
	exactly(g.DX, len(x))
	exactly(inv, rows)
	exactly(g.Partial, n*NormBlocks(rows))
	kernel := s.k.normGrad
	if g.Accumulate {
		kernel = s.k.normGradAdd
	}
	for r := range rows {
		dw := g.Partial[r/NormBlock*n:][:n]
		if r%NormBlock == 0 {
			clear(dw)
		}
		lo, hi := r*n, (r+1)*n
		f := float64(inv[r])
		c := f * f * f * float64(s.k.dotDot(dy[lo:hi], w, x[lo:hi])) / float64(n)
		kernel(g.DX[lo:hi], dw, dy[lo:hi], x[lo:hi], w, inv[r], float32(c))
	}
}
