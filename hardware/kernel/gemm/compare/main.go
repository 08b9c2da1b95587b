// Command compare times gemm and OpenBLAS on the products of a training step, side by side in one
// process, and prints a table in Markdown. It needs cgo and the OpenBLAS development files (Debian:
// libopenblas-dev), which is why it is a module of its own.
//
//	go run . -threads 2
//
// The two take turns, round after round, so that a machine which is shared or changes its clock
// treats them alike. OpenBLAS runs without any OPENBLAS_ variable of the environment: a forced core
// type would keep it from its best kernels. A round in which threads of either waited for a
// processor was disturbed by other programs: it is counted, and nothing else.
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

func main() {
	threads := flag.Int("threads", runtime.NumCPU(), "threads")
	rounds := flag.Int("rounds", 9, "undisturbed rounds of each case")
	attempts := flag.Int("attempts", 36, "most rounds of each case, disturbed ones included")
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
	fmt.Printf("peak %.0f GFLOP/s, triad %.0f GB/s\n\n",
		probe.PeakFLOPsPerSecond(p, path, time.Now)/1e9,
		probe.NewTriad(path).BytesPerSecond(p, time.Now)/1e9)
	fmt.Println(
		"| case | gemm GFLOP/s | OpenBLAS GFLOP/s | ratio of best | median ratio | rounds | disturbed | largest difference |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|--:|")
	var bests, medians []float64
	for _, c := range cases.All() {
		if !strings.Contains(c.Name, *only) {
			continue
		}
		r := compare(gemm.New(p, path), peer, c, *rounds, *attempts, *burst)
		if len(r.ratios) == 0 {
			fmt.Printf("| %s | | | | | 0 | %d | %.1e |\n", c.Name, r.disturbed, r.difference)
			continue
		}
		best, median := r.peerSeconds/r.gemmSeconds, r.ratios[len(r.ratios)/2]
		fmt.Printf("| %s | %.0f | %.0f | %.2f | %.2f | %d | %d | %.1e |\n", c.Name,
			c.FLOPs()/r.gemmSeconds/1e9, c.FLOPs()/r.peerSeconds/1e9,
			best, median, len(r.ratios), r.disturbed, r.difference)
		bests, medians = append(bests, best), append(medians, median)
	}
	if len(bests) == 0 {
		fmt.Println("\nno case had an undisturbed round")
		return
	}
	fmt.Printf(
		"\ngeometric mean of %d ratios: of best %.3f, median %.3f\npeak afterwards %.0f GFLOP/s\n",
		len(bests), geometricMean(bests), geometricMean(medians),
		probe.PeakFLOPsPerSecond(p, path, time.Now)/1e9)
}

func geometricMean(ratios []float64) float64 {
	var sum float64
	for _, r := range ratios {
		sum += math.Log(r)
	}
	return math.Exp(sum / float64(len(ratios)))
}

// withoutOverrides starts the program again without the variables that OpenBLAS read before main
// ran.
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
