package check

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Format is a way of writing a [Result].
type Format string

// The formats.
const (
	TextFormat    Format = "table"
	JSONFormat    Format = "json"
	JUnitFormat   Format = "junit"
	SARIFFormat   Format = "sarif"
	GitHubFormat  Format = "github"  // annotations in the log of a workflow
	SummaryFormat Format = "summary" // markdown for a job summary
	CommentFormat Format = "comment" // markdown for a comment, found again by its marker
)

// formats lists every format, the default first.
func formats() []Format {
	return []Format{
		TextFormat, JSONFormat, JUnitFormat, SARIFFormat, GitHubFormat, SummaryFormat,
		CommentFormat,
	}
}

// ParseFormat returns the named format, or an error that names all. Markdown is the summary.
func ParseFormat(name string) (Format, error) {
	f := Format(strings.ToLower(name))
	if f == "markdown" {
		return SummaryFormat, nil
	}
	if slices.Contains(formats(), f) {
		return f, nil
	}
	var valid []string
	for _, f := range formats() {
		valid = append(valid, string(f))
	}
	return "", fmt.Errorf("unknown format: %q; allowed: %s", name, strings.Join(valid, ", "))
}

// FormatOfFile returns the format that the name of a file ends in, and false with text where it ends in
// none.
func FormatOfFile(name string) (Format, bool) {
	f, ok := map[string]Format{
		".txt": TextFormat, ".json": JSONFormat, ".xml": JUnitFormat, ".sarif": SARIFFormat,
		".md": SummaryFormat,
	}[strings.ToLower(path.Ext(name))]
	return cmp.Or(f, TextFormat), ok
}

// About is what an output says besides findings.
type About struct {
	Version string // of the tool
	Rules   []Rule // that were applied
	Inputs  map[string]any
	Width   int  // columns that a table of text may have; 0 means any
	Color   bool // text is coloured
	Quiet   bool // text says what is broken and nothing else
	Verbose bool // text says every warning of a rule and the cost of every file, however many there are
	// InRepository returns how a file is called from the root of its repository, where the readers
	// of JUnit, SARIF and annotations look for it; nil leaves names as they are.
	InRepository func(file string) string
}

// Write writes the result in a format.
func (r *Result) Write(w io.Writer, f Format, a About) error {
	if a.InRepository != nil && slices.Contains([]Format{JUnitFormat, SARIFFormat, GitHubFormat}, f) {
		r = r.renamed(a.InRepository)
	}
	switch f {
	case JSONFormat:
		return r.writeJSON(w, a)
	case JUnitFormat:
		return r.writeJUnit(w)
	case SARIFFormat:
		return r.writeSARIF(w, a)
	case GitHubFormat:
		return r.writeGitHub(w)
	case SummaryFormat, CommentFormat:
		return r.writeMarkdown(w, f == CommentFormat)
	default:
		return r.writeText(w, a)
	}
}

// renamed returns the result with the files of its findings called otherwise.
func (r *Result) renamed(name func(string) string) *Result {
	out := *r
	out.Findings = slices.Clone(r.Findings)
	for i := range out.Findings {
		out.Findings[i].File = name(out.Findings[i].File)
	}
	return &out
}

// order is how badly a finding wants to be read.
var order = map[Status]int{InError: 0, Fail: 1, Warn: 2, Pass: 3}

// urgent returns the findings that are not passes, the worst first, and those that a waiver excuses.
func (r *Result) urgent() (broken, waived []Finding) {
	for _, f := range r.Findings {
		switch {
		case f.Status != Pass:
			broken = append(broken, f)
		case f.Waiver != nil:
			waived = append(waived, f)
		}
	}
	slices.SortStableFunc(broken, func(a, b Finding) int { return order[a.Status] - order[b.Status] })
	return broken, waived
}

// verdict sums the result up in a line.
func (r *Result) verdict() string {
	files := map[string]bool{}
	for _, f := range r.Findings {
		files[f.File] = true
	}
	_, waived := r.urgent()
	checked := "checked"
	if r.Since != "" {
		checked = "changed since " + r.Since + " checked"
	}
	parts := []string{quantity.Of(len(files), "file") + " " + checked}
	for _, s := range []struct {
		n    int
		word string
	}{
		{r.Count(InError), "in error"},
		{r.Count(Fail), "failed"},
		{r.Count(Warn), "warned"},
		{r.Count(Pass) - len(waived), "passed"},
		{len(waived), "waived"},
	} {
		if s.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", s.n, s.word))
		}
	}
	return strings.Join(parts, ", ")
}

// place is file:line:column as far as known.
func (f *Finding) place() string {
	if f.Line == 0 {
		return f.File
	}
	return fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
}
