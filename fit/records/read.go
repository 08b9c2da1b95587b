package records

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"path"
	"strings"
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

// Read returns the runs of one file. The format is chosen by the name, and by the first character
// where the name says nothing: .csv, .tsv, .jsonl, .ndjson, .json (trainer_state.json or a list of
// objects), and names that contain "tfevents". Folders are read by [ReadFolder]. The error is an
// [*Error] or the reader's.
func Read(name string, r io.Reader) (*Table, error) {
	base := strings.ToLower(path.Base(name))
	if strings.Contains(base, "tfevents") {
		return readEvents(name, r)
	}
	for _, ext := range []string{".parquet", ".sqlite", ".sqlite3", ".db"} {
		if strings.HasSuffix(base, ext) {
			return nil, &Error{File: name, Problem: strings.TrimPrefix(ext, ".") +
				" files are not read; export the runs as CSV or JSON lines"}
		}
	}
	text := decoded(r)
	if first := firstCharacter(text); first == '{' || first == '[' {
		return readJSON(name, text, first)
	}
	t, err := readSeparated(name, text, strings.HasSuffix(base, ".tsv"))
	if err != nil {
		return nil, err
	}
	return meltWandb(t), nil
}

// firstCharacter returns the first byte that is no blank, 0 at the end. Files that begin with more
// blanks than the buffer holds read as CSV.
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
