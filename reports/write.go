package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/reports/markdown"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Report is one result, for programs and for people.
type Report struct {
	Document result.Document
	Preface  string   // markdown before the tables of a page; other formats leave it out
	Headline []string // the answer in a few lines, above the tables
	Tables   []Table
	// Rows are written as CSV in the place of the document's results where those only sum them up.
	Rows []any
}

// Format is a way of writing a [Report].
type Format string

const (
	TextFormat     Format = "table"
	MarkdownFormat Format = "markdown"
	CSVFormat      Format = "csv"
	JSONFormat     Format = "json"
)

// Formats lists every format, the default first.
func Formats() []Format {
	return []Format{TextFormat, MarkdownFormat, CSVFormat, JSONFormat}
}

// ParseFormat returns the named format, or an error that names all.
func ParseFormat(name string) (Format, error) {
	if f := Format(strings.ToLower(name)); slices.Contains(Formats(), f) {
		return f, nil
	}
	valid := make([]string, len(Formats()))
	for i, f := range Formats() {
		valid[i] = string(f)
	}
	return "", fmt.Errorf("unknown format: %q; allowed: %s", name, strings.Join(valid, ", "))
}

// Write writes the report. width is how many columns a text line may have; 0 means any. Tables that
// do not fit are written one field a line.
func (r *Report) Write(w io.Writer, f Format, width int) error {
	switch f {
	case JSONFormat:
		return r.Document.Write(w)
	case CSVFormat:
		document := r.Document
		if len(r.Rows) > 0 {
			document.Results = r.Rows
		}
		return writeCSV(w, &document)
	}
	if f == MarkdownFormat && r.Preface != "" {
		if _, err := fmt.Fprintln(w, r.Preface); err != nil {
			return err
		}
	}
	for _, line := range r.Headline {
		if line = plain.Line(line); f == MarkdownFormat {
			line = markdown.Escape(line) + "  "
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	for i := range r.Tables {
		if i > 0 || len(r.Headline) > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := r.Tables[i].write(w, f, width); err != nil {
			return err
		}
	}
	return nil
}
