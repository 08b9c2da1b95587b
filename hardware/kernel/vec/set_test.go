package vec

import (
	"math"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
)

// AddScaled adds f*a to dst. The slices have one length.
func (s *Set) AddScaled(dst, a []float32, f float32) { s.k.axpy(dst, exactly(a, len(dst)), f) }

// Path is the path whose routines run, for records and labels.
func (s *Set) Path() isa.Path { return s.path }

// SumSquares returns the sum of x², squared and added in float64: the sum, in order, of what
// SquaresBlocks writes.
func (s *Set) SumSquares(x []float32) float64 {
	var sum float64
	for len(x) > 0 {
		n := min(len(x), SquaresBlock)
		sum += s.k.sumSquares(x[:n])
		x = x[n:]
	}
	return sum
}

// RelativeStep returns the relative step size of the T5 recipe, min(1e-2, 1/√step); step counts
// from 1. The largest is reached until step 10,000.
func RelativeStep(step int) float64 { return min(1e-2, 1/math.Sqrt(float64(step))) }
