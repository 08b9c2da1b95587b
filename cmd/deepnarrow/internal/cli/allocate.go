package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
)

// allocateFlags are the flags of allocate.
type allocateFlags struct {
	asks.Laws
	size    asks.Size
	budgets []string
}

func (a *app) allocate() *cobra.Command {
	var f allocateFlags
	c := &cobra.Command{
		Use:     "allocate [FILE...] --budget FLOP",
		Short:   "Say what to train for a budget: parameters and tokens",
		GroupID: groupLearn,
		Long: `Find the parameters and tokens with the lowest predicted loss for a training
budget, with an interval from refits to resampled rows.

The law is fitted to FILE, or read from a document that fit wrote (--fit
fit.json), or published (--published). A law whose loss falls to an end of the
sizes has no best split and is refused (exit 4).

On a --cluster the budget may be --days, --max-cost or --max-device-hours: real
shapes are planned there, so that the FLOPs bought follow from the utilisation that
each size reaches, and --family t5 counts encoder-decoders as they are.
--serve-tokens has serving paid from the same budget: smaller, trained longer.`,
		Example: `  deepnarrow allocate runs.csv --budget 1e21
  deepnarrow allocate --fit fit.json --budget 1e21 --budget 1e22
  deepnarrow allocate --published chinchilla,chinchilla-epoch --budget 5.76e23
  deepnarrow allocate --published chinchilla-epoch --cluster 64xh100 --days 14
  deepnarrow allocate --published chinchilla-epoch --cluster 64xh100 --max-cost '$50000'
  deepnarrow allocate --published chinchilla --budget 8e22 --serve-tokens 2T`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.runAllocate(c.Context(), &f, args)
		},
	}
	a.Output.Register(c)
	f.Laws.Register(c)
	f.size.Register(c)
	flags := c.Flags()
	flags.StringArrayVar(&f.budgets, "budget", nil,
		"training `FLOP`, such as 1e22 or 100 PF-days; repeatable, or separated by commas")
	return c
}

func (a *app) runAllocate(ctx context.Context, f *allocateFlags, files []string) error {
	var budgets []float64
	for _, text := range frame.CommaSeparated(f.budgets) {
		v, err := quantity.Parse(quantity.FLOP, text)
		switch {
		case err != nil:
			return frame.Usage("", "--budget: %w", err)
		case v <= 0:
			return frame.Usage("", "--budget is 0; allowed: more than 0")
		case v > mostBudget:
			return frame.Usage("", "--budget is %s; allowed: up to 1e40 FLOP", text)
		}
		budgets = append(budgets, v)
	}
	if err := f.size.Check(budgets); err != nil {
		return err
	}
	if frame.HowMany(len(files) > 0, f.From != "", len(f.Published) > 0) != 1 {
		return frame.Usage("", "a law is needed from one place; allowed: FILE..., --fit or --published")
	}
	if err := asks.CheckLevel(f.Level); err != nil {
		return err
	}
	for _, name := range []string{
		"law", "objective", "bootstrap", "seed", "map", "where", "join",
		"run-key", "group", "last", "drop-highest",
	} {
		if len(files) == 0 && f.size.Change(name) {
			return frame.Usage("", "--%s is of fits; allowed: with FILE...", name)
		}
	}
	r := frame.NewReport("allocate")
	laws, err := a.Laws(ctx, &f.Laws, files, &r)
	if err != nil {
		return err
	}
	if f.size.Shapes() {
		return a.sizes(f, laws, budgets, &r)
	}
	var all []learn.Allocated
	for _, budget := range budgets {
		for _, law := range laws {
			one, err := learn.Allocate(law, budget, f.size.Served(), f.Level)
			if err != nil {
				return asks.Refused(err)
			}
			all = append(all, *one)
		}
	}
	r.Document.Inputs["budgets_flops"] = budgets
	f.size.Inputs(r.Document.Inputs)
	r.Document.Conventions["flops"] = reports.FLOPsOf(all[0].PerParamToken)
	r.Allocate(all)
	return a.Render(r)
}

// mostBudget is a trillion times what anybody has spent on a run.
const mostBudget = 1e40
