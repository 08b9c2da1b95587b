package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func shape(t testing.TB, name string) shapes.Shape {
	t.Helper()
	s, err := shapes.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func profile(t testing.TB, name string) *hardware.Profile {
	t.Helper()
	p, err := hardware.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return &p
}

func resolved(t testing.TB, q Question) Resolved {
	t.Helper()
	r, err := q.Resolve()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// decision returns the assumption of that name, nil where there is none or more than one.
func decision(list []Assumption, name string) *Assumption {
	var found *Assumption
	for i := range list {
		if list[i].Name == name {
			if found != nil {
				return nil
			}
			found = &list[i]
		}
	}
	return found
}

// TestOpenQuestion: the defaults are the paper's (128 × 512 → 128, Adafactor, 524,288 steps), and
// each is a decision.
func TestOpenQuestion(t *testing.T) {
	r := resolved(t, Question{Shape: shape(t, "t5-base")})
	if r.Run.Workload != (flops.Workload{Batch: 128, EncoderLength: 512, DecoderLength: 128}) ||
		r.Run.Execution != (flops.Execution{
			Optimizer: flops.Adafactor, WorkspaceBytes: flops.TorchWorkspaceBytes,
		}) ||
		r.Run.Layout != (flops.Layout{
			DP: 1, TP: 1, PP: 1, MicroBatch: 128, Accumulate: 1, Interleave: 1,
		}) || r.Length != (hardware.Length{Steps: 524288}) || r.Timed {
		t.Errorf("resolved %+v", r)
	}
	want := []struct{ name, text string }{
		{"batch", "128"},
		{"encoder length", "512"},
		{"decoder length", "128"},
		{"precision", "bf16-mixed"},
		{"optimizer", "adafactor"},
		{"attention", "fused"},
		{"recompute", "none"},
		{"steps", "524,288"},
	}
	if len(r.Decisions) != len(want) {
		t.Fatalf("decisions %+v", r.Decisions)
	}
	for i, w := range want {
		d := &r.Decisions[i]
		if d.Name != w.name || d.Text != w.text || d.Words() != w.text || d.Source == "" ||
			d.Origin != hardware.Default || d.Warning != "" {
			t.Errorf("decision %d is %+v, want %s %s", i, d, w.name, w.text)
		}
	}
	if w := r.Warnings(); len(w) != 0 {
		t.Errorf("warnings %q", w)
	}
	if p := r.Rates.Price; p.Missing != NoHardware {
		t.Errorf("price %+v", p)
	}
}

// TestStatedIsNoDecision: what the question states is taken and not told as an assumption.
func TestStatedIsNoDecision(t *testing.T) {
	x := flops.Execution{
		WorkspaceBytes: flops.TorchWorkspaceBytes, // of a GPU, whatever is stated
		Precision:      flops.FP32, Optimizer: flops.Muon, Attention: flops.UnfusedAttention,
		Recompute: flops.RecomputeFull, Dropout: true,
	}
	goodput, price := 0.5, 3.0
	q := Question{
		Shape: shape(t, "t5-small"), Profile: profile(t, "v100"),
		Workload:  flops.Workload{Batch: 64, EncoderLength: 256, DecoderLength: 64},
		Precision: &x.Precision, Optimizer: &x.Optimizer, Attention: &x.Attention,
		Recompute: &x.Recompute, Dropout: true,
		Layout: flops.Layout{DP: 4, ZeRO: 2}, Devices: 4,
		Software: hardware.Software{Stack: "megatron"},
		Length:   hardware.Length{Tokens: 1e9}, Goodput: &goodput,
		Rates: hardware.StatedRates{PriceUSDPerHour: &price},
	}
	r := resolved(t, q)
	if r.Run.Workload != q.Workload || r.Run.Execution != x || r.Length != q.Length ||
		r.Run.Software != q.Software || len(r.Decisions) != 0 || !r.Timed {
		t.Errorf("resolved %+v", r)
	}
	if l := r.Run.Layout; l.DP != 4 || l.ZeRO != 2 || l.MicroBatch != 16 || l.Accumulate != 1 {
		t.Errorf("layout %+v", l)
	}
	if r.Goodput.Interval.Value != 0.5 || r.Goodput.Origin != hardware.Flag ||
		r.Rates.Price.Interval.Value != 3 || r.Rates.Price.Origin != hardware.Flag {
		t.Errorf("goodput %+v, price %+v", r.Goodput, r.Rates.Price)
	}
}

// TestPrecisionOfDevices: a device without bfloat16 falls to float16, one whose 16-bit peaks are
// unknown does not, and a processor trains as the reference kernel does. Each departure is told
// where it was not stated.
func TestPrecisionOfDevices(t *testing.T) {
	const workspace = flops.TorchWorkspaceBytes // of libraries on GPUs
	usual := flops.Execution{Optimizer: flops.Adafactor, WorkspaceBytes: workspace}
	scheduled := flops.Execution{Optimizer: flops.Adafactor}
	half := usual
	half.Precision = flops.FP16Mixed
	kernel := flops.Execution{
		Precision: flops.FP32, Optimizer: flops.Adam, Attention: flops.UnfusedAttention,
	}
	for _, c := range []struct {
		device  string
		want    flops.Execution
		warning string
	}{
		{"a100", usual, ""},
		{"a10g", usual, ""},
		{"tpu-v3", scheduled, ""},
		{"v100", half, "has no bfloat16 peak: planned in fp16-mixed"},
		{"cpu", kernel, "is a processor: planned as the reference kernel trains"},
	} {
		q := Question{Shape: shape(t, "t5-small"), Profile: profile(t, c.device)}
		r := resolved(t, q)
		if r.Run.Execution != c.want {
			t.Errorf("%s: %+v, want %+v", c.device, r.Run.Execution, c.want)
		}
		w := strings.Join(r.Warnings(), "; ")
		if (c.warning == "") != (w == "") || !strings.Contains(w, c.warning) {
			t.Errorf("%s: warnings %q, want %q", c.device, w, c.warning)
		}
		bf16 := flops.BF16Mixed
		q.Precision = &bf16
		if r = resolved(t, q); r.Run.Execution.Precision != bf16 || len(r.Warnings()) != 0 ||
			r.Run.Execution.Optimizer != c.want.Optimizer {
			t.Errorf("%s: stated bf16-mixed gives %+v, %q", c.device, r.Run.Execution, r.Warnings())
		}
	}
}

// TestBatchGrows: a batch that nobody stated grows to the next multiple of dp × micro-batch ×
// accumulate, or is that product where all are stated; it is told. A stated one must fit.
func TestBatchGrows(t *testing.T) {
	for _, c := range []struct {
		layout  flops.Layout
		devices int
		batch   int
	}{
		{flops.Layout{}, 16, 128},
		{flops.Layout{}, 96, 192},
		{flops.Layout{}, 3, 129},
		{flops.Layout{DP: 3, MicroBatch: 5}, 0, 135},
		{flops.Layout{DP: 3, Accumulate: 5}, 3, 135},
		{flops.Layout{DP: 2, MicroBatch: 3, Accumulate: 5}, 2, 30},
		{flops.Layout{DP: 4, MicroBatch: 32}, 4, 128},
		{flops.Layout{TP: 2}, 6, 129},
		{flops.Layout{MicroBatch: 3}, 0, 129},
		{flops.Layout{DP: 2, MicroBatch: 1, Accumulate: 5}, 0, 10},
		{flops.Layout{DP: 2, MicroBatch: 5, Accumulate: 1}, 0, 10},
	} {
		q := Question{Shape: shape(t, "t5-base"), Layout: c.layout, Devices: c.devices}
		r := resolved(t, q)
		if r.Run.Workload.Batch != c.batch {
			t.Errorf("%+v on %d: batch %d, want %d", c.layout, c.devices, r.Run.Workload.Batch, c.batch)
		}
		told := slices.ContainsFunc(r.Warnings(),
			func(w string) bool { return strings.Contains(w, ", not 128, to fill every copy") })
		if told != (c.batch != 128) {
			t.Errorf("%+v on %d: warnings %q", c.layout, c.devices, r.Warnings())
		}
		if c.batch != 128 {
			d := decision(r.Decisions, "batch")
			if d == nil || !strings.HasPrefix(d.Warning, "the batch is "+d.Text+",") {
				t.Errorf("%+v: batch %+v", c.layout, d)
			}
			q.Workload.Batch = 128
			var invalid *shapes.InvalidError
			if _, err := q.Resolve(); !errors.As(err, &invalid) {
				t.Errorf("%+v: a stated batch of 128: %v", c.layout, err)
			}
		}
	}
}

// TestDevicesCopyTheModel: what stated axes leave of the devices is data parallel, and a decision.
func TestDevicesCopyTheModel(t *testing.T) {
	for _, c := range []struct {
		devices  int
		layout   flops.Layout
		contexts int
		dp       int
		text     string // of the decision, empty for none
	}{
		{16, flops.Layout{}, 0, 16, "dp 16"},
		{16, flops.Layout{TP: 4, PP: 2}, 0, 2, "dp 2, tp 4, pp 2"},
		{16, flops.Layout{TP: 4, PP: 2}, 2, 1, ""},
		{16, flops.Layout{}, 4, 4, "dp 4, context 4"},
		{16, flops.Layout{DP: 16}, 0, 16, ""},
		{0, flops.Layout{DP: 8, TP: 2}, 0, 8, ""},
		{1, flops.Layout{}, 1, 1, ""},
	} {
		r := resolved(t, Question{
			Shape: shape(t, "t5-base"), Devices: c.devices, Layout: c.layout,
			Software: hardware.Software{ContextParallel: c.contexts},
		})
		d := decision(r.Decisions, "layout")
		if r.Run.Layout.DP != c.dp || (d == nil) != (c.text == "") || d != nil && d.Text != c.text {
			t.Errorf("%+v: layout %+v, decision %+v", c, r.Run.Layout, d)
		}
		if c.devices > 0 && r.Run.Devices() != c.devices {
			t.Errorf("%+v: %d devices", c, r.Run.Devices())
		}
	}
}

// TestRefusedLayouts: each names the field, its value and what is allowed.
func TestRefusedLayouts(t *testing.T) {
	for _, c := range []struct {
		shape string
		q     Question
		says  string
	}{
		{"t5-base", Question{Devices: 7, Layout: flops.Layout{TP: 2}}, "devices is 7; allowed: a multiple of tp × pp = 2"},
		{
			"t5-base",
			Question{Devices: 6, Layout: flops.Layout{TP: 2}, Software: hardware.Software{ContextParallel: 2}},
			"devices is 6; allowed: a multiple of tp × pp × context = 4",
		},
		{
			"t5-base",
			Question{Devices: 8, Layout: flops.Layout{DP: 2, TP: 2}},
			"dp × tp × pp is 4; allowed: the number of devices, 8",
		},
		{"t5-base", Question{Layout: flops.Layout{TP: 5}}, "tp is 5"},
		{"t5-base", Question{Workload: flops.Workload{Batch: 1 << 40}}, "batch is 1099511627776"},
		{
			"t5-base",
			Question{
				Workload: flops.Workload{EncoderLength: 511}, Devices: 2,
				Software: hardware.Software{ContextParallel: 2},
			},
			"encoder_length is 511; allowed: a multiple of context (2)",
		},
		{
			"gpt2",
			Question{
				Workload: flops.Workload{DecoderLength: 3}, Devices: 2,
				Software: hardware.Software{ContextParallel: 2},
			},
			"decoder_length is 3; allowed: a multiple of context (2)",
		},
		{
			"t5-base",
			Question{Devices: 2, Software: hardware.Software{ExpertParallel: 2}},
			"expert is 2; allowed: 1 for a shape without experts",
		},
		{
			"switch-base-8",
			Question{Devices: 6, Software: hardware.Software{ExpertParallel: 4}},
			"expert is 4; allowed: a divisor of dp (6) and of the experts (8)",
		},
		{
			"switch-base-8",
			Question{Devices: 16, Software: hardware.Software{ExpertParallel: 16}},
			"expert is 16; allowed: a divisor of dp (16) and of the experts (8)",
		},
		{"t5-base", Question{Devices: 8, Search: true}, "devices is 8; allowed: a machine"},
		{
			"t5-base",
			Question{
				Devices: 7, Search: true, Profile: profile(t, "a100"),
				Software: hardware.Software{ContextParallel: 2},
			},
			"devices is 7; allowed: a multiple of context (2)",
		},
	} {
		c.q.Shape = shape(t, c.shape)
		_, err := c.q.Resolve()
		var invalid *shapes.InvalidError
		if !errors.As(err, &invalid) || invalid.Shape != c.q.Shape.Name && invalid.Asked != "workload" ||
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %s", c.shape, err, c.says)
		}
	}
}

// TestUncountedSharing: memory does not know context and expert parallelism, and says so.
func TestUncountedSharing(t *testing.T) {
	r := resolved(t, Question{
		Shape: shape(t, "switch-base-8"), Devices: 16,
		Software: hardware.Software{ContextParallel: 2, ExpertParallel: 4},
	})
	if len(r.Warnings()) != 2 || !strings.Contains(r.Warnings()[0], "context parallelism") ||
		!strings.Contains(r.Warnings()[1], "expert parallelism") ||
		decision(r.Decisions, "memory with context parallelism") == nil ||
		decision(r.Decisions, "memory with expert parallelism") == nil {
		t.Errorf("warnings %q", r.Warnings())
	}
	alone := shape(t, "switch-base-8")
	alone.Encoder = shapes.Stack{}
	r = resolved(t, Question{
		Shape: alone, Devices: 8, Software: hardware.Software{ExpertParallel: 8},
	})
	if len(r.Warnings()) != 1 {
		t.Errorf("experts of a decoder alone: %q", r.Warnings())
	}
	r = resolved(t, Question{
		Shape: shape(t, "switch-base-8"), Devices: 16,
		Software: hardware.Software{ContextParallel: 1, ExpertParallel: 1},
	})
	if len(r.Warnings()) != 0 {
		t.Errorf("warnings of shares of one: %q", r.Warnings())
	}
}

// TestSearchedLayout: the layout, recompute mode and sequence parallelism are the search's best and
// are told as searched; a stated recompute mode is kept.
func TestSearchedLayout(t *testing.T) {
	q := Question{
		Shape: shape(t, "t5-11b"), Profile: profile(t, "a100"), Devices: 16, Search: true,
	}
	r := resolved(t, q)
	run := r.Run
	run.Layout, run.Execution.Recompute = flops.Layout{}, 0
	best, err := hardware.SearchLayout(run, 16)
	if err != nil {
		t.Fatal(err)
	}
	if r.Run.Layout != best.Layout || r.Run.Execution.Recompute != best.Recompute {
		t.Errorf("%+v %s, want %+v", r.Run.Layout, r.Run.Execution.Recompute, best)
	}
	layout, recompute := decision(r.Decisions, "layout"), decision(r.Decisions, "recompute")
	if layout == nil || recompute == nil || layout.Origin != Searched || recompute.Origin != Searched ||
		layout.Text != LayoutText(&r.Run) || recompute.Text != best.Recompute.String() ||
		layout.Warning != "" {
		t.Errorf("decisions %+v %+v", layout, recompute)
	}
	if r.Run.Workload.Batch != 128 {
		t.Errorf("a search grew the batch to %d", r.Run.Workload.Batch)
	}
	full := flops.RecomputeFull
	q.Recompute = &full
	if r = resolved(t, q); r.Run.Execution.Recompute != full || decision(r.Decisions, "recompute") != nil {
		t.Errorf("a stated recompute mode gives %s", r.Run.Execution.Recompute)
	}
}

// TestSearchThatDoesNotFit: what would make it fit is the changes of the answer.
func TestSearchThatDoesNotFit(t *testing.T) {
	q := Question{Shape: shape(t, "t5-11b"), Profile: profile(t, "v100"), Search: true, Detail: true}
	a := answer(t, q)
	if *a.Fits || a.Run.Devices() != 1 || len(a.Changes) == 0 || !*a.Changes[0].Fits {
		t.Errorf("on %d devices, fits %v: %d changes", a.Run.Devices(), *a.Fits, len(a.Changes))
	}
	// With less memory than the device has, a layout is found that needs less.
	q = Question{Shape: shape(t, "t5-3b"), Profile: profile(t, "a100"), Devices: 8, Search: true}
	free := resolved(t, q)
	q.SearchBytes = 12e9
	tight := resolved(t, q)
	peak := func(r *Resolved) float64 {
		m, err := flops.TrainingMemory(&r.Run.Shape, r.Run.Workload, r.Run.Execution, r.Run.Layout)
		if err != nil {
			t.Fatal(err)
		}
		return m.PeakBytes
	}
	if !(peak(&free) > 12e9) || !(peak(&tight) <= 12e9) || len(tight.Warnings()) != 0 {
		t.Errorf("peaks %g and %g, warnings %q", peak(&free), peak(&tight), tight.Warnings())
	}
	if tight.Run.Profile.MemoryBytes.Value != free.Run.Profile.MemoryBytes.Value {
		t.Error("the bound of the search stays in the profile")
	}
	unknown := *q.Profile
	unknown.MemoryBytes = nil
	q.Profile = &unknown
	if r := resolved(t, q); !(peak(&r) <= 12e9) {
		t.Errorf("peak %g within 12 GB of a device of unknown memory", peak(&r))
	}
	q.Profile = profile(t, "a100")
	q.SearchBytes = 1e15 // more than the device has bounds nothing
	if r := resolved(t, q); r.Run.Layout != free.Run.Layout {
		t.Errorf("layout %+v, want %+v", r.Run.Layout, free.Run.Layout)
	}
}

// TestTypedErrors: those of a search and of the rates are the hardware package's.
func TestTypedErrors(t *testing.T) {
	base := Question{Shape: shape(t, "t5-base"), Profile: profile(t, "a100")}
	q := base
	q.Search, q.Devices, q.Workload.Batch = true, 127, 128
	var none *hardware.NoLayoutError
	if _, err := q.Resolve(); !errors.As(err, &none) || none.Devices != 127 {
		t.Errorf("127 devices: %v", err)
	}
	q = base
	q.Search, q.Profile = true, profile(t, "a10g")
	var missing *hardware.MissingError
	if _, err := q.Answer(); !errors.As(err, &missing) {
		t.Errorf("a10g: %v", err)
	}
	q = base
	q.Rates.Region = "atlantis"
	var region *hardware.RegionError
	if _, err := q.Resolve(); !errors.As(err, &region) {
		t.Errorf("atlantis: %v", err)
	}
	q.Profile = nil
	if _, err := q.Resolve(); err != nil {
		t.Errorf("without a machine there is no bill and no region: %v", err)
	}
}

// TestLengthOfModels: workloads of models with one stack, of audio and of few positions.
func TestLengthOfModels(t *testing.T) {
	for _, c := range []struct {
		shape             string
		decisions, absent []string
	}{
		{"gpt2", []string{"batch", "decoder length"}, []string{"encoder length"}},
		{"t5-small/el=1,dl=1", []string{"encoder length", "decoder length"}, nil},
		{"bert-base-uncased", []string{"batch", "encoder length"}, []string{"decoder length"}},
	} {
		r := resolved(t, Question{Shape: shape(t, c.shape)})
		for _, name := range c.decisions {
			if decision(r.Decisions, name) == nil {
				t.Errorf("%s: %s is not told", c.shape, name)
			}
		}
		for _, name := range c.absent {
			if decision(r.Decisions, name) != nil {
				t.Errorf("%s: %s is told", c.shape, name)
			}
		}
		if r.Run.Workload != flops.DefaultWorkload(&r.Run.Shape) {
			t.Errorf("%s: %+v", c.shape, r.Run.Workload)
		}
	}
	paper, own := decision(resolved(t, Question{Shape: shape(t, "t5-base")}).Decisions, "decoder length"),
		decision(resolved(t, Question{Shape: shape(t, "gpt2")}).Decisions, "decoder length")
	if !strings.Contains(paper.Source, "2109.10686") || strings.Contains(own.Source, "2109.10686") {
		t.Errorf("sources %q and %q", paper.Source, own.Source)
	}
}

// TestWithAndAt: decisions carry over to another shape, or to another layout, which is told.
func TestWithAndAt(t *testing.T) {
	r := resolved(t, Question{
		Shape: shape(t, "t5-base"), Profile: profile(t, "a100"), Devices: 8,
		Layout: flops.Layout{TP: 4},
	})
	large := shape(t, "t5-large")
	other, err := r.With(&large)
	if err != nil || other.Run.Shape.Name != "t5-large" || other.Run.Layout != r.Run.Layout ||
		r.Run.Shape.Name != "t5-base" {
		t.Errorf("%v: %+v", err, other.Run.Layout)
	}
	six := shape(t, "t5-base/nh=6") // 6 heads over tp 4
	if _, err := r.With(&six); err == nil {
		t.Error("6 heads are split over 4 devices")
	}
	at := r.At(flops.Layout{DP: 2})
	if at.Run.Devices() != 2 || at.Run.Layout.MicroBatch != 64 {
		t.Errorf("layout %+v", at.Run.Layout)
	}
	d := decision(at.Decisions, "layout")
	if d == nil || d.Text != "dp 2" || !strings.Contains(d.Warning, "over 8 devices; its costs are of 2") {
		t.Errorf("decision %+v", d)
	}
	if w := r.Warnings(); len(w) != 0 || decision(r.Decisions, "layout").Text != "dp 2, tp 4" {
		t.Errorf("the first resolution changed: %q", w)
	}
}

// TestStatedQuestion: the question that states every decision decides nothing and gives the same
// numbers.
func TestStatedQuestion(t *testing.T) {
	goodput := 0.75
	for _, q := range []Question{
		{Shape: shape(t, "t5-3b"), Profile: profile(t, "a100"), Devices: 16, Search: true, Decode: 2},
		{
			Shape: shape(t, "gpt2"), Profile: profile(t, "v100"), Devices: 96, Goodput: &goodput,
			Dropout: true, Software: hardware.Software{ContextParallel: 2, Stack: "megatron"},
			Length: hardware.Length{MaxUSD: 100},
			Rates:  hardware.StatedRates{Region: "france"},
		},
		{Shape: shape(t, "t5-small"), Profile: profile(t, "cpu"), Decode: 1},
		{Shape: shape(t, "t5-small"), Devices: 4, Decode: 1},
	} {
		want, err := q.Answer()
		if err != nil {
			t.Fatal(err)
		}
		again := want.Stated()
		got, err := again.Answer()
		if err != nil {
			t.Errorf("%s: %v", q.Shape.Name, err)
			continue
		}
		for _, m := range Metrics() {
			a, b := m.Of(&got), m.Of(&want)
			if (a.Interval == nil) != (b.Interval == nil) || a.Interval != nil && *a.Interval != *b.Interval {
				t.Errorf("%s: %s is %+v, want %+v", q.Shape.Name, m, a, b)
			}
		}
		for _, d := range got.Decisions {
			if !strings.HasPrefix(d.Name, "memory with") {
				t.Errorf("%s: still decides %s", q.Shape.Name, d.Name)
			}
		}
		if got.Run.Devices() != want.Run.Devices() || got.Timed != want.Timed {
			t.Errorf("%s: %d devices, want %d", q.Shape.Name, got.Run.Devices(), want.Run.Devices())
		}
	}
}
