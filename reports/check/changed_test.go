package check

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// TestKeepChanged: a candidate rests on its file, its tensors and the files that its faults name; rules
// and the files of the plan are of all.
func TestKeepChanged(t *testing.T) {
	part := &syntax.Error{Faults: []syntax.Fault{{Position: syntax.Position{File: "part.gin"}}}}
	for _, c := range []struct {
		changed string
		want    []string
	}{
		{"a.json", []string{"a.json"}},
		{"b.safetensors", []string{"b.json"}},
		{"part.gin", []string{"c.gin"}},
		{"nothing", nil},
		{"rules.yaml", []string{"a.json", "b.json", "c.gin"}},
		{"extended.yaml", []string{"a.json", "b.json", "c.gin"}},
		{"profile.yaml", []string{"a.json", "b.json", "c.gin"}},
	} {
		q := Request{
			Rules: Rules{File: "rules.yaml", Rules: []Rule{{Position: syntax.Position{File: "extended.yaml"}}}},
			Candidates: []Candidate{
				{File: "a.json"},
				{File: "b.json", CheckpointFile: "b.safetensors"},
				{File: "c.gin", Err: errors.Join(part)},
			},
		}
		q.keepChanged(func(file string) bool { return file == c.changed }, "profile.yaml")
		var got []string
		for _, left := range q.Candidates {
			got = append(got, left.File)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s changed: %v are judged, want %v", c.changed, got, c.want)
		}
	}
}

func TestUpdatedBaseline(t *testing.T) {
	cost := func(path string, params float64) Cost {
		c := Cost{Path: path}
		c.Measures[plan.Params] = hardware.Estimate{Interval: &quantity.Interval{Value: params}}
		return c
	}
	old := baselineOf([]Cost{cost("same", 1), cost("grown", 1), cost("elsewhere", 1)})
	b, fresh, changed := old.Updated([]Cost{cost("same", 1), cost("grown", 2), cost("new", 3)})
	if !slices.Equal(fresh, []string{"new"}) || !slices.Equal(changed, []string{"grown"}) {
		t.Errorf("new %v, changed %v", fresh, changed)
	}
	if len(b) != 4 || b["grown"]["params"] != 2 || b["elsewhere"]["params"] != 1 {
		t.Errorf("the baseline is %v", b)
	}
}

// TestFirstRules: the rules file to start from reads as rules, with any globs.
func TestFirstRules(t *testing.T) {
	for _, globs := range [][]string{nil, FirstGlobs()} {
		rules, err := ReadRules("first.yaml", strings.NewReader(FirstRules(globs)), Options{})
		if err != nil || len(rules.Files) != len(globs) || rules.Silent() {
			t.Errorf("%v: lists %v, %v", globs, rules.Files, err)
		}
	}
}

// TestOnlyChanged: of a branch what differs is left, with what it was; what is gone is told of the
// files that the globs mean, or without them the rules.
func TestOnlyChanged(t *testing.T) {
	was := shapes.Shape{Name: "before"}
	since := &Changes{
		Files: map[string]byte{
			"m/a.json": 'M', "m/new.json": 'A', "m/gone.json": 'D', "x/gone.json": 'D',
		},
		Root: "..", Path: func(file string) string { return strings.TrimPrefix(file, "../") },
		Below: func(file string) string { return strings.TrimPrefix(file, "../") },
		Was:   func(path string) *shapes.Shape { return &was },
	}
	for _, c := range []struct{ globs, rules, removed []string }{
		{nil, []string{"m/*.json"}, []string{"../m/gone.json"}},
		{nil, nil, nil},
		{[]string{"../x/gone.json"}, []string{"m/*.json"}, []string{"../x/gone.json"}},
		{[]string{"../**/*.json"}, nil, []string{"../m/gone.json", "../x/gone.json"}},
	} {
		q := Request{Rules: Rules{Files: c.rules}}
		for _, name := range []string{"../m/a.json", "../m/new.json", "../m/same.json"} {
			q.Candidates = append(q.Candidates, Candidate{File: name, Config: &config.Result{}})
		}
		q.OnlyChanged(since, c.globs)
		if !slices.Equal(q.Removed, c.removed) {
			t.Errorf("%v of %v: removed %v, want %v", c.globs, c.rules, q.Removed, c.removed)
		}
		if len(q.Candidates) != 2 || q.Candidates[0].Base != &was || q.Candidates[0].New ||
			q.Candidates[1].Base != nil || !q.Candidates[1].New {
			t.Errorf("left are %+v", q.Candidates)
		}
	}
	since.Files["readme.md"] = 'M'
	all, left := since.Models()
	if strings.Join(all, " ") != "" || left != nil {
		t.Errorf("called as models are %v, %v", all, left)
	}
	since.Files["m/config.json"], since.Files["n/config.json"] = 'D', 'M'
	if all, left = since.Models(); strings.Join(all, " ") != "../m/config.json ../n/config.json" ||
		strings.Join(left, " ") != "../n/config.json" {
		t.Errorf("called as models are %v, %v", all, left)
	}
}

// TestCompared: a pair for each candidate that differs, is new or gone, and a reason for any other.
func TestCompared(t *testing.T) {
	small, _ := shapes.Parse("t5-small")
	large, _ := shapes.Parse("t5-large")
	q := Request{
		Since: "main", Removed: []string{"gone"},
		Candidates: []Candidate{
			{File: "broken", Err: errors.New("is broken")},
			{File: "new", New: true},
			{File: "unread", Config: &config.Result{Shape: small}},
			{File: "same", Config: &config.Result{Shape: small}, Base: &small},
			{File: "grown", Config: &config.Result{Shape: large}, Base: &small},
		},
	}
	pairs, told, err := q.Compared()
	var names []string
	for _, p := range pairs {
		names = append(names, p.Name+" "+p.Only)
	}
	if err != nil || strings.Join(names, ",") != "new change,grown ,gone base" ||
		len(pairs[1].Fields) == 0 {
		t.Errorf("pairs %v, %v", names, err)
	}
	want := "broken: cannot be compared: is broken|" +
		"unread: cannot be compared: it was not read at main"
	if got := strings.Join(told, "|"); got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

// TestApply: settings of the plan are flags; files are from the folder of the rules; every fault
// has its line.
func TestApply(t *testing.T) {
	rules, err := ReadRules("r.yaml", strings.NewReader("plan:\n  hardware: 'own.yaml,price=3'\n"+
		"  architectures: a.yaml\n  precision: own.yaml\n  nosuch: 1\n  batch: many\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = rules.Apply("in", []string{"hardware", "architectures", "precision", "batch"},
		func(flag, value string) error {
			got = append(got, flag+" "+value)
			if flag == "batch" {
				return errors.New("not a number")
			}
			return nil
		})
	set := strings.Join(got, "|")
	want := "hardware in/own.yaml,price=3|architectures in/a.yaml|precision own.yaml|batch many"
	if set != want {
		t.Errorf("set %s, want %s", set, want)
	}
	faults := "r.yaml:5:11: plan.nosuch is unknown; allowed: the flags of deepnarrow plan: " +
		"hardware, architectures, precision, batch\n" +
		"r.yaml:6:10: plan.batch is not understood: not a number"
	if err == nil || err.Error() != faults {
		t.Errorf("the faults are %v, want %s", err, faults)
	}
	if (Setting{Key: "hardware", Value: "/own.yaml"}).from("in") != "/own.yaml" ||
		(Setting{Key: "hardware", Value: "a100,price=3"}).from("in") != "a100,price=3" {
		t.Error("an absolute file and a name are moved")
	}
}
