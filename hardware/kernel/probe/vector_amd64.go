//go:build amd64 && !purego

package probe

import "github.com/deepnarrow/deepnarrow/hardware/kernel/isa"

// vectorChains is how many multiply-adds of full registers a turn of the assembly loops executes.
const vectorChains = 12

// peakLoop returns the loop of a path with the FLOPs of one turn.
func peakLoop(path isa.Path) (loop func(turns int), flops float64) {
	switch path {
	case isa.AVX2:
		return multiplyAddAVX2, 2 * vectorChains * 8
	case isa.AVX512:
		return multiplyAddAVX512, 2 * vectorChains * 16
	default:
		return plainPeak, 2 * plainChains
	}
}

func triadLoop(path isa.Path) func(a, b, c []float32, factor float32) {
	if path == isa.Generic {
		return plainTriad
	}
	return func(a, b, c []float32, factor float32) {
		const perTurn = 32
		triadAVX2(&a[0], &b[0], &c[0], factor, len(a)/perTurn)
	}
}
