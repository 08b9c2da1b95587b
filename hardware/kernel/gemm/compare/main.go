// Command compare times gemm and OpenBLAS on the products of a training step, side by side in one process, and prints a table
// in Markdown. It needs cgo and the OpenBLAS development files (Debian: libopenblas-dev), which is why it is a module of its
// own.
//
//	go run . -threads 2
//
// The two take turns, round after round, so that a machine which is shared or changes its clock treats them alike. OpenBLAS runs without any OPENBLAS_ variable of the environment: a forced core type would
// keep it from its best kernels.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/gemm"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/gemm/internal/cases"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/probe"
)

// quiet is how long the threads of the other library spin before they sleep, with room to spare; timing waits it out.
const quiet = 130 * time.Millisecond

func main() {
	threads := flag.Int("threads", runtime.NumCPU(), "threads")
	rounds := flag.Int("rounds", 9, "rounds of each case")
	burst := flag.Duration("burst", 15*time.Millisecond, "shortest time of one turn")
	override := flag.String("path", "", "instruction path of gemm (default: the best)")
	only := flag.String("only", "", "run the cases whose names contain this")
	flag.Parse()
	withoutOverrides()
	path, err := isa.Choose(*override)
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(2)
	}
	p := pool.New(*threads)
	defer p.Close()
	peer := openBLAS{pool: p}
	fmt.Printf("path %s, %d threads, %s\n", path, *threads, peer.config())
	fmt.Printf("peak %.0f GFLOP/s, triad %.0f GB/s\n\n", probe.PeakFLOPsPerSecond(p, path, time.Now)/1e9, probe.TriadBytesPerSecond(p, path, time.Now)/1e9)
	fmt.Println("| case | gemm GFLOP/s | OpenBLAS GFLOP/s | ratio of best | median ratio | largest difference |")
	fmt.Println("|---|--:|--:|--:|--:|--:|")
	var bests, medians []float64
	for _, c := range cases.All() {
		if !strings.Contains(c.Name, *only) {
			continue
		}
		best, median := compare(gemm.New(p, path), peer, c, *rounds, *burst)
		bests, medians = append(bests, best), append(medians, median)
	}
	fmt.Printf("\ngeometric mean of %d ratios: of best %.3f, median %.3f\npeak afterwards %.0f GFLOP/s\n",
		len(bests), geometricMean(bests), geometricMean(medians), probe.PeakFLOPsPerSecond(p, path, time.Now)/1e9)
}

func geometricMean(ratios []float64) float64 {
	var sum float64
	for _, r := range ratios {
		sum += math.Log(r)
	}
	return math.Exp(sum / float64(len(ratios)))
}

// withoutOverrides starts the program again without the variables that OpenBLAS read before main ran.
func withoutOverrides() {
	kept := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "OPENBLAS_") })
	if len(kept) == len(os.Environ()) {
		return
	}
	self, err := os.Executable()
	if err == nil {
		err = syscall.Exec(self, os.Args, kept)
	}
	fmt.Fprintln(os.Stderr, "compare: cannot start again without OPENBLAS_ variables:", err)
	os.Exit(1)
}

// compare prints the row of a case and returns two ratios of speeds, gemm's to OpenBLAS's: of the best times over all rounds, and the
// median of the rounds' own.
func compare(e *gemm.Engine, peer openBLAS, c cases.Case, rounds int, burst time.Duration) (best, median float64) {
	ours, a, b := c.Operands()
	theirs, _, _ := c.Operands()
	runs := []func(){
		func() { e.Mul(ours, a, b, c.Size, false) },
		peer.threaded(c, theirs, a, b),
	}
	if c.Size.Outer*c.Size.Inner > 1 {
		runs = append(runs, peer.split(c, theirs, a, b))
	}
	ratios := make([]float64, rounds)
	gemmTime, peerTime := math.Inf(1), math.Inf(1)
	for round := range rounds {
		var times []float64
		for _, run := range runs {
			time.Sleep(quiet)
			times = append(times, shortest(run, burst))
		}
		mine, other := times[0], slices.Min(times[1:])
		ratios[round] = other / mine
		gemmTime, peerTime = min(gemmTime, mine), min(peerTime, other)
	}
	slices.Sort(ratios)
	best, median = peerTime/gemmTime, ratios[rounds/2]
	fmt.Printf("| %s | %.0f | %.0f | %.2f | %.2f | %.1e |\n", c.Name, c.FLOPs()/gemmTime/1e9, c.FLOPs()/peerTime/1e9, best, median, difference(ours.Data, theirs.Data))
	return best, median
}

// shortest returns the shortest time of a call, in seconds, over calls that together last at least as long as a burst.
func shortest(run func(), burst time.Duration) float64 {
	const fewest = 3
	run()
	least := math.Inf(1)
	for start, calls := time.Now(), 0; calls < fewest || time.Since(start) < burst; calls++ {
		from := time.Now()
		run()
		least = min(least, time.Since(from).Seconds())
	}
	return least
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
