package fit

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/parallel"
)

// agreement is the relative difference in value below which two descents ended at the same optimum.
const agreement = 1e-9

const (
	// Above screenAbove rows, starts descend on a sample of screenRows rows first, and only the
	// different optima found there on all of them: a basin that a few thousand rows do not show is
	// no reason to pass over a million rows from every start.
	screenAbove = 8000
	screenRows  = 2000
)

// multistart descends from every start and returns the best optimum with how many starts agree with
// it. Equal values are ranked by θ, so the order of the starts does not matter.
func (pb *problem) multistart(ctx context.Context, set *Settings) (optimum, Certificate, error) {
	sample := pb
	if pb.n > screenAbove {
		sample = pb.sample(screenRows)
	}
	starts := sample.starts(set)
	if len(starts) == 0 {
		return optimum{}, Certificate{}, refuse(NotConverged, nil,
			"no start of %s lies within double precision for these rows", pb.law.Name)
	}
	if sample == pb {
		ends, err := pb.descendAll(ctx, starts, set.Workers)
		if err != nil {
			return optimum{}, Certificate{}, err
		}
		best, c := pb.summarise(ends)
		return best, c, nil
	}
	ends, err := sample.descendAll(ctx, starts, set.Workers)
	if err != nil {
		return optimum{}, Certificate{}, err
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
	full, err := pb.descendAll(ctx, basins, set.Workers)
	if err != nil {
		return optimum{}, Certificate{}, err
	}
	for i := range ends {
		ends[i] = full[of[i]]
	}
	best, c := pb.summarise(ends)
	_, descents := pb.summarise(full)
	c.Evaluations = descents.Evaluations
	return best, c, nil
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

// sample returns the problem on n rows drawn without replacement, the same ones every time.
func (pb *problem) sample(n int) *problem {
	w := make([]float64, pb.n)
	rng := rand.New(rand.NewPCG(0, uint64(pb.n)))
	for _, i := range rng.Perm(pb.n)[:n] {
		w[i] = 1
	}
	return pb.withWeights(w)
}

func (pb *problem) descendAll(ctx context.Context, starts [][]float64, workers int) ([]optimum,
	error,
) {
	ends := make([]optimum, len(starts))
	err := parallel.With(ctx, len(starts), workers, func() func(int) {
		ws := newWorkspace(pb.p)
		return func(i int) { ends[i] = pb.descend(starts[i], ws) }
	})
	return ends, err
}

// summarise returns the best of the ends and how many agree with it.
func (pb *problem) summarise(ends []optimum) (optimum, Certificate) {
	best := slices.MinFunc(ends, func(a, b optimum) int {
		if c := cmp.Compare(a.value, b.value); c != 0 {
			return c
		}
		return slices.Compare(a.theta, b.theta)
	})
	c := Certificate{Starts: len(ends), Converged: best.converged}
	perfect := pb.exact(best.value, rounding)
	for _, e := range ends {
		c.Evaluations += e.evals
		if e.value <= best.value*(1+agreement) || (perfect && pb.exact(e.value, stepped)) {
			c.Agree++
		}
	}
	return best, c
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
