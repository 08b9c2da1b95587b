package main

import (
	"math"
	"slices"
	"syscall"
	"time"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/gemm"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/gemm/internal/cases"
)

// quiet is how long the threads of the other library spin before they sleep, with room to spare; timing waits it out.
const quiet = 130 * time.Millisecond

// undisturbed is the least share of the processor time of its threads that a program must get for its timing to count.
const undisturbed = 0.9

// result is the outcome of one case.
type result struct {
	gemmSeconds, peerSeconds float64   // best of the undisturbed rounds
	ratios                   []float64 // speed of gemm to that of the other in each undisturbed round, sorted
	disturbed                int       // rounds
	difference               float64   // largest of the elements of the two products, relative to the largest element
}

// compare times a case until there are enough undisturbed rounds, or no attempts left.
func compare(e *gemm.Engine, peer openBLAS, c cases.Case, rounds, attempts int, burst time.Duration) result {
	ours, a, b := c.Operands()
	theirs, _, _ := c.Operands()
	runs := []func(){
		func() { e.Mul(ours, a, b, c.Size, false) },
		peer.threaded(c, theirs, a, b),
	}
	if c.Size.Outer*c.Size.Inner > 1 {
		runs = append(runs, peer.split(c, theirs, a, b))
	}
	r := result{gemmSeconds: math.Inf(1), peerSeconds: math.Inf(1)}
	for len(r.ratios) < rounds && len(r.ratios)+r.disturbed < attempts {
		share := 1.0
		var times []float64
		for _, run := range runs {
			time.Sleep(quiet)
			seconds, got := shortest(run, burst)
			times, share = append(times, seconds), min(share, got/float64(peer.pool.Threads()))
		}
		if share < undisturbed {
			r.disturbed++
			continue
		}
		mine, other := times[0], slices.Min(times[1:])
		r.ratios = append(r.ratios, other/mine)
		r.gemmSeconds, r.peerSeconds = min(r.gemmSeconds, mine), min(r.peerSeconds, other)
	}
	slices.Sort(r.ratios)
	r.difference = difference(ours.Data, theirs.Data)
	return r
}

// shortest returns the shortest time of a call, in seconds, over calls that together last at least as long as a burst, and how
// many processors the program had in use on average.
func shortest(run func(), burst time.Duration) (seconds, processors float64) {
	const fewest = 3
	run()
	seconds = math.Inf(1)
	used, start := processorTime(), time.Now()
	for calls := 0; calls < fewest || time.Since(start) < burst; calls++ {
		from := time.Now()
		run()
		seconds = min(seconds, time.Since(from).Seconds())
	}
	return seconds, (processorTime() - used).Seconds() / time.Since(start).Seconds()
}

// processorTime returns what all threads of the program have used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // only a bad argument can cause it
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// difference returns the largest absolute difference of two results relative to the largest element.
func difference(x, y []float32) float64 {
	var apart, largest float64
	for i := range x {
		apart = max(apart, math.Abs(float64(x[i])-float64(y[i])))
		largest = max(largest, math.Abs(float64(y[i])))
	}
	return apart / largest
}
