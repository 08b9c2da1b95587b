package vec

import (
	"math"
	"testing"
)

func TestActivationGradients(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		for seed, n := range []int{1, 7, 16, 33} {
			r := source(seed)
			a, b, dh := normal(r, n, 2), normal(r, n, 1), normal(r, n, 1)
			c, da, db := doubles(dh), make([]float32, n), make([]float32, n)
			a64, b64 := doubles(a), doubles(b)
			s.GEGLUBackward(da, db, dh, a, b)
			loss := func() float64 {
				sum := 0.0
				for i := range c {
					sum += c[i] * gelu64(a64[i]) * b64[i]
				}
				return sum
			}
			checkGradient(t, "gate gradient", da, a64, 0, loss)
			checkGradient(t, "gated gradient", db, b64, 0, loss)

			inA, inDH := clone(a), clone(dh)
			s.GEGLUBackward(inA, inDH, inDH, inA, b)
			checkSame(t, "gate gradient in place", inA, da)
			checkSame(t, "gated gradient in place", inDH, db)

			y := make([]float32, n)
			s.ReLU(y, a)
			s.ReLUBackward(da, dh, y)
			checkGradient(t, "ReLU gradient", da, a64, 0, func() float64 {
				sum := 0.0
				for i, v := range a64 {
					sum += c[i] * max(v, 0)
				}
				return sum
			})
		}
	})
}

// TestActivationExtremes: far out gelu is the identity or 0, with slope 1 or 0; NaN stays where it
// is.
func TestActivationExtremes(t *testing.T) {
	nan := float32(math.NaN())
	a := []float32{1e30, -1e30, 0, 20, -20, nan, 3e38, -5}
	n := len(a)
	ones := make([]float32, n)
	for i := range ones {
		ones[i] = 1
	}
	wantH := []float64{1e30, 0, 0, 20, 0, math.NaN(), 3e38, gelu64(-5)}
	wantDA := []float64{1, 0, 0.5, 1, 0, math.NaN(), 1, geluSlope64(-5)}
	wantReLU := []float64{1e30, 0, 0, 20, 0, math.NaN(), 3e38, 0}
	check := func(t *testing.T, what string, got []float32, want []float64) {
		t.Helper()
		if got[5] == got[5] {
			t.Errorf("%s of NaN is %v", what, got[5])
		}
		checkNear(t, what, append(clone(got[:5]), got[6:]...), append(clone(want[:5]), want[6:]...),
			expTolerance)
	}
	eachPath(t, func(t *testing.T, s *Set) {
		h, da, db, y := make([]float32, n), make([]float32, n), make([]float32, n),
			make([]float32, n)
		s.GEGLU(h, a, ones)
		s.GEGLUBackward(da, db, ones, a, ones)
		s.ReLU(y, a)
		check(t, "gelu", h, wantH)
		check(t, "gelu slope", da, wantDA)
		check(t, "gradient of the gated", db, wantH)
		check(t, "ReLU", y, wantReLU)
	})
}
