package calibrate

import (
	"errors"
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// What a profile is checked with is in the box and not in its design.
func TestUnseen(t *testing.T) {
	known := map[string]bool{}
	for _, p := range Design() {
		known[p.Shape.Name] = true
	}
	points := Unseen()
	const wanted = 20 // of the requirement
	if len(points) != wanted {
		t.Errorf("%d points", len(points))
	}
	for _, p := range points {
		if known[p.Shape.Name] || p.Shape.Encoder.Layers == p.Shape.Decoder.Layers {
			t.Errorf("%s", p.Shape.Name)
		}
	}
}

// Records made by the profile's own model are right; one that is 10 % slower is off by that.
func TestCheck(t *testing.T) {
	const written = 1e-9
	profile, truth, records := madeUp(5)
	profile.Calibration = &truth
	records[2].StepSeconds *= 1.1
	half := 0.5
	records[3].StepSeconds, records[3].CPUShare, records[3].Contended = records[3].StepSeconds/half,
		&half, "other work"
	rows, err := Check(profile, records)
	if err != nil || len(rows) != 5 {
		t.Fatal(err)
	}
	for i, want := range []float64{0, 0, math.Log(1.1), 0, 0} {
		if !approx.Close(rows[i].LogError(), want, written) {
			t.Errorf("row %d is off by %g, made up %g", i, rows[i].LogError(), want)
		}
	}
	for undisturbed, steps := range map[bool]int{false: 5, true: 4} {
		v := Judge(rows, undisturbed)
		if v.Steps != steps || v.MedianAbsLogError > written ||
			!approx.Close(v.WorstAbsLogError, math.Log(1.1), written) || v.Inside != steps {
			t.Errorf("%+v", v)
		}
	}
	if v := Judge(nil, false); v != (Verdict{}) {
		t.Errorf("nothing: %+v", v)
	}
	if _, err := Check(profile, nil); !errors.Is(err, ErrNoMeasurements) {
		t.Errorf("nothing: %v", err)
	}
	records[0].Shape = "t5-none"
	if _, err := Check(profile, records); err == nil {
		t.Error("an unknown shape: no error")
	}
}
