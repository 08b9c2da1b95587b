package records

import "io"

// A browser has no files: the explorer, which links this package with the recommendations, goes
// without the readers of stores.

func (b *builder) parquetFile(name string, _ io.ReaderAt, _ int64) error {
	return &Error{File: name, Problem: "Parquet is not read in a browser"}
}

func (b *builder) sqliteFile(name string, _ io.ReaderAt, _ int64) error {
	return &Error{File: name, Problem: "SQLite is not read in a browser"}
}
