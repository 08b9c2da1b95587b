package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestNothingFloods: of a thousand rows or hundreds of files, what says the same of each is said a few
// times and counted.
func TestNothingFloods(t *testing.T) {
	t.Chdir(t.TempDir())
	var scan, flat, groups strings.Builder
	for _, b := range []*strings.Builder{&scan, &flat} {
		b.WriteString("run,params,flops,loss\n")
	}
	groups.WriteString("run,params,tokens,loss,group\n")
	for i := range 200 { // 40 budgets of 5 sizes; the loss of most falls to the end, of some it turns
		budget, size := i/5, i%5
		loss := 3 - 0.05*float64(size)
		fmt.Fprintf(&flat, "r%d,%d,%de16,%g\n", i, 1e6*(1+size), 2+budget*budget, loss)
		if budget%8 == 0 {
			loss = 3 + 0.1*float64((size-2)*(size-2))
		}
		fmt.Fprintf(&scan, "r%d,%d,%de16,%g\n", i, 1e6*(1<<size)*(1+budget), 2+budget*budget, loss)
	}
	for i := range 1000 {
		fmt.Fprintf(&groups, "r%d,%d,%d,%g,g%d\n", i, 1000000+i, 1000000000+i, 3-float64(i)/1e3, i%400)
	}
	config, err := os.ReadFile(filepath.Join(testFolder, "testdata", "examples", "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"scan.csv": scan.String(), "flat.csv": flat.String(), "groups.csv": groups.String()}
	odd := strings.Replace(string(config), "{", `{"surprise": 1,`, 1)
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprintf("m%d.json", i))
		files[names[i]] = odd
	}
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const most = 60 // lines, of both streams
	for _, c := range []struct {
		line string
		code int
		want string
	}{
		{"isoflop scan.csv", 0, "more budgets refused: --details"},
		{"isoflop flat.csv", 4, "more budgets"},
		{"fit groups.csv --law chinchilla --by group --bootstrap 0", 4, "more groups refused: --details"},
		{"check m*.json", 0, "more warnings of unknown-field: -v shows all"},
	} {
		code, stdout, stderr := screen(words(c.line), 0, false)
		if n := strings.Count(stdout+stderr, "\n"); code != c.code || n > most || !strings.Contains(stdout+stderr, c.want) {
			t.Errorf("%s: exit %d, %d lines, want %q in\n%.3000s%.3000s", c.line, code, n, c.want, stdout, stderr)
		}
	}
	if _, _, stderr := screen(append([]string{"count"}, names...), 0, false); strings.Count(stderr, "\n") > 5 || !strings.Contains(stderr, "and 297 more such") {
		t.Errorf("count of 300 files warns:\n%.3000s", stderr)
	}
}

// plurals are nouns of messages behind the number one, but of a larger number such as 2.1 or 21.
var plurals = regexp.MustCompile(`(^|[^\d.,×])1 (more |distinct )?(rows|sizes|runs|shapes|files|groups|records|devices|steps|layers|points|items|threads|` +
	`configurations|budgets|values|columns|parameters|clusters|results|phases|fields|budgets|warnings|models|tables|refits)\b|\(s\)`)

// TestOneIsSingular: what is said of one thing is said of one, on every screen and of inputs that have one
// of everything.
func TestOneIsSingular(t *testing.T) {
	screens, err := filepath.Glob(filepath.Join("testdata", "screens", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range screens {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if found := plurals.FindString(string(f.Data)); found != "" {
				t.Errorf("%s: %q", filepath.Base(file), found)
			}
		}
	}
	t.Chdir(exampleFolder(t, "screens"))
	for name, text := range map[string]string{
		"one.csv":          "run,params,tokens,flops,loss,bleu,group,shape\nr1,1e6,1e9,6e15,3,20,a,t5-small\n",
		"run.yaml":         "hardware: a100\nshape: t5-small\nphases:\n  - name: only\n    steps: 10\n",
		".deepnarrow.yaml": "files: [config.json]\nbaseline: base.json\nrules: [{id: head-size}]\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{
		"fit one.csv --law chinchilla", "fit one.csv --law power --x params --by group", "fit one.csv --law auto", "isoflop one.csv",
		"envelope one.csv", "transfer one.csv --downstream bleu", "allocate one.csv --budget 1e20",
		"recommend --like t5-base --records one.csv", "validate --from one.csv", "validate --recommend one.csv --by group --y loss",
		"check", "check --update-baseline", "plan run.yaml", "plan t5-base --hardware h100 --devices auto --max-devices 1 --tokens 1B --deadline 300d",
		"protocol --from t5-small --hardware a100", "diff t5-small t5-small/nl=7", "list shapes t5-base-dm768", "count config.json",
		"plan t5-11b --hardware a100 --devices 1", "plan llama-2-70b --hardware a100 --serve", "calibrate --from one.csv --hardware a100",
	} {
		for _, text := range []string{"", " --details"} {
			if line == "check" || strings.HasPrefix(line, "check ") {
				text = ""
			}
			_, stdout, stderr := screen(words(line+text), 0, false)
			if found := plurals.FindString(stdout + stderr); found != "" {
				t.Errorf("%s: %q in\n%.2000s%.2000s", line+text, found, stdout, stderr)
			}
		}
	}
}

// testFolder is where the tests start, in their sources.
var testFolder, _ = os.Getwd()
