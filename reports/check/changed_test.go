package check

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
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
		q.KeepChanged(func(file string) bool { return file == c.changed }, "profile.yaml")
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
	old := BaselineOf([]Cost{cost("same", 1), cost("grown", 1), cost("elsewhere", 1)})
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
		if err != nil || len(rules.Files) != max(1, len(globs)) || rules.Silent() {
			t.Errorf("%v: lists %v, %v", globs, rules.Files, err)
		}
	}
}
