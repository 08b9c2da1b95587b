package recommend

import (
	"cmp"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// point is a candidate within all limits.
type point struct {
	index int
	costs amounts // on the weighed axes
	cost  float64 // on the axis that points are sorted by
	// score is the judged quality, less what lying outside the evidence adds to its error; −∞ for a
	// listed shape that nothing judges.
	score    float64
	measured bool // somebody published results of exactly this shape
	released bool // in the catalogue
	allRound bool // costs no more than the anchor on any axis
}

// evaluation is every candidate that matters.
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
	judge  evidence.Judge
	ranked bool // the judge is not silent
	// weighed are the axes that somebody may want to save, that of the objective first.
	weighed []plan.Metric
	limits  []bound
	// params are the least and the most parameters of interest.
	params [2]float64
	// enough is the score below which candidates are of no interest.
	enough float64
	// least is the score below which a listed candidate is shown and never picked.
	least float64
	// below is the cost that candidates must stay under, on one weighed axis at least; +Inf where
	// there is nothing to beat.
	below amounts
	// anchor is the cost of the shape to beat, +Inf where there is none.
	anchor amounts
	all    bool // keep every candidate within the limits
}

// bound is an upper limit on a metric, in its base unit.
type bound struct {
	metric plan.Metric
	limit  float64
}

// amounts are values by metric, in base units.
type amounts [plan.MetricCount]float64

// everywhere returns one value of every metric.
func everywhere(v float64) (a amounts) {
	for i := range a {
		a[i] = v
	}
	return a
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
	return all
}

// chunk evaluates the candidates [from, to). It keeps those that are measured or released, and of
// the others those on a front of the chunk: no other can be on a front of all.
func (e *evaluator) chunk(from, to int) evaluation {
	var out evaluation
	var s shapes.Shape
	values := make([]float64, len(e.limits))
	open := len(e.limits) == 0 && e.params == [2]float64{0, math.Inf(1)} && !e.all
	for i := from; i < to; i++ {
		e.space.at(i, &s)
		p := flops.CountParameters(&s)
		if n := float64(p.Total); n < e.params[0] || n > e.params[1] {
			continue
		}
		if !e.within(&s, &p, values) {
			out.misses.record(i, values, e.limits)
			continue
		}
		out.feasible++
		pt, ok, dear := e.point(i, &s, &p, values)
		if ok {
			out.points = append(out.points, pt)
		}
		if dear && open { // and so are deeper ones
			next := min(e.space.deeper(i), to)
			out.feasible += next - 1 - i
			i = next - 1
		}
	}
	if e.ranked && !e.all {
		out.points = e.matter(out.points)
	}
	return out
}

// point judges a candidate within the limits; it is not ok where the candidate cannot matter. What
// is cheap to know is looked at first; dear is a candidate that costs too much by it.
func (e *evaluator) point(index int, s *shapes.Shape, p *flops.Parameters, values []float64) (
	pt point, ok, dear bool,
) {
	pt = point{index: index, released: index < len(e.space.list) && !e.all}
	early := true // all weighed axes are cheap
	for _, a := range e.weighed {
		early = early && (a == plan.Params || a == plan.RunFLOPs)
	}
	if early && !e.costed(&pt, s, p, values) {
		return pt, false, true
	}
	if e.ranked {
		// What lies outside the evidence only takes from the value; not a number is what nothing
		// can judge.
		subject := evidence.Subject{Shape: s, Params: p}
		if v := e.judge.Value(subject); !(v >= e.enough) {
			if pt.score = math.Inf(-1); !e.all {
				if pt.score, pt.measured = v, true; !e.reaches(subject) {
					return pt, false, false
				}
			}
			ok = early || e.costed(&pt, s, p, values)
			return pt, ok, false
		}
		score, half := e.judge.Score(subject)
		pt.score = score - max(0, half-e.judge.Usual())
		pt.measured = e.judge.Measures(subject)
		if pt.score < e.enough {
			return pt, false, false
		}
	}
	ok = early || e.costed(&pt, s, p, values)
	return pt, ok, false
}

// reaches says whether somebody published results of exactly this shape and the interval of its
// quality, which a recalled value may widen, holds what is of interest.
func (e *evaluator) reaches(s evidence.Subject) bool {
	if !e.judge.Measures(s) {
		return false
	}
	j := e.judge.Judgement(s)
	i := evidence.Compared(e.judge, j.Quality)
	return j.Class != evidence.Measured && i != nil && i.High >= e.enough
}

// costed fills in the weighed costs and says whether one of them is below what there is to beat.
func (e *evaluator) costed(pt *point, s *shapes.Shape, p *flops.Parameters,
	values []float64,
) bool {
	below := false
	for _, a := range e.weighed {
		v := math.NaN()
		for i, b := range e.limits {
			if b.metric == a {
				v = values[i]
			}
		}
		if math.IsNaN(v) {
			v = e.coster.cheap(a, s, p)
		}
		pt.costs[a] = v
		below = below || v < e.below[a]
	}
	return below
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

// by returns the points that are below what there is to beat on one axis, cheapest first.
func (e *evaluator) by(points []point, axis plan.Metric) []point {
	var out []point
	for _, p := range points {
		if p.cost = p.costs[axis]; p.cost < e.below[axis] {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b point) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(b.score, a.score),
			cmp.Compare(a.index, b.index))
	})
	return out
}

// matter returns the points that may be shown, in the order of their indices: the measured and
// released ones, on each weighed axis those that no other beats on both cost and score, and of
// those that cost no more than the anchor on any axis the ones that none of them beats.
func (e *evaluator) matter(points []point) []point {
	keep, round := map[int]bool{}, map[int]bool{}
	for _, axis := range e.weighed {
		best := math.Inf(-1)
		for _, p := range e.by(points, axis) {
			if p.score > best {
				keep[p.index], best = true, p.score
			}
		}
	}
	best := math.Inf(-1)
	for _, p := range e.by(points, e.weighed[0]) {
		if (p.score > best || p.released) && e.roundly(&p) {
			round[p.index] = true
			best = max(best, p.score)
		}
	}
	var out []point
	for _, p := range points {
		if p.allRound = round[p.index]; keep[p.index] || p.allRound || p.measured || p.released {
			out = append(out, p)
		}
	}
	return out
}

// roundly says whether a point costs no more than the anchor on the weighed axes and in memory.
func (e *evaluator) roundly(p *point) bool {
	for _, a := range e.weighed {
		if !(p.costs[a] <= e.anchor[a]) {
			return false
		}
	}
	if math.IsInf(e.anchor[plan.Memory], 1) {
		return false
	}
	var s shapes.Shape
	e.space.at(p.index, &s)
	count := flops.CountParameters(&s)
	return e.coster.cheap(plan.Memory, &s, &count) <= e.anchor[plan.Memory]
}
