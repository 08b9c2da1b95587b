package gemm_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/gemm"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/gemm/internal/cases"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/probe"
)

// BenchmarkGEMM runs every case on every path of this machine, on GOMAXPROCS threads (go test -cpu
// 1,2), and reports its speed beside the peak that the path reached just before.
func BenchmarkGEMM(b *testing.B) {
	for _, c := range cases.All() {
		b.Run(c.Name, func(b *testing.B) {
			for _, path := range isa.Supported() {
				b.Run(path.String(), func(b *testing.B) { run(b, c, path) })
			}
		})
	}
}

func run(b *testing.B, c cases.Case, path isa.Path) {
	p := pool.New(runtime.GOMAXPROCS(0))
	defer p.Close()
	e := gemm.New(p, path)
	result, x, y := c.Operands()
	peak := probe.PeakFLOPsPerSecond(p, path, time.Now)
	e.Mul(result, x, y, c.Size, false)
	for b.Loop() {
		e.Mul(result, x, y, c.Size, false)
	}
	speed := c.FLOPs() * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(speed/1e9, "GFLOP/s")
	b.ReportMetric(speed/peak, "share-of-peak")
	b.ReportMetric(peak/1e9, "peak-GFLOP/s")
}
