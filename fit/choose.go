package fit

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// ChooseSettings steers [Choose]; nil means all defaults.
type ChooseSettings struct {
	// Order ranks the rows from cheap to dear (compute, or the predictor of a curve): a fold is
	// fitted to the cheap rows and scored on the next more expensive ones. Nil means the product of the
	// columns of the first law whose columns the data have.
	Order []float64
	// Folds is the number of rolling origins; zero means 4.
	Folds int
	// First is the share of rows the first origin is fitted to; zero means 0.6.
	First float64
	// Fit steers each fit.
	Fit *Settings
}

// Choice is the outcome of [Choose].
type Choice struct {
	// Best is the law with the least held-out error, fitted to all rows.
	Best *Result
	// Scores has one entry a law, in the order given.
	Scores []LawScore
}

// LawScore is how one law did on rows it was not fitted to.
type LawScore struct {
	Law Law
	// RMS is the root mean square held-out residual over all folds, in ln y (in y for raw
	// objectives).
	RMS float64
	// Folds holds the RMS of each fold.
	Folds []float64
	// AICc is n·ln(RSS/n) + 2k + 2k(k+1)/(n−k−1) of the fit to all rows, k its parameters and the
	// noise: lower is better, and only differences between laws fitted to the same rows mean
	// anything. +Inf when n ≤ k + 1.
	//
	// Source: Hurvich and Tsai 1989, Biometrika 76(2).
	AICc float64
	// Refused is why the law has no fit to all rows, or nil. A fold that refuses it counts as the
	// worst error of any law there.
	Refused error
}

const (
	defaultFolds = 4
	defaultFirst = 0.6
)

// Choose returns the law that best predicts rows more expensive than those it was fitted to: rolling
// origins cut the rows, in the order of compute, into fitted and scored parts; rows of equal order
// stay together. Of more than [MostValidated] rows the folds take that number, evenly; parameters are
// those of all rows. A law that is refused on all rows, or whose columns are absent, is out, and the
// reason is listed; one that a fold refuses gets the worst error of that fold.
//
// Errors: *Refusal when no law can be scored (the reasons are joined to it); the context's error.
// It panics when laws is empty.
func Choose(ctx context.Context, laws []Law, d Data, obj Objective, set *ChooseSettings) (*Choice,
	error,
) {
	s := settingsOf(set)
	s.Folds, s.First = cmp.Or(s.Folds, defaultFolds), cmp.Or(s.First, defaultFirst)
	if s.Order == nil {
		k := max(slices.IndexFunc(laws, func(l Law) bool { return d.check(l) == nil }), 0)
		if err := d.check(laws[k]); err != nil {
			return nil, err
		}
		s.Order = d.product(laws[k].Columns)
	}
	validated := d
	if d.Len() > MostValidated {
		validated, s.Order, _ = d.thinned(MostValidated, s.Order, nil)
	}
	folds := rollingOrigins(s.Order, s.Folds, s.First)
	c := &Choice{}
	var fits []*Result
	for _, law := range laws {
		score, full, err := scoreLaw(ctx, law, d, validated, obj, folds, s.Fit)
		if err != nil {
			return nil, err
		}
		c.Scores = append(c.Scores, score)
		fits = append(fits, full)
	}
	c.pool(folds)
	var reasons []error
	least := math.Inf(1)
	for k, score := range c.Scores {
		switch {
		case score.Refused != nil:
			reasons = append(reasons, score.Refused)
		case c.Best == nil || score.RMS < least:
			least, c.Best = score.RMS, fits[k]
		}
	}
	if c.Best == nil {
		return c, errors.Join(append([]error{refuse(TooFewPoints, nil,
			"no law can be scored on held-out rows")}, reasons...)...)
	}
	return c, nil
}

// scoreLaw returns the law's held-out score on the folds of the rows validated and its fit to all
// rows d; the error is the context's or a missing column.
func scoreLaw(ctx context.Context, law Law, d, validated Data, obj Objective, folds []fold, set *Settings) (
	LawScore, *Result, error,
) {
	out := LawScore{Law: law}
	// Refusals and missing columns concern the law alone; anything else ends the choice.
	only := func(err error) error {
		var r *Refusal
		var m *missingColumnError
		if errors.As(err, &r) || errors.As(err, &m) {
			out.Refused = err
			return nil
		}
		return err
	}
	full, err := Fit(ctx, law, d, obj, set)
	if err != nil {
		return out, nil, only(err)
	}
	if len(folds) == 0 {
		out.Refused = refuse(TooFewPoints, nil, "nothing is left to hold out: %s", quantity.Of(d.Len(), "row"))
		return out, nil, nil
	}
	out.AICc = full.aicc()
	for _, f := range folds {
		rms := math.NaN()
		r, err := Fit(ctx, law, validated.Select(f.fitted), obj, set)
		if err == nil {
			rms = RMS(clip(r.heldOut(validated.Select(f.scored))))
		} else if why := only(err); why != nil {
			return out, nil, why
		}
		out.Folds = append(out.Folds, rms)
	}
	out.Refused = nil
	return out, full, nil
}

// pool sets the RMS of each law over all folds, and the errors of folds that refused it.
func (c *Choice) pool(folds []fold) {
	for f := range folds {
		worst := 0.0
		for _, s := range c.Scores {
			if s.Refused == nil && !math.IsNaN(s.Folds[f]) {
				worst = max(worst, s.Folds[f])
			}
		}
		for _, s := range c.Scores {
			if s.Refused == nil && math.IsNaN(s.Folds[f]) {
				s.Folds[f] = worst
			}
		}
	}
	for k := range c.Scores {
		sum, n := 0.0, 0.0
		for f, rms := range c.Scores[k].Folds {
			rows := float64(len(folds[f].scored))
			sum, n = sum+rows*rms*rms, n+rows
		}
		c.Scores[k].RMS = math.Sqrt(sum / n)
	}
}

// aicc returns Akaike's criterion with the correction for few rows.
func (r *Result) aicc() float64 {
	n, k := float64(r.Rows), float64(len(r.Law.Params)-len(r.set.Fixed)+1)
	if n <= k+1 {
		return math.Inf(1)
	}
	return n*math.Log(r.RMS*r.RMS) + 2*k + 2*k*(k+1)/(n-k-1)
}

// heldOut returns the errors of the result on other rows, in the units of its objective.
func (r *Result) heldOut(d Data) []float64 {
	return newProblem(&r.Law, d, r.Objective).residuals(r.theta)
}

type fold struct{ fitted, scored []int }

// rollingOrigins cuts rows at equal steps of the share of rows from first to 1; rows whose order is
// equal are never parted.
func rollingOrigins(order []float64, n int, first float64) []fold {
	rows := orderOf(order)
	cut := make([]int, n+1)
	for k := range cut {
		share := first + (1-first)*float64(k)/float64(n)
		c := int(math.Round(share * float64(len(rows))))
		for c > 0 && c < len(rows) && order[rows[c]] == order[rows[c-1]] {
			c++
		}
		cut[k] = c
	}
	var out []fold
	for k := range n {
		if cut[k] > 0 && cut[k+1] > cut[k] {
			out = append(out, fold{rows[:cut[k]], rows[cut[k]:cut[k+1]]})
		}
	}
	return out
}

// product returns the product of columns in each row.
func (d Data) product(columns []string) []float64 {
	out := make([]float64, d.Len())
	for i := range out {
		out[i] = 1
		for _, c := range columns {
			out[i] *= d.Columns[c][i]
		}
	}
	return out
}
