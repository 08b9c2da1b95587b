package calibrate

import (
	"errors"
	"fmt"
	"testing"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// processor is two cores of a server, of which no step was ever published.
func processor() hardware.Profile {
	field := func(v float64) hardware.Field { return hardware.Field{Fact: data.Fact{Value: v}} }
	bandwidth := field(4e10)
	return hardware.Profile{
		Name: "a processor", DeviceUnit: "processor", BandwidthBytesPerSecond: &bandwidth,
		Peaks: map[hardware.Precision]hardware.Field{hardware.FP32: field(2e11)},
	}
}

// processorRuns are small T5 shapes over widths, both depths, batches and lengths.
func processorRuns(t *testing.T, p hardware.Profile) []Measurement {
	t.Helper()
	compiled := true
	var out []Measurement
	for i, ref := range []string{
		"t5-efficient-tiny/el=2,dl=12", "t5-efficient-mini/el=8,dl=3",
		"t5-efficient-small/el=4,dl=4", "t5-efficient-tiny/el=16,dl=2",
		"t5-efficient-small/el=12,dl=2",
		"t5-efficient-mini/el=3,dl=16", "t5-efficient-tiny/el=6,dl=6",
		"t5-efficient-small/el=2,dl=6", "t5-efficient-mini/el=24,dl=4",
		"t5-efficient-tiny/el=4,dl=24",
	} {
		shape, err := shapes.Parse(ref)
		if err != nil {
			t.Fatal(err)
		}
		for j, w := range []flops.Workload{
			{Batch: 1 + i%3, EncoderLength: 64, DecoderLength: 16},
			{Batch: 4 + i%5, EncoderLength: 128, DecoderLength: 64},
			{Batch: 2, EncoderLength: 512, DecoderLength: 114},
		} {
			out = append(out, Measurement{Group: fmt.Sprint(i, j), Run: hardware.Run{
				Profile: p, Shape: shape, Workload: w,
				Execution: flops.Execution{Precision: flops.FP32, Optimizer: flops.Adafactor},
				Software:  hardware.Software{Compiled: &compiled},
			}})
		}
	}
	return out
}

// Steps made up by the model with other constants are predicted after a fit to half of them, where
// the shipped constants are far off: the fit finds what it is shown, and says how well.
func TestFitFindsWhatItIsShown(t *testing.T) {
	const within = 0.035 // what the priors hold back of constants that the steps hardly show
	p := processor()
	shipped := hardware.Shipped(&p, hardware.Software{})
	truth := shipped
	truth.Constants[hardware.DeviceRate] *= 1.25
	truth.Constants[hardware.FusedCore] *= 2
	truth.Constants[hardware.OptimizerTraffic] *= 2
	steps := processorRuns(t, p)
	for i := range steps {
		steps[i].Seconds, _ = predictWith(&truth, &steps[i].Run)
	}
	found, err := Fit(steps[:15], "made up")
	if err != nil || !found.Converged || !found.HeldOut || found.Calibration.FittedOn != "made up" {
		t.Fatalf("%+v, %v", found, err)
	}
	var before []float64
	for _, s := range steps[15:] {
		a, _ := predictWith(&shipped, &s.Run)
		b, _ := predictWith(&found.Calibration, &s.Run)
		before = append(before, s.Seconds/a)
		if ratio := s.Seconds / b; ratio < 1-within || ratio > 1+within {
			t.Errorf("%s: measured over predicted %.3f after the fit", s.Run.Shape.Name, ratio)
		}
	}
	if m := fit.Median(before); m > 1-within && m < 1+within {
		t.Errorf("the shipped constants are right already: %.3f", m)
	}
}

func TestFitRefusesWhatIsNoMeasurement(t *testing.T) {
	if _, err := Fit(nil, ""); !errors.Is(err, ErrNoMeasurements) {
		t.Errorf("nothing to fit: %v", err)
	}
	steps := processorRuns(t, processor())[:1]
	for _, seconds := range []float64{0, -1} {
		steps[0].Seconds = seconds
		if _, err := Fit(steps, ""); err == nil {
			t.Errorf("a step of %g s: no error", seconds)
		}
	}
	bare := processor()
	bare.BandwidthBytesPerSecond = nil
	steps = processorRuns(t, bare)[:1]
	steps[0].Seconds = 1
	if _, err := Fit(steps, ""); err == nil {
		t.Error("no bandwidth, no error")
	}
}

// One step is enough to fit, and too little to say how well.
func TestFitToOneStep(t *testing.T) {
	steps := processorRuns(t, processor())[:1]
	steps[0].Seconds = 0.5
	fit, err := Fit(steps, "")
	if err != nil || fit.HeldOut || fit.Calibration.Residual <= 0 {
		t.Errorf("%+v, %v", fit, err)
	}
}

// Rows that the shipped constants have not seen are scored by them, beside the baseline of the
// published rows: here one published row again, under another name.
func TestValidateNew(t *testing.T) {
	rows := data.StepTimes()
	row := rows[0]
	row.ID, row.Group = "new", "new"
	broken := row
	broken.ID, broken.DModel = "broken", nil
	v := validateNew([]data.StepTime{row, broken})
	if len(v.Rows) != 1 || len(v.Unscored) != 1 || v.Unscored[0].ID != "broken" ||
		v.Unscored[0].Reason == "" {
		t.Fatalf("%+v", v)
	}
	r := v.Rows[0]
	if r.Low >= r.Predicted || r.High <= r.Predicted || r.Baseline <= 0 {
		t.Errorf("%+v", r)
	}
	table := v.Table()
	if table[0].Class != "all" || table[0].Hardware != "all" || table[0].N != 1 {
		t.Errorf("%+v", table)
	}
}

// TestWarnings: an unusual level, a step that others contradict, a fit that did not end are told.
func TestWarnings(t *testing.T) {
	usual := Result{Level: 1.9, Converged: true}
	if told := usual.Warnings(); told != nil {
		t.Errorf("of a usual fit %v is told", told)
	}
	for _, r := range []Result{
		{Level: 2.1, Converged: true},
		{Level: 0.4, Converged: true},
		{Level: 1},
		{Level: 1, Converged: true, Doubts: []Doubt{{}}},
	} {
		if told := r.Warnings(); len(told) != 1 {
			t.Errorf("of %+v %v is told, want one warning", r, told)
		}
	}
}

// TestWritten: what is written is read back; a profile that cannot be read is refused.
func TestWritten(t *testing.T) {
	p, err := hardware.Parse("a100")
	if err != nil {
		t.Fatal(err)
	}
	text, err := Written(&p, "a.yaml")
	if err != nil || len(text) == 0 {
		t.Errorf("wrote %d bytes, %v", len(text), err)
	}
	p.MemoryBytes = &hardware.Field{Fact: data.Fact{Value: -1}}
	if _, err := Written(&p, "a.yaml"); err == nil {
		t.Error("a profile with negative memory is written")
	}
}
