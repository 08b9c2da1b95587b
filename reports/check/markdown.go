package check

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/markdown"
)

// Marker is the first line of a comment. The one who posts it finds the comment of the last push by
// this line and replaces it.
const Marker = "<!-- deepnarrow-check -->"

// mostRows keeps a comment under the 65,536 characters that code hosts take.
const mostRows = 50

// writeMarkdown writes a job summary, or a comment for a pull request.
func (r *Result) writeMarkdown(w io.Writer, comment bool) error {
	var b strings.Builder
	if comment {
		b.WriteString(Marker + "\n")
	}
	broken, waived := r.urgent()
	heading := "passed"
	switch {
	case r.Count(InError) > 0:
		heading = "could not be completed"
	case r.Count(Fail) > 0:
		heading = "failed"
	case r.Count(Warn) > 0:
		heading = "passed with warnings"
	}
	fmt.Fprintf(&b, "### Model configurations: check %s\n\n%s.\n", heading,
		markdown.Escape(r.verdict()))
	if len(broken) > 0 {
		b.WriteString("\n| status | where | rule | what |\n|---|---|---|---|\n")
	}
	for i, f := range broken {
		if i == mostRows {
			fmt.Fprintf(&b, "\n%d more.\n", len(broken)-mostRows)
			break
		}
		what := markdown.Escape(f.Message)
		if f.Hint != "" {
			what += "<br>Hint: " + markdown.Escape(f.Hint)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.Status, markdown.Escape(f.place()),
			markdown.Escape(f.Rule), what)
	}
	if len(waived) > 0 {
		b.WriteString("\nWaived:\n\n")
	}
	for i, f := range waived {
		if i == mostRows {
			fmt.Fprintf(&b, "- %d more\n", len(waived)-mostRows)
			break
		}
		fmt.Fprintf(&b, "- %s, %s, until %s: %s\n", markdown.Escape(f.place()),
			markdown.Escape(f.Rule), f.Waiver.Expires.Format(time.DateOnly),
			markdown.Escape(f.Waiver.Reason))
	}
	if len(r.Costs)+len(r.Removed) > 0 {
		t := r.costTable()
		if len(r.Removed) > 0 {
			t.Notes = append(t.Notes, "Removed: "+strings.Join(r.Removed[:min(mostRows, len(r.Removed))], ", ")+".")
		}
		if more := len(t.Rows) - mostRows; more > 0 {
			t.Rows = t.Rows[:mostRows]
			t.Notes = append(t.Notes, fmt.Sprintf("%d more files.", more))
		}
		summary, open := "What they cost", ""
		if r.Since != "" {
			summary, open = "What they cost, and the change since "+markdown.Escape(r.Since), " open"
		}
		fmt.Fprintf(&b, "\n<details%s><summary>%s</summary>\n\n", open, summary)
		costs := reports.Report{Tables: []reports.Table{t}}
		if err := costs.Write(&b, reports.MarkdownFormat, reports.View{}); err != nil {
			return err
		}
		b.WriteString("\n</details>\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
