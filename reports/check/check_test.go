package check

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

var today = time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)

// request asks about shapes by their names, with rules as text; hardware is "" or a profile.
func request(t testing.TB, rules, device string, names ...string) Request {
	t.Helper()
	q := Request{Today: today}
	var err error
	if q.Rules, err = ReadRules("r.yaml", strings.NewReader(rules), Options{}); err != nil {
		t.Fatal(err)
	}
	q.Question = plan.Question{Length: hardware.Length{Steps: 1000}, Decode: 1}
	if device != "" {
		p, err := hardware.Parse(device)
		if err != nil {
			t.Fatal(err)
		}
		q.Question.Profile = &p
	}
	for _, name := range names {
		s, err := shapes.Parse(name)
		q.Candidates = append(q.Candidates, Candidate{
			File: name, Path: name,
			Config: &config.Result{Shape: s}, Err: err,
		})
	}
	return q
}

// statuses joins the statuses of all findings.
func statuses(r *Result) string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, string(f.Status))
	}
	return strings.Join(out, " ")
}

// TestLimits: limits hold at equality and are compared unrounded. t5-base has 222,903,552
// parameters (Hugging Face model card, exact).
func TestLimits(t *testing.T) {
	for _, c := range []struct{ limit, want string }{
		{"max: 222903552", "pass"},
		{"max: 222903551", "fail"},
		{"min: 222903552", "pass"},
		{"min: 222903553", "fail"},
		{"equals: 222903552", "pass"},
		{"equals: 222.9M", "fail"}, // what a table shows is not what is compared
		{"min: 200M, max: 300M", "pass"},
		{"min: 1M, max: 200M", "fail"},
		{"max: 1, severity: warning", "warn"},
	} {
		r := Check(request(t, "rules: [{id: a, metric: params, "+c.limit+"}]", "", "t5-base"))
		if got := statuses(&r); got != c.want {
			t.Errorf("%s: %s, want %s: %s", c.limit, got, c.want, r.Findings[0].Message)
		}
		if hint := r.Findings[0].Hint; hint != "" && strings.HasPrefix(c.limit, "equals") {
			t.Errorf("%s: hint %q, which need not meet it", c.limit, hint)
		}
	}
}

// TestUnknownIsNoPass: what cannot be evaluated is an error, never a pass.
func TestUnknownIsNoPass(t *testing.T) {
	for _, c := range []struct{ rule, device, shape, why string }{
		{"id: a, metric: cost, max: $1M", "", "t5-base", "no hardware is named"},
		{"id: a, metric: step-time, max: 1d", "", "t5-base", "no hardware is named"},
		{
			"id: a, metric: memory, max_increase: 10%", "", "t5-base",
			"the baseline is not there",
		},
		{"id: fits-in-memory", "", "t5-base", "no hardware is named"},
		{"id: not-dominated", "", "gpt2", "disagree fourfold about the best width"},
		{"id: not-dominated, axis: co2", "", "t5-base", "nothing is recommended by co2"},
	} {
		r := Check(request(t, "baseline: b.json\nrules: [{"+c.rule+"}]", c.device, c.shape))
		if f := r.Findings[0]; f.Status != InError || !strings.Contains(f.Message, c.why) {
			t.Errorf("%s: %s: %s", c.rule, f.Status, f.Message)
		}
	}
}

// TestBuiltInRules: each rule on a shape that keeps it and one that breaks it.
func TestBuiltInRules(t *testing.T) {
	for _, c := range []struct{ rule, device, good, bad, says string }{
		{"id: fits-in-memory", "t4", "t5-small/nl=2,dm=128", "t5-3b", "T4 has"},
		{"id: fits-in-memory, headroom: 50%", "a100", "t5-base", "t5-large", "to stay free"},
		{"id: aligned-dimensions", "a100", "t5-base", "t5-base/dm=700", "padded, a step takes"},
		{
			"id: aligned-dimensions, multiple: 128", "", "t5-base", "t5-base/ff=3136",
			"no multiple of 128",
		},
		{"id: head-size", "", "t5-base", "t5-base/kv=48", "48 wide"},
		{"id: head-size, sizes: [128]", "", "t5-3b", "t5-base", "allowed: 128"},
		{"id: vocab-padded", "a100", "t5-base", "t5-base/vocab=32100", "32,100"},
		{"id: depth-plateau", "", "t5-base/nl=36", "t5-base/el=37", "37 layers"},
		{"id: depth-plateau, max: 12", "", "t5-base", "t5-large", "at most 12"},
	} {
		r := Check(request(t, "rules: [{"+c.rule+", severity: error}]", c.device, c.good, c.bad))
		if got := statuses(&r); got != "pass fail" || !strings.Contains(r.Findings[1].Message, c.says) {
			t.Errorf("%s: %s: %s", c.rule, got, r.Findings[1].Message)
		}
	}
}

// TestNotDominated: a released shape that ties with the anchor and saves enough breaks the rule;
// one that saves less does not.
func TestNotDominated(t *testing.T) {
	size := int64(700)
	of := func(params int64) plan.Answer { return plan.Answer{Params: flops.Parameters{Total: params}} }
	q := request(t, "rules: [{id: not-dominated, min_saving: 20%}]", "", "t5-base")
	q.Recommend = func(r recommend.Request) (recommend.Result, error) {
		if r.Source == recommend.Lattice {
			return recommend.Result{}, &recommend.NoAnswerError{}
		}
		return recommend.Result{Anchor: &recommend.Row{Answer: of(1000)}, Rows: []recommend.Row{
			{Shape: shapes.Shape{Name: "worse"}, Answer: of(1000)},
			{
				Shape: shapes.Shape{Name: "thin"}, Tie: true, Answer: of(size),
				Judgement: evidence.Judgement{Evidence: data.Recalled},
			},
		}}, nil
	}
	r := Check(q)
	if f := r.Findings[0]; f.Status != Warn || !strings.Contains(f.Message, "thin is predicted as good") || !strings.Contains(f.Message, "30 % less params") || !strings.Contains(f.Message, "recalled") {
		t.Errorf("%s: %s", f.Status, f.Message)
	}
	size = 810
	if r := Check(q); r.Findings[0].Status != Pass {
		t.Errorf("a saving of 19 %% where 20 are asked: %s", r.Findings[0].Message)
	}
	q.Recommend = func(recommend.Request) (recommend.Result, error) {
		return recommend.Result{}, errors.New("broken")
	}
	if r := Check(q); r.Findings[0].Status != InError {
		t.Errorf("a failing recommendation: %s", r.Findings[0].Message)
	}
}

// TestWaivers: a waiver holds to the end of its last day, and one that excuses nothing is told.
func TestWaivers(t *testing.T) {
	for _, c := range []struct {
		expires string
		status  Status
		says    string
	}{
		{"2026-06-30", Pass, ""},
		{"2026-07-01", Pass, ""},
		{"2026-06-29", Fail, "its waiver ended on 2026-06-29: because"},
	} {
		q := request(t,
			"rules: [{id: a, metric: params, max: 1M}]\nwaivers: [{rule: a, files: t5-*, reason: because, expires: "+c.expires+"}]", "", "t5-base")
		r := Check(q)
		if f := r.Findings[0]; f.Status != c.status || !strings.Contains(f.Message, c.says) || (f.Waiver != nil) != (c.status == Pass) {
			t.Errorf("%s: %+v", c.expires, f)
		}
	}
	q := request(t,
		"rules: [{id: a, metric: params, max: 1B}]\nwaivers: [{rule: a, reason: because, expires: 2026-07-01}]", "", "t5-base")
	if r := Check(q); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "matches no finding") {
		t.Errorf("warnings %q", r.Warnings)
	}
	// What cannot be evaluated is not excused.
	q = request(t,
		"rules: [{id: a, metric: cost, max: $1}]\nwaivers: [{rule: a, reason: because, expires: 2026-07-01}]", "", "t5-base")
	if r := Check(q); r.Findings[0].Status != InError {
		t.Errorf("a waiver hides an error: %+v", r.Findings[0])
	}
}

// TestBaseline: an increase is judged against what the baseline says, which is read back as it was
// written.
func TestBaseline(t *testing.T) {
	rules := "baseline: b.json\nrules: [{id: growth, metric: params, max_increase: 10%}]"
	old := Check(request(t, rules, "", "t5-base"))
	var text bytes.Buffer
	if err := baselineOf(old.Costs).Write(&text); err != nil {
		t.Fatal(err)
	}
	b, err := ReadBaseline("b.json", &text)
	if err != nil {
		t.Fatal(err)
	}
	q := request(t, rules, "", "t5-base", "t5-base/nl=13", "t5-base/nl=14")
	for i := range q.Candidates {
		q.Candidates[i].Path = "t5-base"
	}
	q.Baseline = b
	// A layer of each stack is 8 % of the parameters: (222.9 − 24.7)/12 M.
	if r := Check(q); statuses(&r) != "pass pass fail" {
		t.Errorf("%s: %s", statuses(&r), r.Findings[2].Message)
	}
	for _, bad := range []string{"", "{}", `{"schema":"x"}`, `{"schema":"deepnarrow/baseline/v1","results":[]}`} {
		if _, err := ReadBaseline("b.json", strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read as a baseline", bad)
		}
	}
}

// TestInconsistent: a configuration that says other sizes than its checkpoint.
func TestInconsistent(t *testing.T) {
	q := request(t, "rules: [{id: config-inconsistent}]", "", "t5-small")
	c := &q.Candidates[0]
	c.CheckpointFile = "model.safetensors"
	if r := Check(q); r.Findings[0].Status != Pass {
		t.Errorf("no checkpoint: %+v", r.Findings[0])
	}
	c.Checkpoint = &tensors.Header{Tensors: []tensors.Tensor{{
		Name: "shared.weight", DType: "F32",
		Shape: []int64{32128, 768},
	}}}
	r := Check(q)
	if f := r.Findings[0]; f.Status != Fail || !strings.Contains(f.Message, "d_model is 512 here, but tensor shared.weight says 768") {
		t.Errorf("%+v", f)
	}
	c.CheckpointErr = errors.New("cut off")
	if r := Check(q); r.Findings[0].Status != InError {
		t.Errorf("an unreadable checkpoint: %+v", r.Findings[0])
	}
}

// TestNewPasses: a configuration that the baseline does not know passes the rule that compares with it,
// and its other limits are judged (DESIGN: "new").
func TestNewPasses(t *testing.T) {
	q := request(t, "baseline: b.json\nrules: [{id: a, metric: params, max_increase: 10%}, {id: b, metric: params, max: 1M, max_increase: 0%}]",
		"", "t5-base")
	q.Baseline = Baseline{"other": {"params": 1}}
	r := Check(q)
	if got := statuses(&r); got != "pass fail" || !strings.HasPrefix(r.Findings[0].Message, "new: ") {
		t.Errorf("%s: %s", got, r.Findings[0].Message)
	}
	q.Baseline["t5-base"] = map[string]float64{"memory": 1}
	r = Check(q)
	if got := statuses(&r); got != "error fail" {
		t.Errorf("known without the metric: %s: %s", got, r.Findings[0].Message)
	}
}

// TestComplete: the built-in rules stay with extends: builtin, a rule of the same id replaces one, a
// limit of the command line replaces a rule, and the rule that needs hardware is the project's only
// where the project names it.
func TestComplete(t *testing.T) {
	limit, err := AtMost(plan.Params, "300M")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rules string
		timed bool
		want  string
	}{
		{"{}", false, "aligned-dimensions head-size vocab-padded depth-plateau config-inconsistent unknown-field max-params"},
		{
			"extends: builtin\nrules: [{id: head-size, sizes: [32]}, {id: max-params, metric: params, max: 1}]", true,
			"fits-in-memory aligned-dimensions head-size vocab-padded depth-plateau config-inconsistent unknown-field max-params",
		},
		{
			"extends: [builtin]\nrules: [{id: fits-in-memory}]", false,
			"fits-in-memory aligned-dimensions head-size vocab-padded depth-plateau config-inconsistent unknown-field max-params",
		},
		{"rules: [{id: x, metric: params, max: 1}]", true, "x max-params"},
	} {
		q := request(t, c.rules, "")
		silent := q.Rules.Silent()
		if q.Rules.Complete(c.timed, []Rule{limit}); silent != strings.HasPrefix(c.want, "x") {
			t.Errorf("%s: silent: %t", c.rules, silent)
		}
		var ids []string
		for _, r := range q.Rules.Rules {
			ids = append(ids, r.ID)
			if r.ID == "max-params" && (r.Max == nil || r.Max.Value != 300e6) {
				t.Errorf("%s: the limit is %v", c.rules, r.Max)
			}
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.rules, got, c.want)
		}
	}
}

// TestHint: the change that a hint names meets the limit.
func TestHint(t *testing.T) {
	r := Check(request(t, "rules: [{id: a, metric: params, max: 200M}]", "", "t5-base"))
	hint := r.Findings[0].Hint
	var label string
	var from, to int
	edits := map[string]string{
		"encoder layers": "el", "decoder layers": "dl", "d_ff": "ff", "d_model": "dm",
	}
	for l := range edits {
		if n, _ := fmt.Sscanf(hint, "reducing "+l+" alone from %d to %d would pass", &from, &to); n == 2 {
			label = l
		}
	}
	if label == "" || to >= from {
		t.Fatalf("hint %q", hint)
	}
	r = Check(request(t, "rules: [{id: a, metric: params, max: 200M}]", "",
		fmt.Sprintf("t5-base/%s=%d", edits[label], to)))
	if got := statuses(&r); got != "pass" {
		t.Errorf("after %q: %s: %s", hint, got, r.Findings[0].Message)
	}
}

func BenchmarkCheck200(b *testing.B) {
	names := make([]string, 200)
	for i := range names {
		names[i] = "t5-base"
	}
	q := request(b,
		"rules: [{id: a, metric: params, max: 100M}, {id: b, metric: cost, max: $1M}, {id: fits-in-memory}, {id: aligned-dimensions}, {id: depth-plateau}]", "a100", names...)
	for b.Loop() {
		Check(q)
	}
}
