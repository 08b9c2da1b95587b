package gemm

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
)

// Engine multiplies on one pool with one instruction path. It owns its packing buffers, about 0.8
// MB a thread, and allocates nothing after New. One goroutine may use it at a time.
type Engine struct {
	// FLOPs counts what Mul executed, 2·M·N·K for each matrix of a batch, whatever the tiles
	// padded. Callers may reset it.
	FLOPs int64

	pool    *pool.Pool
	tile    tile
	scratch []scratch // one a worker
	// the method value of run; made once, so that Mul allocates nothing
	task func(worker, id int)
	job  job
}

// job is the product in hand.
type job struct {
	c, a, b Matrix
	size    Size
	add     bool
	plan    plan
	copyA   bool
}

// New returns an engine whose loops run on p. It panics if the path cannot run on this machine:
// choose it with isa.Choose.
func New(p *pool.Pool, path isa.Path) *Engine {
	if path > isa.Best() {
		panic(fmt.Sprintf("gemm: path %s on a machine whose best is %s", path, isa.Best()))
	}
	e := &Engine{pool: p, tile: tileOf(path)}
	e.task = e.run
	for range p.Threads() {
		e.scratch = append(e.scratch, newScratch(e.tile))
	}
	return e
}

// Mul computes C = A·B, and C += A·B where add is set, for every matrix of the batch. Rows or
// columns of C must be contiguous (Row or Col is 1), C must not overlap A or B, and the matrices of
// C must not overlap each other. It panics if a view reaches beyond its data. With K = 0 the
// product is zero.
func (e *Engine) Mul(c, a, b Matrix, s Size, add bool) {
	s.check()
	s = s.batched()
	if s.M == 0 || s.N == 0 || s.Outer == 0 || s.Inner == 0 {
		return
	}
	c.check("C", s.M, s.N, s)
	a.check("A", s.M, s.K, s)
	b.check("B", s.K, s.N, s)
	if c.Col != 1 {
		if c.Row != 1 {
			panic(fmt.Sprintf("gemm: C has row stride %d and column stride %d, want one of them 1",
				c.Row, c.Col))
		}
		// Cᵀ = Bᵀ·Aᵀ has contiguous rows.
		c, a, b = c.T(), b.T(), a.T()
		s.M, s.N = s.N, s.M
	}
	e.FLOPs += 2 * int64(s.M) * int64(s.N) * int64(s.K) * int64(s.Outer) * int64(s.Inner)
	e.job = job{c: c, a: a, b: b, size: s, add: add, plan: planFor(s, e.tile, e.pool.Threads())}
	e.job.copyA = e.tile.copyA != nil && a.Row == 1 && a.Col >= e.tile.copyFrom
	e.pool.ForWorker(e.job.plan.tasks(), e.task)
	e.job = job{}
}

// run computes one task: a block of rows and columns of one matrix of the batch.
func (e *Engine) run(worker, id int) {
	j := &e.job
	block := j.plan.block(id)
	w := &e.scratch[worker]
	outer, inner := block.matrix/j.size.Inner, block.matrix%j.size.Inner
	c := j.c.Data[outer*j.c.Outer+inner*j.c.Inner:]
	if j.size.K == 0 {
		if !j.add {
			for i := block.row; i < block.row+block.rows; i++ {
				clear(c[i*j.c.Row+block.col:][:block.cols])
			}
		}
		return
	}
	a := j.a.Data[outer*j.a.Outer+inner*j.a.Inner:]
	b := j.b.Data[outer*j.b.Outer+inner*j.b.Inner:]
	for k := range j.plan.depths {
		k0, k1 := j.plan.depth(k)
		w.packB(e.tile, b[k0*j.b.Row+block.col*j.b.Col:], j.b.Row, j.b.Col, k1-k0, block.cols)
		e.multiply(w, block, a[k0*j.a.Col:], c, k1-k0, j.add || k > 0)
	}
}

// multiply adds the product of one depth block to the block of C, or stores it there. a starts at
// row 0 of the depth block, c at row and column 0 of its matrix.
func (e *Engine) multiply(w *scratch, block block, a, c []float32, depth int, add bool) {
	j := &e.job
	t := e.tile
	tiles := (block.rows + t.rows - 1) / t.rows
	full, edge := block.cols/t.cols, block.cols%t.cols
	rowStride, colStride := j.a.Row, j.a.Col
	copied, end := 0, 0 // rows of the block in the copy
	for i := range tiles {
		r0, r1 := even(block.rows, tiles, i)
		if j.copyA && r1 > end {
			_, end = even(block.rows, tiles, min(i+copiedTiles, tiles)-1)
			copied = r0
			rowStride, colStride = t.copyA(w.a, a[block.row+r0:], j.a.Col, end-r0, depth)
		}
		var from []float32
		if j.copyA {
			from = w.a[(r0-copied)*rowStride:]
		} else {
			from = a[(block.row+r0)*j.a.Row:]
		}
		to := c[(block.row+r0)*j.c.Row+block.col:]
		if full > 0 {
			t.kernel(r1-r0, depth, from, rowStride, colStride, w.b, to, j.c.Row, full, add)
		}
		if edge > 0 {
			t.kernel(r1-r0, depth, from, rowStride, colStride, w.b[full*depth*t.cols:], w.c, t.cols,
				1, false)
			copyEdge(to[full*t.cols:], j.c.Row, w.c, t.cols, r1-r0, edge, add)
		}
	}
}

// copyEdge stores or adds the valid columns of a padded tile.
func copyEdge(c []float32, stride int, from []float32, width, rows, cols int, add bool) {
	for i := range rows {
		dst, src := c[i*stride:][:cols], from[i*width:][:cols]
		if !add {
			copy(dst, src)
			continue
		}
		for k, v := range src {
			dst[k] += v
		}
	}
}
