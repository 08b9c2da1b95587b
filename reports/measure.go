package reports

import (
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/hardware/calibrate"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Calibrated is a profile fitted to measured steps.
type Calibrated struct {
	Profile   hardware.Profile
	Fit       calibrate.Result
	Measured  int // points or records
	Used      int
	Contended int // points beside other work
	Left      int // points that the time did not allow
	Path      string
	Threads   int // 0 where the steps came from elsewhere
	Machine   string
	Date      string
}

// Calibrated fills in the report of a calibration.
func (r *Report) Calibrated(c *Calibrated) {
	fit := &c.Fit.Calibration
	f := result.Calibration{
		Profile: c.Profile.Name, FittedOn: fit.FittedOn, Measured: c.Measured, Used: c.Used,
		Contended: c.Contended, Left: c.Left,
		Residual: fit.Residual, Converged: c.Fit.Converged, Constants: map[string]result.Constant{},
		Path: c.Path, Threads: c.Threads, Machine: c.Machine, Date: c.Date,
	}
	r.Headline = []string{fmt.Sprintf("Profile of %s, from %s.", c.Profile.Name, quantity.Of(c.Measured, "step"))}
	t := measures(nil)
	t.Basis = []string{"Fitted on " + fit.FittedOn + "."}
	line := t.line
	if c.Threads > 0 {
		peak, bandwidth := c.Profile.Peaks[hardware.FP32].Value,
			c.Profile.BandwidthBytesPerSecond.Value
		f.Peak, f.Bandwidth = &peak, &bandwidth
		line("machine", fmt.Sprintf("%s, %s, %s", c.Machine, c.Path, quantity.Of(c.Threads, "thread")))
		line("peak", quantity.Format(quantity.FLOPRate, peak, 3))
		line("memory bandwidth", quantity.Format(quantity.ByteRate, bandwidth, 3))
		line("points", fmt.Sprintf("%d measured, %d used, %d beside other work, %d left over",
			c.Measured, c.Used, c.Contended, c.Left))
	} else {
		line("steps", fmt.Sprint(c.Measured))
	}
	if c.Fit.HeldOut {
		f.HeldOut = &result.HeldOutSteps{
			MedianAbsLogError: c.Fit.MedianAbsLogError, WorstAbsLogError: c.Fit.Worst,
			Coverage80: c.Fit.Coverage80,
		}
		percent := func(v float64) string { return quantity.Format(quantity.Fraction, v, 2) }
		line("error on a shape left out", fmt.Sprintf("median %s, worst %s",
			percent(math.Expm1(c.Fit.MedianAbsLogError)), percent(math.Expm1(c.Fit.Worst))))
		line("inside the 80 % interval", percent(c.Fit.Coverage80)+", before widening it to hold 80 %")
		r.Headline = append(r.Headline, fmt.Sprintf("Median error on a shape left out: %s.",
			percent(math.Expm1(c.Fit.MedianAbsLogError))))
	}
	constants := Table{
		Title: "What the steps say", Detail: true,
		Columns: []Column{
			{Title: "constant"},
			{Title: "value", Kind: quantity.Number, Digits: 4},
			{Title: "spread (log)", Kind: quantity.Number, Digits: 2},
			{Title: "expected before", Kind: quantity.Number, Digits: 4},
		},
		Notes: []string{"Only constants that these steps inform; the profile holds all."},
	}
	for i := range hardware.ConstantCount {
		k := hardware.Constant(i)
		sd := math.Sqrt(fit.Covariance[i][i])
		f.Constants[k.String()] = result.Constant{Value: fit.Constants[i], LogSD: sd}
		before, spread := k.Prior()
		const told = 0.9 // of the prior's spread; above it the prior is all that is known
		if sd < told*spread {
			constants.Rows = append(constants.Rows,
				[]Cell{Text(k.String()), Plain(quantity.Format(quantity.Number, fit.Constants[i],
					4)), Amount(sd), Plain(quantity.Format(quantity.Number, before, 4))})
		}
	}
	r.Document.Add(f)
	r.show(*t, constants)
}

// CalibrationChecked fills in the report of a profile held against measured steps, a result each.
func (r *Report) CalibrationChecked(rows []calibrate.Checked, left int) {
	percent := func(e float64) string { return quantity.Format(quantity.Fraction, math.Expm1(e), 2) }
	t := Table{
		Columns: []Column{
			{Title: "shape", Cuts: true},
			{Title: "batch", Optional: 2},
			{Title: "measured", Kind: quantity.Duration, Digits: 3},
			{Title: "predicted", Kind: quantity.Duration},
			{Title: "error", Kind: quantity.Fraction, Digits: 2},
			{Title: "disturbed", Optional: 1, Wraps: true},
		},
		Notes: []string{fmt.Sprintf(
			"Error: measured relative to predicted. Intervals are 80 %%. Left over: %s. Disturbed: other work ran beside the step, whose processor time is a rough stand-in.", quantity.Of(left, "point"))},
	}
	for _, which := range []struct {
		name        string
		undisturbed bool
	}{{"All", false}, {"Undisturbed", true}} {
		if v := calibrate.Judge(rows, which.undisturbed); v.Steps > 0 {
			r.Headline = append(r.Headline, fmt.Sprintf(
				"%s: %s, median error %s, worst %s, %d inside the interval.", which.name,
				quantity.Of(v.Steps, "step"), percent(v.MedianAbsLogError), percent(v.WorstAbsLogError), v.Inside))
		}
	}
	for i := range rows {
		c := &rows[i]
		t.add(Text(c.Record.Shape),
			Text(fmt.Sprintf("%d × (%d → %d)", c.Record.Batch, c.Record.EncoderLength, c.Record.DecoderLength)),
			Amount(c.Seconds), Estimate(c.Predicted), Amount(math.Expm1(c.LogError())),
			Text(c.Record.Contended))
		r.Document.Add(result.CheckedStep{
			Record: c.Record, MeasuredSeconds: c.Seconds, PredictedSeconds: c.Predicted,
			LogError: c.LogError(),
		})
	}
	r.Document.Conventions["error"] = "ln(measured/predicted)"
	r.Tables = append(r.Tables, t)
}

// Trained fills in the report of a run of the reference kernel.
func (r *Report) Trained(run *result.Trained) {
	t := Table{
		Columns: []Column{
			{Title: "shape", Cuts: true},
			{Title: "params", Kind: quantity.Params},
			{Title: "steps"},
			{Title: "tokens", Kind: quantity.Tokens},
			{Title: "held-out loss", Kind: quantity.Number, Digits: 4},
			{Title: "training loss", Kind: quantity.Number, Digits: 4, Optional: 5},
			{Title: "step", Kind: quantity.Duration},
			{Title: "speed in tokens", Kind: quantity.PerSecond, Optional: 4},
			{Title: "achieved", Kind: quantity.FLOPRate, Optional: 2},
			{Title: "of peak", Kind: quantity.Fraction, Optional: 3},
			{Title: "path", Optional: 1},
		},
		Notes: []string{"Losses are in nats per target token; step is the median."},
		Basis: []string{"Achieved: matmul FLOPs per second of a whole step, relative to the multiply-add rate measured just before."},
	}
	rec := &run.Record
	known := func(v float64) Cell {
		if rec.StepSeconds > 0 {
			return Amount(v)
		}
		return Cell{}
	}
	t.add(Text(rec.Shape), Amount(float64(rec.Params)), Count(int64(rec.Steps)),
		Amount(float64(rec.Tokens)), Amount(rec.Loss), Amount(rec.TrainLoss),
		known(rec.StepSeconds), known(run.TokensPerSecond), known(run.FLOPsPerSecond),
		known(run.ShareOfMeasuredPeak), Text(rec.Path))
	r.Document.Add(run)
	r.Headline = []string{fmt.Sprintf("%s: held-out loss %s after %s steps.", rec.Shape,
		quantity.Format(quantity.Number, rec.Loss, 4), quantity.Grouped(int64(rec.Steps)))}
	r.Tables = append(r.Tables, t)
}

// Records fills in the report of run records as they are.
func (r *Report) Records(records []kernel.Record) {
	t := Table{Columns: []Column{
		{Title: "shape", Cuts: true},
		{Title: "params", Kind: quantity.Params},
		{Title: "steps", Optional: 3},
		{Title: "tokens", Kind: quantity.Tokens},
		{Title: "FLOPs", Kind: quantity.FLOP, Optional: 2},
		{Title: "held-out loss", Kind: quantity.Number, Digits: 4},
		{Title: "step", Kind: quantity.Duration, Optional: 4},
		{Title: "path", Optional: 1},
	}}
	best := -1
	for i := range records {
		rec := &records[i]
		r.Document.Add(rec)
		t.add(Text(rec.Shape), Amount(float64(rec.Params)), Count(int64(rec.Steps)),
			Amount(float64(rec.Tokens)), Amount(rec.FLOPs), Amount(rec.Loss),
			Amount(rec.StepSeconds), Text(rec.Path))
		if best < 0 || rec.Loss < records[best].Loss {
			best = i
		}
	}
	if best >= 0 {
		r.Headline = []string{
			fmt.Sprintf("%s; the least held-out loss is %s, of %s.", quantity.Of(len(records), "run"),
				quantity.Format(quantity.Number, records[best].Loss, 4), records[best].Shape),
			"Next: fit reads the file or folder of these records.",
		}
	}
	r.Tables = append(r.Tables, t)
}
