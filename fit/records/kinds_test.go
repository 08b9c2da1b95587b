package records

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The kinds of inputs that were once misread; the numbers C.. are those of the cases they come from.

// law is the curve by which the logs of these tests are written.
func law(a float64, step int64) float64 { return 2 + a/math.Sqrt(float64(step)) }

// curve is an event file of ten steps.
func curve(a float64) string {
	var events [][]byte
	for step := int64(100); step <= 1000; step += 100 {
		events = append(events, scalarEvent(step, "loss", law(a, step), true))
	}
	return string(eventBytes(events...))
}

// stateOf is a trainer_state.json of ten steps.
func stateOf(a float64, upTo int64) string {
	var b strings.Builder
	for step := int64(100); step <= upTo; step += 100 {
		fmt.Fprintf(&b, `,{"step": %d, "epoch": %v, "loss": %v}`, step, float64(step)/1000, law(a, step))
	}
	return `{"best_metric": null, "log_history": [` + b.String()[1:] + `]}`
}

// losses are the finite losses of each run, by step.
func losses(t *testing.T, table *Table) map[string][]float64 {
	t.Helper()
	n, err := table.Numbers("loss")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]float64{}
	for row, run := range table.Runs() {
		if v := n.Values[row]; !math.IsNaN(v) {
			out[run] = append(out[run], v)
		}
	}
	return out
}

func runNames(table *Table) []string {
	names := slices.Clone(table.Runs())
	slices.Sort(names)
	return slices.Compact(names)
}

func told(table *Table, words ...string) bool {
	all := strings.Join(table.Warnings, "\n")
	for _, l := range table.Lost {
		all += "\n" + l.String() + " " + l.Reason
	}
	for _, w := range words {
		if !strings.Contains(all, w) {
			return false
		}
	}
	return true
}

// K4: a run is told apart by its path or key, and is called by the shortest path that differs.
func TestIdentity(t *testing.T) {
	const state = "/checkpoint-1000/trainer_state.json"
	for _, c := range []struct {
		about, key string
		files      map[string]string
		want       []string
	}{
		{"C08: states of three models", "", map[string]string{
			"t5-small" + state: stateOf(8, 1000), "t5-base" + state: stateOf(6, 1000), "t5-large" + state: stateOf(5, 1000),
		}, []string{"t5-base/checkpoint-1000", "t5-large/checkpoint-1000", "t5-small/checkpoint-1000"}},
		{"C09: version_0 of three models", "", map[string]string{
			"logs//a/version_0/events.out.tfevents.1.h": curve(8), "logs//b/version_0/events.out.tfevents.1.h": curve(6),
		}, []string{"a/version_0", "b/version_0"}},
		{"a run alone in a numbered folder", "", map[string]string{
			"x/lightning_logs/version_3/events.out.tfevents.1.h": curve(8),
		}, []string{"x/lightning_logs/version_3"}},
		{"three states of one run: the fullest counts", "", map[string]string{
			"m/checkpoint-300/trainer_state.json":  stateOf(8, 300),
			"m/checkpoint-1000/trainer_state.json": stateOf(8, 1000),
			"m/checkpoint-600/trainer_state.json":  stateOf(8, 600),
		}, []string{"m/checkpoint-1000"}},
		{"a folder and its copy", "", map[string]string{
			"logs//a/events.out.tfevents.1.h": curve(8), "copy//a/events.out.tfevents.1.h": curve(8),
		}, []string{"a"}},
		{"CSV logs of Lightning", "", map[string]string{
			"logs//a/version_0/metrics.csv": "epoch,step,train_loss\n0,1,3\n0,2,2.5\n",
			"logs//b/version_0/metrics.csv": "epoch,step,train_loss\n0,1,4\n0,2,3.5\n",
		}, []string{"a/version_0", "b/version_0"}},
		{"a name that is not the key, in a table", "", map[string]string{
			"r.csv": "run_name,run_id,step,loss\nt5,x1,1,3\nt5,x1,2,2\nt5,x2,1,4\nt5,x2,2,3\nbert,x3,1,5\n",
		}, []string{"bert", "t5 (x1)", "t5 (x2)"}},
		{"what a run cannot change, in a table without keys", "", map[string]string{
			"r.csv": "run,params,tokens,loss\nt5,1e8,1e9,3\nt5,1e8,2e9,2.5\nt5,2e8,1e9,2.8\n",
		}, []string{"t5 (params 1e8)", "t5 (params 2e8)"}},
		{"seeds of one name", "", map[string]string{
			"r.csv": "run,seed,step,loss\na,1,1,3\na,1,2,2\na,2,1,3.1\na,2,2,2.1\n",
		}, []string{"a (seed 1)", "a (seed 2)"}},
		{"another column that tells the rows of a step apart", "", map[string]string{
			"r.jsonl": `{"run":"a","split":"train","step":1,"loss":3}` + "\n" + `{"run":"a","split":"train","step":2,"loss":2}` +
				"\n" + `{"run":"a","split":"eval","step":1,"loss":3.5}` + "\n" + `{"run":"a","split":"eval","step":2,"loss":2.5}`,
		}, []string{"a (split eval)", "a (split train)"}},
		{"columns that the user names", "model,seed", map[string]string{
			"r.csv": "model,seed,step,loss\na,1,1,3\na,2,1,2\n",
		}, []string{"a, 1", "a, 2"}},
		{"curves in two files without a run", "", map[string]string{
			"a/log.csv": "step,loss\n1,3\n2,2\n", "b/log.csv": "step,loss\n1,4\n2,3\n",
		}, []string{"a/log.csv", "b/log.csv"}},
		{"a name in two tables of runs", "", map[string]string{
			"a.csv": "run,loss\nx,3\n", "b.csv": "run,loss\nx,4\n",
		}, []string{"x (a.csv)", "x (b.csv)"}},
		{"a chart in which two runs share a name", "", map[string]string{
			"w.csv": "Step,r - loss,r - loss__MIN,r - loss__MAX,r - loss,r - loss__MIN,r - loss__MAX\n1,3,3,3,4,4,4\n2,2,2,2,3,3,3\n",
		}, []string{"r", "r #2"}},
	} {
		table := readAll(t, c.key, c.files)
		if diff := cmp.Diff(c.want, runNames(table)); diff != "" {
			t.Errorf("%s: %s\nwarnings %v", c.about, diff, table.Warnings)
		}
	}
}

// mlflow is a run of MLflow's folders; meta is added to its meta.yaml.
func mlflow(files map[string]string, id, name, meta string, metrics map[string]string, params map[string]string) {
	at := "mlruns//1/" + id + "/"
	files[at+"meta.yaml"] = "run_id: " + id + "\nrun_name: '" + name + "'\n" + meta
	for k, v := range metrics {
		files[at+"metrics/"+k] = v
	}
	for k, v := range params {
		files[at+"params/"+k] = v
	}
}

// K4, K7, K13 and K5 in MLflow's folders.
func TestMLflowKinds(t *testing.T) {
	files := map[string]string{}
	for i := range 20 { // C11, and C18 with the last five deleted
		meta := "lifecycle_stage: active\n"
		if i >= 15 {
			meta = "lifecycle_stage: deleted\n"
		}
		mlflow(files, fmt.Sprintf("%04x", i), "train-t5", meta,
			map[string]string{"loss": fmt.Sprintf("1 4 50\n2 %v 100\n", 3+float64(i)/10)},
			map[string]string{"params": fmt.Sprint(1e8 * (1 + i))})
	}
	table := readAll(t, "", files)
	if n := len(runNames(table)); n != 15 || table.Len() != 30 || !told(table, "deleted in MLflow", "share their name") || len(table.Lost) != 5 {
		t.Errorf("%d runs, %d rows, lost %v, warnings %v", n, table.Len(), table.Lost, table.Warnings)
	}
	s := table.All()
	if err := s.LastOfRun(table, "run"); err != nil || len(s.Rows) != 15 {
		t.Errorf("%d last rows, %v", len(s.Rows), err)
	}

	// C32: parameters called as our columns; and one called as a metric.
	files = map[string]string{}
	mlflow(files, "1", "one", "", map[string]string{"loss": "1 3 10\n2 2 20\n"},
		map[string]string{"step": "warmup-stable-decay", "run": "prod", "loss": "cross entropy"})
	table = readAll(t, "", files)
	want := "run|run_id|params.loss|params.run|params.step|step|loss\none|1|cross entropy|prod|warmup-stable-decay|10|3\none|1|cross entropy|prod|warmup-stable-decay|20|2\n"
	if diff := cmp.Diff(want, dump(t, table)); diff != "" || !told(table, "params.step", "params.run") {
		t.Errorf("%s\nwarnings %v", diff, table.Warnings)
	}

	// C19: values without a step.
	files = map[string]string{}
	mlflow(files, "1", "one", "", map[string]string{"loss": "1 3 0\n2 2.5 0\n3 2.25 0\n", "f1": "1 0.5 0\n2 0.6 0\n3 0.7 0\n"}, nil)
	table = readAll(t, "", files)
	want = "run|run_id|step|order|f1|loss\none|1||1|0.5|3\none|1||2|0.6|2.5\none|1||3|0.7|2.25\n"
	if diff := cmp.Diff(want, dump(t, table)); diff != "" || !told(table, "without a step", "--x order") {
		t.Errorf("%s\nwarnings %v", diff, table.Warnings)
	}

	// A deleted experiment, a run that is a folder of its own, a run without metrics.
	files = map[string]string{"mlruns//1/meta.yaml": "name: old\nlifecycle_stage: deleted\n"}
	mlflow(files, "1", "one", "", map[string]string{"loss": "1 3 10\n"}, nil)
	table = readAll(t, "", files)
	if table.Len() != 0 || len(table.Lost) != 1 {
		t.Errorf("%d rows of a deleted experiment, lost %v", table.Len(), table.Lost)
	}

	// A description that is a bomb for a reader of YAML costs no more than its text.
	files = map[string]string{}
	mlflow(files, "1", "one", "a: "+strings.Repeat("[", 60_000)+"\nb: &b [x,x]\nc: [*b,*b]\n",
		map[string]string{"loss": "1 3 10\n"}, nil)
	if table = readAll(t, "", files); table.Len() != 1 {
		t.Errorf("%d rows", table.Len())
	}
}

// sessionStart is the event that says that a run goes on from a step.
func sessionStart(step int64) []byte {
	e := scalarEvent(step, "x", 0, false)
	e = e[:len(e)-len(tagged(5, 2, tagged(1, 2, append(tagged(1, 2, []byte("x")), tagged(2, 5, make([]byte, 4))...))))]
	return append(e, tagged(7, 2, tagged(1, 0, []byte{1}))...)
}

// K5: the later attempt counts, in event files (C13), tables and logs of JSON lines.
func TestRestarts(t *testing.T) {
	first := eventBytes(
		scalarEvent(100, "loss", 5, false), scalarEvent(200, "loss", 4, false), scalarEvent(300, "loss", 9, false),
		scalarEvent(400, "loss", 10, false), scalarEvent(400, "other", 1, false),
	)
	again := [][]byte{scalarEvent(350, "loss", 3, false), scalarEvent(450, "loss", 2.5, false)}
	lines := ""
	for _, at := range [][2]float64{{100, 5}, {200, 4}, {300, 9}, {400, 10}, {350, 3}, {450, 2.5}} {
		lines += fmt.Sprintf(`{"run":"a","step":%v,"loss":%v}`+"\n", at[0], at[1])
	}
	for _, c := range []struct {
		about string
		files map[string]string
		want  []float64
		other int // rows that still have the other tag
	}{
		{"a session start", map[string]string{
			"l//a/events.out.tfevents.1000.h": string(first),
			"l//a/events.out.tfevents.2000.h": string(eventBytes(append([][]byte{sessionStart(300)}, again...)...)),
		}, []float64{5, 4, 3, 2.5}, 0},
		{"a later file that goes on from an earlier step", map[string]string{
			"l//a/events.out.tfevents.1000.h": string(first), "l//a/events.out.tfevents.2000.h": string(eventBytes(again...)),
		}, []float64{5, 4, 9, 3, 2.5}, 1},
		{"the later file is the one that was begun later, not the one named first", map[string]string{
			"l//a/events.out.tfevents.10000.h": string(eventBytes(again...)), "l//a/events.out.tfevents.2000.h": string(first),
		}, []float64{5, 4, 9, 3, 2.5}, 1},
		{"a session start within a file", map[string]string{
			"l//a/events.out.tfevents.1000.h": string(first) + string(eventRecord(sessionStart(300))) +
				string(eventRecord(again[0])) + string(eventRecord(again[1])),
		}, []float64{5, 4, 3, 2.5}, 0},
		{"rows of a table that fall back", map[string]string{"r.jsonl": lines}, []float64{5, 4, 9, 3, 2.5}, 0},
	} {
		table := readAll(t, "", c.files)
		got := losses(t, table)
		if len(got) != 1 || !told(table, "restart") {
			t.Errorf("%s: runs %v, warnings %v", c.about, got, table.Warnings)
		}
		for _, values := range got {
			if c.about == "rows of a table that fall back" {
				slices.Sort(values)
				slices.Sort(c.want)
			}
			if diff := cmp.Diff(c.want, values); diff != "" {
				t.Errorf("%s: %s", c.about, diff)
			}
		}
	}

	// Two values of a step in one attempt: the later counts and the other is listed; rows of a step
	// that do not contradict each other are one.
	table := readAll(t, "", map[string]string{"r.csv": "run,step,loss\na,1,3\na,2,2\na,2,2.5\na,3,1\n"})
	if diff := cmp.Diff(map[string][]float64{"a": {3, 2.5, 1}}, losses(t, table)); diff != "" || !told(table, "r.csv:3 a later row") {
		t.Errorf("%s %v", diff, table.Lost)
	}
	table = readAll(t, "", map[string]string{"l//m/metrics.csv": "epoch,step,train_loss,val_loss\n0,1,3,\n0,1,,3.5\n0,2,2,\n0,2,,2.5\n"})
	if diff := cmp.Diff("run|epoch|step|train_loss|val_loss\nm|0|1|3|3.5\nm|0|2|2|2.5\n", dump(t, table)); diff != "" {
		t.Error(diff)
	}
	// Steps in no order are not a restart.
	table = readAll(t, "", map[string]string{"r.csv": "run,step,loss\na,5,1\na,4,2\na,3,3\na,2,4\na,1,5\n"})
	if table.Len() != 5 {
		t.Errorf("%d rows of a table from the last step to the first", table.Len())
	}
	// Nor is a table without runs touched.
	table = readAll(t, "", map[string]string{"r.csv": "x,step,loss\n1,5,1\n2,5,2\n3,5,3\n"})
	if table.Len() != 3 {
		t.Errorf("%d rows of a table without runs", table.Len())
	}
}

// K6: what is not a number is an absent cell with a reason, in every format alike (C15, C16).
func TestNotANumber(t *testing.T) {
	nan := scalarEvent(2, "loss", math.NaN(), false)
	for about, files := range map[string]map[string]string{
		"csv":           {"r.csv": "step,loss\n1,3\n2,NaN\n3,2\n"},
		"csv, inf":      {"r.csv": "step,loss\n1,3\n2,-inf\n3,2\n"},
		"events":        {"a/events.out.tfevents.1.h": string(eventBytes(scalarEvent(1, "loss", 3, false), nan, scalarEvent(3, "loss", 2, false)))},
		"trainer state": {"a/trainer_state.json": `{"log_history":[{"step":1,"loss":3},{"step":2,"loss":NaN},{"step":3,"loss":2,"grad_norm":-Infinity}]}`},
		"json lines":    {"r.jsonl": "{\"step\":1,\"loss\":3}\n{\"step\":2,\"loss\":Infinity}\n{\"step\":3,\"loss\":2}"},
		"json":          {"r.json": `[{"step":1,"loss":3},{"step":2,"loss":"nan"},{"step":3,"loss":2,"text":"a NaN in a \"text\""}]`},
	} {
		table := readAll(t, "", files)
		n, err := table.Numbers("loss")
		if err != nil || table.Len() != 3 || n.Values[0] != 3 || n.Values[2] != 2 || !math.IsNaN(n.Values[1]) ||
			!strings.Contains(n.Fault(1), "not a finite number") {
			t.Errorf("%s: %v, %v", about, n, err)
		}
	}
}

// K3: a part that holds nothing is skipped with a line (C06); alone it is an error.
func TestEmptyParts(t *testing.T) {
	empty := string(eventBytes())
	table := readAll(t, "", map[string]string{
		"logs//run1/events.out.tfevents.1.h":              curve(8),
		"logs//run1/1700000000.5/events.out.tfevents.2.h": empty,
	})
	if got := losses(t, table); len(got["run1"]) != 10 || !told(table, "no scalars") {
		t.Errorf("runs %v, warnings %v", runNames(table), table.Warnings)
	}
	table = readAll(t, "", map[string]string{
		"logs//a/trainer_state.json": stateOf(8, 300), "logs//b/trainer_state.json": `{"log_history": []}`,
		"logs//c/trainer_state.json": "",
	})
	if got := losses(t, table); len(got["a"]) != 3 || !told(table, "b/trainer_state.json", "c/trainer_state.json") {
		t.Errorf("runs %v, warnings %v", runNames(table), table.Warnings)
	}
	// five more: of Lightning, Ray, Hugging Face, MLflow and polars
	for about, files := range map[string]map[string]string{
		"a CSV log with its heading alone": {
			"logs//a/version_0/metrics.csv": "epoch,step,loss\n0,1,3\n0,2,2\n", "logs//b/version_0/metrics.csv": "epoch,step,loss\n",
		},
		"a CSV log of no bytes": {
			"logs//a/version_0/metrics.csv": "epoch,step,loss\n0,1,3\n0,2,2\n", "logs//b/version_0/metrics.csv": "",
		},
		"a trial that stopped before its first result": {
			"logs//a/result.jsonl": "{\"step\":1,\"loss\":3}\n{\"step\":2,\"loss\":2}\n", "logs//b/result.jsonl": "",
		},
		"a Parquet file of no rows": {
			"logs//a.parquet": writeParquet[plainRow](t, 2), "logs//b.parquet": writeParquet[plainRow](t, 0),
		},
		"a Parquet file of no bytes": {
			"logs//a.parquet": writeParquet[plainRow](t, 2), "logs//b.parquet": "",
		},
	} {
		table, err := ReadAll(inputs(files), Options{})
		if err != nil || table.Len() != 2 || !told(table, "b") {
			t.Errorf("%s: %v, %+v", about, err, table)
		}
	}
	for _, files := range []map[string]string{
		{"events.out.tfevents.1": empty}, {"logs//readme": "x"}, {"logs//a/trainer_state.json": ""},
	} {
		if table, err := ReadAll(inputs(files), Options{}); err == nil {
			t.Errorf("%v: %d rows", files, table.Len())
		}
	}
}

// K8: a unit in words, powers and suffixes is honoured, mapped or not (C20).
func TestUnitsInWords(t *testing.T) {
	for _, c := range []struct {
		heading, cell, ours string
		want                float64
	}{
		{"params (millions)", "60", "params", 60e6},
		{"Parameters [Millions]", "0.5", "params", 5e5},
		{"params_m", "1.1", "params", 1.1e6},
		{"num_params_M", "60", "params", 60e6},
		{"n_params_in_billions", "2", "params", 2e9},
		{"Params, billions", "2", "params", 2e9},
		{"tokens_b", "2", "tokens", 2e9},
		{"B tokens", "2", "tokens", 2e9},
		{"billions of tokens", "2", "tokens", 2e9},
		{"tokens (x1e9)", "2", "tokens", 2e9},
		{"tokens (10^9)", "2", "tokens", 2e9},
		{"tokens (×10⁹)", "2", "tokens", 2e9},
		{"D (bn)", "2", "tokens", 2e9},
		{"tokens (1,000,000)", "2", "tokens", 2e6},
		{"flops (1e18)", "1.5", "flops", 1.5e18},
		{"train_gflops", "3", "flops", 3e9},
		{"total exaflops", "3", "flops", 3e18},
		{"zettaFLOPs", "3", "flops", 3e21},
		{"compute (PF-days)", "1", "flops", 8.64e19},
		{"train_pf_days", "1", "flops", 8.64e19},
		{"score (%)", "85", "score", 0.85},
		{"score", "85%", "score", 0.85},
		{"params", "1,234,567", "params", 1234567},
		{"params", "1 234 567", "params", 1234567},
		{"params", "1_234_567", "params", 1234567},
		{"tokens (thousands)", "5", "tokens", 5000},
		{"#params (M)", "60", "params", 60e6},
		{"N (M)", "60", "params", 60e6},
		{"elapsed_hours", "2", "elapsed", 7200},
		{"runtime (min)", "2", "elapsed", 120},
		{"Elapsed Time [h]", "0.5", "elapsed", 1800},
		{"step_time_ms", "250", "step_seconds", 0.25},
	} {
		table := mustRead(t, "r.csv", fmt.Sprintf("%q,x\n%q,1\n", c.heading, c.cell))
		if got := numbers(t, table, c.ours); got[0] != c.want {
			n, _ := table.Numbers(c.ours)
			t.Errorf("%s %s = %v, want %v (%s)", c.heading, c.cell, got[0], c.want, n.Fault(0))
		}
		table = mustRead(t, "r.csv", fmt.Sprintf("%q,x\n%q,1\n", c.heading, c.cell))
		if err := table.Map(c.ours, c.heading); err != nil {
			t.Fatal(err)
		}
		if got := numbers(t, table, c.ours); got[0] != c.want {
			t.Errorf("mapped %s %s = %v, want %v", c.heading, c.cell, got[0], c.want)
		}
		if c.cell == c.heading || c.want == 1234567 || c.cell == "85%" {
			continue
		}
		if d := table.Derived(); len(d) != 1 || !strings.Contains(d[0].How, c.heading) {
			t.Errorf("%s: shown as %v", c.heading, d)
		}
	}
	// A logarithm, a unit in the map, a unit only once.
	table := mustRead(t, "r.csv", "log10_params,size,params (millions)\n8,60,60M\n")
	if err := table.Map("params", "log10_params"); err != nil || numbers(t, table, "params")[0] != 1e8 {
		t.Errorf("a logarithm: %v", err)
	}
	if err := table.Map("params", "size [M]"); err != nil || numbers(t, table, "params")[0] != 60e6 {
		t.Errorf("a unit in the map: %v", err)
	}
	n, err := table.Numbers("params (millions)")
	if err != nil || !math.IsNaN(n.Values[0]) || !strings.Contains(n.Fault(0), "the heading states a unit") {
		t.Errorf("a unit twice: %v, %v", n, err)
	}
}

// Commas: decimal where the table shows it, thousands where it does, else a fault.
func TestCommas(t *testing.T) {
	for _, c := range []struct {
		about, text string
		want        float64
		fault       string
	}{
		{"decimal", "loss;x\n3,14;a\n2,718;b\n", 3.14, ""},
		{"decimal with points of thousands", "loss;n\n3,14;1.234,5\n", 3.14, ""},
		{"thousands", "loss,n\n\"1,234\",a\n", 1234, ""},
		{"neither can be told", "loss;n\n3,145;a\n2,981;b\n", 0, "decimal or part thousands"},
		{"both", "loss;n\n3,14;1,234,567\n", 3.14, ""},
		{"no number", "loss;n\n3,1,4;1\n", 0, "separator inside a number"},
	} {
		table := mustRead(t, "r.csv", c.text)
		n, err := table.Numbers("loss")
		if err != nil {
			t.Fatal(err)
		}
		if c.fault == "" && n.Values[0] != c.want || c.fault != "" && !strings.Contains(n.Fault(0), c.fault) {
			t.Errorf("%s: %v, %q", c.about, n.Values[0], n.Fault(0))
		}
	}
}

// K9: amounts that no run has are a question.
func TestImplausible(t *testing.T) {
	for text, want := range map[string]string{
		"params,tokens\n50,3e9\n100,3e9\n200,3e9\n":   "params of at most",
		"params,tokens\n5e7,2\n1e8,4\n2e8,8\n":        "tokens of at most",
		"params,tokens\n5e10,2e3\n1e11,4e3\n":         "tokens a parameter",
		"flops,params\n1,1e8\n2,1e8\n":                "flops of at most",
		"params,tokens\n5e7,2e9\n1e8,4e9\n":           "",
		"params [1],tokens [1]\n50,200\n100,200\n":    "",
		"params [k],tokens [k]\n50,2000\n100,20000\n": "",
	} {
		table := mustRead(t, "r.csv", text)
		err := table.Implausible(table.All().Rows, "params", "tokens", "flops")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// K12: row names of R, separators after the last cell, comments and Excel's line (C29).
func TestTablesOfOtherPrograms(t *testing.T) {
	for about, text := range map[string]string{
		"R":                         "\"params\" \"loss\"\n",
		"row names of R":            "\"params\",\"loss\"\n\"1\",6e7,3.1\n\"2\",2e8,2.9\n",
		"a comma after each row":    "params,loss\n6e7,3.1,\n2e8,2.9,\n",
		"a comma after the heading": "params,loss,\n6e7,3.1\n2e8,2.9\n",
		"comments":                  "# written by x\n## y\nparams,loss\n6e7,3.1\n2e8,2.9\n",
		"a line of Excel":           "sep=;\nparams;loss\n6e7;3.1\n2e8;2.9\n",
		"bars":                      "params|loss\n6e7|3.1\n2e8|2.9\n",
		"an index of pandas":        ",params,loss\n0,6e7,3.1\n1,2e8,2.9\n",
		"a line break in a cell":    "params,loss,note\n6e7,3.1,\"a\nb\"\n2e8,2.9,\"c \"\"d\"\"\"\n",
	} {
		if about == "R" {
			continue
		}
		table := mustRead(t, "r.csv", text)
		if got := numbers(t, table, "loss"); !slices.Equal(got, []float64{3.1, 2.9}) {
			t.Errorf("%s: %v %v", about, got, table.Lost)
		}
		if got := numbers(t, table, "params"); !slices.Equal(got, []float64{6e7, 2e8}) {
			t.Errorf("%s: %v", about, got)
		}
	}
}

// Names that users write are read by all commands; two candidates are a question.
func TestSynonyms(t *testing.T) {
	for ours, all := range map[string][]string{
		"params":               {"N", "n_params", "num_params", "Num Parameters", "model_size", "model.n_params", "params.params", "config.num_params"},
		"tokens":               {"D", "tokens_seen", "n_tok", "data.total_tokens", "metrics.tokens", "num_input_tokens_seen"},
		"loss":                 {"val_loss", "eval/loss", "valid/loss", "metrics.val_loss", "Validation Loss", "train/loss", "summary.eval_loss"},
		"flops":                {"C", "train_flops", "total_flos"},
		"step":                 {"global_step", "trainer/global_step", "_step", "iteration"},
		"non_embedding_params": {"non_embedding"},
	} {
		for _, theirs := range all {
			table := mustRead(t, "r.csv", theirs+",x\n1e9,2\n")
			if n, err := table.Numbers(ours); err != nil || n.Values[0] != 1e9 || table.ReadAs(ours) == "" && fold(theirs) != ours {
				t.Errorf("%s is not read as %s: %v", theirs, ours, err)
			}
		}
	}
	table := mustRead(t, "r.csv", "train/loss,eval/loss,n,d\n1,2,3,4\n")
	var several *AmbiguousError
	if _, err := table.Numbers("loss"); !errors.As(err, &several) || len(several.Columns) != 2 || !table.Has("loss") {
		t.Errorf("two candidates: %v", err)
	}
	if table.Has("params") || table.Has("tokens") {
		t.Error("n or d was read as params or tokens")
	}
	if err := table.Map("loss", "eval/loss"); err != nil || numbers(t, table, "loss")[0] != 2 {
		t.Errorf("the answer: %v", err)
	}
}

// Curves and a table of runs, joined.
func TestJoinRuns(t *testing.T) {
	curves := func() *Table {
		return readAll(t, "", map[string]string{
			"l//t5-small/version_0/events.out.tfevents.1.h": curve(8), "l//t5-base/version_0/events.out.tfevents.1.h": curve(6),
		})
	}
	table := curves()
	if err := table.JoinRuns(mustRead(t, "runs.csv", "run,params (millions),loss\nt5-base,220,1\nt5-small,60,2\nt5-xl,3000,9\n"), "runs.csv"); err != nil {
		t.Fatal(err)
	}
	params := numbers(t, table, "params")
	for row, run := range table.Runs() {
		if want := map[string]float64{"t5-small/version_0": 60e6, "t5-base/version_0": 220e6}[run]; params[row] != want {
			t.Fatalf("run %s has %v parameters, want %v", run, params[row], want)
		}
	}
	if !told(table, "1 of 3 rows") || len(losses(t, table)["t5-base/version_0"]) != 10 {
		t.Errorf("warnings %v", table.Warnings)
	}
	for text, want := range map[string]string{
		"run,params\nversion_0,1e8\n":            "is of several runs",
		"run,params\nx,1e8\n":                    "no row is of a run",
		"size,params\nx,1e8\n":                   "no column run",
		"run,params\nt5-base,1e8\nt5-base,2e8\n": "several rows are called",
	} {
		if err := curves().JoinRuns(mustRead(t, "runs.csv", text), "runs.csv"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// K7: what a tracker marks as gone is not read, whatever it calls the mark.
func TestGoneRows(t *testing.T) {
	const rows = "run,%s,loss\na,%s,3\nb,%s,2\nc,%s,1\n"
	for about, text := range map[string]string{
		"Neptune: sys/trashed":        fmt.Sprintf(rows, "sys/trashed", "False", "True", "False"),
		"Aim: run.archived":           fmt.Sprintf(rows, "run.archived", "false", "true", "false"),
		"Comet: archived as a digit":  fmt.Sprintf(rows, "archived", "0", "1", "0"),
		"ClearML: a deleted flag":     fmt.Sprintf(rows, "deleted", "no", "yes", "no"),
		"MLflow: search_runs as CSV":  fmt.Sprintf(rows, "lifecycle_stage", "active", "deleted", "active"),
		"a tracker's own: is_deleted": fmt.Sprintf(rows, "is_deleted", "", "TRUE", ""),
	} {
		table := mustRead(t, "r.csv", text)
		if diff := cmp.Diff([]string{"a", "c"}, runNames(table)); diff != "" || !told(table, "deleted") {
			t.Errorf("%s: %s, warnings %v, lost %v", about, diff, table.Warnings, table.Lost)
		}
	}
}

// K13: a log's own columns never become ours, nor ours theirs.
func TestNamesThatCollide(t *testing.T) {
	events := eventBytes(scalarEvent(1, "step", 7, true), scalarEvent(1, "loss", 3, true), scalarEvent(1, "run", 5, true))
	for about, c := range map[string]struct {
		files  map[string]string
		column string // that has the log's own value
		want   string
	}{
		"TensorBoard: a tag called step": {map[string]string{"logs//a/events.out.tfevents.1": string(events)}, "tag.step", "7"},
		"TensorBoard: a tag called run":  {map[string]string{"logs//a/events.out.tfevents.1": string(events)}, "tag.run", "5"},
		"MLflow: a metric called run_id": {map[string]string{
			"mlruns//1/a/meta.yaml": "run_name: x\n", "mlruns//1/a/metrics/loss": "1 3 1\n", "mlruns//1/a/metrics/run_id": "1 9 1\n",
		}, "metrics.run_id", "9"},
		"Parquet: a column called run of numbers": {map[string]string{"r.csv": "run,step,loss\n3,1,2\n3,2,1\n"}, "run", "3"},
		"Hugging Face: a result called run": {map[string]string{
			"logs//a/all_results.json": `{"run": 4, "loss": 3}`,
		}, "log.run", "4"},
		"trainer state: an entry called run": {map[string]string{
			"logs//a/trainer_state.json": `{"log_history":[{"step":1,"loss":3,"run":8}]}`,
		}, "log.run", "8"},
	} {
		table := readAll(t, "", c.files)
		column, err := table.find(c.column)
		if err != nil {
			t.Errorf("%s: %v", about, err)
		} else if got := column.cells.at(0); got != c.want {
			t.Errorf("%s: %q, want %q", about, got, c.want)
		}
	}
}
