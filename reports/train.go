package reports

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

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
