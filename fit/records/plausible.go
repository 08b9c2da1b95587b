package records

import (
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// ImplausibleError is a question: amounts that no training run has, most likely a unit that the
// heading does not say.
type ImplausibleError struct {
	Column, Heading string
	Problem         string
}

func (e *ImplausibleError) Error() string {
	return e.Problem + fmt.Sprintf("; is there a unit? --map %s='%s [M]' reads millions, [1] the numbers as they are",
		e.Column, e.Heading)
}

// limits are what half of the rows of any table of runs lie between: a model of a thousand
// parameters and a run of a thousand tokens teach nothing of a language, and 1e15 parameters or 1e18
// tokens are a hundred times what anybody has trained.
var limits = map[string]struct{ low, high float64 }{
	"params": {1e3, 1e15}, "non_embedding_params": {1e2, 1e15},
	"tokens": {1e3, 1e18}, "unique_tokens": {1e3, 1e18}, "flops": {1e7, 1e32},
}

// Implausible returns a question about the named columns whose amounts no training run has in most
// of the rows: sizes of a unit that was not read, a budget of one FLOP, 1e-9 tokens a parameter. A
// column whose unit is stated is not asked about. nil when all is usual, or nothing is known.
func (t *Table) Implausible(rows []int, names ...string) error {
	medians := map[string]float64{}
	for _, name := range names {
		limit, known := limits[fold(name)]
		if !known {
			continue
		}
		m, stated := t.median(rows, name)
		if math.IsNaN(m) || stated {
			continue
		}
		medians[fold(name)] = m
		if m < limit.low || m > limit.high {
			c, err := t.find(name)
			if err != nil {
				continue // derived from others
			}
			kind := kindOf(name)
			return &ImplausibleError{name, c.heading, fmt.Sprintf(
				"half of the rows have %s of at most %s in column %s: no run is like that", name,
				quantity.Format(kind, m, 3), c.heading)}
		}
	}
	n, d := medians["params"], medians["tokens"]
	if ratio := d / n; n > 0 && d > 0 && (ratio < 1e-4 || ratio > 1e8) {
		c, err := t.find("tokens")
		if err != nil {
			return nil
		}
		return &ImplausibleError{"tokens", c.heading, fmt.Sprintf(
			"half of the rows have %.2g tokens a parameter: no run is like that", ratio)}
	}
	return nil
}

// median returns the median of a column over rows, NaN without numbers, and whether its unit is
// stated.
func (t *Table) median(rows []int, name string) (m float64, stated bool) {
	n, err := t.Numbers(name)
	if err != nil {
		return math.NaN(), false
	}
	var values []float64
	for _, row := range rows {
		if v := n.Values[row]; v > 0 {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return math.NaN(), false
	}
	c, err := t.find(name)
	slices.Sort(values)
	return values[len(values)/2], err == nil && c.head.stated
}

// Mixed returns a warning where the recorded FLOPs of most rows are not of the order of 6·params·
// tokens; empty when they are, or one of the three is not recorded.
func (t *Table) Mixed(rows []int) string {
	var cols [3]*Numbers
	for i, name := range []string{"flops", "params", "tokens"} {
		if cols[i] = t.recorded(name); cols[i] == nil {
			return ""
		}
	}
	var ratios []float64
	for _, row := range rows {
		if r := cols[0].Values[row] / (6 * cols[1].Values[row] * cols[2].Values[row]); r > 0 && !math.IsInf(r, 0) {
			ratios = append(ratios, r)
		}
	}
	if len(ratios) == 0 {
		return ""
	}
	slices.Sort(ratios)
	if r := ratios[len(ratios)/2]; r < 1.0/30 || r > 30 {
		return fmt.Sprintf("half of the rows have FLOPs of %.2g times 6·params·tokens: is a unit missing in one of the three?", r)
	}
	return ""
}
