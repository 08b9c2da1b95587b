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
	Headline []string // the answer in at most five lines: the number, the verdict, what to do next
	Tables   []Table
	// Rows are written as CSV instead of the document's results where those only sum them up.
	Rows []any
}

// show adds the tables that have rows.
func (r *Report) show(tables ...Table) {
	for _, t := range tables {
		if len(t.Rows) > 0 {
			r.Tables = append(r.Tables, t)
		}
	}
}

// Format is a way of writing a [Report].
type Format string

const (
	TextFormat     Format = "table"
	MarkdownFormat Format = "markdown"
	CSVFormat      Format = "csv"
	JSONFormat     Format = "json"
	LaTeXFormat    Format = "latex" // the tables, for booktabs
)

// Formats lists every format, the default first.
func Formats() []Format {
	return []Format{TextFormat, MarkdownFormat, CSVFormat, JSONFormat, LaTeXFormat}
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

// Write writes the report. Text and markdown are the headline, then the tables; text ends with what
// else there is to see.
func (r *Report) Write(w io.Writer, f Format, v View) error {
	switch f {
	case JSONFormat:
		return r.Document.Write(w)
	case CSVFormat:
		document := r.Document
		if len(r.Rows) > 0 {
			document.Results = r.Rows
		}
		return writeCSV(w, &document)
	case LaTeXFormat:
		for i := range r.Tables {
			if t := &r.Tables[i]; v.Details || !t.Detail {
				if err := t.writeLaTeX(w); err != nil {
					return err
				}
			}
		}
		return nil
	}
	var parts []string
	if f == MarkdownFormat && r.Preface != "" {
		parts = append(parts, strings.TrimSuffix(r.Preface, "\n"))
	}
	if len(r.Headline) > 0 {
		parts = append(parts, headlineText(r.Headline, f, v))
	}
	var more View // what the view leaves out
	for i := range r.Tables {
		if r.Tables[i].Detail && !v.Details {
			more.Details = true
			continue
		}
		text, left, err := r.Tables[i].write(f, v)
		if err != nil {
			return err
		}
		more.Wide, more.Details = more.Wide || left.Wide, more.Details || left.Details
		parts = append(parts, strings.Trim(text, "\n"))
	}
	if line := more.more(); f == TextFormat && line != "" && !v.Quiet {
		parts = append(parts, Wrap(line, v.prose()))
	}
	_, err := io.WriteString(w, strings.Join(parts, "\n\n")+"\n")
	return err
}

func headlineText(lines []string, f Format, v View) string {
	out := make([]string, len(lines))
	for i, line := range lines {
		switch line = plain.Line(line); {
		case f == MarkdownFormat:
			out[i] = markdown.Escape(line)
		case i == 0:
			out[i] = v.paint(Wrap(line, v.prose()), bold)
		default:
			out[i] = Wrap(line, v.prose())
		}
	}
	if f == MarkdownFormat {
		return strings.Join(out, "  \n")
	}
	return strings.Join(out, "\n")
}
