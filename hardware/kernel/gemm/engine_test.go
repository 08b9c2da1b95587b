package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
)

// onEngines runs a test on an engine for each path that this machine has.
func onEngines(t *testing.T, threads int, test func(t *testing.T, e *Engine)) {
	t.Helper()
	for _, path := range isa.Supported() {
		t.Run(path.String(), func(t *testing.T) {
			p := pool.New(threads)
			defer p.Close()
			test(t, New(p, path))
		})
	}
}

// layout is how a test stores an operand.
type layout struct {
	name       string
	transposed bool
	pad        int // elements beyond the end of each row (or column, if transposed)
	step       int // elements from one column to the next (or row, if transposed); C needs 1
}

var (
	normal       = layout{name: "N", step: 1}
	transposed   = layout{name: "T", transposed: true, step: 1}
	padded       = layout{name: "N+pad", pad: 3, step: 1}
	paddedT      = layout{name: "T+pad", transposed: true, pad: 5, step: 1}
	strided      = layout{name: "N*3", step: 3}
	stridedT     = layout{name: "T*2", transposed: true, step: 2}
	operandForms = []layout{normal, transposed, padded, paddedT, strided, stridedT}
	resultForms  = []layout{normal, paddedT}
)

// matrices returns a batch of matrices in a layout, all elements filled, also those between and after the matrices.
func (l layout) matrices(rows, cols int, s Size, fill func() float32) Matrix {
	if l.transposed {
		m := layout{pad: l.pad, step: l.step}.matrices(cols, rows, s, fill)
		return m.T()
	}
	stride := cols*l.step + l.pad
	inner := rows*stride + 1
	outer := s.Inner*inner + 2
	data := make([]float32, s.Outer*outer)
	for i := range data {
		data[i] = fill()
	}
	return Matrix{Data: data, Row: stride, Col: l.step, Outer: outer, Inner: inner}
}

func (m Matrix) at(p, q, i, j int) *float32 { return &m.Data[p*m.Outer+q*m.Inner+i*m.Row+j*m.Col] }

// reference is the product by its definition, in float64, with the sum of the absolute values of its terms in bound. Elements
// of C's data that belong to no matrix stay as they are.
func reference(c, a, b Matrix, s Size, add bool) (want []float32, bound []float64) {
	want = slices.Clone(c.Data)
	bound = make([]float64, len(want))
	c.Data = want
	for p := range s.Outer {
		for q := range s.Inner {
			for i := range s.M {
				for j := range s.N {
					var sum, size float64
					dst := c.at(p, q, i, j)
					if add {
						sum = float64(*dst)
						size = math.Abs(sum)
					}
					for k := range s.K {
						term := float64(*a.at(p, q, i, k)) * float64(*b.at(p, q, k, j))
						sum += term
						size += math.Abs(term)
					}
					*dst = float32(sum)
					bound[p*c.Outer+q*c.Inner+i*c.Row+j*c.Col] = size
				}
			}
		}
	}
	return want, bound
}

// smallIntegers fills with −4 … 4: sums of up to a million products are integers below 2²⁴ and exact in float32 in any order, so that
// results must equal the reference to the last bit.
func smallIntegers(rng *rand.Rand) func() float32 {
	return func() float32 { return float32(rng.IntN(9) - 4) }
}

func TestMulIsExactOnSmallIntegers(t *testing.T) {
	sizes := []Size{
		{M: 1, N: 1, K: 1},
		{M: 1, N: 33, K: 7},
		{M: 7, N: 1, K: 13},
		{M: 13, N: 15, K: 14},
		{M: 14, N: 32, K: 8},
		{M: 15, N: 31, K: 33},
		{M: 33, N: 7, K: 31},
		{M: 31, N: 65, K: 1},
		{M: 29, N: 47, K: 64},
		{M: 1, N: 300, K: 40},
		{M: 130, N: 3, K: 20},
		{M: 5, N: 9, K: 1031},
		{M: 40, N: 64, K: 0},
	}
	onEngines(t, 2, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, s := range sizes {
			for _, batch := range [][2]int{{1, 1}, {2, 3}} {
				s.Outer, s.Inner = batch[0], batch[1]
				for _, la := range operandForms {
					for _, lb := range operandForms {
						for _, lc := range resultForms {
							for _, add := range []bool{false, true} {
								fill := smallIntegers(rng)
								a, b, c := la.matrices(s.M, s.K, s, fill), lb.matrices(s.K, s.N, s, fill), lc.matrices(s.M, s.N, s, fill)
								want, _ := reference(c, a, b, s, add)
								e.Mul(c, a, b, s, add)
								if at := firstDifference(c.Data, want); at >= 0 {
									t.Fatalf("%+v, A %s, B %s, C %s, add %v: element %d is %v, want %v",
										s, la.name, lb.name, lc.name, add, at, c.Data[at], want[at])
								}
							}
						}
					}
				}
			}
		}
	})
}

func TestHeightsAndWidthsOfTiles(t *testing.T) {
	onEngines(t, 1, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(3, 4))
		for m := 1; m <= 30; m++ {
			for _, n := range []int{1, 15, 16, 17, 31, 32, 33, 63, 64, 65} {
				for _, k := range []int{1, 3, 4, 5, 9} {
					s := Size{M: m, N: n, K: k, Outer: 1, Inner: 1}
					fill := smallIntegers(rng)
					a, b, c := normal.matrices(m, k, s, fill), transposed.matrices(k, n, s, fill), normal.matrices(m, n, s, fill)
					want, _ := reference(c, a, b, s, true)
					e.Mul(c, a, b, s, true)
					if at := firstDifference(c.Data, want); at >= 0 {
						t.Fatalf("%+v: element %d is %v, want %v", s, at, c.Data[at], want[at])
					}
				}
			}
		}
	})
}

// unitRoundoff is half the distance from 1 to the next float32.
const unitRoundoff = 1.0 / (1 << 24)

// A sum of n rounded terms errs by at most about n·u·Σ|terms| in any order (Higham, Accuracy and Stability of Numerical
// Algorithms, 2nd edition 2002, section 4.2); one more for the rounding of the products, one for adding to C.
func roundingBound(k int, size float64) float64 { return float64(k+2) * unitRoundoff * size }

func TestMulRoundsAsItMay(t *testing.T) {
	sizes := []Size{
		{M: 128, N: 64, K: 128, Outer: 2, Inner: 2},
		{M: 65, N: 127, K: 515, Outer: 1, Inner: 1},
		{M: 31, N: 513, K: 1025, Outer: 1, Inner: 1},
		{M: 200, N: 257, K: 64, Outer: 1, Inner: 1},
		{M: 1201, N: 20, K: 30, Outer: 1, Inner: 1}, // columns of Aᵀ far enough apart to be copied
	}
	onEngines(t, 2, func(t *testing.T, e *Engine) {
		rng := rand.New(rand.NewPCG(5, 6))
		fill := func() float32 { return float32(rng.NormFloat64()) }
		for _, s := range sizes {
			for _, la := range []layout{normal, transposed} {
				for _, lb := range []layout{normal, transposed} {
					a, b, c := la.matrices(s.M, s.K, s, fill), lb.matrices(s.K, s.N, s, fill), normal.matrices(s.M, s.N, s, fill)
					want, bound := reference(c, a, b, s, true)
					e.Mul(c, a, b, s, true)
					for i := range want {
						if diff := math.Abs(float64(c.Data[i]) - float64(want[i])); !(diff <= roundingBound(s.K, bound[i])) {
							t.Fatalf("%+v, A %s, B %s: element %d is %v, want %v", s, la.name, lb.name, i, c.Data[i], want[i])
						}
					}
				}
			}
		}
	})
}

func TestThreadsDoNotChangeABit(t *testing.T) {
	sizes := []Size{
		{M: 1, N: 1000, K: 600, Outer: 1, Inner: 1},
		{M: 130, N: 300, K: 700, Outer: 1, Inner: 1},
		{M: 64, N: 70, K: 33, Outer: 1, Inner: 3},
		{M: 300, N: 17, K: 1100, Outer: 1, Inner: 1},
	}
	for _, s := range sizes {
		results := map[string][]float32{}
		for threads := 1; threads <= 3; threads++ {
			onEngines(t, threads, func(t *testing.T, e *Engine) {
				rng := rand.New(rand.NewPCG(7, 8))
				fill := func() float32 { return float32(rng.NormFloat64()) }
				a, b, c := normal.matrices(s.M, s.K, s, fill), transposed.matrices(s.K, s.N, s, fill), normal.matrices(s.M, s.N, s, fill)
				e.Mul(c, a, b, s, true)
				key := fmt.Sprint(e.tile.rows, e.tile.cols)
				if threads == 1 {
					results[key] = c.Data
				} else if at := firstDifference(c.Data, results[key]); at >= 0 {
					t.Errorf("%+v: element %d is %v on %d threads and %v on one", s, at, c.Data[at], threads, results[key][at])
				}
			})
		}
	}
}

func TestFLOPsAreCountedExactly(t *testing.T) {
	p := pool.New(1)
	defer p.Close()
	e := New(p, isa.Best())
	zero := func() float32 { return 0 }
	s := Size{M: 3, N: 5, K: 7, Outer: 2, Inner: 4}
	a, b, c := normal.matrices(3, 7, s, zero), normal.matrices(7, 5, s, zero), transposed.matrices(3, 5, s, zero)
	e.Mul(c, a, b, s, false)
	e.Mul(c, a, b, Size{M: 3, N: 5, K: 7}, false)
	// 2·3·5·7 = 210 for a product: eight in the batch and one alone.
	if want := int64(9 * 210); e.FLOPs != want {
		t.Errorf("%d FLOPs, want %d", e.FLOPs, want)
	}
}

func TestMulAllocatesNothing(t *testing.T) {
	onEngines(t, 2, func(t *testing.T, e *Engine) {
		s := Size{M: 50, N: 70, K: 30, Outer: 2, Inner: 2}
		fill := func() float32 { return 1 }
		a, b, c := normal.matrices(50, 30, s, fill), transposed.matrices(30, 70, s, fill), normal.matrices(50, 70, s, fill)
		if got := testing.AllocsPerRun(20, func() { e.Mul(c, a, b, s, true) }); got != 0 {
			t.Errorf("%v allocations per product, want 0", got)
		}
	})
}

func TestNaNStaysInItsRowAndColumn(t *testing.T) {
	onEngines(t, 1, func(t *testing.T, e *Engine) {
		s := Size{M: 15, N: 33, K: 9, Outer: 1, Inner: 1}
		one := func() float32 { return 1 }
		a, b, c := normal.matrices(s.M, s.K, s, one), normal.matrices(s.K, s.N, s, one), padded.matrices(s.M, s.N, s, one)
		*a.at(0, 0, 14, 3) = float32(math.NaN())
		*b.at(0, 0, 2, 32) = float32(math.NaN())
		e.Mul(c, a, b, s, false)
		for i := range s.M {
			for j := range s.N {
				if got, want := math.IsNaN(float64(*c.at(0, 0, i, j))), i == 14 || j == 32; got != want {
					t.Fatalf("element (%d, %d): NaN %v, want %v", i, j, got, want)
				}
			}
		}
	})
}

func TestMisusePanics(t *testing.T) {
	p := pool.New(1)
	defer p.Close()
	e := New(p, isa.Generic)
	data := make([]float32, 12)
	m34, m43, m33 := RowMajor(data, 4), RowMajor(data, 3), RowMajor(make([]float32, 9), 3)
	cases := map[string]func(){
		"negative extent": func() { e.Mul(m33, m34, m43, Size{M: -1, N: 3, K: 4}, false) },
		"negative stride": func() { e.Mul(m33, RowMajor(data, -4), m43, Size{M: 3, N: 3, K: 4}, false) },
		"short A":         func() { e.Mul(m33, RowMajor(data[:11], 4), m43, Size{M: 3, N: 3, K: 4}, false) },
		"short batch":     func() { e.Mul(m33, m34, m43.Batch(0, 1), Size{M: 3, N: 3, K: 4, Inner: 2}, false) },
		"scattered C":     func() { e.Mul(Matrix{Data: data, Row: 3, Col: 2}, m34, m43, Size{M: 2, N: 2, K: 2}, false) },
		"no such path":    func() { New(p, isa.Best()+1) },
	}
	for name, misuse := range cases {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			misuse()
		})
	}
}

// firstDifference returns the first index at which two slices differ in a bit, or −1.
func firstDifference(got, want []float32) int {
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) && got[i] != want[i] {
			return i
		}
	}
	return -1
}
