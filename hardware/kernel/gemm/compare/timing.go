package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/gemm"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/gemm/internal/cases"
)

// quiet is how long the threads of the other library spin before they sleep, with room to spare;
// timing waits it out.
const quiet = 130 * time.Millisecond

// undisturbed is the longest that the threads of the program may wait for a processor, as a share
// of the time of a turn, for its timing to count. (The processor time that they get would not do:
// OpenBLAS sleeps between short products.)
const undisturbed = 0.1

// result is the outcome of one case.
type result struct {
	gemmSeconds, peerSeconds float64 // best of the undisturbed rounds
	// speed of gemm to that of the other in each undisturbed round, sorted
	ratios    []float64
	disturbed int // rounds
	// largest of the elements of the two products, relative to the largest element
	difference float64
}

// compare times a case until there are enough undisturbed rounds, or no attempts left.
func compare(e *gemm.Engine, peer openBLAS, c cases.Case, rounds, attempts int,
	burst time.Duration,
) result {
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
		share := 0.0
		var times []float64
		for _, run := range runs {
			time.Sleep(quiet)
			seconds, waited := shortest(run, burst)
			times, share = append(times, seconds), max(share, waited)
		}
		if share > undisturbed {
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

// shortest returns the shortest time of a call, in seconds, over calls that together last at least
// as long as a burst, and the share of that time that threads of the program waited for a
// processor, summed over the threads.
func shortest(run func(), burst time.Duration) (seconds, waited float64) {
	const fewest = 3
	run()
	seconds = math.Inf(1)
	before, start := waiting(), time.Now()
	for calls := 0; calls < fewest || time.Since(start) < burst; calls++ {
		from := time.Now()
		run()
		seconds = min(seconds, time.Since(from).Seconds())
	}
	return seconds, (waiting() - before).Seconds() / time.Since(start).Seconds()
}

// waiting returns how long all threads of the program have waited for a processor while they had
// something to do, from the second field of Linux's /proc/self/task/*/schedstat; 0 where there is
// none.
func waiting() time.Duration {
	paths, err := filepath.Glob("/proc/self/task/*/schedstat")
	if err != nil {
		panic(err) // only a bad pattern can cause it
	}
	var sum time.Duration
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // the thread has ended
		}
		var ran, waited int64
		if _, err := fmt.Sscan(string(text), &ran, &waited); err == nil {
			sum += time.Duration(waited)
		}
	}
	return sum
}

// difference returns the largest absolute difference of two results relative to the largest
// element.
func difference(x, y []float32) float64 {
	var apart, largest float64
	for i := range x {
		apart = max(apart, math.Abs(float64(x[i])-float64(y[i])))
		largest = max(largest, math.Abs(float64(y[i])))
	}
	return apart / largest
}
