package kernel

import (
	"math"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/vec"
)

// gradientNorm is the norm of all gradients. The squares of a matrix are summed right behind the
// product that makes it, while it lies in a cache; reading all gradients once more at the end would
// cost a few percent of a step.
type gradientNorm struct {
	parts   []*squares
	watched map[int]bool // tensors by offset
	rest    []*squares   // what no product completes: small tensors, and the token table
}

// squares is the sum of squares of one stretch of the flat gradient, in blocks that do not depend
// on the threads.
type squares struct {
	sums []float64
	run  func()
}

func (m *Model) squaresOf(gradient []float32) *squares {
	s := &squares{sums: make([]float64, (len(gradient)+vec.SquaresBlock-1)/vec.SquaresBlock)}
	s.run = m.parallel(len(gradient), vec.SquaresBlock, func(lo, hi int) {
		m.vec.SquaresBlocks(s.sums[lo/vec.SquaresBlock:][:1], gradient[lo:hi])
	}).run
	m.norm.parts = append(m.norm.parts, s)
	return s
}

// watch returns the squares of neighbouring tensors, which the one that completes them must run.
func (m *Model) watch(l linear) *squares {
	for n := range m.Tensors {
		if at := m.Tensors[n].offset; at >= l.offset && at < l.offset+len(l.gradient) {
			m.norm.watched[at] = true
		}
	}
	return m.squaresOf(l.gradient)
}

// watchRest takes the tensors that nobody watches.
func (m *Model) watchRest() {
	for n := range m.Tensors {
		if t := &m.Tensors[n]; !m.norm.watched[t.offset] {
			m.norm.rest = append(m.norm.rest, m.squaresOf(t.Gradient))
		}
	}
}

// value returns the norm once the backward pass is through.
func (g *gradientNorm) value() float64 {
	for _, s := range g.rest {
		s.run()
	}
	var sum float64
	for _, s := range g.parts {
		for _, part := range s.sums {
			sum += part
		}
	}
	return math.Sqrt(sum)
}
