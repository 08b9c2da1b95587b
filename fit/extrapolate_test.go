package fit

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// curveOf records y(x) at n points from 1e6, each √2 times the one before.
func curveOf(n int, y func(x float64) float64) LearningCurve {
	var c LearningCurve
	for i := range n {
		x := 1e6 * math.Pow(2, float64(i)/2)
		c.X, c.Y = append(c.X, x), append(c.Y, y(x))
	}
	return c
}

// TestExtrapolateKnownLaws continues noiseless curves whose law is known: the average must end as
// the choice of that law.
func TestExtrapolateKnownLaws(t *testing.T) {
	// One candidate is exact and a few hundred are not; together they keep a weight of about their
	// number times σ over their validation error. The one-break law has no exact candidate:
	// breakRidge moves its slopes.
	const exact, ridged = 1e-4, 5e-3
	last := 1e6 * math.Pow(2, 19.0/2)
	for _, c := range []struct {
		name   string
		law    Law
		within float64
		// params are invented; x0, d and f stand where the candidates have them.
		params []float64
	}{
		{"power", Power(), exact, []float64{30, 0.2}},
		{"power-offset", PowerOffset(), exact, []float64{1.7, 400, 0.35}},
		{"power-offset", PowerOffset(), exact, []float64{0.3, 60, 0.25}},
		{"saturating", saturating(), exact, []float64{0.9, 3, 0.02 * last, 0.5}},
		{"one-break", oneBreak(), ridged, []float64{0.8, 40, 0.15, 0.3, 0.1 * last, breakWidth}},
	} {
		curve := curveOf(20, func(x float64) float64 { return c.law.Predict(c.params, []float64{x}) })
		x := Extrapolate(curve)
		at := 2 * last
		want := c.law.Predict(c.params, []float64{at})
		if got := x.Predict(at); !approx.Close(math.Log(got/want), 0, c.within) {
			t.Errorf("%s: %g at twice the last x, want %g", c.name, got, want)
		}
		low, high := x.Interval(at, 0.8)
		if low > want || high < want {
			t.Errorf("%s: interval %g to %g misses %g", c.name, low, high, want)
		}
	}
}

func TestExtrapolateReports(t *testing.T) {
	params := []float64{1.7, 400, 0.35}
	law := PowerOffset()
	x := Extrapolate(curveOf(20, func(x float64) float64 { return law.Predict(params, []float64{x}) }))
	if len(x.Laws) != 4 || x.Points != 20 || len(x.Warnings) != 0 {
		t.Fatalf("%d laws, %d points, warnings %q", len(x.Laws), x.Points, x.Warnings)
	}
	var sum float64
	for _, share := range x.Laws {
		sum += share.Weight
	}
	const rounding = 1e-12
	if !approx.Close(sum, 1, rounding) {
		t.Errorf("weights sum to %g", sum)
	}
	// A one-break law without a change of slope is the same curve.
	share, same := x.Laws[1], x.Laws[3]
	if share.Law.Name != "power-offset" || same.Law.Name != "one-break" ||
		share.Weight+same.Weight < 0.99 {
		t.Errorf("%s and %s have weights %g and %g, want a sum above 0.99", share.Law.Name,
			same.Law.Name, share.Weight, same.Weight)
	}
	// The heaviest candidate is the fit with a free offset, converged to candidateTolerance in
	// every parameter; A leans on alpha by ln x ≈ 20.
	const converged = 1e-4
	for i, want := range params {
		if !approx.Relative(share.Params[i], want, converged) {
			t.Errorf("%s is %g, want %g", law.Params[i].Name, share.Params[i], want)
		}
	}
}

// TestExtrapolateUnits: another unit of x or y changes nothing but the unit.
func TestExtrapolateUnits(t *testing.T) {
	// The arithmetic is done in units of the curve, so that only rounding differs. A candidate with
	// a slope at its bound may stop a little earlier or later for it; it has a small share of the
	// weight.
	const descentTolerance = 1e-3
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		unitX := math.Exp(rapid.Float64Range(-20, 20).Draw(t, "ln unit of x"))
		unitY := math.Exp(rapid.Float64Range(-5, 5).Draw(t, "ln unit of y"))
		rng := rand.New(rand.NewPCG(seed, 0))
		c := curveOf(12, func(x float64) float64 { return (1 + 50*math.Pow(x, -0.3)) * math.Exp(0.01*rng.NormFloat64()) })
		var scaled LearningCurve
		for i := range c.X {
			scaled.X, scaled.Y = append(scaled.X, c.X[i]*unitX), append(scaled.Y, c.Y[i]*unitY)
		}
		at := 2 * c.X[len(c.X)-1]
		x, y := Extrapolate(c), Extrapolate(scaled)
		_, high := x.Interval(at, 0.8)
		_, highScaled := y.Interval(at*unitX, 0.8)
		if d := math.Log(y.Predict(at*unitX) / unitY / x.Predict(at)); !approx.Close(
			d, 0, descentTolerance) {
			t.Fatalf("prediction moves by %g", d)
		}
		if d := math.Log(highScaled / unitY / high); !approx.Close(d, 0, descentTolerance) {
			t.Fatalf("interval moves by %g", d)
		}
	})
}

func TestExtrapolateIsDeterministic(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	c := curveOf(15, func(x float64) float64 { return (2 + 90*math.Pow(x, -0.3)) * math.Exp(0.02*rng.NormFloat64()) })
	a, b := Extrapolate(c), Extrapolate(c)
	if diff := cmp.Diff(a.weights, b.weights); diff != "" {
		t.Error(diff)
	}
}

// TestExtrapolateOddCurves: whatever the curve, numbers are finite and intervals in order.
func TestExtrapolateOddCurves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(minCurvePoints, 30).Draw(t, "rows")
		var x, y []float64
		at := rapid.Float64Range(1e-6, 1e12).Draw(t, "first x")
		for range n {
			at *= 1 + rapid.Float64Range(1e-6, 10).Draw(t, "step")
			x = append(x, at)
			y = append(y, math.Exp(rapid.Float64Range(-10, 10).Draw(t, "ln y")))
		}
		c, err := NewLearningCurve(x, y)
		if err != nil {
			t.Fatal(err)
		}
		e := Extrapolate(c)
		var before [2]float64
		for i, level := range []float64{0.5, 0.8, 0.9, 0.95, 0.99} {
			low, high := e.Interval(2*at, level)
			p := e.Predict(2 * at)
			if !(low <= p && p <= high) || math.IsInf(high, 0) {
				t.Fatalf("%g %%: %g in %g to %g", 100*level, p, low, high)
			}
			if i > 0 && (low > before[0] || high < before[1]) {
				t.Fatalf("the interval of %g %% is narrower than the one before", 100*level)
			}
			before = [2]float64{low, high}
		}
	})
}

// TestExtrapolateLongNoisyCurve: a log of many noisy rows is averaged before laws are fitted, but
// the noise is that of a row.
func TestExtrapolateLongNoisyCurve(t *testing.T) {
	const rows, noise = 20000, 0.05
	rng := rand.New(rand.NewPCG(3, 4))
	law := func(x float64) float64 { return 1.8 + 300*math.Pow(x, -0.4) }
	var c LearningCurve
	for i := range rows {
		x := 1e5 * float64(i+1)
		c.X, c.Y = append(c.X, x), append(c.Y, law(x)*math.Exp(noise*rng.NormFloat64()))
	}
	x := Extrapolate(c)
	// The standard error of a standard deviation from n rows is 1/√(2n): 2.2 % for mostNoiseRows;
	// four of them.
	const sampling = 0.09
	if !approx.Relative(x.Noise, noise, sampling) {
		t.Errorf("noise %g, want %g", x.Noise, noise)
	}
	// The mean of the last tenth of the rows is known to 0.05/√2000 = 0.1 %; the slope beyond it to
	// a few times that.
	const known = 0.005
	at := 2 * c.X[rows-1]
	if got := x.Predict(at); !approx.Close(math.Log(got/law(at)), 0, known) {
		t.Errorf("%g at twice the last x, want %g", got, law(at))
	}
}

func TestExtrapolateWarns(t *testing.T) {
	rising := curveOf(12, func(x float64) float64 { return math.Pow(x, 0.1) })
	if w := Extrapolate(rising).Warnings; len(w) != 1 {
		t.Errorf("a rising curve: warnings %q, want one", w)
	}
	short := curveOf(5, func(x float64) float64 { return math.Pow(x, -0.1) })
	if w := Extrapolate(short).Warnings; len(w) != 1 {
		t.Errorf("a curve of five rows: warnings %q, want one", w)
	}
}

func TestExtrapolationScore(t *testing.T) {
	c := curveOf(12, func(x float64) float64 { return 1 + 50*math.Pow(x, -0.3) })
	x := Extrapolate(c)
	at := 1.5 * c.X[11]
	p := x.Predict(at)
	_, high80 := x.Interval(at, 0.80)
	_, high95 := x.Interval(at, 0.95)
	// By hand: one row on the prediction, one between the two intervals, one far outside both.
	s, err := x.Score([]float64{at, at, at}, []float64{p, math.Sqrt(high80 * high95), p * math.E})
	if err != nil {
		t.Fatal(err)
	}
	between := (math.Log(high80/p) + math.Log(high95/p)) / 2
	want := ExtrapolationScore{
		Points: 3, RMSLE: math.Sqrt((between*between + 1) / 3),
		Coverage80: 1.0 / 3, Coverage95: 2.0 / 3, HalfWidth80: math.Log(high80 / p),
	}
	const rounding = 1e-9
	for _, v := range [][2]float64{
		{s.RMSLE, want.RMSLE},
		{s.Coverage80, want.Coverage80},
		{s.Coverage95, want.Coverage95},
		{s.HalfWidth80, want.HalfWidth80},
	} {
		if !approx.Close(v[0], v[1], rounding) {
			t.Errorf("score %+v, want %+v", s, want)
		}
	}
	if _, err := x.Score(nil, nil); err == nil {
		t.Error("no rows were scored")
	}
	if _, err := x.Score([]float64{1}, []float64{-1}); err == nil {
		t.Error("a negative loss was scored")
	}
}
