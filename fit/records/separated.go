package records

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// readSeparated reads CSV or TSV. The separator of a file that is not named .tsv is the commonest
// of comma, semicolon and tab in its first line.
func readSeparated(name string, text *bufio.Reader, tabs bool) (*Table, error) {
	c := csv.NewReader(text)
	c.ReuseRecord, c.FieldsPerRecord, c.TrimLeadingSpace = true, -1, true
	c.Comma = separator(text)
	if tabs {
		c.Comma = '\t'
	}
	head, err := c.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &Error{
				File:    name,
				Problem: "the file is empty; want a line of column names",
			}
		}
		return nil, separatedError(name, err)
	}
	t := newTable(nil)
	headings(t, head)
	for {
		cells, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, separatedError(name, err)
		}
		line, _ := c.FieldPos(0)
		if len(cells) != len(t.columns) {
			if len(cells) == 1 && strings.TrimSpace(cells[0]) == "" {
				continue
			}
			t.Lost = append(t.Lost, Lost{
				Origin{name, line},
				fmt.Sprintf("%d cells where the heading has %d", len(cells), len(t.columns)),
			})
			continue
		}
		for i, cell := range cells {
			t.columns[i].text = append(t.columns[i].text, strings.TrimSpace(cell))
		}
		t.origins = append(t.origins, Origin{name, line})
	}
	return t, nil
}

// headings adds a column for each cell of the first line. A name that comes twice would hide a
// column: the later ones are numbered.
func headings(t *Table, head []string) {
	seen := map[string]int{}
	for i, h := range head {
		h = strings.Clone(strings.TrimSpace(h))
		if h == "" {
			h = fmt.Sprintf("column %d", i+1)
		}
		if seen[h]++; seen[h] > 1 {
			t.Warnings = append(t.Warnings, fmt.Sprintf(
				"two columns are called %q; the later one reads as %q", h,
				fmt.Sprintf("%s #%d", h, seen[h])))
			h = fmt.Sprintf("%s #%d", h, seen[h])
		}
		t.add(h)
	}
}

func separator(text *bufio.Reader) rune {
	const window = 1 << 15
	start, _ := text.Peek(window)
	line, _, _ := strings.Cut(string(start), "\n")
	best, most := ',', 0
	for _, c := range []rune{',', '\t', ';'} {
		if n := strings.Count(line, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

func separatedError(name string, err error) error {
	var at *csv.ParseError
	if errors.As(err, &at) {
		return &Error{File: name, Line: at.Line, Problem: fmt.Sprintf("column %d: %v", at.Column,
			at.Err)}
	}
	return fmt.Errorf("%s: %w", name, err)
}
