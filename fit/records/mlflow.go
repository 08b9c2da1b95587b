package records

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

// mlflowRun reads a run of MLflow's folders: one row a step, with the run's parameters on each row. A
// run is a folder that holds a folder metrics; each file there has lines of time, value and step, to
// which newer versions add the name and digest of a dataset. Deleted runs, and those of deleted
// experiments, are not read.
//
// Source: mlflow/store/tracking/file_store.py.
func (b *builder) mlflowRun(name string, folder fs.FS, run string) error {
	meta, err := flatYAML(folder, path.Join(run, "meta.yaml"))
	if err != nil {
		return err
	}
	experiment, err := flatYAML(folder, path.Join(path.Dir(run), "meta.yaml"))
	if err != nil {
		return err
	}
	for _, m := range []map[string]string{meta, experiment} {
		if m["lifecycle_stage"] == "deleted" {
			b.deleted(path.Join(name, run, "meta.yaml"), "deleted in MLflow (lifecycle_stage)")
			return nil
		}
	}
	params, err := smallFiles(folder, path.Join(run, "params"))
	if err != nil {
		return err
	}
	id := cmp.Or(meta["run_id"], meta["run_uuid"], path.Base(run))
	label := meta["run_name"]
	if label == "" {
		tag, _ := fs.ReadFile(folder, path.Join(run, "tags", "mlflow.runName"))
		label = strings.TrimSpace(string(tag[:min(len(tag), maxSmall)]))
	}
	all := metrics{}
	root := path.Join(run, "metrics")
	err = fs.WalkDir(folder, root, func(at string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		return b.mlflowMetric(path.Join(name, at), folder, at, all.of(strings.TrimPrefix(at, root+"/")))
	})
	if err != nil {
		return err
	}
	b.begin(part{
		path: path.Join(name, run), id: id, name: label,
		experiment: cmp.Or(experiment["name"], meta["experiment_id"]),
	}, "MLflow runs")
	b.mlflowRows(all, params)
	return nil
}

// mlflowRows writes the rows of an MLflow run. A parameter of a metric's name reads as params.name.
func (b *builder) mlflowRows(all metrics, params []smallFile) {
	p := b.parts[b.part]
	for i, param := range params {
		if all[param.name] != nil {
			params[i].name = "params." + param.name
		}
	}
	before := len(b.rows)
	b.metricRows(all, "metrics", func() {
		b.put("run_id", p.id)
		if p.experiment != "" {
			b.put("experiment", p.experiment)
		}
		for _, param := range params {
			b.field("params", param.name, param.text)
		}
	})
	if len(b.rows) == before {
		b.warn("%s: the run has no metrics: skipped", p.path)
	}
}

func (b *builder) mlflowMetric(name string, folder fs.FS, at string, to *metric) error {
	f, err := folder.Open(at)
	if err != nil {
		return err
	}
	defer f.Close()
	b.in(name)
	l := lines{text: bufio.NewReader(f)}
	for {
		line, err := l.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return &Error{File: name, Line: l.line, Problem: err.Error()}
		}
		words := bytes.Fields(line)
		if len(words) == 0 {
			continue
		}
		step := int64(0)
		if len(words) > 2 {
			step, err = strconv.ParseInt(string(words[2]), 10, 64)
		}
		if n := len(words); n != 2 && n != 3 && n != 5 || err != nil {
			b.lose(name, l.line, "not a line of time, value and step: %s", quoted(string(line)))
			continue
		}
		ms, _ := strconv.ParseFloat(string(words[0]), 64)
		to.points = append(to.points, point{step, string(words[1]), b.file, int32(l.line), ms / 1e3})
	}
	to.inTime()
	return nil
}

// deleted notes a run that the tracker marks as gone.
func (b *builder) deleted(where, why string) {
	b.Lost = append(b.Lost, Lost{Origin{File: where}, why})
	b.found["deleted runs, not read"]++
}

// maxSmall is how large a file of one parameter, or of a run's description, may be.
const maxSmall = 1 << 16

// flatYAML reads the lines "key: value" of a file, without what is nested; a file that is not there
// has none. This is all that MLflow writes into meta.yaml, and costs no more than its text whatever
// the file holds.
func flatYAML(folder fs.FS, name string) (map[string]string, error) {
	f, err := folder.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSmall))
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(strings.TrimRight(line, " \r\n"), ":")
		if !ok || key == "" || strings.TrimLeft(key, " \t#-") != key {
			continue
		}
		value = strings.TrimSpace(value)
		if n := len(value); n > 1 && value[0] == value[n-1] && (value[0] == '\'' || value[0] == '"') {
			value = value[1 : n-1]
		}
		out[key] = value
	}
	return out, nil
}

type smallFile struct{ name, text string }

// smallFiles reads the beginning of every file below a folder, sorted by name; a folder that is not
// there has none.
func smallFiles(folder fs.FS, root string) ([]smallFile, error) {
	var out []smallFile
	err := fs.WalkDir(folder, root, func(at string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			if errors.Is(err, fs.ErrNotExist) && at == root {
				return fs.SkipAll
			}
			return err
		}
		f, err := folder.Open(at)
		if err != nil {
			return err
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, maxSmall))
		out = append(out, smallFile{strings.TrimPrefix(at, root+"/"), strings.TrimSpace(string(text))})
		return err
	})
	slices.SortFunc(out, func(a, b smallFile) int { return cmp.Compare(a.name, b.name) })
	return out, err
}
