package recommend

import (
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// selection is which points to show.
type selection struct {
	pick  int // index into points
	shown []int
}

// choose picks from points sorted by cost.
//
// The front is the points that none beats on both cost and score; a measured
// point stays beside it unless one that is no dearer is better by more than the
// error ε of a difference of two predictions (ε-dominance). With an anchor the pick is the cheapest
// point predicted no worse than it, failing that the best one within ε below. Without,
// it is the best point when quality is the objective, else the knee: the point
// furthest above the chord of the front in ln cost and score.
//
// Shown are the pick, the measured points, and of the front with an anchor points that differ by at
// least half of ε, without one the neighbours of the pick in steps of a tenth in cost; at most top
// in all.
func choose(points []point, objective plan.Metric, anchor *float64, ε float64, top int) selection {
	front := frontOf(points, ε)
	pick := -1
	switch {
	case anchor != nil && objective != BestQuality:
		pick = slices.IndexFunc(front, func(i int) bool { return points[i].score >= *anchor })
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
	if anchor == nil {
		rest = neighbours(points, front, pick)
	}
	for _, i := range rest {
		add(i)
	}
	slices.Sort(chosen[1:])
	return selection{pick: chosen[0], shown: chosen}
}

// showAll shows the pick and then every other point by cost, at most top.
func (s *selection) showAll(n, top int) {
	s.shown = []int{s.pick}
	for i := range n {
		if i != s.pick && len(s.shown) < top {
			s.shown = append(s.shown, i)
		}
	}
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
// least a tenth cheaper or dearer than the one before.
func neighbours(points []point, front []int, pick int) []int {
	const step = 1.1
	var cheaper, dearer []int
	last := points[front[pick]].cost
	for k := pick - 1; k >= 0; k-- {
		if c := points[front[k]].cost; c*step <= last {
			cheaper, last = append(cheaper, front[k]), c
		}
	}
	last = points[front[pick]].cost
	for _, i := range front[pick+1:] {
		if c := points[i].cost; c >= last*step {
			dearer, last = append(dearer, i), c
		}
	}
	var out []int
	for k := range max(len(cheaper), len(dearer)) {
		if k < len(cheaper) {
			out = append(out, cheaper[k])
		}
		if k < len(dearer) {
			out = append(out, dearer[k])
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
