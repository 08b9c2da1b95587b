package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/check"
	"github.com/deepnarrow/deepnarrow/reports/compare"
	"github.com/deepnarrow/deepnarrow/reports/explore/engine"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// drawnPlans is how many random questions each of these tests asks; with -short a tenth.
const drawnPlans = 500

func drawn() int {
	if testing.Short() {
		return drawnPlans / 10
	}
	return drawnPlans
}

// drawnShapes are of every kind of stack, head and position that the catalogue knows.
var drawnShapes = []string{
	"t5-small", "t5-base", "t5-3b", "t5-efficient-tiny-nl8", "t5-base/el=24,dl=6,dm=512",
	"t5-v1_1-base", "gpt2", "llama-2-7b", "bert-base-uncased", "switch-base-8", "whisper-tiny",
	"facebook/bart-base", "mistral-7b",
}

// draw is one question as flags. Many cannot be laid out; those are refused alike.
func draw(r *rand.Rand) (shape string, flags []string) {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	some := func(share float64, flag string, words ...string) {
		if r.Float64() < share {
			flags = append(flags, "--"+flag, pick(words...))
		}
	}
	catalogue := hardware.Catalogue()
	flags = append(flags, "--hardware", catalogue[r.IntN(len(catalogue))].Name)
	some(0.8, "devices", "1", "2", "3", "8", "16", "64", "96")
	some(0.4, "batch", "64", "128", "192", "512")
	some(0.3, "encoder-length", "128", "512", "1024")
	some(0.3, "decoder-length", "64", "128", "512")
	some(0.3, "precision", "bf16-mixed", "fp16-mixed", "fp32", "bf16")
	some(0.3, "optimizer", "adam", "adafactor", "adam8bit", "sgd", "muon")
	some(0.3, "attention", "fused", "unfused")
	some(0.3, "recompute", "none", "selective", "full")
	some(0.2, "compiled", "yes", "no")
	some(0.2, "stack", append(hardware.Stacks(), plan.AverageStack)...)
	some(0.5, pick("steps", "tokens"), "1000", "300000000")
	some(0.2, "price", "1.5", "0")
	some(0.2, "goodput", "0.5", "1")
	some(0.2, "region", "us-central1", "france")
	if r.IntN(4) == 0 {
		flags = append(flags, "--dropout")
	}
	switch r.IntN(4) {
	case 0:
		flags = append(flags, "--layout", "auto")
	case 1:
		some(0.5, "tp", "2", "4")
		some(0.4, "pp", "2", "3")
		some(0.5, "zero", "0", "1", "2", "3")
		some(0.3, "micro-batch", "1", "4")
		some(0.3, "accumulate", "1", "2")
		some(0.3, "interleave", "1", "2")
		if r.IntN(2) == 0 {
			flags = append(flags, "--sequence-parallel")
		}
	case 2:
		some(0.5, "context-parallel", "1", "2")
		some(0.5, "expert-parallel", "1", "2")
	}
	return pick(drawnShapes...), flags
}

// asked returns the question that flags state, as every command reads it.
func asked(t *testing.T, shape string, flags []string) plan.Question {
	t.Helper()
	var ask asks.Question
	c := (&app{&asks.Files{App: &frame.App{}}}).plan()
	c.ResetFlags()
	ask.Register(c)
	if err := c.ParseFlags(flags); err != nil {
		t.Fatal(err)
	}
	q, err := ask.Single()
	if err != nil {
		t.Fatalf("%v: %v", flags, err)
	}
	s, err := shapes.Parse(shape)
	if err != nil {
		t.Fatal(err)
	}
	q.Decode = 1
	return q.Of(&s)
}

// TestSameQuestionSameNumbers: plan, diff, check, recommend and the explorer's engine give the same
// numbers to the last bit.
func TestSameQuestionSameNumbers(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	planned, rows := 0, 0
	for planned < drawn() {
		shape, flags := draw(r)
		q := asked(t, shape, flags)
		line := shape + " " + strings.Join(flags, " ")
		want, err := q.Answer()
		c, diffErr := compare.Shapes(q, &q.Shape, &q.Shape)
		if err != nil {
			if diffErr == nil {
				t.Errorf("%s: plan refuses with %v, diff does not", line, err)
			}
			continue
		}
		planned++
		if diffErr != nil {
			t.Errorf("%s: diff: %v", line, diffErr)
			continue
		}

		same(t, line+": diff", &c.Base, &want)
		checked(t, line, q, &want)

		anchor := q.Shape
		result, err := recommend.Recommend(recommend.Request{
			Anchor: &anchor, Question: q, Source: recommend.Listed,
			Candidates: []shapes.Shape{anchor}, Workers: 1,
		})
		// A shape costs no less than itself and not every family has evidence, so the answer may be
		// that nothing is recommended.
		var none *recommend.NoAnswerError
		if err != nil && !errors.As(err, &none) {
			t.Errorf("%s: recommend: %v", line, err)
		}
		if err != nil {
			continue
		}
		same(t, line+": recommend", &result.Anchor.Answer, &want)
		for i := range result.Rows {
			rows++
			same(t, line+": recommended row", &result.Rows[i].Answer, &want)
		}
	}
	if rows < planned/20 {
		t.Errorf("%d recommended rows in %d questions, too few to compare", rows, planned)
	}
}

// checked compares the numbers that rules are judged by.
func checked(t *testing.T, line string, q plan.Question, want *plan.Answer) {
	t.Helper()
	request := check.Request{
		Question: q,
		Candidates: []check.Candidate{{
			File: "c", Path: "c", Config: &config.Result{Shape: q.Shape},
		}},
	}
	for _, m := range plan.Metrics() {
		request.Rules.Rules = append(request.Rules.Rules,
			check.Rule{ID: m.String(), Metric: m, Min: &check.Limit{}})
	}
	for _, f := range check.Check(request).Findings {
		m, _ := plan.ParseMetric(f.Rule)
		e := m.Of(want).Interval
		if (f.Value == nil) != (e == nil) || e != nil && *f.Value != e.Value {
			t.Errorf("%s: check: %s is %v, want %v", line, f.Rule, f.Value, e)
		}
		if f.Run != nil && !reflect.DeepEqual(f.Run.Layout, want.Run.Layout) {
			t.Errorf("%s: check: layout %+v, want %+v", line, f.Run.Layout, want.Run.Layout)
		}
	}
}

// same compares two answers bit for bit.
func same(t *testing.T, line string, got, want *plan.Answer) {
	t.Helper()
	for _, m := range plan.Metrics() {
		a, b := m.Of(got), m.Of(want)
		if (a.Interval == nil) != (b.Interval == nil) || a.Missing != b.Missing ||
			a.Interval != nil && *a.Interval != *b.Interval {
			t.Errorf("%s: %s is %+v, want %+v", line, m, a, b)
		}
	}
	g, w := &got.Run, &want.Run
	if g.Layout != w.Layout || g.Execution != w.Execution || g.Workload != w.Workload {
		t.Errorf("%s: run %+v %+v %+v, want %+v %+v %+v", line, g.Layout, g.Execution, g.Workload,
			w.Layout, w.Execution, w.Workload)
	}
	if !reflect.DeepEqual(got.Decisions, want.Decisions) {
		t.Errorf("%s: decisions %+v, want %+v", line, got.Decisions, want.Decisions)
	}
}

// TestExplorerPlansAsPlan asks the engine and plan the same, on every device of the catalogue.
func TestExplorerPlansAsPlan(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 2))
	catalogue := hardware.Catalogue()
	for i := range drawn() {
		shape := drawnShapes[r.IntN(len(drawnShapes))]
		device := catalogue[i%len(catalogue)].Name
		devices, batch := 1+r.IntN(12), []int{0, 64, 96}[r.IntN(3)]
		p, err := hardware.Parse(device)
		if err != nil {
			t.Fatal(err)
		}
		s, err := shapes.Parse(shape)
		if err != nil {
			t.Fatal(err)
		}
		want, err := plan.Question{
			Shape: s, Profile: &p, Devices: devices, Workload: flops.Workload{Batch: batch},
		}.Answer()
		address := fmt.Sprintf("shape=%s&hardware=%s&devices=%d", strings.ReplaceAll(shape, "=", "%3D"),
			strings.ReplaceAll(device, "+", "%2B"), devices)
		if batch > 0 {
			address += "&batch=" + strconv.Itoa(batch)
		}
		got, refused := engine.Answer(address)
		if (err == nil) != (refused == nil) {
			t.Errorf("%s: %v, want %v", address, refused, err)
			continue
		}
		if err != nil {
			continue
		}
		if got.Params.Total != want.Params.Total || got.FLOPs.Step != want.FLOPs.Step ||
			got.Memory.PeakBytes != want.Memory.PeakBytes {
			t.Errorf("%s: counts %+v %+v %+v", address, got.Params, got.FLOPs, got.Memory)
		}
		for _, pair := range [][2]any{
			{got.Time.StepSeconds, want.StepTime.Interval},
			{got.Time.TotalSeconds, want.Schedule.Occupancy.WallSeconds.Interval},
			{got.Cost.USD, want.Schedule.Bill.CostUSD.Interval},
			{got.Cost.EnergyKWh, want.Schedule.Bill.EnergyKWh.Interval},
			{got.Cost.CO2Kg, want.Schedule.Bill.CO2Kg.Interval},
		} {
			if !reflect.DeepEqual(pair[0], pair[1]) {
				t.Errorf("%s: %v, want %v", address, pair[0], pair[1])
			}
		}
	}
}

// refed returns the flags that state how a result was run.
func refed(result map[string]any) []string {
	part := func(name string) map[string]any { m, _ := result[name].(map[string]any); return m }
	x, l, w := part("execution"), part("layout"), part("workload")
	yes := map[any]string{true: "yes", false: "no"}
	out := []string{
		"--compiled", yes[x["compiled"]], fmt.Sprintf("--sequence-parallel=%v", x["sequence_parallel"]),
		fmt.Sprintf("--dropout=%v", w["dropout"]),
	}
	for _, f := range []struct {
		flag string
		v    any
	}{
		{"precision", x["precision"]},
		{"optimizer", x["optimizer"]},
		{"attention", x["attention"]},
		{"recompute", x["recompute"]},
		{"stack", x["stack"]},
		{"devices", l["devices"]},
		{"dp", l["dp"]},
		{"tp", l["tp"]},
		{"pp", l["pp"]},
		{"interleave", l["interleave"]},
		{"zero", l["zero"]},
		{"micro-batch", l["micro_batch"]},
		{"accumulate", l["accumulate"]},
		{"context-parallel", l["context"]},
		{"expert-parallel", l["expert"]},
		{"batch", w["batch"]},
		{"encoder-length", w["encoder_length"]},
		{"decoder-length", w["decoder_length"]},
	} {
		if f.v != nil {
			out = append(out, "--"+f.flag, fmt.Sprint(f.v))
		}
	}
	return out
}

// stays are the flags that say nothing of execution or layout.
var stays = []string{"hardware", "steps", "tokens", "price", "goodput", "region"}

// TestResultsCanBeFedBack: the execution and layout of a result, given as flags, give the same
// result.
func TestResultsCanBeFedBack(t *testing.T) {
	result := func(args []string) (map[string]any, bool) {
		code, stdout, stderr := run(t, "", append(append([]string{"plan"}, args...), "--format", "json")...)
		if code != frame.ExitOK {
			return map[string]any{"error": stderr}, false
		}
		var document struct{ Results []map[string]any }
		if err := json.Unmarshal([]byte(stdout), &document); err != nil {
			t.Fatal(err)
		}
		return document.Results[0], true
	}
	feed := func(shape string, flags []string) bool {
		first, ok := result(append([]string{shape}, flags...))
		if !ok {
			return false
		}
		again := append([]string{shape}, refed(first)...)
		for i := 0; i+1 < len(flags); i++ {
			for _, name := range stays {
				if flags[i] == "--"+name {
					again = append(again, flags[i], flags[i+1])
				}
			}
		}
		second, _ := result(again)
		for _, r := range []map[string]any{first, second} {
			delete(r, "assumptions") // the second states what the first assumed
			delete(r, "command")     // and its commands repeat that
			changes, _ := r["changes"].([]any)
			r["changes"] = slices.DeleteFunc(changes, func(c any) bool {
				delete(c.(map[string]any), "command")
				// another card compiles, or not, as its vendor does unless that is stated
				return c.(map[string]any)["kind"] == "cluster"
			})
		}
		if !reflect.DeepEqual(first, second) {
			a, _ := json.Marshal(first)
			b, _ := json.Marshal(second)
			t.Errorf("plan %s %v\nfed back as %v\ngave %s\nwant %s", shape, flags, again, b, a)
		}
		return true
	}
	// a run that only fits with full recomputation, which the search chooses
	if !feed("llama-3-405b", strings.Fields("--hardware h100 --devices 1024 --layout auto --batch 2048 --decoder-length 8192 --optimizer adam --tokens 15T")) {
		t.Error("the run of 405B parameters has no plan")
	}
	r := rand.New(rand.NewPCG(11, 3))
	for planned := 0; planned < drawn(); {
		if feed(draw(r)) {
			planned++
		}
	}
}
