package vec

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
)

// bench runs a routine on one thread and on all, on every path. bytes is what one pass over the
// data must move at least: each array read or written counts once. each hands out tasks as the
// training step does.
func bench(b *testing.B, bytes int, make func(s *Set) func(each Each)) {
	threads := []int{1}
	if n := runtime.GOMAXPROCS(0); n > 1 {
		threads = append(threads, n)
	}
	for _, path := range isa.Supported() {
		for _, n := range threads {
			b.Run(fmt.Sprintf("%v/threads=%d", path, n), func(b *testing.B) {
				p := pool.New(n)
				defer p.Close()
				body := make(For(path))
				body(p.For)
				for b.Loop() {
					body(p.For)
				}
				b.ReportMetric(float64(bytes)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
			})
		}
	}
}

const (
	benchParameters = 15_600_000 // shape A of the step benchmarks
	benchRows       = 256
	benchVocabulary = 32128
	benchWidth      = 256
	bytesPerNumber  = 4
)

// rowBench cuts rows into 16 tasks.
func rowBench(rows int, task func(lo, hi int)) func(each Each) {
	const tasks = 16
	run := func(i int) { task(rows*i/tasks, rows*(i+1)/tasks) }
	return func(each Each) { each(tasks, run) }
}

func BenchmarkSoftmax(b *testing.B) {
	for _, cols := range []int{128, benchVocabulary} {
		rows := benchRows * benchVocabulary / cols
		b.Run(fmt.Sprintf("%dx%d", rows, cols), func(b *testing.B) {
			x := normal(source(1), rows*cols, 3)
			bench(b, 2*bytesPerNumber*len(x), func(s *Set) func(Each) {
				return rowBench(rows, func(lo, hi int) { s.Softmax(x[lo*cols:hi*cols], cols, SoftmaxOptions{}) })
			})
		})
	}
}

func BenchmarkSoftmaxBackward(b *testing.B) {
	const rows, cols = 8192, 128
	p, dy := normal(source(1), rows*cols, 1), normal(source(2), rows*cols, 1)
	bench(b, 3*bytesPerNumber*len(p), func(s *Set) func(Each) {
		return rowBench(rows, func(lo, hi int) {
			s.SoftmaxBackward(dy[lo*cols:hi*cols], dy[lo*cols:hi*cols], p[lo*cols:hi*cols], cols)
		})
	})
}

func BenchmarkCrossEntropy(b *testing.B) {
	x := normal(source(1), benchRows*benchVocabulary, 3)
	targets, losses := make([]int32, benchRows), make([]RowLoss, benchRows)
	bench(b, 2*bytesPerNumber*len(x), func(s *Set) func(Each) {
		return rowBench(benchRows, func(lo, hi int) {
			block, o := x[lo*benchVocabulary:hi*benchVocabulary],
				LossOptions{ZLoss: 1e-4, GradScale: 1}
			s.CrossEntropy(block, benchVocabulary, targets[lo:hi], nil, o, losses[lo:hi])
		})
	})
}

const normRows = 1024

func BenchmarkRMSNorm(b *testing.B) {
	x, y := normal(source(1), normRows*benchWidth, 1), make([]float32, normRows*benchWidth)
	w, inv := normal(source(2), benchWidth, 1), make([]float32, normRows)
	bench(b, 2*bytesPerNumber*len(x), func(s *Set) func(Each) {
		return rowBench(normRows, func(lo, hi int) {
			s.RMSNorm(y[lo*benchWidth:hi*benchWidth], inv[lo:hi], x[lo*benchWidth:hi*benchWidth], w)
		})
	})
}

func BenchmarkRMSNormBackward(b *testing.B) {
	x, dy := normal(source(1), normRows*benchWidth, 1), normal(source(3), normRows*benchWidth, 1)
	w, inv := normal(source(2), benchWidth, 1), normal(source(4), normRows, 1)
	dx, partial := make([]float32, len(x)), make([]float32, NormBlocks(normRows)*benchWidth)
	bench(b, 4*bytesPerNumber*len(x), func(s *Set) func(Each) {
		return rowBench(normRows, func(lo, hi int) {
			at, end := lo*benchWidth, hi*benchWidth
			dw := partial[lo/NormBlock*benchWidth : NormBlocks(hi)*benchWidth]
			s.RMSNormBackward(NormGrads{DX: dx[at:end], Accumulate: true, Partial: dw}, dy[at:end],
				x[at:end], w, inv[lo:hi])
		})
	})
}

const activationRows = 1 << 20

func BenchmarkReLU(b *testing.B) {
	x, y := normal(source(1), activationRows, 1), make([]float32, activationRows)
	bench(b, 2*bytesPerNumber*len(x), func(s *Set) func(Each) {
		return rowBench(len(x), func(lo, hi int) { s.ReLU(y[lo:hi], x[lo:hi]) })
	})
}

func BenchmarkGEGLU(b *testing.B) {
	x, y, h := normal(source(1), activationRows, 1), normal(source(2), activationRows, 1),
		make([]float32, activationRows)
	b.Run("forward", func(b *testing.B) {
		bench(b, 3*bytesPerNumber*len(x), func(s *Set) func(Each) {
			return rowBench(len(x), func(lo, hi int) { s.GEGLU(h[lo:hi], x[lo:hi], y[lo:hi]) })
		})
	})
	b.Run("backward", func(b *testing.B) {
		da, db := make([]float32, activationRows), make([]float32, activationRows)
		bench(b, 5*bytesPerNumber*len(x), func(s *Set) func(Each) {
			return rowBench(len(x), func(lo, hi int) { s.GEGLUBackward(da[lo:hi], db[lo:hi], h[lo:hi], x[lo:hi], y[lo:hi]) })
		})
	})
}

func BenchmarkSumSquares(b *testing.B) {
	x := normal(source(1), benchParameters, 1)
	sums := make([]float64, (len(x)+SquaresBlock-1)/SquaresBlock)
	bench(b, bytesPerNumber*len(x), func(s *Set) func(Each) {
		run := func(i int) { s.SquaresBlocks(sums[i:i+1], x[i*SquaresBlock:min(len(x), (i+1)*SquaresBlock)]) }
		return func(each Each) { each(len(sums), run) }
	})
}

func BenchmarkNonFinite(b *testing.B) {
	x := normal(source(1), benchParameters, 1)
	bench(b, bytesPerNumber*len(x), func(s *Set) func(Each) {
		return rowBench(len(x), func(lo, hi int) {
			if s.NonFinite(x[lo:hi]) >= 0 {
				b.Fatal("not finite")
			}
		})
	})
}

func BenchmarkAdam(b *testing.B) {
	p, g := normal(source(1), benchParameters, 1), normal(source(2), benchParameters, 1)
	m, v := make([]float32, benchParameters), make([]float32, benchParameters)
	bench(b, 7*bytesPerNumber*len(p), func(s *Set) func(Each) {
		a := NewAdam(s, AdamOptions{}, m, v)
		return func(each Each) { a.Step(10, 1e-6, p, g, 1, each) }
	})
}

func BenchmarkAdafactor(b *testing.B) {
	views := []View{{Rows: 32128, Cols: 256}}
	for at := 32128 * 256; at+256*1024 <= benchParameters; at += 256 * 1024 {
		views = append(views, View{Offset: at, Rows: 256, Cols: 1024})
	}
	p, g := normal(source(1), benchParameters, 1), normal(source(2), benchParameters, 1)
	state := make([]float32, AdafactorState(AdafactorOptions{}, views))
	bench(b, 6*bytesPerNumber*len(p), func(s *Set) func(Each) {
		a := NewAdafactor(s, AdafactorOptions{}, views, state)
		return func(each Each) { a.Step(10, 1e-6, p, g, each) }
	})
}
