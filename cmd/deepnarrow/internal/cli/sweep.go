package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware/calibrate"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/sweep"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func (a *app) sweep() *cobra.Command {
	var f asks.Kernel
	var run sweepFlags
	c := &cobra.Command{
		Use:     "sweep --shapes LIST --tokens LIST --text FILE --out FOLDER",
		Short:   "Train a grid of T5 shapes and token counts, one record a run",
		GroupID: groupMeasure,
		Long: `Train every shape of a grid for every number of tokens with the reference kernel: a
scaling study of small T5 shapes on one machine. Each run writes one record into the
folder as soon as it ends, so that a stopped study loses at most the run in flight
and goes on when called again. The records are what fit, transfer and recommend read.

--emit slurm or kubernetes prints a job array whose tasks take one run each;
--merge joins the records of several folders and refuses duplicates that disagree.`,
		Example: `  deepnarrow sweep --shapes t5-tiny/vocab=384,t5-mini/vocab=384 --tokens 200k,400k --text book.txt --out runs --max-time 30m
  deepnarrow sweep --merge runs-1 --merge runs-2 -o all.jsonl`,
		Args: frame.NoArguments("--shapes LIST names the shapes, --text FILE the text"),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := run.oneQuestion(c); err != nil {
				return err
			}
			switch {
			case len(run.merge) > 0:
				return a.mergeRecords(run.merge)
			case run.emit != "":
				return run.printArray(c, a, &f)
			default:
				return run.study(c, a, &f)
			}
		},
	}
	a.Output.Register(c)
	f.Register(c)
	run.register(c)
	return c
}

// sweepFlags are those of sweep alone.
type sweepFlags struct {
	shapes, tokens, out, emit, image, volume string
	merge                                    []string
	maxTime                                  *float64
	entry                                    int
}

func (f *sweepFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.shapes, "shapes", "", "shapes, separated by commas")
	flags.StringVar(&f.tokens, "tokens", "",
		"tokens of a run (positions of both stacks), separated by commas: 200k,400k")
	flags.StringVar(&f.out, "out", "", "`folder` for the records, one file a run")
	frame.OptionalFlag(c, quantity.Duration, &f.maxTime, "max-time",
		"start no run that would end later than this")
	flags.StringVar(&f.emit, "emit", "", "print a job array instead: slurm or kubernetes")
	flags.StringVar(&f.image, "image", "", "container image of the job array (kubernetes)")
	flags.StringVar(&f.volume, "volume", "deepnarrow",
		"persistent volume `claim` that holds the text and gets the records (kubernetes)")
	flags.IntVar(&f.entry, "entry", -1,
		"take only this run of the grid, from 0: what a task of a job array does")
	flags.StringArrayVar(&f.merge, "merge", nil,
		"join the records of this `folder`; may be repeated")
}

func (f *sweepFlags) grid(k *asks.Kernel) (sweep.Grid, error) {
	g := sweep.Grid{Options: k.Options, Schedule: k.Schedule}
	if f.shapes == "" || f.tokens == "" {
		return g, frame.Usage("", "a grid needs --shapes and --tokens")
	}
	for _, name := range asks.SplitShapes(f.shapes) {
		s, err := shapes.Parse(name)
		if err != nil {
			return g, asks.ShapeError(err)
		}
		g.Shapes = append(g.Shapes, s)
	}
	for _, text := range strings.Split(f.tokens, ",") {
		n, err := quantity.ParseExact(quantity.Tokens, text)
		if err != nil {
			return g, frame.Usage("", "--tokens: %w", err)
		}
		g.Tokens = append(g.Tokens, n)
	}
	_, err := g.Entries()
	return g, asks.KernelError(err)
}

// study runs the grid, or the one entry of a task.
func (f *sweepFlags) study(c *cobra.Command, a *app, k *asks.Kernel) error {
	if f.out == "" {
		return frame.Usage("", "--out is needed: which folder gets the records?")
	}
	training, heldOut, err := k.Resolve(a.Files)
	if err != nil {
		return err
	}
	grid, err := f.grid(k)
	if err != nil {
		return err
	}
	if err := host.WritableFolder(f.out); err != nil {
		return frame.BadInput(err, "")
	}
	if err := os.MkdirAll(f.out, 0o777); err != nil {
		return frame.BadInput(err, "")
	}
	done, err := recordsIn(f.out)
	if err != nil {
		return frame.BadInput(err, "")
	}
	source := func(text []byte, seed uint64) func(*sweep.Entry) (kernel.Source, error) {
		return func(e *sweep.Entry) (kernel.Source, error) {
			return kernel.NewSpanCorruption(text, k.Options, e.Shape.Vocab, seed)
		}
	}
	study := sweep.Study{
		Grid: grid, Training: source(training, k.Options.Seed),
		HeldOut: source(heldOut, k.Options.Seed+1), Text: k.TextID,
		FLOPs:   func(e *sweep.Entry) float64 { return calibrate.TrainingFLOPs(&e.Shape, &k.Options, e.Steps) },
		Machine: host.Name(), Now: time.Now, Done: done,
		Keep: func(r kernel.Record) error {
			fmt.Fprintf(a.Err, "%s, %s: held-out loss %.4f, %s a step\n", r.Shape, quantity.Of(r.Steps, "step"),
				r.Loss, quantity.Format(quantity.Duration, r.StepSeconds, 3))
			done = append(done, r)
			write := func(w io.Writer) error { return kernel.WriteRecord(w, r) }
			return told(&r, host.WriteFile(filepath.Join(f.out, sweep.FileName(&r)), write))
		},
	}
	if v := f.maxTime; v != nil {
		study.Budget = time.Duration(*v * float64(time.Second))
	}
	var outcome sweep.Outcome
	var runErr error
	if c.Flags().Changed("entry") {
		outcome, runErr = study.RunEntry(c.Context(), f.entry)
	} else {
		outcome, runErr = study.Run(c.Context())
	}
	if frame.Is[*sweep.GridError](runErr) || frame.Is[*kernel.MixedError](runErr) {
		// nothing was done
		return asks.KernelError(runErr)
	}
	r := frame.NewReport("sweep", "shapes", f.shapes, "tokens", f.tokens, "out", f.out)
	r.Document.Conventions["flops"] = flops.MatmulConvention
	if len(outcome.Left) > 0 {
		r.Document.Warn(fmt.Sprintf("left for another time: %s, %s", quantity.Of(len(outcome.Left), "run"),
			strings.Join(outcome.Left, ", ")))
	}
	r.Records(done)
	return errors.Join(a.Render(r), asks.KernelError(runErr))
}

// oneQuestion refuses flags that would be ignored.
func (f *sweepFlags) oneQuestion(c *cobra.Command) error {
	allowed := map[string]bool{"output": true, "format": len(f.merge) == 0 && f.emit == ""}
	what := ""
	switch {
	case len(f.merge) > 0:
		what = "--merge"
		allowed["merge"] = true
	case f.emit != "":
		what = "--emit " + f.emit
		kubernetes := f.emit == string(sweep.Kubernetes)
		c.Flags().VisitAll(func(flag *pflag.Flag) {
			allowed[flag.Name] = flag.Name != "format" && flag.Name != "entry"
		})
		allowed["image"], allowed["volume"] = kubernetes, kubernetes
	default:
		what = "a study on this machine"
		c.Flags().VisitAll(func(flag *pflag.Flag) { allowed[flag.Name] = true })
		allowed["image"], allowed["volume"] = false, false
		allowed["max-time"] = !c.Flags().Changed("entry")
	}
	var ignored error
	c.Flags().Visit(func(flag *pflag.Flag) {
		if !allowed[flag.Name] && ignored == nil {
			ignored = frame.Usage("", "--%s says nothing to %s", flag.Name, what)
		}
	})
	return ignored
}

// printArray prints a job array whose tasks call this command with --entry and every flag that was
// given. The text need not be here.
func (f *sweepFlags) printArray(c *cobra.Command, a *app, k *asks.Kernel) error {
	if f.out == "" || k.Text == "" {
		return frame.Usage("both as the tasks are to find them",
			"--emit needs --text and --out: which file to train on, which folder for the records?")
	}
	grid, err := f.grid(k)
	if err != nil {
		return err
	}
	entries, err := grid.Entries()
	if err != nil {
		return asks.KernelError(err)
	}
	threads := max(1, k.Options.Threads)
	command := []string{"deepnarrow", "sweep", "--threads", strconv.Itoa(threads)}
	ours := []string{"emit", "image", "volume", "output", "max-time", "threads"}
	c.Flags().Visit(func(flag *pflag.Flag) {
		if !slices.Contains(ours, flag.Name) {
			command = append(command, "--"+flag.Name, flag.Value.String())
		}
	})
	array := sweep.Array{
		Name: "deepnarrow-sweep", Command: command, EntryFlag: "--entry", Entries: len(entries),
		Threads: threads, MemoryMiB: calibrate.TrainingMemoryMiB(grid.Shapes, &k.Options),
		Image: f.image, Volume: f.volume, Paths: []string{k.Text, f.out},
	}
	if v := f.maxTime; v != nil {
		array.Limit = time.Duration(*v * float64(time.Second))
	}
	text, err := sweep.Emit(sweep.Target(f.emit), array)
	if err != nil {
		return frame.Usage("", "--emit: %w", err)
	}
	return a.Write(func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
}

// recordsIn reads the records of a folder; what is not a file is refused.
func recordsIn(folder string) ([]kernel.Record, error) {
	root, err := openfile.Within(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	files, err := root.FS(folder)
	if err != nil {
		return nil, err
	}
	return sweep.Read(files)
}

// mergeRecords joins folders of records into JSON lines.
func (a *app) mergeRecords(folders []string) error {
	var sets [][]kernel.Record
	for _, folder := range folders {
		records, err := recordsIn(folder)
		if err != nil {
			if path, ok := errors.AsType[*fs.PathError](err); ok {
				return frame.BadInput(path, "--merge reads folders of records, as sweep --out writes them")
			}
			return frame.BadInput(fmt.Errorf("%s: %w", folder, err), "")
		}
		sets = append(sets, records)
	}
	merged, err := sweep.Merge(sets...)
	if err != nil {
		return frame.BadInput(err, "one of the two was trained otherwise; remove it")
	}
	return a.Write(func(w io.Writer) error {
		for _, r := range merged {
			if err := kernel.WriteRecord(w, r); err != nil {
				return err
			}
		}
		return nil
	})
}
