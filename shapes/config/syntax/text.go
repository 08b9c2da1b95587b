package syntax

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sort"
	"unicode/utf8"
)

// Limits on what is read. A shape is a page of text; the largest legitimate config.json (a label
// table) stays under a megabyte.
const (
	MaxTextBytes = 16 << 20
	MaxGinBytes  = 1 << 20
	MaxYAMLBytes = 64 << 10 // the YAML parser recurses with the nesting of its input
)

// Text is a decoded file and the places of its lines.
type Text struct {
	File  string
	Bytes []byte
	lines []int // offset at which each line starts

	lastOffset int      // of the last position asked for, so that walking through
	last       Position // a file of one long line takes linear time
}

// at returns the position of a byte offset.
func (t *Text) at(offset int) Position {
	offset = max(0, min(offset, len(t.Bytes)))
	line := sort.SearchInts(t.lines, offset+1) - 1
	start, column := t.lines[line], 1
	if t.last.Line == line+1 && t.lastOffset <= offset {
		start, column = t.lastOffset, t.last.Column
	}
	t.lastOffset = offset
	t.last = Position{File: t.File, Line: line + 1, Column: column +
		utf8.RuneCount(t.Bytes[start:offset])}
	return t.last
}

// fail returns an error of one fault at a byte offset.
func (t *Text) fail(offset int, problem, value, allowed string) error {
	return t.at(offset).Fail(problem, value, allowed)
}

// FileError returns an error of one fault that concerns the whole file.
func FileError(file, problem, value, allowed string) error {
	return Position{File: file}.Fail(problem, value, allowed)
}

// ReadError says why a file could not be read.
func ReadError(file string, err error) error {
	return &Error{Faults: []Fault{{
		Position: Position{File: file}, Problem: "cannot be read", Value: Reason(err), Err: err,
	}}}
}

// Reason returns what went wrong with a file without repeating its path.
func Reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// ReadText returns the text of at most limit bytes, as [DecodeText] has it; a longer input is an error
// and is not read further.
func ReadText(file string, r io.Reader, limit int) (*Text, error) {
	raw, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, ReadError(file, err)
	}
	if len(raw) > limit {
		return nil, FileError(file, "is too large", "", fmt.Sprintf("at most %d bytes", limit))
	}
	return DecodeText(file, raw)
}

// DecodeText turns a file's bytes into text with plain line ends. A byte-order mark of UTF-8 is
// dropped; UTF-16, UTF-32 and all else that is not UTF-8 is an error.
func DecodeText(file string, raw []byte) (*Text, error) {
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe, 0, 0}) ||
		bytes.HasPrefix(raw, []byte{0, 0, 0xfe, 0xff}):
		return nil, FileError(file, "is encoded as UTF-32", "", "UTF-8")
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}) || bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		return nil, FileError(file, "is encoded as UTF-16", "", "UTF-8")
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	// the YAML parser counts lines wrong with both
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	t := NewText(file, raw)
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, FileError(file, "is empty", "", "")
	}
	if i := bytes.IndexByte(raw, 0); i >= 0 {
		return nil, t.fail(i, "a zero byte in a text file", "", "UTF-8 text")
	}
	if i := invalidUTF8(raw); i >= 0 {
		return nil, t.fail(i, "is not UTF-8", fmt.Sprintf("byte 0x%02x", raw[i]), "UTF-8")
	}
	return t, nil
}

// NewText returns a text that is decoded already.
func NewText(file string, raw []byte) *Text {
	t := &Text{File: file, Bytes: raw, lines: []int{0}}
	for i, c := range raw {
		if c == '\n' {
			t.lines = append(t.lines, i+1)
		}
	}
	return t
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or −1.
func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
