package calibrate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func TestDesign(t *testing.T) {
	points := Design()
	const enough = 60 // three minutes on two cores take about fifty
	if len(points) < enough {
		t.Fatalf("%d points", len(points))
	}
	seen := map[string]bool{}
	widths, batches, unequal := map[int]int{}, map[int]int{}, 0
	for i, p := range points {
		if seen[p.Shape.Name] {
			t.Errorf("%s twice", p.Shape.Name)
		}
		seen[p.Shape.Name] = true
		for _, layers := range []int{p.Shape.Encoder.Layers, p.Shape.Decoder.Layers} {
			if layers < designLayersLow || layers > designLayersHigh {
				t.Errorf("%s is outside the box", p.Shape.Name)
			}
		}
		if i < enough/2 { // what a short call gets must spread over the box too
			widths[p.Shape.DModel]++
			batches[p.Workload.Batch]++
			if p.Shape.Encoder.Layers != p.Shape.Decoder.Layers {
				unequal++
			}
		}
	}
	if len(widths) != len(designWidths) || len(batches) < len(designBatches)-1 ||
		unequal < enough/3 {
		t.Errorf("the first %d points have widths %v, batches %v, %d unequal depths", enough/2,
			widths, batches, unequal)
	}
	again := Design()
	if !slices.EqualFunc(points, again, func(a, b Point) bool { return a.Shape.Name == b.Shape.Name && a.Workload == b.Workload }) {
		t.Error("another order the second time")
	}
}

// ticking is a clock that moves by a millisecond each time it is read.
func ticking() func() time.Time {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}
}

func smallPoints(t *testing.T) []Point {
	w := flops.Workload{Batch: 1, EncoderLength: 8, DecoderLength: 4}
	return []Point{
		{parse(t, "t5-tiny/nl=1,vocab=64"), w},
		{parse(t, "t5-tiny/el=2,dl=1,vocab=64"), w},
	}
}

// A bench on which nothing else runs measures every point once, hands each record over, and takes
// no step when called again.
func TestMeasureAndResume(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: measures steps")
	}
	var kept []Record
	busy := 0.0
	b := Bench{
		Points: smallPoints(t), Threads: 1, Machine: "test", Budget: time.Hour, Now: ticking(),
		CPUSeconds: func() float64 { busy += 1e-3; return busy }, // read as often as the clock
		Keep:       func(r Record) error { kept = append(kept, r); return nil },
	}
	found, err := b.Measure(context.Background())
	if err != nil || len(found.Records) != 2 || len(kept) != 2 || found.Left != 0 {
		t.Fatalf("%d records, %d kept, %d left, %v", len(found.Records), len(kept), found.Left, err)
	}
	for _, r := range kept {
		if !approx.Close(r.StepSeconds, 1e-3, 1e-9) || r.Contended != "" || r.CPUShare == nil ||
			r.Steps < leastSteps || r.Optimizer != "adam" || r.Precision != "fp32" {
			t.Errorf("%+v", r)
		}
	}
	if found.Facts.PeakFLOPsPerSecond <= 0 || found.Facts.BandwidthBytesPerSecond <= 0 {
		t.Errorf("%+v", found.Facts)
	}
	b.Done, kept = found.Records, nil
	if again, err := b.Measure(context.Background()); err != nil || len(kept) != 0 || len(again.Records) != 2 {
		t.Errorf("%d new records, %d in all, %v", len(kept), len(again.Records), err)
	}
	b.Machine = "another"
	if again, err := b.Measure(context.Background()); err != nil || len(kept) != 2 || len(again.Records) != 2 {
		t.Errorf("another machine: %d new records, %d in all, %v", len(kept), len(again.Records),
			err)
	}
}

// A process that gets half of its threads' time is told so, and measures again.
func TestMeasureFlagsContention(t *testing.T) {
	var kept []Record
	busy := 0.0
	b := Bench{
		Points: smallPoints(t)[:1], Threads: 1, Machine: "test", Budget: time.Hour, Now: ticking(),
		CPUSeconds: func() float64 { busy += 0.5e-3; return busy },
		Keep:       func(r Record) error { kept = append(kept, r); return nil },
	}
	found, err := b.Measure(context.Background())
	if err != nil || len(kept) != 2 || len(found.Records) != 1 ||
		!strings.Contains(found.Records[0].Contended, "0.50") {
		t.Errorf("%+v, %v", kept, err)
	}
}

// What speaks of other work: less processor time than asked for, a slower probe, uneven steps.
func TestDisturbance(t *testing.T) {
	half, all := 0.5, 0.97
	for want, r := range map[string]Record{
		"":                         {PeakFLOPsPerSecond: 98, Spread: 0.03, CPUShare: &all},
		"threads' time":            {PeakFLOPsPerSecond: 100, CPUShare: &half},
		"rate fell to 0.50":        {PeakFLOPsPerSecond: 50, CPUShare: &all},
		"own steps spread by 0.12": {PeakFLOPsPerSecond: 100, Spread: 0.12},
	} {
		if got := r.disturbance(100); want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%+v: %q, want %q", r, got, want)
		}
	}
}

// Long steps average over themselves: one that takes longer than a point needs is timed once.
func TestLongStepsAreTimedOnce(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := Bench{
		Points: smallPoints(t)[:1], Threads: 1, Budget: 24 * time.Hour, Keep: func(Record) error { return nil },
		Now: func() time.Time { now = now.Add((enoughSeconds + 1) * time.Second); return now },
	}
	found, err := b.Measure(context.Background())
	if err != nil || len(found.Records) != 1 || found.Records[0].Steps != 1 {
		t.Errorf("%+v, %v", found.Records, err)
	}
}

func TestMeasureKeepsToItsBudget(t *testing.T) {
	keep := func(Record) error { return nil }
	b := Bench{
		Points: smallPoints(t), Threads: 1, Budget: time.Microsecond, Now: ticking(),
		Keep: keep,
	}
	found, err := b.Measure(context.Background())
	if err != nil || len(found.Records) != 0 || found.Left != 2 {
		t.Errorf("no time: %d records, %d left, %v", len(found.Records), found.Left, err)
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	b.Budget = time.Hour
	if _, err := b.Measure(stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("a stopped call: %v", err)
	}
	b.Path = "no such path"
	if _, err := b.Measure(context.Background()); err == nil {
		t.Error("an unknown path: no error")
	}
}

// madeUp returns records of the design's first points on a processor whose constants are known.
func madeUp(n int) (hardware.Profile, hardware.Calibration, []Record) {
	profile := nominalProcessor()
	truth := kernelPrior(&profile)
	truth.Constants[hardware.UnfusedCore] *= 1.4
	truth.Constants[hardware.OptimizerTraffic] *= 1.3
	truth.Constants[hardware.DeviceRate] *= 0.9
	var records []Record
	for _, p := range Design()[:n] {
		run := p.run(profile)
		seconds, _ := predictWith(&truth, &run)
		w := p.Workload
		records = append(records, Record{
			Shape: p.Shape.Name, Batch: w.Batch,
			EncoderLength: w.EncoderLength, DecoderLength: w.DecoderLength, StepSeconds: seconds,
			Optimizer: "adam", Threads: 2, Machine: "m", Path: "avx2",
		})
	}
	return profile, truth, records
}

// The profile of a processor predicts steps that it has not seen, and does not listen to disturbed
// ones.
func TestFitHere(t *testing.T) {
	const within = 0.02 // of steps made up without noise: what the priors hold back
	profile, truth, records := madeUp(40)
	for i := range 10 {
		records[i].StepSeconds *= 3
		records[i].Contended = "other work"
	}
	here, err := FitHere(profile, records)
	if err != nil || len(here.Used) != 30 || here.Contended() != 10 || here.ByProcessorTime != 0 ||
		!here.Fit.HeldOut {
		t.Fatalf("%d used, %d contended, %v", len(here.Used), here.Contended(), err)
	}
	if !strings.Contains(here.Profile.Calibration.FittedOn, "30 steps") ||
		len(here.Warnings()) != 1 {
		t.Errorf("fitted on %q, warnings %q", here.Profile.Calibration.FittedOn, here.Warnings())
	}
	for _, p := range Design()[40:60] {
		run := p.run(profile)
		want, _ := predictWith(&truth, &run)
		got, _ := predictWith(here.Profile.Calibration, &run)
		if !approx.Relative(got, want, within) {
			t.Errorf("%s: predicted %g, made up %g", p.Shape.Name, got, want)
		}
	}
}

// A machine whose memory changed speed under the points has an average profile, and says so.
func TestFitHereOnAChangingMachine(t *testing.T) {
	profile, _, records := madeUp(20)
	for i := range records {
		records[i].BandwidthBytesPerSecond = 30e9
		if i%3 == 0 {
			records[i].BandwidthBytesPerSecond = 38e9
		}
	}
	here, err := FitHere(profile, records)
	if err != nil || len(here.Used) != 20 {
		t.Fatal(len(here.Used), err)
	}
	if w := here.Warnings(); len(w) != 1 || !strings.Contains(w[0], "30 to 38 GB/s") {
		t.Errorf("warnings %q", w)
	}
	if here.Fit.Calibration.Residual < sessionSD {
		t.Errorf("an interval of ±%g promises more than sessions keep",
			here.Fit.Calibration.Residual)
	}
}

// Where all is disturbed, the processor time that a step got stands for its wall clock, and the
// profile says so.
func TestFitHereOnABusyMachine(t *testing.T) {
	const within = 0.02
	profile, truth, records := madeUp(20)
	for i := range records {
		share := 0.3 + 0.02*float64(i)
		records[i].StepSeconds /= share
		records[i].CPUShare, records[i].Contended = &share, "other work"
	}
	here, err := FitHere(profile, records)
	if err != nil || here.ByProcessorTime != 20 || len(here.Warnings()) < 2 {
		t.Fatalf("%d by processor time, warnings %q, %v", here.ByProcessorTime, here.Warnings(),
			err)
	}
	run := Design()[30].run(profile)
	want, _ := predictWith(&truth, &run)
	if got, _ := predictWith(here.Profile.Calibration, &run); !approx.Relative(got, want, within) {
		t.Errorf("predicted %g, made up %g", got, want)
	}
	if _, err := FitHere(profile, nil); !errors.Is(err, ErrNoMeasurements) {
		t.Errorf("nothing to fit: %v", err)
	}
	records[3].Shape = "t5-none"
	if _, err := FitHere(profile, records); err == nil {
		t.Error("an unknown shape: no error")
	}
}

// Records read back as they were written, and are measured steps to the import too.
func TestRecordsRoundTrip(t *testing.T) {
	_, _, records := madeUp(3)
	var file bytes.Buffer
	for i := range records {
		r := &records[i]
		r.PeakFLOPsPerSecond, r.BandwidthBytesPerSecond = 1e11, 1e10
		if err := WriteRecord(&file, *r); err != nil {
			t.Fatal(err)
		}
		r.where = fmt.Sprintf("r:%d", i+1)
	}
	text := file.String()
	back, err := ReadRecords("r", strings.NewReader(text))
	if err != nil || !slices.Equal(back, records) {
		t.Errorf("%+v, %v", back, err)
	}
	steps, err := ReadSteps("r", strings.NewReader(text), base(t), shapes.Parse)
	if err != nil || len(steps) != 3 || steps[1].Seconds != records[1].StepSeconds {
		t.Errorf("%+v, %v", steps, err)
	}
	for _, bad := range []string{"{", "{}", `{"shape":"t5-small","step_seconds":-1,"threads":1}`, "\n[1]"} {
		if _, err := ReadRecords("r", strings.NewReader(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func FuzzReadRecords(f *testing.F) {
	f.Add("{\"shape\":\"t5-small\",\"step_seconds\":0.5,\"threads\":2,\"batch\":1,\"encoder_length\":8," +
		"\"decoder_length\":4,\"peak_flops_per_second\":1e11,\"bandwidth_bytes_per_second\":1e10}\n\n")
	f.Add("{\"shape\":\"t5-small\",\"step_seconds\":1e999}")
	f.Fuzz(func(t *testing.T, text string) {
		records, err := ReadRecords("r", strings.NewReader(text))
		for _, r := range records {
			if err == nil && !(r.StepSeconds > 0) {
				t.Errorf("a step of %v s", r.StepSeconds)
			}
		}
	})
}
