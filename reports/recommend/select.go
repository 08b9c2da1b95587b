package recommend

import (
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// picked is the point to start from if one axis is to be saved.
type picked struct {
	axis  plan.Metric
	index int // of the candidate
}

// choose returns the picks, that of the objective first, and at most Top points to show, the picks
// among them.
//
// The pick of the objective is made among the points that cost no more than the anchor on any axis,
// where there are such. Of released and of any shapes as many are shown.
func (e *evaluator) choose(q *asked, points []point, reach *float64) ([]picked, []point) {
	ε := evidence.Apart(q.judge)
	at := map[int]point{}
	for _, p := range points {
		at[p.index] = p
	}
	var picks []picked
	var shown []point
	have := map[shapes.Shape]int{} // the lattice holds many a released shape too
	var s shapes.Shape
	show := func(index, most int) int {
		e.space.at(index, &s)
		key := anonymous(s)
		if e.all {
			key.Name = s.Name
		}
		if as, ok := have[key]; ok {
			return as
		}
		if len(shown) < most {
			have[key] = index
			shown = append(shown, at[index])
		}
		return index
	}
	for n, axis := range e.weighed {
		pool := e.by(points, axis)
		objective := axis
		if n == 0 {
			objective = q.Objective
			round := slices.DeleteFunc(slices.Clone(pool), func(p point) bool { return !p.allRound })
			if reach != nil && objective != BestQuality && len(round) > 0 {
				pool = round
			}
		}
		if len(pool) == 0 {
			continue
		}
		best := pool[choose(pool, objective, reach, ε, 1)[0]]
		if best.score < e.least {
			continue
		}
		pick := best.index
		picks = append(picks, picked{axis, show(pick, max(q.Top, len(picks)+1))})
	}
	if e.all {
		for _, p := range e.by(points, e.weighed[0]) {
			show(p.index, q.Top)
		}
		return picks, shown
	}
	pool := e.by(points, e.weighed[0])
	released := slices.DeleteFunc(slices.Clone(pool), func(p point) bool { return !p.released })
	for _, part := range []struct {
		points []point
		most   int
	}{{released, len(shown) + (q.Top-len(shown)+1)/2}, {pool, q.Top}, {released, q.Top}} {
		if len(part.points) == 0 {
			continue
		}
		for _, i := range choose(part.points, q.Objective, reach, ε, q.Top) {
			show(part.points[i].index, part.most)
		}
	}
	return picks, shown
}

// choose returns which of the points, sorted by cost, to show: the pick first.
//
// The front is the points that none beats on both cost and score; a measured
// point stays beside it unless one that costs no more is better by more than the
// error ε of a difference of two predictions (ε-dominance). With a score to reach the pick is the
// cheapest point that does, failing that the best one. Without,
// it is the best point when quality is the objective, else the knee: the point
// furthest above the chord of the front in ln cost and score.
//
// Shown are the pick, the measured points, and of the front with a score to reach points that differ by at
// least half of ε, without one the neighbours of the pick in steps of a tenth in cost; at most top
// in all.
func choose(points []point, objective plan.Metric, reach *float64, ε float64, top int) []int {
	front := frontOf(points, ε)
	pick := -1
	switch {
	case reach != nil && objective != BestQuality:
		pick = slices.IndexFunc(front, func(i int) bool { return points[i].score >= *reach })
		if pick < 0 {
			pick = bestOf(points, front)
		}
	case objective == BestQuality:
		pick = bestOf(points, front)
	default:
		pick = knee(points, front)
	}
	chosen := []int{front[pick]}
	add := func(i int) {
		if len(chosen) < top && !slices.Contains(chosen, i) {
			chosen = append(chosen, i)
		}
	}
	for _, i := range front {
		if points[i].measured {
			add(i)
		}
	}
	rest := spread(points, front, ε, top-len(chosen))
	if reach == nil {
		rest = neighbours(points, front, pick)
	}
	for _, i := range rest {
		add(i)
	}
	slices.Sort(chosen[1:])
	return chosen
}

// frontOf returns the indices of the strict front and of the measured points that are not
// ε-dominated, cheapest first.
func frontOf(points []point, ε float64) []int {
	var front []int
	best := math.Inf(-1)
	for i, p := range points {
		switch {
		case p.score > best:
			front, best = append(front, i), p.score
		case p.measured && p.score+ε >= best:
			front = append(front, i)
		}
	}
	return front
}

func bestOf(points []point, front []int) int {
	best := 0
	for k, i := range front {
		if points[i].score > points[front[best]].score {
			best = k
		}
	}
	return best
}

// knee returns the position on the front furthest above the chord from its cheapest to its best
// point, in ln cost and score, each scaled to its range.
func knee(points []point, front []int) int {
	first, last := points[front[0]], points[front[bestOf(points, front)]]
	width, height := math.Log(last.cost/first.cost), last.score-first.score
	if width <= 0 || height <= 0 {
		return 0
	}
	best, at := math.Inf(-1), 0
	for k, i := range front {
		rise := (points[i].score-first.score)/height - math.Log(points[i].cost/first.cost)/width
		if rise > best {
			best, at = rise, k
		}
	}
	return at
}

// neighbours returns points of the front next to the pick first, on either side in turn, each at
// least a tenth cheaper or more expensive than the one before.
func neighbours(points []point, front []int, pick int) []int {
	const step = 1.1
	var cheaper, costlier []int
	last := points[front[pick]].cost
	for k := pick - 1; k >= 0; k-- {
		if c := points[front[k]].cost; c*step <= last {
			cheaper, last = append(cheaper, front[k]), c
		}
	}
	last = points[front[pick]].cost
	for _, i := range front[pick+1:] {
		if c := points[i].cost; c >= last*step {
			costlier, last = append(costlier, i), c
		}
	}
	var out []int
	for k := range max(len(cheaper), len(costlier)) {
		if k < len(cheaper) {
			out = append(out, cheaper[k])
		}
		if k < len(costlier) {
			out = append(out, costlier[k])
		}
	}
	return out
}

// spread returns at most n positions of the front, each better than the one before by at least half
// the prediction error: closer ones are the same shape for every purpose.
func spread(points []point, front []int, ε float64, n int) []int {
	var apart []int
	for _, i := range front {
		if len(apart) == 0 || points[i].score >= points[apart[len(apart)-1]].score+ε/2 {
			apart = append(apart, i)
		}
	}
	if len(apart) <= n || n <= 0 {
		return apart[:min(len(apart), max(n, 0))]
	}
	var out []int
	for k := range n {
		out = append(out, apart[k*(len(apart)-1)/max(1, n-1)])
	}
	return out
}
