package records

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// maxLine is how long a line of a text file may be, and a record of CSV with the lines that quotes
// hold together.
const maxLine = 4 << 20

// lines reads a text line by line without holding more than one.
type lines struct {
	text *bufio.Reader
	line int // that was read last, from 1
	buf  []byte
	torn bool // the last line has no end
}

// next returns a line without its end; it is good until the next call. The error is io.EOF after
// the last, or names maxLine.
func (l *lines) next() ([]byte, error) {
	l.buf = l.buf[:0]
	l.line++
	for {
		piece, err := l.text.ReadSlice('\n')
		if err == nil && len(l.buf) == 0 {
			return trimmed(piece), nil
		}
		l.buf = append(l.buf, piece...)
		switch {
		case len(l.buf) > maxLine:
			return nil, fmt.Errorf("a line of more than %d MiB; allowed: at most that", maxLine>>20)
		case err == nil:
			return trimmed(l.buf), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(l.buf) > 0:
			l.torn = true
			return trimmed(l.buf), nil
		default:
			return nil, err
		}
	}
}

func trimmed(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

// separated reads the records of CSV or TSV as RFC 4180 has them, with blanks around cells and
// quotes inside unquoted ones let pass.
type separated struct {
	lines
	comma byte
	cells []string
}

// record returns the cells of a record and the line it begins at. They are good until the next
// call.
func (s *separated) record() (cells []string, line int, err error) {
	text, err := s.next()
	if err != nil {
		return nil, s.line, err
	}
	line = s.line
	s.cells = s.cells[:0]
	if bytes.IndexByte(text, '"') < 0 {
		whole := string(text)
		for {
			i := strings.IndexByte(whole, s.comma)
			if i < 0 {
				return append(s.cells, strings.TrimSpace(whole)), line, nil
			}
			s.cells = append(s.cells, strings.TrimSpace(whole[:i]))
			whole = whole[i+1:]
		}
	}
	record := append([]byte(nil), text...)
	for {
		cells, closed := s.split(record)
		if closed {
			return cells, line, nil
		}
		more, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil, line, errors.New("a quote is never closed")
		}
		if err != nil {
			return nil, s.line, err
		}
		record = append(append(record, '\n'), more...)
		if len(record) > maxLine {
			return nil, line, fmt.Errorf("a quoted cell of more than %d MiB; allowed: at most that",
				maxLine>>20)
		}
	}
}

// split takes a record with quotes apart; closed is false when it ends inside of one.
func (s *separated) split(record []byte) (cells []string, closed bool) {
	s.cells = s.cells[:0]
	for {
		record = bytes.TrimLeft(record, " ")
		if len(record) == 0 || record[0] != '"' {
			i := bytes.IndexByte(record, s.comma)
			if i < 0 {
				return append(s.cells, strings.TrimSpace(string(record))), true
			}
			s.cells = append(s.cells, strings.TrimSpace(string(record[:i])))
			record = record[i+1:]
			continue
		}
		var cell []byte
		record = record[1:]
		for {
			i := bytes.IndexByte(record, '"')
			if i < 0 {
				return nil, false
			}
			cell = append(cell, record[:i]...)
			record = record[i+1:]
			if len(record) == 0 || record[0] != '"' {
				break
			}
			cell = append(cell, '"')
			record = record[1:]
		}
		i := bytes.IndexByte(record, s.comma)
		if i < 0 {
			return append(s.cells, strings.TrimSpace(string(append(cell, record...)))), true
		}
		s.cells = append(s.cells, strings.TrimSpace(string(append(cell, record[:i]...))))
		record = record[i+1:]
	}
}

// separatedFile reads CSV or TSV. The separator of a file that is not named .tsv is the commonest of
// comma, semicolon and tab in its first line, or a bar where there is none of them, or what a line "sep=;" says. Lines before the heading
// that begin with # are comments.
func (b *builder) separatedFile(name string, text *bufio.Reader) error {
	text = unixLines(text)
	s := &separated{lines: lines{text: text}}
	for {
		start, _ := text.Peek(6)
		if len(start) > 5 && strings.EqualFold(string(start[:4]), "sep=") {
			line, err := s.next()
			if err != nil {
				return &Error{File: name, Line: s.line, Problem: err.Error()}
			}
			s.comma = line[4]
		} else if len(start) > 1 && start[0] == '#' && (start[1] == ' ' || start[1] == '#' || start[1] == '!') {
			if _, err := s.next(); err != nil {
				return &Error{File: name, Line: s.line, Problem: err.Error()}
			}
		} else {
			break
		}
	}
	if s.comma == 0 {
		s.comma = separator(text)
		if strings.HasSuffix(strings.ToLower(name), ".tsv") {
			s.comma = '\t'
		}
	}
	first, _, err := s.record()
	switch {
	case errors.Is(err, io.EOF):
		return &Error{File: name, Problem: "the file is empty; needed: a line of column names"}
	case err != nil:
		return &Error{File: name, Line: s.line, Problem: err.Error()}
	}
	b.commas.unsure = b.commas.unsure || s.comma == ';'
	head := make([]string, len(first))
	for i, h := range first {
		head[i] = strings.Clone(h)
	}
	if run := wandbChart(head); run != nil {
		return b.wandbRows(name, s, head, run)
	}
	if path.Base(name) == lightning && runOf(name) != name {
		b.begin(part{path: runOf(name)}, "CSV logs of Lightning")
	} else {
		b.begin(part{path: name, table: true}, "tables")
	}
	b.in(name)
	return b.tableRows(name, s, head)
}

// tableRows reads the records below a heading. Where every one has a cell more than the heading, the
// first is the name of the row, as R writes it.
func (b *builder) tableRows(name string, s *separated, head []string) error {
	var columns []*column
	for begun := false; ; {
		cells, line, err := s.record()
		if errors.Is(err, io.EOF) {
			break
		}
		if b.growing && s.torn {
			b.writing(name, s.line)
			break
		}
		if err != nil {
			return &Error{File: name, Line: line, Problem: err.Error()}
		}
		if len(cells) == 1 && cells[0] == "" && len(head) > 1 {
			continue
		}
		if !begun {
			begun = true
			switch n := len(head); {
			case len(cells) == n+1 && cells[n] == "", len(cells) == n-1 && head[n-1] == "":
				// a separator after the last cell: of the rows, or of the heading
				head = head[:min(n, len(cells))]
			case len(cells) == n+1:
				head = append([]string{"row"}, head...)
				b.warn("%s: the heading is one cell short: the first cell of a row is taken as its name, as R writes it",
					name)
			}
			columns = b.headings(name, head)
		}
		if len(cells) == len(columns)+1 && cells[len(columns)] == "" {
			cells = cells[:len(columns)]
		}
		if len(cells) != len(columns) {
			b.lose(name, line, "%d cells where the heading has %d", len(cells), len(columns))
			continue
		}
		b.row(line)
		for i, cell := range cells {
			if cell != "" {
				columns[i].cells.set(b.Len()-1, cell[:min(len(cell), maxCell)])
			}
		}
	}
	if columns == nil {
		b.headings(name, head)
	}
	return nil
}

// headings finds or adds a column for each cell of the first line. A name that comes twice would
// hide a column: the later ones are numbered.
func (b *builder) headings(name string, head []string) []*column {
	seen := map[string]int{}
	columns := make([]*column, len(head))
	for i, h := range head {
		if h == "" {
			h = fmt.Sprintf("column %d", i+1)
		}
		if seen[h]++; seen[h] > 1 {
			b.warn("%s: two columns are called %q; the later one reads as %q", name, h,
				fmt.Sprintf("%s #%d", h, seen[h]))
			h = fmt.Sprintf("%s #%d", h, seen[h])
		}
		columns[i] = b.column(h)
	}
	return columns
}

func separator(text *bufio.Reader) byte {
	const window = 1 << 15
	start, _ := text.Peek(window)
	line, _, _ := strings.Cut(string(start), "\n")
	best, most := byte(','), 0
	for _, c := range []byte{',', '\t', ';'} {
		if n := strings.Count(line, string(c)); n > most {
			best, most = c, n
		}
	}
	if most == 0 && strings.Contains(line, "|") {
		return '|'
	}
	return best
}

// lightning is what the CSV logger of Lightning calls its file: the run is the folder.
const lightning = "metrics.csv"

// writing notes a line that is still being written.
func (b *builder) writing(name string, line int) {
	b.warn("%s:%d: the last line is still being written; what came before is used", name, line)
}
