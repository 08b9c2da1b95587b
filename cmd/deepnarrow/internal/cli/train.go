package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware/calibrate"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/probe"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/sweep"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// kernelFlags are the choices of the reference kernel, shared by train and sweep.
type kernelFlags struct {
	text    string
	options kernel.Options
	rate    float64
	warmup  int
	seed    int
}

func (f *kernelFlags) register(c *cobra.Command) {
	f.options = kernel.Options{Batch: 8, EncoderLength: 128, DecoderLength: 32}
	f.rate, f.warmup = 0, 100
	c.Flags().StringVar(&f.text, "text", "",
		"text `file` to train on, as bytes; its last tenth is held out")
	countFlag(c, &f.options.Batch, "batch", "sequences of a step")
	countFlag(c, &f.options.EncoderLength, "encoder-length",
		"positions per sequence in the encoder")
	countFlag(c, &f.options.DecoderLength, "decoder-length",
		"positions per sequence in the decoder")
	textFlag(c, &f.options.Optimizer, "optimizer", "adam or adafactor")
	textFlag(c, &f.options.Recompute, "recompute", "none or full")
	amountFlag(c, quantity.Ratio, &f.rate, "rate",
		"learning rate at the end of the warm-up (default 0.001 with adam, 0.01 with adafactor)")
	countFlag(c, &f.warmup, "warmup", "steps of linear warm-up; then an inverse square root")
	countFlag(c, &f.options.Threads, "threads", "threads (default: one per core)")
	countFlag(c, &f.seed, "seed", "seed of weights and data (default 0)")
}

// resolve reads the text and completes the options. The environment variable DEEPNARROW_ISA chooses
// the instruction path.
func (f *kernelFlags) resolve(a *app) (training, heldOut []byte, schedule kernel.Schedule,
	err error,
) {
	if f.text == "" {
		return nil, nil, schedule, usage("any text of some 10 kB or more will do",
			"--text is needed: which file to train on?")
	}
	text, err := os.ReadFile(f.text)
	if err != nil {
		return nil, nil, schedule, badInput(err, "")
	}
	f.options.Path, f.options.Seed = a.Env("DEEPNARROW_ISA"), uint64(f.seed)
	if f.options.Threads == 0 {
		f.options.Threads = runtime.GOMAXPROCS(0)
	}
	schedule = kernel.Schedule{Rate: f.rate, Warmup: f.warmup, Linear: true}
	if schedule.Rate == 0 {
		schedule.Rate = map[kernel.Optimizer]float64{
			kernel.Adam:      1e-3,
			kernel.Adafactor: 1e-2,
		}[f.options.Optimizer]
	}
	cut := len(text) - len(text)/10
	return text[:cut], text[cut:], schedule, nil
}

// kernelError gives an error of the kernel its exit code.
func kernelError(err error) error {
	var unsupported *kernel.UnsupportedError
	var option *kernel.OptionError
	var checkpoint *kernel.CheckpointError
	var path *isa.OverrideError
	var coded *failure
	switch {
	case err == nil || errors.Is(err, context.Canceled) || errors.As(err, &coded):
		return err
	case errors.As(err, &unsupported):
		return noAnswer(err, "the reference kernel trains shapes of the T5 family")
	case errors.As(err, &option):
		return usage("", "%w", err)
	case errors.As(err, &path):
		return usage("", "DEEPNARROW_ISA: %w", err)
	case errors.As(err, &checkpoint):
		return badInput(err, "a checkpoint belongs to one shape and one optimizer")
	default:
		return noAnswer(err, "")
	}
}

func (a *app) train() *cobra.Command {
	var f kernelFlags
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
it, with the same losses as a run that was never stopped.`,
		Example: "  deepnarrow train t5-tiny/vocab=384 --text book.txt --steps 2000 --record runs.jsonl\n  deepnarrow train t5-tiny --text book.txt --checkpoint tiny.safetensors --resume",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			s, warnings, err := a.shape(args[0])
			if err != nil {
				return err
			}
			training, heldOut, schedule, err := f.resolve(a)
			if err != nil {
				return err
			}
			trained, err := run.train(c.Context(), a, s, &f, training, heldOut, schedule)
			if err != nil && trained == nil {
				return kernelError(err)
			}
			r := newReport("train")
			r.Document.Inputs["shape"], r.Document.Inputs["steps"] = args[0], run.steps
			r.Document.Conventions["flops"] = flops.MatmulConvention
			r.Document.Warnings = append(r.Document.Warnings, warnings...)
			r.Trained([]reports.Trained{*trained})
			if renderErr := a.render(r); renderErr != nil {
				return renderErr
			}
			return kernelError(err)
		},
	}
	a.output.register(c)
	f.register(c)
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
	countFlag(c, &f.steps, "steps", "optimizer steps in all")
	countFlag(c, &f.every, "every", "steps between lines of progress and between checkpoints")
	c.Flags().StringVar(&f.checkpoint, "checkpoint", "",
		"save weights and optimizer to this safetensors `file`")
	c.Flags().BoolVar(&f.resume, "resume", false, "go on from --checkpoint where it exists")
	c.Flags().StringVar(&f.record, "record", "",
		"append the run's record to this JSON-lines `file`")
}

// heldOutBatches is how many batches the held-out loss is a mean of.
const heldOutBatches = 16

// train takes the steps. After an interrupt it returns what is complete together with the context's
// error.
func (f *trainFlags) train(ctx context.Context, a *app, s shapes.Shape, k *kernelFlags, training,
	heldOut []byte, schedule kernel.Schedule,
) (*reports.Trained, error) {
	source, err := kernel.NewSpanCorruption(training, k.options, s.Vocab, k.options.Seed)
	if err != nil {
		return nil, err
	}
	unseen, err := kernel.NewSpanCorruption(heldOut, k.options, s.Vocab, k.options.Seed+1)
	if err != nil {
		return nil, err
	}
	t, err := kernel.NewTrainer(&s, k.options, schedule, source)
	if err != nil {
		return nil, err
	}
	defer t.Model.Close()
	if err := f.load(t.Model, k); err != nil {
		return nil, err
	}
	peak := measuredPeak(t.Model)
	watch := sweep.Laps{Now: time.Now}
	watch.Start()
	first, perStep := t.Model.Steps(), calibrate.TrainingFLOPs(&s, &k.options, 1)
	var last kernel.Result
	runErr := t.Run(ctx, f.steps, func(step int, r kernel.Result) {
		watch.Lap()
		last = r
		if step%f.every == 0 || step == f.steps {
			rate := perStep / watch.Median()
			fmt.Fprintf(a.Err, "step %d: loss %.4f, %s, %s of peak\n", step, r.NLL,
				quantity.Format(quantity.FLOPRate, rate, 3),
				quantity.Format(quantity.Fraction, rate/peak, 0))
			if step != f.steps {
				err = errors.Join(err, f.save(t.Model, k))
			}
			watch.Start() // the next lap is a step, not a checkpoint
		}
	})
	if err := errors.Join(err, f.save(t.Model, k)); err != nil {
		return nil, badInput(err, "")
	}
	if runErr != nil && !errors.Is(runErr, context.Canceled) {
		return nil, runErr
	}
	loss, err := t.Evaluate(unseen, heldOutBatches)
	if err != nil {
		return nil, err
	}
	out := &reports.Trained{
		Record: t.Record(kernel.RecordInfo{
			FLOPs: calibrate.TrainingFLOPs(&s, &k.options, t.Model.Steps()), Loss: loss, TrainLoss: last.NLL,
			StepSeconds: watch.Median(), Machine: host.Name(), Now: time.Now(),
		}),
		StepsNow: t.Model.Steps() - first, PeakFLOPsPerSecond: peak,
	}
	if f.record != "" {
		write := func(w io.Writer) error { return kernel.WriteRecord(w, out.Record) }
		if err := host.AppendFile(f.record, write); err != nil {
			return nil, badInput(err, "")
		}
	}
	return out, runErr
}

// choices are what must be the same for a resumed run to be the same run.
func (k *kernelFlags) choices() map[string]string {
	return map[string]string{
		"text": filepath.Base(k.text), "seed": strconv.Itoa(k.seed),
		"rate": quantity.Shortest(k.rate), "warmup": strconv.Itoa(k.warmup),
		"batch": strconv.Itoa(k.options.Batch), "encoder_length": strconv.Itoa(
			k.options.EncoderLength), "decoder_length": strconv.Itoa(k.options.DecoderLength),
	}
}

// load goes on from the checkpoint where there is one. One that was written under other choices is
// refused: its losses would be those of neither run.
func (f *trainFlags) load(m *kernel.Model, k *kernelFlags) error {
	if !f.resume {
		return nil
	}
	if f.checkpoint == "" {
		return usage("", "--resume needs --checkpoint")
	}
	file, err := os.Open(f.checkpoint)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return badInput(err, "")
	}
	defer file.Close()
	was, err := m.Load(f.checkpoint, file)
	if err != nil {
		return err
	}
	now := k.choices()
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if was[name] != now[name] {
			return usage("train as before, or into another checkpoint",
				"--resume: %s was written with %s %s, not %s", f.checkpoint, name, was[name],
				now[name])
		}
	}
	return nil
}

func (f *trainFlags) save(m *kernel.Model, k *kernelFlags) error {
	if f.checkpoint == "" {
		return nil
	}
	return writeFile(f.checkpoint, func(w io.Writer) error { return m.Save(w, k.choices()) })
}

// measuredPeak probes what the model's threads can do at most, in FLOP/s.
func measuredPeak(m *kernel.Model) float64 {
	workers := pool.New(m.Threads())
	defer workers.Close()
	return probe.PeakFLOPsPerSecond(workers, m.Path(), time.Now)
}
