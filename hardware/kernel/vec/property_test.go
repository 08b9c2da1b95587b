package vec

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// drawRows is rows of 1 to 300 scores of any ordinary size, some masked.
func drawRows(t *rapid.T) (x []float32, cols int) {
	cols = rapid.IntRange(1, 300).Draw(t, "cols")
	r := source(rapid.IntRange(0, 1<<30).Draw(t, "seed"))
	x = normal(r, cols*rapid.IntRange(1, 4).Draw(t, "rows"),
		rapid.Float64Range(0, 200).Draw(t, "spread"))
	every := rapid.IntRange(1, 8).Draw(t, "one masked in")
	for i := range x {
		if r.IntN(every) == 0 {
			x[i] += Masked
		}
	}
	return x, cols
}

// TestSoftmaxIsDistribution: each row is nowhere negative and sums to 1, or to 0 when all of it is
// masked; masked scores get exactly 0.
func TestSoftmaxIsDistribution(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		rapid.Check(t, func(t *rapid.T) {
			x, cols := drawRows(t)
			p := clone(x)
			s.Softmax(p, cols, SoftmaxOptions{})
			for r := 0; r < len(x); r += cols {
				sum, want := 0.0, 0.0
				for i, v := range p[r : r+cols] {
					masked := x[r+i] <= maskedBelow
					if v < 0 || masked && v != 0 {
						t.Fatalf("score %v has probability %v", x[r+i], v)
					}
					if !masked {
						want = 1
					}
					sum += float64(v)
				}
				if !approx.Close(sum, want, expTolerance) {
					t.Fatalf("row sums to %v, want %v", sum, want)
				}
			}
		})
	})
}

// TestLossGradientSumsToZero: without z-loss a shift of all logits changes nothing, so each row's
// gradient sums to 0, and lies within ±scale.
func TestLossGradientSumsToZero(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		rapid.Check(t, func(t *rapid.T) {
			x, cols := drawRows(t)
			rows := len(x) / cols
			targets, losses := make([]int32, rows), make([]RowLoss, rows)
			for r := range targets {
				targets[r] = int32(rapid.IntRange(0, cols-1).Draw(t, "target"))
				x[r*cols+int(targets[r])] = 1 // a target is never masked
			}
			s.CrossEntropy(x, cols, targets, nil, LossOptions{GradScale: 1}, losses)
			for r := range rows {
				sum := 0.0
				for _, v := range x[r*cols : (r+1)*cols] {
					if sum += float64(v); v < -1 || v > 1 {
						t.Fatalf("gradient %v, want it within ±1", v)
					}
				}
				if !approx.Close(sum, 0, expTolerance) || losses[r].NLL < -expTolerance {
					t.Fatalf("gradient sums to %v, want 0; loss %v", sum, losses[r].NLL)
				}
			}
		})
	})
}
