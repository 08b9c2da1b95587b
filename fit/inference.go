package fit

import (
	"cmp"
	"math"
)

// InferenceSettings steers [InferenceAware]; nil means all defaults.
type InferenceSettings struct {
	// TrainingFLOPs counts a training run, InferenceFLOPs what it costs to serve tokens; both must
	// rise with tokens. Nil means 6·params·tokens and 2·params·tokens.
	TrainingFLOPs, InferenceFLOPs func(params, tokens float64) float64
	// MinParams and MaxParams bound the search; zero means 1e3 and 1e15.
	MinParams, MaxParams float64
}

// InferenceAllocation is the model that reaches a loss at the least cost of its life.
type InferenceAllocation struct {
	Params, Tokens, Loss          float64
	TrainingFLOPs, InferenceFLOPs float64
}

// InferenceAware returns the parameters and training tokens that reach a loss with the fewest FLOPs
// over training and serving a number of tokens each:
//
//	min over N of 6·N·D + 2·N·D_inf  with D such that L(N, D) = loss
//
// The more is served, the smaller the model and the longer its training.
//
// Errors: *Refusal NoInteriorMinimum when no size searched reaches the loss, or the least cost is at
// an end of them. It panics when the law reads other columns than params and tokens.
//
// Source: Sardana et al. 2024, eq. 1, arXiv 2401.00448.
func InferenceAware(r *Result, loss, inferenceTokens float64, set *InferenceSettings) (
	*InferenceAllocation, error,
) {
	s := settingsOf(set)
	if s.TrainingFLOPs == nil {
		s.TrainingFLOPs = func(n, d float64) float64 { return 6 * n * d }
	}
	if s.InferenceFLOPs == nil {
		s.InferenceFLOPs = func(n, d float64) float64 { return 2 * n * d }
	}
	s.MinParams, s.MaxParams = cmp.Or(s.MinParams, 1e3), cmp.Or(s.MaxParams, 1e15)
	at := func(params, tokens float64) float64 { return r.Law.OfSize(r.Params, params, tokens) }
	tokens := func(params float64) float64 {
		if !(at(params, farTokens) <= loss) {
			return math.Inf(1)
		}
		return rising(-loss, func(t float64) float64 { return -at(params, t) })
	}
	cost := func(lnN float64) float64 {
		params := math.Exp(lnN)
		return s.TrainingFLOPs(params, tokens(params)) + s.InferenceFLOPs(params, inferenceTokens)
	}
	const points = 384
	lnN, ok := leastOnGrid(cost, math.Log(s.MinParams), math.Log(s.MaxParams), points)
	if !ok {
		return nil, refuse(NoInteriorMinimum, []string{"params"},
			"no size between %.3g and %.3g params reaches a loss of %.4g at a least cost inside them",
			s.MinParams, s.MaxParams, loss)
	}
	out := &InferenceAllocation{Params: math.Exp(lnN)}
	out.Tokens = tokens(out.Params)
	out.Loss = at(out.Params, out.Tokens)
	out.TrainingFLOPs = s.TrainingFLOPs(out.Params, out.Tokens)
	out.InferenceFLOPs = s.InferenceFLOPs(out.Params, inferenceTokens)
	return out, nil
}

// farTokens is more than anybody trains on: a size that does not reach the loss there never does.
const farTokens = 1e30

// leastOnGrid returns where f is least between lo and hi: the lowest of the points, refined by
// golden section; ok is false at an end of the finite values.
func leastOnGrid(f func(float64) float64, lo, hi float64, points int) (float64, bool) {
	step := (hi - lo) / float64(points-1)
	at, least := -1, math.Inf(1)
	for i := range points {
		if v := f(lo + float64(i)*step); v < least {
			at, least = i, v
		}
	}
	if at <= 0 || at == points-1 || !(step > 0) {
		return 0, false
	}
	return golden(f, lo+float64(at-1)*step, lo+float64(at+1)*step), true
}
