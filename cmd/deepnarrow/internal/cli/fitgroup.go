package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/reports"
)

// fitGroup fits one group. A refusal is part of the answer; the error is the context's.
func (j *fitJob) fitGroup(ctx context.Context, g *fitGroup, one bool, step func()) (*reports.Fitted,
	error,
) {
	out := &reports.Fitted{
		Group: g.name, By: j.flags.by, Law: j.choice.name,
		Columns: j.choice.columns, Response: j.choice.response, Derived: j.data.Derived(),
	}
	fitted := j.usable(g, g.fitted)
	if j.choice.curve() {
		fitted = j.collapse(g, fitted)
	}
	scored := j.usable(g, g.score)
	out.Used = len(fitted)
	slices.SortStableFunc(g.drops, func(a, b records.Drop) int { return a.Row - b.Row })
	for _, d := range g.drops {
		out.Drops = append(out.Drops, reports.DroppedRow{
			Row:    j.data.Origin(d.Row).String(),
			Reason: d.Reason,
		})
	}
	if g.name == nil {
		for _, lost := range j.data.Lost {
			out.Drops = append(out.Drops, reports.DroppedRow{
				Row:    lost.Origin.String(),
				Reason: lost.Reason,
			})
		}
	}
	d, held := j.rows(fitted), j.rows(scored)
	g.usedRows, g.data, g.held = fitted, d, held
	var err error
	if j.choice.curve() {
		j.fitCurve(out, d, held)
	} else {
		err = j.fitLaws(ctx, out, d, held, one, step)
	}
	return out, err
}

// usable drops the rows that a fit cannot use.
func (j *fitJob) usable(g *fitGroup, rows []int) []int {
	s := records.Selection{Rows: rows}
	names := append(slices.Clone(j.choice.columns), j.choice.response)
	s.Keep(func(row int) string {
		for _, name := range names {
			if n := j.numbers[name]; math.IsNaN(n.Values[row]) {
				return name + ": " + n.Fault(row)
			}
		}
		return ""
	})
	law := fit.Power().On(j.choice.columns[0]) // of one predictor: a loss that falls
	if len(j.choice.laws) > 0 {
		law = j.choice.laws[0]
	}
	_, drops, err := fit.Clean(law, j.rows(s.Rows), j.objective)
	if err != nil {
		panic(err) // prepare read every column
	}
	reasons := map[int]string{}
	for _, d := range drops {
		reasons[s.Rows[d.Row]] = d.Reason
	}
	s.Keep(func(row int) string { return reasons[row] })
	g.drops = append(g.drops, s.Drops...)
	return s.Rows
}

// collapse keeps the last row of those with the same predictor.
func (j *fitJob) collapse(g *fitGroup, rows []int) []int {
	x := j.numbers[j.choice.columns[0]].Values
	last := map[float64]int{}
	for _, row := range rows {
		last[x[row]] = row
	}
	s := records.Selection{Rows: rows}
	s.Keep(func(row int) string {
		if last[x[row]] != row {
			return "a later row has the same " + j.choice.columns[0]
		}
		return ""
	})
	g.drops = append(g.drops, s.Drops...)
	return s.Rows
}

// rows returns the data of rows.
func (j *fitJob) rows(rows []int) fit.Data {
	d := fit.Data{
		Columns: map[string][]float64{},
		Y:       pickRows(j.numbers[j.choice.response].Values, rows),
	}
	for _, name := range j.choice.columns {
		d.Columns[name] = pickRows(j.numbers[name].Values, rows)
	}
	if j.runOf != nil {
		d.Run = numbered(pickRows(j.runOf, rows))
	}
	return d
}

func pickRows[T any](values []T, rows []int) []T {
	out := make([]T, len(rows))
	for i, row := range rows {
		out[i] = values[row]
	}
	return out
}

// numbered numbers runs by name; a row without a name is a run of its own, and so is every row when
// there is only one run.
func numbered(names []string) []int {
	at := map[string]int{}
	out := make([]int, len(names))
	for i, n := range names {
		if n == "" {
			n = fmt.Sprintf("\x00%d", i)
		}
		if _, ok := at[n]; !ok {
			at[n] = len(at)
		}
		out[i] = at[n]
	}
	if len(at) == 1 {
		return nil
	}
	return out
}

// fitCurve fits the average of laws over one predictor.
func (j *fitJob) fitCurve(out *reports.Fitted, d, held fit.Data) {
	x := j.choice.columns[0]
	curve, err := fit.NewLearningCurve(d.Columns[x], d.Y)
	if err != nil {
		out.Refused = err
		return
	}
	e := fit.Extrapolate(curve)
	out.Curve, out.SquaredError = e, e.SquaredError(curve)
	if j.flags.scoreWhere != "" {
		score, err := e.Score(held.Columns[x], held.Y)
		out.Score, out.Unscored = scored(score, err)
	}
	for _, p := range j.points {
		at := p[x]
		predicted := reports.Predicted{At: p, HasInterval: true, Level: j.flags.level}
		predicted.Value = e.Predict(at)
		predicted.Low, predicted.High = e.Interval(at, j.flags.level)
		out.Predictions = append(out.Predictions, predicted)
		if at > fit.CalibratedReach*e.Last {
			out.Warnings = append(out.Warnings, fmt.Sprintf(
				"%s=%.3g is %.2g times the last recorded; the interval was checked up to %g times",
				x, at, at/e.Last, fit.CalibratedReach))
		}
	}
}

func scored(s fit.ExtrapolationScore, err error) (*fit.ExtrapolationScore, string) {
	if err != nil {
		return nil, err.Error()
	}
	return &s, ""
}

// fitLaws fits the law, or the one that auto chooses, with its intervals.
func (j *fitJob) fitLaws(ctx context.Context, out *reports.Fitted, d, held fit.Data, one bool,
	step func(),
) error {
	set := &fit.Settings{Seed: j.flags.seed}
	if !one {
		set.Workers = 1 // the groups are the parallel work
	}
	var err error
	if len(j.choice.laws) == 1 {
		out.Columns = j.choice.laws[0].Columns
		out.Result, err = fit.Fit(ctx, j.choice.laws[0], d, j.objective, set)
	} else {
		var c *fit.Choice
		if c, err = fit.Choose(ctx, j.choice.laws, d, j.objective, &fit.ChooseSettings{Fit: set}); c != nil {
			out.Result, out.Scores = c.Best, c.Scores
		}
		if out.Result != nil {
			out.Columns = out.Result.Law.Columns
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		out.Result, out.Refused = nil, err
		return nil
	}
	if err := j.intervals(ctx, out, d, set, step); err != nil && ctx.Err() == nil {
		return err
	}
	if j.flags.scoreWhere != "" {
		score, err := out.Result.Score(held, out.Draws)
		out.Score, out.Unscored = scored(score, err)
	}
	return j.predict(out, d)
}

// intervals adds bootstrap and profile to a fit; data that cannot support them are a warning.
func (j *fitJob) intervals(ctx context.Context, out *reports.Fitted, d fit.Data, set *fit.Settings,
	step func(),
) error {
	note := func(what string, err error) error {
		var r *fit.Refusal
		if errors.As(err, &r) {
			out.Warnings = append(out.Warnings, what+": "+err.Error())
			return nil
		}
		return err
	}
	if n := j.resamples(d.Len()); n > 0 {
		s := &fit.BootstrapSettings{
			Resamples: n, Seed: j.flags.seed, Level: j.flags.level,
			Workers: set.Workers, Progress: step,
		}
		if j.flags.global {
			s.Starts = globalStarts
		}
		var err error
		if out.Draws, err = fit.Bootstrap(ctx, out.Result, d, s); err != nil {
			if ctx.Err() != nil {
				out.Warnings = append(out.Warnings, "interrupted: no bootstrap")
			}
			return note("no bootstrap", err)
		}
	}
	if j.flags.profile {
		var err error
		if out.Profiles, err = fit.Profile(ctx, out.Result, d, &fit.ProfileSettings{Level: j.flags.level, Workers: set.Workers}); err != nil {
			return note("no profile", err)
		}
	}
	return nil
}

func (j *fitJob) predict(out *reports.Fitted, d fit.Data) error {
	for _, p := range j.points {
		x, err := predictor(p, out.Result.Law.Columns)
		if err != nil {
			return err
		}
		predicted := reports.Predicted{At: p, Level: j.flags.level}
		predicted.Value = out.Result.Predict(x...)
		in, ok := out.Result.Interval(out.Draws, j.flags.level, x...)
		predicted.HasInterval, predicted.Low, predicted.High = ok, in.Low, in.High
		out.Predictions = append(out.Predictions, predicted)
		for k, name := range out.Result.Law.Columns {
			if most := slices.Max(d.Columns[name]); x[k] > most {
				out.Warnings = append(out.Warnings,
					fmt.Sprintf("%s=%.3g lies beyond the rows (%.2g times the largest)", name, x[k],
						x[k]/most))
			}
		}
	}
	return nil
}
