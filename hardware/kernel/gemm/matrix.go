package gemm

import "fmt"

// Matrix is a strided view of one matrix, or of a two-level batch of equally laid out matrices,
// such as sequences × heads. Element (i, j) of the matrix (p, q) of the batch is Data[p·Outer +
// q·Inner + i·Row + j·Col].
type Matrix struct {
	Data     []float32
	Row, Col int // elements from one row, or column, to the next
	// Elements from one matrix of the batch to the next, at its two levels; 0 where all share one
	// matrix.
	Outer, Inner int
}

// RowMajor returns the view of a matrix stored row by row with the given leading dimension.
func RowMajor(data []float32, leading int) Matrix {
	return Matrix{Data: data, Row: leading, Col: 1}
}

// T returns the view of the same data with rows and columns exchanged.
func (m Matrix) T() Matrix {
	m.Row, m.Col = m.Col, m.Row
	return m
}

// Batch returns the view with the given distances between the matrices of a batch.
func (m Matrix) Batch(outer, inner int) Matrix {
	m.Outer, m.Inner = outer, inner
	return m
}

// Size gives the extents of a product: C is M×N, A is M×K, B is K×N, for each of Outer × Inner
// matrices of a batch.
type Size struct {
	M, N, K      int
	Outer, Inner int // 0 means 1
}

func (s Size) batched() Size {
	if s.Outer == 0 {
		s.Outer = 1
	}
	if s.Inner == 0 {
		s.Inner = 1
	}
	return s
}

func (s Size) check() {
	if s.M < 0 || s.N < 0 || s.K < 0 || s.Outer < 0 || s.Inner < 0 {
		panic(fmt.Sprintf("gemm: negative extent in %+v", s))
	}
}

// check panics unless every element of the rows×cols matrices of the batch lies in the data.
func (m Matrix) check(name string, rows, cols int, s Size) {
	if m.Row < 0 || m.Col < 0 || m.Outer < 0 || m.Inner < 0 {
		panic(fmt.Sprintf("gemm: negative stride of %s: row %d, column %d, batch %d and %d", name,
			m.Row, m.Col, m.Outer, m.Inner))
	}
	if rows == 0 || cols == 0 {
		return
	}
	last := (s.Outer-1)*m.Outer + (s.Inner-1)*m.Inner + (rows-1)*m.Row + (cols-1)*m.Col
	if last >= len(m.Data) {
		panic(
			fmt.Sprintf(
				"gemm: %s has %d elements, its %d×%d view in a batch of %d×%d reaches index %d",
				name, len(m.Data), rows, cols, s.Outer, s.Inner, last))
	}
}
