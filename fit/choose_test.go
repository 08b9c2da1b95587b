package fit

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
)

// powerRows are y = 6/√x at 1, 2, … with a factor of 1.1 on the rows named.
func powerRows(n int, off ...int) Data {
	d := Data{Columns: map[string][]float64{"x": nil}}
	for i := range n {
		x := float64(i + 1)
		y := 6 / math.Sqrt(x)
		if slices.Contains(off, i) {
			y *= 1.1
		}
		d.Columns["x"] = append(d.Columns["x"], x)
		d.Y = append(d.Y, y)
	}
	return d
}

// Ten rows, the first six fitted without noise: of the four folds of one row each, those of the rows
// that are off by ln 1.1 have that as their error, until the row is fitted itself.
func TestChooseByHand(t *testing.T) {
	d := powerRows(10, 9)
	c, err := Choose(context.Background(), []Law{Power(), PowerOffset()}, d, SquaredLog(), nil)
	if err != nil {
		t.Fatal(err)
	}
	const exact = 1e-6 // of the solver
	s := c.Scores[0]
	if len(s.Folds) != 4 {
		t.Fatalf("folds %v", s.Folds)
	}
	for k, want := range []float64{0, 0, 0, math.Log(1.1)} {
		if !(math.Abs(s.Folds[k]-want) <= exact) {
			t.Errorf("fold %d: %g, want %g", k, s.Folds[k], want)
		}
	}
	if want := math.Log(1.1) / 2; !(math.Abs(s.RMS-want) <= exact) { // √(1/4 of the square)
		t.Errorf("RMS %g, want %g", s.RMS, want)
	}
	if c.Best == nil || c.Best.Rows != 10 {
		t.Errorf("best %+v is not fitted to all rows", c.Best)
	}
	least := 0
	for k := range c.Scores {
		if c.Scores[k].RMS < c.Scores[least].RMS {
			least = k
		}
	}
	if c.Best.Law.Name != c.Scores[least].Law.Name {
		t.Errorf("chose %s of %+v", c.Best.Law.Name, c.Scores)
	}
}

// Of two laws the one with the lower error is chosen, wherever it stands; of equals the first.
func TestChooseTakesTheLeast(t *testing.T) {
	d := Data{Columns: map[string][]float64{"x": nil}}
	for i := range 20 {
		x := float64(i + 1)
		d.Columns["x"] = append(d.Columns["x"], x)
		d.Y = append(d.Y, 2+5/x)
	}
	for _, laws := range [][]Law{{Power(), PowerOffset()}, {PowerOffset(), Power()}} {
		c, err := Choose(context.Background(), laws, d, SquaredLog(), nil)
		if err != nil || c.Best.Law.Name != "power-offset" {
			t.Errorf("chose %v, %v of %v", c.Best, err, c.Scores)
		}
	}
	same := Power()
	same.Name = "second"
	if c, _ := Choose(context.Background(), []Law{Power(), same}, d, SquaredLog(), nil); c.Best.Law.Name != "power" {
		t.Errorf("chose the %s of two equals", c.Best.Law.Name)
	}
	// Cut once, in the middle: one fold of ten rows.
	c, err := Choose(context.Background(), []Law{Power()}, d, SquaredLog(), &ChooseSettings{Folds: 1, First: 0.5})
	if err != nil || len(c.Scores[0].Folds) != 1 || c.Scores[0].Folds[0] != c.Scores[0].RMS {
		t.Errorf("%+v, %v", c, err)
	}
	// In the order given, from the last row to the first, the rows scored are the first.
	reversed, err := Choose(context.Background(), []Law{Power()}, d, SquaredLog(),
		&ChooseSettings{Folds: 1, First: 0.5, Order: each(d.Columns["x"], func(v float64) float64 { return -v })})
	if err != nil || reversed.Scores[0].RMS < 1.2*c.Scores[0].RMS {
		t.Errorf("scored towards x = 1: %+v, towards 20: %+v, %v", reversed.Scores, c.Scores, err)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Choose(over, []Law{Power()}, d, SquaredLog(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
}

// Folds that refuse a law count as the worst error of the others there, and rows count once.
func TestPoolByHand(t *testing.T) {
	refused := refuse(TooFewPoints, nil, "out")
	c := &Choice{Scores: []LawScore{
		{Folds: []float64{0.1, 0.4}}, {Folds: []float64{0.3, math.NaN()}}, {Refused: refused, Folds: []float64{9, 9}},
	}}
	c.pool([]fold{{scored: []int{1, 2, 3}}, {scored: []int{4}}})
	if !slices.Equal(c.Scores[1].Folds, []float64{0.3, 0.4}) {
		t.Errorf("folds %v", c.Scores[1].Folds)
	}
	closeTo(t, "three rows of 0.1 and one of 0.4", c.Scores[0].RMS, math.Sqrt((3*0.01+0.16)/4), rounding15)
	closeTo(t, "three rows of 0.3 and one of 0.4", c.Scores[1].RMS, math.Sqrt((3*0.09+0.16)/4), rounding15)
}

func TestRollingOriginsByHand(t *testing.T) {
	// Of ten rows in the order 9, 8, … the first six, then 7, 8, 9 and 10.
	order := []float64{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}
	got := rollingOrigins(order, 4, 0.6)
	if len(got) != 4 {
		t.Fatalf("%v", got)
	}
	for k, f := range got {
		if len(f.fitted) != 6+k || !slices.Equal(f.scored, []int{3 - k}) || f.fitted[0] != 9 {
			t.Errorf("fold %d: %v", k, f)
		}
	}
	// Equal orders stay together: the cut after two of five rows moves behind the three that tie.
	want := []fold{{[]int{0, 1, 2, 3}, []int{4}}}
	if got := rollingOrigins([]float64{1, 2, 2, 2, 3}, 1, 0.4); !reflect.DeepEqual(got, want) {
		t.Errorf("ties: %v, want %v", got, want)
	}
	if got := rollingOrigins([]float64{1, 1, 1}, 2, 0.6); got != nil {
		t.Errorf("of rows that all tie: %v", got)
	}
}

// By hand: n = 10 rows, two parameters and the noise make k = 3; RMS 0.1 gives n·ln 0.01, and 2k +
// 2k(k + 1)/(n − k − 1) = 6 + 24/6.
func TestAICcByHand(t *testing.T) {
	r := &Result{Law: Power(), Rows: 10, RMS: 0.1}
	closeTo(t, "AICc", r.aicc(), 10*math.Log(0.01)+6+4, 1e-12)
	r.set.Fixed = map[string]float64{"alpha": 1} // k = 2: 4 + 12/7
	closeTo(t, "one fixed", r.aicc(), 10*math.Log(0.01)+4+12.0/7, 1e-12)
	r.set.Fixed = nil
	if r.Rows = 4; !math.IsInf(r.aicc(), 1) {
		t.Errorf("n = k + 1: %g", r.aicc())
	}
	if r.Rows = 5; math.IsInf(r.aicc(), 1) {
		t.Error("n = k + 2 has no AICc")
	}
}

func TestProductByHand(t *testing.T) {
	d := Data{Columns: map[string][]float64{"a": {2, 3}, "b": {5, 7}}, Y: []float64{1, 1}}
	if got := d.product([]string{"a", "b"}); !slices.Equal(got, []float64{10, 21}) {
		t.Errorf("%v", got)
	}
}

// Of more rows than laws are compared on, the held-out error is that of the rows taken evenly, and
// the parameters are those of all rows.
func TestChooseComparesOnEvenRows(t *testing.T) {
	d := powerRows(MostValidated + 200)
	for i := range d.Y {
		d.Y[i] *= 1 + 0.01*math.Sin(float64(i*i))
	}
	order := slices.Clone(d.Columns["x"])
	set := &ChooseSettings{Order: order, Fit: &Settings{Starts: 2}}
	all, err := Choose(context.Background(), []Law{Power()}, d, SquaredLog(), set)
	if err != nil {
		t.Fatal(err)
	}
	thin, taken, _ := d.thinned(MostValidated, order, nil)
	some, err := Choose(context.Background(), []Law{Power()}, thin, SquaredLog(),
		&ChooseSettings{Order: taken, Fit: set.Fit})
	if err != nil || !slices.Equal(all.Scores[0].Folds, some.Scores[0].Folds) {
		t.Errorf("held out %v of all rows, %v of those taken, %v", all.Scores[0].Folds, some.Scores[0].Folds, err)
	}
	whole := mustFit(t, Power(), d, SquaredLog(), set.Fit)
	if !slices.Equal(all.Best.Params, whole.Params) || all.Best.Rows != d.Len() {
		t.Errorf("parameters %v of %d rows, want %v of all", all.Best.Params, all.Best.Rows, whole.Params)
	}
	if same := some.Best.Params; slices.Equal(same, whole.Params) {
		t.Error("the rows taken have the parameters of all: the case tells nothing")
	}
}
