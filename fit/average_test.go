package fit

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// handMembers is an average of two members over two folds, made by hand.
func handMembers() *Average {
	law := Power()
	pb := newProblem(&law, Data{Columns: map[string][]float64{"x": {1, 2, 3}}, Y: []float64{1, 1, 1}},
		SquaredLog())
	return &Average{
		Columns: []string{"x"}, Rows: 3, Units: 3,
		members: []*member{
			{
				problem: pb, columns: []int{0}, theta: []float64{0, 1}, fraction: math.NaN(), offset: math.NaN(),
				noise: 0.3, heldOut: [][]float64{{0.4}, {-0.4, 0.4}},
			},
			{
				problem: pb, columns: []int{0}, theta: []float64{1, 1}, fraction: math.NaN(), offset: offsetCentre + offsetSpread,
				noise: 0.6, heldOut: [][]float64{nil, {0.8, 0.8}},
			},
		},
	}
}

func TestAverageWeightsByHand(t *testing.T) {
	x := handMembers()
	// √(v² + σ²) is 0.5 in both folds of the first. The second lacks a fold and gets the worst
	// error there, 0.4: √(0.4² + 0.6²); in the other it is 1. One standard deviation from the
	// prior's centre costs e^−½. With power 2 over two folds each error enters to the power −1.
	first := 1 / (0.5 * 0.5)
	second := 1 / (math.Hypot(0.4, 0.6) * 1) * math.Exp(-0.5)
	w := x.weightsAt(2, 2)
	const rounding = 1e-7 // leastError is added to each error
	closeTo(t, "first weight", w[0], first/(first+second), rounding)
	closeTo(t, "second weight", w[1], second/(first+second), rounding)
	x.weights = []float64{0.75, 0.25}
	closeTo(t, "error of the member that has the fold", x.heldOutErrors(0, 1, -1)[0], 0.4, rounding15)
	e := x.heldOutErrors(1, 2, -1)
	closeTo(t, "mean error", e[0], 0.75*-0.4+0.25*0.8, rounding15)
	closeTo(t, "mean error", e[1], 0.75*0.4+0.25*0.8, rounding15)
	x.soft = []float64{0.5, 0.5}
	// ln ŷ = θ0 − θ1·ln x: −ln 2 and 1 − ln 2.
	mean, spread := x.moments([]float64{2})
	closeTo(t, "mean", mean, 0.25-math.Ln2, rounding15)
	closeTo(t, "spread", spread, math.Sqrt(0.5*0.25*0.25+0.5*0.75*0.75), rounding15)
	x.Noise, x.Validation = 0.1, 0.2
	in, ok := x.Interval(0.8, 2)
	if !ok {
		t.Fatal("no interval")
	}
	half := 0.80 * tQuantile(0.8, 3) / NormalQuantile90 * math.Sqrt(0.01+0.04+spread*spread)
	closeTo(t, "low", math.Log(in.Low), mean-half, 1e-12)
	closeTo(t, "high", math.Log(in.High), mean+half, 1e-12)
	in, _ = x.Interval(0.95, 2)
	half = 1.30 * tQuantile(0.95, 3) / twoSidedNormal(0.95) * math.Sqrt(0.01+0.04+spread*spread)
	closeTo(t, "high at 95 %", math.Log(in.High), mean+half, 1e-12)
	x.Noise = 100
	if _, ok := x.Interval(0.8, 2); ok {
		t.Error("an interval of e^±100 was given")
	}
	s, err := x.Score(Data{Columns: map[string][]float64{"x": {2, 2}}, Y: []float64{1, 1e300}})
	if err != nil || s.Points != 2 || s.Coverage80 != 0.5 || s.Coverage95 != 0.5 {
		t.Errorf("%+v, %v: want one row of two inside", s, err)
	}
}

func TestAverageRawScaleByHand(t *testing.T) {
	x := handMembers()
	x.raw, x.weights, x.soft = true, []float64{0.5, 0.5}, []float64{1, 0}
	x.Noise, x.Validation, x.Units = 0, 0.5, 1
	closeTo(t, "mean of y", x.Predict(2), (0.5+math.E/2)/2, rounding15)
	_, spread := x.moments([]float64{2})
	in, ok := x.Interval(0.8, 2)
	half := 0.80 * tQuantile(0.8, 1) / NormalQuantile90 * math.Hypot(0.5, spread)
	closeTo(t, "high", in.High, x.Predict(2)+half, 1e-12)
	if !ok || in.SE != math.Hypot(0.5, spread) {
		t.Errorf("%+v, %v", in, ok)
	}
}

func TestAverageFoldsByHand(t *testing.T) {
	order := []float64{5, 1, 4, 2, 3, 10, 9, 8, 7, 6}
	s := AverageSettings{Order: order}
	d := Data{Y: make([]float64, 10)}
	folds, units := s.folds(d)
	sizes := [][2]int{{5, 5}, {7, 3}, {9, 1}}
	if units != 10 || len(folds) != len(sizes) {
		t.Fatalf("%d units, folds %v", units, folds)
	}
	for k, f := range folds {
		if len(f.fitted) != sizes[k][0] || len(f.scored) != sizes[k][1] || f.units != sizes[k][1] {
			t.Errorf("fold %d: %v", k, f)
		}
		for _, i := range f.fitted {
			for _, j := range f.scored {
				if order[i] >= order[j] {
					t.Errorf("fold %d: row %d of order %g is fitted and %g scored", k, i, order[i], order[j])
				}
			}
		}
	}
	// Three runs of which the one with the largest row is last: one origin leaves two of them.
	d.Run = []int{0, 0, 0, 1, 1, 1, 2, 2, 2, 2}
	folds, units = s.folds(d)
	want := []averageFold{
		{[]int{0, 1, 2, 6, 7, 8, 9}, []int{3, 4, 5}, 1},
	}
	if units != 3 || !reflect.DeepEqual(folds, want) {
		t.Errorf("%d runs, folds %v, want %v", units, folds, want)
	}
	// Groups are left out one by one, in the order of their largest row.
	s.Group = []int{0, 0, 0, 0, 0, 1, 1, 1, 1, 1}
	folds, _ = s.folds(d)
	want = []averageFold{
		{[]int{5, 6, 7, 8, 9}, []int{0, 1, 2, 3, 4}, 1}, {[]int{0, 1, 2, 3, 4}, []int{5, 6, 7, 8, 9}, 1},
	}
	if !reflect.DeepEqual(folds, want) {
		t.Errorf("groups: %v, want %v", folds, want)
	}
}

func TestAverageHelpersByHand(t *testing.T) {
	if e := clip([]float64{1, -1, 2, -100, 1}); !slices.Equal(e, []float64{1, -1, 2, -clipped, 1}) {
		t.Errorf("clipped at %g times the median: %v", clipped, e)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1)} {
		if e := clip([]float64{1, v}); e != nil {
			t.Errorf("%v was kept", e)
		}
	}
	if w := recent([]float64{1, 3}, []float64{2, 4}, 2); !slices.Equal(w, []float64{0.25, 3}) {
		t.Errorf("recent weights %v", w)
	}
	if recent(nil, []float64{2, 4}, 0) != nil {
		t.Error("equal weights are nil")
	}
	if h := largerHalf([]float64{1, 2, 3, 4, 5}, []float64{5, 1, 4, 2, 3}); !slices.Equal(h, []float64{5, 3, 1}) {
		t.Errorf("larger half %v", h)
	}
}

// Without noise one law of the list is the truth: nothing else keeps weight, and the prediction is
// exact far beyond the rows.
func TestAverageFindsTheTruth(t *testing.T) {
	truth := []float64{1.8, 480, 2000, 0.35, 0.37}
	d := surface(Chinchilla(), truth, geometric(5e7, 2e9, 6), geometric(1e9, 4e10, 6))
	laws := []Law{kaplan(), Chinchilla(), overTraining()}
	x, err := FitAverage(context.Background(), laws, d, SquaredLog(), nil)
	if err != nil {
		t.Fatal(err)
	}
	at := []float64{2e11, 4e12}
	want := Chinchilla().Predict(truth, at)
	const exact = 1e-6 // of the solver, magnified by the reach
	closeTo(t, "prediction at 10,000 times the compute", x.Predict(at...), want, exact)
	for _, s := range x.Laws {
		if (s.Weight > 0.999) != (s.Law.Name == "chinchilla") {
			t.Errorf("%s has weight %g", s.Law.Name, s.Weight)
		}
		if s.Law.Name == "chinchilla" {
			for j, v := range truth {
				closeTo(t, s.Law.Params[j].Name, s.Params[j], v, 1e-4)
			}
		}
	}
	again, err := FitAverage(context.Background(), laws, d, SquaredLog(),
		&AverageSettings{Fit: &Settings{Workers: 1}})
	if err != nil || again.Predict(at...) != x.Predict(at...) {
		t.Errorf("one worker predicts %v, several %v (%v)", again.Predict(at...), x.Predict(at...), err)
	}
}

// A law that the first fold cannot support loses weight, not its place.
func TestRefusedFoldCostsWeightOnly(t *testing.T) {
	truth := []float64{1.8, 480, 2000, 0.35, 0.37}
	d := surface(Chinchilla(), truth, geometric(5e7, 2e9, 3), geometric(1e9, 4e10, 3))
	rng := rand.New(rand.NewPCG(9, 9))
	for i := range d.Y {
		d.Y[i] *= math.Exp(0.01 * rng.NormFloat64())
	}
	x, err := FitAverage(context.Background(), []Law{Chinchilla(), powerSum()}, d, SquaredLog(), nil)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, m := range x.members {
		if m.heldOut[0] == nil {
			refused++
		}
	}
	if refused == 0 || len(x.Laws) != 2 {
		t.Errorf("%d members lack the fold of 4 rows; laws %v", refused, x.Laws)
	}
	sum := 0.0
	for i, w := range x.weights {
		sum += w
		if !(w >= 0) || !(x.soft[i] >= 0) {
			t.Errorf("member %d has weights %g and %g", i, w, x.soft[i])
		}
	}
	closeTo(t, "sum of weights", sum, 1, rounding15)
}

// A diverged run moves the average by less than its interval.
func TestAverageIgnoresADivergedRun(t *testing.T) {
	clean, d := sixtyRuns(3), sixtyRuns(3)
	d.Y[20] = 7.31
	at := []float64{1e11, 2e12}
	var x [2]*Average
	for i, rows := range []Data{clean, d} {
		var err error
		if x[i], err = FitAverage(context.Background(), surfaceLaws(), rows, LogHuber(1e-3), nil); err != nil {
			t.Fatal(err)
		}
	}
	in, ok := x[0].Interval(0.8, at...)
	if p := x[1].Predict(at...); !ok || p < in.Low || p > in.High {
		t.Errorf("%.4f with the diverged run, %.4f to %.4f without", p, in.Low, in.High)
	}
}

// Whatever a small table holds, the average ends in finite numbers or a typed refusal.
func TestAverageOfSmallTables(t *testing.T) {
	rng := rand.New(rand.NewPCG(500, 13))
	tables, answered := 150, 0 // 500 go through the command in its test
	if testing.Short() {
		tables = 8
	}
	for round := range tables {
		rows := 1 + rng.IntN(8)
		d := Data{Columns: map[string][]float64{}}
		kind := rng.IntN(4)
		for i := range rows {
			n, k := math.Exp(16+6*rng.Float64()), math.Exp(20+6*rng.Float64())
			y := 1.8 + 480/math.Pow(n, 0.35) + 2000/math.Pow(k, 0.37)
			switch kind {
			case 1: // no irreducible loss
				y -= 1.8
			case 2: // sizes that repeat
				n = math.Exp(16 + float64(i%2))
			case 3: // noise alone
				y = 1 + rng.Float64()
			}
			d.Columns["params"] = append(d.Columns["params"], n)
			d.Columns["tokens"] = append(d.Columns["tokens"], k)
			d.Y = append(d.Y, y)
		}
		if rng.IntN(3) == 0 {
			for i := range rows {
				d.Run = append(d.Run, i%3)
			}
		}
		x, err := FitAverage(context.Background(), surfaceLaws(), d, LogHuber(1e-3),
			&AverageSettings{Fit: &Settings{Seed: uint64(round), Workers: 1}})
		if err != nil {
			var r *Refusal
			if !errors.As(err, &r) {
				t.Fatalf("table %d: %v", round, err)
			}
			continue
		}
		answered++
		p := x.Predict(1e11, 1e13)
		in, ok := x.Interval(0.8, 1e11, 1e13)
		if !(p > 0) || math.IsInf(p, 0) {
			t.Fatalf("table %d: predicted %v from %v", round, p, d)
		}
		if ok && !(in.Low > 0 && in.Low <= p && p <= in.High && in.High/in.Low <= widest*widest*1.001) {
			t.Fatalf("table %d: %v in %+v", round, p, in)
		}
	}
	if answered < tables/4 {
		t.Errorf("%d of %d tables answered", answered, tables)
	}
}

// An effective size of N·layers^p: at p = ½ a model of 4 layers counts as one of twice its params,
// so that both say the same of 2e6 params in 4 layers as the law of 4e6 params.
func TestDeepenedByHand(t *testing.T) {
	params := []float64{1.8, 480, 2000, 0.35, 0.37}
	for power, n := range map[float64]float64{0.5: 4e6, 1: 8e6} {
		law := deepened(Chinchilla(), power)
		if !slices.Equal(law.Columns, []string{"params", "tokens", "layers"}) {
			t.Fatalf("reads %v", law.Columns)
		}
		closeTo(t, law.Name, law.Predict(params, []float64{2e6, 1e9, 4}),
			Chinchilla().Predict(params, []float64{n, 1e9}), 1e-12)
	}
}

// The truth counts N·layers for N, as one of the forms does: it is found from four depths, and the
// forms agree where all rows have one depth.
func TestAverageFindsTheDepth(t *testing.T) {
	truth := []float64{1.8, 480, 2000, 0.35, 0.37}
	made := func(layers ...float64) (d Data) {
		d.Columns = map[string][]float64{}
		for i, n := range geometric(5e6, 2e8, 5) {
			for j, k := range geometric(1e9, 4e10, 5) {
				deep := layers[(2*i+j)%len(layers)]
				for name, v := range map[string]float64{"params": n, "tokens": k, "layers": deep} {
					d.Columns[name] = append(d.Columns[name], v)
				}
				d.Y = append(d.Y, Chinchilla().Predict(truth, []float64{n * deep, k}))
			}
		}
		return d
	}
	set := &AverageSettings{Depth: true, Fit: &Settings{Workers: 1}}
	laws := []Law{Chinchilla()}
	x, err := FitAverage(context.Background(), laws, made(2, 4, 8, 16), SquaredLog(), set)
	if err != nil {
		t.Fatal(err)
	}
	at := []float64{1e9, 1e11, 24}
	const exact = 1e-5 // of the solver, magnified by the reach
	closeTo(t, "of four depths", x.Predict(at...), Chinchilla().Predict(truth, []float64{24e9, 1e11}), exact)
	if len(x.Laws) != 1 || !slices.Contains(x.Laws[0].Law.Columns, "layers") {
		t.Errorf("laws %v, columns %v", x.Laws, x.Columns)
	}
	one, err := FitAverage(context.Background(), laws, made(4), SquaredLog(), set)
	if err != nil {
		t.Fatal(err)
	}
	_, same := one.moments([]float64{1e9, 1e11, 4})
	_, other := one.moments([]float64{1e9, 1e11, 24})
	if !(same < 1e-4 && other > 10*same) {
		t.Errorf("spread %.2g at the depth of the rows, %.2g at another", same, other)
	}
}

// Shares of the laws: the weights of a law's members summed, the parameters of its heaviest member,
// its own error on the rows held out; and the noise and the validation error of the average.
func TestAverageSharesByHand(t *testing.T) {
	x := handMembers()
	third := *x.members[0]
	third.theta = []float64{2, 1} // A = e²
	third.heldOut = [][]float64{{0.4}, {-0.4, 0.4}}
	x.members = append(x.members, &third)
	x.members[1].law, x.members[2].law = 1, 1
	second := Power()
	second.Name = "second"
	folds := []averageFold{{scored: []int{0}, units: 1}, {scored: []int{1, 2}, units: 2}}
	x.weigh([]Law{Power(), second}, folds)
	w := x.weights // of both ways; at the power 3, the number of units, over two folds
	product, stacked := x.weightsAt(3, 2), x.stackedWeights(3, folds)
	for i := range w {
		closeTo(t, "half of each", w[i], (product[i]+stacked[i])/2, rounding15)
	}
	// The third errs as the first does; it shares the weight of its law with the second, whose offset
	// is one standard deviation from the centre of the prior.
	closeTo(t, "equal errors", product[2]/product[0], 1/(1+math.Exp(-0.5)), 1e-12)
	if len(x.Laws) != 2 {
		t.Fatalf("shares %+v", x.Laws)
	}
	closeTo(t, "share of the first", x.Laws[0].Weight, w[0], rounding15)
	closeTo(t, "share of the second", x.Laws[1].Weight, w[1]+w[2], rounding15)
	closeTo(t, "its heaviest member", x.Laws[1].Params[0], math.Exp(2), 1e-12)
	closeTo(t, "error of the first law", x.Laws[0].Validation, 0.4, rounding15)
	soft := x.weightsAt(2, 2)
	if !slices.Equal(x.soft, soft) || slices.Equal(x.soft, w) {
		t.Errorf("soft weights %v, at power 2 %v, sharp %v", x.soft, soft, w)
	}
	closeTo(t, "noise", x.Noise, math.Sqrt((w[0]+w[2])*0.09+w[1]*0.36), 1e-12)
	// The error of the product's weights: those of the stack make it small by their choice.
	mean := func(a, b float64) float64 { return (product[0]+product[2])*a + product[1]*b }
	closeTo(t, "validation", x.Validation,
		math.Sqrt((0.4*0.4+square(mean(-0.4, 0.8))+square(mean(0.4, 0.8)))/3), 1e-12)
}

// A free offset that ends one standard deviation from the centre of its prior costs as one held
// there; without an offset it costs nothing.
func TestFreeOffsetHasThePrior(t *testing.T) {
	x := handMembers()
	x.members[1] = &member{
		problem: x.members[0].problem, columns: []int{0}, theta: []float64{0, 1}, fraction: math.NaN(),
		offset: offsetCentre - offsetSpread, noise: 0.3, heldOut: x.members[0].heldOut,
	}
	w := x.weightsAt(2, 2)
	closeTo(t, "ratio of weights", w[1]/w[0], math.Exp(-0.5), 1e-12)
}

// The walk of a law with an offset starts with the free one; that of a law without has one stop.
func TestOffsetWalkByHand(t *testing.T) {
	d := powerRows(12)
	for i := range d.Y {
		d.Y[i] += 2
	}
	law := PowerOffset()
	w := newOffsetWalk(&law, d, SquaredLog(), &Settings{})
	if f := w.fractions(); len(f) != 1+len(heldOffsets()) || !math.IsNaN(f[0]) {
		t.Fatalf("stops at %v", f)
	}
	free := w.at(math.NaN(), nil)
	closeTo(t, "free offset", math.Exp(free[0]), 2, 1e-6)
	low := slices.Min(d.Y)
	held := w.at(0.5, nil)
	closeTo(t, "held offset", math.Exp(held[0]), 0.5*low, 1e-12)
	power := Power()
	if f := newOffsetWalk(&power, d, SquaredLog(), &Settings{}).fractions(); len(f) != 1 || !math.IsNaN(f[0]) {
		t.Errorf("without an offset: %v", f)
	}
	few := newOffsetWalk(&law, d.Select([]int{0, 1, 2}), SquaredLog(), &Settings{})
	if few.at(math.NaN(), nil) != nil {
		t.Error("three parameters were fitted to three rows")
	}
	if few.at(0.5, nil) == nil {
		t.Error("two parameters were not fitted to three rows")
	}
	// The members: noise of the larger half, √(n/(n − p)) wider, and where the free offset ended.
	d.Y[11] *= 1.1
	s := AverageSettings{Order: d.Columns["x"], Fit: &Settings{}}
	ms := memberFits(&law, d, SquaredLog(), nil, s, nil)
	for k, m := range ms {
		p := 2.0
		if k == 0 {
			p = 3
			closeTo(t, "where the free offset ended", m.offset, math.Exp(m.theta[0])/slices.Min(d.Y), 1e-12)
		}
		half := m.problem.residuals(m.theta)[6:]
		closeTo(t, "noise", m.noise, RMS(clip(half))*math.Sqrt(12/(12-p)), 1e-12)
	}
}

// Laws that the rows cannot feed are left out; when all are, the first reason is the error. More
// than MostValidated rows are thinned evenly, and what is held out needs three sizes.
func TestAverageAdmits(t *testing.T) {
	d := powerRows(8)
	x, err := FitAverage(context.Background(), []Law{Chinchilla(), Power()}, d, SquaredLog(), nil)
	if err != nil || len(x.Laws) != 1 || x.Laws[0].Law.Name != "power" || !slices.Equal(x.Columns, []string{"x"}) {
		t.Fatalf("%+v, %v", x, err)
	}
	// Folds of 4, 2 and 1 rows: of eight, half, 6 and 7 are fitted.
	if x.Units != 4+2+1 || x.Rows != 8 {
		t.Errorf("%d units of %d rows", x.Units, x.Rows)
	}
	var missing *missingColumnError
	if _, err := FitAverage(context.Background(), []Law{Chinchilla(), ShapeAware()}, d, SquaredLog(), nil); !errors.As(err, &missing) || missing.Law != "chinchilla" {
		t.Errorf("no law: %v", err)
	}
	d.Run = []int{0, 0, 0, 0, 1, 1, 1, 1}
	if x, err = FitAverage(context.Background(), []Law{Power()}, d, SquaredLog(), nil); err != nil || x.Units != 1 {
		t.Errorf("two runs: %v, %v", x, err)
	}
	d.Run = []int{0, 0, 0, 0, 0, 0, 0, 0}
	if _, err := FitAverage(context.Background(), []Law{Power()}, d, SquaredLog(), nil); kind(err) != TooFewPoints {
		t.Errorf("one run: %v", err)
	}
	thin, order, group := Data{Y: []float64{0, 1, 2, 3, 4, 5}}.thinned(3, []float64{0, 1, 2, 3, 4, 5}, []int{0, 0, 1, 1, 2, 2})
	if !slices.Equal(thin.Y, []float64{0, 2, 4}) || !slices.Equal(order, thin.Y) || !slices.Equal(group, []int{0, 1, 2}) {
		t.Errorf("thinned to %v, %v, %v", thin.Y, order, group)
	}
	long := powerRows(MostValidated + 1)
	if x, err := FitAverage(context.Background(), []Law{Power()}, long, SquaredLog(), nil); err != nil || x.Rows != MostValidated {
		t.Errorf("%v, %v", x, err)
	}
}

// Of four rows half is too few to fit to; three are enough.
func TestAverageFoldsOfFourRows(t *testing.T) {
	s := AverageSettings{Order: []float64{1, 2, 3, 4}}
	folds, _ := s.folds(Data{Y: make([]float64, 4)})
	if want := []averageFold{{[]int{0, 1, 2}, []int{3}, 1}}; !reflect.DeepEqual(folds, want) {
		t.Errorf("folds %v, want %v", folds, want)
	}
}
