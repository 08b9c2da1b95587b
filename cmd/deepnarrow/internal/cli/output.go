package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/page"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// outputFlags say where a result goes and how it looks.
type outputFlags struct {
	format string
	file   string
}

func (o *outputFlags) register(c *cobra.Command) {
	o.registerFormat(c, " (default: as the name after -o ends, else table)")
	c.Flags().StringVarP(&o.file, "output", "o", "",
		"write the result to this `file` instead of standard output")
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
	return page.Write(w, "deepnarrow "+command, []page.Source{{
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
	for _, w := range r.Document.Warnings {
		fmt.Fprintln(a.Err, "warning:", w)
	}
	write := func(w io.Writer, width int) error {
		if format == htmlFormat {
			return writePage(w, &r)
		}
		return r.Write(w, format, width)
	}
	if a.output.file == "" {
		return write(a.Out, a.Width)
	}
	return writeFile(a.output.file, func(w io.Writer) error { return write(w, 0) })
}

// writeFile writes a file atomically: it is the old one or the whole new one. What is no regular
// file, such as /dev/null or a pipe, is written to as it is: a rename would put a file in its
// place.
func writeFile(name string, write func(io.Writer) error) (err error) {
	info, statErr := os.Stat(name)
	switch {
	case statErr == nil && info.IsDir():
		return unwritable(name, syscall.EISDIR)
	case statErr == nil && !info.Mode().IsRegular():
		return writeInto(name, write)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return unwritable(name, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return unwritable(name, err)
	}
	if err := f.Close(); err != nil {
		return unwritable(name, err)
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return unwritable(name, err)
	}
	return nil
}

// writeInto writes to a device or a pipe that exists.
func writeInto(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return unwritable(name, err)
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return unwritable(name, err)
	}
	return nil
}

// unwritable says why the file asked for cannot be written, without the name of the temporary file
// in its place.
func unwritable(name string, err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return badInput(fmt.Errorf("%s: cannot be written: %w", name, err), "")
}

// version returns the module version the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
