package fit

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// Ranked is one shape in the order of its predicted loss.
type Ranked struct {
	// Row is that of the candidates.
	Row int
	// Loss is predicted; Behind is ln of it over the loss predicted for the first.
	Loss, Behind float64
	// Error is the standard deviation, over the laws and their fits, of the true Behind about the
	// predicted one: what the rows leave open of a difference, without what both shapes share.
	Error float64
}

// Tie says whether the rows cannot tell the shape from the first: Behind is at most its error.
func (r Ranked) Tie() bool { return r.Behind <= r.Error }

// RankShapes orders candidates, rows with the columns d_model, layers, params and tokens, by the
// loss that runs of other shapes and budgets lead to expect. Spend the same FLOPs on each, such as
// tokens = C/(6·params), for the best use of a budget.
//
// The prediction is the average of [FitAverage] over the laws of params and tokens, each also with
// its depth, and over those in which width and depth have terms of their own: it is validated
// towards more compute, as it is used.
//
// Errors: those of [FitAverage]; *missingColumnError.
//
// Not modelled: what a shape costs beyond its FLOPs.
//
// It is for programs that plan with this package: the commands rank by evidence (reports/recommend).
func RankShapes(ctx context.Context, d, candidates Data, set *Settings) ([]Ranked, error) {
	shaped, _ := ShapeAwareOf("d_model", "layers", "tokens")
	laws := []Law{Chinchilla(), kaplan(), powerSum(), shaped, ShapeAware()}
	candidates.Y = make([]float64, len(candidates.Columns["params"]))
	if err := candidates.check(ShapeAware()); err != nil {
		return nil, err
	}
	if err := d.check(ShapeAware()); err != nil {
		return nil, err
	}
	compute := d.product([]string{"params", "tokens"})
	x, err := FitAverage(ctx, laws, d, LogHuber(1e-3), &AverageSettings{Order: compute, Depth: true, Fit: set})
	if err != nil {
		return nil, err
	}
	out := make([]Ranked, candidates.Len())
	values := make([][]float64, len(x.members)) // of each candidate
	for i := range out {
		at := make([]float64, len(x.Columns))
		for j, c := range x.Columns {
			at[j] = candidates.Columns[c][i]
		}
		mean, _ := x.moments(at)
		out[i] = Ranked{Row: i, Behind: mean}
		for k, m := range x.members {
			values[k] = append(values[k], m.value(at, x.raw))
		}
	}
	slices.SortStableFunc(out, func(a, b Ranked) int { return cmp.Compare(a.Behind, b.Behind) })
	first := out[0]
	for i := range out {
		r := &out[i]
		r.Loss, r.Behind = finiteExp(r.Behind), r.Behind-first.Behind
		variance, total := 0.0, 0.0
		for k, v := range values {
			if e := v[r.Row] - v[first.Row] - r.Behind; math.Abs(e) < math.MaxFloat64 {
				variance += x.soft[k] * e * e
				total += x.soft[k]
			}
		}
		r.Error = math.Sqrt(variance / total)
	}
	return out, nil
}
