package calibrate

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// A run counts its steps, and a study needs what its largest shape does.
func TestTrainingOfTheKernel(t *testing.T) {
	small, err := shapes.Parse("t5-tiny/vocab=384")
	if err != nil {
		t.Fatal(err)
	}
	large, err := shapes.Parse("t5-mini/vocab=384")
	if err != nil {
		t.Fatal(err)
	}
	o := &kernel.Options{Batch: 8, EncoderLength: 128, DecoderLength: 32}
	w := flops.Workload{Batch: 8, EncoderLength: 128, DecoderLength: 32}
	// Backward is twice forward (Kaplan et al. 2020, §2.1).
	forward := flops.CountUnder(flops.MatmulConvention, &small, w, flops.RecomputeNone).Forward
	const rounding = 1e-14
	if got := TrainingFLOPs(&small, o, 10); !approx.Relative(got, 30*forward, rounding) {
		t.Errorf("ten steps are %v FLOP, want 30 forward passes of %v", got, forward)
	}
	both := TrainingMemoryMiB([]shapes.Shape{small, large}, o)
	if alone := TrainingMemoryMiB([]shapes.Shape{large}, o); both != alone ||
		both <= TrainingMemoryMiB([]shapes.Shape{small}, o) {
		t.Errorf("a study of both needs %d MiB, the larger alone %d", both, alone)
	}
	if got := TrainingMemoryMiB(nil, o); got != 256 {
		t.Errorf("nothing needs %d MiB, want 256", got)
	}
	adafactor := *o
	adafactor.Optimizer = kernel.Adafactor
	if a := TrainingMemoryMiB([]shapes.Shape{large}, &adafactor); a >= both {
		t.Errorf("Adafactor needs %d MiB, Adam %d", a, both)
	}
}
