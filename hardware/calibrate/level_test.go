package calibrate

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// The limits of the requirement: a calibration gives the measured time back.
const (
	sameTime   = 0.005 // rows equal to the prediction
	scaledTime = 0.03  // rows off by a factor of up to 2 either way
	oneStep    = 0.06  // one step does not outweigh all that was known before
)

// Three steps equal to the prediction, or all off by one factor, are given back by the calibrated
// profile on every device of the catalogue that a step can be timed on, whatever the shape.
func TestCalibratedProfilesGiveTheTimeBack(t *testing.T) {
	shape := func(name string) shapes.Shape {
		s, err := shapes.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	timed := 0
	for _, p := range hardware.Catalogue() {
		for _, set := range [][]string{
			{"t5-base", "t5-base", "t5-base"}, {"t5-small", "t5-large", "llama-2-7b"}, {"t5-tiny"},
		} {
			for _, factor := range []float64{1, 0.5, 0.8, 1.3, 2} {
				var steps []Measurement
				for i, name := range set {
					s := shape(name)
					w := flops.DefaultWorkload(&s)
					w.Batch = 16 << i
					steps = append(steps, Measurement{
						Run: hardware.Run{Profile: p, Shape: s, Workload: w}, Group: name,
					})
				}
				base := hardware.Shipped(&p, hardware.Software{})
				for i := range steps {
					steps[i].Seconds = factor * math.Exp(logSeconds(&steps[i].Run, &base.Constants))
				}
				if math.IsNaN(steps[0].Seconds) {
					continue
				}
				timed++
				result, err := Fit(steps, "three steps")
				if err != nil {
					t.Fatalf("%s: %v", p.Name, err)
				}
				within := scaledTime
				switch {
				case factor == 1:
					within = sameTime
				case len(set) == 1:
					within = oneStep
				}
				for _, s := range steps {
					s.Run.Profile.Calibration = &result.Calibration
					got, err := hardware.Predict(s.Run)
					if err != nil {
						t.Fatal(err)
					}
					if !approx.Relative(got.StepSeconds.Value, s.Seconds, within) {
						t.Errorf("%s, %s × %g: %g s after calibration, measured %g", p.Name,
							s.Group, factor, got.StepSeconds.Value, s.Seconds)
					}
					if got.StepSeconds.Low > s.Seconds || got.StepSeconds.High < s.Seconds {
						t.Errorf("%s, %s × %g: the measurement is outside its own interval",
							p.Name, s.Group, factor)
					}
				}
				if len(result.Doubts) > 0 {
					t.Errorf("%s × %g: consistent steps are doubted: %v", p.Name, factor,
						result.Doubts)
				}
			}
		}
	}
	const fewest = 300 // 27 devices have the numbers that a step needs
	if timed < fewest {
		t.Errorf("only %d cases could be timed", timed)
	}
}

// A step that the others contradict is named, and hardly moves the rest.
func TestContradictedStepsAreNamed(t *testing.T) {
	p, err := hardware.Find("a100")
	if err != nil {
		t.Fatal(err)
	}
	base := hardware.Shipped(&p, hardware.Software{})
	var steps []Measurement
	for i, name := range []string{"t5-base", "t5-large", "t5-small", "t5-base", "t5-large"} {
		s, err := shapes.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		w := flops.DefaultWorkload(&s)
		w.Batch = 64 << (i % 2)
		m := Measurement{Run: hardware.Run{Profile: p, Shape: s, Workload: w}, Group: name}
		m.Seconds = 1.2 * math.Exp(logSeconds(&m.Run, &base.Constants))
		steps = append(steps, m)
	}
	steps[3].Seconds *= 3
	steps[3].Where = "steps.csv:5"
	fit, err := Fit(steps, "five steps")
	if err != nil {
		t.Fatal(err)
	}
	if len(fit.Doubts) != 1 || fit.Doubts[0].Where != "steps.csv:5" ||
		!strings.Contains(fit.Doubts[0].String(), "steps.csv:5") {
		t.Fatalf("doubts: %+v; want the one step that is three times the others", fit.Doubts)
	}
	if !approx.Relative(fit.Doubts[0].Expected, steps[3].Seconds/3, scaledTime) {
		t.Errorf("%g s are expected, want %g", fit.Doubts[0].Expected, steps[3].Seconds/3)
	}
	if !approx.Relative(fit.Level, 1.2, scaledTime) {
		t.Errorf("level %g, want 1.2", fit.Level)
	}
}

// Steps off by what no hardware explains are refused, each with its place: milliseconds in a column
// of seconds, for one.
func TestImpossibleStepsAreRefused(t *testing.T) {
	p, err := hardware.Find("a100")
	if err != nil {
		t.Fatal(err)
	}
	s, err := shapes.Parse("t5-base")
	if err != nil {
		t.Fatal(err)
	}
	run := hardware.Run{Profile: p, Shape: s, Workload: flops.DefaultWorkload(&s)}
	base := hardware.Shipped(&p, hardware.Software{})
	predicted := math.Exp(logSeconds(&run, &base.Constants))
	for _, c := range []struct {
		factor float64
		says   []string
	}{
		{1000, []string{"a.csv:2", "a.csv:3", "milliseconds"}},
		{1e-3, []string{"a.csv:2", "a.csv:3"}},
		{math.Inf(1), []string{"a.csv:2"}},
		{-1, []string{"a.csv:3", "more than 0"}},
		{31, []string{"a.csv:2"}},
	} {
		_, err := Fit([]Measurement{
			{Run: run, Seconds: c.factor * predicted, Where: "a.csv:2"},
			{Run: run, Seconds: c.factor * predicted, Where: "a.csv:3"},
		}, "")
		for _, word := range c.says {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("steps × %g: %v; want the word %q", c.factor, err, word)
			}
		}
	}
	for _, factor := range []float64{29, 1.0 / 29} {
		if _, err := Fit([]Measurement{{Run: run, Seconds: factor * predicted}}, ""); err != nil {
			t.Errorf("a step × %g: %v", factor, err)
		}
	}
	if _, err := Fit(nil, ""); !errors.Is(err, ErrNoMeasurements) {
		t.Errorf("no steps: %v", err)
	}
}
