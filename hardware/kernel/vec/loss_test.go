package vec

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// crossEntropy64 is Σ w·(z − x_t + c·z²) as written.
func crossEntropy64(x []float64, cols int, targets []int32, weights []float32,
	zLoss float64,
) float64 {
	loss := 0.0
	for r, target := range targets {
		row, top, sum := x[r*cols:(r+1)*cols], math.Inf(-1), 0.0
		for _, v := range row {
			top = max(top, v)
		}
		for _, v := range row {
			sum += math.Exp(v - top)
		}
		z := top + math.Log(sum)
		loss += float64(weights[r]) * (z - row[target] + zLoss*z*z)
	}
	return loss
}

const (
	testZLoss     = 1e-2 // large enough to show
	testGradScale = 0.25
	// lossTolerance is relative to the loss: the float32 normaliser of a chunk of 2,048 carries
	// about sumTolerance, and z is of order 10.
	lossTolerance = 1e-6
)

func lossCase(seed, rows, cols int) (x []float32, targets []int32, weights []float32) {
	r := source(seed)
	x, weights = normal(r, rows*cols, 3), make([]float32, rows)
	for i := range rows {
		targets, weights[i] = append(targets, int32(r.IntN(cols))), float32(r.Float64()+0.5)
	}
	return x, targets, weights
}

func TestCrossEntropy(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		for seed, cols := range append([]int{250112}, oddSizes...) {
			const rows = 2
			x, targets, weights := lossCase(seed, rows, cols)
			in := doubles(x)
			want := crossEntropy64(in, cols, targets, weights, testZLoss)
			losses := make([]RowLoss, rows)
			got := unaligned(x, 3)
			s.CrossEntropy(got, cols, targets, weights,
				LossOptions{ZLoss: testZLoss, GradScale: testGradScale}, losses)
			checkGuard(t, got)
			sum := SumLoss(losses)
			if !approx.Close(sum.NLL+sum.Z, want, lossTolerance*max(1, want)) {
				t.Errorf("loss over %d = %v, want %v", cols, sum.NLL+sum.Z, want)
			}
			if sum.Weight != float64(weights[0])+float64(weights[1]) {
				t.Errorf("weight %v, want the sum of %v", sum.Weight, weights)
			}
			checkNear(t, "gradient over "+sizeName(cols), got,
				lossGradient64(in, cols, targets, weights), expTolerance)
		}
	})
}

// lossGradient64 is the gradient as written, scaled by testGradScale.
func lossGradient64(x []float64, cols int, targets []int32, weights []float32) []float64 {
	p := softmax64(x, nil, nil, cols, func(int) int { return cols })
	for r, target := range targets {
		row := p[r*cols : (r+1)*cols]
		z := x[r*cols] - math.Log(row[0]) // p_0 = exp(x_0 − z)
		for j := range row {
			row[j] *= testGradScale * float64(weights[r]) * (1 + 2*testZLoss*z)
		}
		row[target] -= testGradScale * float64(weights[r])
	}
	return p
}

func TestCrossEntropyGradient(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		for seed, cols := range []int{7, 16, 33} {
			const rows = 3
			x, targets, weights := lossCase(seed, rows, cols)
			weights[1] = 0
			at := doubles(x)
			s.CrossEntropy(x, cols, targets, weights,
				LossOptions{ZLoss: testZLoss, GradScale: testGradScale}, make([]RowLoss, rows))
			checkGradient(t, "loss gradient", x, at, 0, func() float64 {
				return testGradScale * crossEntropy64(at, cols, targets, weights, testZLoss)
			})
		}
	})
}

// TestCrossEntropyMask: a masked row adds nothing, whatever it holds; a broken row does not spread.
func TestCrossEntropyMask(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		const rows, cols = 4, 40
		x, targets, _ := lossCase(1, rows, cols)
		clean := clone(x)
		x[cols+3] = float32(math.NaN())
		x[2*cols+3] = float32(math.NaN())
		targets[2] = -100
		weights := []float32{1, 1, 0, 1}
		losses, want := make([]RowLoss, rows), make([]RowLoss, rows)
		s.CrossEntropy(x, cols, targets, weights, LossOptions{GradScale: 1}, losses)
		targets[2] = 0
		s.CrossEntropy(clean, cols, targets, nil, LossOptions{GradScale: 1}, want)
		if losses[2] != (RowLoss{}) || s.SumSquares(x[2*cols:3*cols]) != 0 {
			t.Errorf("masked row: loss %+v, gradient %v", losses[2], x[2*cols:3*cols])
		}
		if !math.IsNaN(losses[1].NLL) || x[cols] == x[cols] {
			t.Errorf("row with NaN: loss %+v, gradient %v", losses[1], x[cols])
		}
		if losses[0] != want[0] || losses[3] != want[3] {
			t.Errorf("clean rows: %+v, want %+v", losses, want)
		}
		checkSame(t, "row before the NaN", x[:cols], clean[:cols])
		checkSame(t, "row after the NaN", x[3*cols:], clean[3*cols:])
		mustPanic(t, "target outside the vocabulary", func() {
			s.CrossEntropy(clean, cols, []int32{0, 0, cols, 0}, nil, LossOptions{}, losses)
		})
	})
}

// TestCrossEntropyExtremes: values by hand.
func TestCrossEntropyExtremes(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		x := []float32{
			1e30, 0, -1e30, // certain and right: no loss, no gradient
			0, 80, 0, // certain and wrong: loss 80
			Masked, 2, 2, // one column left out: log 2
			Masked, Masked, Masked, // nothing to choose from: undefined
		}
		losses := make([]RowLoss, 4)
		s.CrossEntropy(x, 3, []int32{0, 0, 1, 0}, nil, LossOptions{GradScale: 1}, losses)
		var nll []float32
		for _, l := range losses[:3] {
			nll = append(nll, float32(l.NLL))
		}
		checkNear(t, "losses", nll, []float64{0, 80, math.Ln2}, mapTolerance)
		checkNear(t, "gradients", x[:9], []float64{0, 0, 0, -1, 1, 0, 0, -0.5, 0.5}, mapTolerance)
		if !math.IsNaN(losses[3].NLL) || x[9] == x[9] {
			t.Errorf("a row without a score has loss %v and gradient %v, want NaN", losses[3].NLL,
				x[9])
		}
	})
}

func TestCrossEntropySplit(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		const rows, cols = 7, 2500
		x, targets, weights := lossCase(5, rows, cols)
		o := LossOptions{ZLoss: testZLoss, GradScale: testGradScale}
		whole, parts, losses := clone(x), clone(x), make([]RowLoss, 2*rows)
		s.CrossEntropy(whole, cols, targets, weights, o, losses[:rows])
		for _, cut := range [][2]int{{0, 2}, {2, 3}, {3, 7}} {
			lo, hi := cut[0], cut[1]
			s.CrossEntropy(parts[lo*cols:hi*cols], cols, targets[lo:hi], weights[lo:hi], o,
				losses[rows+lo:rows+hi])
		}
		checkSame(t, "gradients of parts", parts, whole)
		if SumLoss(losses[:rows]) != SumLoss(losses[rows:]) {
			t.Errorf("loss of parts %+v, of the whole %+v", SumLoss(losses[rows:]),
				SumLoss(losses[:rows]))
		}
	})
}
