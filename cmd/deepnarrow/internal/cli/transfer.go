package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/reports"
)

// transferFlags are the flags of transfer.
type transferFlags struct {
	runs                            runFlags
	upstream, downstream            string
	name, size                      string
	upstreamHigher, downstreamLower bool
	upstreamTie, downstreamTie      float64
	law, link                       string
	predict                         []string
	bootstrap                       int
	seed                            uint64
	level                           float64
	published                       bool
	evidence                        []string
}

const noLink = "none"

func (a *app) transfer() *cobra.Command {
	var f transferFlags
	c := &cobra.Command{
		Use:     "transfer FILE...",
		Short:   "Tell whether upstream loss predicts downstream scores",
		GroupID: groupLearn,
		Long: `Compare how models rank upstream (pre-training loss) and downstream (score after
fine-tuning): Pearson, Spearman and Kendall correlations with intervals, Spearman
given size, and every pair of models that swap ranks. It says plainly when
upstream rank does not carry, which is the point of Tay et al. 2021.

A link from loss to score is fitted as well and, with --law, chained behind an
upstream law in params and tokens. --published compares the rows that the paper
and its Figure 1 show.`,
		Example: `  deepnarrow transfer runs.csv --upstream loss --downstream bleu
  deepnarrow transfer runs.csv --downstream bleu --law kaplan --predict params=1e9,tokens=2e10
  deepnarrow transfer --published`,
		RunE: func(c *cobra.Command, args []string) error { return a.runTransfer(c.Context(), &f, args) },
	}
	a.output.register(c)
	f.runs.register(c)
	flags := c.Flags()
	flags.StringVar(&f.upstream, "upstream", "loss", "`column` of the upstream result")
	flags.StringVar(&f.downstream, "downstream", "score", "`column` of the downstream result")
	flags.StringVar(&f.name, "name", "",
		"`column` that names the models (default: shape, model, name or run)")
	flags.StringVar(&f.size, "size", "",
		"`column` of the size that a correlation is given (default: params, when there)")
	flags.BoolVar(&f.upstreamHigher, "upstream-higher", false,
		"a higher upstream result is better, as a negative log perplexity")
	flags.BoolVar(&f.downstreamLower, "downstream-lower", false,
		"a lower downstream result is better, as an error rate")
	flags.Float64Var(&f.upstreamTie, "upstream-tie", 0,
		"upstream results that differ by no more count as equal")
	flags.Float64Var(&f.downstreamTie, "downstream-tie", 0,
		"downstream results that differ by no more count as equal")
	flags.StringVar(&f.law, "law", "",
		"upstream law in params and tokens to put before the link, or auto")
	flags.StringVar(&f.link, "link", autoLaw, "law from loss to score: auto, none or a `name`")
	flags.StringArrayVar(&f.predict, "predict", nil,
		"predict the score at a `point`, such as params=1e9,tokens=2e10; needs --law")
	flags.IntVar(&f.bootstrap, "bootstrap", automaticResamples,
		"refits of law and link, for the interval of a prediction; 0 for none")
	flags.Uint64Var(&f.seed, "seed", 0, "seed of starts and resamples")
	flags.Float64Var(&f.level, "level", defaultIntervalLevel, "probability inside the intervals")
	flags.BoolVar(&f.published, "published", false,
		"compare the rows of Tay et al. 2021 instead of a file")
	flags.StringSliceVar(&f.evidence, "evidence", nil,
		"with --published: only readings of these `classes`, such as primary,secondary,figure")
	return c
}

func (f *transferFlags) check(files []string) error {
	if f.published == (len(files) > 0) {
		return usage("",
			"transfer needs recorded runs from one place; allowed: FILE... or --published")
	}
	if f.law != "" {
		if err := checkLaw(f.law); err != nil {
			return err
		}
	}
	if f.link != noLink && f.link != autoLaw {
		if law, err := fit.Lookup(f.link); err != nil || law.Response != "score" {
			return unknownKind("link", f.link, append([]string{autoLaw, noLink}, linkNames()...))
		}
	}
	if len(f.predict) > 0 && (f.law == "" || f.link == noLink) {
		return usage("", "--predict needs --law and a link")
	}
	return checkLevel(f.level)
}

func linkNames() []string {
	var out []string
	for _, law := range fit.Laws() {
		if law.Response == "score" {
			out = append(out, law.Name)
		}
	}
	return out
}

func (a *app) runTransfer(ctx context.Context, f *transferFlags, files []string) error {
	if err := f.check(files); err != nil {
		return err
	}
	points, err := parsePoints(f.predict)
	if err != nil {
		return err
	}
	r := newReport("transfer")
	if f.published {
		if err := a.publishedTransfer(f, &r); err != nil {
			return err
		}
		return a.render(r)
	}
	columns, err := a.transferRows(f, files)
	if err != nil {
		return err
	}
	in := columns.input(f)
	result, err := fit.Transfer(in)
	if err != nil {
		return refused(err)
	}
	out := &reports.Transferred{
		Upstream: f.upstream, Downstream: f.downstream, Transfer: result, Level: f.level,
		Used: len(columns.rows), Drops: columns.drops, Notes: columns.notes,
	}
	r.Document.Warnings = append(r.Document.Warnings, columns.warnings...)
	if f.link != noLink {
		if err := columns.addLink(ctx, f, points, out); err != nil {
			return err
		}
	}
	r.Document.Inputs = f.runs.inputs(files)
	r.Document.Inputs["upstream"], r.Document.Inputs["downstream"],
		r.Document.Inputs["link"] = f.upstream, f.downstream, f.link
	if f.law != "" {
		r.Document.Inputs["law"] = f.law
	}
	r.Transfer(out)
	return a.render(r)
}

// transferRows keeps the rows that have both results.
func (a *app) transferRows(f *transferFlags, files []string) (*scanned, error) {
	data, err := a.runs(&f.runs, files, f.upstream)
	if err != nil {
		return nil, err
	}
	needed := []string{f.upstream, f.downstream}
	if f.law != "" {
		needed = append(needed, "params", "tokens")
	}
	switch {
	case f.size != "":
		needed = append(needed, f.size)
	case data.Has("params"):
		f.size = "params"
		needed = append(needed, f.size)
	}
	s := &scanned{
		numbers: map[string]*records.Numbers{}, data: data,
		warnings: slices.Clone(data.Table.Warnings),
	}
	for _, name := range needed {
		if s.numbers[name], err = data.Numbers(name); err != nil {
			return nil, columnError(err)
		}
	}
	data.Keep(func(row int) string {
		for _, name := range needed {
			if math.IsNaN(s.at(name, row)) {
				return name + ": " + s.numbers[name].Fault(row)
			}
		}
		return ""
	})
	s.rows = data.Rows
	s.account()
	return s, nil
}

func (s *scanned) input(f *transferFlags) fit.TransferInput {
	in := fit.TransferInput{
		Names: s.names(f.name), UpstreamHigher: f.upstreamHigher,
		DownstreamLower: f.downstreamLower,
		UpstreamTie:     f.upstreamTie, DownstreamTie: f.downstreamTie, Level: f.level,
		Upstream:   pickRows(s.numbers[f.upstream].Values, s.rows),
		Downstream: pickRows(s.numbers[f.downstream].Values, s.rows),
	}
	if f.size != "" {
		size := pickRows(s.numbers[f.size].Values, s.rows)
		if slices.ContainsFunc(size, func(v float64) bool { return v != size[0] }) {
			in.Size = size
		} else {
			s.notes = append(s.notes, "All models have one size: no correlation given size.")
		}
	}
	return in
}

// names returns what the models are called: a column, or the place of the row.
func (s *scanned) names(column string) []string {
	candidates := []string{"shape", "model", "name", "run"}
	if column != "" {
		candidates = []string{column}
	}
	for _, c := range candidates {
		if names, err := s.data.Text(c); err == nil {
			return pickRows(names, s.rows)
		}
	}
	out := make([]string, len(s.rows))
	for i, row := range s.rows {
		out[i] = s.data.Origin(row).String()
	}
	return out
}

// addLink fits the second step and, when a law is asked for, the chain.
func (s *scanned) addLink(ctx context.Context, f *transferFlags, points []map[string]float64,
	out *reports.Transferred,
) error {
	loss, score := pickRows(s.numbers[f.upstream].Values, s.rows),
		pickRows(s.numbers[f.downstream].Values, s.rows)
	links := []fit.Law{}
	for _, name := range linkNames() {
		if law, err := fit.Lookup(name); err == nil && (f.link == autoLaw || f.link == name) {
			links = append(links, law)
		}
	}
	d := fit.Data{Columns: map[string][]float64{"loss": loss}, Y: score}
	if names, err := s.data.Text(f.runs.group); err == nil {
		d.Run = numbered(pickRows(names, s.rows))
	}
	falling := make([]float64, len(loss)) // a lower loss is a dearer model
	for i, v := range loss {
		falling[i] = -v
	}
	choice, err := fit.Choose(ctx, links, d, fit.Squared(),
		&fit.ChooseSettings{Order: falling, Fit: &fit.Settings{Seed: f.seed}})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		out.Unlinked = err.Error()
		if f.law != "" {
			return refused(fmt.Errorf("no link from loss to score: %w", err))
		}
		return nil
	}
	out.Link, out.Links = choice.Best, choice.Scores
	if f.law == "" {
		return nil
	}
	d.Columns["params"], d.Columns["tokens"] = pickRows(s.numbers["params"].Values, s.rows),
		pickRows(s.numbers["tokens"].Values, s.rows)
	up := fit.Data{Columns: d.Columns, Y: loss, Run: d.Run}
	law, err := upstreamLaw(ctx, f, up)
	if err != nil {
		return interruptedOr(ctx, err)
	}
	chain, err := fit.FitChain(ctx, law, choice.Best.Law, up, score, fit.SquaredLog(),
		fit.Squared(), &fit.Settings{Seed: f.seed})
	if err != nil {
		return interruptedOr(ctx, err)
	}
	out.Chain = chain
	return chained(ctx, f, chain, up, d, points, out)
}

// upstreamLaw is the law that --law names or, for auto, the one with the least held-out error.
func upstreamLaw(ctx context.Context, f *transferFlags, d fit.Data) (fit.Law, error) {
	has := func(name string) bool { return d.Columns[name] != nil && name != "loss" }
	choice, err := chooseLaws(f.law, nil, "", has)
	if err != nil {
		return fit.Law{}, err
	}
	if len(choice.laws) == 1 {
		return choice.laws[0], nil
	}
	c, err := fit.Choose(ctx, choice.laws, d, fit.SquaredLog(),
		&fit.ChooseSettings{Fit: &fit.Settings{Seed: f.seed}})
	if err != nil {
		return fit.Law{}, err
	}
	return c.Best.Law, nil
}

// chained predicts scores through both steps.
func chained(ctx context.Context, f *transferFlags, chain *fit.Chain, up, link fit.Data,
	points []map[string]float64, out *reports.Transferred,
) error {
	if len(points) == 0 {
		return nil
	}
	var first, second *fit.Bootstrapped
	if f.bootstrap > 0 {
		set := &fit.BootstrapSettings{Resamples: f.bootstrap, Seed: f.seed, Level: f.level}
		var err, also error
		first, err = fit.Bootstrap(ctx, chain.Upstream, up, set)
		second, also = fit.Bootstrap(ctx, chain.Link, link, set)
		if err := errors.Join(err, also); err != nil {
			return interruptedOr(ctx, err)
		}
	}
	for _, p := range points {
		x, err := predictor(p, chain.Upstream.Law.Columns)
		if err != nil {
			return err
		}
		predicted := reports.Predicted{At: p, Level: f.level}
		predicted.Value = chain.Predict(x...)
		if first != nil {
			in := fit.ChainInterval(first, second, x...)
			predicted.HasInterval, predicted.Low, predicted.High = true, in.Low, in.High
		}
		out.Predictions = append(out.Predictions, predicted)
	}
	return nil
}
