package calibrate

import (
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware/measured"
)

// baseline is what calculators in use do: one utilisation for each hardware family, the median of
// the training rows.
type baseline struct {
	byFamily map[string]float64
	all      float64
}

func newBaseline(train []measured.Run) baseline {
	rates := map[string][]float64{}
	var all []float64
	for i := range train {
		r := &train[i]
		mfu := available(r) / r.Seconds
		rates[r.Family] = append(rates[r.Family], mfu)
		all = append(all, mfu)
	}
	b := baseline{byFamily: map[string]float64{}, all: fit.Median(all)}
	for family, list := range rates {
		b.byFamily[family] = fit.Median(list)
	}
	return b
}

// available returns the step's matmul FLOPs over the peak of all devices: the time at an MFU of 1.
func available(r *measured.Run) float64 {
	run := &r.Run
	return flops.CountUnder(flops.MatmulConvention, &run.Shape, run.Workload,
		run.Execution.Recompute).Step / (run.PeakFLOPsPerSecond() * float64(run.Devices()))
}

func (b *baseline) seconds(r *measured.Run) float64 {
	mfu, ok := b.byFamily[r.Family]
	if !ok {
		mfu = b.all
	}
	return available(r) / mfu
}
