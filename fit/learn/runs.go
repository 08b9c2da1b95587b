package learn

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
)

// Runs is a table of recorded runs and the rows of it that count.
type Runs struct {
	*records.Table
	records.Selection
	// Group is the column of the run that a row belongs to: runs are resampled whole.
	Group string
	// Part is the value of each column that the runs were parted by; nil for the whole table.
	Part map[string]string
}

// Selection says which rows of a table count, and by what names its columns go.
type Selection struct {
	Map         [][2]string // our name of a column, its name in the file
	Where       records.Where
	Last        bool // the last step of each run only
	DropHighest int  // how many rows with the highest response are left out
	Group       string
}

// Of names the columns of a table and selects rows. Response is the column whose highest values
// DropHighest means. The error is a [*records.ColumnError], a [*records.AmbiguousError], or that of a
// unit.
func (s *Selection) Of(response string, table *records.Table) (*Runs, error) {
	out := &Runs{Table: table, Group: s.Group}
	for _, pair := range s.Map {
		if err := out.Map(pair[0], pair[1]); err != nil {
			return nil, err
		}
	}
	out.Selection = out.All()
	if err := out.Where(out.Table, s.Where); err != nil {
		return nil, err
	}
	if s.Last {
		if err := out.LastOfRun(out.Table, s.Group); err != nil {
			return nil, err
		}
	}
	if s.DropHighest > 0 {
		if err := out.Selection.DropHighest(out.Table, response, s.DropHighest); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Notices are the warnings about the files, and the records that never became a row.
func (r *Runs) Notices() []string {
	return append(slices.Clone(r.Table.Warnings), r.lost()...)
}

// Unused accounts for the rows that the selection dropped and the records that are not rows.
func (r *Runs) Unused() Rows {
	out := r.rows(len(r.Selection.Rows), r.Drops)
	for _, l := range r.Lost {
		out.Drops = append(out.Drops, Drop{l.Origin.String(), l.Reason})
	}
	return out
}

// lost tells the records that are not rows: each reason once, with its first record.
func (r *Runs) lost() (out []string) {
	count, first := map[string]int{}, map[string]records.Lost{}
	var order []string
	for _, l := range r.Lost {
		reason, _, _ := strings.Cut(l.Reason, ": \"")
		if count[reason]++; count[reason] == 1 {
			first[reason] = l
			order = append(order, reason)
		}
	}
	for _, reason := range order {
		if n := count[reason]; n > 1 {
			out = append(out, fmt.Sprintf("%s and %d more: dropped: %s", first[reason].Origin, n-1,
				first[reason].Reason))
		} else {
			out = append(out, fmt.Sprintf("%s: dropped: %s", first[reason].Origin, first[reason].Reason))
		}
	}
	return out
}

// Drop is a row that was not used.
type Drop struct {
	Row    string // file and line
	Reason string
}

// Rows says which rows an answer rests on.
type Rows struct {
	Part    map[string]string // as in [Runs]
	Used    int
	Drops   []Drop
	Derived []records.Derivation // columns that no file has
}

// rows accounts for the rows of an answer.
func (r *Runs) rows(used int, drops []records.Drop) Rows {
	out := Rows{Part: r.Part, Used: used, Derived: r.Derived()}
	for _, d := range drops {
		out.Drops = append(out.Drops, Drop{r.Origin(d.Row).String(), d.Reason})
	}
	return out
}

// columns are the columns of numbers that a question reads.
type columns struct {
	*Runs
	names   []string
	numbers map[string]*records.Numbers
	runOf   []string // the run of each row; nil without a column of runs
}

// columns reads columns of numbers; the error is a [*records.ColumnError] or that of a unit.
func (r *Runs) columns(names ...string) (*columns, error) {
	c := &columns{Runs: r, names: names, numbers: map[string]*records.Numbers{}}
	for _, name := range names {
		n, err := r.Numbers(name)
		if err != nil {
			return nil, err
		}
		c.numbers[name] = n
	}
	if err := r.Implausible(r.Rows, names...); err != nil {
		return nil, err
	}
	if mixed := r.Mixed(r.Rows); mixed != "" && !slices.Contains(r.Table.Warnings, mixed) {
		r.Table.Warnings = append(r.Table.Warnings, mixed)
	}
	c.runOf, _ = r.Text(r.Group)
	return c, nil
}

func (c *columns) at(name string, row int) float64 { return c.numbers[name].Values[row] }

func (c *columns) of(name string, rows []int) []float64 {
	return pick(c.numbers[name].Values, rows)
}

// absent says which number a row lacks, "" when it has all.
func (c *columns) absent(row int) string {
	for _, name := range c.names {
		if math.IsNaN(c.at(name, row)) {
			return name + ": " + c.numbers[name].Fault(row)
		}
	}
	return ""
}

// keepPositive drops the rows without a positive number in every column.
func (c *columns) keepPositive() {
	c.Keep(func(row int) string {
		for _, name := range c.names {
			switch v := c.at(name, row); {
			case math.IsNaN(v):
				return name + ": " + c.numbers[name].Fault(row)
			case v <= 0:
				return name + " is not positive"
			}
		}
		return ""
	})
}

// data returns rows as a fit of y to the columns x reads them, with the run of each.
func (c *columns) data(rows []int, x []string, y string) fit.Data {
	d := c.numbersOf(rows, x, y)
	if c.runOf != nil {
		d.Run = numbered(pick(c.runOf, rows))
	}
	return d
}

// numbersOf is data without the runs.
func (c *columns) numbersOf(rows []int, x []string, y string) fit.Data {
	d := fit.Data{Columns: map[string][]float64{}, Y: c.of(y, rows)}
	for _, name := range x {
		d.Columns[name] = c.of(name, rows)
	}
	return d
}

func pick[T any](values []T, rows []int) []T {
	out := make([]T, len(rows))
	for i, row := range rows {
		out[i] = values[row]
	}
	return out
}

// numbered numbers runs by name; a row without a name is a run of its own, and so is every row when
// there is only one run.
func numbered(names []string) []int {
	keys := slices.Clone(names)
	for i, n := range names {
		if n == "" {
			keys[i] = fmt.Sprintf("\x00%d", i)
		}
	}
	out := renumbered(keys)
	if len(out) > 0 && slices.Max(out) == 0 {
		return nil
	}
	return out
}
