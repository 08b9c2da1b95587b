// Package cases lists the products that gemm is judged by: those of a training step of two T5
// shapes, and a large square. The benchmarks and the comparison with another library run the same
// list.
package cases

import "github.com/deepnarrow/deepnarrow/hardware/kernel/gemm"

// Case is one product, forward (NN, or NT for a tied head) or backward (NT for the input, TN for
// the weights).
type Case struct {
	Name   string
	Size   gemm.Size
	TransA bool // A is stored as K×M
	TransB bool // B is stored as N×K
	Heads  Heads
}

// Heads says which operands of a batch, one matrix a sequence and head, are interleaved: a row of a
// sequence holds all heads. The others are stored one matrix after the other.
type Heads struct{ A, B, C bool }

// FLOPs returns the FLOPs of the case, a multiply-add counted as 2.
func (c Case) FLOPs() float64 {
	s := c.Size
	return 2 * float64(s.M) * float64(s.N) * float64(s.K) * float64(s.Outer) * float64(s.Inner)
}

// The two shapes: A has d_model 256, d_ff 1024, 4 heads and batches of 8 sequences; B has d_model
// 512, d_ff 2048, 8 heads and batches of 4. Both have d_kv 64, 128 encoder and 32 decoder positions
// and a vocabulary of 32128.
const (
	positions = 128
	headWidth = 64
	words     = 32128
)

// All returns the cases.
func All() []Case {
	one := func(m, n, k int) gemm.Size { return gemm.Size{M: m, N: n, K: k, Outer: 1, Inner: 1} }
	heads := func(m, n, k int) gemm.Size { return gemm.Size{M: m, N: n, K: k, Outer: 8, Inner: 4} }
	return []Case{
		{Name: "square1024-NN", Size: one(1024, 1024, 1024)},
		{Name: "projection-A-NN", Size: one(1024, 256, 256)},
		{Name: "projection-A-NT", Size: one(1024, 256, 256), TransB: true},
		{Name: "projection-A-TN", Size: one(256, 256, 1024), TransA: true},
		{Name: "ffn-A-NN", Size: one(1024, 1024, 256)},
		{Name: "ffn-A-NT", Size: one(1024, 256, 1024), TransB: true},
		{Name: "ffn-A-TN", Size: one(256, 1024, 1024), TransA: true},
		{Name: "ffn-B-NN", Size: one(512, 2048, 512)},
		{Name: "ffn-B-NT", Size: one(512, 512, 2048), TransB: true},
		{Name: "ffn-B-TN", Size: one(512, 2048, 512), TransA: true},
		{
			Name: "scores-A-NT", Size: heads(positions, positions, headWidth), TransB: true,
			Heads: Heads{A: true, B: true},
		},
		{
			Name: "mix-A-NN", Size: heads(positions, headWidth, positions),
			Heads: Heads{B: true, C: true},
		},
		{
			Name: "values-A-TN", Size: heads(positions, headWidth, positions), TransA: true,
			Heads: Heads{B: true, C: true},
		},
		{Name: "logits-A-NT", Size: one(256, words, 256), TransB: true},
		{Name: "logits-A-NN", Size: one(256, 256, words)},
		{Name: "logits-A-TN", Size: one(words, 256, 256), TransA: true},
		{Name: "logits-B-NT", Size: one(128, words, 512), TransB: true},
	}
}

// Operands returns matrices of the case filled with small numbers, all of them different from their
// neighbours.
func (c Case) Operands() (result, a, b gemm.Matrix) {
	s := c.Size
	result = matrix(s.M, s.N, s, c.Heads.C)
	if c.TransA {
		a = matrix(s.K, s.M, s, c.Heads.A).T()
	} else {
		a = matrix(s.M, s.K, s, c.Heads.A)
	}
	if c.TransB {
		b = matrix(s.N, s.K, s, c.Heads.B).T()
	} else {
		b = matrix(s.K, s.N, s, c.Heads.B)
	}
	return result, a, b
}

func matrix(rows, cols int, s gemm.Size, interleaved bool) gemm.Matrix {
	data := make([]float32, s.Outer*s.Inner*rows*cols)
	for i := range data {
		data[i] = float32(i%61)/61 - 0.5
	}
	if interleaved {
		return gemm.RowMajor(data, s.Inner*cols).Batch(rows*s.Inner*cols, cols)
	}
	return gemm.RowMajor(data, cols).Batch(s.Inner*rows*cols, rows*cols)
}
