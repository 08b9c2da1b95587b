package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
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

	// What a plot needs: the fit, the rows it used and the data of those and of the scored rows.
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
		for _, flag := range []string{"objective", "bootstrap", "bootstrap-global", "profile"} {
			if j.flags.given.Changed(flag) {
				j.warnings = append(j.warnings,
					"--"+flag+" does not apply to law auto over one predictor: it averages laws in ln y and has calibrated intervals")
			}
		}
	}
	for _, p := range j.points {
		for name := range p {
			if !slices.Contains(j.choice.columns, name) {
				return usage(didYouMean(name, j.choice.columns, ""),
					"--predict: %q is not a column to predict from; allowed: %s", name,
					strings.Join(j.choice.columns, ", "))
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

// parts sorts the rows by --fit-where and --score-where. A row that is fitted is not scored.
func (j *fitJob) parts() (toFit, toScore []int, neither []records.Drop, err error) {
	part := func(flag, text string, from []int) (rows, others []int, err error) {
		if text == "" {
			return nil, from, nil
		}
		w, err := records.ParseWhere(text)
		if err != nil {
			return nil, nil, usage("", "--%s: %w", flag, err)
		}
		s := records.Selection{Rows: from}
		if rows, others, err = s.Matching(j.data.Table, w); err != nil {
			return nil, nil, columnError(err)
		}
		return rows, others, nil
	}
	toFit, others, err := part("fit-where", j.flags.fitWhere, j.data.Rows)
	if err != nil {
		return nil, nil, nil, err
	}
	toScore, others, err = part("score-where", j.flags.scoreWhere, others)
	if err != nil {
		return nil, nil, nil, err
	}
	if j.flags.fitWhere == "" {
		return others, toScore, nil, nil
	}
	for _, row := range others {
		neither = append(neither, records.Drop{Row: row, Reason: "neither to fit nor to score"})
	}
	return toFit, toScore, neither, nil
}

// split sorts the rows into groups, and within a group into rows to fit and rows to score.
func (j *fitJob) split() error {
	toFit, toScore, neither, err := j.parts()
	if err != nil {
		return err
	}
	by, err := j.grouping()
	if err != nil {
		return err
	}
	at := map[string]*fitGroup{}
	group := func(row int) *fitGroup {
		key := by.key(row)
		g := at[key]
		if g == nil {
			g = &fitGroup{name: by.name(row)}
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
		if g := at[by.key(d.Row)]; g != nil {
			g.drops = append(g.drops, d)
		} else {
			homeless[d.Reason]++
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(homeless)) {
		j.warnings = append(j.warnings, fmt.Sprintf(
			"%d rows of groups that have no row left were dropped: %s", homeless[reason], reason))
	}
	for _, lost := range j.data.Lost {
		if len(j.flags.by) == 0 {
			break // listed with the rows that the one fit dropped
		}
		j.warnings = append(j.warnings, fmt.Sprintf("%s: dropped: %s", lost.Origin, lost.Reason))
	}
	return nil
}

// grouping is the --by columns and their cells.
type grouping struct {
	by    []string
	cells [][]string
}

func (j *fitJob) grouping() (*grouping, error) {
	g := &grouping{by: j.flags.by}
	for _, name := range g.by {
		cells, err := j.data.Text(name)
		if err != nil {
			return nil, columnError(err)
		}
		g.cells = append(g.cells, cells)
	}
	return g, nil
}

// key tells groups apart.
func (g *grouping) key(row int) string {
	if len(g.cells) == 1 {
		return g.cells[0][row]
	}
	var b strings.Builder
	for _, c := range g.cells {
		b.WriteString(c[row])
		b.WriteByte(0)
	}
	return b.String()
}

// name is the value of each column; nil without --by.
func (g *grouping) name(row int) map[string]string {
	if len(g.by) == 0 {
		return nil
	}
	name := make(map[string]string, len(g.by))
	for i, c := range g.cells {
		name[g.by[i]] = c[row]
	}
	return name
}

// run fits every group. When the error is the context's, the complete fits are returned with it.
func (j *fitJob) run(ctx context.Context, a *app) ([]reports.Fitted, error) {
	one := len(j.groups) == 1
	steps := len(j.groups)
	if one {
		steps = j.resamples(len(j.groups[0].fitted))
	}
	bar := a.progress("fit", steps)
	defer bar.end()
	errs := make([]error, len(j.groups))
	parallel.Each(len(j.groups), 0, func(i int) {
		if ctx.Err() != nil {
			return
		}
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
	})
	var out []reports.Fitted
	for _, g := range j.groups {
		if g.done != nil {
			out = append(out, *g.done)
		}
	}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	for _, err := range errs {
		if err != nil {
			return out, err // the others say the same of their groups
		}
	}
	return out, nil
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
