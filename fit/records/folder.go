package records

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// logKinds are the kinds of logs that a folder may hold, the fullest first. A program often leaves
// several of the same run: one kind is read, and a warning counts the others.
var logKinds = []struct {
	what string
	is   func(base string) bool
}{
	{"MLflow stores (SQLite)", func(base string) bool { return base == "mlflow.db" || base == "mlruns.db" }},
	{"MLflow runs", nil}, // folders with a folder metrics
	{"TensorBoard event files", func(base string) bool { return strings.Contains(base, "tfevents") }},
	{"trainer states", func(base string) bool { return base == "trainer_state.json" }},
	{"CSV logs of Lightning", func(base string) bool { return base == lightning }},
	{"files of JSON lines", func(base string) bool {
		return strings.HasSuffix(base, ".jsonl") || strings.HasSuffix(base, ".ndjson")
	}},
	{"results files", func(base string) bool { return base == "all_results.json" }},
	{"Parquet files", func(base string) bool { return strings.HasSuffix(base, ".parquet") }},
	{"tables", func(base string) bool {
		return strings.HasSuffix(base, ".csv") || strings.HasSuffix(base, ".tsv")
	}},
}

// folder reads the logs below a folder: those of the first kind in logKinds that is there. A part
// that holds nothing, or cannot be read, is skipped with a warning; it is an error when all are.
func (b *builder) folder(name string, folder fs.FS, progress func()) error {
	name = path.Clean(strings.ReplaceAll(name, "\\", "/"))
	found := make([][]string, len(logKinds))
	err := fs.WalkDir(folder, ".", func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			if at == "." {
				return err
			}
			b.warn("%s: cannot be read: skipped", path.Join(name, at))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		base := strings.TrimSuffix(d.Name(), ".gz")
		if d.IsDir() {
			switch {
			case base == ".trash" || base == ".git" || base == "node_modules":
				return fs.SkipDir
			case base == "metrics" && mlflowFolder(folder, path.Dir(at)):
				found[1] = append(found[1], path.Dir(at))
				return fs.SkipDir
			}
			return nil
		}
		for k, kind := range logKinds {
			if kind.is != nil && kind.is(base) {
				found[k] = append(found[k], at)
				break
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	read := -1
	for k, files := range found {
		switch {
		case len(files) == 0:
		case read < 0:
			read = k
			if err := b.logs(name, folder, k, files, progress); err != nil {
				return err
			}
		default:
			b.warn("%s also holds %d %s, which are not read with the %s: name them to read them",
				name, len(files), logKinds[k].what, logKinds[read].what)
		}
	}
	if read < 0 {
		var known []string
		for _, k := range logKinds {
			known = append(known, k.what)
		}
		return &Error{File: name, Problem: "no log in the folder; looked for " + strings.Join(known, ", ")}
	}
	return nil
}

// mlflowFolder tells a run of MLflow from another folder that has one called metrics.
func mlflowFolder(folder fs.FS, run string) bool {
	for _, beside := range []string{"meta.yaml", "params", "tags"} {
		if _, err := fs.Stat(folder, path.Join(run, beside)); err == nil {
			return true
		}
	}
	entries, err := fs.ReadDir(folder, path.Join(run, "metrics"))
	return err == nil && len(entries) > 0 && !strings.Contains(entries[0].Name(), ".")
}

// logs reads the files of one kind.
func (b *builder) logs(name string, folder fs.FS, kind int, files []string, progress func()) error {
	slices.Sort(files)
	b.known += len(files) - 1
	var first error
	failed := 0
	for _, at := range files {
		told := b.Len() + len(b.Lost) + len(b.Warnings)
		err := b.log(name, folder, kind, at)
		progress()
		if err == nil {
			// the rows of event files come when their folder is whole
			if told == b.Len()+len(b.Lost)+len(b.Warnings) && !strings.Contains(at, "tfevents") {
				b.warn("%s: holds no rows: skipped", path.Join(name, at))
			}
			continue
		}
		if failed++; first == nil {
			first = err
		}
		b.warn("%v: skipped", err)
	}
	if failed == len(files) {
		return first
	}
	return nil
}

func (b *builder) log(name string, folder fs.FS, kind int, at string) error {
	if logKinds[kind].is == nil {
		return b.mlflowRun(name, folder, at)
	}
	f, err := folder.Open(at)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return &Error{File: path.Join(name, at), Problem: "not a regular file"}
	}
	if wal, err := fs.Stat(folder, at+"-wal"); err == nil && wal.Size() > 0 {
		b.warn("%s: a program has it open, or was cut off: what is only in %s-wal is not read",
			path.Join(name, at), path.Base(at))
	}
	return b.fileOf(path.Join(name, at), f)
}
