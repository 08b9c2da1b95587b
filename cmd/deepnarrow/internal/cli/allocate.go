package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
)

// allocateFlags are the flags of allocate.
type allocateFlags struct {
	runs           asks.Runs
	size           asks.Size
	budgets        []string
	law, objective string
	from           string
	published      []string
	bootstrap      int
	seed           uint64
	level          float64
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
	f.runs.Register(c)
	f.size.Register(c)
	flags := c.Flags()
	flags.StringArrayVar(&f.budgets, "budget", nil,
		"training `FLOP`, such as 1e22 or 100 PF-days; repeatable, or separated by commas")
	flags.StringVar(&f.law, "law", fit.Chinchilla().Name, "law `name` in params and tokens")
	flags.StringVar(&f.objective, "objective", "", "as in fit (default log-huber:1e-3)")
	flags.StringVar(&f.from, "fit", "",
		"read the law from this `file` instead, written by deepnarrow fit -o")
	flags.StringArrayVar(&f.published, "published", nil,
		"use these published `laws` instead, separated by commas: chinchilla, chinchilla-epoch or chinchilla-log-huber")
	flags.IntVar(&f.bootstrap, "bootstrap", learn.AutomaticResamples,
		"refits to resampled rows, for the interval; 0 for none")
	flags.Uint64Var(&f.seed, "seed", 0, "seed of starts and resamples")
	flags.Float64Var(&f.level, "level", asks.UsualLevel, "probability inside the intervals")
	return c
}

func (a *app) runAllocate(ctx context.Context, f *allocateFlags, files []string) error {
	var budgets []float64
	for _, text := range frame.CommaSeparated(f.budgets) {
		v, err := quantity.Parse(quantity.FLOP, text)
		if err != nil {
			return frame.Usage("", "--budget: %w", err)
		}
		if v <= 0 {
			return frame.Usage("", "--budget is 0; allowed: more than 0")
		}
		if v > mostBudget {
			return frame.Usage("", "--budget is %s; allowed: up to 1e40 FLOP", text)
		}
		budgets = append(budgets, v)
	}
	if err := f.size.Check(budgets); err != nil {
		return err
	}
	sources := 0
	for _, given := range []bool{len(files) > 0, f.from != "", len(f.published) > 0} {
		if given {
			sources++
		}
	}
	if sources != 1 {
		return frame.Usage("", "a law is needed from one place; allowed: FILE..., --fit or --published")
	}
	if err := asks.CheckLevel(f.level); err != nil {
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
	laws, err := a.lawsOf(ctx, f, files, &r)
	if err != nil {
		return err
	}
	if f.size.Shapes() {
		return a.sizes(f, laws, budgets, &r)
	}
	var all []learn.Allocated
	for _, budget := range budgets {
		for _, law := range laws {
			one, err := learn.Allocate(law, budget, f.size.Served(), f.level)
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

// allocates refuses a law that has nothing to split.
func allocates(law fit.Law) error {
	if !learn.CanAllocate(law) {
		return frame.Usage("", "law %s reads %s; allowed: a law that reads params and tokens", law.Name,
			strings.Join(law.Columns, ", "))
	}
	return nil
}

// lawsOf reads, looks up or fits the laws, and states in the report where they are from.
func (a *app) lawsOf(ctx context.Context, f *allocateFlags, files []string, r *reports.Report) (
	[]*learn.Law, error,
) {
	if len(f.published) > 0 {
		var out []*learn.Law
		names := frame.CommaSeparated(f.published)
		for _, name := range names {
			law, ok := learn.PublishedLaw(name)
			if !ok {
				return nil, frame.UnknownWord("published law", name, learn.PublishedLaws())
			}
			out = append(out, law)
		}
		r.Document.Inputs["published"] = strings.Join(names, ",")
		return out, nil
	}
	law, err := a.lawOf(ctx, f, files, r)
	if err != nil {
		return nil, err
	}
	return []*learn.Law{law}, allocates(law.Result.Law)
}

// lawOf reads or fits the law.
func (a *app) lawOf(ctx context.Context, f *allocateFlags, files []string, r *reports.Report) (
	*learn.Law, error,
) {
	if f.from != "" {
		r.Document.Inputs["fit"] = f.from
		return asks.SavedLaw(f.from)
	}
	r.Document.Inputs = f.runs.Inputs(files)
	r.Document.Inputs["law"], r.Document.Inputs["seed"] = f.law, f.seed
	q := learn.LawQuestion{Resamples: f.bootstrap, Seed: f.seed, Level: f.level}
	if err := asks.CheckLaw("law", f.law, fit.Laws()); err != nil {
		return nil, err
	}
	var err error
	if q.Law, err = fit.Lookup(f.law); err != nil {
		return nil, err
	}
	if err := allocates(q.Law); err != nil {
		return nil, err
	}
	if q.Objective, err = asks.ObjectiveFlag(f.objective); err != nil {
		return nil, err
	}
	s, err := f.runs.Selection()
	if err != nil {
		return nil, err
	}
	runs, err := a.Runs(&f.runs, s, files, q.Law.Response)
	if err != nil {
		return nil, err
	}
	r.Document.Warnings = append(r.Document.Warnings, runs.Notices()...)
	bar := a.Bar("bootstrap")
	defer bar.End()
	q.Progress = bar.Begin
	law, err := learn.FitLaw(ctx, runs, &q)
	if err != nil {
		return nil, a.LearnError(ctx, runs, err)
	}
	return law, nil
}
