// Package parquet reads tables in Parquet as columns of texts. Pages may be plain, snappy, gzip, zstd,
// Brotli or LZ4, in version 1 or 2, with every encoding of numbers and texts that pandas, polars,
// DuckDB and Spark write. Files are hostile until read: nothing is allocated on the word of a length,
// and every fault is an error.
//
// Source: parquet-format/src/main/thrift/parquet.thrift and Encodings.md.
package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// maxRows is how many rows a file may claim.
	maxRows = 16 << 20
	// maxPage is how large a page, or the description of the file, may be.
	maxPage = 128 << 20
	// maxExpanded is how many bytes all pages and values may have once they are read: a value that
	// repeats takes next to nothing in the file.
	maxExpanded = 512 << 20

	maxColumns = 4096
	maxNesting = 32      // of groups in groups
	maxText    = 1 << 16 // bytes of a text that is a value
)

// Numbers of parquet.thrift.
const (
	boolean = iota
	int32s
	int64s
	int96s
	floats
	doubles
	byteArray
	fixedBytes
)

// Column is a leaf of the tree of columns.
type Column struct {
	Name     string // with dots between the names of groups
	Readable bool   // it holds one value a row: not a list or a map, nor times in the old form

	kind     int64
	length   int // of fixed values, in bytes
	decimal  bool
	scale    int // of decimals
	unsigned bool
	maxDeep  int
}

// File is the description of a Parquet file.
type File struct {
	Columns []Column
	Rows    []int // of each group

	at     io.ReaderAt
	size   int64
	chunks [][]thrift // of each group, one a column
	left   int64      // of maxExpanded
}

// LimitError says that a sound file is larger than this package reads.
type LimitError struct{ problem string }

func (e *LimitError) Error() string { return e.problem }

// Open reads the description of a file of a size, which stands at its end.
func Open(at io.ReaderAt, size int64) (*File, error) {
	const foot = 8 // the length of the description, and PAR1
	var tail [foot]byte
	if size < 2*foot {
		return nil, fmt.Errorf("it ends after %d bytes", size)
	}
	if _, err := at.ReadAt(tail[:], size-foot); err != nil || string(tail[4:]) != "PAR1" {
		return nil, errors.New("it does not end in PAR1")
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if length > size-foot || length > maxPage {
		return nil, fmt.Errorf("its description is said to have %d bytes; allowed: at most %d", length,
			maxPage)
	}
	text := make([]byte, length)
	if _, err := at.ReadAt(text, size-foot-length); err != nil {
		return nil, err
	}
	meta, _, err := readThrift(text)
	if err != nil {
		return nil, err
	}
	f := &File{at: at, size: size, left: maxExpanded}
	if f.Columns, err = columnsOf(meta.at(2).list); err != nil {
		return nil, err
	}
	all := int64(0)
	for _, group := range meta.at(4).list {
		n, chunks := group.int(3), group.at(1).list
		if all += n; n < 0 || n > maxRows || all > maxRows {
			return nil, &LimitError{fmt.Sprintf("%d rows; allowed: at most %d", max(n, all), maxRows)}
		}
		if len(chunks) != len(f.Columns) {
			return nil, fmt.Errorf("%d columns where the schema has %d", len(chunks), len(f.Columns))
		}
		f.Rows, f.chunks = append(f.Rows, int(n)), append(f.chunks, chunks)
	}
	return f, nil
}

// Read visits the values of a readable column in a group of rows that are there, as texts, with
// their rows counted from 0 in the group. Binary values are left out.
func (f *File) Read(group, column int, visit func(row int, text string)) error {
	r := chunk{of: &f.Columns[column], visit: visit, end: f.Rows[group], left: &f.left}
	return r.read(f.at, f.size, f.chunks[group][column])
}

// columnsOf flattens the schema, which is a tree in depth-first order.
func columnsOf(schema []thrift) (out []Column, err error) {
	if len(schema) == 0 || len(schema) > 8*maxColumns {
		return nil, fmt.Errorf("%d elements in the schema; allowed: 1 to %d", len(schema), 8*maxColumns)
	}
	next := 1
	var walk func(children int64, path []string, repeat, deep int) error
	walk = func(children int64, path []string, repeat, deep int) error {
		if len(path) > maxNesting {
			return errors.New("groups in groups without an end")
		}
		for range children {
			if next >= len(schema) {
				return errors.New("the schema ends early")
			}
			e := schema[next]
			next++
			repeat, deep := repeat, deep
			switch e.int(3) {
			case 1:
				deep++
			case 2:
				repeat, deep = repeat+1, deep+1
			}
			full := append(path[:len(path):len(path)], e.text(4))
			if e.has(5) && e.int(5) > 0 {
				if err := walk(e.int(5), full, repeat, deep); err != nil {
					return err
				}
				continue
			}
			leaf := Column{
				Name: strings.ToValidUTF8(strings.Join(full, "."), "?"), kind: e.int(1), length: int(e.int(2)),
				maxDeep: deep, Readable: repeat == 0 && e.int(1) != int96s,
			}
			const decimalType, uint8Type, uint64Type = 5, 11, 14
			converted := e.int(6)
			leaf.unsigned = e.has(6) && converted >= uint8Type && converted <= uint64Type
			if logical := e.at(10); logical.has(decimalType) {
				leaf.decimal, leaf.scale = true, int(logical.at(decimalType).int(1))
			} else if e.has(6) && converted == decimalType {
				leaf.decimal, leaf.scale = true, int(e.int(7))
			} else if integer := logical.at(10); logical.has(10) {
				leaf.unsigned = integer.int(2) == 0
			}
			if leaf.kind == fixedBytes && (leaf.length <= 0 || leaf.length > maxText) {
				return fmt.Errorf("values of %d bytes", leaf.length)
			}
			if out = append(out, leaf); len(out) > maxColumns {
				return fmt.Errorf("more than %d columns; allowed: at most that", maxColumns)
			}
		}
		return nil
	}
	return out, walk(schema[0].int(5), nil, 0, 0)
}

// chunk reads the pages of a column of a row group.
type chunk struct {
	of         *Column
	visit      func(row int, text string)
	row, end   int
	dictionary []string
	codec      int64
	left       *int64 // of maxExpanded
}

// take counts bytes of pages or values.
func (c *chunk) take(bytes int64) error {
	if *c.left -= bytes; *c.left < 0 {
		return &LimitError{fmt.Sprintf("values that expand to more than %d MiB; allowed: at most that", maxExpanded>>20)}
	}
	return nil
}

func (c *chunk) read(at io.ReaderAt, size int64, chunk thrift) error {
	meta := chunk.at(3)
	if chunk.has(1) {
		return errors.New("its values are in another file")
	}
	start, length := meta.int(9), meta.int(7)
	if d := meta.int(11); meta.has(11) && d > 0 && d < start {
		start = d
	}
	if start < 0 || length < 0 || start > size || length > size-start {
		return errors.New("its pages lie outside the file")
	}
	c.codec = meta.int(4)
	in := io.NewSectionReader(at, start, length)
	head := make([]byte, 0, 1<<14)
	for c.row < c.end {
		place, _ := in.Seek(0, io.SeekCurrent)
		if place >= length {
			return fmt.Errorf("%d values are missing", c.end-c.row)
		}
		n, err := in.ReadAt(head[:min(int64(cap(head)), length-place)], place)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		page, rest, err := readThrift(head[:n])
		if err != nil && int64(n) < length-place && cap(head) < maxPage {
			head = make([]byte, 0, 8*cap(head)) // statistics of long texts
			continue
		}
		if err != nil {
			return err
		}
		stored, full := page.int(3), page.int(2)
		if stored < 0 || full < 0 || stored > length || full > maxPage {
			return fmt.Errorf("a page of %d bytes; allowed: at most %d", max(stored, full), maxPage)
		}
		if _, err := in.Seek(place+int64(n-len(rest)), io.SeekStart); err != nil {
			return err
		}
		body := make([]byte, stored)
		if _, err := io.ReadFull(in, body); err != nil {
			return fmt.Errorf("a page is cut off: %w", err)
		}
		if err := c.take(full); err != nil {
			return err
		}
		if err := c.page(page, body, int(full)); err != nil {
			return err
		}
	}
	return nil
}

// page reads one page: a dictionary, or values.
func (c *chunk) page(page thrift, body []byte, full int) error {
	const data, dictionary, dataV2 = 0, 2, 3
	switch page.int(1) {
	case dictionary:
		body, err := inflated(c.codec, body, full)
		if err != nil {
			return err
		}
		n := page.at(7).int(1)
		if n < 0 || n > int64(8*len(body)) {
			return fmt.Errorf("a dictionary of %d values in %d bytes", n, len(body))
		}
		c.dictionary, err = c.of.plain(body, int(n))
		return err
	case data:
		body, err := inflated(c.codec, body, full)
		if err != nil {
			return err
		}
		head := page.at(5)
		var levels []byte
		if c.of.maxDeep > 0 {
			if len(body) < 4 {
				return errShort
			}
			n := binary.LittleEndian.Uint32(body)
			if uint64(n) > uint64(len(body)-4) {
				return errShort
			}
			levels, body = body[4:4+n], body[4+n:]
		}
		return c.values(head.int(1), head.int(2), levels, body)
	case dataV2:
		head := page.at(8)
		repeat, deep := head.int(6), head.int(5)
		if repeat < 0 || deep < 0 || repeat+deep > int64(len(body)) {
			return errShort
		}
		levels := body[repeat : repeat+deep]
		body = body[repeat+deep:]
		if !head.has(7) || head.int(7) == 1 {
			var err error
			if body, err = inflated(c.codec, body, full-int(repeat+deep)); err != nil {
				return err
			}
		}
		return c.values(head.int(1), head.int(4), levels, body)
	}
	return nil // an index
}

var errShort = errors.New("a page ends early")

// values writes the n values of a page into cells: those whose level says that they are there.
func (c *chunk) values(n, encoding int64, levels, body []byte) error {
	if n < 0 || n > int64(c.end-c.row) {
		return fmt.Errorf("%d values where %d rows are left", n, c.end-c.row)
	}
	present := int(n)
	var there []uint64
	if c.of.maxDeep > 0 {
		width := 0
		for 1<<width <= c.of.maxDeep {
			width++
		}
		var err error
		if there, err = hybrid(levels, width, int(n)); err != nil {
			return err
		}
		present = 0
		for _, d := range there {
			if d == uint64(c.of.maxDeep) {
				present++
			}
		}
	}
	texts, err := c.of.decode(encoding, body, present, c.dictionary)
	if err != nil {
		return err
	}
	k := 0
	for i := range int(n) {
		if there == nil || there[i] == uint64(c.of.maxDeep) {
			if texts[k] != "" {
				if err := c.take(int64(len(texts[k]) + 4)); err != nil { // and where it ends
					return err
				}
				c.visit(c.row, texts[k])
			}
			k++
		}
		c.row++
	}
	return nil
}

// scaled divides a whole number by a power of ten, in its exponent, so that it is rounded once.
func scaled(whole string, scale int) string {
	if scale == 0 {
		return whole
	}
	return whole + "e" + strconv.Itoa(-scale)
}

// text is a text as a cell: none where it is binary or too long; a decimal number of any size.
func (l *Column) text(b []byte) string {
	const most = 64 // bytes of a decimal number
	if l.decimal && len(b) <= most {
		v := new(big.Int).SetBytes(b)
		if len(b) > 0 && b[0] >= 0x80 {
			v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
		return scaled(v.String(), l.scale)
	}
	if len(b) > maxText || !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return ""
	}
	return string(b)
}
