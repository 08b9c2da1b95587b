package check

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// open reads files of a test file system by their slash paths.
func open(files fstest.MapFS) func(string) (io.ReadCloser, error) {
	return func(name string) (io.ReadCloser, error) { return files.Open(name) }
}

// TestSmallestRules is the smallest useful file.
func TestSmallestRules(t *testing.T) {
	rules, err := ReadRules("r.yaml", strings.NewReader(
		"rules:\n- id: small-enough\n  metric: params\n  max: 300M\n"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := rules.Rules[0]; r.Max.Value != 300e6 || r.Severity != Error || r.Line != 2 {
		t.Errorf("rule %+v, max %+v", r, r.Max)
	}
}

// TestFaultyRules: every fault of a file is told at once, with its place and what is allowed.
func TestFaultyRules(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"ruls: []", `r.yaml:1:1: key is unknown: "ruls"; did you mean rules?`},
		{"rules: 3", "r.yaml:1:8: rules is a single value; allowed: a list of"},
		{"rules:\n- metric: params\n  max: 1", "r.yaml:2:3: id is missing"},
		{"rules:\n- id: Small Enough\n  metric: params\n  max: 1", `r.yaml:2:7: id is not an id: "Small Enough"`},
		{"rules:\n- id: fits-in-memry", `r.yaml:2:7: id has no metric and is not a built-in rule: "fits-in-memry"; did you mean fits-in-memory?`},
		{"rules:\n- id: a\n  metric: parms\n  max: 1", `r.yaml:3:11: metric is unknown: "parms"; did you mean params?`},
		{"rules:\n- id: a\n  metric: params", "r.yaml:2:7: id limits nothing"},
		{
			"rules:\n- id: a\n  metric: memory\n  max: 16G",
			"r.yaml:4:8: max is not understood: unit without B",
		},
		{
			"rules:\n- id: a\n  metric: params\n  max: 012",
			"r.yaml:4:8: max is not understood: a number with a leading zero",
		},
		{"rules:\n- id: a\n  metric: params\n  max: 1_000", "r.yaml:4:8: max is not understood"},
		{"rules:\n- id: a\n  metric: params\n  max: -1", "a negative"},
		{"rules:\n- id: a\n  metric: params\n  max: [1]", "r.yaml:4:8: max is a list"},
		{
			"rules:\n- id: a\n  metric: params\n  max: 1\n  min: 2",
			"r.yaml:5:8: min is more than max",
		},
		{
			"rules:\n- id: a\n  metric: params\n  max: 1\n  multiple: 3",
			"r.yaml:5:13: multiple is not a setting of a",
		},
		{
			"rules:\n- id: head-size\n  max: 3",
			"r.yaml:3:8: max is not a setting of head-size; allowed: severity, message, files, sizes",
		},
		{"rules:\n- id: head-size\n  sizes: [64, 0]", "is not a whole number from 1 up"},
		{"rules:\n- id: head-size\n  severity: fatal", `r.yaml:3:13: severity is unknown: "fatal"; allowed: error or warning`},
		{"rules:\n- id: head-size\n- id: head-size", "r.yaml:3:7: id stands twice"},
		{
			"rules:\n- id: a\n  metric: params\n  max_increase: 10%",
			"max_increase has no baseline to compare with",
		},
		{"rules:\n- id: a\n  id: b", "id stands twice"},
		{"rules:\n- id: head-size\n  files: '[a'", "files is not a glob"},
		{"rules: []\nwaivers:\n- rule: a\n  reason: b\n  expires: 2026-12-31", `r.yaml:3:9: rule names no rule: "a"`},
		{
			"rules: [{id: head-size}]\nwaivers:\n- rule: head-size\n  expires: 2026-12-31",
			"reason is missing",
		},
		{
			"rules: [{id: head-size}]\nwaivers:\n- rule: head-size\n  reason: x",
			"expires is missing",
		},
		{"rules: [{id: head-size}]\nwaivers:\n- {rule: head-size, reason: x, expires: soon}", `expires is not a date: "soon"`},
		{"extends: ./r.yaml", "extends goes in a circle: \"r.yaml → r.yaml\""},
		{"extends: circle.yaml", "goes in a circle"},
		{"extends: ../up.yaml", "extends leaves the folder ."},
		{"extends: /etc/passwd", "is not a relative path"},
		{"extends: gone.yaml", "extends cannot be opened: file does not exist"},
		{"extends: bad.yaml", `bad.yaml:1:1: key is unknown: "nonsense"`},
		{"a: &a [x]\nb: *a", "uses anchor"},
		{"", "is empty"},
		{"just words", "has no keys"},
		{"rules: !!binary x", "uses tag"},
		{"rules: " + strings.Repeat("[", 1000), "nested too deep"},
		{"# " + strings.Repeat("x", 1<<17), "is too large"},
	} {
		files := fstest.MapFS{
			"circle.yaml": {Data: []byte("extends: r.yaml")},
			"bad.yaml":    {Data: []byte("nonsense: 1")},
		}
		_, err := ReadRules("r.yaml", strings.NewReader(c.text), Options{Open: open(files)})
		var faults *syntax.Error
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q:\n  got  %v\n  want %s", c.text, err, c.want)
		}
	}
}

// TestAllFaultsAtOnce: one run shows everything that is to be mended.
func TestAllFaultsAtOnce(t *testing.T) {
	_, err := ReadRules("r.yaml", strings.NewReader(
		"rules:\n- id: a\n  metric: nope\n- id: head-size\n  severity: x\nfils: y\n"), Options{})
	var faults *syntax.Error
	if !errors.As(err, &faults) || len(faults.Faults) != 3 {
		t.Errorf("faults: %v", err)
	}
}

// TestExtends: rules of the base come first, those of the same id are replaced, settings of the
// plan one by one.
func TestExtends(t *testing.T) {
	files := fstest.MapFS{"org/base.yaml": {Data: []byte(`
plan: {hardware: a100, devices: 8}
rules:
- {id: head-size, severity: warning}
- {id: small, metric: params, max: 1B}
`)}}
	rules, err := ReadRules("team/r.yaml", strings.NewReader(`
extends: ../org/base.yaml
plan: {devices: 16}
rules:
- {id: small, metric: params, max: 300M}
- {id: depth-plateau, max: 24}
`), Options{Open: open(files), Root: "."})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range rules.Rules {
		ids = append(ids, r.ID)
	}
	if got := strings.Join(ids, " "); got != "head-size small depth-plateau" || rules.Rules[1].Max.Text != "300M" {
		t.Errorf("rules %s, small has %s", got, rules.Rules[1].Max.Text)
	}
	if len(rules.Plan) != 2 || rules.Plan[0].Value != "a100" || rules.Plan[1].Value != "16" {
		t.Errorf("plan %+v", rules.Plan)
	}
}

// TestLongChain: a chain of files ends at a bound.
func TestLongChain(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 40 {
		files[string(rune('a'+i%26))+strings.Repeat("x", i)+".yaml"] = &fstest.MapFile{Data: []byte(
			"extends: " + string(rune('a'+(i+1)%26)) + strings.Repeat("x", i+1) + ".yaml")}
	}
	_, err := ReadRules("a.yaml", strings.NewReader("extends: bx.yaml"), Options{Open: open(files)})
	if err == nil || !strings.Contains(err.Error(), "too many files") {
		t.Errorf("a chain of 40 files: %v", err)
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		glob, name string
		want       bool
	}{
		{"*.json", "a.json", true},
		{"*.json", "deep/in/a.json", true}, // no slash: the last name
		{"configs/*.json", "configs/a.json", true},
		{"configs/*.json", "configs/x/a.json", false},
		{"configs/**/*.json", "configs/a.json", true},
		{"configs/**/*.json", "configs/x/y/a.json", true},
		{"**/a.json", "a.json", true},
		{"**", "x/y", true},
		{"bad/*", "bad/x", true},
		{"bad/*", "good/x", false},
		{"[", "[", false},
		// takes no longer than 200 × 200
		{strings.Repeat("**/", 200) + "b", strings.Repeat("a/", 200) + "c", false},
	} {
		if got := Match(c.glob, c.name); got != c.want {
			t.Errorf("Match(%.20q, %.20q) = %v", c.glob, c.name, got)
		}
	}
}

func FuzzReadRules(f *testing.F) {
	f.Add("rules:\n- id: small-enough\n  metric: params\n  max: 300M\n")
	f.Add(
		"extends: [a.yaml]\nplan: {batch: 3}\nwaivers:\n- {rule: a, reason: b, expires: 2026-01-01}\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := ReadRules("r.yaml", strings.NewReader(text), Options{Open: func(string) (io.ReadCloser, error) { return nil, fs.ErrNotExist }})
		var faults *syntax.Error
		if err != nil && !errors.As(err, &faults) {
			t.Errorf("error without a place: %v", err)
		}
	})
}
