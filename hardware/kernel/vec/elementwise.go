package vec

// SquaresBlock is how many elements share one partial sum in SquaresBlocks.
const SquaresBlock = 1 << 16

// Add adds a to dst. The slices have one length.
func (s *Set) Add(dst, a []float32) { s.k.add(dst, exactly(a, len(dst))) }

// Scale multiplies x by f.
func (s *Set) Scale(x []float32, f float32) { s.k.scale(x, f) }

// AddColumns adds every row of m, in order, to dst; the rows have the length of dst.
func (s *Set) AddColumns(dst, m []float32) {
	for range rowsOf(m, len(dst)) {
		s.k.add(dst, m[:len(dst)])
		m = m[len(dst):]
	}
}

// SquaresBlocks writes to sums the sum of squares of each SquaresBlock elements of x, the last
// block perhaps shorter. The length of sums must be that number of blocks.
func (s *Set) SquaresBlocks(sums []float64, x []float32) {
	sums = exactly(sums, (len(x)+SquaresBlock-1)/SquaresBlock)
	for i := range sums {
		sums[i] = s.k.sumSquares(x[i*SquaresBlock : min(len(x), (i+1)*SquaresBlock)])
	}
}

// finiteBlock is how many elements NonFinite looks at before it decides where to look closer.
const finiteBlock = 1 << 12

// NonFinite returns the index of the first element of x that is NaN or infinite, −1 if all are
// finite.
func (s *Set) NonFinite(x []float32) int {
	for at := 0; at < len(x); at += finiteBlock {
		block := x[at:min(len(x), at+finiteBlock)]
		if s.k.poison(block) == 0 {
			continue
		}
		for i, v := range block {
			if v-v != 0 {
				return at + i
			}
		}
	}
	return -1
}
