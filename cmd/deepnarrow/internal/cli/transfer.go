package cli

import (
	"cmp"
	"context"
	"errors"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/reports"
)

// transferFlags are the flags of transfer: those of the question that are not its words yet, and
// the
// rest.
type transferFlags struct {
	learn.TransferQuestion
	runs      asks.Runs
	predict   []string
	by        []string
	published bool
	// scoreRange is the text of Range.
	scoreRange string
	evidence   []string
}

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

A link from loss to score is fitted as well and, with --law, averages of laws in
params and tokens and of links are chained; --hold-out scores them on shapes, or
values of any column, that they were not fitted to. --published compares the
points of the paper's figures, and the rows of its tables.`,
		Example: `  deepnarrow transfer runs.csv --upstream loss --downstream bleu
  deepnarrow transfer runs.csv --downstream bleu --law kaplan --predict params=1e9,tokens=2e10
  deepnarrow transfer runs.csv --downstream bleu --law auto --hold-out budget
  deepnarrow transfer --published`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.runTransfer(c.Context(), &f, args)
		},
	}
	a.Output.Register(c)
	f.runs.Register(c)
	flags := c.Flags()
	flags.StringVar(&f.Upstream, "upstream", "loss", "`column` of the upstream result")
	flags.StringVar(&f.Downstream, "downstream", "score", "`column` of the downstream result")
	flags.StringVar(&f.Name, "name", "",
		"`column` that names the models (default: shape, model, name or run)")
	flags.StringVar(&f.Size, "size", "",
		"`column` of the size that a correlation is given (default: params, when there)")
	flags.BoolVar(&f.UpstreamHigher, "upstream-higher", false,
		"a higher upstream result is better, as a negative log perplexity")
	flags.BoolVar(&f.DownstreamLower, "downstream-lower", false,
		"a lower downstream result is better, as an error rate")
	flags.Float64Var(&f.UpstreamTie, "upstream-tie", 0,
		"upstream results that differ by no more count as equal")
	flags.Float64Var(&f.DownstreamTie, "downstream-tie", 0,
		"downstream results that differ by no more count as equal")
	flags.StringVar(&f.Law, "law", "",
		"upstream law in params and tokens to put before the link, or auto")
	flags.StringVar(&f.Link, "link", learn.Auto, "law from loss to score: auto, none or a `name`")
	flags.StringArrayVar(&f.predict, "predict", nil,
		"predict the score at a `point`, such as params=1e9,tokens=2e10; needs --law")
	flags.StringVar(&f.HoldOut, "hold-out", "",
		"leave out each value of this `column` (shape, group or any) and score the prediction of it")
	flags.StringVar(&f.scoreRange, "score-range", "",
		"`bounds` of the score, such as 0:100 (default: those of a metric known by the column's name)")
	registerBy(c, &f.by)
	flags.Uint64Var(&f.Seed, "seed", 0, "seed of starts and resamples")
	flags.Float64Var(&f.Level, "level", asks.UsualLevel, "probability inside the intervals")
	flags.BoolVar(&f.published, "published", false,
		"compare the rows of Tay et al. 2021 instead of a file")
	flags.StringSliceVar(&f.evidence, "evidence", nil,
		"with --published: only readings of these `classes`, such as primary,secondary,figure")
	return c
}

// question reads the flags, before any file is.
func (f *transferFlags) question(files []string) (s learn.Selection, err error) {
	if f.published == (len(files) > 0) {
		return s, frame.Usage("",
			"transfer needs recorded runs from one place; allowed: FILE... or --published")
	}
	if f.Law != "" {
		if err := asks.CheckLaw("law", f.Law, fit.Laws(), learn.Auto); err != nil {
			return s, err
		}
	}
	if err := asks.CheckLaw("link", f.Link, learn.Links(), learn.Auto, learn.NoLink); err != nil {
		return s, err
	}
	switch {
	case len(f.predict) > 0 && (f.Law == "" || f.Link == learn.NoLink):
		return s, frame.Usage("", "--predict needs --law and a link")
	case f.Upstream == f.Downstream:
		return s, frame.Usage("", "--upstream and --downstream are both %s; allowed: two columns",
			f.Upstream)
	case len(f.by) > 0 && f.published:
		return s, frame.Usage("", "--by needs FILE...")
	case f.HoldOut != "" && (f.published || f.Link == learn.NoLink):
		return s, frame.Usage("", "--hold-out needs FILE... and a link")
	}
	if f.scoreRange != "" {
		bound, err := learn.ParseBounds([]string{"score=" + f.scoreRange})
		if err != nil || math.IsInf(bound["score"][0], 0) || math.IsInf(bound["score"][1], 0) {
			return s, frame.Usage("", "--score-range: %q; allowed: LOW:HIGH, such as 0:100", f.scoreRange)
		}
		both := bound["score"]
		f.Range = &both
	}
	var points, selection error
	f.Points, points = asks.PointsFlag(f.predict)
	s, selection = f.runs.Selection()
	return s, cmp.Or(asks.CheckLevel(f.Level), points, selection)
}

func (a *app) runTransfer(ctx context.Context, f *transferFlags, files []string) error {
	selection, err := f.question(files)
	if err != nil {
		return err
	}
	r := frame.NewReport("transfer")
	if f.published {
		if err := f.ofPaper(&r); err != nil {
			return err
		}
		return a.Render(r)
	}
	runs, err := a.Runs(&f.runs, selection, files, f.Upstream)
	if err != nil {
		return err
	}
	r.Document.Warn(runs.Notices()...)
	r.Document.Inputs = f.runs.Inputs(files)
	err = partly(runs, f.by, &r, func(part *learn.Runs) error {
		out, err := learn.Transfer(ctx, part, &f.TransferQuestion)
		if err == nil {
			r.Document.Warn(out.Warnings...)
			r.Transfer(out)
		}
		return err
	})
	if refusal, ok := errors.AsType[*fit.Refusal](err); ok && refusal.Kind == fit.TooFewPoints {
		return frame.NoAnswer(err, "each model needs a row with both results")
	}
	if err != nil {
		return a.LearnError(ctx, runs, err)
	}
	frame.State(r.Document.Inputs, "upstream", f.Upstream, "downstream", f.Downstream,
		"link", f.Link, "law", f.Law)
	return a.Render(r)
}

// ofPaper compares the published rows.
func (f *transferFlags) ofPaper(r *reports.Report) error {
	var allowed []data.Evidence
	for _, word := range f.evidence {
		e, err := data.ParseEvidence(strings.TrimSpace(word))
		if err != nil {
			return frame.Usage("", "--evidence: %w", err)
		}
		allowed = append(allowed, e)
	}
	frame.State(r.Document.Inputs, "published", true, "evidence", allowed)
	parts, err := learn.PublishedTransfer(&f.TransferQuestion, allowed)
	if err != nil {
		return asks.Refused(err)
	}
	for _, t := range parts {
		r.Transfer(t)
	}
	return nil
}
