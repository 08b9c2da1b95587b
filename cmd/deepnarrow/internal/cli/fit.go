package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/figure"
)

// fitFlags are the flags of fit: those of the question that are not its words yet, and the rest.
type fitFlags struct {
	learn.Question
	runs                                  asks.Runs
	objective, fitWhere, scoreWhere, plot string
	bootstrap                             int
	predict, fix, bound                   []string
	given                                 *pflag.FlagSet
}

func (a *app) fit() *cobra.Command {
	var f fitFlags
	c := &cobra.Command{
		Use:     "fit FILE...",
		Short:   "Fit a scaling law to recorded runs",
		GroupID: groupLearn,
		Long: `Fit a scaling law to recorded runs and say how far it can be trusted.

FILE is CSV, TSV, JSON, Parquet, a Hugging Face trainer_state.json, a TensorBoard
event file, a wandb or Lightning CSV, an MLflow store, a folder of any of these, or
- for standard input (docs/records.md).
Columns go by our names (params, tokens, flops, loss, score, run, step, shape) or
those of other programs; --map names others. Parameters of named shapes, tokens and FLOPs are
computed when no column has them.

--law auto averages laws by their error on runs with more compute than those they
were fitted to, with calibrated prediction intervals, and tells the parameters of
the best; over one predictor it continues the curve by an average of laws.
Data that cannot support a law are refused (exit 4).`,
		Example: `  deepnarrow fit runs.csv --law chinchilla --map params='Model Size' --map flops='Training FLOP' --drop-highest 5
  deepnarrow fit curves.csv --law auto --x 'Seen Examples' --y Loss --by Task,Model --fit-where Training=1 --score-where Training=0
  deepnarrow fit runs.csv --law kaplan --bootstrap 4000 --predict params=1e9,tokens=2e10 -o fit.json`,
		Args: asks.AtLeastOneFile(),
		RunE: func(c *cobra.Command, args []string) error {
			f.given = c.Flags()
			return a.runFit(c.Context(), &f, args)
		},
	}
	a.Output.Register(c)
	f.runs.Register(c)
	flags := c.Flags()
	flags.StringVar(&f.Law, "law", learn.Auto,
		"law `name` (deepnarrow list laws), names to compare with commas between, or auto")
	flags.StringArrayVar(&f.fix, "fix", nil, "hold a parameter at a `value`, such as E=1.69; repeatable, or separated by commas")
	flags.StringArrayVar(&f.bound, "bound", nil,
		"keep a parameter in a `range`, such as E=0:2; either end may be left out; repeatable, or separated by commas")
	flags.StringArrayVar(&f.X, "x", nil,
		"`columns` to predict from, in the order of the law's (default: the law's own)")
	flags.StringVar(&f.Y, "y", "", "`column` to predict (default loss, or score for a link)")
	flags.StringVar(&f.objective, "objective", "",
		"log-huber:d, huber:d, squared, squared-log, lad, asymmetric:q or quantile:q (default log-huber:1e-3; squared for a link)")
	flags.StringSliceVar(&f.By, "by", nil,
		"`columns` that split the rows into groups, one fit each")
	flags.StringVar(&f.fitWhere, "fit-where", "", "`conditions` on the rows to fit")
	flags.StringVar(&f.scoreWhere, "score-where", "",
		"`conditions` on the rows to score the fit on")
	flags.IntVar(&f.bootstrap, "bootstrap", 0,
		"refits to resampled rows, for intervals (default 200 for one fit of up to 2000 rows, else none; 0 for none)")
	flags.BoolVar(&f.Global, "bootstrap-global", false,
		"start each refit in 8 places, to find other optima")
	flags.BoolVar(&f.Profile, "profile", false, "intervals of the parameters by profile likelihood")
	flags.Uint64Var(&f.Seed, "seed", 0, "seed of starts and resamples")
	flags.Float64Var(&f.Level, "level", asks.UsualLevel, "probability inside the intervals")
	flags.StringArrayVar(&f.predict, "predict", nil,
		"predict at a `point`, such as params=1e9,tokens=2e10; repeatable")
	flags.StringVar(&f.plot, "plot", "",
		"draw data, fit and residuals into this `file` (.svg, .png or .pdf)")
	frame.Writes(c, frame.AFile, "plot")
	return c
}

// question reads the flags, before any file is.
func (f *fitFlags) question() (s learn.Selection, err error) {
	if f.Law != learn.Auto {
		var names []string
		for name := range strings.SplitSeq(f.Law, ",") {
			name = strings.TrimSpace(name)
			if err = asks.CheckLaw("law", name, fit.Laws(), learn.Auto); err != nil {
				return s, err
			}
			switch {
			case name == learn.Auto:
				return s, frame.Usage("", "--law: auto compares all laws that read the columns; allowed: auto alone, or names")
			case slices.Contains(names, name):
				return s, frame.Usage("", "--law: %s is given twice", name)
			}
			names = append(names, name)
		}
	}
	if f.Fix, err = learn.ParseFixed(f.fix); err != nil {
		return s, frame.Usage("", "--fix: %w", err)
	}
	if f.Bound, err = learn.ParseBounds(f.bound); err != nil {
		return s, frame.Usage("", "--bound: %w", err)
	}
	if f.bootstrap < 0 || f.bootstrap == 1 {
		return s, frame.Usage("", "--bootstrap is %d; allowed: 0, or 2 and more", f.bootstrap)
	}
	if f.given.Changed("bootstrap") {
		f.Resamples = &f.bootstrap
	}
	f.NeedGroup = f.given.Changed("group")
	var objective, points, fitWhere, scoreWhere, selection error
	f.Objective, objective = asks.ObjectiveFlag(f.objective)
	f.Points, points = asks.PointsFlag(f.predict)
	f.FitWhere, fitWhere = asks.Conditions("fit-where", f.fitWhere)
	f.ScoreWhere, scoreWhere = asks.Conditions("score-where", f.scoreWhere)
	s, selection = f.runs.Selection()
	return s, cmp.Or(asks.CheckLevel(f.Level), objective, points, fitWhere, scoreWhere,
		frame.CheckPlot(f.plot), selection)
}

func (a *app) runFit(ctx context.Context, f *fitFlags, files []string) error {
	selection, err := f.question()
	if err != nil {
		return err
	}
	runs, err := a.Runs(&f.runs, selection, files, learn.Response(f.Law, f.Y))
	if err != nil {
		return err
	}
	bar := a.Bar("fit")
	f.Progress = bar.Begin
	answer, err := learn.Fit(ctx, runs, &f.Question)
	bar.End()
	if answer == nil || err != nil && ctx.Err() == nil {
		return a.LearnError(ctx, runs, err)
	}
	r := frame.NewReport("fit")
	r.Document.Inputs = f.inputs(files, answer)
	r.Document.Conventions["objective"] = "summed over rows; residuals in ln of the response unless the objective is huber or squared"
	r.Document.Conventions["plot"] = "residuals are ln(recorded/predicted); bounds are of the recorded value of a run; rows of large fits are evenly taken"
	r.Document.Conventions["score"] = "rmsle is the root mean square of ln(predicted/recorded)"
	r.Document.Warn(answer.Warnings...)
	if answer.Curve {
		for _, flag := range []string{"objective", "bootstrap", "bootstrap-global", "profile"} {
			if f.given.Changed(flag) {
				r.Document.Warn("--" + flag +
					" does not apply to law auto over one predictor: it averages laws in ln y and has calibrated intervals")
			}
		}
	}
	if ctx.Err() != nil {
		r.Document.Warn(fmt.Sprintf("interrupted: %d of %d fits are complete", len(answer.Fits),
			answer.Groups))
	}
	answered, refusal := answer.Refusal()
	if len(f.By) == 0 && refusal != nil {
		if why := reports.WhyDropped(answer.Fits[0].Rows); why != "" {
			refusal = fmt.Errorf("%w; %s", refusal, why)
		}
		return asks.Refused(refusal)
	}
	if len(answer.Fits) > 0 {
		if a.Output.Whole() {
			answer.Draw()
		}
		r.Fit(answer.Fits)
		if f.plot != "" && answered {
			var flops []float64
			if n, err := runs.Numbers("flops"); err == nil {
				flops = n.Values
			}
			if err := a.Beside(frame.Plot(f.plot, figure.FitPanels(answer, flops)...)); err != nil {
				return err
			}
		}
		if err := a.Render(r); err != nil {
			return err
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case len(answer.Fits) == 0:
		return nothingLeft(runs)
	case !answered:
		refusal = fmt.Errorf("every group is refused; the first: %w", refusal)
		if why := reports.WhyDropped(answer.Fits[0].Rows); why != "" {
			refusal = fmt.Errorf("%w; %s", refusal, why)
		}
		return asks.Refused(refusal)
	}
	return nil
}

// nothingLeft says why no row is left.
func nothingLeft(runs *learn.Runs) error {
	why := cmp.Or(reports.WhyDropped(runs.Unused()), "the records have no rows")
	return frame.NoAnswer(fmt.Errorf("no row is left to fit: %s", why),
		"--where and --fit-where say which rows are used, --map which columns are ours")
}

func (f *fitFlags) inputs(files []string, answer *learn.Answer) map[string]any {
	in := f.runs.Inputs(files)
	in["law"], in["x"], in["y"], in["seed"] = f.Law, answer.X, answer.Response, f.Seed
	frame.State(in, "objective", f.objective, "fit_where", f.fitWhere, "score_where", f.scoreWhere,
		"by", f.By, "predict", f.predict, "fix", f.fix, "bound", f.bound)
	return in
}
