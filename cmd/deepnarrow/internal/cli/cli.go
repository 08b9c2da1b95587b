// Package cli is the command line of deepnarrow: one file per command, each parse → run → render.
// It holds no formula.
package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Streams is everything a command may touch besides the files it is given.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Width    int  // columns of the terminal Out is, 0 when it is none
	Progress bool // Err is a terminal
	Env      func(string) string
}

// Standard returns the streams of the process.
func Standard() Streams {
	s := Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv}
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
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
	late   error // of files beside the result
}

// Run executes one command line and returns its exit code: see [exitCode].
func Run(ctx context.Context, args []string, s Streams) (code int) {
	a := &app{Streams: s}
	defer func() {
		if fault := recover(); fault != nil {
			fmt.Fprintf(s.Err,
				"deepnarrow: internal error: %v\n%s\nhint: this is a bug; please report it with the command line\n", fault, debug.Stack())
			code = exitInternal
		}
	}()
	root := a.root()
	root.SetArgs(args)
	return a.report(ctx, root.ExecuteContext(ctx))
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
		PersistentPreRunE: func(c *cobra.Command, _ []string) error { return a.tryFiles(c) },
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(flagError)
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
	root.SetIn(a.In)
	root.SetOut(a.Out) // before the completion command, which takes it as it is
	root.SetErr(a.Err)
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Args = noSuchCommand
		completion.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	return root
}
