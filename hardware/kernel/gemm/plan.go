package gemm

// Extents of the blocks that one worker holds in its caches: B packed is maxDepth×maxColumns, 512
// KB, half of a 1 MB L2.
const (
	maxDepth   = 512
	maxColumns = 256
)

// tasksPerThread leaves the pool something to balance with when one core is slower or is taken away
// for a moment.
const tasksPerThread = 2

// minColumns is the narrowest split of columns: below it, reading a row of A costs as much as using
// it.
const minColumns = 128

// plan says how a product is cut into tasks. Only depths, which orders the sums, bears on the
// result, and it depends on K alone.
type plan struct {
	size                    Size
	rowBlocks, columnBlocks int
	depths                  int // blocks of the inner dimension, each up to maxDepth
	width                   int // of the register tile: column blocks are multiples of it
}

// block is one task: rows × cols of C at (row, col) of a matrix of the batch.
type block struct {
	matrix    int
	row, rows int
	col, cols int
}

func planFor(s Size, t tile, threads int) plan {
	p := plan{size: s, width: t.cols, rowBlocks: 1}
	p.depths = ceil(s.K, maxDepth)
	panels := ceil(s.N, t.cols)
	p.columnBlocks = ceil(panels*t.cols, maxColumns)
	wanted := threads * tasksPerThread
	if threads == 1 {
		wanted = 1
	}
	if have := s.Outer * s.Inner * p.columnBlocks; have < wanted && have%threads != 0 || have < threads {
		// Columns first: each column of B is still packed once. Rows after that: each row block
		// packs B again.
		most := max(p.columnBlocks, panels*t.cols/minColumns)
		p.columnBlocks = min(most, p.columnBlocks*ceil(wanted, have))
		have = s.Outer * s.Inner * p.columnBlocks
		if have < wanted {
			p.rowBlocks = min(ceil(wanted, have), ceil(s.M, 2*t.rows))
		}
	}
	return p
}

func (p plan) tasks() int { return p.size.Outer * p.size.Inner * p.rowBlocks * p.columnBlocks }

// block returns a task by its number; row blocks of one column block follow each other.
func (p plan) block(id int) block {
	r := id % p.rowBlocks
	id /= p.rowBlocks
	q := id % p.columnBlocks
	id /= p.columnBlocks
	row, rowEnd := even(p.size.M, p.rowBlocks, r)
	first, end := even(ceil(p.size.N, p.width), p.columnBlocks, q)
	col, colEnd := first*p.width, min(end*p.width, p.size.N)
	return block{matrix: id, row: row, rows: rowEnd - row, col: col, cols: colEnd - col}
}

// depth returns the bounds of block k of the inner dimension.
func (p plan) depth(k int) (from, to int) { return even(p.size.K, p.depths, k) }

// even returns the bounds of part i of n things dealt into parts that differ by at most one.
func even(n, parts, i int) (from, to int) {
	size, extra := n/parts, n%parts
	from = i*size + min(i, extra)
	to = from + size
	if i < extra {
		to++
	}
	return from, to
}

func ceil(n, d int) int { return (n + d - 1) / d }
