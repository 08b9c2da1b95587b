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

// View is how much of a report text shows, and how. The default is the headline and the columns that
// fit [tableWidth].
type View struct {
	Width   int  // columns of the screen; 0 = a pipe: lines of words of any length, and tables that lose no cell
	Wide    bool // all columns
	Details bool // all tables and notes
	Quiet   bool // the result only, not what else there is to see
	Color   bool
}

// tableWidth is how wide a table of the default view may be, and a line of prose of any.
const tableWidth = 100

// columns is how wide a table may be before it loses columns; 0 = any.
func (v View) columns() int {
	switch {
	case v.Wide:
		return 0
	case v.Width == 0:
		return tableWidth
	}
	return min(v.Width, tableWidth)
}

// lines is how wide a line of a table may be, words broken; 0 = any.
func (v View) lines() int {
	if v.Wide {
		return v.Width
	}
	return v.columns()
}

// prose is how wide a line of words may be; 0 = any.
func (v View) prose() int { return min(v.Width, tableWidth) }

// more names the flags that show what the view leaves out, empty where it shows everything.
func (v View) more() string {
	var flags []string
	if v.Wide {
		flags = append(flags, "--wide")
	}
	if v.Details {
		flags = append(flags, "--details")
	}
	if len(flags) == 0 {
		return ""
	}
	return "more: " + strings.Join(append(flags, "--format json"), ", ")
}

// style is how a terminal with colours shows a text: the parameter of its escape sequence.
type style string

const (
	bold  style = "1"
	red   style = "31"
	green style = "32"

	styleEnd = "\x1b[0m"
)

// Alarm paints what needs attention.
func (v View) Alarm(text string) string { return v.paint(text, red) }

// paint gives a text its style, line by line; texts are free of control characters by then.
func (v View) paint(text string, s style) string {
	if !v.Color || s == "" || text == "" {
		return text
	}
	on := "\x1b[" + string(s) + "m"
	return on + strings.ReplaceAll(text, "\n", styleEnd+"\n"+on) + styleEnd
}
