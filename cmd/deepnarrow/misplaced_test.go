package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFilesInTheWrongPlace: of a file that a command does not read in the place where it was named, the
// error says what it is and which command reads it; the exit code is as before.
func TestFilesInTheWrongPlace(t *testing.T) {
	steps, err := filepath.Abs(filepath.Join(root, "docs", "data", "steps.csv"))
	if err != nil {
		t.Fatal(err)
	}
	folder := exampleFolder(t, "track")
	t.Chdir(folder)
	for _, line := range []string{
		"plan t5-base --hardware a100 --devices 8 --tokens 34B -o plan.json", "count t5-base -o count.json",
		"fit runs.csv --law chinchilla --bootstrap 0 -o fit.json", "check --init --rules rules.yaml",
		"calibrate --from " + steps + " --hardware a100 -o profile.yaml", "explore -o page.html",
		"recommend --like t5-small --candidates catalogue -o recommend.json",
	} {
		if code, _, stderr := screen(words(line), 0, false); code != 0 {
			t.Fatalf("%s: %s", line, stderr)
		}
	}
	if err := os.WriteFile("c.safetensors", []byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("runs.jsonl", []byte("{\"loss\":3,\"steps\":2}\n{\"loss\":2,\"steps\":4}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line string
		code int
		want string // of the error and its hint
	}{
		{"allocate fit.json --budget 1e21", 3, "the result of deepnarrow fit, which allocate does not read|deepnarrow allocate --fit fit.json reads it"},
		{"allocate fit.json", 2, "deepnarrow allocate --fit fit.json reads it"},
		{"recommend --like t5-base --records fit.json", 3, "deepnarrow recommend --fit fit.json reads it"},
		{"count fit.json", 3, "the result of deepnarrow fit, which count does not read|allocate --fit fit.json"},
		{"diff fit.json t5-base", 3, "the result of deepnarrow fit|allocate --fit fit.json"},
		{"fit plan.json", 3, "the result of deepnarrow plan, which fit|deepnarrow report plan.json reads it, as track and diff would"},
		{"track count.json --run run.csv", 3, "the result of deepnarrow count, which track|deepnarrow report count.json"},
		{"allocate --fit plan.json --budget 1e21", 3, "the result of deepnarrow plan, which allocate --fit"},
		{"validate --from plan.json", 3, "the result of deepnarrow plan, which validate --from"},
		{"count runs.csv", 3, "runs.csv: is a table, which count does not read|deepnarrow fit runs.csv reads it"},
		{"plan runs.csv --hardware a100", 3, "is a table, which plan|deepnarrow fit runs.csv"},
		{"recommend --like runs.csv", 3, "is a table, which recommend --like|deepnarrow recommend --records runs.csv"},
		{"report runs.csv", 3, "is a table, which report|deepnarrow fit runs.csv"},
		{"report runs.jsonl", 3, "is a table, which report"},
		{"track runs.csv --run run.csv", 3, "is a table, which track|deepnarrow track --run runs.csv"},
		{"check t5-base --rules runs.csv", 3, "is a table, which check --rules"},
		{"fit config.json", 2, "a model configuration, which fit|deepnarrow count config.json reads it, as plan, check and recommend --like would"},
		{"recommend --like t5-base --records config.json", 3, "a model configuration|deepnarrow recommend --like config.json"},
		{"report config.json", 3, "a model configuration, which report"},
		{"track plan.json --run config.json", 3, "a model configuration, which track --run"},
		{"plan t5-base --cluster 8xconfig.json", 3, "a model configuration, which plan --cluster"},
		{"count rules.yaml", 3, "a file of rules, which count|deepnarrow check --rules rules.yaml reads it"},
		{"plan t5-base --hardware rules.yaml", 3, "a file of rules, which plan --hardware"},
		{"check rules.yaml", 3, "could not be judged|a file of rules, which check does not read: deepnarrow check --rules rules.yaml reads it"},
		{"check t5-base --rules profile.yaml", 3, "a hardware profile, which check --rules|deepnarrow check --hardware profile.yaml"},
		{"count profile.yaml", 3, "a hardware profile, which count|deepnarrow plan --hardware profile.yaml"},
		{"count run.yaml", 3, "a run in phases, which count|deepnarrow plan run.yaml reads it"},
		{"fit c.safetensors", 2, "a checkpoint, which fit|deepnarrow count c.safetensors"},
		{"report page.html", 3, "a page, which report"},
		{"export recommend.json/x --to hf", 3, ""}, // names no file
		{"count missing.json", 3, "missing.json"},
		{"sweep --merge runs.csv", 3, "runs.csv: not a directory|--merge reads folders of records"},
		{"track plan.json --run run.csv --calibrate plan2.json", 2, "allowed: .yaml, .yml"},
		{"calibrate -o here.json", 2, "allowed: .yaml, .yml"},
	} {
		code, _, stderr := screen(words(c.line), 0, false)
		if code != c.code {
			t.Errorf("%s: exit %d, want %d", c.line, code, c.code)
		}
		for want := range strings.SplitSeq(c.want, "|") {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: no %q in\n%s", c.line, want, stderr)
			}
		}
	}
}
