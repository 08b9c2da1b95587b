package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/page"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// outputFlags say where a result goes and how it looks.
type outputFlags struct {
	format string
	file   string
	quiet  bool
}

func (o *outputFlags) register(c *cobra.Command) {
	o.registerFormat(c, " (default: as the name after -o ends, else table)")
	c.Flags().StringVarP(&o.file, "output", "o", "",
		"write the result to this `file` instead of standard output")
	c.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "write the result only: no warnings")
	writes(c, aFile, "output")
}

// registerFormat leaves -o to a command that writes a file of another kind.
func (o *outputFlags) registerFormat(c *cobra.Command, otherwise string) {
	c.Flags().StringVar(&o.format, "format", "",
		"how to write the result: table, markdown, csv, json or html"+otherwise)
}

// chosen is the format asked for or, when none is, the one that the output file's name ends in.
func (o *outputFlags) chosen() (reports.Format, error) {
	if o.format == "" {
		switch filepath.Ext(o.file) {
		case ".json":
			return reports.JSONFormat, nil
		case ".csv":
			return reports.CSVFormat, nil
		case ".md":
			return reports.MarkdownFormat, nil
		case ".html":
			return htmlFormat, nil
		}
		return reports.TextFormat, nil
	}
	if o.format == string(htmlFormat) {
		return htmlFormat, nil
	}
	format, err := reports.ParseFormat(o.format)
	if err != nil {
		return format, usage("", "--format: %w, %s", err, htmlFormat)
	}
	return format, nil
}

// whole says whether the result is written with every field, not as tables alone; what only fields
// show need not be computed otherwise.
func (o *outputFlags) whole() bool {
	format, err := o.chosen()
	return err == nil && format != reports.TextFormat && format != reports.MarkdownFormat
}

// htmlFormat is the page of deepnarrow report with this result alone.
const htmlFormat reports.Format = "html"

// writePage writes the result as a page.
func writePage(w io.Writer, r *reports.Report) error {
	var text bytes.Buffer
	if err := r.Write(&text, reports.JSONFormat, 0); err != nil {
		return err
	}
	command := strings.TrimSuffix(strings.TrimPrefix(r.Document.Schema, "deepnarrow/"), "/v1")
	return page.Write(w, page.Head{Title: "deepnarrow " + command}, []page.Source{{
		Name: "deepnarrow " + command,
		Text: text.Bytes(),
	}})
}

// newReport starts the report of a command.
func newReport(command string) reports.Report {
	return reports.Report{Document: result.NewDocument(command, version())}
}

// render writes the result where the flags say, and the warnings to stderr.
func (a *app) render(r reports.Report) error {
	format, err := a.output.chosen()
	if err != nil {
		return err
	}
	if a.command != "" {
		r.Document.Inputs["command"] = a.command
	}
	for _, w := range r.Document.Warnings {
		if a.output.quiet {
			break
		}
		fmt.Fprintln(a.Err, "warning:", w)
	}
	write := func(w io.Writer, width int) error {
		if format == htmlFormat {
			return writePage(w, &r)
		}
		return r.Write(w, format, width)
	}
	if a.output.file == "" && format == htmlFormat {
		return write(a.raw, 0)
	}
	if a.output.file == "" {
		err = write(a.Out, a.Width)
	} else {
		err = a.save(a.output.file, func(w io.Writer) error { return write(w, 0) })
	}
	return errors.Join(err, a.late)
}

// beside keeps the error of a drawing or another file beside the result until that is written, lest
// it be lost with them.
func (a *app) beside(err error) error {
	var unwritable *host.WriteError
	if errors.As(err, &unwritable) {
		a.late, err = errors.Join(a.late, err), nil
	}
	return err
}

// write writes what is not a report where -o says.
func (a *app) write(write func(io.Writer) error) error {
	if a.output.file == "" {
		return write(a.Out)
	}
	return a.save(a.output.file, write)
}

// save writes a result to a file. If that fails after all, what was worked out is not lost: it goes
// to standard output.
func (a *app) save(name string, write func(io.Writer) error) error {
	err := host.WriteFile(name, write)
	var unwritable *host.WriteError
	if errors.As(err, &unwritable) {
		return errors.Join(badInput(err, "the result is on standard output instead"), write(a.Out))
	}
	return err
}

// bar shows on a terminal how far work that takes long has come.
func (a *app) bar(what string) *host.Bar { return host.NewBar(a.Err, a.Progress, what) }

// What a flag names that a command writes.
const (
	aFile   = "file"
	lines   = "lines" // a file that lines are added to
	aFolder = "folder"
	formats = "formats" // FORMAT=FILE
)

// writesKey marks flags with one of the words above.
const writesKey = "writes"

// writes marks flags whose files are tried before the work begins.
func writes(c *cobra.Command, what string, flags ...string) {
	for _, name := range flags {
		if err := c.Flags().SetAnnotation(name, writesKey, []string{what}); err != nil {
			panic("cli: " + err.Error()) // no such flag
		}
	}
}

// tryFiles tells what cannot be written before the work that it is for, and mends files of lines.
func (a *app) tryFiles(c *cobra.Command) error {
	var faults []error
	c.Flags().Visit(func(f *pflag.Flag) {
		names := []string{f.Value.String()}
		if many, ok := f.Value.(pflag.SliceValue); ok {
			names = many.GetSlice()
		}
		for _, name := range names {
			var err error
			switch what := f.Annotations[writesKey]; {
			case len(what) == 0 || name == "" || name == "-":
			case what[0] == aFolder:
				err = host.WritableFolder(name)
			case what[0] == lines:
				var removed int
				if removed, err = host.Appendable(name); removed > 0 {
					fmt.Fprintf(a.Err,
						"warning: %s: its last line was torn: the %d bytes are removed\n", name, removed)
				}
			default:
				if _, file, found := strings.Cut(name, "="); found && what[0] == formats {
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
		return badInput(errors.Join(faults...), "")
	}
	return nil
}

// writeFile writes a file whole.
func writeFile(name string, write func(io.Writer) error) error {
	return fileError(host.WriteFile(name, write))
}

// fileError gives a file that cannot be written its exit code.
func fileError(err error) error {
	var unwritable *host.WriteError
	if errors.As(err, &unwritable) {
		return badInput(err, "")
	}
	return err
}

// version returns the module version the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
