package cli

import (
	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/hardware/calibrate"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// workloadFlags describe the data and the numeric choices of a step. They are the same on every
// command.
type workloadFlags struct {
	batch, encoderLength, decoderLength int // 0 when not given
	execution                           flops.Execution
	given                               func(flag string) bool
}

func (f *workloadFlags) register(c *cobra.Command) {
	f.execution.Optimizer = flops.Adafactor
	countFlag(c, &f.batch, "batch", "sequences in the global batch (default 128)")
	countFlag(c, &f.encoderLength, "encoder-length",
		"positions per sequence in the encoder (default 512)")
	countFlag(c, &f.decoderLength, "decoder-length",
		"positions per sequence in the decoder (default 128 with an encoder, else 2048)")
	textFlag(c, &f.execution.Optimizer, "optimizer",
		"adam, adafactor, adam8bit, sgd, sgd-momentum or muon")
	textFlag(c, &f.execution.Precision, "precision", "bf16-mixed, fp16-mixed, fp32 or bf16")
	f.given = c.Flags().Changed
	textFlag(c, &f.execution.Recompute, "recompute", "none, selective or full")
	textFlag(c, &f.execution.Attention, "attention", "fused or unfused")
	c.Flags().BoolVar(&f.execution.Dropout, "dropout", false,
		"keep dropout masks in memory (the paper trains without dropout)")
}

// workload returns the workload for a shape, defaults filled in.
func (f *workloadFlags) workload(s *shapes.Shape) (flops.Workload, error) {
	w := flops.DefaultWorkload(s)
	for _, set := range []struct {
		flag int
		at   *int
	}{
		{f.batch, &w.Batch},
		{f.encoderLength, &w.EncoderLength},
		{f.decoderLength, &w.DecoderLength},
	} {
		if set.flag != 0 {
			*set.at = set.flag
		}
	}
	if err := w.Validate(s); err != nil {
		return w, usage("", "%w", err)
	}
	return w, nil
}

// executionOn returns the execution on a profile, with what had to change: a device without
// bfloat16 runs in float16 unless the precision is given, and a processor as the reference kernel
// does.
func (f *workloadFlags) executionOn(p *hardware.Profile) (flops.Execution, string) {
	x := f.execution
	if p.Class.Kind == hardware.CPU {
		own, changed := calibrate.KernelExecution(), ""
		if !f.given("precision") {
			x.Precision = own.Precision
			changed = p.Name +
				" is a processor: planned as the reference kernel trains, in fp32 with unfused attention and Adam; --precision, --attention and --optimizer say otherwise"
		}
		if !f.given("attention") {
			x.Attention = own.Attention
		}
		if !f.given("optimizer") {
			x.Optimizer = own.Optimizer
		}
		return x, changed
	}
	if x.Precision != flops.BF16Mixed || f.given("precision") {
		return x, ""
	}
	_, bf16 := p.Peaks[hardware.BF16]
	_, fp16 := p.Peaks[hardware.FP16]
	if bf16 || !fp16 {
		return x, ""
	}
	x.Precision = flops.FP16Mixed
	return x, p.Name + " has no bfloat16 peak: planned in fp16-mixed; --precision says otherwise"
}

// inputs returns the execution as the JSON document states it.
func (f *workloadFlags) inputs() map[string]any {
	x := &f.execution
	return map[string]any{
		"optimizer": x.Optimizer, "precision": x.Precision, "recompute": x.Recompute,
		"attention": x.Attention, "dropout": x.Dropout,
	}
}
