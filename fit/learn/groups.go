package learn

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// group is the rows of one fit.
type group struct {
	name          map[string]string // nil without By
	fitted, score []int
	drops         []records.Drop
}

// split sorts the rows into groups in order of appearance, and within a group into rows to fit and
// rows to score. Drops of groups that have no row left are told in the warnings.
func (c *columns) split(q *Question) (groups []*group, warnings []string, err error) {
	toFit, toScore, neither, err := c.parts(q)
	if err != nil {
		return nil, nil, err
	}
	cells, err := texts(c.Table, q.By)
	if err != nil {
		return nil, nil, err
	}
	at := map[string]*group{}
	of := func(row int) *group {
		key := strings.Join(across(cells, row), "\x00")
		g := at[key]
		if g == nil {
			g = &group{}
			if len(q.By) > 0 {
				g.name = valuesOf(q.By, cells, row)
			}
			at[key] = g
			groups = append(groups, g)
		}
		return g
	}
	for _, row := range toFit {
		g := of(row)
		g.fitted = append(g.fitted, row)
	}
	for _, row := range toScore {
		g := of(row)
		g.score = append(g.score, row)
	}
	homeless := map[string]int{}
	for _, d := range slices.Concat(c.Drops, neither) {
		if g := at[strings.Join(across(cells, d.Row), "\x00")]; g != nil {
			g.drops = append(g.drops, d)
		} else {
			homeless[d.Reason]++
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(homeless)) {
		warnings = append(warnings, fmt.Sprintf(
			"dropped: %s of groups that have no row left: %s", quantity.Of(homeless[reason], "row"), reason))
	}
	return groups, warnings, nil
}

// parts returns the runs of each value of the columns by, in order of appearance; the runs themselves
// without columns. The error is a [*records.ColumnError].
func (r *Runs) parts(by []string) ([]*Runs, error) {
	if len(by) == 0 {
		return []*Runs{r}, nil
	}
	cells, err := texts(r.Table, by)
	if err != nil {
		return nil, err
	}
	var out []*Runs
	at := map[string]*Runs{}
	of := func(row int) *Runs {
		key := strings.Join(across(cells, row), "\x00")
		if at[key] == nil {
			at[key] = &Runs{Table: r.Table, Group: r.Group, Part: valuesOf(by, cells, row)}
			out = append(out, at[key])
		}
		return at[key]
	}
	for _, row := range r.Rows {
		p := of(row)
		p.Rows = append(p.Rows, row)
	}
	for _, d := range r.Drops {
		p := of(d.Row)
		p.Drops = append(p.Drops, d)
	}
	return slices.DeleteFunc(out, func(p *Runs) bool { return len(p.Rows) == 0 }), nil
}

// EachPart asks for the runs of each value of the columns by. A group that is refused becomes a
// warning; the error is the first refusal where every group is refused, and any other error.
func (r *Runs) EachPart(by []string, ask func(*Runs) error) (warnings []string, err error) {
	parts, err := r.parts(by)
	if err != nil {
		return nil, err
	}
	var first error
	for _, part := range parts {
		err := ask(part)
		var refusal *fit.Refusal
		var question *QuestionError // of the rows of the group, such as what it can hold out
		switch {
		case err == nil:
			continue
		case len(by) == 0 || !errors.As(err, &refusal) && !errors.As(err, &question):
			return warnings, err
		}
		first = cmp.Or(first, err)
		warnings = append(warnings, PartName(part.Part)+": "+strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	if len(warnings) == len(parts) {
		return warnings, first
	}
	return warnings, nil
}

// PartName says which part of a table a map of columns and values is; empty for all of it.
func PartName(part map[string]string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(part)) {
		out = append(out, name+" "+part[name])
	}
	return strings.Join(out, ", ")
}

// texts reads columns of words.
func texts(t *records.Table, names []string) ([][]string, error) {
	out := make([][]string, len(names))
	for i, name := range names {
		var err error
		if out[i], err = t.Text(name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// valuesOf is what a row has in each column.
func valuesOf(names []string, cells [][]string, row int) map[string]string {
	out := map[string]string{}
	for i, name := range names {
		out[name] = cells[i][row]
	}
	return out
}

func across(cells [][]string, row int) []string {
	out := make([]string, len(cells))
	for i := range cells {
		out[i] = cells[i][row]
	}
	return out
}

// parts sorts the rows by FitWhere and ScoreWhere. A row that is fitted is not scored.
func (c *columns) parts(q *Question) (toFit, toScore []int, neither []records.Drop, err error) {
	part := func(w records.Where, from []int) (rows, others []int, err error) {
		if w == nil {
			return nil, from, nil
		}
		s := records.Selection{Rows: from}
		return s.Matching(c.Table, w)
	}
	toFit, others, err := part(q.FitWhere, c.Selection.Rows)
	if err != nil {
		return nil, nil, nil, err
	}
	if toScore, others, err = part(q.ScoreWhere, others); err != nil {
		return nil, nil, nil, err
	}
	if q.FitWhere == nil {
		return others, toScore, nil, nil
	}
	for _, row := range others {
		neither = append(neither, records.Drop{Row: row, Reason: "neither to fit nor to score"})
	}
	return toFit, toScore, neither, nil
}

// usable returns the rows that a fit of the law can use and drops the others from the group: a
// number that is absent or, by [fit.Clean], not one that the law and the objective can take.
func (g *group) usable(c *columns, rows []int, law fit.Law, objective fit.Objective) []int {
	x, y := c.names[:len(c.names)-1], c.names[len(c.names)-1]
	_, drops, err := fit.Clean(law, c.numbersOf(rows, x, y), objective)
	if err != nil {
		panic(err) // the columns of the law were read
	}
	reasons := map[int]string{}
	for _, d := range drops {
		reasons[rows[d.Row]] = d.Reason
	}
	s := records.Selection{Rows: rows}
	s.Keep(func(row int) string {
		if why := c.absent(row); why != "" {
			return why
		}
		return reasons[row]
	})
	g.drops = append(g.drops, s.Drops...)
	return s.Rows
}

// collapse keeps the last row of those with the same predictor.
func (g *group) collapse(c *columns, rows []int, x string) []int {
	last := map[float64]int{}
	for _, row := range rows {
		last[c.at(x, row)] = row
	}
	s := records.Selection{Rows: rows}
	s.Keep(func(row int) string {
		if last[c.at(x, row)] != row {
			return "a later row has the same " + x
		}
		return ""
	})
	g.drops = append(g.drops, s.Drops...)
	return s.Rows
}

// scales are columns whose values part losses: of two tokenizers or texts they are on two scales, and
// a run whose learning rate has decayed is below one that goes on at a constant rate (Hoffmann et
// al. 2022, §3.1, arXiv 2203.15556; Hägele et al. 2024, arXiv 2405.18392).
var scales = []string{
	"tokenizer", "dataset", "text", "schedule", "lr_schedule", "lr_scheduler", "lr_scheduler_type", "decayed",
}

// mixed warns of the columns of scales that have several values in the rows of one fit.
func (c *columns) mixed(groups []*group) (warnings []string) {
	for _, name := range scales {
		cells, err := c.Text(name)
		if err != nil {
			continue
		}
		for _, g := range groups {
			values := map[string]bool{}
			for _, row := range g.fitted {
				if cells[row] != "" {
					values[cells[row]] = true
				}
			}
			if len(values) < 2 {
				continue
			}
			const told = 3
			list := slices.Sorted(maps.Keys(values))
			more := ""
			if len(list) > told {
				more = fmt.Sprintf(" and %d more", len(list)-told)
			}
			warnings = append(warnings, fmt.Sprintf(
				"rows of several values of %s are fitted together (%s%s): their losses are not on one scale; --by %s fits each apart",
				name, strings.Join(list[:min(len(list), told)], ", "), more, name))
			break
		}
	}
	return warnings
}
