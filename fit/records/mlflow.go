package records

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
)

// readMLflow returns the runs of an mlruns folder, of one experiment in it or of one run: one row a
// run and step, with the run's parameters on each row. A run is a folder that holds a folder
// metrics; each file there has lines of time, value and step.
func readMLflow(name string, folder fs.FS) (*Table, error) {
	b := builder{table: newTable(nil), at: map[string]*column{}}
	err := fs.WalkDir(folder, ".", func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".trash" {
			return fs.SkipDir
		}
		if !d.IsDir() || d.Name() != "metrics" {
			return nil
		}
		if err := b.mlflowRun(name, folder, path.Dir(at)); err != nil {
			return err
		}
		return fs.SkipDir
	})
	if err != nil {
		return nil, err
	}
	if b.table.Len() == 0 {
		return nil, &Error{
			File:    name,
			Problem: "no MLflow run with metrics and no TensorBoard event file in the folder",
		}
	}
	return b.table, nil
}

func (b *builder) mlflowRun(name string, folder fs.FS, run string) error {
	params, err := smallFiles(folder, path.Join(run, "params"))
	if err != nil {
		return err
	}
	metrics, err := smallFiles(folder, path.Join(run, "metrics"))
	if err != nil {
		return err
	}
	steps := map[int64]map[string]string{}
	for _, m := range metrics {
		for n, line := range strings.Split(strings.TrimSpace(m.text), "\n") {
			words := strings.Fields(line)
			step := int64(0)
			err := error(nil)
			if len(words) == 3 {
				step, err = strconv.ParseInt(words[2], 10, 64)
			}
			if len(words) < 2 || len(words) > 3 || err != nil {
				b.table.Lost = append(b.table.Lost,
					Lost{
						Origin{path.Join(name, run, "metrics", m.name), n + 1},
						fmt.Sprintf("no line of time, value and step: %q", line),
					})
				continue
			}
			if steps[step] == nil {
				steps[step] = map[string]string{}
			}
			steps[step][m.name] = words[1]
		}
	}
	order := make([]int64, 0, len(steps))
	for s := range steps {
		order = append(order, s)
	}
	slices.Sort(order)
	label := runName(folder, run)
	for i, s := range order {
		b.row(Origin{path.Join(name, run), i + 1})
		b.put("run", label)
		b.put("run_id", path.Base(run))
		b.put("step", strconv.FormatInt(s, 10))
		for _, p := range params {
			b.put(p.name, strings.TrimSpace(p.text))
		}
		for _, m := range metrics {
			if v, ok := steps[s][m.name]; ok {
				b.put(m.name, v)
			}
		}
	}
	return nil
}

// runName is the name in the run's meta.yaml, or its folder.
func runName(folder fs.FS, run string) string {
	var meta struct {
		Name string `yaml:"run_name"`
		ID   string `yaml:"run_id"`
	}
	if text, err := fs.ReadFile(folder, path.Join(run, "meta.yaml")); err == nil && yaml.Unmarshal(text, &meta) == nil {
		return cmp.Or(meta.Name, meta.ID, path.Base(run))
	}
	return path.Base(run)
}

type smallFile struct{ name, text string }

// smallFiles reads every file below a folder, sorted by name; a folder that is not there has none.
func smallFiles(folder fs.FS, root string) ([]smallFile, error) {
	var out []smallFile
	err := fs.WalkDir(folder, root, func(at string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if errors.Is(err, fs.ErrNotExist) && at == root {
				return fs.SkipAll
			}
			return err
		}
		text, err := fs.ReadFile(folder, at)
		out = append(out, smallFile{strings.TrimPrefix(at, root+"/"), string(text)})
		return err
	})
	return out, err
}
