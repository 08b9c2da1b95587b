package recommend

import (
	"slices"
	"testing"

	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// at is a point with a cost, a score, and perhaps published results.
func at(index int, cost, score float64, measured bool) point {
	return point{index: index, cost: cost, score: score, measured: measured}
}

func TestChooseFront(t *testing.T) {
	points := []point{
		at(0, 1, 1, false),
		at(1, 2, 3, false),
		at(2, 3, 2.8, true),
		at(3, 4, 2, true),
		at(4, 5, 3.2, false),
		at(5, 6, 5, false),
	}
	// 2 is measured and within ε = 0.5 of a cheaper point; 3 is measured and beaten by more than ε.
	if got, want := frontOf(points, 0.5), []int{0, 1, 2, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("front %v, want %v", got, want)
	}
	target := 2.9
	if s := choose(points, plan.Params, &target, 0.5, 10); s[0] != 1 {
		t.Errorf("the cheapest that reaches 2.9 is point 1, picked %d", s[0])
	}
	for target, want := range map[float64]int{3: 1, 3.1: 4, 9: 5} {
		if s := choose(points, plan.Params, &target, 0.5, 10); s[0] != want {
			t.Errorf("the cheapest that reaches %g is point %d, picked %d", target, want, s[0])
		}
	}
	if s := choose(points, BestQuality, nil, 0.5, 10); s[0] != 5 {
		t.Errorf("the best is point 5, picked %d", s[0])
	}
	// Above the chord from (ln 1, 1) to (ln 6, 5): point 1 by 2/4 − ln 2/ln 6 = 0.11, point 4 by
	// 2.2/4 − ln 5/ln 6 < 0.
	if s := choose(points, plan.Params, nil, 0.5, 10); s[0] != 1 {
		t.Errorf("the knee is point 1, picked %d", s[0])
	}
	if s := choose(points, BestQuality, nil, 0.5, 2); len(s) != 2 || s[0] != 5 {
		t.Errorf("two rows: %v", s)
	}
}

// Exactly a tenth is enough, to either side.
func TestNeighboursAtATenth(t *testing.T) {
	points := []point{at(0, 1, 1, false), at(1, 1.1, 2, false)}
	for pick, want := range [][]int{{1}, {0}} {
		if got := neighbours(points, []int{0, 1}, pick); !slices.Equal(got, want) {
			t.Errorf("from %d: %v, want %v", pick, got, want)
		}
	}
}

// From the pick at cost 10: 9.5 is too near, 8 is a fifth cheaper, 12 a fifth more expensive, 13 less than
// a tenth more than that.
func TestNeighbours(t *testing.T) {
	points := []point{
		at(0, 4, 1, false),
		at(1, 8, 2, false),
		at(2, 9.5, 3, false),
		at(3, 10, 4, false),
		at(4, 12, 5, false),
		at(5, 13, 6, false),
		at(6, 20, 7, false),
	}
	if got, want := neighbours(points, []int{0, 1, 2, 3, 4, 5, 6}, 3), []int{1, 4, 0, 6}; !slices.Equal(got, want) {
		t.Errorf("neighbours %v, want %v", got, want)
	}
}
