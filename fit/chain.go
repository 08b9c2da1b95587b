package fit

import (
	"context"
	"math"
)

// Chain predicts a downstream score in two steps: a law gives the loss, a link turns the loss into
// the score.
type Chain struct {
	Upstream, Link *Result
	// LinkRMS is the error of the link on recorded losses, RMS that of the chain on predicted ones,
	// both in units of the score over the rows that have one.
	LinkRMS, RMS float64
	// Scored is the number of rows with a score.
	Scored int
}

// FitChain fits law to the losses in d and link to the pairs of recorded loss and score; scores
// that are NaN are unknown and enter the first step only.
//
// Errors are those of the two fits; the first decides.
//
// Source: Llama 3 team 2024, §3.2.1, arXiv 2407.21783 (two-step prediction).
func FitChain(ctx context.Context, law, link Law, d Data, score []float64, obj, linkObj Objective,
	set *Settings,
) (*Chain, error) {
	up, err := Fit(ctx, law, d, obj, set)
	if err != nil {
		return nil, err
	}
	var rows []int
	for i, s := range score {
		if !math.IsNaN(s) {
			rows = append(rows, i)
		}
	}
	sub := d.Select(rows)
	down, err := Fit(ctx, link, Data{
		Columns: map[string][]float64{link.Columns[0]: sub.Y}, Y: pick(score, rows),
		Weight: sub.Weight, Run: sub.Run,
	}, linkObj, nil)
	if err != nil {
		return nil, err
	}
	c := &Chain{Upstream: up, Link: down, Scored: len(rows)}
	x := make([]float64, len(law.Columns))
	for i := range sub.Y {
		for j, name := range law.Columns {
			x[j] = sub.Columns[name][i]
		}
		s := score[rows[i]]
		c.LinkRMS += square(down.Predict(sub.Y[i]) - s)
		c.RMS += square(c.Predict(x...) - s)
	}
	c.LinkRMS = math.Sqrt(c.LinkRMS / float64(len(rows)))
	c.RMS = math.Sqrt(c.RMS / float64(len(rows)))
	return c, nil
}

// Predict returns the score for one row of predictors in the order of the upstream law's columns.
func (c *Chain) Predict(x ...float64) float64 { return c.Link.Predict(c.Upstream.Predict(x...)) }

// ChainInterval returns the percentile interval of the predicted score from bootstraps of both
// steps, resample by resample: the uncertainty of the curve, not of a new observation.
func ChainInterval(upstream, link *Bootstrapped, x ...float64) Interval {
	at := make(map[int]int, len(link.Draws)) // draw of the link by resample
	for i, b := range link.resamples {
		at[b] = i
	}
	var v []float64
	for i, b := range upstream.resamples {
		if k, both := at[b]; both {
			loss := upstream.Law.Predict(upstream.Draws[i], x)
			v = append(v, link.Law.Predict(link.Draws[k], []float64{loss}))
		}
	}
	return percentiles(v, upstream.Level)
}
