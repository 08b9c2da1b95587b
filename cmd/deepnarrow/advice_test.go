package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// advised finds the command lines that a text advises: behind the words that lead to one, up to the end
// of the line, of the sentence or of the clause. A word such as FILE stands for one of the user's.
var advised = regexp.MustCompile(`(?m)(?:Next: |next: |hint: |with [^:\n]+: )(deepnarrow .+?)(?: (?:writes|makes|shows|lists|marks|adds|says) .*)?(?:[.;]? *$|\. |; )`)

// TestAdvisedCommands runs what the screens advise to type, in the folder that they are of.
func TestAdvisedCommands(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "screens", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no screens: %v", err)
	}
	lines := map[string]string{} // advised on which screen
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(string(archive.Comment), "\n")
		for _, shown := range archive.Files {
			if shown.Name != "pipe" {
				continue
			}
			for _, found := range advised.FindAllSubmatch(shown.Data, -1) {
				lines[string(found[1])] = file
			}
			if strings.Contains(string(shown.Data), "Next: --explain") {
				rank := regexp.MustCompile(`--explain \d+`).FindString(string(shown.Data))
				lines["deepnarrow "+line+" "+rank] = file
				lines["deepnarrow "+line+" --out written"] = file
			}
		}
	}
	t.Chdir(exampleFolder(t, "screens"))
	if err := os.Mkdir("written", 0o755); err != nil {
		t.Fatal(err)
	}
	const fewest = 10 // screens that advise something
	if len(lines) < fewest {
		t.Errorf("%d commands are advised", len(lines))
	}
	for line, file := range lines {
		if code, stdout, stderr := screen(words(line)[1:], 0, false); code != 0 {
			t.Errorf("%s advises %s: exit %d\n%s%s", filepath.Base(file), line, code, stdout, stderr)
		}
	}
}

// TestCountAdvisesWhatFits: the plan that count leads to fits, with the flags that were typed; for a shape
// that fits on none of what was tried, and for standard input, there is none.
func TestCountAdvisesWhatFits(t *testing.T) {
	folder := exampleFolder(t, "screens")
	t.Chdir(folder)
	if err := os.MkdirAll("my models", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename("config.json", filepath.Join("my models", "config.json")); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"t5-base", "llama-2-70b", "llama-3-405b", "t5-base --batch 4096 --optimizer adam", "'my models/config.json'",
		"llama-3-405b --recompute full", "bert-base-uncased --by layer",
	} {
		_, stdout, stderr := screen(words("count "+line), 0, false)
		next := advised.FindStringSubmatch(stdout)
		if next == nil {
			t.Errorf("%s advises nothing: %s%s", line, stdout, stderr)
			continue
		}
		code, plan, stderr := screen(words(next[1])[1:], 0, false)
		if code != 0 || !strings.Contains(plan, "Fits in memory") {
			t.Errorf("%s advises %s: exit %d\n%s%s", line, next[1], code, plan, stderr)
		}
	}
	if _, stdout, _ := screen(words("count llama-3-405b/dm=65536,ff=524288,nl=400"), 0, false); strings.Contains(stdout, "Next") {
		t.Errorf("what fits nowhere is advised:\n%s", stdout)
	}
}

// TestNewUsersStumbles: what three new users met in their first ten minutes, and what they are told now.
func TestNewUsersStumbles(t *testing.T) {
	t.Chdir(t.TempDir())
	var runs strings.Builder
	runs.WriteString("Name,model/num_parameters (M),data/tokens seen (B),eval/validation loss\nr,20,1,3\n")
	if err := os.WriteFile("wandb.csv", []byte(runs.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	rules := "files: [a.yaml]\nbaseline: base.json\nrules: [{id: small, metric: params, max: 1B}]\n"
	for name, text := range map[string]string{
		"a.yaml": "extends: t5-small\n", "rules.yaml": rules, "my-7b.yaml": "hidden_size: 4096\nnum_hidden_layers: 32\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		line string
		code int
		want string
	}{
		{"plan 7b --hardware h100", 3, `did you mean "llama-2-7b" or "mistral-7b"`},
		{"plan llama-2-7b --hardware h100 --devices auto --tokens 2T --deadline 30d --max-cost 500k", 4, "or more on the counts that take 30d or less"},
		{"fit wandb.csv --law chinchilla", 3, "hint: --map loss='eval/validation loss' reads that column"},
		{"plan my-7b.yaml --hardware h100", 3, "hidden_size is an unknown key; did you mean d_model?"},
		{"count my-7b.yaml", 3, "num_hidden_layers is an unknown key; did you mean decoder.layers?"},
		{"check", 2, "deepnarrow check --init writes rules that list what is here"},
		{"check --update-baseline --rules rules.yaml", 0, "no rule compares with it; one with a line max_increase: 10% does"},
	} {
		if code, stdout, stderr := screen(words(c.line), 0, false); code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit %d, want %d and %q in\n%s%s", c.line, code, c.code, c.want, stdout, stderr)
		}
	}
}
