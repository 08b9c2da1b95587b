package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/deepnarrow/deepnarrow/data/records"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/reports"
)

const (
	automaticResamples = 200  // what one fit of a usual size affords unasked
	automaticRows      = 2000 // up to which it does
	globalStarts       = 8    // the fewest that make a bootstrap global
)

// fitJob is one run of fit: the groups of rows and what is done with each.
type fitJob struct {
	flags    *fitFlags
	choice   *lawChoice
	data     *runs
	points   []map[string]float64
	groups   []*fitGroup
	warnings []string

	numbers   map[string]*records.Numbers
	runOf     []string
	objective fit.Objective
}

// fitGroup is the rows of one fit.
type fitGroup struct {
	name          map[string]string // nil without --by
	fitted, score []int
	drops         []records.Drop

	// What a plot needs: the fit, the rows it used and the data of those and of
	// the scored rows.
	done       *reports.Fitted
	usedRows   []int
	data, held fit.Data
}

// prepare reads the columns and splits the rows.
func (j *fitJob) prepare() (err error) {
	if j.objective, err = j.choice.objective(j.flags.objective); err != nil {
		return err
	}
	j.numbers = map[string]*records.Numbers{}
	for _, name := range append(slices.Clone(j.choice.columns), j.choice.response) {
		if j.numbers[name], err = j.data.Numbers(name); err != nil {
			return columnError(err)
		}
	}
	if j.runOf, err = j.data.Text(j.flags.runs.group); err != nil && j.flags.given.Changed("group") {
		return columnError(err)
	}
	if err := j.split(); err != nil {
		return err
	}
	if j.choice.curve() {
		for _, flag := range []string{"objective", "bootstrap", "bootstrap-global", "profile", "seed"} {
			if j.flags.given.Changed(flag) {
				j.warnings = append(j.warnings, "--"+flag+" does not apply to law auto over one predictor: it averages laws in ln y and has calibrated intervals")
			}
		}
	}
	for _, p := range j.points {
		for name := range p {
			if !slices.Contains(j.choice.columns, name) {
				return usage(didYouMean(name, j.choice.columns, ""), "--predict: %q is not a column to predict from; allowed: %s", name, strings.Join(j.choice.columns, ", "))
			}
		}
		if len(j.choice.laws) == 0 {
			if _, err := predictor(p, j.choice.columns); err != nil {
				return err
			}
		}
	}
	return nil
}

// split sorts the rows into groups, and within a group into rows to fit and
// rows to score.
func (j *fitJob) split() error {
	toFit, toScore := j.data.Rows, []int(nil)
	var neither []records.Drop
	part := func(flag, text string, from []int) (rows, others []int, err error) {
		w, err := records.ParseWhere(text)
		if err != nil {
			return nil, nil, usage("", "--%s: %w", flag, err)
		}
		s := records.Selection{Rows: from}
		rows, others, err = s.Matching(j.data.Table, w)
		if err != nil {
			return nil, nil, columnError(err)
		}
		return rows, others, nil
	}
	var err error
	others := j.data.Rows
	if j.flags.fitWhere != "" {
		if toFit, others, err = part("fit-where", j.flags.fitWhere, j.data.Rows); err != nil {
			return err
		}
	}
	if j.flags.scoreWhere != "" {
		rest := []int(nil)
		if toScore, rest, err = part("score-where", j.flags.scoreWhere, others); err != nil {
			return err
		}
		if j.flags.fitWhere == "" {
			toFit, others = rest, nil
		} else {
			others = rest
		}
	}
	if j.flags.fitWhere != "" {
		for _, row := range others {
			neither = append(neither, records.Drop{Row: row, Reason: "neither to fit nor to score"})
		}
	}
	by, err := j.grouping()
	if err != nil {
		return err
	}
	at := map[string]*fitGroup{}
	group := func(row int) *fitGroup {
		key, name := by(row)
		g := at[key]
		if g == nil {
			g = &fitGroup{name: name}
			at[key] = g
			j.groups = append(j.groups, g)
		}
		return g
	}
	for _, row := range toFit {
		g := group(row)
		g.fitted = append(g.fitted, row)
	}
	for _, row := range toScore {
		g := group(row)
		g.score = append(g.score, row)
	}
	homeless := map[string]int{}
	for _, d := range append(slices.Clone(j.data.Drops), neither...) {
		key, _ := by(d.Row)
		if g := at[key]; g != nil {
			g.drops = append(g.drops, d)
		} else {
			homeless[d.Reason]++
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(homeless)) {
		j.warnings = append(j.warnings, fmt.Sprintf("%d rows of groups that have no row left were dropped: %s", homeless[reason], reason))
	}
	for _, lost := range j.data.Lost {
		if len(j.flags.by) == 0 {
			break // listed with the rows that the one fit dropped
		}
		j.warnings = append(j.warnings, fmt.Sprintf("%s: dropped: %s", lost.Origin, lost.Reason))
	}
	return nil
}

// grouping returns the group of a row: a key and the value of each --by column.
func (j *fitJob) grouping() (func(row int) (string, map[string]string), error) {
	if len(j.flags.by) == 0 {
		return func(int) (string, map[string]string) { return "", nil }, nil
	}
	cells := make([][]string, len(j.flags.by))
	for i, name := range j.flags.by {
		var err error
		if cells[i], err = j.data.Text(name); err != nil {
			return nil, columnError(err)
		}
	}
	return func(row int) (string, map[string]string) {
		var key strings.Builder
		name := make(map[string]string, len(cells))
		for i, c := range cells {
			key.WriteString(c[row] + "\x00")
			name[j.flags.by[i]] = c[row]
		}
		return key.String(), name
	}, nil
}

// run fits every group. When the error is the context's, the complete fits are
// returned with it.
func (j *fitJob) run(ctx context.Context, a *app) ([]reports.Fitted, error) {
	one := len(j.groups) == 1
	steps := len(j.groups)
	if one {
		steps = j.resamples(len(j.groups[0].fitted))
	}
	bar := a.progress("fit", steps)
	defer bar.end()
	errs := make([]error, len(j.groups))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(j.groups)) {
		workers.Go(func() {
			for i := range next {
				step := func() {}
				if one {
					step = bar.step
				}
				f, err := j.fitGroup(ctx, j.groups[i], one, step)
				if errs[i] = err; err == nil {
					j.groups[i].done = f
				}
				if !one {
					bar.step()
				}
			}
		})
	}
	for i := range j.groups {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	var out []reports.Fitted
	for _, g := range j.groups {
		if g.done != nil {
			out = append(out, *g.done)
		}
	}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	return out, errors.Join(errs...)
}

// resamples is how many refits a fit of so many rows gets.
func (j *fitJob) resamples(rows int) int {
	switch {
	case j.choice.curve():
		return 0
	case j.flags.given.Changed("bootstrap"):
		return j.flags.bootstrap
	case len(j.flags.by) == 0 && rows <= automaticRows:
		return automaticResamples
	}
	return 0
}

// fitGroup fits one group. A refusal is part of the answer; the error is the
// context's.
func (j *fitJob) fitGroup(ctx context.Context, g *fitGroup, one bool, step func()) (*reports.Fitted, error) {
	out := &reports.Fitted{Group: g.name, By: j.flags.by, Law: j.choice.name, Columns: j.choice.columns, Response: j.choice.response, Derived: j.data.Derived()}
	fitted := j.usable(g, g.fitted)
	if j.choice.curve() {
		fitted = j.collapse(g, fitted)
	}
	scored := j.usable(g, g.score)
	out.Used = len(fitted)
	slices.SortStableFunc(g.drops, func(a, b records.Drop) int { return a.Row - b.Row })
	for _, d := range g.drops {
		out.Drops = append(out.Drops, reports.DroppedRow{Row: j.data.Origin(d.Row).String(), Reason: d.Reason})
	}
	if g.name == nil {
		for _, lost := range j.data.Lost {
			out.Drops = append(out.Drops, reports.DroppedRow{Row: lost.Origin.String(), Reason: lost.Reason})
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
	d := fit.Data{Columns: map[string][]float64{}, Y: pickRows(j.numbers[j.choice.response].Values, rows)}
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

// numbered numbers runs by name; a row without a name is a run of its own, and
// so is every row when there is only one run.
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
			out.Warnings = append(out.Warnings, fmt.Sprintf("%s=%.3g is %.2g times the last recorded; the interval was checked up to %g times", x, at, at/e.Last, fit.CalibratedReach))
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
func (j *fitJob) fitLaws(ctx context.Context, out *reports.Fitted, d, held fit.Data, one bool, step func()) error {
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

// intervals adds bootstrap and profile to a fit; data that cannot support them
// are a warning.
func (j *fitJob) intervals(ctx context.Context, out *reports.Fitted, d fit.Data, set *fit.Settings, step func()) error {
	note := func(what string, err error) error {
		var r *fit.Refusal
		if errors.As(err, &r) {
			out.Warnings = append(out.Warnings, what+": "+err.Error())
			return nil
		}
		return err
	}
	if n := j.resamples(d.Len()); n > 0 {
		s := &fit.BootstrapSettings{Resamples: n, Seed: j.flags.seed, Level: j.flags.level, Workers: set.Workers, Progress: step}
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
				out.Warnings = append(out.Warnings, fmt.Sprintf("%s=%.3g lies beyond the rows (%.2g times the largest)", name, x[k], x[k]/most))
			}
		}
	}
	return nil
}
