package learn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
)

// Fit fits a law to each group of the runs. A refusal is part of the answer.
//
// The error is a [*QuestionError], a [*records.ColumnError], or the context's, with which the
// complete fits are returned.
func Fit(ctx context.Context, runs *Runs, q *Question) (*Answer, error) {
	laws, err := resolve(q.Law, splitColumns(q.X, runs.Has), q.Y, runs.Has)
	if err != nil {
		return nil, err
	}
	c, err := runs.columns(append(slices.Clone(laws.columns), laws.response)...)
	if err != nil {
		return nil, err
	}
	if _, err := runs.Text(runs.Group); err != nil && q.NeedGroup {
		return nil, err
	}
	groups, warnings, err := c.split(q)
	if err != nil {
		return nil, err
	}
	warnings = append(warnings, c.mixed(groups)...)
	if len(q.By) > 0 { // else listed with the rows that the one fit dropped
		warnings = append(warnings, runs.lost()...)
	}
	if err := laws.check(q); err != nil {
		return nil, err
	}
	f := fitter{Question: q, laws: laws, columns: c, obj: laws.objective(q.Objective)}
	fits, err := f.all(ctx, groups)
	return &Answer{
		X: laws.columns, Response: laws.response, Groups: len(groups), Fits: fits,
		Curve: laws.curve(), Warnings: append(slices.Clone(runs.Table.Warnings), warnings...),
	}, err
}

// fitter fits the groups of one question.
type fitter struct {
	*Question
	*laws
	*columns
	obj   fit.Objective
	alone bool // one group
}

// all fits every group. When the error is the context's, the complete fits are returned with it.
func (f *fitter) all(ctx context.Context, groups []*group) ([]Fitted, error) {
	f.alone = len(groups) == 1 // the refits are the parallel work, not the groups
	steps := len(groups)
	if f.alone {
		steps = f.resamples(len(groups[0].fitted))
	}
	step := func() {}
	if f.Progress != nil {
		step = f.Progress(steps)
	}
	done := make([]*Fitted, len(groups))
	errs := make([]error, len(groups))
	parallel.Each(len(groups), 0, func(i int) {
		if ctx.Err() != nil {
			return
		}
		if f.alone {
			done[i], errs[i] = f.fit(ctx, groups[i], 0, step)
			return
		}
		done[i], errs[i] = f.fit(ctx, groups[i], 1, func() {})
		step()
	})
	var out []Fitted
	for i, fitted := range done {
		if fitted != nil && errs[i] == nil {
			// Reading a column may work it out, which is not for several groups at once.
			if fitted.Result != nil && !f.curve() {
				fitted.PerParamToken = f.perParamToken(fitted.Index)
				fitted.BothStacks = f.bothStacks(fitted.Index)
			}
			out = append(out, *fitted)
		}
	}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	// The first error: the others say the same of their groups.
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return out, errs[i]
	}
	return out, nil
}

// fit fits one group. A refusal is part of the result.
func (f *fitter) fit(ctx context.Context, g *group, workers int, step func()) (*Fitted, error) {
	law := fit.Power().On(f.laws.columns[0]) // of one predictor: a loss that falls
	if !f.curve() {
		law = f.list[0]
	}
	fitted := g.usable(f.columns, g.fitted, law, f.obj)
	if f.curve() {
		fitted = g.collapse(f.columns, fitted, f.laws.columns[0])
	}
	scored := g.usable(f.columns, g.score, law, f.obj)
	slices.SortStableFunc(g.drops, func(a, b records.Drop) int { return a.Row - b.Row })
	out := &Fitted{
		Group: g.name, By: f.By, Law: f.Law, Columns: f.laws.columns, Response: f.response,
		Level: f.Level, Rows: f.rows(len(fitted), g.drops),
		Data: f.read(fitted), Held: f.read(scored), Index: fitted,
	}
	if g.name == nil {
		for _, lost := range f.Lost {
			out.Drops = append(out.Drops, Drop{lost.Origin.String(), lost.Reason})
		}
	}
	if f.curve() {
		f.average(out)
		return out, nil
	}
	set := &fit.Settings{Seed: f.Seed, Workers: workers, Fixed: f.Fix, Bounds: f.Bound}
	if err := f.choose(ctx, out, set); err != nil || out.Refused != nil {
		return out, err
	}
	if out.Result != nil {
		f.name(out)
		if err := f.intervals(ctx, out, set, step); err != nil && ctx.Err() == nil {
			return out, err
		}
	}
	if f.ScoreWhere != nil {
		out.scored(out.score())
	}
	return out, f.predict(out)
}

// outliersTold is how many rows with the largest residuals a fit tells.
const outliersTold = 5

// name lists the rows with the largest residuals and warns of those that do not belong to the fit.
func (f *fitter) name(out *Fitted) {
	for _, o := range out.Result.Outliers(out.Data, outliersTold) {
		told := Outlier{Outlier: o, Row: f.Origin(out.Index[o.Row]).String(), Value: out.Data.Y[o.Row]}
		out.Outliers = append(out.Outliers, told)
		if o.Diverged() {
			out.Warnings = append(out.Warnings, fmt.Sprintf(
				"%s: %s %.4g is %.0f standard deviations off the fit (a diverged run?); --where leaves it out",
				told.Row, f.response, told.Value, math.Abs(o.Studentised)))
		}
	}
}

func (f *fitter) read(rows []int) fit.Data { return f.data(rows, f.laws.columns, f.response) }

// choose fits the law, or those that are compared; the average over the laws, or over the fits of
// the one law, gives the intervals of new rows.
func (f *fitter) choose(ctx context.Context, out *Fitted, set *fit.Settings) error {
	var err error
	if len(f.list) == 1 {
		out.Result, err = fit.Fit(ctx, f.list[0], out.Data, f.obj, set)
		if r := f.robustly(ctx, out, set, err); r != nil {
			out.Result, err = r, nil
		}
	} else {
		var c *fit.Choice
		c, err = fit.Choose(ctx, f.list, out.Data, f.obj, &fit.ChooseSettings{Fit: set})
		if c != nil {
			out.Result, out.Scores = c.Best, c.Scores
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		out.Result = nil
		if len(f.list) == 1 {
			out.Refused = err
			return nil
		}
	}
	var none error
	if f.alone || len(f.Points) > 0 || f.ScoreWhere != nil {
		laws := f.predicting()
		out.Average, none = fit.FitAverage(ctx, laws, out.Data, f.obj, &fit.AverageSettings{Fit: set})
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && out.Average == nil:
		out.Refused = err
	case err != nil:
		out.Warnings = append(out.Warnings, "no single law: "+err.Error())
	case none != nil:
		out.Warnings = append(out.Warnings, "no prediction interval: "+none.Error())
	case out.Average != nil && len(f.list) == 1:
		out.Result.Validation = out.Average.Validation
	}
	out.compared = len(f.list) > 1 && out.Average != nil
	switch {
	case out.compared:
		out.Columns = out.Average.Columns
	case out.Result != nil:
		out.Columns = out.Result.Law.Columns
	}
	return nil
}

// robustly returns the fit by the default objective, with a warning, where another was refused and the
// default tells a diverged run that it may be refused for; nil otherwise.
func (f *fitter) robustly(ctx context.Context, out *Fitted, set *fit.Settings, refused error) *fit.Result {
	var why *fit.Refusal
	robust := defaultObjective("loss")
	if !errors.As(refused, &why) || f.response == "score" || f.obj.String() == robust.String() {
		return nil
	}
	r, err := fit.Fit(ctx, f.list[0], out.Data, robust, set)
	if err != nil || !slices.ContainsFunc(r.Outliers(out.Data, outliersTold), fit.Outlier.Diverged) {
		return nil
	}
	out.Warnings = append(out.Warnings, fmt.Sprintf(
		"fitted by %s, since a diverged run decides the fit by %s: %v", robust, f.obj, refused))
	return r
}

// predicting lists the laws whose columns the points to predict have.
func (f *fitter) predicting() []fit.Law {
	var out []fit.Law
	for _, law := range f.list {
		lacking := func(column string) bool {
			return slices.ContainsFunc(f.Points, func(p Point) bool { _, has := p[column]; return !has })
		}
		if !slices.ContainsFunc(law.Columns, lacking) {
			out = append(out, law)
		}
	}
	if len(out) == 0 {
		return f.list
	}
	return out
}

// intervals adds bootstrap and profile to a fit; data that cannot support them are a warning.
func (f *fitter) intervals(ctx context.Context, out *Fitted, set *fit.Settings, step func()) error {
	note := func(what string, err error) error {
		var r *fit.Refusal
		if errors.As(err, &r) {
			out.Warnings = append(out.Warnings, what+": "+err.Error())
			return nil
		}
		return err
	}
	if n := f.resamples(out.Data.Len()); n > 0 {
		s := &fit.BootstrapSettings{
			Resamples: n, Seed: f.Seed, Level: f.Level, Workers: set.Workers, Progress: step,
		}
		if f.Global {
			s.Starts = globalStarts
		}
		var err error
		if out.Draws, err = fit.Bootstrap(ctx, out.Result, out.Data, s); err != nil {
			if ctx.Err() != nil {
				out.Warnings = append(out.Warnings, "interrupted: no bootstrap")
			}
			if err := note("no bootstrap", err); err != nil {
				return err
			}
		}
	}
	few := f.resamples(out.Data.Len()) > 0 && out.Draws == nil
	if f.Profile || few {
		var err error
		s := &fit.ProfileSettings{Level: f.Level, Workers: set.Workers}
		if out.Profiles, err = fit.Profile(ctx, out.Result, out.Data, s); err != nil {
			return note("no profile", err)
		}
	}
	return nil
}

// predict fills in the points; the error is a [*QuestionError].
func (f *fitter) predict(out *Fitted) error {
	for _, p := range f.Points {
		x, err := p.in(out.Columns)
		if err != nil {
			return err
		}
		out.Predictions = append(out.Predictions, out.at(p, x))
		for k, name := range out.Columns {
			if most := slices.Max(out.Data.Columns[name]); x[k] > most {
				out.Warnings = append(out.Warnings, fmt.Sprintf(
					"%s=%.3g lies beyond the rows (%.2g times the largest)", name, x[k], x[k]/most))
			}
		}
	}
	return nil
}

// average fits the average of laws over one predictor.
func (f *fitter) average(out *Fitted) {
	x := f.laws.columns[0]
	curve, err := fit.NewLearningCurve(out.Data.Columns[x], out.Data.Y)
	if err != nil {
		out.Refused = err
		return
	}
	e := fit.Extrapolate(curve)
	out.Curve, out.SquaredError = e, e.SquaredError(curve)
	if f.ScoreWhere != nil {
		out.scored(e.Score(out.Held.Columns[x], out.Held.Y))
	}
	for _, p := range f.Points {
		at := p[x]
		out.Predictions = append(out.Predictions, out.at(p, []float64{at}))
		if at > fit.CalibratedReach*e.Last {
			out.Warnings = append(out.Warnings, fmt.Sprintf(
				"%s=%.3g is %.2g times the last recorded; the interval was checked up to %g times",
				x, at, at/e.Last, fit.CalibratedReach))
		}
	}
}
