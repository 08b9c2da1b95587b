package records

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Selection says which rows of a table are used, in order, and why others are not.
type Selection struct {
	Rows  []int
	Drops []Drop
}

// Drop is a row that is not used.
type Drop struct {
	Row    int
	Reason string
}

// All selects every row.
func (t *Table) All() Selection {
	s := Selection{Rows: make([]int, t.Len())}
	for i := range s.Rows {
		s.Rows[i] = i
	}
	return s
}

// Keep drops the rows for which reason is not empty.
func (s *Selection) Keep(reason func(row int) string) {
	kept := make([]int, 0, len(s.Rows))
	for _, row := range s.Rows {
		if why := reason(row); why != "" {
			s.Drops = append(s.Drops, Drop{row, why})
			continue
		}
		kept = append(kept, row)
	}
	s.Rows = kept
}

// Where drops the rows that fail a condition. The error is a [*ColumnError].
func (s *Selection) Where(t *Table, w Where) error {
	if len(w) == 0 {
		return nil
	}
	reason, err := w.failure(t)
	if err != nil {
		return err
	}
	s.Keep(reason)
	return nil
}

// Matching returns the selected rows that meet the conditions, and the others. The error is a
// [*ColumnError].
func (s *Selection) Matching(t *Table, w Where) (rows, others []int, err error) {
	reason, err := w.failure(t)
	if err != nil {
		return nil, nil, err
	}
	for _, row := range s.Rows {
		if reason(row) == "" {
			rows = append(rows, row)
		} else {
			others = append(others, row)
		}
	}
	return rows, others, nil
}

// DropHighest drops the n rows with the highest values of a column; of equal ones the later. Rows
// without a value stay. The error is a [*ColumnError].
func (s *Selection) DropHighest(t *Table, column string, n int) error {
	values, err := t.Numbers(column)
	if err != nil || n <= 0 {
		return err
	}
	order := make([]int, 0, len(s.Rows))
	for _, row := range s.Rows {
		if !math.IsNaN(values.Values[row]) {
			order = append(order, row)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values.Values[a], values.Values[b]) })
	highest := map[int]bool{}
	for _, row := range order[max(len(order)-n, 0):] {
		highest[row] = true
	}
	why := fmt.Sprintf("among the %d highest of %s", n, column)
	s.Keep(func(row int) string {
		if highest[row] {
			return why
		}
		return ""
	})
	return nil
}

// LastOfRun keeps the row with the largest step of each run, and of rows without steps the last.
// The error is a [*ColumnError].
func (s *Selection) LastOfRun(t *Table, run string) error {
	names, err := t.Text(run)
	if err != nil {
		return err
	}
	step := func(int) float64 { return 0 }
	if steps, err := t.Numbers("step"); err == nil {
		step = func(row int) float64 { return steps.Values[row] }
	}
	last := map[string]int{}
	for _, row := range s.Rows {
		if best, ok := last[names[row]]; !ok || !(step(row) < step(best)) {
			last[names[row]] = row
		}
	}
	s.Keep(func(row int) string {
		if last[names[row]] != row {
			return "not the last row of its run"
		}
		return ""
	})
	return nil
}
