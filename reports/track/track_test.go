package track

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// planText is a plan of 10,000 steps of 1 s (0.8 to 1.25), at a goodput of 0.9 and $1 an hour on 9
// devices: 11,111 s and $27.78.
const planText = `{"schema":"deepnarrow/plan/v1","inputs":{"hardware":["a100"]%s},"results":[{
"shape":{"name":"toy"},"hardware":"A100 SXM 80GB","devices":9,
"workload":{"batch":8,"encoder_length":100,"decoder_length":25,"tokens":800},
"time":{"step_seconds":{"value":1,"low":0.8,"high":1.25},
 "total_seconds":{"value":11111.1,"low":8247,"high":14706},"level":0.8},
"steps":{"value":10000,"low":10000,"high":10000},"tokens":{"value":8e6,"low":8e6,"high":8e6},
"cost":{"usd":{"value":27.78,"low":20.6,"high":36.8},"device_hours":{"value":27.78,"low":20.6,"high":36.8}}%s,
"assumptions":[{"name":"goodput","value":{"value":0.9,"low":0.85,"high":0.97}},
 {"name":"price","value":{"value":1,"low":1,"high":1}}]}]}`

func toyPlan(t *testing.T, inputs, more string) *Plan {
	t.Helper()
	p, err := ReadPlan("plan.json", fmt.Appendf(nil, planText, inputs, more), 0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// read reads a log as the command does.
func read(t *testing.T, p *Plan, name, text string) (*Log, error) {
	t.Helper()
	in := []records.Input{{Name: name, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(text)), nil
	}}}
	table, err := records.ReadAll(in, records.Options{Growing: true, Times: true})
	if err != nil {
		return nil, err
	}
	s := learn.Selection{Group: "run"}
	runs, err := s.Of("loss", table)
	if err != nil {
		return nil, err
	}
	return NewLog(runs, p)
}

// made is a constructed run: rows of 100 steps of a given time each, with noise of 1 %, and a loss of
// 2 + 20/√step with noise of 0.5 %.
type made struct {
	rows  []string
	clock float64
	noise *rand.Rand
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (m *made) row(step int, seconds, loss float64) {
	m.clock += 100 * seconds * math.Exp(0.01*m.noise.NormFloat64())
	at := start.Add(time.Duration(m.clock * float64(time.Second)))
	m.rows = append(m.rows, fmt.Sprintf("%s,%d,%.5f", at.Format(time.RFC3339Nano), step,
		loss*math.Exp(0.005*m.noise.NormFloat64())))
}

func usualLoss(step int) float64 { return 2 + 20/math.Sqrt(float64(step)) }

// run makes a run up to a step, with what changes it.
func run(to int, each func(m *made, step int) (seconds, loss float64)) string {
	m := &made{noise: rand.New(rand.NewPCG(1, 2))}
	for step := 100; step <= to; step += 100 {
		seconds, loss := each(m, step)
		m.row(step, seconds, loss)
	}
	return "time,step,loss\n" + strings.Join(m.rows, "\n") + "\n"
}

// TestVerdicts builds runs of which the verdict is known.
func TestVerdicts(t *testing.T) {
	usual := func(_ *made, step int) (float64, float64) { return 1.05, usualLoss(step) }
	for _, c := range []struct {
		name         string
		inputs, more string
		to           int
		each         func(m *made, step int) (seconds, loss float64)
		want         Verdict
		says         string // in a finding
	}{
		{"on plan", "", "", 5000, usual, OnPlan, ""},
		{"restart", "", "", 5000, func(m *made, step int) (float64, float64) {
			if step == 3000 { // fails, goes back by 500 steps after 5 minutes
				m.clock += 300
				for again := 2500; again < 3000; again += 100 {
					m.row(again, 1.05, usualLoss(again))
				}
			}
			return usual(m, step)
		}, OnPlan, "1 restart undid 5 logged rows"},
		{"stall", "", "", 5000, func(m *made, step int) (float64, float64) {
			if step == 3000 {
				m.clock += 1000
			}
			return usual(m, step)
		}, OnPlan, "1 stall lost 16m"},
		{"stall that costs too much", "", "", 5000, func(m *made, step int) (float64, float64) {
			if step == 3000 { // 3 h of a run of 3 h
				m.clock += 10800
			}
			return usual(m, step)
		}, OverBudget, "above the planned"},
		{"slow drift", "", "", 5000, func(m *made, step int) (float64, float64) {
			return 1 + 0.5*float64(step)/5000, usualLoss(step)
		}, Slower, "drifts"},
		{"slow from the start", "", "", 2000, func(m *made, step int) (float64, float64) {
			return 1.5, usualLoss(step)
		}, Slower, "1.5 times the predicted"},
		{"stated budget", `,"max_cost_usd":26`, "", 5000, usual, OverBudget, "the budget is $26"},
		{"divergence", "", "", 5000, func(m *made, step int) (float64, float64) {
			return 1.05, usualLoss(step) * (1 + max(0, float64(step-4500)/2000))
		}, Diverging, "the loss rises"},
		{"spike that heals", "", "", 5000, func(m *made, step int) (float64, float64) {
			if step == 3000 || step == 3100 {
				return 1.05, 4
			}
			return usual(m, step)
		}, OnPlan, ""},
		{
			"above the law", "", `,"loss":{"value":1.9,"low":1.85,"high":1.95}`, 8000, usual, Diverging,
			"the law of the plan",
		},
		{"at the law", "", `,"loss":{"value":2.2,"low":2.1,"high":2.3}`, 8000, usual, OnPlan, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := toyPlan(t, c.inputs, c.more)
			log, err := read(t, p, "run.csv", run(c.to, c.each))
			if err != nil {
				t.Fatal(err)
			}
			a := Question{Plan: p, Log: log}.Answer()
			if a.Verdict != c.want {
				t.Errorf("%s, want %s: %v", a.Verdict, c.want, a.Findings)
			}
			if said := fmt.Sprint(a.Findings); !strings.Contains(said, c.says) {
				t.Errorf("findings %s say nothing of %q", said, c.says)
			}
		})
	}
}

// TestHandWorked follows a run whose every step takes exactly 1.2 s from its clock's zero on:
// 4,000 of 10,000 steps in 4,800 s at a goodput of 1; the goodput to come is 0.4·1 + 0.6·0.9 = 0.94,
// so that 6,000·1.2/0.94 = 7,659.6 s are left, 12,459.6 s in all, at 9/3600 $/s $31.149.
func TestHandWorked(t *testing.T) {
	const tolerance = 1e-9 // rounding
	p := toyPlan(t, "", "")
	text := "elapsed,step\n"
	for step := 100; step <= 4000; step += 100 {
		text += fmt.Sprintf("%g,%d\n", 1.2*float64(step), step)
	}
	log, err := read(t, p, "run.csv", text)
	if err != nil {
		t.Fatal(err)
	}
	a := Question{Plan: p, Log: log}.Answer()
	before := 100 * 1.2 / 0.9 // what passed before the first row, at the planned goodput
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"share", a.Share, 0.4},
		{"step", a.Pace.Step.Value, 1.2},
		{"ratio", *a.Ratio, 1.2},
		{"goodput", *a.Goodput, 1},
		{"elapsed", *a.Elapsed, 4680 + before},
		{"remaining", a.RemainingSeconds.Value, 6000 * 1.2 / 0.94},
		{"total", a.TotalSeconds.Value, 4680 + before + 6000*1.2/0.94},
		{"cost to date", *a.USD, (4680 + before) * 9 / 3600},
		{"cost", a.TotalUSD.Value, (4680 + before + 6000*1.2/0.94) * 9 / 3600},
		{"tokens", a.Tokens, 3.2e6},
	} {
		if !(math.Abs(c.got/c.want-1) <= tolerance) {
			t.Errorf("%s %v, want %v", c.what, c.got, c.want)
		}
	}
	if a.Finish != nil {
		t.Error("a log without dates has an end by the calendar")
	}
	a = Question{Plan: p, Log: log, Now: start}.Answer()
	if want := start.Add(7659574468085 * time.Nanosecond); a.Finish[0].Sub(want).Abs() > time.Millisecond {
		t.Errorf("ends %v, want %v", a.Finish[0], want)
	}
}

// TestSameRunManyWays reads one run in the ways that logs tell step times.
func TestSameRunManyWays(t *testing.T) {
	p := toyPlan(t, "", "")
	for name, head := range map[string]string{
		"step_seconds": "step,step_time\n%d,1.2\n", "milliseconds": "step,elapsed time per iteration (ms)\n%d,1200\n",
		"a slash": "step,seconds/iteration\n%d,1.2\n", "minutes": "step,step_time_min\n%d,0.02\n",
		"rate":        "global_step,train/steps_per_second\n%d,0.8333333333333334\n",
		"tokens rate": "step,tokens_per_sec\n%d,666.6666666666666\n",
		"json":        "", "seconds that are of a step": "step,time\n%d,1.2\n",
	} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			file := "run.csv"
			if head == "" {
				file = "run.jsonl"
			} else {
				first, _, _ := strings.Cut(head, "\n")
				text.WriteString(first + "\n")
			}
			for step := 10; step <= 200; step += 10 {
				if head == "" {
					fmt.Fprintf(&text, `{"step":%d,"perf":{"step_time":1.2},"train_loss":2}`+"\n", step)
					continue
				}
				_, row, _ := strings.Cut(head, "\n")
				fmt.Fprintf(&text, row, step)
			}
			log, err := read(t, p, file, text.String())
			if err != nil {
				t.Fatal(err)
			}
			a := Question{Plan: p, Log: log}.Answer()
			if a.Pace == nil || !(math.Abs(a.Pace.Step.Value-1.2) <= 1e-12) || a.Step != 200 {
				t.Errorf("step %v of %+v", a.Step, a.Pace)
			}
		})
	}
}

// TestGrowing cuts a log at every byte: what was complete is read, once, and nothing else.
func TestGrowing(t *testing.T) {
	p := toyPlan(t, "", "")
	csv := run(1200, func(_ *made, step int) (float64, float64) { return 1, usualLoss(step) })
	var lines strings.Builder
	for step := 100; step <= 1200; step += 100 {
		fmt.Fprintf(&lines, `{"step":%d,"loss":%.3f,"step_time":1.25}`+"\n", step, usualLoss(step))
	}
	for name, text := range map[string]string{"run.csv": csv, "run.jsonl": lines.String()} {
		head := 0
		if name == "run.csv" {
			head = 1
		}
		for cut := strings.Index(text, "\n") + 1; cut <= len(text); cut++ {
			whole := strings.Count(text[:cut], "\n") - head
			if name == "run.jsonl" && text[cut-1] == '}' {
				whole++ // a JSON value is complete before its line ends
			}
			log, err := read(t, p, name, text[:cut])
			if whole == 0 {
				if err == nil {
					t.Fatalf("%s cut at %d: %d rows of none", name, cut, len(log.Points))
				}
				continue
			}
			if err != nil {
				t.Fatalf("%s cut at %d: %v", name, cut, err)
			}
			if n := len(log.Points); n != whole || log.Points[n-1].Step != float64(100*whole) {
				t.Fatalf("%s cut at %d: %d rows up to %v, want %d", name, cut, n,
					log.Points[n-1].Step, whole)
			}
		}
	}
}

// TestWaiting says that a run whose log stopped has stopped, once the time is known.
func TestWaiting(t *testing.T) {
	p := toyPlan(t, "", "")
	text := run(3000, func(_ *made, step int) (float64, float64) { return 1, usualLoss(step) })
	log, err := read(t, p, "run.csv", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		want  Verdict
	}{{3100 * time.Second, OnPlan}, {6000 * time.Second, Slower}} {
		if a := (Question{Plan: p, Log: log, Now: start.Add(c.after)}).Answer(); a.Verdict != c.want {
			t.Errorf("after %v: %s, want %s", c.after, a.Verdict, c.want)
		}
	}
}

// TestColons reads what has elapsed as programs write it, and says where a column of times is none.
func TestColons(t *testing.T) {
	for text, want := range map[string]float64{
		"1:02:03": 3723, "0:00:01.5": 1.5, "2:03": 123, "1 day, 1:00:00": 90000, "2 days, 0:00:01": 172801,
	} {
		if got := colons(text); got != want {
			t.Errorf("%s = %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"", "1", "1:-2", "1:2:3:4", "x:1", "1 day, 5", "NaN:1"} {
		if got := colons(text); !math.IsNaN(got) {
			t.Errorf("%q = %v", text, got)
		}
	}
	log, err := read(t, toyPlan(t, "", ""), "run.csv", "step,loss,date\n1,3,03/04/26\n2,2,03/05/26\n")
	if err != nil || !strings.Contains(fmt.Sprint(log.Notes), `timestamp is read as a time, such as "03/04/26"`) {
		t.Errorf("%v, %v", log, err)
	}
}

// TestAnotherRun asks whether a log is the plan's where its steps are beyond what any step takes, or
// beyond the end of the plan.
func TestAnotherRun(t *testing.T) {
	p := toyPlan(t, "", "")
	for text, want := range map[string]string{
		"step,step_seconds\n10,1200\n20,1200\n":     "1200 times the predicted",
		"step,step_seconds\n10,1\n2000000,1\n":      "is it of another run?",
		"step,step_seconds\n10,0.0001\n20,0.0001\n": "in another unit, or of another run?",
	} {
		log, err := read(t, p, "run.csv", text)
		if err != nil {
			t.Fatal(err)
		}
		if told := fmt.Sprint(Question{Plan: p, Log: log}.Answer().Findings); !strings.Contains(told, want) {
			t.Errorf("%q: %s, want %s", text, told, want)
		}
	}
}

// TestBrokenLoss is a run that ends in NaN.
func TestBrokenLoss(t *testing.T) {
	p := toyPlan(t, "", "")
	log, err := read(t, p, "run.jsonl", `{"step":1,"loss":3}
{"step":2,"loss":NaN}
{"step":3,"loss":NaN}
`)
	if err != nil {
		t.Fatal(err)
	}
	if a := (Question{Plan: p, Log: log}).Answer(); a.Verdict != Diverging || log.Broken != 2 {
		t.Errorf("%s, %d broken rows", a.Verdict, log.Broken)
	}
}

// TestTokensOfBothStacks does not take 1,000 positions of both stacks for a larger batch than the 800
// tokens of the plan, and follows a batch of twice the size in planned steps.
func TestTokensOfBothStacks(t *testing.T) {
	p := toyPlan(t, "", "")
	for tokens, want := range map[int]float64{800: 200, 1000: 200, 1600: 400} {
		text := "step,tokens,step_seconds\n"
		for step := 10; step <= 200; step += 10 {
			text += fmt.Sprintf("%d,%d,1\n", step, step*tokens)
		}
		log, err := read(t, p, "run.csv", text)
		if err != nil {
			t.Fatal(err)
		}
		if a := (Question{Plan: p, Log: log}).Answer(); a.Step != want {
			t.Errorf("%d tokens a step: step %v, want %v", tokens, a.Step, want)
		}
	}
}

// TestSeveralRuns are refused: nothing says which is the plan's.
func TestSeveralRuns(t *testing.T) {
	_, err := read(t, toyPlan(t, "", ""), "run.csv", "run,step,loss\na,1,2\nb,1,3\n")
	if err == nil || !strings.Contains(err.Error(), "2 runs; allowed: one of a, b") {
		t.Errorf("%v", err)
	}
}

// TestReadPlan refuses what is not one planned run.
func TestReadPlan(t *testing.T) {
	one := strings.TrimSuffix(fmt.Sprintf(planText, "", ""), "]}")
	_, result, _ := strings.Cut(one, `"results":[`)
	two := one + "," + result + "]}"
	for text, want := range map[string]string{
		`{`: "not a plan", `{"schema":"deepnarrow/fit/v1"}`: `schema is "deepnarrow/fit/v1"`,
		`{"schema":"deepnarrow/plan/v1","results":[]}`: "no planned run",
		two: "2 planned runs; allowed: --result with the number of one of 1: toy on 9",
		`{"schema":"deepnarrow/plan/v1","results":[{}]}`: "has no number of steps",
	} {
		if _, err := ReadPlan("p.json", []byte(text), 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %s", text, err, want)
		}
	}
	if p, err := ReadPlan("p.json", []byte(two), 2); err != nil || p.Devices != 9 {
		t.Errorf("%v", err)
	}
}

// TestParseClock reads one instant, 2026-01-02 03:04:05 UTC, in the ways that logs write it.
func TestParseClock(t *testing.T) {
	const want = 1767323045
	for _, text := range []string{
		"2026-01-02T03:04:05Z", "2026-01-02 03:04:05", "2026-01-02T04:04:05+01:00",
		"2026-01-02 03:04:05,000", "02.01.2026 03:04:05", "1767323045", "1767323045000", "1767323045000000", "1.767323045e18",
	} {
		if got, absolute := parseClock(text); got != want || !absolute {
			t.Errorf("%s: %v %v", text, got, absolute)
		}
	}
	if got, absolute := parseClock("3600.5"); got != 3600.5 || absolute {
		t.Errorf("%v %v", got, absolute)
	}
	for _, text := range []string{"", "NaN", "inf", "soon"} {
		if got, _ := parseClock(text); !math.IsNaN(got) {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestCalibrated plans the run again on the profile that it taught: the prediction moves to what was
// measured, most of the way that one measurement can tell.
func TestCalibrated(t *testing.T) {
	text, err := os.ReadFile("../../docs/data/plan.json")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadPlan("plan.json", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	slower := 1.2 * p.StepSeconds.Value
	var log strings.Builder
	log.WriteString("step,step_seconds\n")
	for step := 100; step <= 2000; step += 100 {
		fmt.Fprintf(&log, "%d,%g\n", step, slower)
	}
	l, err := read(t, p, "run.csv", log.String())
	if err != nil {
		t.Fatal(err)
	}
	base, err := hardware.Parse(p.Hardware)
	if err != nil {
		t.Fatal(err)
	}
	taught, err := Question{Plan: p, Log: l}.Answer().Calibrated(base, "run.csv")
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := hardware.WriteProfile(&file, &taught); err != nil {
		t.Fatal(err)
	}
	again, err := hardware.ReadProfile("ours.yaml", &file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.shape()
	if err != nil {
		t.Fatal(err)
	}
	predict := func(profile *hardware.Profile) quantity.Interval {
		a, err := p.question(&s, profile).Answer()
		if err != nil {
			t.Fatal(err)
		}
		return *a.StepTime.Interval
	}
	const same = 0.1 // the document is as old as it is, the model may have been fitted anew since
	before, after := predict(&base), predict(&again)
	if !(math.Abs(before.Value/p.StepSeconds.Value-1) <= same) {
		t.Errorf("the plan's question predicts %v, the plan said %v", before, *p.StepSeconds)
	}
	if !(after.Value > math.Sqrt(before.Value*slower)) || !(after.Low < slower && slower < after.High) {
		t.Errorf("predicted %v before and %v after steps of %v", before, after, slower)
	}
}

// TestSweep follows a run of sweep: 40 steps of t5-tiny/nl=2 with 384 pieces, batch 8 × (128 → 32), on two
// threads of a busy Xeon with AVX-512 (deepnarrow sweep --shapes t5-tiny/vocab=384,nl=2 --tokens 50k
// --warmup 10, 28 November 2026), planned on the profile that calibrate had fitted to seven steps there.
// The record counts the tokens of both stacks.
func TestSweep(t *testing.T) {
	text, err := os.ReadFile("testdata/sweep_plan.json")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadPlan("sweep_plan.json", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	record, err := os.ReadFile("testdata/sweep.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	log, err := read(t, p, "sweep.jsonl", string(record))
	if err != nil {
		t.Fatal(err)
	}
	a := Question{Plan: p, Log: log}.Answer()
	if a.Verdict != OnPlan || a.Share != 1 || a.Pace.Step.Value != 0.1848936065 || len(a.Findings) > 0 {
		t.Errorf("%s at %v of the steps of %v s: %v", a.Verdict, a.Share, a.Pace.Step, a.Findings)
	}
	if a.LossAtEnd == nil || a.LossAtEnd.Value != *a.Loss || a.RemainingSeconds.Value != 0 {
		t.Errorf("a finished run is continued: %+v, %+v", a.LossAtEnd, a.RemainingSeconds)
	}
}
