package frame

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/figure"
	"github.com/deepnarrow/deepnarrow/reports/page"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// outputFlags say where a result goes and how it looks.
type outputFlags struct {
	Format  string
	file    string
	wide    bool
	details bool
}

func (o *outputFlags) Register(c *cobra.Command) {
	o.RegisterFormat(c)
	c.Flags().StringVarP(&o.file, "output", "o", "",
		"write the result to this `file`; its ending is the format (.txt .md .csv .json .html .tex .xlsx)")
	Writes(c, AFile, "output")
}

// RegisterFormat leaves -o to a command that writes a file of another kind.
func (o *outputFlags) RegisterFormat(c *cobra.Command) {
	c.Flags().StringVarP(&o.Format, "format", "f", "", "table, markdown, csv, json, latex, html or xlsx (default table)")
	c.Flags().BoolVar(&o.wide, "wide", false, "show all columns")
	c.Flags().BoolVar(&o.details, "details", false, "show what the answer is made of and rests on")
}

// OfOutput says whether a flag says how a result is shown, not what it is.
func OfOutput(flag string) bool {
	return slices.Contains([]string{"format", "output", "wide", "details", "quiet", "verbose", "color"}, flag)
}

// Chosen is the format asked for or, when none is, the one that the output file's name ends in.
func (o *outputFlags) Chosen() (reports.Format, error) {
	if o.Format == "" {
		return formatOfFile(o.file)
	}
	if f := reports.Format(strings.ToLower(o.Format)); f == HtmlFormat || f == xlsxFormat {
		return f, nil
	}
	format, err := reports.ParseFormat(o.Format)
	if err != nil {
		return format, Usage("", "--format: %w, %s, %s", err, HtmlFormat, xlsxFormat)
	}
	return format, nil
}

// endings are the names of files that say their format.
var endings = []struct {
	ending string
	format reports.Format
}{
	{".txt", reports.TextFormat},
	{".md", reports.MarkdownFormat},
	{".csv", reports.CSVFormat},
	{".json", reports.JSONFormat},
	{".html", HtmlFormat},
	{".tex", reports.LaTeXFormat},
	{".xlsx", xlsxFormat},
}

// IsDevice tells devices and descriptors, whose names say nothing.
func IsDevice(name string) bool {
	return strings.HasPrefix(name, "/dev/") || strings.HasPrefix(name, "/proc/")
}

// formatOfFile is the format that the name of a file ends in. Devices and descriptors have no ending.
func formatOfFile(name string) (reports.Format, error) {
	ending := strings.ToLower(filepath.Ext(name))
	var known []string
	for _, e := range endings {
		if ending == e.ending {
			return e.format, nil
		}
		known = append(known, e.ending)
	}
	if name == "" || IsDevice(name) {
		return reports.TextFormat, nil
	}
	hint := "--format names the format whatever the ending is"
	if ending == ".png" || ending == ".svg" || ending == ".pdf" {
		hint = "-o writes the numbers; --plot FILE draws, where a command has it"
	}
	for _, f := range append(reports.Formats(), HtmlFormat) {
		if name == string(f) || name == "yaml" || name == "wide" {
			hint = "-o names a file; the format is -f " + string(f)
		}
	}
	return "", Usage(hint, "-o %s: the ending names no format; allowed: %s", name, strings.Join(known, ", "))
}

// Whole says whether the result is written with every field, not as tables alone; what only fields
// show need not be computed otherwise.
func (o *outputFlags) Whole() bool {
	format, err := o.Chosen()
	return err == nil && format != reports.TextFormat && format != reports.MarkdownFormat &&
		format != reports.LaTeXFormat
}

// HtmlFormat is the page of deepnarrow report with this result alone.
const HtmlFormat reports.Format = "html"

// writePage writes the result as a page.
func writePage(w io.Writer, r *reports.Report) error {
	var text bytes.Buffer
	if err := r.Write(&text, reports.JSONFormat, reports.View{}); err != nil {
		return err
	}
	command := strings.TrimSuffix(strings.TrimPrefix(r.Document.Schema, "deepnarrow/"), "/v1")
	return page.Write(w, page.Head{Title: "deepnarrow " + command}, []page.Source{{
		Name: "deepnarrow " + command,
		Text: text.Bytes(),
	}})
}

// NewReport starts the report of a command with its inputs, names each followed by its value.
func NewReport(command string, inputs ...any) reports.Report {
	r := reports.Report{Document: result.NewDocument(command, Version())}
	for i := 0; i < len(inputs); i += 2 {
		r.Document.Inputs[inputs[i].(string)] = inputs[i+1]
	}
	return r
}

// Render writes the result where the flags say, and the warnings to stderr.
func (a *App) Render(r reports.Report) error {
	format, err := a.Output.Chosen()
	if err != nil {
		return err
	}
	if a.command != "" {
		r.Document.Inputs["command"] = a.command
	}
	a.Warn(r.Document.Warnings)
	view := reports.View{Wide: a.Output.wide, Details: a.Output.details, Quiet: a.Common.Quiet}
	write := func(w io.Writer) error {
		switch format {
		case HtmlFormat:
			return writePage(w, &r)
		case xlsxFormat:
			return WriteXLSX(w, &r)
		}
		return r.Write(w, format, view)
	}
	bytes := format == HtmlFormat || format == xlsxFormat
	switch {
	case a.Output.file != "" && bytes:
		err = a.SaveRaw(a.Output.file, write)
	case a.Output.file != "":
		err = a.Save(a.Output.file, write)
	case bytes:
		return write(a.Raw)
	default:
		var out io.Writer
		out, view.Color = a.Text(format == reports.TextFormat)
		view.Width = a.Width
		err = write(out)
	}
	return errors.Join(err, a.late)
}

// Text is where text goes, and whether it may be coloured: standard output, which has no control
// characters but those of colours. colorful is text that has colours.
func (a *App) Text(colorful bool) (io.Writer, bool) {
	if colorful && a.Common.Color.on(&a.Streams) {
		return painted{a.Raw}, true
	}
	return a.Out, false
}

// painted writes coloured text, of which everything else is harmless already.
type painted struct{ to io.Writer }

func (p painted) Write(text []byte) (int, error) {
	for line := range strings.Lines(string(text)) {
		if _, err := io.WriteString(p.to, plain.Commandless(line)); err != nil {
			return 0, err
		}
	}
	return len(text), nil
}

// Beside keeps the error of a drawing or another file beside the result until that is written, lest
// it be lost with them.
func (a *App) Beside(err error) error {
	if Is[*host.WriteError](err) {
		a.late, err = errors.Join(a.late, err), nil
	}
	return err
}

// Write writes what is not a report where -o says.
func (a *App) Write(write func(io.Writer) error) error {
	if a.Output.file == "" {
		return write(a.Out)
	}
	return a.Save(a.Output.file, write)
}

// Save writes text to a file, as harmless as on standard output: files are shown in logs too. If that
// fails after all, what was worked out is not lost: it goes to standard output.
func (a *App) Save(name string, write func(io.Writer) error) error {
	return a.SaveRaw(name, plain.Logged(write))
}

// SaveRaw is Save for what is not text for a terminal or a log.
func (a *App) SaveRaw(name string, write func(io.Writer) error) error {
	err := host.WriteFile(name, write)
	if Is[*host.WriteError](err) {
		return errors.Join(BadInput(err, "the result is on standard output instead"), write(a.Raw))
	}
	return err
}

// Bar shows on a terminal how far work that takes long has come.
func (a *App) Bar(what string) *host.Bar { return host.NewBar(a.Err, a.Progress, what) }

// What a flag names that a command writes.
const (
	AFile   = "file"
	Lines   = "lines" // a file that lines are added to
	AFolder = "folder"
	Formats = "formats" // FORMAT=FILE
)

// writesKey marks flags with one of the words above.
const writesKey = "writes"

// Writes marks flags whose files are tried before the work begins.
func Writes(c *cobra.Command, what string, flags ...string) {
	for _, name := range flags {
		if err := c.Flags().SetAnnotation(name, writesKey, []string{what}); err != nil {
			panic("cli: " + err.Error()) // no such flag
		}
	}
}

// apart refuses to write a file twice, or over what is read.
func apart(c *cobra.Command) error {
	read, written := c.Flags().Args(), []string{}
	c.Flags().Visit(func(f *pflag.Flag) {
		for _, name := range valuesOf(f) {
			switch what := f.Annotations[writesKey]; {
			case len(what) == 0:
				read = append(read, name)
			case what[0] == Formats:
				_, name, _ = strings.Cut(name, "=")
				written = append(written, name)
			case what[0] != AFolder:
				written = append(written, name)
			}
		}
	})
	for i, name := range written {
		for _, other := range written[:i] {
			if host.Same(name, other) {
				return Usage("", "%s is written twice; allowed: a file for each result", name)
			}
		}
		for _, other := range read {
			if host.Same(name, other) {
				return Usage("", "%s is read by this command; allowed: another file to write", name)
			}
		}
	}
	return nil
}

// valuesOf returns what a flag was given.
func valuesOf(f *pflag.Flag) []string {
	if many, ok := f.Value.(pflag.SliceValue); ok {
		return many.GetSlice()
	}
	return []string{f.Value.String()}
}

// tryFiles tells what cannot be written before the work that it is for, and mends files of lines.
func (a *App) tryFiles(c *cobra.Command) error {
	if err := apart(c); err != nil {
		return err
	}
	var faults []error
	c.Flags().Visit(func(f *pflag.Flag) {
		for _, name := range valuesOf(f) {
			var err error
			switch what := f.Annotations[writesKey]; {
			case len(what) == 0 || name == "" || name == "-":
			case what[0] == AFolder:
				err = host.WritableFolder(name)
			case what[0] == Lines:
				var removed int
				if removed, err = host.Appendable(name); removed > 0 {
					fmt.Fprintf(a.Err,
						"warning: %s: its last line was torn: the %d bytes are removed\n", name, removed)
				}
			default:
				if _, file, found := strings.Cut(name, "="); found && what[0] == Formats {
					name = file
				}
				err = host.Writable(name)
			}
			if err != nil {
				faults = append(faults, err)
			}
		}
	})
	if len(faults) > 0 {
		return BadInput(errors.Join(faults...), "")
	}
	return nil
}

// WriteFile writes a file whole.
func WriteFile(name string, write func(io.Writer) error) error {
	return FileError(host.WriteFile(name, write))
}

// FileError gives a file that cannot be written its exit code.
func FileError(err error) error {
	if Is[*host.WriteError](err) {
		return BadInput(err, "")
	}
	return err
}

// Version returns the module version the binary was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}

func CheckPlot(file string) error {
	if file == "" {
		return nil
	}
	if _, err := figure.FormatOf(file); err != nil {
		return Usage("", "--plot: %w", err)
	}
	return nil
}

// Plot draws panels into a file; an empty name asks for none.
func Plot(file string, panels ...figure.Panel) error {
	if file == "" {
		return nil
	}
	format, err := figure.FormatOf(file)
	if err != nil {
		return err
	}
	return WriteFile(file, func(w io.Writer) error { return figure.Write(w, format, panels...) })
}
