package cli

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// allocateFlags are the flags of allocate.
type allocateFlags struct {
	runs            runFlags
	budgets         []string
	law, objective  string
	from, published string
	bootstrap       int
	seed            uint64
	level           float64
}

func (a *app) allocate() *cobra.Command {
	var f allocateFlags
	c := &cobra.Command{
		Use:     "allocate [FILE...] --budget FLOP",
		Short:   "Split a compute budget between parameters and tokens",
		GroupID: groupLearn,
		Long: `Find the parameters and tokens with the lowest predicted loss for a training
budget, with an interval from refits to resampled rows.

The law is fitted to FILE, or read from a document that fit wrote (--fit
fit.json), or published (--published). A law whose loss falls to an end of the
sizes has no best split and is refused (exit 4).`,
		Example: `  deepnarrow allocate runs.csv --budget 1e21
  deepnarrow allocate --fit fit.json --budget 1e21 --budget 1e22
  deepnarrow allocate --published chinchilla-log-huber --budget 5.76e23`,
		RunE: func(c *cobra.Command, args []string) error { return a.runAllocate(c.Context(), &f, args) },
	}
	a.output.register(c)
	f.runs.register(c)
	flags := c.Flags()
	flags.StringArrayVar(&f.budgets, "budget", nil,
		"training `FLOP`, such as 1e22 or 100 PF-days; repeatable")
	flags.StringVar(&f.law, "law", fit.Chinchilla().Name, "law `name` in params and tokens")
	flags.StringVar(&f.objective, "objective", "", "as in fit (default log-huber:1e-3)")
	flags.StringVar(&f.from, "fit", "",
		"read the law from this `file` instead, written by deepnarrow fit -o")
	flags.StringVar(&f.published, "published", "",
		"use this published `law` instead: chinchilla, chinchilla-epoch or chinchilla-log-huber")
	flags.IntVar(&f.bootstrap, "bootstrap", automaticResamples,
		"refits to resampled rows, for the interval; 0 for none")
	flags.Uint64Var(&f.seed, "seed", 0, "seed of starts and resamples")
	flags.Float64Var(&f.level, "level", defaultIntervalLevel, "probability inside the intervals")
	return c
}

// sourcedLaw is a law with where its parameters come from.
type sourcedLaw struct {
	result *fit.Result
	draws  *fit.Bootstrapped
	source string
}

func (a *app) runAllocate(ctx context.Context, f *allocateFlags, files []string) error {
	budgets := make([]float64, len(f.budgets))
	for i, text := range f.budgets {
		v, err := quantity.Parse(quantity.FLOP, text)
		if err != nil {
			return usage("", "--budget: %w", err)
		}
		if v <= 0 {
			return usage("", "--budget is 0; allowed: more than 0")
		}
		budgets[i] = v
	}
	if len(budgets) == 0 {
		return usage("", "--budget is needed: how many FLOP is the training run?")
	}
	sources := 0
	for _, given := range []bool{len(files) > 0, f.from != "", f.published != ""} {
		if given {
			sources++
		}
	}
	if sources != 1 {
		return usage("", "a law is needed from one place; allowed: FILE..., --fit or --published")
	}
	if err := checkLevel(f.level); err != nil {
		return err
	}
	r := newReport("allocate")
	law, err := a.sourceLaw(ctx, f, files, &r)
	if err != nil {
		return err
	}
	columns := law.result.Law.Columns
	if !slices.Contains(columns, "params") || !slices.Contains(columns, "tokens") ||
		len(columns) != 2 {
		return usage("", "law %s reads %s; allowed: a law that reads params and tokens",
			law.result.Law.Name, strings.Join(columns, ", "))
	}
	var all []reports.Allocated
	for _, budget := range budgets {
		x, err := fit.Allocate(law.result, budget, &fit.AllocateSettings{Draws: law.draws})
		if err != nil {
			return refused(err)
		}
		one := reports.Allocated{
			Law: law.result.Law.Name, Source: law.source, Allocation: x,
			Level: f.level, Nearest: nearestShapes(law.result, x),
		}
		if law.draws != nil {
			one.Level = law.draws.Level
		}
		all = append(all, one)
	}
	r.Document.Inputs["budgets_flops"] = budgets
	r.Document.Conventions["flops"] = "6·params·tokens"
	r.Allocate(all)
	return a.render(r)
}

func (a *app) sourceLaw(ctx context.Context, f *allocateFlags, files []string, r *reports.Report) (
	*sourcedLaw, error,
) {
	switch {
	case f.from != "":
		r.Document.Inputs["fit"] = f.from
		return savedLaw(f.from)
	case f.published != "":
		r.Document.Inputs["published"] = f.published
		return publishedLaw(f.published)
	}
	r.Document.Inputs = f.runs.inputs(files)
	r.Document.Inputs["law"], r.Document.Inputs["seed"] = f.law, f.seed
	law, err := fit.Lookup(f.law)
	if err != nil {
		return nil, checkLaw(f.law)
	}
	objective, err := (&lawChoice{laws: []fit.Law{law}}).objective(f.objective)
	if err != nil {
		return nil, err
	}
	data, err := a.runs(&f.runs, files, law.Response)
	if err != nil {
		return nil, err
	}
	columns, err := keepPositive(data, append(slices.Clone(law.Columns), law.Response))
	if err != nil {
		return nil, err
	}
	r.Document.Warnings = append(r.Document.Warnings, columns.warnings...)
	d := columns.fitData(law.Columns, law.Response, f.runs.group)
	result, err := fit.Fit(ctx, law, d, objective, &fit.Settings{Seed: f.seed})
	if err != nil {
		return nil, interruptedOr(ctx, err)
	}
	out := &sourcedLaw{result: result, source: fmt.Sprintf("fitted to %d rows, %d dropped", d.Len(),
		len(columns.drops))}
	if f.bootstrap > 0 {
		bar := a.progress("bootstrap", f.bootstrap)
		defer bar.end()
		out.draws, err = fit.Bootstrap(ctx, result, d,
			&fit.BootstrapSettings{
				Resamples: f.bootstrap, Seed: f.seed, Level: f.level,
				Progress: bar.step,
			})
		if err != nil {
			return nil, interruptedOr(ctx, err)
		}
	}
	return out, nil
}

func interruptedOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return refused(err)
}

// fitData returns the rows as a fit reads them.
func (s *scanned) fitData(columns []string, response, group string) fit.Data {
	d := fit.Data{Columns: map[string][]float64{}, Y: pickRows(s.numbers[response].Values, s.rows)}
	for _, name := range columns {
		d.Columns[name] = pickRows(s.numbers[name].Values, s.rows)
	}
	if names, err := s.data.Text(group); err == nil {
		d.Run = numbered(pickRows(names, s.rows))
	}
	return d
}

// savedLaw reads the one fit of a document.
func savedLaw(file string) (*sourcedLaw, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, badInput(err, "deepnarrow fit runs.csv -o fit.json writes one")
	}
	defer f.Close()
	fits, err := reports.ReadFits(f)
	if err != nil {
		return nil, badInput(&records.Error{File: file, Problem: err.Error()},
			"deepnarrow fit runs.csv -o fit.json writes one")
	}
	if len(fits) > 1 {
		return nil, badInput(&records.Error{
			File:    file,
			Problem: fmt.Sprintf("%d fits; one is needed", len(fits)),
		},
			"fit without --by, or with --where for one group")
	}
	return &sourcedLaw{
		result: fits[0].Result, draws: fits[0].Draws,
		source: fmt.Sprintf("read from %s, fitted to %d rows", file, fits[0].Result.Rows),
	}, nil
}

// publishedLaws lists the published laws in params and tokens.
func publishedLaws() []string {
	var out []string
	for _, p := range data.LawParameters() {
		if p.Form == "L = "+fit.Chinchilla().Formula && !slices.Contains(out, p.Law) {
			out = append(out, p.Law)
		}
	}
	return out
}

// publishedLaw makes a Chinchilla law of published constants.
func publishedLaw(name string) (*sourcedLaw, error) {
	constants, known := data.Law(name)
	law := fit.Chinchilla()
	result := &fit.Result{Law: law}
	for _, p := range law.Params {
		v, ok := constants[p.Name]
		if !ok {
			known = false
		}
		result.Params = append(result.Params, v)
	}
	if !known || len(constants) != len(law.Params) {
		return nil, unknownKind("published law", name, publishedLaws())
	}
	source := ""
	for _, p := range data.LawParameters() {
		if p.Law == name {
			source = fmt.Sprintf("%s, %s (%s)", name, p.Source, p.Evidence)
		}
	}
	return &sourcedLaw{result: result, source: source}, nil
}

// nearestShapes returns the catalogue shapes next in size to the best one, each with the tokens
// that the budget leaves it.
func nearestShapes(law *fit.Result, best *fit.Allocation) []reports.NearShape {
	const listed = 3
	const far = math.Ln2 // no shape within a factor of two is near
	var all []reports.NearShape
	for _, e := range shapes.Catalogue() {
		if e.NotCountable != "" || !e.Shape.ReadsTokens() {
			continue
		}
		n := flops.CountParameters(&e.Shape).Total
		if math.Abs(math.Log(float64(n)/best.Params)) > far {
			continue
		}
		tokens := best.FLOPs / (6 * float64(n))
		all = append(all, reports.NearShape{Shape: e.Name, Params: n, Tokens: tokens})
	}
	slices.SortStableFunc(all, func(a, b reports.NearShape) int {
		return cmp.Compare(math.Abs(math.Log(float64(a.Params)/best.Params)),
			math.Abs(math.Log(float64(b.Params)/best.Params)))
	})
	all = all[:min(len(all), listed)]
	for i := range all {
		x := []float64{float64(all[i].Params), all[i].Tokens}
		if law.Law.Columns[0] == "tokens" {
			slices.Reverse(x)
		}
		all[i].Loss = law.Predict(x...)
	}
	return all
}
