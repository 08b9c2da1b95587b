// Package cli is the command line of deepnarrow: one file per command, each parse → run → render.
// It holds no formula.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/internal/plain"
)

// Streams is everything a command may touch besides the files it is given.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Width    int  // columns of Out: the terminal's or COLUMNS, 0 when neither says
	Colors   bool // Out is a terminal that shows colours
	Progress bool // Err is a terminal
	Env      func(string) string
}

// Standard returns the streams of the process.
func Standard() Streams {
	s := Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv}
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	s.Colors = err == nil && os.Getenv("TERM") != "dumb"
	if columns, wrong := strconv.Atoi(os.Getenv("COLUMNS")); wrong == nil && columns > 0 {
		s.Width = columns
	} else if err == nil {
		s.Width = width
	}
	s.Progress = term.IsTerminal(int(os.Stderr.Fd()))
	return s
}

// app is what every command shares.
type app struct {
	Streams
	output outputFlags
	files  fileFlags
	common commonFlags
	late   error     // of files beside the result
	opens  opener    // of the files that are read
	raw    io.Writer // standard output for what is not text for a terminal or a log
	// command is the command line, but for where the result goes and how it looks.
	command string
}

// opener opens a file to read: [openfile.Named], or one that keeps to a folder.
type opener func(name string) (*os.File, error)

// within returns the app with another opener, for what a file names.
func (a *app) within(opens opener) *app {
	out := *a
	out.opens = opens
	return &out
}

// endThemselves are the commands that save what they have when they are interrupted; the others have
// nothing to save and end at once.
var endThemselves = []string{"train", "sweep", "calibrate", "fit"}

// courtesy is how long a command that is interrupted may take to say so itself.
const courtesy = 300 * time.Millisecond

// Run executes one command line and returns its exit code: see [exitCode]. A signal ends it whatever
// it waits for.
func Run(ctx context.Context, args []string, s Streams) int {
	out := plain.NewLog(s.Out)
	a := &app{
		Streams: s, opens: openfile.Named, raw: s.Out, command: commandLine(args),
	}
	a.In = heard{ctx, s.In}
	a.Out, a.Err = out, plain.Messages(s.Err)
	root := a.root()
	root.SetArgs(args)
	done := make(chan int, 1)
	go func() {
		defer func() {
			if fault := recover(); fault != nil {
				fmt.Fprintf(a.Err, "deepnarrow: internal error: %v", fault)
				fmt.Fprintf(s.Err, "%s\nhint: this is a bug; please report it with the command line\n", debug.Stack())
				done <- exitInternal
			}
		}()
		err := root.ExecuteContext(ctx)
		done <- a.report(ctx, errors.Join(err, out.Flush()))
	}()
	select {
	case code := <-done:
		return code
	case <-ctx.Done():
	}
	var late <-chan time.Time
	if c, _, err := root.Find(args); err != nil || !slices.Contains(endThemselves, c.Name()) {
		late = time.After(courtesy)
	}
	select {
	case code := <-done:
		return code
	case <-late:
		fmt.Fprintln(a.Err, "deepnarrow: interrupted")
		return exitInterrupted
	}
}

// Command returns the whole command tree, for what is generated from it.
func Command() *cobra.Command {
	root := (&app{Streams: Streams{Env: func(string) string { return "" }}}).root()
	root.InitDefaultCompletionCmd()
	return root
}

// Command groups of the help text, in order.
const (
	groupPlan      = "plan"
	groupLearn     = "learn"
	groupRecommend = "recommend"
	groupMeasure   = "measure"
	groupReview    = "review"
)

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "deepnarrow",
		Short: "Plan Transformer training runs before spending compute",
		Long: `Plan Transformer training runs before spending compute.

deepnarrow counts parameters, FLOPs and memory of encoder-decoder, encoder-only
and decoder-only shapes, predicts step time, money and CO2 on an accelerator,
and recommends DeepNarrow shapes after Tay et al. 2021 (arXiv 2109.10686).`,
		Example: `  deepnarrow count t5-base t5-small/nl=16
  deepnarrow plan t5-base --hardware tpu-v3 --devices 16 --steps 524288
  deepnarrow recommend --like t5-base --hardware tpu-v3 --devices 16`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		Args:              noSuchCommand,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return a.begin(c) },
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(flagError)
	a.common.register(root)
	root.AddGroup(
		&cobra.Group{ID: groupPlan, Title: "Count and plan:"},
		&cobra.Group{ID: groupLearn, Title: "Learn from runs:"},
		&cobra.Group{ID: groupRecommend, Title: "Recommend:"},
		&cobra.Group{ID: groupMeasure, Title: "Measure:"},
		&cobra.Group{ID: groupReview, Title: "Review:"},
	)
	root.AddCommand(a.count(), a.plan(), a.track(), a.export(), a.recommend(), a.protocol(), a.tables(), a.validate(),
		a.calibrate(), a.train(), a.sweep(), a.list(), a.explain(), a.version())
	root.AddCommand(a.fit(), a.isoflop(), a.envelope(), a.allocate(), a.transfer())
	root.AddCommand(a.check(), a.diff(), a.reportPage(), a.explore())
	onceEach(root)
	root.SetIn(a.In)
	root.SetOut(a.Out) // before the completion command, which takes it as it is
	root.SetErr(a.Err)
	a.help(root)
	a.completeValues(root)
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Args = noSuchCommand
		completion.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	return root
}
