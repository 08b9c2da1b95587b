// Package vec is the vector work of the training kernel: everything of a T5 step that is not a matrix product.
//
// A Set holds the routines of one instruction path (package isa). All data are float32 in row-major slices owned by the caller;
// sums that decide something (losses, norms, the normalisers of a softmax) are carried in float64. Nothing is allocated by the
// row routines, and none starts a goroutine: the caller splits rows or blocks over its workers.
//
// # Results do not depend on the split
//
// A routine that works row by row gives each row the same bits wherever its block starts. Where rows are reduced (the gradient
// of a norm's weight, a sum of squares, a loss) the package defines fixed blocks, writes one partial result a block or a row,
// and adds them in their order; the caller must cut at multiples of NormBlock rows or SquaresBlock elements. Different paths
// differ in the last bits: vector lanes are added in another order, and plain Go does not fuse multiplication with addition.
//
// # Values that are not finite
//
// NaN and +Inf in a row of a softmax or a loss make that row NaN and leave all others alone. Masked elements (see Masked) get
// probability 0, and a row of nothing else is all zeros. NonFinite reports where a buffer went wrong.
//
// # Assembly
//
// The AVX2 and AVX-512 routines are written by the generator in the module gen; a test regenerates them and compares bytes.
// Each has a twin in plain Go (twin_*.go), which is its oracle in tests and the fallback on other processors and under the
// build tag purego.
//
//go:generate sh -c "cd gen && go run . -isa avx2 -out ../avx2_amd64.s -stubs ../avx2_amd64.go -pkg vec"
//go:generate sh -c "cd gen && go run . -isa avx512 -out ../avx512_amd64.s -stubs ../avx512_amd64.go -pkg vec"
package vec
