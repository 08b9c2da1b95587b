package gemm

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
)

func BenchmarkQuick(b *testing.B) {
	for _, path := range isa.Supported() {
		b.Run(path.String(), func(b *testing.B) {
			p := pool.New(2)
			defer p.Close()
			e := New(p, path)
			n := 512
			x, y, z := make([]float32, n*n), make([]float32, n*n), make([]float32, n*n)
			for i := range x {
				x[i], y[i] = 1, 1
			}
			for b.Loop() {
				e.Mul(RowMajor(z, n), RowMajor(x, n), RowMajor(y, n), Size{M: n, N: n, K: n}, false)
			}
			b.ReportMetric(float64(e.FLOPs)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
