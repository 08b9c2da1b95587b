package fit

import (
	"fmt"
	"math"
)

// Data holds rows of recorded runs by column. All slices have one length.
type Data struct {
	// Columns maps the name of a predictor to its values.
	Columns map[string][]float64
	// Y is the observed response (loss, or score for a link).
	Y []float64
	// Weight multiplies each row's penalty; nil means 1.
	Weight []float64
	// Run numbers the run a row belongs to: the unit that a cluster bootstrap draws. Nil means that
	// every row is its own run.
	Run []int
}

// Len returns the number of rows.
func (d Data) Len() int { return len(d.Y) }

// Select returns the given rows, in the given order.
func (d Data) Select(rows []int) Data {
	out := Data{Columns: make(map[string][]float64, len(d.Columns))}
	for name, c := range d.Columns {
		out.Columns[name] = pick(c, rows)
	}
	out.Y = pick(d.Y, rows)
	if d.Weight != nil {
		out.Weight = pick(d.Weight, rows)
	}
	if d.Run != nil {
		out.Run = pick(d.Run, rows)
	}
	return out
}

func pick[T any](s []T, rows []int) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = s[r]
	}
	return out
}

// Drop is one row that cannot enter a fit.
type Drop struct {
	Row    int
	Reason string
}

// Clean returns the rows that law and objective can use and lists the others with the reason: a
// missing or infinite number, a predictor that is not positive, a response that is not positive
// where its logarithm is needed. It returns a *missingColumnError when a column of the law is
// absent.
func Clean(law Law, d Data, obj Objective) (Data, []Drop, error) {
	if err := d.check(law); err != nil {
		return Data{}, nil, err
	}
	var drops []Drop
	keep := make([]int, 0, d.Len())
	for i := range d.Y {
		if reason := d.fault(&law, obj, i); reason != "" {
			drops = append(drops, Drop{i, reason})
			continue
		}
		keep = append(keep, i)
	}
	if len(drops) == 0 {
		return d, nil, nil
	}
	return d.Select(keep), drops, nil
}

// missingColumnError reports a column that a law reads and the data lack, or whose length differs
// from the response's.
type missingColumnError struct {
	Law, Column string
	Rows, Want  int
}

func (e *missingColumnError) Error() string {
	if e.Rows == 0 {
		return fmt.Sprintf("law %s reads column %q, which the data lack", e.Law, e.Column)
	}
	return fmt.Sprintf("column %q has %d rows; the response has %d", e.Column, e.Rows, e.Want)
}

func (d Data) check(law Law) error {
	for _, name := range law.Columns {
		if c := d.Columns[name]; c == nil || len(c) != len(d.Y) {
			return &missingColumnError{Law: law.Name, Column: name, Rows: len(c), Want: len(d.Y)}
		}
	}
	if d.Weight != nil && len(d.Weight) != len(d.Y) {
		return &missingColumnError{
			Law: law.Name, Column: "weight", Rows: len(d.Weight),
			Want: len(d.Y),
		}
	}
	if d.Run != nil && len(d.Run) != len(d.Y) {
		return &missingColumnError{Law: law.Name, Column: "run", Rows: len(d.Run), Want: len(d.Y)}
	}
	return nil
}

// fault returns why row i cannot be used, or "".
func (d Data) fault(law *Law, obj Objective, i int) string {
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	y := d.Y[i]
	if !finite(y) {
		return fmt.Sprintf("%s is %v", law.Response, y)
	}
	if y <= 0 && (!obj.raw || law.Response == "loss") {
		return fmt.Sprintf("%s is %v; allowed: a positive number", law.Response, y)
	}
	for _, name := range law.Columns {
		v := d.Columns[name][i]
		if !finite(v) {
			return fmt.Sprintf("%s is %v", name, v)
		}
		if v <= 0 && law.Response == "loss" {
			return fmt.Sprintf("%s is %v; allowed: a positive number", name, v)
		}
	}
	if d.Weight != nil {
		if w := d.Weight[i]; !finite(w) || w < 0 {
			return fmt.Sprintf("weight is %v; allowed: a number that is not negative", w)
		}
	}
	return ""
}

// distinctRows counts rows that differ in something the law reads, by a 64-bit hash of their
// numbers.
func (d Data) distinctRows(law *Law) int {
	seen := make(map[uint64]struct{}, d.Len())
	for i, y := range d.Y {
		state := math.Float64bits(y)
		h := splitmix64(&state)
		for _, name := range law.Columns {
			state = h ^ math.Float64bits(d.Columns[name][i])
			h = splitmix64(&state)
		}
		seen[h] = struct{}{}
	}
	return len(seen)
}
