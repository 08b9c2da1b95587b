package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/fit"
)

// fitFlags are the flags of fit.
type fitFlags struct {
	runs                 runFlags
	law, objective       string
	x                    []string
	y                    string
	by                   []string
	fitWhere, scoreWhere string
	bootstrap            int
	global, profile      bool
	seed                 uint64
	level                float64
	predict              []string
	plot                 string
	given                *pflag.FlagSet
}

func (a *app) fit() *cobra.Command {
	var f fitFlags
	c := &cobra.Command{
		Use:     "fit FILE...",
		Short:   "Fit a scaling law to recorded runs",
		GroupID: groupLearn,
		Long: `Fit a scaling law to recorded runs and say how far it can be trusted.

FILE is CSV, TSV, JSON lines, a Hugging Face trainer_state.json, a TensorBoard
event file or folder, a wandb CSV export, an MLflow mlruns folder, or - for
standard input.
Columns go by our names (params, tokens, flops, loss, score, run, step, shape);
--map names those of the file. Parameters of named shapes, tokens and FLOPs are
computed when no column has them.

--law auto picks among the laws in params and tokens by their error on held-out
rows; over one predictor it averages laws, with calibrated prediction intervals.
Data that cannot support a law are refused (exit 4).`,
		Example: `  deepnarrow fit runs.csv --law chinchilla --map params='Model Size' --map flops='Training FLOP' --drop-highest 5
  deepnarrow fit curves.csv --law auto --x 'Seen Examples' --y Loss --by Task,Model --fit-where Training=1 --score-where Training=0
  deepnarrow fit runs.csv --law kaplan --bootstrap 4000 --predict params=1e9,tokens=2e10 -o fit.json`,
		Args: atLeastOneFile,
		RunE: func(c *cobra.Command, args []string) error {
			f.given = c.Flags()
			return a.runFit(c.Context(), &f, args)
		},
	}
	a.output.register(c)
	f.runs.register(c)
	flags := c.Flags()
	flags.StringVar(&f.law, "law", autoLaw, "law `name` (deepnarrow list laws), or auto")
	flags.StringArrayVar(&f.x, "x", nil,
		"`columns` to predict from, in the order of the law's (default: the law's own)")
	flags.StringVar(&f.y, "y", "", "`column` to predict (default loss, or score for a link)")
	flags.StringVar(&f.objective, "objective", "",
		"log-huber:d, huber:d, squared, squared-log, lad or asymmetric:q (default log-huber:1e-3; squared for a link)")
	flags.StringSliceVar(&f.by, "by", nil,
		"`columns` that split the rows into groups, one fit each")
	flags.StringVar(&f.fitWhere, "fit-where", "", "`conditions` on the rows to fit")
	flags.StringVar(&f.scoreWhere, "score-where", "",
		"`conditions` on the rows to score the fit on")
	flags.IntVar(&f.bootstrap, "bootstrap", 0,
		"refits to resampled rows, for intervals (default 200 for one fit of up to 2000 rows, else none; 0 for none)")
	flags.BoolVar(&f.global, "bootstrap-global", false,
		"start each refit in 8 places, to find other optima")
	flags.BoolVar(&f.profile, "profile", false, "intervals of the parameters by profile likelihood")
	flags.Uint64Var(&f.seed, "seed", 0, "seed of starts and resamples")
	flags.Float64Var(&f.level, "level", defaultIntervalLevel, "probability inside the intervals")
	flags.StringArrayVar(&f.predict, "predict", nil,
		"predict at a `point`, such as params=1e9,tokens=2e10; repeatable")
	flags.StringVar(&f.plot, "plot", "",
		"draw data, fit and residuals into this `file` (.svg or .png)")
	return c
}

const defaultIntervalLevel = 0.95

func atLeastOneFile(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usage("- reads standard input", "%s needs at least one file of recorded runs",
			c.CommandPath())
	}
	return nil
}

// check refuses flags that cannot be meant, before any file is read.
func (f *fitFlags) check() error {
	if err := checkLaw(f.law); err != nil {
		return err
	}
	if f.bootstrap < 0 || f.bootstrap == 1 {
		return usage("", "--bootstrap is %d; allowed: 0, or 2 and more", f.bootstrap)
	}
	if err := checkLevel(f.level); err != nil {
		return err
	}
	if f.objective != "" {
		if _, err := fit.ParseObjective(f.objective); err != nil {
			return usage("", "--objective: %w", err)
		}
	}
	return checkPlot(f.plot)
}

func checkLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return usage("", "--level is %v; allowed: between 0 and 1", level)
	}
	return nil
}

func (a *app) runFit(ctx context.Context, f *fitFlags, files []string) error {
	if err := f.check(); err != nil {
		return err
	}
	points, err := parsePoints(f.predict)
	if err != nil {
		return err
	}
	data, err := a.runs(&f.runs, files, response(f.law, f.y))
	if err != nil {
		return err
	}
	choice, err := chooseLaws(f.law, splitColumns(f.x, data.Has), f.y, data.Has)
	if err != nil {
		return err
	}
	job := &fitJob{flags: f, choice: choice, data: data, points: points}
	if err := job.prepare(); err != nil {
		return err
	}
	fits, err := job.run(ctx, a)
	interrupted := ctx.Err()
	if err != nil && interrupted == nil {
		return err
	}

	r := newReport("fit")
	r.Document.Inputs = f.inputs(files, choice)
	r.Document.Conventions["objective"] = "summed over rows; residuals in ln of the response unless the objective is huber or squared"
	r.Document.Conventions["plot"] = "residuals are ln(recorded/predicted); bounds are of the recorded value of a run; rows of large fits are evenly taken"
	r.Document.Conventions["score"] = "rmsle is the root mean square of ln(predicted/recorded)"
	r.Document.Warnings = append(r.Document.Warnings, data.Table.Warnings...)
	r.Document.Warnings = append(r.Document.Warnings, job.warnings...)
	if interrupted != nil {
		r.Document.Warnings = append(r.Document.Warnings,
			fmt.Sprintf("interrupted: %d of %d fits are complete", len(fits), len(job.groups)))
	}
	answered := false
	var refusal error
	for i := range fits {
		if fits[i].Refused == nil {
			answered = true
		} else if refusal == nil {
			refusal = fits[i].Refused
		}
	}
	if len(f.by) == 0 && refusal != nil {
		if why := fits[0].WhyDropped(); why != "" {
			refusal = fmt.Errorf("%w; %s", refusal, why)
		}
		return refused(refusal)
	}
	if len(fits) > 0 {
		if a.output.whole() {
			job.draw(fits)
		}
		r.Fit(fits)
		if f.plot != "" && answered {
			if err := a.plotFits(f.plot, job); err != nil {
				return err
			}
		}
		if err := a.render(r); err != nil {
			return err
		}
	}
	switch {
	case interrupted != nil:
		return interrupted
	case len(fits) == 0:
		return noAnswer(errors.New("no row is left to fit"),
			"--where and --fit-where say which rows are used")
	case !answered:
		return refused(fmt.Errorf("every group is refused; the first: %w", refusal))
	}
	return nil
}

func (f *fitFlags) inputs(files []string, choice *lawChoice) map[string]any {
	in := f.runs.inputs(files)
	in["law"], in["x"], in["y"], in["seed"] = f.law, choice.columns, choice.response, f.seed
	for name, v := range map[string]string{
		"objective": f.objective, "fit_where": f.fitWhere,
		"score_where": f.scoreWhere,
	} {
		if v != "" {
			in[name] = v
		}
	}
	if len(f.by) > 0 {
		in["by"] = f.by
	}
	if len(f.predict) > 0 {
		in["predict"] = f.predict
	}
	return in
}

// refused gives a refusal its exit code and what may help.
func refused(err error) error {
	var r *fit.Refusal
	hint := ""
	if errors.As(err, &r) {
		switch r.Kind {
		case fit.TooFewPoints:
			hint = "a law with fewer parameters (deepnarrow list laws) may do"
		case fit.ConstantColumn, fit.Unidentified:
			hint = "the rows do not vary in what the law needs; a simpler law may do (deepnarrow list laws)"
		case fit.BadValue:
			hint = "--where drops rows, such as --where 'loss>0'"
		case fit.AtBound, fit.NotConverged:
			hint = "the law does not describe the rows; --law auto compares laws"
		case fit.NoInteriorMinimum:
			hint = "runs of more sizes at the same budget would show where the loss turns"
		}
	}
	return noAnswer(err, hint)
}

func parsePoints(texts []string) ([]map[string]float64, error) {
	var out []map[string]float64
	for _, text := range texts {
		p, err := parsePoint(text)
		if err != nil {
			return nil, usage("", "--predict: %w", err)
		}
		out = append(out, p)
	}
	return out, nil
}

// predictor returns the point in the order of columns, or why it cannot.
func predictor(point map[string]float64, columns []string) ([]float64, error) {
	x := make([]float64, len(columns))
	for j, name := range columns {
		v, ok := point[name]
		if !ok {
			return nil, usage("", "--predict: the law reads %s, which the point lacks", name)
		}
		x[j] = v
	}
	return x, nil
}
