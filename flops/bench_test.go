package flops

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// The speeds quoted in the README.

func BenchmarkTotals(b *testing.B) {
	s := t5(12, 12, 768, 3072, 64, 12)
	b.ReportAllocs()
	for b.Loop() {
		if CountParameters(&s).Total == 0 || Forward(&s, PaperWorkload) == 0 {
			b.Fatal("nothing counted")
		}
	}
}

func BenchmarkLedgerXXL(b *testing.B) {
	s := t5(24, 24, 1024, 65536, 128, 128)
	b.ReportAllocs()
	for b.Loop() {
		if len(NewLedger(&s, PaperWorkload)) == 0 {
			b.Fatal("empty ledger")
		}
	}
}

// BenchmarkMillionShapes counts parameters and forward FLOPs of a million candidates on an aligned
// lattice, over as many goroutines as there are processors. Run it with -cpu 2 for the figure of
// the README.
func BenchmarkMillionShapes(b *testing.B) {
	const million = 1_000_000
	for b.Loop() {
		workers := runtime.GOMAXPROCS(0)
		var wg sync.WaitGroup
		var counted atomic.Int64
		for first := range workers {
			wg.Go(func() {
				n := int64(0)
				for i := first; i < million; i += workers {
					s := t5(1+i%50, 1+i/50%50, 64*(1+i/2500%20), 256*(1+i/50_000%20), 64, 8)
					if CountParameters(&s).Total > 0 && Forward(&s, PaperWorkload) > 0 {
						n++
					}
				}
				counted.Add(n)
			})
		}
		wg.Wait()
		if counted.Load() != million {
			b.Fatalf("counted %d", counted.Load())
		}
	}
}
