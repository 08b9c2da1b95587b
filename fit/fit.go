package fit

import (
	"cmp"
	"context"
	"math"
)

// Settings steers a fit; nil means all defaults.
type Settings struct {
	// Starts is the number of starting points; zero means 16.
	Starts int
	// Seed shifts the starting points.
	Seed uint64
	// Workers bounds the goroutines; zero means GOMAXPROCS.
	Workers int
	// Fixed holds parameters at natural values.
	Fixed map[string]float64
	// Bounds narrows the range of parameters, in natural values; an infinite end is open. A
	// parameter that ends at such a bound is a warning, not a refusal.
	Bounds map[string][2]float64
	// From adds starts, as natural parameters in the order of the law's.
	From [][]float64
	// Only says to use the starts of From alone.
	Only bool
}

// settingsOf returns what is set, or the defaults.
func settingsOf[T any](set *T) (s T) {
	if set != nil {
		s = *set
	}
	return s
}

// Result is a fitted law.
type Result struct {
	Law       Law
	Objective Objective
	// Params are natural values in the order of Law.Params.
	Params []float64
	// Value is the objective, summed over rows.
	Value float64
	// RMS is the weighted root mean square residual, in ln y or, for raw objectives, in y.
	RMS float64
	// Validation is the error of the law beyond the rows it had seen ([Average.Validation] of the
	// law alone), in the units of RMS; 0 when nobody validated it.
	Validation float64
	// Rows is the number of rows fitted.
	Rows        int
	Certificate Certificate
	Warnings    []string

	theta []float64
	set   Settings
}

// Certificate says why a result may be believed.
type Certificate struct {
	// Starts is how many descents ran, Agree how many of them ended at the reported optimum (value
	// within 1e-9 of it, relative).
	Starts, Agree int
	// Gradient is the largest free component of the objective's gradient in θ divided by the root
	// of its curvature and of the objective's own size: scale-free, and 0 for a fit that is perfect
	// to rounding.
	Gradient float64
	// Condition is the ratio of the largest to the smallest eigenvalue of the scaled normal matrix:
	// how close some parameters are to trading off exactly.
	Condition float64
	// Active names the parameters at a bound.
	Active []string
	// Vertex counts the rows that the fit passes through exactly (lad, asymmetric).
	Vertex int
	// Evaluations counts passes over all rows, in all starts.
	Evaluations int
	Converged   bool
}

// Predict returns ŷ for one row of predictors in the order of Law.Columns.
func (r *Result) Predict(x ...float64) float64 { return r.Law.Predict(r.Params, x) }

// Fit returns the parameters of law that minimise obj over the rows of d.
//
// Errors: *missingColumnError; *Refusal when the rows cannot support the law (for Unidentified,
// AtBound and NotConverged the result is returned as well, for diagnosis); the context's error.
//
// The result is the same for every order of the starts and every number of workers, and does not
// change when all weights are multiplied by a constant.
func Fit(ctx context.Context, law Law, d Data, obj Objective, set *Settings) (*Result, error) {
	s := settingsOf(set)
	warnings, err := admit(&law, d, obj, len(s.Fixed), false)
	if err != nil {
		return nil, err
	}
	pb := newProblem(&law, d, obj)
	pb.apply(&s)
	best, certificate, err := pb.multistart(ctx, &s)
	if err != nil {
		return nil, err
	}
	r := &Result{
		Law: law, Objective: obj, Rows: d.Len(), Warnings: warnings,
		Certificate: certificate, set: s,
	}
	r.theta, r.Value = best.theta, best.value
	r.Params = pb.natural(best.theta)
	err = r.diagnose(pb)
	return r, err
}

// apply puts bounds and fixed parameters into the problem. Unknown names panic: they are programmer
// mistakes.
func (pb *problem) apply(set *Settings) {
	index := func(name string) int {
		j := pb.law.Param(name)
		if j < 0 {
			panic("fit: law " + pb.law.Name + " has no parameter " + name)
		}
		return j
	}
	pb.bounded = make([]bool, pb.p)
	for name, b := range set.Bounds {
		j := index(name)
		lo, hi := b[0], b[1]
		if pb.law.Params[j].Log {
			lo, hi = math.Log(max(lo, 0)), math.Log(max(hi, 0))
		}
		pb.lo[j], pb.hi[j] = max(pb.lo[j], lo), min(pb.hi[j], hi)
		pb.bounded[j] = true
	}
	for name, v := range set.Fixed {
		j := index(name)
		if pb.law.Params[j].Log {
			v = math.Log(v)
		}
		pb.fix(j, v)
	}
}

// gone is the logarithm that stands for that of zero: e^−700 vanishes beside any term, without ∞ − ∞.
const gone = -700

// fix holds θ_j at v. A logarithm of zero (−∞) is allowed: the term is gone.
func (pb *problem) fix(j int, v float64) {
	pb.fixed[j] = true
	v = max(v, gone)
	pb.lo[j], pb.hi[j] = v, v
}

func (pb *problem) starts(set *Settings) [][]float64 {
	var out [][]float64
	for _, nat := range set.From {
		t := make([]float64, pb.p)
		pb.law.toTheta(nat, t)
		out = append(out, t)
	}
	if set.Only {
		return out
	}
	const usual = 16
	return append(out, pb.startPoints(cmp.Or(set.Starts, usual), set.Seed)...)
}

// natural converts θ; a parameter that may vanish and sits at its bound is zero.
func (pb *problem) natural(theta []float64) []float64 {
	out := make([]float64, pb.p)
	pb.law.toNatural(theta, out)
	for j := range out {
		if theta[j] <= pb.zero[j] && (!pb.fixed[j] || theta[j] <= gone) {
			out[j] = 0
		}
	}
	return out
}
