package calibrate

import (
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// kernelWorkload is a step of the reference kernel.
func kernelWorkload(o *kernel.Options) flops.Workload {
	return flops.Workload{
		Batch: o.Batch, EncoderLength: o.EncoderLength, DecoderLength: o.DecoderLength,
	}
}

// TrainingFLOPs returns what n steps of the reference kernel count under the matmul
// convention, which does not count recomputation.
func TrainingFLOPs(s *shapes.Shape, o *kernel.Options, steps int) float64 {
	count := flops.CountUnder(flops.MatmulConvention, s, kernelWorkload(o), flops.RecomputeNone)
	return float64(steps) * count.Step
}

// TrainingMemoryMiB returns the memory that the largest of some shapes needs to be trained by the
// reference kernel, with half as much again and 256 MiB for the program and its text. Shapes that
// cannot be counted are passed over.
func TrainingMemoryMiB(list []shapes.Shape, o *kernel.Options) int {
	const program, headroom, mebi = 256, 1.5, 1 << 20
	x := flops.Execution{
		Precision: flops.FP32, Attention: flops.UnfusedAttention, NativeLogits: true,
	}
	if o.Optimizer == kernel.Adafactor {
		x.Optimizer = flops.Adafactor
	}
	if o.Recompute == kernel.RecomputeFull {
		x.Recompute = flops.RecomputeFull
	}
	most := 0.0
	for i := range list {
		m, err := flops.TrainingMemory(&list[i], kernelWorkload(o), x, flops.Layout{})
		if err == nil {
			most = max(most, m.PeakBytes)
		}
	}
	return program + int(headroom*most/mebi)
}
