package cli

import (
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/fit/records"
)

// runFlags say which recorded runs a command reads. They are the same on every command that learns
// from runs.
type runFlags struct {
	mapping     []string
	where       string
	dropHighest int
	last        bool
	group       string
}

func (f *runFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.mapping, "map", nil,
		"`ours=theirs`: which column of the file is ours, such as params='Model Size'; repeatable, or separated by commas")
	flags.StringVar(&f.where, "where", "",
		"use the rows that meet all of these `conditions`, such as flops<1e21,loss<4")
	countFlag(c, &f.dropHighest, "drop-highest", "drop this many rows with the highest response")
	flags.BoolVar(&f.last, "last", false, "use the last step of each run only")
	flags.StringVar(&f.group, "group", "run",
		"`column` of the run that a row belongs to: runs are resampled whole")
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
	return in
}

// runs is what a command reads: a table and the rows of it that count.
type runs struct {
	*records.Table
	records.Selection
}

// runs reads the files, names the columns and selects rows. response is the column whose highest
// values --drop-highest means.
func (a *app) runs(f *runFlags, files []string, response string) (*runs, error) {
	tables := make([]*records.Table, len(files))
	for i, file := range files {
		t, err := a.readRuns(file)
		if err != nil {
			return nil, err
		}
		tables[i] = t
	}
	out := &runs{Table: records.Join(tables...)}
	for _, pair := range splitPairs(f.mapping) {
		ours, theirs, ok := strings.Cut(pair, "=")
		ours, theirs = strings.TrimSpace(ours), strings.TrimSpace(theirs)
		if !ok || ours == "" || theirs == "" {
			return nil, usage("",
				"--map: no pair: %q; allowed: ours=theirs, such as params='Model Size'", pair)
		}
		if err := out.Map(ours, theirs); err != nil {
			return nil, columnError(err)
		}
	}
	where, err := records.ParseWhere(f.where)
	if err != nil {
		return nil, usage("", "--where: %w", err)
	}
	out.Selection = out.All()
	if err := out.Where(out.Table, where); err != nil {
		return nil, columnError(err)
	}
	if f.last {
		if err := out.LastOfRun(out.Table, f.group); err != nil {
			return nil, columnError(err)
		}
	}
	if f.dropHighest > 0 {
		if err := out.DropHighest(out.Table, response, f.dropHighest); err != nil {
			return nil, columnError(err)
		}
	}
	return out, nil
}

// readRuns reads a file, standard input or a folder.
func (a *app) readRuns(file string) (*records.Table, error) {
	const formats = "CSV, TSV, JSON lines, trainer_state.json, TensorBoard event files, wandb CSV exports, and folders of TensorBoard or MLflow are read"
	if file == "-" {
		t, err := records.Read("-", a.In)
		if err != nil {
			return nil, badInput(err, formats)
		}
		return t, nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, badInput(err, formats)
	}
	if info.IsDir() {
		t, err := records.ReadFolder(file, os.DirFS(file))
		if err != nil {
			return nil, badInput(err, formats)
		}
		return t, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, badInput(err, formats)
	}
	defer f.Close()
	t, err := records.Read(file, f)
	if err != nil {
		return nil, badInput(err, formats)
	}
	return t, nil
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
	if errors.As(err, &missing) {
		hint := "--map ours=theirs names a column of the file"
		if missing.Suggestion != "" {
			hint = "did you mean " + missing.Suggestion + "? " + hint
		}
		return badInput(err, hint)
	}
	return badInput(err, "")
}
