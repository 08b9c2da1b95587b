package vec

import "github.com/deepnarrow/deepnarrow/hardware/kernel/isa"

// AddScaled adds f*a to dst. The slices have one length.
func (s *Set) AddScaled(dst, a []float32, f float32) { s.k.axpy(dst, exactly(a, len(dst)), f) }

// SumSquares returns the sum of x², squared and added in float64: the sum, in order, of what
// Path is the path whose routines run, for records and labels.
func (s *Set) Path() isa.Path { return s.path }
