package records

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// attempts settles the rows of each run that stand at one step, and steps that fall back: the rows
// of a step whose cells do not contradict each other are one; rows that another column tells apart
// are runs of their own; after a restart the later attempt counts; else the later row of a step.
// Everything that is not used is told. Tables that do not say a run are left as they are.
func (b *builder) attempts() {
	c, err := b.find("step")
	if err != nil || b.runOf == nil {
		return
	}
	steps := make([]float64, b.Len())
	r, err := b.reader(c, "step")
	if err != nil {
		return
	}
	byRun := make([][]int, len(b.runs))
	for row, run := range b.runOf {
		v, problem := r.parse(c.cells.at(row))
		if steps[row] = v; run >= 0 && problem == "" && !math.IsNaN(v) {
			byRun[run] = append(byRun[run], row)
		}
	}
	a := attempts{
		builder: b, step: c, steps: steps, reasons: map[int]string{},
		cells: map[*column]map[int]string{},
	}
	for run, rows := range byRun {
		if !rising(steps, rows) {
			a.run(run, rows)
		}
	}
	b.warnSome(a.told, "and the same of %d more runs")
	for col, changed := range a.cells {
		col.replace(b.Len(), changed)
	}
	b.Table.lose(a.reasons)
}

// rising tells that each step is above the one before.
func rising(steps []float64, rows []int) bool {
	for i := 1; i < len(rows); i++ {
		if !(steps[rows[i]] > steps[rows[i-1]]) {
			return false
		}
	}
	return true
}

type attempts struct {
	*builder
	step    *column
	steps   []float64
	reasons map[int]string             // of the rows that are lost
	cells   map[*column]map[int]string // what rows of one step put together, or lose
	told    []string
}

// cell is a cell as it is by now.
func (a *attempts) cell(c *column, row int) string {
	if changed, ok := a.cells[c][row]; ok {
		return changed
	}
	return c.cells.at(row)
}

func (a *attempts) set(c *column, row int, text string) {
	if a.cells[c] == nil {
		a.cells[c] = map[int]string{}
	}
	a.cells[c][row] = text
}

// run settles one run whose steps do not only rise.
func (a *attempts) run(run int, rows []int) {
	if facet, groups := a.facet(rows); facet != "" {
		for i, g := range groups {
			n := int32(run)
			if i > 0 {
				n = int32(len(a.runs))
				a.runs = append(a.runs, "")
			}
			for _, row := range g.rows {
				a.runOf[row] = n
			}
			a.runs[n] = strings.TrimSpace(a.label(run, i) + " (" + facet + " " + g.value + ")")
		}
		a.told = append(a.told, fmt.Sprintf(
			"run %s is %d runs: its rows of one step differ in %s; --run-key says what tells runs apart",
			strings.TrimSuffix(a.runs[run], " ("+facet+" "+groups[0].value+")"), len(groups), facet))
		return
	}
	falls := 1
	for i := 1; i < len(rows); i++ {
		if a.steps[rows[i]] < a.steps[rows[i-1]] {
			falls++
		}
	}
	const rise = 2.5 // as in metric.settle
	restarted := falls > 1 && float64(len(rows)) >= rise*float64(falls)
	if restarted {
		a.purge(run, rows)
	}
	order := slices.Clone(rows)
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(a.steps[x], a.steps[y]) })
	repeats := 0
	last := -1
	for _, row := range order {
		if _, lost := a.reasons[row]; lost {
			continue
		}
		if last >= 0 && a.steps[last] == a.steps[row] && a.join(last, row) {
			repeats++
		}
		last = row
	}
	if repeats > 0 {
		a.told = append(a.told, fmt.Sprintf("run %s has two rows for %s: the later count",
			a.runs[run], quantity.Of(repeats, "step")))
	}
}

// label is how the run was called before it was found to be several.
func (a *attempts) label(run, i int) string {
	if i == 0 {
		return a.runs[run]
	}
	name, _, _ := strings.Cut(a.runs[run], " (")
	return name
}

// purge takes out what a restart overwrote: where the steps of a column's values fall back, its
// values at that step or after.
func (a *attempts) purge(run int, rows []int) {
	abandoned := map[int]bool{}
	for _, c := range a.columns {
		if c == a.step {
			continue
		}
		var kept []int
		before := math.Inf(-1)
		for _, row := range rows {
			if a.cell(c, row) == "" {
				continue
			}
			if a.steps[row] < before {
				from := slices.IndexFunc(kept, func(k int) bool { return a.steps[k] >= a.steps[row] })
				for _, k := range kept[max(from, 0):] {
					a.set(c, k, "")
					abandoned[k] = true
				}
				if from >= 0 {
					kept = kept[:from]
				}
			}
			before = a.steps[row]
			kept = append(kept, row)
		}
	}
	n := 0
	for row := range abandoned {
		empty := true
		for _, c := range a.columns {
			f := fold(c.heading)
			empty = empty && (c == a.step || slices.Contains(nameColumns, f) ||
				slices.Contains(idColumns, f) || a.cell(c, row) == "")
		}
		if empty {
			n++
			a.reasons[row] = "a restart of the run overwrote step " + a.step.cells.at(row)
		}
	}
	if n > 0 {
		a.told = append(a.told, fmt.Sprintf(
			"run %s was restarted: not used: %s of the abandoned attempt", a.runs[run], quantity.Of(n, "row")))
	}
}

// join puts two rows of a step together in the later one; contradicted is true when they say
// different things, and then the later one counts alone.
func (a *attempts) join(row, later int) (contradicted bool) {
	for _, c := range a.columns {
		x, y := a.cell(c, row), a.cell(c, later)
		if x != "" && y != "" && x != y && !clock(c) {
			contradicted = true
		}
	}
	at := "step " + a.step.cells.at(row)
	if contradicted {
		a.reasons[row] = "a later row of the run has " + at
		return true
	}
	for _, c := range a.columns {
		if x := a.cell(c, row); x != "" && a.cell(c, later) == "" {
			a.set(c, later, x)
		}
	}
	a.reasons[row] = "joined with the later row of " + at
	return false
}

// clock tells columns that differ between the entries of one step without contradicting each other.
func clock(c *column) bool {
	f := fold(c.head.name)
	return slices.ContainsFunc([]string{"time", "date", "wall", "epoch", "duration"},
		func(word string) bool { return strings.Contains(f, word) })
}

type facetGroup struct {
	value string
	rows  []int
	last  float64 // step
}

// notFacets are columns that differ between attempts of one run.
var notFacets = []string{"attempt", "restart", "restarts", "session", "pid", "host", "hostname", "job_id", "slurm_job_id"}

// facet returns the column whose values tell the rows of one step apart: within each of them steps
// only rise. Without one it is empty.
func (a *attempts) facet(rows []int) (string, []facetGroup) {
	for _, c := range a.columns {
		f := fold(c.head.name)
		if c == a.step || slices.Contains(notFacets, f) || clock(c) {
			continue
		}
		at := map[string]int{}
		var groups []facetGroup
		for _, row := range rows {
			v := c.cells.at(row)
			n, known := at[v]
			if !known {
				n = len(groups)
				at[v] = n
				groups = append(groups, facetGroup{value: v, last: math.Inf(-1)})
			}
			g := &groups[n]
			if v == "" || 2*len(groups) > len(rows) || !(a.steps[row] > g.last) {
				groups = nil
				break
			}
			g.rows, g.last = append(g.rows, row), a.steps[row]
		}
		if len(groups) < 2 {
			continue
		}
		return c.heading, groups
	}
	return "", nil
}

// replace writes the cells of a column anew.
func (c *column) replace(rows int, changed map[int]string) {
	var out cells
	for row := range rows {
		text, ok := changed[row]
		if !ok {
			text = c.cells.at(row)
		}
		if text != "" {
			out.set(row, text)
		}
	}
	c.cells, c.text, c.numbers = out, nil, nil
}
