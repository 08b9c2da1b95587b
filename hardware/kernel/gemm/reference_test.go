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

// engines returns one engine for each path of this machine, closed with the test.
func engines(t *testing.T, threads int) []*Engine {
	t.Helper()
	p := pool.New(threads)
	t.Cleanup(p.Close)
	var all []*Engine
	for _, path := range isa.Supported() {
		all = append(all, New(p, path))
	}
	return all
}

// onEngines runs a test on an engine for each path that this machine has.
func onEngines(t *testing.T, threads int, test func(t *testing.T, e *Engine)) {
	t.Helper()
	for i, e := range engines(t, threads) {
		t.Run(isa.Supported()[i].String(), func(t *testing.T) { test(t, e) })
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

// matrices returns a batch of matrices in a layout, all elements filled, also those between and
// after the matrices.
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

// reference is the product by its definition, in float64, with the sum of the absolute values of
// its terms in bound. Elements of C's data that belong to no matrix stay as they are.
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
					x, y := p*a.Outer+q*a.Inner+i*a.Row, p*b.Outer+q*b.Inner+j*b.Col
					if add {
						sum = float64(*dst)
						size = math.Abs(sum)
					}
					for k := range s.K {
						term := float64(a.Data[x+k*a.Col]) * float64(b.Data[y+k*b.Row])
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

// problem is a product with its answer.
type problem struct {
	name    string
	size    Size
	c, a, b Matrix
	add     bool
	want    []float32
	bound   []float64 // sum of the absolute values of the terms of each element
}

func newProblem(s Size, la, lb, lc layout, add bool, fill func() float32) problem {
	p := problem{size: s, add: add}
	p.name = fmt.Sprintf("%+v, A %s, B %s, C %s, add %v", s, la.name, lb.name, lc.name, add)
	p.a, p.b, p.c = la.matrices(s.M, s.K, s, fill), lb.matrices(s.K, s.N, s, fill),
		lc.matrices(s.M, s.N, s, fill)
	p.want, p.bound = reference(p.c, p.a, p.b, s, add)
	return p
}

// run returns all of C's data after the product.
func (p problem) run(e *Engine) []float32 {
	c := p.c
	c.Data = slices.Clone(c.Data)
	e.Mul(c, p.a, p.b, p.size, p.add)
	return c.Data
}

// smallIntegers fills with −4 … 4: sums of up to a million products are integers below 2²⁴ and
// exact in float32 in any order, so that results must equal the reference to the last bit.
func smallIntegers(rng *rand.Rand) func() float32 {
	return func() float32 { return float32(rng.IntN(9) - 4) }
}

// firstDifference returns the first index at which two slices differ, or −1.
func firstDifference(got, want []float32) int {
	for i := range want {
		if got[i] != want[i] {
			return i
		}
	}
	return -1
}
