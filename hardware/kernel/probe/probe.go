// Package probe measures what a machine can do at best: its rate of single-precision multiply-adds
// and of memory traffic. Measured speeds of the training kernel are judged against these, since
// data sheets know neither the clock that a machine really runs at nor who else is using it.
package probe

import (
	"runtime"
	"time"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
)

// How often a probe is timed. The best counts: interruptions only ever slow a probe down.
const (
	peakSamples  = 20
	triadSamples = 8
)

// peakTurns makes a sample of the peak probe last about 0.2 ms on any path.
const peakTurns = 1 << 17

// PeakFLOPsPerSecond returns the rate, in FLOP/s (a multiply-add is 2), at which all threads of the
// pool together execute independent single-precision multiply-adds of the path that touch no
// memory: the best of 20 samples. On the Generic path these are separate multiplications and
// additions in plain Go.
func PeakFLOPsPerSecond(p *pool.Pool, path isa.Path, now func() time.Time) float64 {
	loop, perTurn := peakLoop(path)
	threads := p.Threads()
	body := func(int) { loop(peakTurns) }
	return best(peakSamples, now, float64(threads)*peakTurns*perTurn, func() { p.For(threads, body) })
}

// triadElements is the length of each of the triad's three vectors: 32 MB each, beyond the cache
// share of one core.
const triadElements = 8 << 20

// triadBlock is how many elements one call of the triad's loop handles.
const triadBlock = 1 << 16

// Triad is the vectors of the bandwidth probe, kept so that probing again touches no new memory.
type Triad struct {
	a, b, c []float32
	loop    func(a, b, c []float32, factor float32)
}

// NewTriad makes the vectors, 96 MB together, for an instruction path.
func NewTriad(path isa.Path) *Triad {
	t := &Triad{
		make([]float32, triadElements), make([]float32, triadElements),
		make([]float32, triadElements), triadLoop(path),
	}
	for i := range t.b {
		t.a[i], t.b[i], t.c[i] = 1, 1, 1
	}
	return t
}

// BytesPerSecond returns the memory bandwidth, in byte/s, that all threads of the pool together
// reach on a = b + s·c over vectors of 32 MB: the best of 8 samples. It counts the two reads and
// the write that the loop names, 12 bytes an element, not the read that a cache does before it is
// written to.
//
// Source: McCalpin, "Memory Bandwidth and Machine Balance in Current High Performance Computers",
// IEEE TCCA Newsletter, December 1995.
func (t *Triad) BytesPerSecond(p *pool.Pool, now func() time.Time) float64 {
	body := func(i int) {
		from, to := i*triadBlock, (i+1)*triadBlock
		t.loop(t.a[from:to], t.b[from:to], t.c[from:to], 0.5)
	}
	return best(triadSamples, now, 3*4*triadElements, func() { p.For(triadElements/triadBlock, body) })
}

// best returns the highest rate, in amount per second, over the samples.
func best(samples int, now func() time.Time, amount float64, run func()) float64 {
	var highest float64
	for range samples {
		start := now()
		run()
		if seconds := now().Sub(start).Seconds(); seconds > 0 {
			highest = max(highest, amount/seconds)
		}
	}
	return highest
}

// plainChains is how many independent sums the plain-Go loop keeps in flight: the latency of a
// multiplication and an addition, 6 or 7 cycles, times two of each a cycle; with their two operands
// they fit sixteen registers.
const plainChains = 12

// plainPeak executes plainChains multiplications and as many additions a turn.
func plainPeak(turns int) {
	x, y := float32(0.5), float32(1)
	var s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11 float32
	for range turns {
		s0, s1, s2, s3 = s0*x+y, s1*x+y, s2*x+y, s3*x+y
		s4, s5, s6, s7 = s4*x+y, s5*x+y, s6*x+y, s7*x+y
		s8, s9, s10, s11 = s8*x+y, s9*x+y, s10*x+y, s11*x+y
	}
	runtime.KeepAlive(s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + s10 + s11)
}

func plainTriad(a, b, c []float32, factor float32) {
	for i := range a {
		a[i] = b[i] + factor*c[i]
	}
}
