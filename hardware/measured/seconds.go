package measured

import (
	"regexp"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
)

// seconds takes the row's step time, or works one out from its own metric.
func (r *rowReader) seconds(out *Run) {
	row := &r.row
	if row.StepSeconds != nil {
		if out.Seconds = *row.StepSeconds; out.Seconds <= 0 {
			r.refuse("the step time is not positive")
		}
		return
	}
	if row.Value == nil {
		r.refuse("neither a step time nor a metric is stated")
		return
	}
	if *row.Value <= 0 {
		r.refuse("its metric is not positive")
		return
	}
	var ok bool
	if out.Seconds, ok = r.ofMetric(out); !ok {
		r.refuse("a %s in %s says nothing of one step", row.Metric, row.Unit)
	}
}

var (
	perDevice = regexp.MustCompile(`(?:/ ?|\bper )(?:gpu|chip|device|accelerator|tpu|card)s?\b`)
	perOther  = regexp.MustCompile(`(?:/ ?|\bper )(?:node|host|server|worker|core|pod|day|h|hour|min|minute|\d+ ?\w+)s?\b`) // and no step tells how many
	// a time is of one step where the unit or the metric says so
	wholeStep = regexp.MustCompile(`^(ms|milliseconds?|s|secs?|seconds?)( ?(?:/|per) ?(?:step|it|iter|iteration|batch))?$`)
	ofStep    = regexp.MustCompile(`\b(?:step|iter|iteration|batch)s?\b`)
	// a share is of the peak where the metric says so
	ofPeak    = regexp.MustCompile(`\b[mh]fu\b|flops?.*util|util.*flops?`)
	perSecond = regexp.MustCompile(`(?:/ ?|\bper )s(?:ec(?:ond)?)?s?\b`)
)

// ofMetric returns the seconds of one step by the row's metric; ok is false where it says nothing
// of one.
func (r *rowReader) ofMetric(out *Run) (seconds float64, ok bool) {
	row, run := &r.row, &out.Run
	unit, metric, value := strings.ToLower(row.Unit), strings.ToLower(row.Metric), *row.Value
	starts := func(words ...string) bool { return startsWith(unit, words) }
	// What is stated of one device is stated of all.
	devices := 1.0
	if perDevice.MatchString(unit) || perDevice.MatchString(metric) {
		devices = float64(run.Devices())
	}
	switch {
	case perOther.MatchString(unit):
		return 0, false
	case starts("tflop", "pflop", "gflop"):
		rate := value * map[string]float64{"g": 1e9, "t": 1e12, "p": 1e15}[unit[:1]]
		return r.stepFLOPs(run, metric) / (rate * devices), true
	case starts("%"), unit == "" && (metric == "mfu" || metric == "hfu"):
		share := value
		if starts("%") || share > 1 {
			share /= 100
		}
		peak := run.PeakFLOPsPerSecond()
		if row.PeakUsed != nil {
			peak = *row.PeakUsed
		}
		if !(peak > 0) || !ofPeak.MatchString(metric) {
			return 0, false
		}
		return r.stepFLOPs(run, metric) / (share * peak * float64(run.Devices())), true
	case perSecond.MatchString(unit):
		var each float64
		switch {
		case starts("k tok", "ktok"):
			each = r.tokens(run) / 1e3
		case starts("m tok", "mtok"):
			each = r.tokens(run) / 1e6
		case starts("tok"):
			each = r.tokens(run)
		case starts("seq", "sample", "example", "sentence", "image"):
			each = float64(run.Workload.Batch)
		case starts("step", "it/", "it per", "iter", "batch"):
			return 1 / value, true
		}
		return each / (value * devices), each > 0
	}
	time := wholeStep.FindStringSubmatch(unit)
	if time == nil || time[2] == "" && !ofStep.MatchString(metric) {
		return 0, false
	}
	if strings.HasPrefix(unit, "m") {
		value /= 1e3
	}
	return value, true
}

// stepFLOPs are those that a stated rate counts: of the model, or of all that the hardware did.
func (r *rowReader) stepFLOPs(run *hardware.Run, metric string) float64 {
	convention := flops.MatmulConvention
	if strings.Contains(metric, "recompute") || strings.Contains(metric, "hfu") ||
		strings.Contains(metric, "hardware") {
		convention = flops.HardwareConvention
	}
	return flops.CountUnder(convention, &run.Shape, run.Workload, run.Execution.Recompute).Step
}

// tokens are those of one step that the row's source counts.
func (r *rowReader) tokens(run *hardware.Run) float64 {
	w := run.Workload
	if run.Shape.CrossAttention() && !r.row.ThroughputCountsEncoderOnly {
		return float64(w.Tokens(&run.Shape))
	}
	return float64(w.Batch * max(w.EncoderLength, w.DecoderLength))
}
