package fit

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/parallel"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Interval is a range for one number, with the standard error it came from.
type Interval struct {
	Low, High, SE float64
	// LogSE is the standard error of the logarithm: what to quote for a number that is solved for as
	// one, such as a coefficient known to a factor only. It is 0 when a draw is not positive.
	LogSE float64
}

// BootstrapSettings steers [Bootstrap]; nil means all defaults.
type BootstrapSettings struct {
	// Resamples is the number of refits; zero means 1000.
	Resamples int
	Seed      uint64
	// Starts is the number of starts of each refit: the warm one, from the full fit, and fresh
	// ones. Zero means the warm one only; 8 and more make the bootstrap global: it then also sees
	// optima elsewhere.
	Starts int
	// Level is the probability inside the intervals; zero means 0.95.
	Level   float64
	Workers int
	// Progress, when not nil, is called from the workers after each refit.
	Progress func()
}

// Bootstrapped holds refits of one law to resampled rows.
type Bootstrapped struct {
	Law   Law
	Level float64
	// Params are percentile intervals in the order of Law.Params.
	Params []Interval
	// Draws are the natural parameters of each refit that converged.
	Draws [][]float64
	// Units is the number of rows, or of runs when rows share runs.
	Units int
	// Failed counts refits that reached no optimum.
	Failed int
	// Improved counts refits in which a fresh start ended below the warm one (by more than 1e-6,
	// relative): the weight of optima elsewhere.
	Improved int
}

const (
	defaultLevel     = 0.95
	defaultResamples = 1000
	// leastUnits is the fewest runs to resample: 5 have 126 different resamples, 6 have 462.
	leastUnits = 6
	// improvement is the relative gain that counts as another optimum.
	improvement = 1e-6
)

// Bootstrap refits the result's law to resamples of d, drawn with replacement: rows, or whole runs
// when d.Run is set. The draws depend on the seed alone, not on the number of workers.
//
// Errors: a *Refusal when there are fewer than leastUnits units to draw, whose resamples would be a
// few values that repeat, or no refit converged; the context's error.
//
// Source: Efron and Tibshirani 1993, ch. 6 and 13 (percentile intervals).
func Bootstrap(ctx context.Context, r *Result, d Data, set *BootstrapSettings) (*Bootstrapped,
	error,
) {
	s := settingsOf(set)
	s.Resamples, s.Level = cmp.Or(s.Resamples, defaultResamples), cmp.Or(s.Level, defaultLevel)
	if err := d.check(r.Law); err != nil {
		return nil, err
	}
	units := d.units()
	if len(units) < leastUnits {
		return nil, refuse(TooFewPoints, nil, "%s to resample; needed: at least %d",
			quantity.Of(len(units), "run"), leastUnits)
	}
	pb := newProblem(&r.Law, d, r.Objective)
	pb.apply(&r.set)
	var fresh [][]float64
	if s.Starts > 1 {
		fresh = pb.startPoints(s.Starts-1, s.Seed)
	}
	refits := make([]refit, s.Resamples)
	err := parallel.With(ctx, s.Resamples, s.Workers, func() func(int) {
		ws := newWorkspace(pb.p)
		w := make([]float64, d.Len())
		return func(b int) {
			resample(w, units, s.Seed, b)
			refits[b] = pb.withWeights(w).refit(r.theta, fresh, ws)
			if s.Progress != nil {
				s.Progress()
			}
		}
	})
	if err != nil {
		return nil, err
	}
	out := &Bootstrapped{Law: r.Law, Level: s.Level, Units: len(units)}
	for _, f := range refits {
		if !f.end.converged {
			out.Failed++
			continue
		}
		draw := pb.natural(f.end.theta)
		if !allFinite(draw) {
			out.Failed++
			continue
		}
		if f.improved {
			out.Improved++
		}
		out.Draws = append(out.Draws, draw)
	}
	if len(out.Draws) < 2 {
		return nil, refuse(NotConverged, nil, "%d of %d resamples reached an optimum",
			len(out.Draws), s.Resamples)
	}
	column := make([]float64, len(out.Draws))
	for j := range r.Law.Params {
		for b, draw := range out.Draws {
			column[b] = draw[j]
		}
		out.Params = append(out.Params, percentiles(column, s.Level))
	}
	return out, nil
}

func allFinite(v []float64) bool {
	return !slices.ContainsFunc(v, func(x float64) bool { return !(math.Abs(x) < math.MaxFloat64) })
}

type refit struct {
	end      optimum
	improved bool
}

// refit descends from the warm start and from the fresh ones.
func (pb *problem) refit(warm []float64, fresh [][]float64, ws *workspace) refit {
	out := refit{end: pb.descend(warm, ws)}
	floor := out.end.value * (1 - improvement)
	if out.end.converged {
		ws.known = &out.end
		defer func() { ws.known = nil }()
	}
	for _, s := range fresh {
		if e := pb.descend(s, ws); e.converged && (e.value < out.end.value || !out.end.converged) {
			out.improved = e.value < floor
			out.end = e
		}
	}
	return out
}

// units returns the rows of each unit that is drawn as a whole, in order of first appearance.
func (d Data) units() [][]int {
	var out [][]int
	at := map[int]int{}
	for i := range d.Y {
		if d.Run == nil {
			out = append(out, []int{i})
			continue
		}
		k, ok := at[d.Run[i]]
		if !ok {
			k = len(out)
			at[d.Run[i]] = k
			out = append(out, nil)
		}
		out[k] = append(out[k], i)
	}
	return out
}

// resample overwrites w with how often resample b draws each row.
func resample(w []float64, units [][]int, seed uint64, b int) {
	clear(w)
	rng := rand.New(rand.NewPCG(seed, uint64(b)))
	for range units {
		for _, i := range units[rng.IntN(len(units))] {
			w[i]++
		}
	}
}

// percentiles returns the central interval of that level and the standard deviations of the draws.
// It does not change v.
func percentiles(v []float64, level float64) Interval {
	s := slices.Sorted(slices.Values(v))
	tail := (1 - level) / 2
	in := Interval{Low: quantile(s, tail), High: quantile(s, 1-tail), SE: deviation(s)}
	if s[0] > 0 {
		in.LogSE = deviation(logs(s))
	}
	return in
}
