package asks

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// Question state a question: the work of a step, the machine, and how long the run is.
type Question struct {
	Workload
	Machine
	Length
}

func (f *Question) Register(c *cobra.Command) {
	f.Workload.Register(c)
	f.Machine.register(c)
	f.Length.register(c)
}

// RegisterWork leaves out the lengths that follow from a time or a bill.
func (f *Question) RegisterWork(c *cobra.Command) {
	f.Workload.Register(c)
	f.Machine.register(c)
	f.Length.registerWork(c)
}

// Inputs adds what the flags state to the inputs of a JSON document.
func (f *Question) Inputs(in map[string]any) {
	f.Workload.inputs(in)
	f.Machine.inputs(in)
	f.Length.inputs(in)
}

// Ask returns what the flags state, but for shape and profile.
func (f *Question) Ask() (plan.Question, error) {
	var q plan.Question
	f.Workload.AddTo(&q)
	var err error
	if q.Length, err = f.Stated(); err != nil {
		return q, err
	}
	return q, f.Machine.AddTo(&q)
}

// Single is question with the one cluster that --hardware or --cluster may name.
func (f *Question) Single() (plan.Question, error) {
	q, err := f.Ask()
	if err != nil {
		return q, err
	}
	if !f.Named() {
		if len(f.Devices.counts) > 1 || f.Devices.Auto {
			return q, frame.Usage("", "--devices is %s; allowed: one number without --hardware", &f.Devices)
		}
		if len(f.Devices.counts) == 1 {
			q.Devices = f.Devices.counts[0]
		}
		return q, nil
	}
	clusters, err := f.Machines()
	switch {
	case err != nil:
		return q, err
	case len(clusters) > 1:
		return q, frame.Usage("compare clusters with deepnarrow plan",
			"one cluster is enough here; found %d", len(clusters))
	case f.Devices.Auto:
		return q, frame.Usage("deepnarrow plan searches counts", "--devices is auto; allowed: a number")
	}
	return clusters[0].Ask(q), nil
}

// Searched is single with a layout that is searched where no flag states it.
func (f *Question) Searched() (plan.Question, error) {
	q, err := f.Single()
	q.Search = f.Layout == (flops.Layout{}) && !f.Given("zero")
	return q, err
}

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

// Length say how long a run is; at most one is given.
type Length struct {
	Steps, Tokens, days, Deadline, MaxCost *float64
}

// registerWork registers only what says how much work the run is.
func (f *Length) registerWork(c *cobra.Command) {
	frame.OptionalFlag(c, quantity.Count, &f.Steps, "steps", "optimizer steps (default 524288)")
	frame.OptionalFlag(c, quantity.Tokens, &f.Tokens, "tokens", "training tokens, such as 34.4B")
}

func (f *Length) register(c *cobra.Command) {
	f.registerWork(c)
	frame.DaysFlag(c, &f.days, "days", "wall-clock length of the run: 20, 20d or 36h")
	frame.OptionalFlag(c, quantity.Duration, &f.Deadline, "deadline",
		"most wall-clock time, such as 14d: how many tokens fit?")
	frame.OptionalFlag(c, quantity.Money, &f.MaxCost, "max-cost",
		"largest bill, such as $5000: how many tokens does it buy?")
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *Length) inputs(in map[string]any) {
	frame.State(in, "steps", f.Steps, "tokens", f.Tokens, "run_seconds", f.days,
		"deadline_seconds", f.Deadline, "max_cost_usd", f.MaxCost)
}

// MostLength bounds every way to say how long a run is, in its base unit: a million times the
// longest run on record, and whole numbers of it are printed.
const MostLength = 1e18

// amount returns what a flag states, 0 where it is not given.
func amount(name string, flag *float64) (float64, error) {
	if flag != nil && !(*flag > 0 && *flag <= MostLength) {
		return 0, frame.Usage("", "--%s is %s; allowed: more than 0, up to 1e18", name,
			quantity.Shortest(*flag))
	}
	return frame.AmountOf(flag), nil
}

// Stated returns what the flags say; zero where none is given.
func (f *Length) Stated() (hardware.Length, error) {
	var out hardware.Length
	chosen := ""
	for _, option := range []struct {
		name   string
		value  *float64
		target *float64
	}{
		{"--steps", f.Steps, &out.Steps},
		{"--tokens", f.Tokens, &out.Tokens},
		{"--days", f.days, &out.WallSeconds},
		{"--deadline", f.Deadline, &out.WallSeconds},
		{"--max-cost", f.MaxCost, &out.MaxUSD},
	} {
		switch {
		case option.value == nil: // not given, or not a flag of this command
		case chosen != "":
			return out, frame.Usage("", "%s and %s both say how long the run is; allowed: one of them",
				chosen, option.name)
		case *option.value == 0:
			return out, frame.Usage("", "%s is 0; allowed: more than 0", option.name)
		case *option.value > MostLength:
			return out, frame.Usage("", "%s is %s; allowed: up to 1e18", option.name,
				quantity.Shortest(*option.value))
		case option.value == f.Steps && *option.value < 1:
			return out, frame.Usage("", "--steps is %s; allowed: 1 or more",
				quantity.Shortest(*option.value))
		default:
			chosen, *option.target = option.name, *option.value
		}
	}
	return out, nil
}

// Typed returns the flags that were typed, but those of output and the ones left out: those that a
// command line of the same run has too.
func Typed(flags *pflag.FlagSet, out ...string) []plan.Flag {
	var typed []plan.Flag
	flags.Visit(func(f *pflag.Flag) {
		if frame.OfOutput(f.Name) || slices.Contains(out, f.Name) {
			return
		}
		switch v := f.Value.(type) {
		case pflag.SliceValue:
			for _, item := range v.GetSlice() {
				typed = append(typed, plan.Flag{Name: f.Name, Value: item})
			}
		default:
			value := v.String()
			if f.NoOptDefVal != "" {
				if value != f.NoOptDefVal {
					return // --dropout=false is as if it were not typed
				}
				value = ""
			}
			typed = append(typed, plan.Flag{Name: f.Name, Value: value})
		}
	})
	return typed
}
