package asks

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Conditions reads a flag of conditions; nil when it is empty.
func Conditions(flag, text string) (records.Where, error) {
	if text == "" {
		return nil, nil
	}
	w, err := records.ParseWhere(text)
	if err != nil {
		return nil, frame.Usage("", "--%s: %w", flag, err)
	}
	if w == nil { // blanks and commas: every row meets them
		w = records.Where{}
	}
	return w, nil
}

// Refused gives a refusal its exit code and what may help.
func Refused(err error) error {
	var r *fit.Refusal
	hint := ""
	if errors.As(err, &r) {
		switch r.Kind {
		case fit.TooFewPoints:
			hint = "--fix NAME=VALUE holds a parameter; a law with fewer may do (deepnarrow list laws)"
		case fit.ConstantColumn, fit.Unidentified:
			hint = "the rows do not vary in what the law needs: --fix NAME=VALUE holds a parameter; a simpler law may do (deepnarrow list laws)"
		case fit.BadValue:
			hint = "--where drops rows, such as --where 'loss>0'"
		case fit.AtBound, fit.NotConverged:
			hint = "the law does not describe the rows; --law auto compares laws, --bound NAME=LOW:HIGH keeps a parameter in a range"
		case fit.NoInteriorMinimum:
			hint = "runs of more sizes at the same budget would show where the loss turns"
		}
	}
	return frame.NoAnswer(err, hint)
}

// SavedLaw reads the one fit of a document.
func SavedLaw(file string) (*learn.Law, error) {
	const writer = "deepnarrow fit runs.csv -o fit.json writes one"
	f, err := openfile.Named(file)
	if err != nil {
		return nil, frame.BadInput(err, writer)
	}
	defer f.Close()
	law, err := result.ReadLaw(file, f)
	if err != nil {
		return nil, frame.BadInput(err, writer)
	}
	return law, nil
}

// CheckLaw refuses an unknown name before any file is read; others are allowed beside the laws.
func CheckLaw(kind, name string, list []fit.Law, others ...string) error {
	names := others
	for _, law := range list {
		names = append(names, law.Name)
	}
	return frame.Word(kind, name, names...)
}

func ObjectiveFlag(text string) (*fit.Objective, error) {
	if text == "" {
		return nil, nil
	}
	o, err := fit.ParseObjective(text)
	if err != nil {
		return nil, frame.Usage("", "--objective: %w", err)
	}
	return &o, nil
}

func PointsFlag(texts []string) ([]learn.Point, error) {
	var out []learn.Point
	for _, text := range texts {
		p, err := learn.ParsePoint(text)
		if err != nil {
			return nil, frame.Usage("", "--predict: %w", err)
		}
		out = append(out, p)
	}
	return out, nil
}

const UsualLevel = 0.95

func CheckLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return frame.Usage("", "--level is %v; allowed: between 0 and 1", level)
	}
	return nil
}

// Laws says where a law in params and tokens is from: fitted to runs, read or published.
type Laws struct {
	Runs                 Runs
	Law, Objective, From string
	Published            []string
	Bootstrap            int
	Seed                 uint64
	Level                float64
}

// Register adds the flags to a command.
func (f *Laws) Register(c *cobra.Command) {
	f.Runs.Register(c)
	flags := c.Flags()
	flags.StringVar(&f.Law, "law", fit.Chinchilla().Name, "law `name` in params and tokens")
	flags.StringVar(&f.Objective, "objective", "", "as in fit (default log-huber:1e-3)")
	flags.StringVar(&f.From, "fit", "",
		"read the law from this `file` instead, written by deepnarrow fit -o")
	flags.StringArrayVar(&f.Published, "published", nil,
		"use these published `laws` instead, separated by commas: chinchilla, chinchilla-epoch or chinchilla-log-huber")
	flags.IntVar(&f.Bootstrap, "bootstrap", learn.AutomaticResamples,
		"refits to resampled rows, for the interval; 0 for none")
	flags.Uint64Var(&f.Seed, "seed", 0, "seed of starts and resamples")
	flags.Float64Var(&f.Level, "level", UsualLevel, "probability inside the intervals")
}

// allocates refuses a law that has nothing to split.
func allocates(law fit.Law) error {
	if !learn.CanAllocate(law) {
		return frame.Usage("", "law %s reads %s; allowed: a law that reads params and tokens", law.Name,
			strings.Join(law.Columns, ", "))
	}
	return nil
}

// Laws reads, looks up or fits the laws, and states in the report where they are from.
func (a *Files) Laws(ctx context.Context, f *Laws, files []string, r *reports.Report) (
	[]*learn.Law, error,
) {
	if len(f.Published) > 0 {
		var out []*learn.Law
		names := frame.CommaSeparated(f.Published)
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
func (a *Files) lawOf(ctx context.Context, f *Laws, files []string, r *reports.Report) (
	*learn.Law, error,
) {
	if f.From != "" {
		r.Document.Inputs["fit"] = f.From
		return SavedLaw(f.From)
	}
	r.Document.Inputs = f.Runs.Inputs(files)
	r.Document.Inputs["law"], r.Document.Inputs["seed"] = f.Law, f.Seed
	q := learn.LawQuestion{Resamples: f.Bootstrap, Seed: f.Seed, Level: f.Level}
	if err := CheckLaw("law", f.Law, fit.Laws()); err != nil {
		return nil, err
	}
	var err error
	if q.Law, err = fit.Lookup(f.Law); err != nil {
		return nil, err
	}
	if err := allocates(q.Law); err != nil {
		return nil, err
	}
	if q.Objective, err = ObjectiveFlag(f.Objective); err != nil {
		return nil, err
	}
	s, err := f.Runs.Selection()
	if err != nil {
		return nil, err
	}
	runs, err := a.Runs(&f.Runs, s, files, q.Law.Response)
	if err != nil {
		return nil, err
	}
	r.Document.Warn(runs.Notices()...)
	bar := a.Bar("bootstrap")
	defer bar.End()
	q.Progress = bar.Begin
	law, err := learn.FitLaw(ctx, runs, &q)
	if err != nil {
		return nil, a.LearnError(ctx, runs, err)
	}
	return law, nil
}
