package vec

import (
	"math"
	"testing"
)

// rmsNorm64 is the formula as written; it returns y.
func rmsNorm64(x, w []float64) []float64 {
	y, n := make([]float64, len(x)), len(w)
	for r := range len(x) / n {
		row := x[r*n : (r+1)*n]
		f := 1 / math.Sqrt(dotOf(row, row)/float64(n)+1e-6)
		for j, v := range row {
			y[r*n+j] = v * f * w[j]
		}
	}
	return y
}

func TestRMSNorm(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		for seed, n := range oddSizes {
			const rows = 3
			r := source(seed)
			x, w := unaligned(normal(r, rows*n, 2), 1), unaligned(normal(r, n, 1), 2)
			y, inv := unaligned(make([]float32, rows*n), 3), make([]float32, rows)
			s.RMSNorm(y, inv, x, w)
			checkNear(t, "norm of "+sizeName(n), y, rmsNorm64(doubles(x), doubles(w)), mapTolerance)
			checkGuard(t, y)
			s.RMSNorm(x, inv, x, w)
			checkSame(t, "norm in place", x, y)
		}
	})
}

// TestRMSNormExtremes: a row of zeros is held up by NormEpsilon alone, and squares that float32
// cannot hold do no harm.
func TestRMSNormExtremes(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		x := []float32{
			0, 0, 0, 0, 1e30, -1e30, 1e30, 1e30, 1e-30, 0, 0, 0, float32(math.NaN()), 1,
			1, 1,
		}
		y, inv := make([]float32, 16), make([]float32, 4)
		s.RMSNorm(y, inv, x, []float32{1, 1, 1, 1})
		checkNear(t, "norms", y[:12], []float64{0, 0, 0, 0, 1, -1, 1, 1, 1e-27, 0, 0, 0},
			mapTolerance)
		checkNear(t, "1/rms", inv[:3], []float64{1000, 1e-30, 1000}, mapTolerance)
		if !(y[12] != y[12] && inv[3] != inv[3]) {
			t.Errorf("row with NaN: %v, 1/rms %v", y[12:], inv[3])
		}
	})
}

func TestRMSNormGradient(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		for seed, n := range []int{1, 7, 16, 33} {
			for _, accumulate := range []bool{false, true} {
				rows := 3
				r := source(seed)
				x, w, dy := normal(r, rows*n, 1), normal(r, n, 1), normal(r, rows*n, 1)
				y, inv := make([]float32, rows*n), make([]float32, rows)
				s.RMSNorm(y, inv, x, w)
				dx, dw := normal(r, rows*n, 1), normal(r, n, 1)
				before, wBefore := clone(dx), clone(dw)
				partial := normal(r, n*NormBlocks(rows), 1) // rubbish that must not matter
				s.RMSNormBackward(NormGrads{DX: dx, Accumulate: accumulate, Partial: partial}, dy,
					x, w, inv)
				s.AddColumns(dw, partial)

				at, weight, c := doubles(x), doubles(w), doubles(dy)
				base := doubles(before)
				if !accumulate {
					clear(base)
				}
				// w·dy/rms, from which its part along x is taken: nearly all of it in a row of one
				terms := 0.0
				for i, v := range c {
					terms = max(terms, math.Abs(v*weight[i%n])*float64(inv[i/n]))
				}
				checkGradient(t, "norm gradient", dx, at, terms, func() float64 {
					return dotOf(c, rmsNorm64(at, weight)) + dotOf(base, at)
				})
				addends := doubles(wBefore)
				checkGradient(t, "norm weight gradient", dw, weight, 0, func() float64 {
					return dotOf(c, rmsNorm64(at, weight)) + dotOf(addends, weight)
				})
			}
		}
	})
}

func TestRMSNormSplit(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		const n, rows = 33, 3*NormBlock + 5
		r := source(1)
		x, w, dy := normal(r, rows*n, 1), normal(r, n, 1), normal(r, rows*n, 1)
		run := func(cuts ...int) (y, dx, dw []float32) {
			y, dx, dw = make([]float32, rows*n), make([]float32, rows*n), make([]float32, n)
			inv, partial := make([]float32, rows), make([]float32, n*NormBlocks(rows))
			for i := range len(cuts) - 1 {
				lo, hi := cuts[i], cuts[i+1]
				s.RMSNorm(y[lo*n:hi*n], inv[lo:hi], x[lo*n:hi*n], w)
				g := NormGrads{
					DX:      dx[lo*n : hi*n],
					Partial: partial[lo/NormBlock*n : NormBlocks(hi)*n],
				}
				s.RMSNormBackward(g, dy[lo*n:hi*n], x[lo*n:hi*n], w, inv[lo:hi])
			}
			s.AddColumns(dw, partial)
			return y, dx, dw
		}
		y, dx, dw := run(0, rows)
		yParts, dxParts, dwParts := run(0, NormBlock, 3*NormBlock, rows)
		checkSame(t, "norms of parts", yParts, y)
		checkSame(t, "gradients of parts", dxParts, dx)
		checkSame(t, "weight gradients of parts", dwParts, dw)
	})
}
