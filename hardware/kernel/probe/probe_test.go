package probe

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
)

// stepClock returns a clock that advances by the next of the steps at every second reading, over
// and over.
func stepClock(steps ...time.Duration) func() time.Time {
	var at time.Time
	reading := 0
	return func() time.Time {
		if reading%2 == 1 {
			at = at.Add(steps[reading/2%len(steps)])
		}
		reading++
		return at
	}
}

func TestBestTakesTheShortestSample(t *testing.T) {
	const samples = 6
	runs := 0
	got := best(samples, stepClock(4*time.Second, 2*time.Second, 0), 100, func() { runs++ })
	// 100 in 2 s; samples too short for the clock do not count.
	if want := 50.0; got != want || runs != samples {
		t.Errorf("best rate %v of %d runs, want %v of %d", got, runs, want, samples)
	}
}

func TestRatesCountWhatTheLoopsDo(t *testing.T) {
	p := pool.New(2)
	defer p.Close()
	clock := stepClock(time.Second)
	// Multiply-adds in flight × elements of a register × 2 FLOPs × 2 threads × turns, in one
	// second.
	want := map[isa.Path]float64{isa.Generic: 12 * 1, isa.AVX2: 12 * 8, isa.AVX512: 12 * 16}
	for _, path := range isa.Supported() {
		if got, want := PeakFLOPsPerSecond(p, path, clock), want[path]*2*2*peakTurns; got != want {
			t.Errorf("%s: peak %v FLOP/s, want %v", path, got, want)
		}
		// Two reads and a write of 4 bytes for each of 2²³ elements.
		if got, want := NewTriad(path).BytesPerSecond(p, clock), 12.0*(1<<23); got != want {
			t.Errorf("%s: triad %v byte/s, want %v", path, got, want)
		}
	}
}

func TestTriadComputesWhatItSays(t *testing.T) {
	const n = 96
	a, b, c := make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range a {
		a[i], b[i], c[i] = float32(math.NaN()), float32(i), float32(2*i+1)
	}
	for _, path := range isa.Supported() {
		triadLoop(path)(a, b, c, 0.5)
		for i, got := range a {
			// i + (2i+1)/2 = 2i + 1/2, exact in binary.
			if want := 2*float32(i) + 0.5; got != want {
				t.Fatalf("%s: element %d is %v, want %v", path, i, got, want)
			}
		}
	}
}

func BenchmarkPeak(b *testing.B) {
	for _, path := range isa.Supported() {
		for threads := 1; threads <= 2; threads++ {
			b.Run(fmt.Sprintf("%s/threads=%d", path, threads), func(b *testing.B) {
				p := pool.New(threads)
				defer p.Close()
				var peak float64
				for b.Loop() {
					peak = max(peak, PeakFLOPsPerSecond(p, path, time.Now))
				}
				b.ReportMetric(peak/1e9, "GFLOP/s")
			})
		}
	}
}

func BenchmarkTriad(b *testing.B) {
	for _, path := range isa.Supported() {
		for threads := 1; threads <= 2; threads++ {
			b.Run(fmt.Sprintf("%s/threads=%d", path, threads), func(b *testing.B) {
				p := pool.New(threads)
				defer p.Close()
				var rate float64
				triad := NewTriad(path)
				for b.Loop() {
					rate = max(rate, triad.BytesPerSecond(p, time.Now))
				}
				b.ReportMetric(rate/1e9, "GB/s")
			})
		}
	}
}
