package records

import (
	"fmt"
	"slices"
	"strings"
)

// JoinRuns puts the columns of a table of runs beside the rows of those runs: what a table says once
// of a run (its parameters, its shape) and a log of its curve does not. A run is found by its label
// or key, or by the one folder in its path that the table names; a column that the log has too reads
// as table.name. Runs without a row in the table, and rows without a run, are told. The error says
// which row of the table could be of several runs, or which run has several rows.
func (t *Table) JoinRuns(of *Table, file string) error {
	if t.runOf == nil {
		return fmt.Errorf("the records do not say which run a row belongs to; --run-key names columns that do")
	}
	rowOf := map[string]int{}
	keys := [][]string{}
	for _, name := range []string{"run", "run_id", "run_name", "id", "name", "model"} {
		if c, err := of.find(name); err == nil {
			cells := make([]string, of.Len())
			for row := range cells {
				cells[row] = c.cells.at(row)
			}
			keys = append(keys, cells)
		}
	}
	if len(keys) == 0 {
		return fmt.Errorf("%s: no column run, run_id, run_name, id, name or model says which run a row is of",
			file)
	}
	for row := range of.Len() {
		for _, cells := range keys {
			if k := cells[row]; k != "" {
				if before, twice := rowOf[k]; twice && before != row {
					rowOf[k] = -1
				} else if !twice {
					rowOf[k] = row
				}
			}
		}
	}
	rowsOfRun, used, err := t.matchRuns(of, file, rowOf)
	if err != nil {
		return err
	}
	for _, c := range of.columns {
		if slices.Contains(nameColumns, fold(c.heading)) || slices.Contains(idColumns, fold(c.heading)) {
			continue
		}
		heading := c.heading
		if slices.ContainsFunc(t.columns, func(have *column) bool { return fold(have.heading) == fold(heading) }) {
			heading = "table." + heading
		}
		to := t.add(heading)
		to.head.unit, to.head.pow10, to.head.stated = c.head.unit, c.head.pow10, c.head.stated
		for row, run := range t.runOf {
			if run >= 0 && rowsOfRun[run] >= 0 {
				if text := c.cells.at(rowsOfRun[run]); text != "" {
					to.cells.set(row, text)
				}
			}
		}
	}
	if left := of.Len() - len(used); left > 0 {
		t.Warnings = append(t.Warnings, fmt.Sprintf("%s: %d of %d rows are of runs that the records lack",
			file, left, of.Len()))
	}
	return nil
}

// matchRuns finds the row of each run, −1 where the table has none.
func (t *Table) matchRuns(of *Table, file string, rowOf map[string]int) (rows []int, used map[int]bool, err error) {
	rows, used = make([]int, len(t.runs)), map[int]bool{}
	parts := make([]*part, len(t.runs))
	for row, run := range t.runOf {
		if run >= 0 {
			parts[run] = &t.parts[t.rows[row].part]
		}
	}
	alive := 0
	var missing []string
	for run, label := range t.runs {
		rows[run] = -1
		if parts[run] == nil {
			continue
		}
		alive++
		words := []string{label, parts[run].id, parts[run].name}
		if !parts[run].table {
			words = append(words, parts[run].path)
		}
		words = append(words, strings.Split(label, "/")...)
		for _, w := range words {
			row, known := rowOf[w]
			if w == "" || !known {
				continue
			}
			if row < 0 {
				return nil, nil, fmt.Errorf("%s: several rows are called %s; allowed: one row a run", file, w)
			}
			rows[run] = row
			break
		}
		if rows[run] < 0 {
			missing = append(missing, label)
			continue
		}
		if used[rows[run]] {
			return nil, nil, fmt.Errorf("%s: its row at %s is of several runs, among them %s; name each run in a column run",
				file, of.Origin(rows[run]), label)
		}
		used[rows[run]] = true
	}
	if len(used) == 0 {
		return nil, nil, fmt.Errorf("%s: no row is of a run in the records; their runs are called %s", file,
			strings.Join(t.runs[:min(len(t.runs), 8)], ", "))
	}
	if len(missing) > 0 {
		t.Warnings = append(t.Warnings, fmt.Sprintf("%s: no row for %d of %d runs, the first %s", file,
			len(missing), alive, missing[0]))
	}
	return rows, used, nil
}
