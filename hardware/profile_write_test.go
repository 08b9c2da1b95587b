package hardware

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// written is the relative rounding of a profile file: correlations have nine decimals.
const written = 1e-6

func readBack(t *testing.T, p *Profile) Profile {
	t.Helper()
	var file bytes.Buffer
	if err := WriteProfile(&file, p); err != nil {
		t.Fatal(err)
	}
	back, err := ReadProfile("profile.yaml", &file)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// A calibrated profile read back predicts the same step with the same interval.
func TestCalibratedProfilesRoundTrip(t *testing.T) {
	p := found(t, "a100")
	fit := Shipped(&p, Software{Stack: "megatron"})
	p.Calibration, p.Name = &fit, "our A100"
	back := readBack(t, &p)
	if back.Calibration == nil || back.Calibration.FittedOn != fit.FittedOn ||
		back.Name != "our A100" {
		t.Fatalf("%+v", back)
	}
	r := Run{
		Profile: p, Shape: t5(768, 3072, 12, 12, 12), Workload: flops.PaperWorkload,
		Layout: flops.Layout{DP: 16},
	}
	want, err := Predict(r)
	if err != nil {
		t.Fatal(err)
	}
	r.Profile = back
	got, err := Predict(r)
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2]float64{
		"value": {got.StepSeconds.Value, want.StepSeconds.Value},
		"low":   {got.StepSeconds.Low, want.StepSeconds.Low},
		"high":  {got.StepSeconds.High, want.StepSeconds.High},
	} {
		if !approx.Relative(pair[0], pair[1], written) {
			t.Errorf("%s: %g, want %g", name, pair[0], pair[1])
		}
	}
}

// A profile of its own, without a catalogue entry, keeps every number with its source.
func TestOwnProfilesRoundTrip(t *testing.T) {
	field := func(v float64) *Field {
		return &Field{Fact: data.Fact{
			Value: v, Source: "probe: \"best of 20\"",
			Evidence: data.MeasuredHere,
		}, Origin: File}
	}
	p := Profile{
		Name: "this machine", Vendor: "AMD", DeviceUnit: "processor", MemoryBytes: field(8e9),
		BandwidthBytesPerSecond: field(2.5e10), Align: field(16), PriceUSDPerHour: field(0.1),
		Peaks:    map[Precision]Field{FP32: *field(1.1e11)},
		Measured: map[Precision]Field{FP32: *field(1e11)},
	}
	if diff := cmp.Diff(p, readBack(t, &p)); diff != "" {
		t.Error(diff)
	}
}

func TestBadCalibrationsAreToldLineByLine(t *testing.T) {
	const twice = "name: x\nextends: a100\ncalibration:\n  residual: --0.1\n" // two signs make it wrong
	if _, err := ReadProfile("p.yaml", strings.NewReader(twice)); err == nil ||
		!strings.Contains(err.Error(), "p.yaml:4:") {
		t.Errorf("%q: %v", twice, err)
	}
	_, err := ReadProfile("p.yaml", strings.NewReader(
		"name: x\nextends: a100\ncalibration:\n  residual: -1\n  constants:\n    matmul_share: {value: 0.8, log_sd: 0.1, correlations: [0.5]}\n    magic: {value: 1}\n"))
	if err == nil {
		t.Fatal("no fault")
	}
	for _, want := range []string{
		"p.yaml:4:", "residual", "p.yaml:6:", "matmul_share",
		"unknown constant: \"magic\"", "no saturation_depth",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
}
