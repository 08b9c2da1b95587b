package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/hardware/calibrate"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// calibrateFlags are those of calibrate.
type calibrateFlags struct {
	maxTime float64
	records string
	threads int
	profile string // file to write
	check   string

	from      []string
	hardware  string
	stack     string
	execution flops.Execution

	emit string
	work flops.Workload
}

func (a *app) calibrate() *cobra.Command {
	var f calibrateFlags
	c := &cobra.Command{
		Use:     "calibrate [-o PROFILE]",
		Short:   "Fit a hardware profile to measured steps",
		GroupID: groupMeasure,
		Long: `Fit the step-time model to measured steps and write a profile that --hardware reads.

Without --from it times training steps of T5 shapes with the reference kernel on this
machine's processor, most telling first, until --max-time. Steps beside other work on
the machine are flagged, and taken again if time allows. --records keeps the
measurements; the same call goes on from them. --check holds a profile against steps of
twenty other shapes.

--from FILE fits to your own steps on --hardware instead: CSV or JSON lines with shape,
batch, step_seconds and what else differs from run to run (see docs/calibrate.md).
--emit pytorch prints a script that measures such steps on one device or a cluster.`,
		Example: `  deepnarrow calibrate --max-time 3m --records here.jsonl -o here.yaml
  deepnarrow calibrate --check here.yaml --max-time 4m
  deepnarrow calibrate --emit pytorch -o twin.py
  deepnarrow calibrate --from steps.jsonl --hardware a100 -o ours.yaml`,
		ValidArgsFunction: asks.CompleteShapes,
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.oneQuestion(c); err != nil {
				return err
			}
			switch {
			case f.emit != "":
				return f.emitTwin(a, args)
			case len(args) > 0:
				return frame.Usage("the shapes to measure are chosen here",
					"calibrate takes shapes only with --emit; got %q", args[0])
			case f.check != "":
				return f.compare(c.Context(), a)
			case asks.WritesProfile("-o", f.profile) != nil:
				return asks.WritesProfile("-o", f.profile)
			case len(f.from) > 0:
				return f.importSteps(c, a)
			default:
				return f.measure(c.Context(), a)
			}
		},
	}
	f.register(c)
	a.Output.RegisterFormat(c)
	return c
}

func (f *calibrateFlags) register(c *cobra.Command) {
	const defaultMaxTime = 180
	f.maxTime = defaultMaxTime
	f.execution = calibrate.TwinExecution()
	flags := c.Flags()
	frame.AmountFlag(c, quantity.Duration, &f.maxTime, "max-time", "how long to measure")
	flags.StringVar(&f.records, "records", "",
		"append measurements to this JSON-lines `file`, and go on from those in it")
	frame.CountFlag(c, &f.threads, "threads", "threads (default: one per core)")
	flags.StringVarP(&f.profile, "output", "o", "",
		"write the profile, or the script, to this `file`")
	frame.Writes(c, frame.AFile, "output")
	frame.Writes(c, frame.Lines, "records")
	flags.StringVar(&f.check, "check", "",
		"measure other shapes and hold the predictions of this `profile` against them")
	flags.StringArrayVar(&f.from, "from", nil, "fit to the steps in this `file`; may be repeated")
	flags.StringVar(&f.hardware, "hardware", "",
		"accelerator `name` or profile file that the steps of --from were made on")
	flags.StringVar(&f.stack, "stack", "",
		"software stack of --from: one of those of deepnarrow validate, such as megatron")
	frame.TextFlag(c, &f.execution.Precision, "precision",
		"of steps that do not say: bf16-mixed, fp16-mixed, fp32, bf16 or fp8-mixed")
	frame.TextFlag(c, &f.execution.Optimizer, "optimizer", "of steps that do not say")
	frame.TextFlag(c, &f.execution.Attention, "attention", "of steps that do not say: fused or unfused")
	frame.TextFlag(c, &f.execution.Recompute, "recompute",
		"of steps that do not say: none, selective or full")
	flags.StringVar(&f.emit, "emit", "", "print a script that measures steps: pytorch")
	f.work = flops.PaperWorkload
	frame.CountFlag(c, &f.work.Batch, "batch", "with --emit and shapes: sequences of a device")
	frame.CountFlag(c, &f.work.EncoderLength, "encoder-length",
		"with --emit and shapes: positions per sequence in the encoder")
	frame.CountFlag(c, &f.work.DecoderLength, "decoder-length",
		"with --emit and shapes: positions per sequence in the decoder")
}

// oneQuestion refuses flags of different questions together.
func (f *calibrateFlags) oneQuestion(c *cobra.Command) error {
	given := c.Flags().Changed
	asked := frame.HowMany(given("from"), given("emit"), given("check"))
	if asked > 1 {
		return frame.Usage("", "--from, --emit and --check are three questions; allowed: one of them")
	}
	if err := frame.Needs(c, "from", "hardware", "stack"); err != nil {
		return err
	}
	if stacks := hardware.Stacks(); f.stack != "" && !slices.Contains(stacks, f.stack) {
		return frame.UnknownWord("software stack", f.stack, stacks)
	}
	if asked == 1 && f.check == "" && frame.Given(c, "max-time", "records", "threads") != "" {
		return frame.Usage("",
			"--max-time, --records and --threads are of measuring this machine; allowed: without --from and --emit")
	}
	return nil
}

// hundred is the length of the bar, in per cent of the time.
const hundred = 100

// measure runs the reference kernel and fits to its steps.
func (f *calibrateFlags) measure(ctx context.Context, a *app) error {
	found, err := f.bench(ctx, a, calibrate.Design())
	if err != nil {
		return err
	}
	here, err := calibrate.FitHere(calibrate.Processor("this machine", found.Facts), found.Records)
	if err != nil {
		return unfitted(err)
	}
	r := frame.NewReport("calibrate", "max_time_seconds", f.maxTime)
	r.Document.Warn(here.Warnings()...)
	return f.finish(a, r, &reports.Calibrated{
		Profile: here.Profile, Fit: here.Fit, Measured: len(found.Records), Used: len(here.Used),
		Contended: here.Contended(),
		Left:      found.Left, Path: found.ISA.String(), Threads: f.threads, Machine: host.Name(),
		Date: time.Now().UTC().Format(time.RFC3339),
	})
}

// unfitted gives an error of records its exit code.
func unfitted(err error) error {
	if errors.Is(err, calibrate.ErrNoMeasurements) {
		return frame.NoAnswer(err, "give it more --max-time")
	}
	return frame.BadInput(err, "")
}

// bench measures points on this machine.
func (f *calibrateFlags) bench(ctx context.Context, a *app, points []calibrate.Point) (
	calibrate.BenchResult, error,
) {
	none := calibrate.BenchResult{}
	f.threads = cmp.Or(f.threads, runtime.GOMAXPROCS(0))
	done, err := readCalibration(f.records)
	if err != nil {
		return none, frame.BadInput(err, "")
	}
	bar := a.Bar("calibrate")
	var lost error // the first record that could not be kept
	bench := calibrate.Bench{
		Points: points, Threads: f.threads, Path: a.Env("DEEPNARROW_ISA"), Machine: host.Name(),
		Budget: time.Duration(f.maxTime * float64(time.Second)), Now: time.Now,
		CPUSeconds: host.CPUSeconds(), MemoryBytes: host.MemoryBytes(), Done: done,
		Keep: func(r calibrate.Record) error {
			if f.records == "" || lost != nil {
				return nil
			}
			lost = host.AppendFile(f.records,
				func(w io.Writer) error { return calibrate.WriteRecord(w, r) })
			return nil // the profile is not lost with the record
		},
		Progress: func(_ calibrate.Point, spent float64) { bar.Reach(int(hundred*spent), hundred) },
	}
	found, err := bench.Measure(ctx)
	bar.End()
	_ = a.Beside(lost)
	if err != nil {
		return none, asks.KernelError(err)
	}
	return found, nil
}

// compare measures steps of other shapes than the design's and holds a profile's predictions
// against them.
func (f *calibrateFlags) compare(ctx context.Context, a *app) error {
	p, err := asks.Profile(f.check, a.Opens)
	if err != nil {
		return frame.BadInput(err, "")
	}
	found, err := f.bench(ctx, a, calibrate.Unseen())
	if err != nil {
		return err
	}
	rows, err := calibrate.Check(p, found.Records)
	if err != nil {
		return unfitted(err)
	}
	r := frame.NewReport("calibrate-check", "profile", f.check, "max_time_seconds", f.maxTime)
	r.CalibrationChecked(rows, found.Left)
	return a.Render(r)
}

// importSteps fits to the user's own steps.
func (f *calibrateFlags) importSteps(c *cobra.Command, a *app) error {
	if f.hardware == "" {
		return frame.Usage("deepnarrow list hardware shows what there is",
			"--from needs --hardware: what were the steps measured on?")
	}
	p, err := asks.Profile(f.hardware, a.Opens)
	if err != nil {
		return frame.BadInput(err, "deepnarrow list hardware shows what there is")
	}
	// what steps are that do not say
	q := plan.Question{Shape: calibrate.TwinDesign()[0].Shape, Profile: &p}
	stated := asks.Workload{Execution: f.execution, Given: c.Flags().Changed}
	stated.AddTo(&q)
	usual, err := q.Resolve()
	if err != nil {
		return asks.PlanError(err)
	}
	base := hardware.Run{
		Profile: p, Software: hardware.Software{Stack: f.stack}, Execution: usual.Run.Execution,
	}
	var steps []calibrate.Measurement
	for _, name := range f.from {
		some, err := a.importFile(name, base)
		if err != nil {
			return frame.BadInput(err, "docs/calibrate.md lists the columns")
		}
		steps = append(steps, some...)
	}
	p, fit, err := calibrate.FitProfile(p, steps, f.from)
	if err != nil {
		return frame.BadInput(err, "")
	}
	r := frame.NewReport("calibrate", "from", f.from, "hardware", f.hardware)
	r.Document.Warn(fit.Warnings()...)
	return f.finish(a, r, &reports.Calibrated{
		Profile: p, Fit: fit, Measured: len(steps), Used: len(steps),
	})
}

// finish writes the profile and prints what it rests on.
func (f *calibrateFlags) finish(a *app, r reports.Report, c *reports.Calibrated) error {
	if f.profile == "" {
		r.Document.Warn("nothing is kept: -o FILE writes the profile")
		r.Calibrated(c)
		return a.Render(r)
	}
	text, err := calibrate.Written(&c.Profile, f.profile)
	if err != nil {
		return frame.BadInput(err, "are the units of the steps and their batches right?")
	}
	write := func(w io.Writer) error { _, err := w.Write(text); return err }
	err = frame.WriteFile(f.profile, write)
	if frame.Is[*host.WriteError](err) {
		return errors.Join(frame.BadInput(err, "the profile is on standard output instead"), write(a.Out))
	}
	if err != nil {
		return err
	}
	r.Calibrated(c)
	return a.Render(r)
}

// emitTwin prints the script.
func (f *calibrateFlags) emitTwin(a *app, args []string) error {
	if f.emit == "jax" {
		return frame.Usage(
			"steps of any other program are read by --from: docs/calibrate.md lists the columns",
			"there is no JAX twin, since none could be tested; allowed: --emit pytorch")
	}
	if f.emit != "pytorch" {
		return frame.UnknownWord("value of --emit", f.emit, []string{"pytorch"})
	}
	points := calibrate.TwinDesign()
	if len(args) > 0 {
		points = nil
	}
	for _, ref := range args {
		s, _, err := a.Shape(ref)
		if err != nil {
			return err
		}
		points = append(points, calibrate.Point{Shape: s, Workload: f.work})
	}
	write := func(w io.Writer) error { return asks.KernelError(calibrate.EmitPyTorch(w, points)) }
	if f.profile == "" {
		return write(a.Out)
	}
	return a.Save(f.profile, write)
}

func (a *app) importFile(name string, base hardware.Run) ([]calibrate.Measurement, error) {
	file, err := a.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return calibrate.ReadSteps(name, file, base, func(ref string) (shapes.Shape, error) {
		if !asks.LooksLikeFile(ref) {
			return shapes.Parse(ref)
		}
		return a.shapeBeside(name, ref)
	})
}

// shapeBeside reads a shape from a file that another names: it lies in the folder of that one.
func (a *app) shapeBeside(name, ref string) (shapes.Shape, error) {
	folder, err := openfile.Within(filepath.Dir(name))
	if err != nil {
		return shapes.Shape{}, err
	}
	defer folder.Close()
	s, _, err := a.Within(folder.Open).Shape(filepath.Join(filepath.Dir(name), ref))
	return s, err
}

func readCalibration(name string) ([]calibrate.Record, error) {
	if name == "" {
		return nil, nil
	}
	file, err := openfile.Named(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return calibrate.ReadRecords(name, file)
}
