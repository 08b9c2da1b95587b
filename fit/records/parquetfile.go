//go:build !js

package records

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit/records/parquet"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// parquetFile reads a table in Parquet: a column a leaf, with dots between the names of groups.
// Lists, maps and binary values are left out, as are the index columns of pandas.
func (b *builder) parquetFile(name string, at io.ReaderAt, size int64) error {
	fail := func(err error) error {
		problem := "a damaged Parquet file: "
		if limit := (*parquet.LimitError)(nil); errors.As(err, &limit) {
			problem = "too large a Parquet file: "
		}
		return &Error{File: name, Problem: problem + err.Error()}
	}
	f, err := parquet.Open(at, size)
	if err != nil {
		return fail(err)
	}
	b.begin(part{path: name, table: true}, "tables")
	b.in(name)
	seen := map[string]int{}
	var left []string
	for i := range f.Columns {
		c := &f.Columns[i]
		for seen[c.Name]++; seen[c.Name] > 1; seen[c.Name]++ {
			c.Name += fmt.Sprintf(" #%d", seen[c.Name])
		}
		if c.Readable = c.Readable && !strings.HasPrefix(c.Name, "__index_level_"); !c.Readable && len(f.Rows) > 0 {
			left = append(left, c.Name)
		}
	}
	for group, n := range f.Rows {
		first := b.Len()
		for i := range n {
			b.row(first + i + 1)
		}
		for i := range f.Columns {
			heading := f.Columns[i].Name
			if !f.Columns[i].Readable {
				continue
			}
			c := b.column(heading)
			set := func(row int, text string) { c.cells.set(first+row, text) }
			if err := f.Read(group, i, set); err != nil {
				return fail(fmt.Errorf("column %s: %w", heading, err))
			}
		}
	}
	if len(left) > 0 {
		b.warn("%s: left out: %s of lists, times or indices: %s", name, quantity.Of(len(left), "column"),
			strings.Join(left[:min(len(left), 8)], ", "))
	}
	return nil
}
