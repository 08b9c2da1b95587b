package hardware

import (
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
)

const campaign = `
shape: t5-base
hardware: tpu-v3
devices: 16
optimizer: adam
phases:
  - {name: pre-training, steps: 524288}
  - {preset: superglue, steps: 20k, hardware: a100, devices: 8, price: $2/h}
  - preset: SQuAD
    batch: 64
    goodput: 0.8
`

// What stands at the top holds for every phase that does not say otherwise; a preset stands behind
// what a line says.
func TestReadRunFile(t *testing.T) {
	if !IsRunFile([]byte(campaign)) {
		t.Error("not recognised")
	}
	phases, err := ReadRunFile("run.yaml", strings.NewReader(campaign))
	if err != nil || len(phases) != 3 {
		t.Fatalf("%d phases, %v", len(phases), err)
	}
	for i, want := range []struct {
		at, name, hardware string
		devices            int
		steps              float64
		workload           flops.Workload
	}{
		{"run.yaml:7:6", "pre-training", "tpu-v3", 16, 524288, flops.Workload{}},
		// the T5 library's lengths
		{
			"run.yaml:8:6", "superglue", "a100", 8, 20_000,
			flops.Workload{Batch: 128, EncoderLength: 512, DecoderLength: 62},
		},
		{
			"run.yaml:9:5", "squad", "tpu-v3", 16, 1 << 18,
			flops.Workload{Batch: 64, EncoderLength: 512, DecoderLength: 97},
		},
	} {
		p := phases[i]
		if p.At != want.at || p.Name != want.name || p.Hardware != want.hardware ||
			p.Devices != want.devices || p.Length.Steps != want.steps ||
			p.Workload != want.workload || p.Shape != "t5-base" ||
			p.Execution.Optimizer != flops.Adam {
			t.Errorf("phase %d: %+v", i+1, p)
		}
	}
	if p := phases[1].Rates.PriceUSDPerHour; p == nil || *p != 2 || phases[0].Rates.PriceUSDPerHour != nil {
		t.Errorf("price %v", p)
	}
	if g := phases[2].Goodput; g == nil || *g != 0.8 || !phases[2].Given["goodput"] || phases[0].Given["goodput"] {
		t.Errorf("goodput %v", g)
	}
}

// Every fault is told at once, with its place.
func TestFaultsOfARunFile(t *testing.T) {
	text := "shape: t5-base\ndevcies: 16\nphases:\n  - {preset: superglu, steps: 20k, tokens: 3B}\n  - preset: squad\n    hardware: a100\n    devices: 8.5\n    goodput: 0\n    zero: -1\n"
	_, err := ReadRunFile("r.yaml", strings.NewReader(text))
	if err == nil {
		t.Fatal("no fault")
	}
	for _, want := range []string{
		"r.yaml:2:1: unknown key: \"devcies\"; did you mean devices?",
		"r.yaml:4:14: preset: unknown fine-tuning set-up", "did you mean superglue?",
		"r.yaml:4:36: steps and tokens both", "r.yaml:4:6: phase 1: no hardware",
		"r.yaml:7:14: devices", "r.yaml:8:14: goodput", "r.yaml:9:11: zero",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
	for _, bad := range []string{
		"", "phases: 3", "phases: []", "shape: x", "phases:\n  - t5-base",
		"a: b: c", "phases: [{name: a, shape: b, hardware: c}]\nname: x", "phases: [{}]\n---\n1",
		"\xff", strings.Repeat(" ", 1<<17),
	} {
		if _, err := ReadRunFile("r.yaml", strings.NewReader(bad)); err == nil {
			t.Errorf("%q: no error", clip(bad))
		}
	}
	for _, other := range []string{
		"name: our A100\nextends: a100\n", "", "[phases]",
		"d_model: 512", "phases",
	} {
		if IsRunFile([]byte(other)) {
			t.Errorf("%q is taken for a run file", other)
		}
	}
}

func FuzzReadRunFile(f *testing.F) {
	f.Add(campaign)
	f.Add("phases:\n  - {preset: glue, shape: t5-base, hardware: h100, days: 3, region: de}\n")
	f.Add("phases: [{a: *b}, &c {}]")
	f.Fuzz(func(t *testing.T, text string) {
		phases, err := ReadRunFile("run.yaml", strings.NewReader(text))
		if err != nil {
			return
		}
		for _, p := range phases {
			if p.Shape == "" || p.Hardware == "" || p.Name == "" || p.Devices < 0 ||
				p.Workload.Batch < 0 || p.Length.Steps < 0 {
				t.Errorf("%+v", p)
			}
		}
	})
}

// A layout may be left to the search, and nothing else stands for one.
func TestLayoutOfARunFile(t *testing.T) {
	text := "shape: t5-11b\nhardware: a100\ndevices: 64\nlayout: auto\nphases:\n  - {steps: 1k}\n"
	phases, err := ReadRunFile("run.yaml", strings.NewReader(text))
	if err != nil || phases[0].Search != "auto" {
		t.Errorf("%+v, %v", phases, err)
	}
	if _, err := ReadRunFile("run.yaml", strings.NewReader(strings.Replace(text, "auto", "dp=8", 1))); err == nil || !strings.Contains(err.Error(), "run.yaml:4:9: layout: unknown layout") {
		t.Errorf("dp=8: %v", err)
	}
}
