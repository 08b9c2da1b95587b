package evidence

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/approx"
)

func closeTo(a, b float64) bool { return approx.Close(a, b, rounding*max(1, math.Abs(b))) }

// bySize ranks by −params/2, in units of the outcome.
func bySize([]runGroup) (ranking, error) {
	return func(t *runTraits) float64 { return -t.params / 2 }, nil
}

// The share of the variation inside groups that is left, by hand: of costs 1 and 2 at sizes 0 and 1
// half a unit remains, ½²/1² = 0.25; of 0, 2, 4 at 0, 4, 8 nothing; a group without variation does
// not count.
func TestLeftover(t *testing.T) {
	half := runGroup{runs: []runTraits{{params: 0}, {params: 1}}, cost: []float64{1, 2}}
	exact := runGroup{runs: []runTraits{{params: 0}, {params: 4}, {params: 8}}, cost: []float64{0, 2, 4}}
	flat := runGroup{runs: []runTraits{{params: 0}, {params: 4}}, cost: []float64{3, 3}}
	for want, groups := range map[float64][]runGroup{
		0.25: {half, flat}, 0.125: {half, exact}, 0: {exact, exact, flat},
	} {
		if got, err := leftover(groups, bySize); err != nil || !closeTo(got, want) {
			t.Errorf("%g left, %v; want %g", got, err, want)
		}
	}
	if _, err := leftover([]runGroup{flat, flat}, bySize); err == nil {
		t.Error("something is left of nothing")
	}
	// Of eleven groups in ten folds the first and the last are held out together.
	var sizes []int
	learn := func(rest []runGroup) (ranking, error) {
		sizes = append(sizes, len(rest))
		return bySize(rest)
	}
	if _, err := leftover(slices.Repeat([]runGroup{half}, 11), learn); err != nil || len(sizes) != 10 ||
		sizes[0] != 9 || sizes[1] != 10 {
		t.Errorf("folds of %v, %v", sizes, err)
	}
}

// Weights are shares of e^w: ln 3 and 0 make 0.75 and 0.25, however far from 0 both are.
func TestWeights(t *testing.T) {
	for _, far := range []float64{0, -5000, 5000} {
		mean, name := meanRanking([]ranking{
			func(*runTraits) float64 { return 8 },
			func(*runTraits) float64 { return 4 },
		}, []string{"heavy", "light"}, []float64{far + math.Log(3), far})
		// rounding of weights near 5000
		const lost = 1e-12 * 5000
		if got := mean(nil); !approx.Close(got, 7, lost) || name != "heavy (75 % of the weight of 2)" {
			t.Errorf("%g by %s", got, name)
		}
	}
}

// Squares about the mean: of 1, 2, 6 about 3 that is 4 + 1 + 9.
func TestScatter(t *testing.T) {
	if got := scatter([]float64{1, 2, 6}); !closeTo(got, 14) {
		t.Errorf("scatter %g", got)
	}
}

// A row pulls each slope to zero by the scatter of its column; one that does not vary is pinned.
func TestShrunk(t *testing.T) {
	// a constant, a column of 1 and 3 (scatter 2), and one of twice 5 (length √50)
	x, y, weight := shrunk([]float64{1, 1, 5, 1, 3, 5}, []float64{7, 8}, []float64{1, 1}, 3, 1)
	want := []float64{1, 1, 5, 1, 3, 5, 0, math.Sqrt2, 0, 0, 0, math.Sqrt(50) + constant}
	if !slices.EqualFunc(x, want, closeTo) || !slices.Equal(y, []float64{7, 8, 0, 0}) ||
		!slices.Equal(weight, []float64{1, 1, ridge, ridge}) {
		t.Errorf("%v, %v, %v; want %v", x, y, weight, want)
	}
}

// A law of losses is not fitted to outcomes of 0 or less, which polynomials take.
func TestRankRefusesLawOfScores(t *testing.T) {
	law := fit.PowerOffset().On("params")
	size := func(t *runTraits) float64 { return t.params }
	of := func(least float64) []runGroup {
		g := runGroup{}
		for i := range 8 {
			g.runs = append(g.runs, runTraits{params: math.Log(1e6) + float64(i)})
			g.cost = append(g.cost, least+3*math.Exp(-float64(i)/4))
		}
		g.cost[7] = least
		return []runGroup{g}
	}
	for least, refused := range map[float64]bool{0.5: false, 0: true, -1: true} {
		_, err := (&form{law: &law, of: []trait{size}}).rank(of(least), false)
		if (err != nil && strings.Contains(err.Error(), "above 0")) != refused {
			t.Errorf("least outcome %g: %v", least, err)
		}
		if _, err := (&form{of: []trait{size}}).rank(of(least), false); err != nil {
			t.Errorf("a polynomial of outcomes down to %g: %v", least, err)
		}
	}
}

// Inside both groups the outcome grows by 2 a unit of size, Sxy/Sxx = 8/4; across both it falls, by
// Sxy/Sxx = −127/154. A thousandth of the column's scatter, 154, is added to Sxx. With a level for each
// group the first counts, else the second.
func TestRankWithLevels(t *testing.T) {
	size := func(t *runTraits) float64 { return t.params }
	groups := []runGroup{
		{runs: []runTraits{{params: 0}, {params: 1}, {params: 2}}, cost: []float64{0, 2, 4}},
		{runs: []runTraits{{params: 10}, {params: 11}, {params: 12}}, cost: []float64{-9, -7, -5}},
	}
	for levelled, want := range map[bool]float64{true: -8 / (4 + 0.154), false: 127 / (154 + 0.154)} {
		rank, err := (&form{of: []trait{size}}).rank(groups, levelled)
		if err != nil {
			t.Fatal(err)
		}
		slope := rank(&runTraits{params: 5}) - rank(&runTraits{params: 4})
		const solved = 1e-9 // by a factorisation of nine rows
		if !approx.Close(slope, want, solved) {
			t.Errorf("levels %t: a slope of %g, want %g", levelled, slope, want)
		}
	}
}

// The bracket is the best run of the group nearest in mean size: of groups about 1, 5 and 9 that
// about 5 for a group about 6, and its best the second run.
func TestBracket(t *testing.T) {
	group := func(size float64) runGroup {
		return runGroup{
			runs: []runTraits{{params: size - 1, depth: size, width: 0}, {params: size + 1, depth: 2 * size, width: 3}},
			cost: []float64{2, 1},
		}
	}
	held := group(6)
	rank := bracket([]runGroup{group(1), group(5), group(9)}, &held)
	if got := rank(&runTraits{depth: 10, width: 3}); got != 0 {
		t.Errorf("the best of the nearest is %g away", got)
	}
	if got := rank(&runTraits{depth: 13, width: 7}); !closeTo(got, -5) { // 3 and 4
		t.Errorf("(3, 4) away counts as %g", got)
	}
	// As near on either side: the first.
	held = group(7)
	if got := bracket([]runGroup{group(9), group(5)}, &held)(&runTraits{depth: 18, width: 3}); got != 0 {
		t.Errorf("of two as near, the first is %g away", got)
	}
}
