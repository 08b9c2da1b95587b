package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// both runs a command for its table, over all columns, and for its document.
func both(t *testing.T, line string) (table string, d document) {
	t.Helper()
	args := strings.Fields(line)
	code, table, stderr := run(t, "", args...)
	if code != frame.ExitOK {
		t.Fatalf("%s: exit %d: %s", line, code, stderr)
	}
	return table, answerOf(t, "", args...)
}

// shown writes a number or interval of a document as its table does.
func shown(t *testing.T, kind quantity.Kind, v any) string {
	t.Helper()
	switch v := v.(type) {
	case float64:
		if kind == quantity.Params {
			return grouped(v)
		}
		return quantity.FormatInterval(kind, quantity.Interval{Value: v, Low: v, High: v})
	case map[string]any:
		return quantity.FormatInterval(kind, quantity.Interval{
			Value: number(t, v, "value"), Low: number(t, v, "low"), High: number(t, v, "high"),
		})
	}
	t.Fatalf("neither number nor interval: %v", v)
	return ""
}

// grouped is an exact count with its thousands apart.
func grouped(v float64) string {
	digits := fmt.Sprintf("%.0f", v)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// row is the first line of a table that begins with a title.
func row(t *testing.T, table, title string) string {
	t.Helper()
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, title+"  ") {
			return line
		}
	}
	t.Errorf("no row %q in\n%s", title, table)
	return ""
}

// The table of plan and its document are made by different code; they say the same numbers. Cost,
// energy and CO2 are in different units, so that a swap shows.
func TestPlanTableSaysWhatTheDocumentSays(t *testing.T) {
	table, d := both(t, "plan t5-base --hardware a100 --devices 8 --goodput 0.8")
	for title, metric := range map[string]plan.Metric{
		"parameters": plan.Params, "step time": plan.StepTime, "wall clock": plan.TotalTime,
		"cost": plan.Cost, "energy": plan.Energy, "CO2e": plan.CO2,
	} {
		value := at(d.Results[0], strings.Split(metric.Path(), ".")...)
		if want := shown(t, metric.Kind(), value); !strings.Contains(row(t, table, title), want) {
			t.Errorf("%s: the document says %s, the table\n%s", title, want, row(t, table, title))
		}
	}
	peak := number(t, d.Results[0], "memory", "peak_bytes")
	if want := quantity.Format(quantity.Bytes, peak, 3); !strings.Contains(table, want) {
		t.Errorf("the document says a peak of %s, the table\n%s", want, table)
	}
}

func TestDiffTableSaysWhatTheDocumentSays(t *testing.T) {
	table, d := both(t, "diff t5-base t5-small --hardware a100 --wide")
	seen := 0
	for _, r := range d.Results {
		name, _ := r["metric"].(string)
		metric, ok := plan.ParseMetric(name)
		if !ok || r["base"] == nil {
			continue
		}
		seen++
		line := row(t, table, name)
		for _, side := range []string{"base", "change"} {
			value := r[side]
			if i := r[side+"_interval"]; i != nil {
				if number(t, i, "value") != value {
					t.Errorf("%s, %s: %v and %v", name, side, value, i)
				}
				value = i
			}
			if want := shown(t, metric.Kind(), value); !strings.Contains(line, want) {
				t.Errorf("%s, %s: the document says %s, the table\n%s", name, side, want, line)
			}
		}
	}
	if least := 8; seen < least {
		t.Errorf("%d metrics compared, want %d or more", seen, least)
	}
}

func TestCountTableSaysWhatTheDocumentSays(t *testing.T) {
	table, d := both(t, "count t5-base --wide")
	line := row(t, table, "t5-base")
	r := d.Results[0]
	for name, want := range map[string]string{
		"params":  grouped(number(t, r, "params", "total")),
		"forward": fmt.Sprintf("%.1f", number(t, r, "flops", "forward")/1e12),
		"step":    fmt.Sprintf("%.1f", number(t, r, "flops", "step")/1e12),
		"memory":  fmt.Sprintf("%.1f", number(t, r, "memory", "peak_bytes")/(1<<30)),
	} {
		if !strings.Contains(line, want) {
			t.Errorf("%s: the document says %s, the table\n%s", name, want, line)
		}
	}
}

// The message and the value of a finding are the same number.
func TestCheckSaysWhatItsDocumentSays(t *testing.T) {
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	text := "rules:\n- {id: small, metric: params, max: 100M}\n- {id: slow, metric: step-time, max: 1ms}\n"
	if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := strings.Fields("check ../../../../shapes/config/testdata/good/t5-v1_1-base.json --hardware a100 --rules " + rules)
	_, table, stderr := run(t, "", args...)
	_, text, _ = run(t, "", append(args, "--format", "json")...)
	var d document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	found := 0
	for _, r := range d.Results {
		kind := map[any]quantity.Kind{"small": quantity.Params, "slow": quantity.Duration}[r["rule"]]
		value, ok := r["value"].(float64)
		message, _ := r["message"].(string)
		if !ok || r["status"] != "fail" {
			continue
		}
		found++
		want := quantity.Format(kind, value, 3)
		if kind == quantity.Params {
			want = grouped(value)
		}
		if !strings.Contains(message, want) || !strings.Contains(table, want) {
			t.Errorf("%v: the document says %s, its message %q, the table\n%s", r["rule"], want,
				message, table)
		}
	}
	if found != 2 {
		t.Errorf("%d findings, want 2:\n%s", found, table)
	}
}

// The costs of a recommended row in the table are those of its document.
func TestRecommendTableSaysWhatTheDocumentSays(t *testing.T) {
	table, d := both(t, "recommend --like t5-small --top 3 --hardware a100 --devices 8 --wide")
	for i, r := range d.Results {
		name, _ := at(r, "shape", "name").(string)
		costs := []string{
			shown(t, quantity.Money, at(r, "cost", "usd")),
			shown(t, quantity.Duration, at(r, "time", "step_seconds")),
		}
		missing := true
		for line := range strings.Lines(table) {
			if !strings.Contains(line, " "+name+" ") {
				continue
			}
			all := true
			for _, c := range costs {
				all = all && strings.Contains(line, bare(c))
			}
			missing = missing && !all
		}
		if missing {
			t.Errorf("row %d, %s: the document says %v, the table\n%s", i, name, costs, table)
		}
	}
}

// bare is a written interval without its unit, as a column whose head has the unit shows it.
func bare(text string) string {
	text = strings.TrimPrefix(text, "$")
	if i := strings.Index(text, ")"); i > 0 {
		text = text[:i]
	}
	return strings.ReplaceAll(text, "$", "")
}

// HFU counts what is recomputed and MFU does not: their ratio is that of the FLOPs under the two
// conventions.
func TestHFUIsNotMFU(t *testing.T) {
	d := answerOf(t, "", "plan", "t5-base", "--hardware", "a100", "--recompute", "full")
	s, err := shapes.Lookup("t5-base")
	if err != nil {
		t.Fatal(err)
	}
	steps := func(c flops.Convention) float64 {
		return flops.CountUnder(c, &s, flops.PaperWorkload, flops.RecomputeFull).Step
	}
	want := steps(flops.HardwareConvention) / steps(flops.MatmulConvention)
	got := number(t, d.Results[0], "time", "hfu") / number(t, d.Results[0], "time", "mfu")
	const rounding = 1e-12
	if want < 1.2 || !approx.Relative(got, want, rounding) {
		t.Errorf("HFU is %g of MFU, want %g", got, want)
	}
}

// A processor is planned as the reference kernel trains, each part of it unless it is stated; a
// device without bfloat16 in float16; the rest as is usual. The document says what was planned.
func TestExecutionOfADevice(t *testing.T) {
	for _, c := range []struct{ flags, precision, optimizer, attention string }{
		{"--hardware cpu,bandwidth=100GB/s", "fp32", "adam", "unfused"},
		{"--hardware cpu,bandwidth=100GB/s --attention fused", "fp32", "adam", "fused"},
		{"--hardware cpu,bandwidth=100GB/s --optimizer sgd", "fp32", "sgd", "unfused"},
		{"--hardware v100", "fp16-mixed", "adafactor", "fused"},
		{"--hardware v100 --precision fp32", "fp32", "adafactor", "fused"},
		{"--hardware a100", "bf16-mixed", "adafactor", "fused"},
		{"--hardware a10g", "bf16-mixed", "adafactor", "fused"},
	} {
		d := answerOf(t, "", append([]string{"plan", "t5-small"}, strings.Fields(c.flags)...)...)
		x, _ := at(d.Results[0], "execution").(map[string]any)
		if x["precision"] != c.precision || x["optimizer"] != c.optimizer ||
			x["attention"] != c.attention {
			t.Errorf("%s: %v", c.flags, x)
		}
	}
}

// What a fit leaves out and what it was asked beyond its rows are told: an x that repeats, a
// prediction beyond the largest x and none within.
func TestFitTellsWhatItLeavesOut(t *testing.T) {
	var curve, sizes strings.Builder
	curve.WriteString("tokens,loss\n")
	sizes.WriteString("params,loss,part\n")
	for i := 1; i <= 40; i++ {
		x := float64(i) * 1e6
		fmt.Fprintf(&curve, "%.0f,%.6f\n", x, 2+3/math.Sqrt(float64(i))+0.002*float64(i*7%5-2))
		// a tenth of the later rows lie between the intervals, a tenth outside both
		off, part := 0.02*float64(i*7%5-2), "fit"
		if i > 20 {
			part = "held"
			switch {
			case i%10 == 3:
				off = 0.05
			case i%10 == 7:
				off = 0.3
			}
		}
		fmt.Fprintf(&sizes, "%.0f,%.6f,%s\n", x, 10*math.Pow(x, -0.1)*math.Exp(off), part)
	}
	curve.WriteString("20000000,2.9\n")
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	d := answerOf(t, "", "fit", write("curve.csv", curve.String()), "--x", "tokens", "--y", "loss")
	if rows := at(d.Results[0], "rows"); number(t, rows, "dropped") != 1 ||
		number(t, rows, "used") != 40 || !strings.Contains(fmt.Sprint(rows), "same tokens") {
		t.Errorf("the repeated x: %v", rows)
	}

	args := []string{
		"fit", write("sizes.csv", sizes.String()), "--x", "params", "--y", "loss", "--law", "power",
		"--fit-where", "part=fit", "--score-where", "part=held", "--bootstrap", "50",
	}
	for point, beyond := range map[string]bool{"1.9e7": false, "2.1e7": true, "3e8": true} {
		_, out, stderr := run(t, "", append(args, "--predict", "params="+point)...)
		if got := strings.Contains(out+stderr, "lies beyond the rows"); got != beyond {
			t.Errorf("params=%s beyond the rows: said %t, want %t", point, got, beyond)
		}
	}
	// the 80 % interval covers less than the 95 % one, and the sentence says which is which
	_, out, _ := run(t, "", args...)
	score, _ := at(answerOf(t, "", args...).Results[0], "score").(map[string]any)
	c80, c95 := number(t, score, "coverage80"), number(t, score, "coverage95")
	want := fmt.Sprintf("80 %% interval covers %.0f %% of them, the 95 %% interval %.0f %%", 100*c80,
		100*c95)
	if c80 >= c95 || !strings.Contains(out, want) {
		t.Errorf("coverage %g and %g; want %q in\n%s", c80, c95, want, out)
	}
}

// deviceStates are those of the explorer with two of each device of the catalogue.
func deviceStates() []string {
	var states []string
	for _, p := range hardware.Catalogue() {
		states = append(states, "shape=t5-base&hardware="+p.Aliases[0]+"&devices=2")
	}
	return states
}
