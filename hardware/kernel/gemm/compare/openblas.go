package main

/*
#cgo LDFLAGS: -lopenblas
#include <cblas.h>

// multiply runs the products of part of a batch: those of the outer indices from first to last−1.
static void multiply(int first, int last, int inner, int transA, int transB, int m, int n, int k,
		float *a, int lda, long aOuter, long aInner, float *b, int ldb, long bOuter, long bInner,
		float *c, int ldc, long cOuter, long cInner) {
	for (long p = first; p < last; p++)
		for (long q = 0; q < inner; q++)
			cblas_sgemm(CblasRowMajor, transA ? CblasTrans : CblasNoTrans,
				transB ? CblasTrans : CblasNoTrans, m, n, k, 1,
				a + p * aOuter + q * aInner, lda, b + p * bOuter + q * bInner, ldb, 0, c + p * cOuter + q * cInner, ldc);
}
*/
import "C"

import (
	"github.com/deepnarrow/deepnarrow/hardware/kernel/gemm"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/gemm/internal/cases"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
)

// openBLAS runs a case with OpenBLAS in two ways, of which the faster counts: on its own threads,
// one product after the other, or, for a batch, on one thread for each part of the batch.
type openBLAS struct{ pool *pool.Pool }

// config returns the version, and the core type that OpenBLAS chose its kernels for.
func (openBLAS) config() string {
	return C.GoString(C.openblas_get_config()) + " " + C.GoString(C.openblas_get_corename())
}

// threaded leaves the threads to OpenBLAS.
func (o openBLAS) threaded(k cases.Case, c, a, b gemm.Matrix) func() {
	threads := C.int(o.pool.Threads())
	return func() {
		C.openblas_set_num_threads(threads)
		part(k, c, a, b, 0, k.Size.Outer)
	}
}

// split gives each thread a part of the batch.
func (o openBLAS) split(k cases.Case, c, a, b gemm.Matrix) func() {
	threads := o.pool.Threads()
	body := func(i int) { part(k, c, a, b, k.Size.Outer*i/threads, k.Size.Outer*(i+1)/threads) }
	return func() {
		C.openblas_set_num_threads(1)
		o.pool.For(threads, body)
	}
}

func part(k cases.Case, c, a, b gemm.Matrix, first, last int) {
	s := k.Size
	C.multiply(C.int(first), C.int(last), C.int(s.Inner), cBool(k.TransA), cBool(k.TransB),
		C.int(s.M), C.int(s.N), C.int(s.K),
		(*C.float)(&a.Data[0]), leading(a), C.long(a.Outer), C.long(a.Inner),
		(*C.float)(&b.Data[0]), leading(b), C.long(b.Outer), C.long(b.Inner),
		(*C.float)(&c.Data[0]), leading(c), C.long(c.Outer), C.long(c.Inner))
}

func leading(m gemm.Matrix) C.int { return C.int(max(m.Row, m.Col)) }

func cBool(set bool) C.int {
	if set {
		return 1
	}
	return 0
}
