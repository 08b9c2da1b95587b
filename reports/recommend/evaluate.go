package recommend

import (
	"cmp"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// point is a candidate within all limits.
type point struct {
	index    int
	cost     float64
	score    float64 // judged quality, less what lying outside the evidence adds to its error
	measured bool
}

// evaluation is every candidate that matters, cheapest first.
type evaluation struct {
	points   []point
	counted  int
	feasible int
	misses   misses
}

// evaluator costs and judges candidates.
type evaluator struct {
	space  *space
	coster *coster
	judge  judge
	ranked bool // the judge is not silent
	axis   plan.Metric
	limits []bound
	// enough is the score below which candidates are of no interest.
	enough float64
	// below is the cost that candidates must stay under.
	below float64
	all   bool // keep every candidate within the limits
}

// bound is an upper limit on a metric, in its base unit.
type bound struct {
	metric plan.Metric
	limit  float64
}

// chunk is how many candidates a worker takes at a time.
const chunk = 1 << 13

// run evaluates all candidates; the outcome does not depend on the number of workers.
func (e *evaluator) run(workers int) evaluation {
	n := e.space.len()
	chunks := (n + chunk - 1) / chunk
	parts := make([]evaluation, chunks)
	parallel.Each(chunks, workers, func(i int) { parts[i] = e.chunk(i*chunk, min(n, (i+1)*chunk)) })
	all := evaluation{counted: n}
	for i := range parts {
		all.points = append(all.points, parts[i].points...)
		all.feasible += parts[i].feasible
		all.misses.merge(&parts[i].misses)
	}
	slices.SortFunc(all.points, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(b.score, a.score),
			cmp.Compare(a.index, b.index))
	})
	return all
}

// chunk evaluates the candidates [from, to). Of the unmeasured it keeps those on the front of the
// chunk: no other can be on the front of all.
func (e *evaluator) chunk(from, to int) evaluation {
	var out evaluation
	var s shapes.Shape
	values := make([]float64, len(e.limits))
	for i := from; i < to; i++ {
		e.space.at(i, &s)
		p := flops.CountParameters(&s)
		if !e.within(&s, &p, values) {
			out.misses.record(i, values, e.limits)
			continue
		}
		out.feasible++
		pt, ok := e.point(i, &s, &p, values)
		if !ok {
			continue
		}
		out.points = append(out.points, pt)
	}
	if e.ranked && !e.all {
		out.points = undominated(out.points)
	}
	return out
}

// point judges a candidate within the limits; it is not ok where the candidate cannot matter. What
// is cheap to know is looked at first.
func (e *evaluator) point(index int, s *shapes.Shape, p *flops.Parameters, values []float64) (
	point, bool,
) {
	pt := point{index: index}
	early := e.axis == plan.Params || e.axis == plan.RunFLOPs
	costed := func() bool {
		pt.cost = e.cost(s, p, values)
		return pt.cost < e.below
	}
	if early && !costed() {
		return pt, false
	}
	if e.ranked {
		// What lies outside the evidence only takes from the value; not a number is what nothing
		// can judge.
		if v := e.judge.value(s, p); v < e.enough || math.IsNaN(v) {
			return pt, false
		}
		score, half := e.judge.score(s, p)
		pt.score = score - max(0, half-e.judge.usual())
		pt.measured = e.judge.measures(s, p)
		if pt.score < e.enough {
			return pt, false
		}
	}
	return pt, early || costed()
}

// within fills the values that are limited and says whether all limits are kept. A cost that cannot
// be known keeps no limit.
func (e *evaluator) within(s *shapes.Shape, p *flops.Parameters, values []float64) bool {
	ok := true
	for i, b := range e.limits {
		values[i] = e.coster.cheap(b.metric, s, p)
		ok = ok && values[i] <= b.limit
	}
	return ok
}

func (e *evaluator) cost(s *shapes.Shape, p *flops.Parameters, values []float64) float64 {
	for i, b := range e.limits {
		if b.metric == e.axis && !math.IsNaN(values[i]) {
			return values[i]
		}
	}
	return e.coster.cheap(e.axis, s, p)
}

// undominated returns the points that no other beats on both cost and score, and every measured
// one. It keeps the order.
func undominated(points []point) []point {
	order := make([]int, len(points))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(points[a].cost, points[b].cost),
			cmp.Compare(points[b].score, points[a].score),
			cmp.Compare(points[a].index, points[b].index))
	})
	keep := make([]bool, len(points))
	best := math.Inf(-1)
	for _, i := range order {
		if points[i].score > best {
			keep[i], best = true, points[i].score
		}
	}
	out := points[:0]
	for i, p := range points {
		if keep[i] || p.measured {
			out = append(out, p)
		}
	}
	return out
}
