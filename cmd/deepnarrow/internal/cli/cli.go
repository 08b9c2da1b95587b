// Package cli is the command line of deepnarrow: one file per command, each flags → question,
// answer → report. It holds no formula.
package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
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
