package gemm

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
)

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
		{M: 29, N: 47, K: 17},
		{M: 1, N: 300, K: 40},
		{M: 130, N: 3, K: 20},
		{M: 5, N: 9, K: 1031},
		{M: 40, N: 64, K: 0},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	all := engines(t, 2)
	check := func(s Size, la, lb, lc layout, add bool) {
		p := newProblem(s, la, lb, lc, add, smallIntegers(rng))
		for i, e := range all {
			got := p.run(e)
			if at := firstDifference(got, p.want); at >= 0 {
				t.Fatalf("%s on %s: element %d is %v, want %v", p.name, isa.Supported()[i], at,
					got[at], p.want[at])
			}
		}
	}
	for _, s := range sizes {
		for _, la := range operandForms {
			for _, lb := range operandForms {
				for _, lc := range resultForms {
					s.Outer, s.Inner = 1, 1
					check(s, la, lb, lc, false)
					check(s, la, lb, lc, true)
					s.Outer, s.Inner = 2, 3
					check(s, la, lb, lc, true)
				}
			}
		}
	}
}

func TestHeightsAndWidthsOfTiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	all := engines(t, 1)
	for m := 1; m <= 30; m++ {
		for _, n := range []int{1, 15, 16, 17, 31, 32, 33, 63, 64, 65} {
			for _, k := range []int{1, 3, 4, 5, 9} {
				p := newProblem(Size{M: m, N: n, K: k, Outer: 1, Inner: 1}, normal, transposed,
					normal, true, smallIntegers(rng))
				for i, e := range all {
					got := p.run(e)
					if at := firstDifference(got, p.want); at >= 0 {
						t.Fatalf("%s on %s: element %d is %v, want %v", p.name, isa.Supported()[i],
							at, got[at], p.want[at])
					}
				}
			}
		}
	}
}

// unitRoundoff is half the distance from 1 to the next float32.
const unitRoundoff = 1.0 / (1 << 24)

// A sum of n rounded terms errs by at most about n·u·Σ|terms| in any order (Higham, Accuracy and
// Stability of Numerical Algorithms, 2nd edition 2002, section 4.2); one more for the rounding of
// the products, one for adding to C.
func roundingBound(k int, size float64) float64 { return float64(k+2) * unitRoundoff * size }

func TestMulRoundsAsItMay(t *testing.T) {
	sizes := []Size{
		{M: 128, N: 64, K: 128, Outer: 2, Inner: 2},
		{M: 65, N: 127, K: 515, Outer: 1, Inner: 1},
		{M: 15, N: 513, K: 1025, Outer: 1, Inner: 1},
		{M: 200, N: 257, K: 64, Outer: 1, Inner: 1},
		{M: 1201, N: 20, K: 30, Outer: 1, Inner: 1}, // columns of Aᵀ far enough apart to be copied
	}
	rng := rand.New(rand.NewPCG(5, 6))
	fill := func() float32 { return float32(rng.NormFloat64()) }
	all := engines(t, 2)
	check := func(s Size, la, lb layout) {
		p := newProblem(s, la, lb, normal, true, fill)
		for i, e := range all {
			for at, got := range p.run(e) {
				if diff := math.Abs(float64(got) - float64(p.want[at])); !(diff <= roundingBound(s.K, p.bound[at])) {
					t.Fatalf("%s on %s: element %d is %v, want %v", p.name, isa.Supported()[i], at,
						got, p.want[at])
				}
			}
		}
	}
	for _, s := range sizes {
		for _, form := range []layout{normal, transposed} {
			check(s, form, normal)
			check(s, form, transposed)
		}
	}
}

func TestThreadsDoNotChangeABit(t *testing.T) {
	sizes := []Size{
		{M: 1, N: 1000, K: 600, Outer: 1, Inner: 1},
		{M: 130, N: 300, K: 700, Outer: 1, Inner: 1},
		{M: 64, N: 70, K: 33, Outer: 1, Inner: 3},
		{M: 300, N: 17, K: 1100, Outer: 1, Inner: 1},
	}
	rng := rand.New(rand.NewPCG(7, 8))
	fill := func() float32 { return float32(rng.NormFloat64()) }
	for _, s := range sizes {
		p := newProblem(s, normal, transposed, normal, true, fill)
		var alone [][]float32
		for _, e := range engines(t, 1) {
			alone = append(alone, p.run(e))
		}
		for threads := 2; threads <= 3; threads++ {
			for i, e := range engines(t, threads) {
				for at, got := range p.run(e) {
					if want := alone[i][at]; math.Float32bits(got) != math.Float32bits(want) {
						t.Fatalf("%+v on %s: element %d is %v on %d threads and %v on one", s,
							isa.Supported()[i], at, got, threads, want)
					}
				}
			}
		}
	}
}

func TestFLOPsAreCountedExactly(t *testing.T) {
	p := pool.New(1)
	defer p.Close()
	e := New(p, isa.Best())
	zero := func() float32 { return 0 }
	s := Size{M: 3, N: 5, K: 7, Outer: 2, Inner: 4}
	a, b, c := normal.matrices(3, 7, s, zero), normal.matrices(7, 5, s, zero),
		transposed.matrices(3, 5, s, zero)
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
		a, b, c := normal.matrices(50, 30, s, fill), transposed.matrices(30, 70, s, fill),
			normal.matrices(50, 70, s, fill)
		if got := testing.AllocsPerRun(20, func() { e.Mul(c, a, b, s, true) }); got != 0 {
			t.Errorf("%v allocations per product, want 0", got)
		}
	})
}

func TestNaNStaysInItsRowAndColumn(t *testing.T) {
	onEngines(t, 1, func(t *testing.T, e *Engine) {
		s := Size{M: 15, N: 33, K: 9, Outer: 1, Inner: 1}
		one := func() float32 { return 1 }
		a, b, c := normal.matrices(s.M, s.K, s, one), normal.matrices(s.K, s.N, s, one),
			padded.matrices(s.M, s.N, s, one)
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
