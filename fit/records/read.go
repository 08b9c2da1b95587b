package records

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Error says where and why a file cannot be read.
type Error struct {
	File    string
	Line    int // 0 when it is about the whole file
	Problem string
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
	}
	return fmt.Sprintf("%s: %s", e.File, e.Problem)
}

// Input is a file or a folder to read.
type Input struct {
	Name   string
	Open   func() (io.ReadCloser, error) // of a file
	Folder fs.FS                         // of a folder
}

// Options say how records are read. The zero value is what a user gets who names nothing.
type Options struct {
	// RunKey is what tells runs apart: "" decides by what the log has, "path", "id", "name",
	// "experiment", or columns with commas between.
	RunKey string
	// Progress is called after each file with how many were read so far, and how many are known of;
	// nil for nobody.
	Progress func(files, of int)
	// Growing says that a run may still be writing: of a text file whose last line has no end, that
	// line is left to the next reading unless it is a whole JSON value.
	Growing bool
	// Times puts the clock of a TensorBoard or MLflow value beside it, as wall_time in seconds since
	// 1970.
	Times bool
}

// ReadAll returns the runs of files and folders under the union of their columns, with the runs told
// apart, copies and the abandoned ends of restarted runs taken out. Everything that is not used is in
// Lost or Warnings. The error is an [*Error], a [*ColumnError] about the run key, or the reader's.
//
// The format of a file is chosen by its content, and by its name where that says more: CSV and TSV,
// JSON (lines, a list, a trainer_state.json, columns), event files of TensorBoard (names that contain
// "tfevents"), Parquet, SQLite stores of MLflow, and any of these compressed by gzip.
func ReadAll(inputs []Input, o Options) (*Table, error) {
	b := newBuilder()
	b.known, b.growing, b.times = len(inputs), o.Growing, o.Times
	progress := func() {
		if b.opened++; o.Progress != nil {
			o.Progress(b.opened, max(b.known, b.opened))
		}
	}
	for _, in := range inputs {
		if in.Folder != nil {
			if err := b.folder(in.Name, in.Folder, progress); err != nil {
				return nil, err
			}
			continue
		}
		r, err := in.Open()
		if err != nil {
			return nil, err
		}
		before := b.Len()
		err = b.fileOf(in.Name, r)
		_ = r.Close()
		if err != nil {
			return nil, err
		}
		progress()
		if run := b.events[runOf(in.Name)]; b.Len() == before && run != nil {
			if f := run.files[len(run.files)-1]; f.name == in.Name && f.scalars == 0 && len(inputs) == 1 {
				return nil, &Error{File: in.Name, Problem: "no scalars in the event file"}
			}
		}
	}
	if err := b.eventRows(); err != nil {
		return nil, err
	}
	if err := b.settle(o.RunKey); err != nil {
		return nil, err
	}
	return b.Table, nil
}

// What a compressed file may expand to: a multiple of its own size, between a least and a most,
// with its rows and cells as they lie in a table.
const (
	expansion     = 20
	leastExpanded = 256 << 20
	maxExpanded   = 1 << 30
)

// fileOf reads a file of any format.
func (b *builder) fileOf(name string, r io.Reader) error {
	name = path.Clean(strings.ReplaceAll(name, "\\", "/"))
	start := make([]byte, 16)
	n, err := io.ReadFull(r, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	start = start[:n]
	whole := io.MultiReader(bytes.NewReader(start), r)
	if bytes.HasPrefix(start, []byte{0x1f, 0x8b}) {
		packed := &countingReader{from: whole}
		z, err := gzip.NewReader(packed)
		if err != nil {
			return &Error{File: name, Problem: err.Error()}
		}
		limited := &limitedReader{from: z, packed: packed}
		return inFile(name, b.fileOf(strings.TrimSuffix(name, ".gz"), limited))
	}
	switch {
	case strings.Contains(strings.ToLower(path.Base(name)), "tfevents"):
		return b.eventsFile(name, whole)
	case bytes.HasPrefix(start, []byte("PAR1")), bytes.HasPrefix(start, []byte("SQLite format 3")):
		at, size, err := readerAt(name, start, r)
		if err != nil {
			return err
		}
		if start[0] == 'P' {
			return b.parquetFile(name, at, size)
		}
		return b.sqliteFile(name, at, size)
	case bytes.HasPrefix(start, []byte("PK\x03\x04")):
		return &Error{File: name, Problem: "a zip file or spreadsheet is not read; export the runs as CSV or Parquet"}
	}
	text := decoded(whole)
	if first := firstCharacter(text); first == '{' || first == '[' {
		return b.jsonFile(name, text, first)
	}
	return b.separatedFile(name, text)
}

// inFile names the file of an error that names none, such as that of a damaged or too large stream.
func inFile(name string, err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &Error{File: name, Problem: err.Error()}
}

// limitedReader ends what expands too far.
type limitedReader struct {
	from   io.Reader
	packed *countingReader
	size   int64 // as a table
}

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.from.Read(p)
	cells, rows := 0, bytes.Count(p[:n], []byte{'\n'})
	for _, between := range []byte(",;\t") {
		cells += bytes.Count(p[:n], []byte{between})
	}
	l.size += int64(n + 4*cells + 16*rows)
	if most := min(maxExpanded, max(leastExpanded, expansion*l.packed.size)); l.size > most {
		return n, fmt.Errorf("it expands to a table of more than %d MiB; allowed: at most that, or the file without its compression",
			most>>20)
	}
	return n, err
}

type countingReader struct {
	from io.Reader
	size int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.size += int64(n)
	return n, err
}

// readerAt gives access to any place of a file: the file itself, or its bytes where it is a stream.
func readerAt(name string, start []byte, r io.Reader) (io.ReaderAt, int64, error) {
	if f, ok := r.(interface {
		io.ReaderAt
		Stat() (os.FileInfo, error)
	}); ok {
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return f, info.Size(), nil
		}
	}
	rest, err := io.ReadAll(io.LimitReader(r, maxExpanded))
	if err == nil && len(rest) == maxExpanded {
		err = &Error{File: name, Problem: fmt.Sprintf(
			"more than %d MiB in a stream; allowed: at most that", maxExpanded>>20)}
	}
	all := append(start[:len(start):len(start)], rest...)
	return bytes.NewReader(all), int64(len(all)), err
}

// firstCharacter returns the first byte that is not a blank, 0 at the end. Files that begin with
// more blanks than the buffer holds read as CSV.
func firstCharacter(b *bufio.Reader) byte {
	for n := 1; ; n++ {
		start, err := b.Peek(n)
		if err != nil {
			return 0
		}
		if rest := bytes.TrimLeft(start, " \t\r\n"); len(rest) > 0 {
			return rest[0]
		}
	}
}

// decoded returns the text of r as UTF-8: a byte order mark is obeyed and dropped; without one, a
// zero byte among the first two says UTF-16.
func decoded(r io.Reader) *bufio.Reader {
	const window = 1 << 16
	b := bufio.NewReaderSize(r, window)
	start, _ := b.Peek(3)
	var encoding transform.Transformer
	switch {
	case bytes.HasPrefix(start, []byte{0xEF, 0xBB, 0xBF}):
		_, _ = b.Discard(3)
		return b
	case bytes.HasPrefix(start, []byte{0xFF, 0xFE}), bytes.HasPrefix(start, []byte{0xFE, 0xFF}):
		encoding = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()
	case len(start) >= 2 && start[0] != 0 && start[1] == 0:
		encoding = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()
	case len(start) >= 2 && start[0] == 0 && start[1] != 0:
		encoding = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder()
	default:
		return b
	}
	return bufio.NewReaderSize(transform.NewReader(b, encoding), window)
}

// unixLines returns text whose lines end in a carriage return alone, all or some of them as tools of
// old Macs and pasted consoles leave them, with every end as a line feed. Other text is returned as
// it is.
func unixLines(text *bufio.Reader) *bufio.Reader {
	start, _ := text.Peek(text.Size())
	line, _, _ := bytes.Cut(start, []byte("\n"))
	if bytes.IndexByte(bytes.TrimSuffix(line, []byte("\r")), '\r') < 0 {
		return text
	}
	return bufio.NewReaderSize(&carriages{from: text}, text.Size())
}

// carriages turns carriage returns into line feeds, and those with a line feed behind into one.
type carriages struct {
	from  io.Reader
	after bool // the last byte was a carriage return
}

func (c *carriages) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	kept := p[:0]
	for _, b := range p[:n] {
		second := c.after && b == '\n'
		if c.after = b == '\r'; c.after {
			b = '\n'
		}
		if !second {
			kept = append(kept, b)
		}
	}
	return len(kept), err
}
