// Package cli is the command line of deepnarrow: one file per command, each flags → question,
// answer → report. It holds no formula.
package cli

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// endThemselves are the commands that save what they have when they are interrupted; the others have
// nothing to save and end at once.
var endThemselves = []string{"train", "sweep", "calibrate", "fit"}

// Run executes one command line and returns its exit code.
func Run(ctx context.Context, args []string, s frame.Streams) int {
	return frame.Run(ctx, args, s, root, endThemselves)
}

// Command returns the whole command tree, for what is generated from it.
func Command() *cobra.Command {
	root := root(&frame.App{Streams: frame.Streams{Env: func(string) string { return "" }}})
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

// app is what every command shares.
type app struct{ *asks.Files }

func root(f *frame.App) *cobra.Command {
	a := &app{&asks.Files{App: f}}
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
	}
	root.AddGroup(&cobra.Group{ID: groupPlan, Title: "Count and plan:"},
		&cobra.Group{ID: groupLearn, Title: "Learn from runs:"},
		&cobra.Group{ID: groupRecommend, Title: "Recommend:"},
		&cobra.Group{ID: groupMeasure, Title: "Measure:"},
		&cobra.Group{ID: groupReview, Title: "Review:"})
	root.AddCommand(a.count(), a.plan(), a.track(), a.export(), a.recommend(), a.protocol(), a.tables(), a.validate(),
		a.calibrate(), a.train(), a.sweep(), a.list(), a.explain(), a.version())
	root.AddCommand(a.fit(), a.isoflop(), a.envelope(), a.allocate(), a.transfer())
	root.AddCommand(a.check(), a.diff(), a.reportPage(), a.explore())
	for _, c := range root.Commands() {
		if run := c.RunE; run != nil {
			c.RunE = func(c *cobra.Command, args []string) error { return a.Misplaced(c, args, run(c, args)) }
		}
	}
	a.Frame(root, func() { frame.CompleteValues(root, values, ofColumns, a.columns) })
	return root
}

// values are the words that a shell completes for flags that take one of a few, where their help
// does not list them.
var values = map[string]func() []string{
	"hardware": hardwareNames,
	"profile":  hardwareNames,
	"check":    hardwareNames,
	"like":     shapes.Names,
	"shapes":   shapes.Names,
	"region": named(hardware.Regions,
		func(r hardware.Region) string { return r.Key + "\t" + r.Name }),
	"law": named(fit.Laws, func(l fit.Law) string { return l.Name }, learn.Auto),
	"convention": named(flops.Conventions, func(c flops.Convention) string { return string(c) },
		"all"),
	"to":        config.ExportFormats,
	"color":     frame.ColorChoices,
	"layout":    frame.Words("auto"),
	"family":    frame.Words("t5 t5.1.1 gpt bert"),
	"evidence":  frame.Words("primary secondary figure recalled"),
	"objective": frame.Words("params flops step-time device-hours cost memory decode-latency quality"),
	"zero":      frame.Words("0 1 2 3"),
}

// named lists names: the first ones, and then those of a list.
func named[T any](list func() []T, name func(T) string, first ...string) func() []string {
	return func() []string {
		out := first
		for _, item := range list() {
			out = append(out, name(item))
		}
		return out
	}
}

func hardwareNames() []string {
	var out []string
	for _, p := range hardware.Catalogue() {
		for _, alias := range p.Aliases {
			out = append(out, alias+"\t"+p.Name)
		}
	}
	return out
}

// ofColumns are the flags whose values are columns of the files that a command reads.
var ofColumns = []string{"x", "y", "by", "group", "run-key", "where", "upstream", "downstream", "size"}

// columns completes names of columns of the files on the command line.
func (a *app) columns(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, file := range args {
		if t, err := a.Records("", file); err == nil {
			out = append(out, t.Names()...)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  frame.NoArguments(""),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.Out, "deepnarrow %s %s/%s %s\n", frame.Version(), runtime.GOOS,
				runtime.GOARCH, runtime.Version())
			return err
		},
	}
}
