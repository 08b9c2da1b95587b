package vec

import (
	"math"
	"testing"
)

// softmax64 is the formula as written, over all rows.
func softmax64(scores, bias, mask []float64, cols int, seen func(row int) int) []float64 {
	p := make([]float64, len(scores))
	for r := range len(scores) / cols {
		n := seen(r)
		row, out, top, sum := scores[r*cols:][:n], p[r*cols:][:n], math.Inf(-1), 0.0
		for j, x := range row {
			if bias != nil {
				x += bias[r*cols+j]
			}
			if mask != nil {
				x += mask[j]
			}
			out[j] = x
			top = max(top, x)
		}
		if top < -1e29 {
			clear(out)
			continue
		}
		for j := range out {
			out[j] = math.Exp(out[j] - top)
			sum += out[j]
		}
		for j := range out {
			out[j] /= sum
		}
	}
	return p
}

func TestSoftmax(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		for seed, cols := range oddSizes {
			for options := range 8 {
				r := source(seed)
				const rows, firstRow = 3, 4
				x, o := normal(r, rows*cols, 4), SoftmaxOptions{}
				seen := func(int) int { return cols }
				if options&1 != 0 {
					o.Bias = normal(r, rows*cols, 2)
				}
				if options&2 != 0 {
					o.Mask = make([]float32, cols)
					for j := range o.Mask {
						if r.IntN(3) == 0 {
							o.Mask[j] = Masked
						}
					}
				}
				if options&4 != 0 {
					o.Causal, o.FirstRow = true, firstRow
					seen = func(row int) int { return min(cols, row+firstRow+1) }
				}
				want := softmax64(doubles(x), orNil(o.Bias), orNil(o.Mask), cols, seen)
				got := unaligned(x, 1)
				s.Softmax(got, cols, o)
				checkNear(t, "softmax of "+sizeName(cols), got, want, expTolerance)
				checkGuard(t, got)
			}
		}
	})
}

func orNil(x []float32) []float64 {
	if x == nil {
		return nil
	}
	return doubles(x)
}

// TestSoftmaxExtremes: the expected rows follow from the definition, by hand.
func TestSoftmaxExtremes(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	cases := []struct {
		name      string
		row, want []float32
	}{
		{"all masked", []float32{Masked, Masked, Masked}, []float32{0, 0, 0}},
		{"all masked twice", []float32{2 * Masked, Masked - 50, 2 * Masked}, []float32{0, 0, 0}},
		{"all -Inf", []float32{-inf, -inf}, []float32{0, 0}},
		{"one left", []float32{Masked, -3, Masked}, []float32{0, 1, 0}},
		{"large positives", []float32{3e38, 3e38, -3e38, 0}, []float32{0.5, 0.5, 0, 0}},
		{"far apart", []float32{0, -1e4, 1e4}, []float32{0, 0, 1}},
		{"NaN", []float32{1, nan, 2}, []float32{nan, nan, nan}},
		{"NaN among masked", []float32{Masked, nan, Masked}, []float32{nan, nan, nan}},
		{"+Inf", []float32{1, inf, 2}, []float32{nan, nan, nan}},
		{"one", []float32{-7}, []float32{1}},
	}
	eachPath(t, func(t *testing.T, s *Set) {
		for _, c := range cases {
			cols := len(c.row)
			// equal scores: 1/cols each, whatever the row above holds
			neighbour := make([]float32, cols)
			got := append(clone(c.row), neighbour...)
			s.Softmax(got, cols, SoftmaxOptions{})
			for j, want := range c.want {
				if got[j] != want && !(want != want && got[j] != got[j]) {
					t.Errorf("%s: %v, want %v", c.name, got[:cols], c.want)
					break
				}
			}
			for _, v := range got[cols:] {
				if v != 1/float32(cols) {
					t.Errorf("%s: the next row is %v, want %v", c.name, got[cols:], 1/float32(cols))
				}
			}
		}
	})
}

// TestSoftmaxMaskedChunks puts the only real score behind chunks of masked ones, and a NaN among
// masked ones before it.
func TestSoftmaxMaskedChunks(t *testing.T) {
	const cols = 3*shortestChunk + 5
	eachPath(t, func(t *testing.T, s *Set) {
		for _, at := range []int{0, shortestChunk, cols - 1} {
			x := make([]float32, cols)
			for j := range x {
				x[j] = Masked
			}
			x[at] = -5
			spoilt := clone(x)
			s.Softmax(x, cols, SoftmaxOptions{})
			if x[at] != 1 || s.SumSquares(x) != 1 {
				t.Errorf("real score at %d: probability %v, sum of squares %v, want 1 and 1", at,
					x[at], s.SumSquares(x))
			}
			spoilt[1] = float32(math.NaN())
			s.Softmax(spoilt, cols, SoftmaxOptions{})
			for j, v := range spoilt {
				if v == v {
					t.Fatalf("NaN at 1, real score at %d: element %d is %v, want NaN", at, j, v)
				}
			}
		}
	})
}

func TestSoftmaxGradient(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		for seed, cols := range []int{1, 7, 17, 33} {
			r := source(seed)
			const rows = 2
			x, c := normal(r, rows*cols, 2), normal(r, rows*cols, 1)
			p := clone(x)
			s.Softmax(p, cols, SoftmaxOptions{})
			dx := clone(c) // in place: dx is dy
			s.SoftmaxBackward(dx, dx, p, cols)
			at, weights := doubles(x), doubles(c)
			loss := func() float64 {
				return dotOf(weights, softmax64(at, nil, nil, cols, func(int) int { return cols }))
			}
			checkGradient(t, "softmax gradient", dx, at, largestOf(weights), loss)
		}
	})
}

func TestSoftmaxSplit(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		const rows, cols = 9, 77
		r := source(1)
		x, bias, dy := normal(r, rows*cols, 3), normal(r, rows*cols, 1), normal(r, rows*cols, 1)
		whole, parts := clone(x), clone(x)
		s.Softmax(whole, cols, SoftmaxOptions{Bias: bias, Causal: true, FirstRow: 60})
		dWhole, dParts := clone(dy), clone(dy)
		s.SoftmaxBackward(dWhole, dy, whole, cols)
		for _, cut := range [][2]int{{0, 1}, {1, 6}, {6, 9}} {
			lo, hi := cut[0]*cols, cut[1]*cols
			s.Softmax(parts[lo:hi], cols, SoftmaxOptions{
				Bias: bias[lo:hi], Causal: true,
				FirstRow: 60 + cut[0],
			})
			s.SoftmaxBackward(dParts[lo:hi], dy[lo:hi], parts[lo:hi], cols)
		}
		checkSame(t, "probabilities of parts", parts, whole)
		checkSame(t, "gradients of parts", dParts, dWhole)
	})
}
