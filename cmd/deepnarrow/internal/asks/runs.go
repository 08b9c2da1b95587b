package asks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
)

// Runs say which recorded runs a command reads. They are the same on every command that learns
// from runs.
type Runs struct {
	Mapping     []string
	Where       string
	dropHighest int
	last        bool
	group       string
	Key, join   string
	Found       string // how many runs were read, and from where
}

func (f *Runs) Register(c *cobra.Command) {
	f.RegisterRows(c)
	flags := c.Flags()
	frame.CountFlag(c, &f.dropHighest, "drop-highest", "drop this many rows with the highest response")
	flags.BoolVar(&f.last, "last", false, "use the last step of each run only")
	flags.StringVar(&f.group, "group", f.group,
		"`column` of the run that a row belongs to: runs are resampled whole")
	flags.StringVar(&f.join, "join", "",
		"a `file` with one row a run (params, shape, ...), put beside the rows of its run")
}

// RegisterRows registers only what says which rows are whose.
func (f *Runs) RegisterRows(c *cobra.Command) {
	f.group = "run"
	flags := c.Flags()
	flags.StringArrayVar(&f.Mapping, "map", nil,
		"`ours=theirs`: which column of the file is ours, such as params='Model Size'; repeatable, or separated by commas")
	flags.StringVar(&f.Where, "where", "",
		"use the rows that meet all of these `conditions`, such as flops<1e21,loss<4")
	flags.StringVar(&f.Key, "run-key", "",
		"what tells runs apart: path, id, name, experiment, or `columns` (default: what the log has)")
}

// Inputs returns the flags as the JSON document states them.
func (f *Runs) Inputs(files []string) map[string]any {
	in := map[string]any{"files": files, "group": f.group}
	frame.State(in, "map", f.Mapping, "where", f.Where, "drop_highest", f.dropHighest, "last", f.last,
		"run_key", f.Key, "join", f.join, "records", f.Found)
	return in
}

// Selection reads the flags, before any file is.
func (f *Runs) Selection() (learn.Selection, error) {
	s := learn.Selection{Last: f.last, DropHighest: f.dropHighest, Group: f.group}
	for _, pair := range splitPairs(f.Mapping) {
		ours, theirs, ok := strings.Cut(pair, "=")
		ours, theirs = strings.TrimSpace(ours), strings.TrimSpace(theirs)
		if !ok || ours == "" || theirs == "" {
			return s, frame.Usage("",
				"--map: no pair: %q; allowed: ours=theirs, such as params='Model Size'", pair)
		}
		s.Map = append(s.Map, [2]string{ours, theirs})
	}
	var err error
	s.Where, err = Conditions("where", f.Where)
	return s, err
}

// Runs reads the files and folders and selects rows. response is the column whose highest values
// --drop-highest means.
func (a *Files) Runs(f *Runs, s learn.Selection, files []string, response string) (*learn.Runs, error) {
	table, err := a.Records(f.Key, files...)
	if err != nil {
		return nil, err
	}
	f.Found = table.Found
	if len(files) > 1 || !strings.HasSuffix(table.Found, "from 1 table") {
		a.Tell("read: " + table.Found)
	}
	if f.join != "" {
		of, err := a.Records("", f.join)
		if err != nil {
			return nil, err
		}
		if err := table.JoinRuns(of, f.join); err != nil {
			return nil, frame.BadInput(err, "--join takes a table with one row a run, and a column run that names it")
		}
	}
	runs, err := s.Of(response, table)
	if err != nil {
		a.Warn(table.Warnings) // which the document cannot
	}
	return runs, ColumnError(err)
}

// Records reads files, standard input and folders.
func (a *Files) Records(key string, files ...string) (*records.Table, error) {
	return a.RecordsWith(records.Options{RunKey: key}, files...)
}

// collected is the memory that the garbage of large logs may take, in bytes, where GOMEMLIMIT sets
// no other: beyond it the collector runs more often.
const collected = 1 << 30

func (a *Files) RecordsWith(o records.Options, files ...string) (*records.Table, error) {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(collected)
	}
	inputs := make([]records.Input, len(files))
	for i, file := range files {
		inputs[i] = records.Input{Name: file, Open: func() (io.ReadCloser, error) { return a.Open(file) }}
		if info, err := os.Stat(file); file != "-" && err == nil && info.IsDir() {
			root, err := openfile.Within(file)
			if err != nil {
				return nil, frame.BadInput(err, "")
			}
			defer root.Close()
			if inputs[i].Folder, err = root.FS(file); err != nil {
				return nil, frame.BadInput(err, "")
			}
		}
	}
	bar := a.Bar("read")
	o.Progress = bar.Reach
	t, err := records.ReadAll(inputs, o)
	bar.End()
	switch {
	case frame.Is[*records.ColumnError](err):
		return nil, ColumnError(err)
	case err != nil:
		return nil, frame.BadInput(err,
			"CSV, TSV, JSON, Parquet, trainer_state.json, TensorBoard event files, wandb and Lightning CSV, MLflow stores, any of them as .gz, and folders of these are read")
	}
	return t, nil
}

// Evidence reads a file of runs as a recommendation rests on them.
func (a *Files) Evidence(f *Runs, file string) (*evidence.RecordTable, error) {
	s, err := f.Selection()
	if err != nil {
		return nil, err
	}
	runs, err := a.Runs(f, s, []string{file}, "loss")
	if err != nil {
		return nil, err
	}
	t, err := evidence.NewRecordTable(runs, file)
	return t, ColumnError(err)
}

// RecordRows reads runs as the evidence of a recommendation, with notes on the columns taken.
func (a *Files) RecordRows(f *Runs, file, group string) ([]evidence.Record, []string, error) {
	t, err := a.Evidence(f, file)
	if err != nil {
		return nil, nil, err
	}
	rows, err := t.Records(group)
	return rows, t.Notes, ColumnError(err)
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

// ColumnError gives an error about a column its exit code: the file lacks what the command needs.
func ColumnError(err error) error {
	var missing *records.ColumnError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &missing):
		hint := "--map ours=theirs names a column of the file"
		if missing.Name == "params" {
			hint += "; --map shape=theirs one of shapes by name, whose parameters are counted"
		}
		switch near := missing.Suggestion; {
		case near == "":
		case !strings.Contains(strings.ToLower(near), missing.Name): // mistyped
			hint = "did you mean " + near + "? " + hint
		default:
			hint = fmt.Sprintf("--map %s=%s reads that column", missing.Name, plain.Quoted(missing.Suggestion))
		}
		return frame.BadInput(err, hint)
	case frame.Is[*evidence.LackingError](err):
		return frame.BadInput(err, "name the shapes in a column shape, or give params, d_model and layers; --map names other columns")
	}
	return frame.BadInput(err, "")
}

// LearnError gives an error of package learn its exit code and what may help; a refusal also says
// which rows of the runs were not used.
func (a *Files) LearnError(ctx context.Context, runs *learn.Runs, err error) error {
	if err != nil && ctx.Err() == nil {
		a.Warn(runs.Table.Warnings)
	}
	var question *learn.QuestionError
	switch {
	case err == nil || ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &question):
		hint := ""
		switch {
		case question.Word != "":
			hint = frame.DidYouMean(question.Word, question.Names, "")
		case question.Names != nil:
			hint = "--map tokens='COLUMN' says which column it is"
		}
		return frame.Usage(hint, "--%s: %w", question.About, err)
	case frame.Is[*fit.Refusal](err):
		if why := reports.WhyDropped(runs.Unused()); why != "" {
			err = fmt.Errorf("%w; %s", err, why)
		}
		return Refused(err)
	}
	return ColumnError(err)
}

// AtLeastOneFile refuses a command line without arguments.
func AtLeastOneFile() cobra.PositionalArgs {
	return frame.Arguments(1, 0, "- reads standard input",
		"%[1]s needs at least one file of recorded runs")
}
