package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/figure"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// runFlags say which recorded runs a command reads. They are the same on every command that learns
// from runs.
type runFlags struct {
	mapping     []string
	where       string
	dropHighest int
	last        bool
	group       string
	key, join   string
	found       string // how many runs were read, and from where
}

func (f *runFlags) register(c *cobra.Command) {
	f.registerRows(c)
	flags := c.Flags()
	countFlag(c, &f.dropHighest, "drop-highest", "drop this many rows with the highest response")
	flags.BoolVar(&f.last, "last", false, "use the last step of each run only")
	flags.StringVar(&f.group, "group", f.group,
		"`column` of the run that a row belongs to: runs are resampled whole")
	flags.StringVar(&f.join, "join", "",
		"a `file` with one row a run (params, shape, ...), put beside the rows of its run")
}

// registerRows registers only what says which rows are whose.
func (f *runFlags) registerRows(c *cobra.Command) {
	f.group = "run"
	flags := c.Flags()
	flags.StringArrayVar(&f.mapping, "map", nil,
		"`ours=theirs`: which column of the file is ours, such as params='Model Size'; repeatable, or separated by commas")
	flags.StringVar(&f.where, "where", "",
		"use the rows that meet all of these `conditions`, such as flops<1e21,loss<4")
	flags.StringVar(&f.key, "run-key", "",
		"what tells runs apart: path, id, name, experiment, or `columns` (default: what the log has)")
}

// inputs returns the flags as the JSON document states them.
func (f *runFlags) inputs(files []string) map[string]any {
	in := map[string]any{"files": files, "group": f.group}
	if len(f.mapping) > 0 {
		in["map"] = f.mapping
	}
	if f.where != "" {
		in["where"] = f.where
	}
	if f.dropHighest > 0 {
		in["drop_highest"] = f.dropHighest
	}
	if f.last {
		in["last"] = true
	}
	if f.key != "" {
		in["run_key"] = f.key
	}
	if f.join != "" {
		in["join"] = f.join
	}
	if f.found != "" {
		in["records"] = f.found
	}
	return in
}

// selection reads the flags, before any file is.
func (f *runFlags) selection() (learn.Selection, error) {
	s := learn.Selection{Last: f.last, DropHighest: f.dropHighest, Group: f.group}
	for _, pair := range splitPairs(f.mapping) {
		ours, theirs, ok := strings.Cut(pair, "=")
		ours, theirs = strings.TrimSpace(ours), strings.TrimSpace(theirs)
		if !ok || ours == "" || theirs == "" {
			return s, usage("",
				"--map: no pair: %q; allowed: ours=theirs, such as params='Model Size'", pair)
		}
		s.Map = append(s.Map, [2]string{ours, theirs})
	}
	var err error
	s.Where, err = conditions("where", f.where)
	return s, err
}

// conditions reads a flag of conditions; nil when it is empty.
func conditions(flag, text string) (records.Where, error) {
	if text == "" {
		return nil, nil
	}
	w, err := records.ParseWhere(text)
	if err != nil {
		return nil, usage("", "--%s: %w", flag, err)
	}
	if w == nil { // blanks and commas: every row meets them
		w = records.Where{}
	}
	return w, nil
}

// runs reads the files and folders and selects rows. response is the column whose highest values
// --drop-highest means.
func (a *app) runs(f *runFlags, s learn.Selection, files []string, response string) (*learn.Runs, error) {
	table, err := a.records(f.key, files...)
	if err != nil {
		return nil, err
	}
	f.found = table.Found
	if len(files) > 1 || !strings.HasSuffix(table.Found, "from 1 table") {
		a.tell("read: " + table.Found)
	}
	if f.join != "" {
		of, err := a.records("", f.join)
		if err != nil {
			return nil, err
		}
		if err := table.JoinRuns(of, f.join); err != nil {
			return nil, badInput(err, "--join takes a table with one row a run, and a column run that names it")
		}
	}
	runs, err := s.Of(response, table)
	if err != nil {
		a.warned(table)
	}
	return runs, columnError(err)
}

// records reads files, standard input and folders.
func (a *app) records(key string, files ...string) (*records.Table, error) {
	return a.recordsWith(records.Options{RunKey: key}, files...)
}

func (a *app) recordsWith(o records.Options, files ...string) (*records.Table, error) {
	inputs := make([]records.Input, len(files))
	for i, file := range files {
		inputs[i] = records.Input{Name: file, Open: func() (io.ReadCloser, error) { return a.open(file) }}
		if info, err := os.Stat(file); file != "-" && err == nil && info.IsDir() {
			root, err := openfile.Within(file)
			if err != nil {
				return nil, badInput(err, "")
			}
			defer root.Close()
			if inputs[i].Folder, err = root.FS(file); err != nil {
				return nil, badInput(err, "")
			}
		}
	}
	bar := a.bar("read")
	o.Progress = bar.Reach
	t, err := records.ReadAll(inputs, o)
	bar.End()
	var missing *records.ColumnError
	switch {
	case errors.As(err, &missing):
		return nil, columnError(err)
	case err != nil:
		return nil, badInput(err,
			"CSV, TSV, JSON, Parquet, trainer_state.json, TensorBoard event files, wandb and Lightning CSV, MLflow stores, any of them as .gz, and folders of these are read")
	}
	return t, nil
}

// evidence reads a file of runs as a recommendation rests on them.
func (a *app) evidence(f *runFlags, file string) (*evidence.RecordTable, error) {
	s, err := f.selection()
	if err != nil {
		return nil, err
	}
	runs, err := a.runs(f, s, []string{file}, "loss")
	if err != nil {
		return nil, err
	}
	t, err := evidence.NewRecordTable(runs, file)
	return t, columnError(err)
}

// recordRows reads runs as the evidence of a recommendation, with notes on the columns taken.
func (a *app) recordRows(f *runFlags, file, group string) ([]evidence.Record, []string, error) {
	t, err := a.evidence(f, file)
	if err != nil {
		return nil, nil, err
	}
	rows, err := t.Records(group)
	return rows, t.Notes, columnError(err)
}

// splitPairs splits key=value,key=value where every part is a pair; a comma inside a name stays.
func splitPairs(args []string) []string {
	var out []string
	for _, arg := range args {
		parts := strings.Split(arg, ",")
		for _, p := range parts {
			if !strings.Contains(p, "=") {
				parts = []string{arg}
				break
			}
		}
		out = append(out, parts...)
	}
	return out
}

// columnError gives an error about a column its exit code: the file lacks what the command needs.
func columnError(err error) error {
	var missing *records.ColumnError
	var lacking *evidence.LackingError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing):
		hint := "--map ours=theirs names a column of the file"
		if missing.Name == "params" {
			hint += "; --map shape=theirs one of shapes by name, whose parameters are counted"
		}
		if missing.Suggestion != "" {
			hint = "did you mean " + missing.Suggestion + "? " + hint
		}
		return badInput(err, hint)
	case errors.As(err, &lacking):
		return badInput(err, "name the shapes in a column shape, or give params, d_model and layers; --map names other columns")
	}
	return badInput(err, "")
}

// warned tells what the reader of records left out, where an error keeps it from the document.
func (a *app) warned(t *records.Table) {
	for _, w := range t.Warnings {
		a.tell("warning: " + w)
	}
}

// learnError gives an error of package learn its exit code and what may help; a refusal also says
// which rows of the runs were not used.
func (a *app) learnError(ctx context.Context, runs *learn.Runs, err error) error {
	if err != nil && ctx.Err() == nil {
		a.warned(runs.Table)
	}
	var question *learn.QuestionError
	var refusal *fit.Refusal
	switch {
	case err == nil || ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &question):
		hint := ""
		switch {
		case question.Word != "":
			hint = didYouMean(question.Word, question.Names, "")
		case question.Names != nil:
			hint = "--map tokens='COLUMN' says which column it is"
		}
		return usage(hint, "--%s: %w", question.About, err)
	case errors.As(err, &refusal):
		if why := reports.WhyDropped(runs.Unused()); why != "" {
			err = fmt.Errorf("%w; %s", err, why)
		}
		return refused(err)
	}
	return columnError(err)
}

// refused gives a refusal its exit code and what may help.
func refused(err error) error {
	var r *fit.Refusal
	hint := ""
	if errors.As(err, &r) {
		switch r.Kind {
		case fit.TooFewPoints:
			hint = "--fix NAME=VALUE holds a parameter; a law with fewer may do (deepnarrow list laws)"
		case fit.ConstantColumn, fit.Unidentified:
			hint = "the rows do not vary in what the law needs: --fix NAME=VALUE holds a parameter; a simpler law may do (deepnarrow list laws)"
		case fit.BadValue:
			hint = "--where drops rows, such as --where 'loss>0'"
		case fit.AtBound, fit.NotConverged:
			hint = "the law does not describe the rows; --law auto compares laws, --bound NAME=LOW:HIGH keeps a parameter in a range"
		case fit.NoInteriorMinimum:
			hint = "runs of more sizes at the same budget would show where the loss turns"
		}
	}
	return noAnswer(err, hint)
}

// savedLaw reads the one fit of a document.
func savedLaw(file string) (*learn.Law, error) {
	const writer = "deepnarrow fit runs.csv -o fit.json writes one"
	f, err := openfile.Named(file)
	if err != nil {
		return nil, badInput(err, writer)
	}
	defer f.Close()
	law, err := result.ReadLaw(file, f)
	if err != nil {
		return nil, badInput(err, writer)
	}
	return law, nil
}

// checkLaw refuses an unknown name before any file is read; others are allowed beside the laws.
func checkLaw(kind, name string, list []fit.Law, others ...string) error {
	names := others
	for _, law := range list {
		names = append(names, law.Name)
	}
	if !slices.Contains(names, name) {
		return unknownKind(kind, name, names)
	}
	return nil
}

func objectiveFlag(text string) (*fit.Objective, error) {
	if text == "" {
		return nil, nil
	}
	o, err := fit.ParseObjective(text)
	if err != nil {
		return nil, usage("", "--objective: %w", err)
	}
	return &o, nil
}

func pointsFlag(texts []string) ([]learn.Point, error) {
	var out []learn.Point
	for _, text := range texts {
		p, err := learn.ParsePoint(text)
		if err != nil {
			return nil, usage("", "--predict: %w", err)
		}
		out = append(out, p)
	}
	return out, nil
}

const defaultIntervalLevel = 0.95

func checkLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return usage("", "--level is %v; allowed: between 0 and 1", level)
	}
	return nil
}

func checkPlot(file string) error {
	if file == "" {
		return nil
	}
	if _, err := figure.FormatOf(file); err != nil {
		return usage("", "--plot: %w", err)
	}
	return nil
}

// plot draws panels into a file; an empty name asks for none.
func plot(file string, panels ...figure.Panel) error {
	if file == "" {
		return nil
	}
	format, err := figure.FormatOf(file)
	if err != nil {
		return err
	}
	return writeFile(file, func(w io.Writer) error { return figure.Write(w, format, panels...) })
}

func atLeastOneFile(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usage("- reads standard input", "%s needs at least one file of recorded runs",
			c.CommandPath())
	}
	return nil
}
