package fit

import (
	"fmt"
	"math"
	"slices"
)

// deepened returns a law of params and others that reads N·layers^power for N: at equal params a
// deeper model counts as a larger one. With N in proportion to layers·d_model² the reducible loss
// then falls 1 + power times as fast with depth as with width.
//
// Source: the idea of Tay et al. 2021, §4, arXiv 2109.10686 (depth before width); the average of laws
// leaves the power open.
func deepened(law Law, power float64) Law {
	base := law
	law.Name = fmt.Sprintf("%s·layers^%g", base.Name, power)
	law.Formula += fmt.Sprintf(" with N·layers^%g for N", power)
	law.Columns = append(slices.Clone(base.Columns), "layers")
	law.Features = base.features()
	n, at := slices.Index(base.Columns, "params"), len(base.Columns)
	law.Prepare = func(x, z []float64) {
		var own [maxFeatures]float64
		copy(own[:at], x)
		own[n] *= math.Pow(x[at], power)
		base.prepare(own[:at], z)
	}
	return law
}
