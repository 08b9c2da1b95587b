package plan

import (
	"slices"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// planned is a run of T5-Base on one H100, in a micro-batch of 8.
func planned(t *testing.T) hardware.Run {
	t.Helper()
	s, err := shapes.Parse("t5-base")
	if err != nil {
		t.Fatal(err)
	}
	p, err := hardware.Parse("h100")
	if err != nil {
		t.Fatal(err)
	}
	return hardware.Run{
		Shape: s, Profile: p, Execution: flops.Execution{Optimizer: flops.Adam},
		Workload: flops.Workload{Batch: 8, EncoderLength: 512, DecoderLength: 128},
		Layout:   flops.Layout{DP: 1, MicroBatch: 8},
	}
}

// What is 1 or off needs no flag; the micro-batch and the copies are always said.
func TestLayoutFlags(t *testing.T) {
	run := planned(t)
	if got, want := LayoutFlags(&run), []Flag{{"dp", "1"}, {"micro-batch", "8"}}; !slices.Equal(got, want) {
		t.Errorf("one device: %v, want %v", got, want)
	}
	run.Layout = flops.Layout{DP: 2, TP: 2, PP: 2, Interleave: 3, ZeRO: 1, MicroBatch: 4, SequenceParallel: true}
	run.Execution.Recompute = flops.RecomputeFull
	want := []Flag{
		{"dp", "2"},
		{"tp", "2"},
		{"pp", "2"},
		{"interleave", "3"},
		{"zero", "1"},
		{"micro-batch", "4"},
		{"sequence-parallel", ""},
		{"recompute", "full"},
	}
	if got := LayoutFlags(&run); !slices.Equal(got, want) {
		t.Errorf("sixteen devices: %v, want %v", got, want)
	}
}

// Each change of a run is its own flag and no other; what no flag makes is told.
func TestChangeFlags(t *testing.T) {
	from := planned(t)
	layout := []Flag{{"dp", "1"}, {"micro-batch", "8"}}
	for name, c := range map[string]struct {
		edit     func(*hardware.Run)
		searched bool
		want     []Flag
		ok       bool
	}{
		"nothing":             {func(*hardware.Run) {}, false, nil, false},
		"nothing, searched":   {func(*hardware.Run) {}, true, layout, false},
		"precision":           {func(r *hardware.Run) { r.Execution.Precision = flops.FP32 }, false, []Flag{{"precision", "fp32"}}, true},
		"optimizer":           {func(r *hardware.Run) { r.Execution.Optimizer = flops.Adafactor }, false, []Flag{{"optimizer", "adafactor"}}, true},
		"attention":           {func(r *hardware.Run) { r.Execution.Attention = flops.UnfusedAttention }, false, []Flag{{"attention", "unfused"}}, true},
		"adapters":            {func(r *hardware.Run) { r.Execution.Tuning.Rank = 16 }, false, []Flag{{"lora", "rank=16"}}, true},
		"lengths":             {func(r *hardware.Run) { r.Workload.EncoderLength, r.Workload.DecoderLength = 256, 64 }, false, []Flag{{"encoder-length", "256"}, {"decoder-length", "64"}}, true},
		"batch":               {func(r *hardware.Run) { r.Workload.Batch, r.Layout.MicroBatch = 16, 16 }, false, []Flag{{"batch", "16"}, {"dp", "1"}, {"micro-batch", "16"}}, true},
		"layout":              {func(r *hardware.Run) { r.Layout.DP, r.Layout.MicroBatch = 2, 4 }, false, []Flag{{"dp", "2"}, {"micro-batch", "4"}}, true},
		"recompute":           {func(r *hardware.Run) { r.Execution.Recompute = flops.RecomputeSelective }, false, append(slices.Clone(layout), Flag{"recompute", "selective"}), true},
		"a graph":             {func(r *hardware.Run) { yes := true; r.Software.Compiled = &yes }, false, []Flag{{"compiled", "yes"}}, true},
		"precision, searched": {func(r *hardware.Run) { r.Execution.Precision = flops.FP32 }, true, append([]Flag{{"precision", "fp32"}}, layout...), true},
		"another shape":       {func(r *hardware.Run) { r.Shape.DModel = 64; r.Execution.Precision = flops.FP32 }, false, []Flag{{"precision", "fp32"}}, false},
		"another card":        {func(r *hardware.Run) { r.Profile.Name = "other" }, false, nil, true},
		"a faster memory": {func(r *hardware.Run) {
			r.Profile.BandwidthBytesPerSecond = &hardware.Field{}
			r.Execution.Precision = flops.FP32
		}, false, []Flag{{"precision", "fp32"}}, false},
		"a faster link": {func(r *hardware.Run) {
			r.Profile.IntraBytesPerSecond = &hardware.Field{}
			r.Execution.Precision = flops.FP32
		}, false, []Flag{{"precision", "fp32"}}, false},
		"a faster network": {func(r *hardware.Run) {
			r.Profile.InterBytesPerSecond = &hardware.Field{}
			r.Execution.Precision = flops.FP32
		}, false, []Flag{{"precision", "fp32"}}, false},
		"no encoder, a length": {func(r *hardware.Run) { r.Workload.EncoderLength = 256; r.Shape.Encoder = shapes.Stack{} }, false, nil, false},
	} {
		to := from
		c.edit(&to)
		got, ok := ChangeFlags(&from, &to, c.searched)
		if !slices.Equal(got, c.want) || ok != c.ok {
			t.Errorf("%s: %v %v, want %v %v", name, got, ok, c.want, c.ok)
		}
	}
}

// Typed flags stay, but those that others take the place of; a layout takes the place of a whole one.
func TestCommand(t *testing.T) {
	p, err := hardware.Parse("h100")
	if err != nil {
		t.Fatal(err)
	}
	typed := []Flag{{"hardware", "h100"}, {"tp", "2"}, {"zero", "1"}, {"batch", "8"}, {"tokens", "1B"}, {"dropout", ""}}
	c := Cluster{Devices: 8, Profile: p}
	for want, flags := range map[string][]Flag{
		"deepnarrow plan 'my model' --cluster 8xh100 --tp 2 --zero 1 --tokens 1B --dropout --batch 16":               {{"batch", "16"}},
		"deepnarrow plan 'my model' --cluster 8xh100 --batch 8 --tokens 1B --dropout --dp 8":                         {{"dp", "8"}},
		"deepnarrow plan 'my model' --cluster 8xh100 --tp 2 --zero 1 --batch 8 --tokens 1B --dropout --lora rank=16": {{"lora", "rank=16"}},
	} {
		if got := command("my model", &c, typed, flags); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

// Another card drops what was typed of the price and power of this one; where the level of the times
// is the user's, no change is promised.
func TestCommands(t *testing.T) {
	run := planned(t)
	a := Answer{Resolved: Resolved{Run: run}}
	other, slower, none := run, run, run
	p, err := hardware.Parse("a100")
	if err != nil {
		t.Fatal(err)
	}
	other.Profile = p
	slower.Execution.Precision = flops.FP32
	none.Shape.DModel = 64
	a.Changes = []hardware.Change{{Run: other}, {Run: slower}, {Run: none}}
	c := Cluster{Devices: 1, Profile: run.Profile, Region: "us-central1"}
	typed := []Flag{{"price", "2"}, {"tokens", "1B"}}
	at := "deepnarrow plan t5-base --cluster " + plain.Quoted(c.String())
	card := "deepnarrow plan t5-base --cluster " + plain.Quoted((&Cluster{Devices: 1, Profile: p, Region: "us-central1"}).String())
	same, mends := Commands("t5-base", &c, typed, &a, false, false)
	want := []string{card + " --tokens 1B", at + " --price 2 --tokens 1B --precision fp32", ""}
	if same != "" || !slices.Equal(mends, want) {
		t.Errorf("%q, %q, want %q", same, mends, want)
	}
	same, mends = Commands("t5-base", &c, typed, &a, true, true)
	if same != at+" --price 2 --tokens 1B --dp 1 --micro-batch 8" || mends != nil {
		t.Errorf("searched, with a level of the user's: %q, %q", same, mends)
	}
}

// TestTold: of a run that fits what gains a hundredth is told, of another every change; eight at most.
func TestTold(t *testing.T) {
	gain := func(v *float64) float64 { return *v }
	all := []float64{0.5, 0.01, 0.009, 0.4}
	if got := Told(all, false, gain); len(got) != 2 {
		t.Errorf("of a run that fits %v are told", got)
	}
	if got := Told(all, true, gain); len(got) != 4 {
		t.Errorf("of one that does not %v are told", got)
	}
	if got := Told(make([]float64, 9), true, gain); len(got) != 8 {
		t.Errorf("%d are told", len(got))
	}
	yes, no := true, false
	if YesNo(&yes) != "yes" || YesNo(&no) != "no" || YesNo(nil) != "unknown" {
		t.Error("yes, no and unknown are not told apart")
	}
}
