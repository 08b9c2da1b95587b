package fit

import (
	"cmp"
	"math"
	"slices"
)

// origins are the shares of runs that laws are fitted to when they are validated.
func origins() []float64 { return []float64{0.5, 0.7, 0.9} }

// averageFold is one fold, with the number of runs held out.
type averageFold struct {
	fitted, scored []int
	units          int
}

// folds returns what is fitted and held out, and the number of units: groups, runs or rows.
func (s *AverageSettings) folds(d Data) ([]averageFold, int) {
	by := s.Group
	if by == nil {
		by = d.unitOf()
	}
	rows := map[int][]int{}
	top := map[int]float64{} // the largest order in the unit
	var units []int
	for i, u := range by {
		if rows[u] == nil {
			units = append(units, u)
		}
		rows[u] = append(rows[u], i)
		top[u] = max(top[u], s.Order[i])
	}
	slices.SortStableFunc(units, func(a, b int) int { return cmp.Compare(top[a], top[b]) })
	gather := func(units []int) (out []int) {
		for _, u := range units {
			out = append(out, rows[u]...)
		}
		return out
	}
	var folds []averageFold
	add := func(fitted, scored []int) {
		f := averageFold{gather(fitted), gather(scored), len(scored)}
		if len(f.fitted) >= leastFitted && len(f.scored) > 0 {
			folds = append(folds, f)
		}
	}
	if s.Group != nil {
		for k := range units {
			add(slices.Concat(units[:k], units[k+1:]), units[k:k+1])
		}
		return folds, len(units)
	}
	last := 0
	for _, share := range origins() {
		k := min(int(math.Round(share*float64(len(units)))), len(units)-1)
		if k > last {
			add(units[:k], units[k:])
			last = k
		}
	}
	return folds, len(units)
}

// unitOf numbers what is held out whole: the run of each row, or the row.
func (d Data) unitOf() []int {
	if d.Run != nil {
		return d.Run
	}
	out := make([]int, d.Len())
	for i := range out {
		out[i] = i
	}
	return out
}

// MostValidated is how many rows laws are validated on at most, evenly taken: they have six
// parameters.
const MostValidated = 500

// thinned returns n rows, evenly taken, with the order and the group of each.
func (d Data) thinned(n int, order []float64, group []int) (Data, []float64, []int) {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i * d.Len() / n
	}
	if order != nil {
		order = pick(order, rows)
	}
	if group != nil {
		group = pick(group, rows)
	}
	return d.Select(rows), order, group
}
