//go:build !js

package records

import (
	"fmt"
	"io"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit/records/parquet"
)

// parquetFile reads a table in Parquet: a column a leaf, with dots between the names of groups.
// Lists, maps and binary values are left out, as are the index columns of pandas.
func (b *builder) parquetFile(name string, at io.ReaderAt, size int64) error {
	fail := func(format string, args ...any) error {
		return &Error{File: name, Problem: "a damaged Parquet file: " + fmt.Sprintf(format, args...)}
	}
	f, err := parquet.Open(at, size)
	if err != nil {
		return fail("%v", err)
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
		if first+n > parquet.MaxRows {
			return fail("%d rows; allowed: at most %d", first+n, parquet.MaxRows)
		}
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
				return fail("column %s: %v", heading, err)
			}
		}
	}
	if len(left) > 0 {
		b.warn("%s: %d columns of lists, times or indices are left out: %s", name, len(left),
			strings.Join(left[:min(len(left), 8)], ", "))
	}
	return nil
}
