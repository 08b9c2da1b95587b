package fit

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
)

// ChooseSettings steers [Choose]; nil means all defaults.
type ChooseSettings struct {
	// Order ranks the rows from cheap to dear (compute, or the predictor of a curve): a fold is
	// fitted to the cheap rows and scored on the next dearer ones. Nil means the product of the
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
	// Refused is why the law could not be scored, or nil.
	Refused error
}

const (
	defaultFolds = 4
	defaultFirst = 0.6
)

// Choose returns the law that best predicts rows dearer than those it was fitted to: rolling
// origins cut the rows, in the order of compute, into fitted and scored parts; rows of equal order
// stay together. A law that is refused in any fold or on all rows, or whose columns are absent, is
// out, and the reason is listed.
//
// Errors: *Refusal when no law can be scored (the reasons are joined to it); the context's error.
// It panics when laws is empty.
func Choose(ctx context.Context, laws []Law, d Data, obj Objective, set *ChooseSettings) (*Choice,
	error,
) {
	var s ChooseSettings
	if set != nil {
		s = *set
	}
	if s.Folds == 0 {
		s.Folds = defaultFolds
	}
	if s.First == 0 {
		s.First = defaultFirst
	}
	if s.Order == nil {
		k := max(slices.IndexFunc(laws, func(l Law) bool { return d.check(l) == nil }), 0)
		if err := d.check(laws[k]); err != nil {
			return nil, err
		}
		s.Order = d.product(laws[k].Columns)
	}
	folds := rollingOrigins(s.Order, s.Folds, s.First)
	c := &Choice{}
	var best *LawScore
	var reasons []error
	for _, law := range laws {
		score, full, err := scoreLaw(ctx, law, d, obj, folds, s.Fit)
		if err != nil {
			return nil, err
		}
		c.Scores = append(c.Scores, score)
		switch {
		case score.Refused != nil:
			reasons = append(reasons, score.Refused)
		case best == nil || score.RMS < best.RMS:
			best, c.Best = &score, full
		}
	}
	if best == nil {
		return c, errors.Join(append([]error{refuse(TooFewPoints, nil,
			"no law can be scored on held-out rows")}, reasons...)...)
	}
	return c, nil
}

// scoreLaw returns the law's held-out score and its fit to all rows; the error is the context's or
// a missing column.
func scoreLaw(ctx context.Context, law Law, d Data, obj Objective, folds []fold, set *Settings) (
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
		out.Refused = refuse(TooFewPoints, nil, "%d rows leave nothing to hold out", d.Len())
		return out, nil, nil
	}
	ss, n := 0.0, 0
	for _, f := range folds {
		r, err := Fit(ctx, law, d.Select(f.fitted), obj, set)
		if err != nil {
			return out, nil, only(err)
		}
		held := r.heldOut(d.Select(f.scored))
		sum := 0.0
		for _, e := range held {
			sum += e * e
		}
		out.Folds = append(out.Folds, math.Sqrt(sum/float64(len(held))))
		ss += sum
		n += len(held)
	}
	out.RMS = math.Sqrt(ss / float64(n))
	return out, full, nil
}

// heldOut returns the errors of the result on other rows, in the units of its objective.
func (r *Result) heldOut(d Data) []float64 {
	return newProblem(&r.Law, d, r.Objective).residuals(r.theta)
}

type fold struct{ fitted, scored []int }

// rollingOrigins cuts rows at equal steps of the share of rows from first to 1; rows whose order is
// equal are never parted.
func rollingOrigins(order []float64, n int, first float64) []fold {
	rows := make([]int, len(order))
	for i := range rows {
		rows[i] = i
	}
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(order[a], order[b]) })
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
