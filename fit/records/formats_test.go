package records

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What other tools write, by their documentation; docs/records.md lists them. want is the run, the
// step and the loss of each row.
func TestFormatsOfOtherTools(t *testing.T) {
	for _, c := range []struct {
		about string
		files map[string]string
		want  string
	}{
		{
			"Keras, CSVLogger",
			map[string]string{"x//a/log.csv": "epoch,loss,step,val_loss\n0,3,10,3.5\n1,2,20,2.5\n", "x//b/log.csv": "epoch,loss,step\n0,4,10\n"},
			"a/log.csv 10 3|a/log.csv 20 2|b/log.csv 10 4",
		},
		{
			"Keras, history as JSON",
			map[string]string{"a/history.json": `{"step": [10, 20], "loss": [3.0, NaN], "lr": [0.1, 0.1]}`},
			" 10 3.0| 20 NaN",
		},
		{"Ray Tune, progress.csv", map[string]string{
			"x//t1/progress.csv": "loss,training_iteration,trial_id,config/lr\n3,1,aa,0.1\n2,2,aa,0.1\n",
			"x//t2/progress.csv": "loss,training_iteration,trial_id,config/lr\n4,1,bb,0.2\n",
		}, "aa 1 3|aa 2 2|bb 1 4"},
		{
			"Ray Tune, result.json as lines",
			map[string]string{"t1/result.json": "{\"loss\": 3, \"training_iteration\": 1, \"trial_id\": \"aa\", \"config\": {\"lr\": 0.1}}\n{\"loss\": 2, \"training_iteration\": 2, \"trial_id\": \"aa\", \"config\": {\"lr\": 0.1}}\n"},
			"aa 1 3|aa 2 2",
		},
		{
			"Sacred, metrics.json",
			map[string]string{"runs/7/metrics.json": `{"loss": {"name": "loss", "steps": [10, 20], "timestamps": ["a", "b"], "values": [3.0, 2.0]}, "acc": {"steps": [20], "values": [0.5]}}`},
			"runs/7 10 3.0|runs/7 20 2.0",
		},
		{
			"DVC, plots/metrics/loss.tsv",
			map[string]string{"x//a/loss.tsv": "step\tloss\n10\t3\n20\t2\n", "x//b/loss.tsv": "step\tloss\n10\t4\n"},
			"a/loss.tsv 10 3|a/loss.tsv 20 2|b/loss.tsv 10 4",
		},
		{
			"MLflow, search_runs to CSV",
			map[string]string{"r.csv": "run_id,experiment_id,status,metrics.loss,params.step,tags.mlflow.runName\naa,1,FINISHED,3,10,t5\nbb,1,FINISHED,2,10,t5\n"},
			"t5 (aa) 10 3|t5 (bb) 10 2",
		},
		{
			"Neptune, a table of runs with one in the bin",
			map[string]string{"r.csv": "sys/id,sys/trashed,train/loss,step\nR-1,False,3,10\nR-2,True,9,10\nR-3,False,2,10\n"},
			"R-1 10 3|R-3 10 2",
		},
		{
			"wandb, run history as JSON lines",
			map[string]string{"h.jsonl": `{"_step":10,"_runtime":1.5,"train/loss":3,"gradients":{"values":[1,2]}}` + "\n" + `{"_step":20,"_runtime":2.5,"train/loss":"NaN"}`},
			" 10 3| 20 NaN",
		},
		{"pandas, orient index", map[string]string{"r.json": `{"step":{"0":10,"1":20},"loss":{"0":3,"1":null},"run":{"0":"a","1":"a"}}`}, "a 10 3|a 20 "},
		{"pandas, orient split", map[string]string{"r.json": `{"columns":["run","step","loss"],"index":[0,1],"data":[["a",10,3],["a",20,2]]}`}, "a 10 3|a 20 2"},
		{"pandas, orient records, indented", map[string]string{"r.json": "[\n {\"run\": \"a\",\n \"step\": 10, \"loss\": 3}\n]"}, "a 10 3"},
		{
			"Hugging Face, all_results.json beside a state",
			map[string]string{"x//t5/all_results.json": `{"step": 20, "eval_loss": 2.5}`, "x//t5/trainer_state.json": stateOf(8, 100)},
			"t5 100 2.8",
		},
		{
			"Hugging Face, all_results.json of two runs",
			map[string]string{"x//a/all_results.json": `{"step": 20, "eval_loss": 2.5}`, "x//b/all_results.json": `{"step": 20, "eval_loss": 2.25}`},
			"a 20 2.5|b 20 2.25",
		},
		{
			"Lightning, validation rows between training rows",
			map[string]string{"x//m/version_0/metrics.csv": "epoch,step,train_loss,loss\n0,10,3,\n0,10,,3.5\n1,20,2,\n1,20,,2.5\n"},
			"m/version_0 10 3.5|m/version_0 20 2.5",
		},
		{"an object that holds the rows", map[string]string{"r.json": `{"version": 1, "runs": [{"run": "a", "step": 10, "loss": 3}]}`}, "a 10 3"},
		{"objects one behind the other, indented", map[string]string{"r.json": "{\n\"run\": \"a\", \"step\": 10, \"loss\": 3\n}\n{\n\"run\": \"a\", \"step\": 20, \"loss\": 2\n}\n"}, "a 10 3|a 20 2"},
	} {
		table := readAll(t, "", c.files)
		step, err := table.find("step")
		if err != nil {
			t.Errorf("%s: %v", c.about, err)
			continue
		}
		loss, err := table.find("loss")
		if err != nil {
			t.Errorf("%s: %v", c.about, err)
			continue
		}
		got := ""
		for row, run := range table.Runs() {
			if row > 0 {
				got += "|"
			}
			got += run + " " + step.cells.at(row) + " " + loss.cells.at(row)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s\nwarnings %v", c.about, diff, table.Warnings)
		}
	}
}
