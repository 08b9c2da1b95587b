package records

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// value is one logged loss.
type value struct {
	run  int
	step int64
	loss float64
}

// loggedRow is a value as Parquet has it.
type loggedRow struct {
	Run  string  `parquet:"run"`
	Step int64   `parquet:"step"`
	Loss float64 `parquet:"loss"`
}

// sqliteWriter writes stores of MLflow, laid out once: only their rows differ.
func sqliteWriter(t *testing.T) func(names []string, all []value) map[string]string {
	return func(names []string, all []value) map[string]string {
		statements := []string{`INSERT INTO experiments VALUES (0, 'sweep', '', 'active')`}
		seen := map[int]bool{}
		for i, v := range all {
			if !seen[v.run] {
				seen[v.run] = true
				statements = append(statements, fmt.Sprintf(
					`INSERT INTO runs VALUES ('id%d', '%s', 'FINISHED', %d, 'active', 0)`, v.run, names[v.run], v.run))
			}
			statements = append(statements, fmt.Sprintf(`INSERT INTO metrics VALUES ('loss', %v, %d, 'id%d', %d, 0)`,
				v.loss, i, v.run, v.step))
		}
		statement := "BEGIN; " + strings.Join(statements, "; ") + "; COMMIT"
		return map[string]string{"mlflow.db": mlflowStore(t, statement)}
	}
}

// writers turn runs into files of a format, by the names of the runs.
var writers = map[string]func(names []string, all []value) map[string]string{
	"csv": func(names []string, all []value) map[string]string {
		text := "run,step,loss\n"
		for _, v := range all {
			text += fmt.Sprintf("%s,%d,%v\n", names[v.run], v.step, v.loss)
		}
		return map[string]string{"runs.csv": text}
	},
	"json lines": func(names []string, all []value) map[string]string {
		text := ""
		for _, v := range all {
			text += fmt.Sprintf("{\"run\":%q,\"step\":%d,\"loss\":%v}\n", names[v.run], v.step, v.loss)
		}
		return map[string]string{"runs.jsonl": text}
	},
	"json": func(names []string, all []value) map[string]string {
		var items []string
		for _, v := range all {
			items = append(items, fmt.Sprintf("{\"run\":%q,\"step\":%d,\"loss\":%v}", names[v.run], v.step, v.loss))
		}
		return map[string]string{"runs.json": "[" + strings.Join(items, ",\n") + "]"}
	},
	"a table a run": func(names []string, all []value) map[string]string {
		files := map[string]string{}
		for _, v := range all {
			file := "logs//" + names[v.run] + "/log.csv"
			if files[file] == "" {
				files[file] = "step,loss\n"
			}
			files[file] += fmt.Sprintf("%d,%v\n", v.step, v.loss)
		}
		return files
	},
	"trainer states": func(names []string, all []value) map[string]string {
		files := map[string]string{}
		for _, v := range all {
			file := "logs//" + names[v.run] + "/trainer_state.json"
			files[file] += fmt.Sprintf(",{\"step\":%d,\"loss\":%v}", v.step, v.loss)
		}
		for file, text := range files {
			files[file] = `{"log_history":[` + text[1:] + "]}"
		}
		return files
	},
	"event files": func(names []string, all []value) map[string]string {
		files := map[string]string{}
		for _, v := range all {
			file := "logs//" + names[v.run] + "/events.out.tfevents.1.h"
			if files[file] == "" {
				files[file] = string(eventBytes())
			}
			files[file] += string(eventRecord(scalarEvent(v.step, "loss", v.loss, true)))
		}
		return files
	},
	"Parquet": func(names []string, all []value) map[string]string {
		var b bytes.Buffer
		w := parquet.NewGenericWriter[loggedRow](&b)
		for _, v := range all {
			if _, err := w.Write([]loggedRow{{names[v.run], v.step, v.loss}}); err != nil {
				panic(err)
			}
		}
		if err := w.Close(); err != nil {
			panic(err)
		}
		return map[string]string{"runs.parquet": b.String()}
	},
	"MLflow": func(names []string, all []value) map[string]string {
		files := map[string]string{}
		for _, v := range all {
			at := fmt.Sprintf("mlruns//1/id%d/", v.run)
			files[at+"meta.yaml"] = "run_name: " + names[v.run] + "\n"
			files[at+"metrics/loss"] += fmt.Sprintf("%d %v %d\n", v.step, v.loss, v.step)
		}
		return files
	},
}

// usedLosses are the steps and losses that a table has, sorted.
func usedLosses(table *Table) (out []string) {
	loss, err := table.Numbers("loss")
	if err != nil {
		return []string{err.Error()}
	}
	step, err := table.Numbers("step")
	if err != nil {
		return []string{err.Error()}
	}
	for row := range table.Len() {
		out = append(out, fmt.Sprintf("%d %v", int64(step.Values[row]), loss.Values[row]))
	}
	slices.Sort(out)
	return out
}

// Runs that are written and read have the same values, in every format; in another order of lines,
// with a copy of every file, or with all runs under one name, they have the same values too, or a
// message says what is not used. Nothing is lost in silence: what was written is used or listed.
func TestNothingIsLost(t *testing.T) {
	formats := maps.Clone(writers)
	formats["MLflow's SQLite"] = sqliteWriter(t)
	for format, write := range formats {
		t.Run(format, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				names, all, want := drawRuns(t)
				change := rapid.SampledFrom([]string{"none", "shuffled", "copied", "one name", "renamed"}).Draw(t, "change")
				order := rapid.Permutation(all).Draw(t, "order")
				switch change {
				case "none":
					order = all
				case "one name":
					order = all
					if format == "a table a run" || format == "trainer states" || format == "event files" {
						break // the path is the run
					}
					for i := range names {
						names[i] = names[0]
					}
				case "renamed":
					order = all
					for i := range names {
						names[i] = fmt.Sprintf("other-%d", len(names)-i)
					}
				}
				files := write(names, order)
				in := inputs(files)
				if change == "copied" {
					for _, input := range inputs(files) {
						input.Name = "copy/" + input.Name
						in = append(in, input)
					}
				}
				table, err := ReadAll(in, Options{})
				if err != nil {
					t.Fatalf("%s %s: %v", format, change, err)
				}
				got := usedLosses(table)
				same := slices.Equal(got, want)
				if (change == "none" || change == "renamed") && !same {
					t.Fatalf("%s %s: %v, want %v\n%v\n%v", format, change, got, want, table.Warnings, files)
				}
				if !same && len(table.Warnings) == 0 {
					t.Fatalf("%s %s: %v, want %v, and nothing is told", format, change, got, want)
				}
				if want, ok := fitOf(all); ok && same {
					if got, _ := fitOfTable(t, table); !approx.Relative(got, want, sameFit) {
						t.Fatalf("%s %s: a slope of %v, want %v", format, change, got, want)
					}
				}
				written := len(all)
				if change == "copied" {
					written *= 2
				}
				if read := table.Len() + len(table.Lost); read != written {
					t.Fatalf("%s %s: %d rows and %d lost of %d written: %v", format, change, table.Len(),
						len(table.Lost), written, table.Lost)
				}
			})
		})
	}
}

// sameFit is relative: sums of a few rows in another order.
const sameFit = 1e-9

// fitOf returns the slope of loss over step by least squares, the fit of the logs of these tests;
// false where one step leaves it open.
func fitOf(all []value) (slope float64, ok bool) {
	var x, y, xx, xy float64
	for _, v := range all {
		s := float64(v.step)
		x, y, xx, xy = x+s, y+v.loss, xx+s*s, xy+s*v.loss
	}
	n := float64(len(all))
	if n*xx-x*x == 0 {
		return 0, false
	}
	return (n*xy - x*y) / (n*xx - x*x), true
}

// fitOfTable is fitOf the rows that a table has.
func fitOfTable(t *rapid.T, table *Table) (float64, bool) {
	loss, err := table.Numbers("loss")
	if err != nil {
		t.Fatal(err)
	}
	step, err := table.Numbers("step")
	if err != nil {
		t.Fatal(err)
	}
	var all []value
	for row := range table.Len() {
		all = append(all, value{0, int64(step.Values[row]), loss.Values[row]})
	}
	return fitOf(all)
}

// drawRuns draws up to four runs of rising steps with values that differ, and what reading should
// find.
func drawRuns(t *rapid.T) (names []string, all []value, want []string) {
	for run := range rapid.IntRange(1, 4).Draw(t, "runs") {
		names = append(names, fmt.Sprintf("run-%d", run))
		step := int64(0)
		for range rapid.IntRange(1, 8).Draw(t, "rows") {
			step += rapid.Int64Range(1, 100).Draw(t, "step")
			v := value{run, step, 2 + math.Round(1e6/math.Sqrt(float64(step)))/1e6 + float64(run)}
			all = append(all, v)
			want = append(want, fmt.Sprintf("%d %v", v.step, v.loss))
		}
	}
	slices.Sort(want)
	return names, all, want
}

// FuzzFolder reads what lies in a folder of each kind; damaged parts never take the program down.
func FuzzFolder(f *testing.F) {
	f.Add("a/events.out.tfevents.1", eventBytes(scalarEvent(1, "loss", 2, false), sessionStart(1)), []byte("1 2 3\n"))
	f.Add("1/a/metrics/loss", []byte("1 2 3\n1 nan 4 x y\n"), []byte("run_name: x\nlifecycle_stage: deleted\n"))
	f.Add("a/trainer_state.json", []byte(`{"log_history":[{"step":1,"loss":NaN}]}`), []byte("{"))
	f.Add("m.parquet", []byte("PAR1"), []byte("PAR1"))
	f.Fuzz(func(t *testing.T, name string, data, other []byte) {
		folder := fstest.MapFS{"1/a/meta.yaml": &fstest.MapFile{Data: other}, "b/metrics.csv": &fstest.MapFile{Data: other}}
		if !fsValid(name) {
			return
		}
		folder[name] = &fstest.MapFile{Data: data}
		table, err := readFolder("f", folder)
		if err != nil {
			return
		}
		_ = table.Has("loss")
	})
}

func fsValid(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.HasPrefix(name, "1/a/meta.yaml") &&
		!strings.HasPrefix(name, "b/metrics.csv") && name != "1" && name != "1/a" && name != "b"
}

// FuzzParquet begins with whole files.
func FuzzParquet(f *testing.F) {
	f.Add([]byte(writeParquet[plainRow](f, 20)[4:]))
	f.Add([]byte(writeParquet[packedRow](f, 20, parquet.Compression(&parquet.Zstd))[4:]))
	f.Add([]byte(writeParquet[packedRow](f, 20, parquet.DataPageVersion(2), parquet.Compression(&parquet.Snappy))[4:]))
	f.Fuzz(func(t *testing.T, data []byte) {
		if table, err := readFile("r.parquet", strings.NewReader("PAR1"+string(data))); err == nil {
			_ = table.Has("loss")
		}
	})
}

// FuzzSQLite begins with a whole store.
func FuzzSQLite(f *testing.F) {
	f.Add([]byte(mlflowStore(f, `INSERT INTO experiments VALUES (0, 'sweep', '', 'active')`,
		`INSERT INTO runs VALUES ('aaa', 't5', 'FINISHED', 1, 'active', 0)`,
		`INSERT INTO metrics VALUES ('loss', 3, 1, 'aaa', 100, 0), ('loss', 2.5, 2, 'aaa', 200, 0)`,
		`INSERT INTO params VALUES ('params', '60000000', 'aaa')`)[16:]))
	f.Fuzz(func(t *testing.T, data []byte) {
		if table, err := readFile("mlflow.db", strings.NewReader("SQLite format 3\x00"+string(data))); err == nil {
			_ = table.Has("loss")
		}
	})
}
