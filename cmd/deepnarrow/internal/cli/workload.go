package cli

import (
	"maps"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// workloadFlags describe the data and the numeric choices of a step. They are the same on every
// command.
type workloadFlags struct {
	workload  flops.Workload // zero fields are not given
	execution flops.Execution
	given     func(flag string) bool
}

func (f *workloadFlags) register(c *cobra.Command) {
	f.execution.Optimizer = flops.Adafactor
	f.given = c.Flags().Changed
	countFlag(c, &f.workload.Batch, "batch", "sequences in the global batch (default 128)")
	countFlag(c, &f.workload.EncoderLength, "encoder-length",
		"positions per sequence in the encoder (default 512)")
	countFlag(c, &f.workload.DecoderLength, "decoder-length",
		"positions per sequence in the decoder (default 128 with an encoder, else 2048)")
	textFlag(c, &f.execution.Optimizer, "optimizer",
		"adam (or adamw), adafactor, adam8bit, sgd, sgd-momentum or muon")
	textFlag(c, &f.execution.Precision, "precision", "bf16-mixed (or bfloat16), fp16-mixed (fp16), fp32, bf16 (weights too) or fp8-mixed (fp8)")
	textFlag(c, &f.execution.Recompute, "recompute", "none, selective or full")
	textFlag(c, &f.execution.Attention, "attention", "fused or unfused")
	c.Flags().BoolVar(&f.execution.Dropout, "dropout", false,
		"keep dropout masks in memory (the paper trains without dropout)")
}

// ask adds what the flags state to a question.
func (f *workloadFlags) ask(q *plan.Question) {
	x := &f.execution
	q.Workload, q.Dropout = f.workload, x.Dropout
	q.Precision, q.Optimizer = stated(f, "precision", &x.Precision), stated(f, "optimizer", &x.Optimizer)
	q.Recompute, q.Attention = stated(f, "recompute", &x.Recompute), stated(f, "attention", &x.Attention)
}

// stated returns what a flag holds, nil where it is not given.
func stated[T any](f *workloadFlags, flag string, value *T) *T {
	if !f.given(flag) {
		return nil
	}
	return value
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *workloadFlags) inputs(in map[string]any) {
	execution := f.resolved()
	maps.DeleteFunc(execution, func(flag string, _ any) bool { return !f.given(flag) })
	in["execution"] = execution
	for name, n := range map[string]int{
		"batch": f.workload.Batch, "encoder_length": f.workload.EncoderLength,
		"decoder_length": f.workload.DecoderLength,
	} {
		if n != 0 {
			in[name] = n
		}
	}
}

// resolved returns the execution by flag where no machine changes the defaults.
func (f *workloadFlags) resolved() map[string]any {
	x := &f.execution
	return map[string]any{
		"optimizer": x.Optimizer, "precision": x.Precision, "recompute": x.Recompute,
		"attention": x.Attention, "dropout": x.Dropout,
	}
}
