//go:build !amd64 || purego

package probe

import "github.com/deepnarrow/deepnarrow/hardware/kernel/isa"

func peakLoop(isa.Path) (loop func(turns int), flops float64) { return plainPeak, 2 * plainChains }

func triadLoop(isa.Path) func(a, b, c []float32, factor float32) { return plainTriad }
