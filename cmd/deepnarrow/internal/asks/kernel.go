package asks

import (
	"cmp"
	"context"
	"errors"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/sweep"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Kernel holds the choices of the reference kernel, shared by train and sweep.
type Kernel struct {
	Text    string
	Options kernel.Options
	rate    float64
	warmup  int
	seed    int

	TextID   string // of the text that was read
	Schedule kernel.Schedule
}

func (f *Kernel) Register(c *cobra.Command) {
	f.Options = kernel.Options{Batch: 8, EncoderLength: 128, DecoderLength: 32}
	f.rate, f.warmup = 0, 100
	c.Flags().StringVar(&f.Text, "text", "",
		"text `file` to train on, as bytes; its last tenth is held out")
	frame.CountFlag(c, &f.Options.Batch, "batch", "sequences of a step")
	frame.CountFlag(c, &f.Options.EncoderLength, "encoder-length",
		"positions per sequence in the encoder")
	frame.CountFlag(c, &f.Options.DecoderLength, "decoder-length",
		"positions per sequence in the decoder")
	frame.TextFlag(c, &f.Options.Optimizer, "optimizer", "adam or adafactor")
	frame.TextFlag(c, &f.Options.Recompute, "recompute", "none or full")
	frame.AmountFlag(c, quantity.Ratio, &f.rate, "rate",
		"learning rate at the end of the warm-up (default 0.001 with adam, 0.01 with adafactor)")
	frame.CountFlag(c, &f.warmup, "warmup", "steps of linear warm-up; then an inverse square root")
	frame.CountFlag(c, &f.Options.Threads, "threads", "threads (default: one per core)")
	frame.CountFlag(c, &f.seed, "seed", "seed of weights and data (default 0)")
}

// maxTextBytes bounds a text to train on, which is kept in memory.
const maxTextBytes = 4 << 30

// Resolve reads the text and completes the options. The environment variable DEEPNARROW_ISA chooses
// the instruction path.
func (f *Kernel) Resolve(a *Files) (training, heldOut []byte, err error) {
	if f.Text == "" {
		return nil, nil, frame.Usage("any text of some 10 kB or more will do",
			"--text is needed: which file to train on?")
	}
	text, err := a.ReadLimited(f.Text, maxTextBytes)
	if err != nil {
		return nil, nil, frame.BadInput(err, "")
	}
	f.TextID = kernel.TextID(text)
	f.Options.Path, f.Options.Seed = a.Env("DEEPNARROW_ISA"), uint64(f.seed)
	f.Options.Threads = cmp.Or(f.Options.Threads, runtime.GOMAXPROCS(0))
	f.Schedule = kernel.Schedule{
		Rate: cmp.Or(f.rate, kernel.UsualRate(f.Options.Optimizer)), Warmup: f.warmup, Linear: true,
	}
	training, heldOut = kernel.HoldOut(text)
	return training, heldOut, nil
}

// KernelError gives an error of the kernel its exit code.
func KernelError(err error) error {
	var mixed *kernel.MixedError
	switch {
	case err == nil || errors.Is(err, context.Canceled) || frame.Coded(err):
		return err
	case frame.Is[*kernel.UnsupportedError](err):
		return frame.NoAnswer(err, "the reference kernel trains shapes of the T5 family")
	case frame.Is[*kernel.OptionError](err), frame.Is[*sweep.GridError](err):
		return frame.Usage("", "%w", err)
	case frame.Is[*isa.OverrideError](err):
		return frame.Usage("", "DEEPNARROW_ISA: %w", err)
	case errors.As(err, &mixed):
		hint := "train as before, or into another file or folder: one holds one study"
		if mixed.Field == kernel.PathField {
			hint = "DEEPNARROW_ISA=" + mixed.Was + " goes on as before"
		}
		return frame.Usage(hint, "%w", err)
	case frame.Is[*kernel.CheckpointError](err):
		return frame.BadInput(err, "a checkpoint belongs to one shape and one optimizer")
	default:
		return frame.NoAnswer(err, "")
	}
}
