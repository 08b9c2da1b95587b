package plan

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// round is the share by which a product of factors in another order may differ.
const round = 1e-12

func answer(t testing.TB, q Question) Answer {
	t.Helper()
	a, err := q.Answer()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// value returns a metric that must be known.
func value(t testing.TB, m Metric, a *Answer) float64 {
	t.Helper()
	e := m.Of(a)
	if e.Interval == nil {
		t.Fatalf("%s is missing: %s", m, e.Missing)
	}
	return e.Interval.Value
}

// TestCountsByHand: t5-small on the paper's batch. 60,506,624 parameters are those of its model
// card, 32,128 · 512 of them the table. One forward pass by DESIGN section 3 with B 128, Se 512,
// Sd 128, d = i = k = 512, f 2048, g 2, six layers a stack.
func TestCountsByHand(t *testing.T) {
	a := answer(t, Question{Shape: shape(t, "t5-small"), Length: hardware.Length{Steps: 1000}})
	const b, se, sd, d, f, v = 128.0, 512.0, 128.0, 512.0, 2048.0, 32128.0
	encoder := 6 * (2*b*se*(4*d*d+2*d*f) + 4*b*se*se*d)
	decoder := 6 * (2*b*sd*(6*d*d+2*d*f) + 2*b*se*2*d*d + 4*b*sd*sd*d + 4*b*sd*se*d)
	step := 3 * (encoder + decoder + 2*b*sd*v*d)
	for m, want := range map[Metric]float64{
		Params: 60506624, NonEmbedding: 60506624 - v*d, StepFLOPs: step, RunFLOPs: 1000 * step,
	} {
		if got := value(t, m, &a); !approx.Relative(got, want, round) {
			t.Errorf("%s is %v, want %v", m, got, want)
		}
	}
	if want := 1000 * b * se; a.Schedule.Tokens.Interval.Value != want {
		t.Errorf("tokens %v, want %v", a.Schedule.Tokens.Interval.Value, want)
	}
	if a.FLOPs.Convention != flops.MatmulConvention {
		t.Errorf("convention %s", a.FLOPs.Convention)
	}
	for _, m := range []Metric{StepTime, TotalTime, DeviceHours, Cost, Energy, CO2} {
		if e := m.Of(&a); e.Interval != nil || e.Missing != NoHardware {
			t.Errorf("%s without a machine: %+v", m, e)
		}
	}
	if a.Fits != nil || a.Missing()["memory.fits"] != NoHardware || a.Prediction != nil {
		t.Errorf("fits %v, %v", a.Fits, a.Missing())
	}
}

// TestRecomputeIsNotWork: the matmul convention leaves recomputed work out, and memory shrinks.
func TestRecomputeIsNotWork(t *testing.T) {
	full := flops.RecomputeFull
	q := Question{Shape: shape(t, "t5-small")}
	none := answer(t, q)
	q.Recompute = &full
	again := answer(t, q)
	if none.FLOPs.Step != again.FLOPs.Step || !(again.Memory.PeakBytes < none.Memory.PeakBytes) {
		t.Errorf("FLOPs %v and %v, memory %v and %v", none.FLOPs.Step, again.FLOPs.Step,
			none.Memory.PeakBytes, again.Memory.PeakBytes)
	}
}

// TestBillByHand: with a step of s seconds, wall clock = steps · s / goodput, cost = devices · hours
// · price, energy = devices · hours · kW · PUE, CO2 = energy · grid.
func TestBillByHand(t *testing.T) {
	goodput, price, watts, pue, grid := 0.5, 2.0, 300.0, 1.5, 0.25
	q := Question{
		Shape: shape(t, "t5-base"), Profile: profile(t, "a100"), Devices: 4,
		Length: hardware.Length{Steps: 7200}, Goodput: &goodput,
		Rates: hardware.StatedRates{
			PriceUSDPerHour: &price, MeanPowerWatts: &watts, PUE: &pue, KgCO2ePerKWh: &grid,
		},
	}
	a := answer(t, q)
	run := hardware.Run{
		Profile: *q.Profile, Shape: q.Shape,
		Workload:  flops.Workload{Batch: 128, EncoderLength: 512, DecoderLength: 128},
		Execution: flops.Execution{Optimizer: flops.Adafactor}, Layout: flops.Layout{DP: 4},
	}
	run.Execution.WorkspaceBytes = flops.TorchWorkspaceBytes
	p, err := hardware.Predict(run)
	if err != nil {
		t.Fatal(err)
	}
	s := p.StepSeconds.Value
	hours := 7200 * s / 0.5 / 3600
	for m, want := range map[Metric]float64{
		StepTime: s, TotalTime: 3600 * hours, DeviceHours: 4 * hours, Cost: 8 * hours,
		Energy: 4 * hours * 0.3 * 1.5, CO2: 4 * hours * 0.3 * 1.5 * 0.25, Memory: p.Memory.PeakBytes,
	} {
		if got := value(t, m, &a); !approx.Relative(got, want, round) {
			t.Errorf("%s is %v, want %v", m, got, want)
		}
	}
	if *a.StepTime.Interval != p.StepSeconds || a.Prediction.Bound != p.Bound || !*a.Fits {
		t.Errorf("step %+v, want %+v", a.StepTime.Interval, p.StepSeconds)
	}
	for name, want := range map[string]string{
		"price": "$2.00/h", "mean power": "300 W", "PUE": "1.50", "goodput": "50%",
	} {
		d := decision(a.Assumptions(), name)
		if d == nil || d.Origin != hardware.Flag || !strings.HasPrefix(d.Words(), want[:2]) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// TestContextTakesDevices: devices of context parallelism are paid for like any others.
func TestContextTakesDevices(t *testing.T) {
	q := Question{
		Shape: shape(t, "gpt2"), Profile: profile(t, "a100"), Devices: 8,
		Software: hardware.Software{ContextParallel: 2}, Length: hardware.Length{Steps: 3600},
	}
	a := answer(t, q)
	if a.Schedule.Occupancy.Devices != 8 || a.Run.Layout.DP != 4 ||
		!approx.Relative(value(t, DeviceHours, &a), 8*value(t, TotalTime, &a)/3600, round) {
		t.Errorf("%+v", a.Schedule.Occupancy)
	}
}

// TestUntimed: a number that the profile lacks leaves times absent and counts as they are.
func TestUntimed(t *testing.T) {
	a := answer(t, Question{Shape: shape(t, "t5-base"), Profile: profile(t, "a10g"), Decode: 1})
	why := a.Missing()
	for _, path := range []string{
		"time.step_seconds", "time.total_seconds", "cost.usd", "cost.device_hours",
		"cost.energy_kwh", "cost.co2_kg", "decode.latency_seconds",
	} {
		if !strings.Contains(why[path], "peak_bf16 is unknown") {
			t.Errorf("%s: %q", path, why[path])
		}
	}
	if a.Fits == nil || *a.Fits || a.Memory.PeakBytes == 0 || a.Changes != nil || len(why) != 7 {
		t.Errorf("fits %v, missing %v", a.Fits, why)
	}
	p := *profile(t, "a100")
	p.MemoryBytes = nil
	a = answer(t, Question{Shape: shape(t, "t5-base"), Profile: &p})
	if w := a.Missing(); len(w) != 1 || !strings.Contains(w["memory.fits"], "states no memory") {
		t.Errorf("missing %v", w)
	}
	a = answer(t, Question{
		Shape: shape(t, "t5-base"), Profile: profile(t, "a10g"),
		Length: hardware.Length{WallSeconds: 3600},
	})
	if why := a.Missing(); why["steps"] == "" || why["tokens"] == "" || why["run_flops"] == "" ||
		value(t, DeviceHours, &a) != 1 {
		t.Errorf("an hour of unknown steps: %v", why)
	}
}

// TestDetail: the breakdown and the changes come where they are asked for.
func TestDetail(t *testing.T) {
	q := Question{Shape: shape(t, "t5-small"), Profile: profile(t, "a100")}
	if a := answer(t, q); a.Breakdown != nil || a.Changes != nil || a.Decode != nil {
		t.Error("details that nobody asked for")
	}
	q.Detail = true
	a := answer(t, q)
	changes, err := hardware.Changes(a.Run)
	if err != nil || !reflect.DeepEqual(a.Changes, changes) || len(a.Changes) == 0 ||
		!reflect.DeepEqual(a.Breakdown, flops.NewLedger(&q.Shape, a.Run.Workload).ByComponent()) {
		t.Errorf("%v: %d changes, %d components", err, len(a.Changes), len(a.Breakdown))
	}
}

// TestDecode: answers come from one copy of the model, whatever the training layout copies.
func TestDecode(t *testing.T) {
	q := Question{
		Shape: shape(t, "t5-base"), Profile: profile(t, "a100"), Devices: 8,
		Layout: flops.Layout{TP: 2, ZeRO: 1, MicroBatch: 8}, Decode: 3,
	}
	a := answer(t, q)
	want, err := hardware.PredictDecoding(hardware.Run{
		Profile: *q.Profile, Shape: q.Shape, Execution: a.Run.Execution,
		Workload: flops.Workload{Batch: 3, EncoderLength: 512, DecoderLength: 128},
		Layout:   flops.Layout{TP: 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := a.Decode
	if d.Devices != 2 || d.Workload.Batch != 3 || d.Decoding.TotalSeconds != want.TotalSeconds ||
		value(t, DecodeLatency, &a) != want.TotalSeconds.Value {
		t.Errorf("%+v, want %+v", d, want)
	}
	one := Copy(a.Run, 7)
	if one.Layout != (flops.Layout{DP: 1, TP: 2, PP: 1, Interleave: 1}) || one.Workload.Batch != 7 {
		t.Errorf("a copy is laid out as %+v", one.Layout)
	}
	if l := a.Run.Layout; l.DP != 4 || l.ZeRO != 1 || l.MicroBatch != 8 {
		t.Errorf("decoding changed the training layout: %+v", l)
	}
	for _, c := range []struct {
		q    Question
		says string
	}{
		{Question{Shape: shape(t, "bert-base-uncased"), Profile: q.Profile, Decode: 1}, "bert-base-uncased has no decoder and generates nothing"},
		{Question{Shape: q.Shape, Decode: 1}, NoHardware},
		{Question{Shape: q.Shape, Profile: q.Profile}, "no decoding is asked for"},
	} {
		a := answer(t, c.q)
		if e := DecodeLatency.Of(&a); e.Interval != nil || e.Missing != c.says {
			t.Errorf("%+v, want %s", e, c.says)
		}
	}
}

// TestAssumptionsInOrder: decisions, then what the prediction and the bill lean on; absent rates
// say why.
func TestAssumptionsInOrder(t *testing.T) {
	q := Question{Shape: shape(t, "t5-base"), Profile: profile(t, "a100"), Devices: 8}
	a := answer(t, q)
	all := a.Assumptions()
	n, p := len(a.Decisions), len(a.Prediction.Assumptions)
	if len(all) != n+p+5 || !reflect.DeepEqual(all[:n], a.Decisions) {
		t.Fatalf("%d assumptions of %d + %d + 5", len(all), n, p)
	}
	for i, want := range a.Prediction.Assumptions {
		if got := all[n+i]; got.Name != want.Name || got.Text != want.Value ||
			got.Origin != want.Origin || got.Source != want.Source {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	for i, name := range []string{"goodput", "price", "mean power", "PUE", "grid intensity"} {
		if got := all[n+p+i]; got.Name != name || got.Value == nil || got.Source == "" ||
			got.Kind == quantity.Number || got.Words() == "unknown" || got.Evidence == "" {
			t.Errorf("%+v, want %s", got, name)
		}
	}
	free := *q.Profile
	free.PriceUSDPerHour = nil
	q.Profile = &free
	a = answer(t, q)
	d := decision(a.Assumptions(), "price")
	if d == nil || d.Value != nil || d.Words() != "unknown" || !strings.Contains(d.Missing, "--price") {
		t.Errorf("price %+v", d)
	}
	if a := answer(t, Question{Shape: q.Shape}); len(a.Assumptions()) != len(a.Decisions)+1 {
		t.Errorf("without a machine: %+v", a.Assumptions())
	}
}

// TestWarningsOfAnswers: what was decided, then what the prediction says.
func TestWarningsOfAnswers(t *testing.T) {
	a := answer(t, Question{Shape: shape(t, "t5-3b"), Profile: profile(t, "v100"), Devices: 3})
	w := a.Warnings()
	if len(w) != 3 || !strings.Contains(w[0], "batch is 129") || !strings.Contains(w[1], "fp16") ||
		!strings.HasPrefix(w[2], "needs ") {
		t.Errorf("%q", w)
	}
}

// TestMetrics: every metric has its own name, path and label, and is read back by its name.
func TestMetrics(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Metrics() {
		for _, text := range []string{m.String(), m.Path(), m.Label()} {
			if text == "" || seen[text] && text != "parameters" {
				t.Errorf("%s: %q is empty or of two metrics", m, text)
			}
			seen[text] = true
		}
		got, ok := ParseMetric(strings.ReplaceAll(m.String(), "-", "_"))
		text, err := json.Marshal(map[Metric]int{m: 1})
		var back map[Metric]int
		if !ok || got != m || m.Unit() == "" || err != nil || json.Unmarshal(text, &back) != nil ||
			back[m] != 1 {
			t.Errorf("%s is read as %s, JSON %s", m, got, text)
		}
	}
	if len(Metrics()) != 13 || Metrics()[0] != Params || Metrics()[12] != LifetimeCost {
		t.Errorf("metrics %v", Metrics())
	}
	for m, want := range map[Metric]struct {
		kind       quantity.Kind
		unit, path string
	}{
		Params:      {quantity.Params, "parameters", "params.total"},
		RunFLOPs:    {quantity.FLOP, "FLOP", "run_flops"},
		Memory:      {quantity.Bytes, "bytes", "memory.peak_bytes"},
		StepTime:    {quantity.Duration, "seconds", "time.step_seconds"},
		DeviceHours: {quantity.Count, "hours", "cost.device_hours"},
		Cost:        {quantity.Money, "USD", "cost.usd"},
		Energy:      {quantity.Energy, "kWh", "cost.energy_kwh"},
		CO2:         {quantity.CarbonMass, "kgCO2e", "cost.co2_kg"},
	} {
		if m.Kind() != want.kind || m.Unit() != want.unit || m.Path() != want.path {
			t.Errorf("%s: %s %s %s", m, m.Kind(), m.Unit(), m.Path())
		}
	}
	for _, name := range []string{"", "none", "speed", "invalid(14)"} {
		if m, ok := ParseMetric(name); ok {
			t.Errorf("%q is read as %s", name, m)
		}
	}
	if MetricCount.String() != "invalid(14)" || NoMetric.String() != "none" {
		t.Errorf("%s, %s", MetricCount, NoMetric)
	}
	a := answer(t, Question{
		Shape: shape(t, "t5-small"), Profile: profile(t, "a100"), Decode: 1,
		Serving: &Serving{Tokens: 1e9},
	})
	measures := a.Measures()
	for _, m := range Metrics() {
		if measures[m].Interval == nil || *measures[m].Interval != *m.Of(&a).Interval {
			t.Errorf("measures: %s is %+v", m, measures[m])
		}
	}
}

// TestSaved: 1 − mine/theirs.
func TestSaved(t *testing.T) {
	of := func(n int64) *Answer { return &Answer{Params: flops.Parameters{Total: n}} }
	if f := Params.Saved(of(60), of(100)); f == nil || !approx.Close(*f, 0.4, round) {
		t.Errorf("60 of 100 saves %v", f)
	}
	if f := Params.Saved(of(150), of(100)); f == nil || *f != -0.5 {
		t.Errorf("150 of 100 saves %v", f)
	}
	known := of(1)
	known.StepTime = hardware.Exactly(2)
	if Params.Saved(of(1), of(0)) != nil || Cost.Saved(of(1), of(1)) != nil ||
		StepTime.Saved(of(1), known) != nil || StepTime.Saved(known, of(1)) != nil {
		t.Error("a saving of nothing, or of what is not known")
	}
}

// TestLayoutText: everything that a search chooses is in the text, and nothing else.
func TestLayoutText(t *testing.T) {
	for _, c := range []struct {
		run  hardware.Run
		want string
	}{
		{hardware.Run{Layout: flops.Layout{DP: 1, TP: 1, PP: 1, MicroBatch: 128, Accumulate: 1}}, "single"},
		{hardware.Run{Layout: flops.Layout{DP: 16, MicroBatch: 8, Accumulate: 1}}, "dp 16"},
		{
			hardware.Run{
				Layout: flops.Layout{
					DP: 8, TP: 2, PP: 4, ZeRO: 1, MicroBatch: 2, Accumulate: 4, Interleave: 3,
					SequenceParallel: true,
				},
				Execution: flops.Execution{Recompute: flops.RecomputeSelective},
				Software:  hardware.Software{ContextParallel: 5, ExpertParallel: 7},
			},
			"dp 8, tp 2, pp 4, context 5, expert 7, interleave 3, zero 1, 4 × micro-batch 2, sequence parallel, recompute selective",
		},
		{hardware.Run{Layout: flops.Layout{DP: 2, TP: 1, SequenceParallel: true}}, "dp 2"},
		{
			hardware.Run{Execution: flops.Execution{Recompute: flops.RecomputeFull}},
			"single, recompute full",
		},
	} {
		if got := LayoutText(&c.run); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestCampaign: totals are the sums of values and of bounds; what one phase lacks the total lacks,
// with the phase named.
func TestCampaign(t *testing.T) {
	pre := Phase{"pre-training", answer(t, Question{
		Shape: shape(t, "t5-base"), Profile: profile(t, "a100"), Devices: 8,
	})}
	glue, err := hardware.FindFineTuning("GLUE") // the T5 library's lengths
	if err != nil || glue.Workload.EncoderLength != 512 || glue.Workload.DecoderLength != 84 {
		t.Fatalf("%+v, %v", glue, err)
	}
	tune := Phase{"GLUE", answer(t, Question{
		Shape: shape(t, "t5-base"), Profile: profile(t, "tpu-v3"), Workload: glue.Workload,
		Length: hardware.Length{Steps: glue.Steps},
	})}
	c := NewCampaign([]Phase{pre, tune})
	for m, got := range map[Metric]hardware.Estimate{
		TotalTime: c.WallSeconds, DeviceHours: c.Bill.DeviceHours, Cost: c.Bill.CostUSD,
		Energy: c.Bill.EnergyKWh, CO2: c.Bill.CO2Kg,
	} {
		a, b := m.Of(&pre.Answer).Interval, m.Of(&tune.Answer).Interval
		want := quantity.Interval{Value: a.Value + b.Value, Low: a.Low + b.Low, High: a.High + b.High}
		if got.Interval == nil || *got.Interval != want {
			t.Errorf("%s: %+v, want %+v", m, got, want)
		}
	}
	untimed := Phase{"probe", answer(t, Question{
		Shape: shape(t, "t5-base"), Profile: profile(t, "a10g"),
	})}
	c = NewCampaign([]Phase{pre, untimed})
	if c.WallSeconds.Interval != nil || !strings.HasPrefix(c.WallSeconds.Missing, "probe: ") ||
		len(c.Phases) != 2 {
		t.Errorf("%+v", c.WallSeconds)
	}
}
