package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware/calibrate"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/sweep"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/result"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func (a *app) train() *cobra.Command {
	var f asks.Kernel
	var run trainFlags
	c := &cobra.Command{
		Use:     "train SHAPE --text FILE",
		Short:   "Train a T5 shape with the reference kernel",
		GroupID: groupMeasure,
		Long: `Train a shape of the T5 family on this machine's processor with the reference
kernel: forward, backward and optimizer in float32, on span corruption of a text
read as bytes. Prints held-out loss, tokens per second, achieved FLOP/s and its
share of the measured peak; --record appends a record that fit reads.

Ctrl-C ends after the step in hand and saves the checkpoint; --resume goes on from
it, with the same losses as a run that was never stopped. A checkpoint of another text,
seed or setting is refused. A run has one record however often it is resumed, and none
before its last step.`,
		Example: "  deepnarrow train t5-tiny/vocab=384 --text book.txt --steps 2000 --record runs.jsonl\n  deepnarrow train t5-tiny --text book.txt --checkpoint tiny.safetensors --resume",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, warnings, err := a.Shape(args[0])
			if err != nil {
				return err
			}
			training, heldOut, err := f.Resolve(a.Files)
			if err != nil {
				return err
			}
			trained, err := run.train(c.Context(), a, s, &f, training, heldOut)
			if err != nil && trained == nil {
				return asks.KernelError(err)
			}
			r := frame.NewReport("train", "shape", args[0], "steps", run.steps)
			r.Document.Conventions["flops"] = flops.MatmulConvention
			r.Document.Warn(warnings...)
			r.Trained(trained)
			return errors.Join(a.Render(r), asks.KernelError(err))
		},
	}
	a.Output.Register(c)
	f.Register(c)
	run.register(c)
	return c
}

// trainFlags are those of train alone.
type trainFlags struct {
	steps, every       int
	checkpoint, record string
	resume             bool
}

func (f *trainFlags) register(c *cobra.Command) {
	f.steps, f.every = 1000, 100
	frame.CountFlag(c, &f.steps, "steps", "optimizer steps in all")
	frame.CountFlag(c, &f.every, "every", "steps between lines of progress and between checkpoints")
	c.Flags().StringVar(&f.checkpoint, "checkpoint", "",
		"save weights and optimizer to this safetensors `file`")
	c.Flags().BoolVar(&f.resume, "resume", false, "go on from --checkpoint where it exists")
	c.Flags().StringVar(&f.record, "record", "",
		"append the run's record to this JSON-lines `file`")
	frame.Writes(c, frame.AFile, "checkpoint")
	frame.Writes(c, frame.Lines, "record")
}

// heldOutBatches is how many batches the held-out loss is a mean of.
const heldOutBatches = 16

// train takes the steps. After an interrupt it returns what is complete together with the context's
// error, and after a save that failed the result with that error.
func (f *trainFlags) train(ctx context.Context, a *app, s shapes.Shape, k *asks.Kernel, training,
	heldOut []byte,
) (*result.Trained, error) {
	source, err := kernel.NewSpanCorruption(training, k.Options, s.Vocab, k.Options.Seed)
	if err != nil {
		return nil, err
	}
	unseen, err := kernel.NewSpanCorruption(heldOut, k.Options, s.Vocab, k.Options.Seed+1)
	if err != nil {
		return nil, err
	}
	t, err := kernel.NewTrainer(&s, k.Options, k.Schedule, source)
	if err != nil {
		return nil, err
	}
	defer t.Model.Close()
	was, err := f.load(t, k.TextID)
	if err != nil {
		return nil, err
	}
	if f.checkpoint != "" {
		room := func(w io.Writer) error { return t.Model.Save(w, nil) }
		if err := frame.FileError(host.HasRoom(f.checkpoint, room)); err != nil {
			return nil, err
		}
	}
	peak := t.Model.MeasuredPeak(time.Now)
	watch := sweep.Laps{Now: time.Now}
	watch.Start()
	first, perStep := t.Model.Steps(), calibrate.TrainingFLOPs(&s, &k.Options, 1)
	var saveErr error // the last save's
	runErr := t.Run(ctx, f.steps, func(step int, r kernel.Result) {
		watch.Lap()
		was = kernel.Progress{Loss: r.NLL, StepSeconds: watch.Median()}
		if step%f.every == 0 || step == f.steps {
			rate := perStep / was.StepSeconds
			fmt.Fprintf(a.Err, "step %d: loss %.4f, %s, %s of peak\n", step, r.NLL,
				quantity.Format(quantity.FLOPRate, rate, 3),
				quantity.Format(quantity.Fraction, rate/peak, 0))
			if step != f.steps {
				if saveErr = f.save(t, k.TextID, was); saveErr != nil {
					fmt.Fprintf(a.Err, "warning: %v; training goes on\n", saveErr)
				}
			}
			watch.Start() // the next lap is a step, not a checkpoint
		}
	})
	if t.Model.Steps() > first || saveErr != nil {
		saveErr = f.save(t, k.TextID, was)
	}
	if runErr != nil && !errors.Is(runErr, context.Canceled) {
		return nil, errors.Join(runErr, saveErr)
	}
	loss, err := t.Evaluate(unseen, heldOutBatches)
	if err != nil {
		return nil, errors.Join(err, saveErr)
	}
	record := t.Record(kernel.RecordInfo{
		Text: k.TextID, FLOPs: calibrate.TrainingFLOPs(&s, &k.Options, t.Model.Steps()), Loss: loss,
		TrainLoss: was.Loss, StepSeconds: was.StepSeconds, Machine: host.Name(), Now: time.Now(),
	})
	out := result.TrainedOf(&record, peak)
	if runErr != nil { // the run goes on some other time, and has its record then
		return out, errors.Join(runErr, saveErr)
	}
	return out, errors.Join(f.append(a, &out.Record), saveErr)
}

// append adds the record of a run that ended to --record, if a resumed run did not before.
func (f *trainFlags) append(a *app, r *kernel.Record) error {
	if f.record == "" {
		return nil
	}
	if f.resume && a.recorded(f.record, r) {
		fmt.Fprintf(a.Err, "%s holds the record of this run already\n", f.record)
		return nil
	}
	return appendRecord(f.record, r)
}

// appendRecord adds a record to a file; one that cannot be kept is told.
func appendRecord(name string, r *kernel.Record) error {
	write := func(w io.Writer) error { return kernel.WriteRecord(w, *r) }
	return told(r, host.AppendFile(name, write))
}

// told puts a record that could not be kept into the hint of the error.
func told(r *kernel.Record, err error) error {
	if !frame.Is[*host.WriteError](err) {
		return err
	}
	return frame.BadInput(err, "the record is "+r.Line())
}

// recorded says whether a file holds the record of a run; its other lines may be anything.
func (a *app) recorded(name string, r *kernel.Record) bool {
	const most = 1 << 30
	text, err := a.ReadLimited(name, most)
	return err == nil && r.Recorded(text)
}

// load goes on from the checkpoint where there is one. One that was written under other choices is
// refused: its losses would be those of neither run.
func (f *trainFlags) load(t *kernel.Trainer, text string) (was kernel.Progress, err error) {
	if !f.resume {
		return was, nil
	}
	if f.checkpoint == "" {
		return was, frame.Usage("", "--resume needs --checkpoint")
	}
	file, err := openfile.Named(f.checkpoint)
	if errors.Is(err, os.ErrNotExist) {
		return was, nil
	}
	if err != nil {
		return was, frame.BadInput(err, "")
	}
	defer file.Close()
	if was, err = t.Resume(f.checkpoint, file, text); err != nil {
		if frame.Is[*kernel.MixedError](err) {
			err = fmt.Errorf("--resume: %w", err)
		}
		return was, err
	}
	if n := t.Model.Steps(); n > f.steps {
		return was, frame.Usage("", "--steps: %d, of which %s has %d behind it; allowed: %d or more", f.steps,
			f.checkpoint, n, n)
	}
	return was, nil
}

func (f *trainFlags) save(t *kernel.Trainer, text string, now kernel.Progress) error {
	if f.checkpoint == "" {
		return nil
	}
	return frame.WriteFile(f.checkpoint, func(w io.Writer) error { return t.Save(w, text, now) })
}
