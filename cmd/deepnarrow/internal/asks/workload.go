package asks

import (
	"maps"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// Workload describe the data and the numeric choices of a step. They are the same on every
// command.
type Workload struct {
	Work      flops.Workload // zero fields are not given
	Execution flops.Execution
	Given     func(flag string) bool
}

func (f *Workload) Register(c *cobra.Command) {
	f.Execution.Optimizer = flops.Adafactor
	f.Given = c.Flags().Changed
	frame.CountFlag(c, &f.Work.Batch, "batch", "sequences in the global batch (default 128)")
	frame.CountFlag(c, &f.Work.EncoderLength, "encoder-length",
		"positions per sequence in the encoder (default 512)")
	frame.CountFlag(c, &f.Work.DecoderLength, "decoder-length",
		"positions per sequence in the decoder (default 128 with an encoder, else 2048)")
	frame.TextFlag(c, &f.Execution.Optimizer, "optimizer",
		"adam (or adamw), adafactor, adam8bit, sgd, sgd-momentum or muon")
	frame.TextFlag(c, &f.Execution.Precision, "precision", "bf16-mixed (or bfloat16), fp16-mixed (fp16), fp32, bf16 (weights too) or fp8-mixed (fp8)")
	frame.TextFlag(c, &f.Execution.Recompute, "recompute", "none, selective or full")
	frame.TextFlag(c, &f.Execution.Attention, "attention", "fused or unfused")
	c.Flags().BoolVar(&f.Execution.Dropout, "dropout", false,
		"keep dropout masks in memory (the paper trains without dropout)")
}

// AddTo adds what the flags state to a question.
func (f *Workload) AddTo(q *plan.Question) {
	x := &f.Execution
	q.Workload, q.Dropout = f.Work, x.Dropout
	q.Precision, q.Optimizer = stated(f, "precision", &x.Precision), stated(f, "optimizer", &x.Optimizer)
	q.Recompute, q.Attention = stated(f, "recompute", &x.Recompute), stated(f, "attention", &x.Attention)
}

// stated returns what a flag holds, nil where it is not given.
func stated[T any](f *Workload, flag string, value *T) *T {
	if !f.Given(flag) {
		return nil
	}
	return value
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *Workload) inputs(in map[string]any) {
	execution := f.Resolved()
	maps.DeleteFunc(execution, func(flag string, _ any) bool { return !f.Given(flag) })
	in["execution"] = execution
	frame.State(in, "batch", f.Work.Batch, "encoder_length", f.Work.EncoderLength,
		"decoder_length", f.Work.DecoderLength)
}

// Resolved returns the execution by flag where no machine changes the defaults.
func (f *Workload) Resolved() map[string]any {
	x := &f.Execution
	return map[string]any{
		"optimizer": x.Optimizer, "precision": x.Precision, "recompute": x.Recompute,
		"attention": x.Attention, "dropout": x.Dropout,
	}
}
