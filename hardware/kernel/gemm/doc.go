// Package gemm multiplies single-precision matrices: C = A·B or C += A·B, over strided views and
// batches of them.
//
// Views carry a row and a column stride, so that a transposed operand is the same data seen with
// its strides swapped (Matrix.T); the usual NN, NT and TN products are calls of one method,
// Engine.Mul.
//
// # Method
//
// A product is cut into tasks, each a block of rows × columns of C over the whole of the inner
// dimension, which workers of a pool take. A task walks the inner dimension in blocks. For each it
// packs its columns of B into panels as wide as the register tile, zero-padded at the edge, and
// then computes C one register tile at a time, reading A in place whatever its strides (but see
// tile.copyFrom). The tile is 14×32 with AVX-512, 6×16 with AVX2, and 8×6 in
// plain Go; the assembly has a variant for every smaller height, so that rows are split evenly and
// none is padded.
//
// # Determinism
//
// Every element of C is the sum, over the blocks of the inner dimension, of one chain of
// multiply-adds in index order. The blocks depend only on the length of the inner dimension. How
// rows and columns are dealt out therefore cannot change a bit of the result, and neither can the
// number of threads. Instruction paths do differ from each other in rounding.
//
// Blocking after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM
// TOMS 34(3), 2008, section 4, and Van Zee and van de Geijn, "BLIS: A Framework for Rapidly
// Instantiating BLAS Functionality", ACM TOMS 41(3), 2015, section 5.
package gemm

//go:generate go run -C gen . ../..
