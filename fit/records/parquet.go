//go:build !js

package records

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"unicode/utf8"
)

const (
	// maxRows is how many rows a Parquet file may claim.
	maxRows = 50 << 20
	// maxPage is how large a page, or the description of the file, may be.
	maxPage = 128 << 20
)

// Numbers of parquet.thrift.
const (
	parquetBoolean = iota
	parquetInt32
	parquetInt64
	parquetInt96
	parquetFloat
	parquetDouble
	parquetBytes
	parquetFixed
)

// parquetLeaf is a column of a Parquet file.
type parquetLeaf struct {
	heading            string
	kind               int64
	length             int // of fixed values, in bytes
	decimal            bool
	scale              int // of decimals
	unsigned           bool
	maxRepeat, maxDeep int
}

// parquetFile reads a table in Parquet: a column a leaf, with dots between the names of groups.
// Lists, maps and binary values are left out, as are the index columns of pandas. Pages may be plain,
// snappy, gzip or zstd, in version 1 or 2, with every encoding of numbers and texts that pandas,
// polars, DuckDB and Spark write.
//
// Source: parquet-format/src/main/thrift/parquet.thrift and Encodings.md.
func (b *builder) parquetFile(name string, at io.ReaderAt, size int64) error {
	fail := func(format string, args ...any) error {
		return &Error{File: name, Problem: "a damaged Parquet file: " + fmt.Sprintf(format, args...)}
	}
	const foot = 8 // the length of the description, and PAR1
	var tail [foot]byte
	if size < 2*foot {
		return fail("it ends after %d bytes", size)
	}
	if _, err := at.ReadAt(tail[:], size-foot); err != nil || string(tail[4:]) != "PAR1" {
		return fail("it does not end in PAR1")
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if length > size-foot || length > maxPage {
		return fail("its description is said to have %d bytes; allowed: at most %d", length, maxPage)
	}
	text := make([]byte, length)
	if _, err := at.ReadAt(text, size-foot-length); err != nil {
		return fail("%v", err)
	}
	meta, _, err := readThrift(text)
	if err != nil {
		return fail("%v", err)
	}
	leaves, err := parquetLeaves(meta.at(2).list)
	if err != nil {
		return fail("%v", err)
	}
	b.begin(part{path: name, table: true}, "tables")
	b.in(name)
	seen := map[string]int{}
	for i := range leaves {
		leaf := &leaves[i]
		for seen[leaf.heading]++; seen[leaf.heading] > 1; seen[leaf.heading]++ {
			leaf.heading += fmt.Sprintf(" #%d", seen[leaf.heading])
		}
	}
	left := map[string]bool{}
	for _, group := range meta.at(4).list {
		first, n, chunks := b.Len(), group.int(3), group.at(1).list
		if n < 0 || int64(first)+n > maxRows {
			return fail("%d rows; allowed: at most %d", int64(first)+n, maxRows)
		}
		if len(chunks) != len(leaves) {
			return fail("%d columns where the schema has %d", len(chunks), len(leaves))
		}
		for i := range n {
			b.row(first + int(i) + 1)
		}
		for i := range leaves {
			leaf := &leaves[i]
			if leaf.maxRepeat > 0 || leaf.kind == parquetInt96 || strings.HasPrefix(leaf.heading, "__index_level_") {
				left[leaf.heading] = true
				continue
			}
			c := b.at[leaf.heading]
			if c == nil {
				c = b.add(leaf.heading)
				b.at[leaf.heading] = c
			}
			r := parquetChunk{leaf: leaf, to: &c.cells, row: first, end: first + int(n)}
			if err := r.read(at, size, chunks[i]); err != nil {
				return fail("column %s: %v", leaf.heading, err)
			}
		}
	}
	if len(left) > 0 {
		var some []string
		for i := range leaves {
			if left[leaves[i].heading] && len(some) < 8 {
				some = append(some, leaves[i].heading)
			}
		}
		b.warn("%s: %d columns of lists, times or indices are left out: %s", name, len(left),
			strings.Join(some, ", "))
	}
	return nil
}

// parquetLeaves flattens the schema, which is a tree in depth-first order.
func parquetLeaves(schema []thrift) (out []parquetLeaf, err error) {
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
			leaf := parquetLeaf{
				heading: strings.ToValidUTF8(strings.Join(full, "."), "?"), kind: e.int(1), length: int(e.int(2)),
				maxRepeat: repeat, maxDeep: deep,
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
			if leaf.kind == parquetFixed && (leaf.length <= 0 || leaf.length > maxCell) {
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

// parquetChunk reads the pages of a column of a row group.
type parquetChunk struct {
	leaf       *parquetLeaf
	to         *cells
	row, end   int
	dictionary []string
	codec      int64
}

func (c *parquetChunk) read(at io.ReaderAt, size int64, chunk thrift) error {
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
		if err := c.page(page, body, int(full)); err != nil {
			return err
		}
	}
	return nil
}

// page reads one page: a dictionary, or values.
func (c *parquetChunk) page(page thrift, body []byte, full int) error {
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
		c.dictionary, err = c.leaf.plain(body, int(n))
		return err
	case data:
		body, err := inflated(c.codec, body, full)
		if err != nil {
			return err
		}
		head := page.at(5)
		var levels []byte
		if c.leaf.maxDeep > 0 {
			if len(body) < 4 {
				return errParquet
			}
			n := binary.LittleEndian.Uint32(body)
			if uint64(n) > uint64(len(body)-4) {
				return errParquet
			}
			levels, body = body[4:4+n], body[4+n:]
		}
		return c.values(head.int(1), head.int(2), levels, body)
	case dataV2:
		head := page.at(8)
		repeat, deep := head.int(6), head.int(5)
		if repeat < 0 || deep < 0 || repeat+deep > int64(len(body)) {
			return errParquet
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

var errParquet = errors.New("a page ends early")

// values writes the n values of a page into cells: those whose level says that they are there.
func (c *parquetChunk) values(n, encoding int64, levels, body []byte) error {
	if n < 0 || n > int64(c.end-c.row) {
		return fmt.Errorf("%d values where %d rows are left", n, c.end-c.row)
	}
	present := int(n)
	var there []uint64
	if c.leaf.maxDeep > 0 {
		width := 0
		for 1<<width <= c.leaf.maxDeep {
			width++
		}
		var err error
		if there, err = hybrid(levels, width, int(n)); err != nil {
			return err
		}
		present = 0
		for _, d := range there {
			if d == uint64(c.leaf.maxDeep) {
				present++
			}
		}
	}
	texts, err := c.leaf.decode(encoding, body, present, c.dictionary)
	if err != nil {
		return err
	}
	k := 0
	for i := range int(n) {
		if there == nil || there[i] == uint64(c.leaf.maxDeep) {
			if texts[k] != "" {
				c.to.set(c.row, texts[k])
			}
			k++
		}
		c.row++
	}
	return nil
}

// text is a text as a cell: none where it is binary or too long; a decimal number of any size.
func (l *parquetLeaf) text(b []byte) string {
	const most = 64 // bytes of a decimal number
	if l.decimal && len(b) <= most {
		v := new(big.Int).SetBytes(b)
		if len(b) > 0 && b[0] >= 0x80 {
			v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
		}
		text, _ := shifted(v.String(), -l.scale)
		return text
	}
	if len(b) > maxCell || !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return ""
	}
	return string(b)
}
