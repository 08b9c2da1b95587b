package fit

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
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
	// Priors pull parameters towards a centre.
	Priors []Prior
	// From adds starts, as natural parameters in the order of the law's.
	From [][]float64
	// Only says to use the starts of From alone.
	Only bool
}

// Prior adds weight·((θ − centre)/sd)² to the objective, where θ is the
// natural parameter, or its logarithm when the law marks it Log (then Centre
// is still given in natural units and SD in ln).
type Prior struct {
	Param      string
	Centre, SD float64
	// Weight scales the penalty into the objective's units; zero means 1.
	Weight float64
}

// Result is a fitted law.
type Result struct {
	Law       Law
	Objective Objective
	// Params are natural values in the order of Law.Params.
	Params []float64
	// Value is the objective, summed over rows (priors included).
	Value float64
	// RMS is the weighted root mean square residual, in ln y or, for raw
	// objectives, in y.
	RMS float64
	// Rows is the number of rows fitted.
	Rows        int
	Certificate Certificate
	Warnings    []string

	theta []float64
	set   Settings
}

// Certificate says why a result may be believed.
type Certificate struct {
	// Starts is how many descents ran, Agree how many of them ended at the
	// reported optimum (value within 1e-9 of it, relative).
	Starts, Agree int
	// Gradient is the largest free component of the objective's gradient in
	// θ divided by the root of its curvature and of the objective's own
	// size: scale-free, 0 at an exact optimum.
	Gradient float64
	// Condition is the ratio of the largest to the smallest eigenvalue of
	// the scaled normal matrix: how close some parameters are to trading
	// off exactly.
	Condition float64
	// Active names the parameters at a bound.
	Active []string
	// Vertex counts the rows that the fit passes through exactly (lad,
	// asymmetric).
	Vertex int
	// Evaluations counts passes over all rows, in all starts.
	Evaluations int
	Converged   bool
}

// Predict returns ŷ for one row of predictors in the order of Law.Columns.
func (r *Result) Predict(x ...float64) float64 { return r.Law.Predict(r.Params, x) }

// Param returns the natural value of the named parameter; ok is false when
// the law has none of that name.
func (r *Result) Param(name string) (value float64, ok bool) {
	j := r.Law.Param(name)
	if j < 0 {
		return 0, false
	}
	return r.Params[j], true
}

// Fit returns the parameters of law that minimise obj over the rows of d.
//
// Errors: *MissingColumnError; *Refusal when the rows cannot support the law
// (for Unidentified, AtBound and NotConverged the result is returned as
// well, for diagnosis); the context's error.
//
// The result is the same for every order of rows' starts and every number of
// workers, and does not change when all weights are multiplied by a constant.
func Fit(ctx context.Context, law Law, d Data, obj Objective, set *Settings) (*Result, error) {
	if set == nil {
		set = &Settings{}
	}
	warnings, err := admit(&law, d, obj, set)
	if err != nil {
		return nil, err
	}
	pb := newProblem(&law, d, obj)
	pb.apply(set)
	starts := pb.starts(set)
	best, agree, evals, err := pb.multistart(ctx, starts, set.workers())
	if err != nil {
		return nil, err
	}
	r := &Result{Law: law, Objective: obj, Rows: d.Len(), Warnings: warnings, set: *set}
	r.Certificate = Certificate{Starts: len(starts), Agree: agree, Evaluations: evals, Converged: best.converged}
	r.theta, r.Value = best.theta, best.value
	r.Params = pb.natural(best.theta)
	err = r.diagnose(pb)
	return r, err
}

func (s *Settings) workers() int {
	if s.Workers > 0 {
		return s.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// apply puts fixed parameters and priors into the problem. Unknown names
// panic: they are programmer mistakes.
func (pb *problem) apply(set *Settings) {
	index := func(name string) int {
		j := pb.law.Param(name)
		if j < 0 {
			panic("fit: law " + pb.law.Name + " has no parameter " + name)
		}
		return j
	}
	toTheta := func(j int, v float64) float64 {
		if pb.law.Params[j].Log {
			return math.Log(v)
		}
		return v
	}
	for name, v := range set.Fixed {
		pb.fix(index(name), toTheta(index(name), v))
	}
	for _, pr := range set.Priors {
		j := index(pr.Param)
		w := pr.Weight
		if w == 0 {
			w = 1
		}
		pb.priors = append(pb.priors, prior{j, toTheta(j, pr.Centre), w / (pr.SD * pr.SD)})
	}
}

// fix holds θ_j at v. A logarithm of zero (−∞) is allowed: the term is gone.
func (pb *problem) fix(j int, v float64) {
	pb.fixed[j] = true
	v = max(v, -700) // e^−700 vanishes beside any term, without ∞ − ∞
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
	n := set.Starts
	if n == 0 {
		n = 16
	}
	return append(out, pb.startPoints(n, set.Seed)...)
}

// natural converts θ; a parameter that may vanish and sits at its bound is
// zero.
func (pb *problem) natural(theta []float64) []float64 {
	out := make([]float64, pb.p)
	pb.law.toNatural(theta, out)
	for j, pa := range pb.law.Params {
		if pa.Vanishes && theta[j] <= pb.lo[j] && (!pb.fixed[j] || theta[j] <= -700) {
			out[j] = 0
		}
	}
	return out
}

// agreement is the relative difference in value below which two descents
// ended at the same optimum.
const agreement = 1e-9

const (
	// Above screenAbove rows, starts descend on a sample of screenRows rows
	// first, and only the different optima found there on all of them: a
	// basin that a few thousand rows do not show is no reason to pass over a
	// million rows from every start.
	screenAbove = 20000
	screenRows  = 4000
)

// multistart descends from every start and returns the best optimum with the
// number of starts that agree with it. Equal values are ranked by θ, so the
// order of the starts does not matter.
func (pb *problem) multistart(ctx context.Context, starts [][]float64, workers int) (optimum, int, int, error) {
	if pb.n <= screenAbove {
		ends, err := pb.descendAll(ctx, starts, workers)
		if err != nil {
			return optimum{}, 0, 0, err
		}
		best, agree, evals := pb.summarise(ends)
		return best, agree, evals, nil
	}
	sample := pb.sample(screenRows)
	ends, err := sample.descendAll(ctx, starts, workers)
	if err != nil {
		return optimum{}, 0, 0, err
	}
	var basins [][]float64
	of := make([]int, len(ends)) // which basin each start fell into
	for i, e := range ends {
		of[i] = slices.IndexFunc(basins, func(b []float64) bool { return near(b, e.theta) })
		if of[i] < 0 {
			of[i] = len(basins)
			basins = append(basins, e.theta)
		}
	}
	full, err := pb.descendAll(ctx, basins, workers)
	if err != nil {
		return optimum{}, 0, 0, err
	}
	for i := range ends {
		ends[i] = full[of[i]]
		ends[i].evals = 0
	}
	best, agree, _ := pb.summarise(ends)
	_, _, evals := pb.summarise(full)
	return best, agree, evals, nil
}

// near says whether two descents on one sample ended in one basin.
func near(a, b []float64) bool {
	for j := range a {
		if math.Abs(a[j]-b[j]) > 1e-6*(1+math.Abs(a[j])) {
			return false
		}
	}
	return true
}

// sample returns the problem on n rows drawn without replacement, the same
// ones every time.
func (pb *problem) sample(n int) *problem {
	w := make([]float64, pb.n)
	rng := rand.New(rand.NewPCG(0, uint64(pb.n)))
	for _, i := range rng.Perm(pb.n)[:n] {
		w[i] = 1
	}
	return pb.withWeights(w)
}

func (pb *problem) descendAll(ctx context.Context, starts [][]float64, workers int) ([]optimum, error) {
	ends := make([]optimum, len(starts))
	err := parallel(ctx, len(starts), workers, func() func(int) {
		ws := newWorkspace(pb.p)
		return func(i int) { ends[i] = pb.descend(starts[i], ws) }
	})
	return ends, err
}

// summarise returns the best of the ends, how many agree with it, and the
// passes over the rows.
func (pb *problem) summarise(ends []optimum) (best optimum, agree, evals int) {
	best = slices.MinFunc(ends, func(a, b optimum) int {
		if c := cmp.Compare(a.value, b.value); c != 0 {
			return c
		}
		return slices.Compare(a.theta, b.theta)
	})
	for _, e := range ends {
		evals += e.evals
		if e.value <= best.value*(1+agreement)+1e-25*totalWeight(pb.w) {
			agree++
		}
	}
	return best, agree, evals
}

func totalWeight(w []float64) float64 {
	s := 0.0
	for _, v := range w {
		s += v
	}
	return s
}

// descend takes one start to an optimum of the problem's objective.
func (pb *problem) descend(start []float64, ws *workspace) optimum {
	if pb.obj.nonSmooth() {
		return pb.descendLAD(start, ws)
	}
	return pb.minimise(start, ws)
}

// parallel calls the function made by each worker's setup for 0 … n−1 and
// stops early when the context ends.
func parallel(ctx context.Context, n, workers int, setup func() func(int)) error {
	workers = min(max(workers, 1), n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			do := setup()
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}
