package vec

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

func TestNonFinite(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		for seed, n := range append([]int{finiteBlock, finiteBlock + 1}, oddSizes...) {
			x := unaligned(normal(source(seed), n, 1e30), 1)
			x[n/2] = math.MaxFloat32
			if at := s.NonFinite(x); at != -1 {
				t.Fatalf("%d finite elements: reported %d, %v", n, at, x[at])
			}
			for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				for _, at := range []int{0, n / 2, n - 1} {
					old := x[at]
					x[at] = float32(bad)
					if got := s.NonFinite(x); got != at {
						t.Errorf("%v at %d of %d: reported %d", bad, at, n, got)
					}
					x[at] = old
				}
			}
		}
		if got := s.NonFinite(nil); got != -1 {
			t.Errorf("nothing: reported %d", got)
		}
		x := []float32{1, float32(math.Inf(1)), float32(math.NaN())}
		if got := s.NonFinite(x); got != 1 {
			t.Errorf("two of them: reported %d, want the first, 1", got)
		}
	})
}

func TestSumSquares(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		const n = 3*SquaresBlock + 77
		x := normal(source(1), n, 1)
		x[5] = 1e25 // its square is beyond float32
		x[6] = 1e25
		want := dotOf(doubles(x), doubles(x))
		got := s.SumSquares(x)
		if !approx.Relative(got, want, doubleTolerance) {
			t.Errorf("sum of squares %v, want %v", got, want)
		}
		sums := make([]float64, 4)
		s.SquaresBlocks(sums[:1], x[:SquaresBlock])
		s.SquaresBlocks(sums[1:], x[SquaresBlock:])
		if total := sums[0] + sums[1] + sums[2] + sums[3]; total != got {
			t.Errorf("blocks give %v, the whole %v", total, got)
		}
		if s.SumSquares(nil) != 0 {
			t.Error("sum of squares of nothing is not 0")
		}
	})
}

func TestElementwise(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		dst, a := []float32{1, 2, 3}, []float32{10, 20, 30}
		s.Add(dst, a)
		s.Scale(dst, 2)
		s.AddScaled(dst, a, -0.5)
		checkSame(t, "2(dst+a)-a/2", dst, []float32{17, 34, 51})
		s.AddColumns(dst, []float32{1, 2, 3, 4, 5, 6})
		checkSame(t, "plus columns", dst, []float32{22, 41, 60})
		mustPanic(t, "short slice", func() { s.Add(dst, a[:2]) })
		mustPanic(t, "ragged rows", func() { s.AddColumns(dst, a[:2]) })
	})
}

func TestEmbedding(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		const cols, vocabulary = 33, 5
		r := source(1)
		table, ids := normal(r, vocabulary*cols, 1), []int32{3, 0, 3, 3, 4}
		out := make([]float32, len(ids)*cols)
		s.Gather(out, table, ids, cols)
		grads := normal(r, len(out), 1)
		want, got, parts := doubles(table), clone(table), clone(table)
		for i, id := range ids {
			checkSame(t, "gathered row", out[i*cols:(i+1)*cols], table[int(id)*cols:][:cols])
			for j := range cols {
				want[int(id)*cols+j] += float64(grads[i*cols+j])
			}
		}
		s.ScatterAdd(got, grads, ids, cols, 0, cols)
		checkNear(t, "scattered", got, want, mapTolerance)
		for _, cut := range [][2]int{{20, cols}, {0, 7}, {7, 20}} {
			s.ScatterAdd(parts, grads, ids, cols, cut[0], cut[1])
		}
		checkSame(t, "scattered in columns", parts, got)
		mustPanic(t, "id outside the table", func() { s.Gather(out[:cols], table, []int32{vocabulary}, cols) })
		mustPanic(t, "negative id", func() { s.ScatterAdd(table, grads[:cols], []int32{-1}, cols, 0, cols) })
	})
}
