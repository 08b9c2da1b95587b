package fit

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

func TestWeightTwoIsTheRowTwice(t *testing.T) {
	d := noisySurface(60, 0.02, 5)
	rows := make([]int, 0, 80)
	for i := range d.Len() {
		rows = append(rows, i)
		if i < 20 {
			rows = append(rows, i)
		}
	}
	weighted := d
	weighted.Weight = make([]float64, d.Len())
	for i := range weighted.Weight {
		weighted.Weight[i] = 1
		if i < 20 {
			weighted.Weight[i] = 2
		}
	}
	for _, obj := range []Objective{LogHuber(1e-3), Squared(), LAD()} {
		twice := mustFit(t, Chinchilla(), d.Select(rows), obj, nil)
		once := mustFit(t, Chinchilla(), weighted, obj, nil)
		for j, v := range once.Params {
			// five rows fix a vertex: condition 1e7
			closeTo(t, obj.String()+": "+once.Law.Params[j].Name, v, twice.Params[j], 10*identical)
		}
	}
}

// Tokens counted in billions change B to B/1e9^beta and nothing else.
func TestUnitsOfAColumn(t *testing.T) {
	d := noisySurface(60, 0.02, 6)
	billions := d.Select(seq(d.Len()))
	for i := range billions.Columns["tokens"] {
		billions.Columns["tokens"][i] /= 1e9
	}
	a := mustFit(t, Chinchilla(), d, LogHuber(1e-3), nil)
	b := mustFit(t, Chinchilla(), billions, LogHuber(1e-3), nil)
	want := append([]float64(nil), a.Params...)
	want[2] /= math.Pow(1e9, a.Params[4])
	for j, v := range b.Params {
		// ln 1e9 magnifies beta's last digits
		closeTo(t, a.Law.Params[j].Name, v, want[j], 10*identical)
	}
}

func seq(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// Param returns the natural value of a parameter.
func (r *Result) Param(name string) (value float64, ok bool) {
	j := r.Law.Param(name)
	if j < 0 {
		return 0, false
	}
	return r.Params[j], true
}

func TestFixed(t *testing.T) {
	d := noisySurface(60, 0.02, 7)
	fixed := mustFit(t, Chinchilla(), d, SquaredLog(),
		&Settings{Fixed: map[string]float64{"E": 1.5, "alpha": 0.3}})
	if e, _ := fixed.Param("E"); !approx.Close(e, 1.5, 1e-15) {
		t.Errorf("E fixed at 1.5 is %v", e)
	}
	gone := mustFit(t, Chinchilla(), d, SquaredLog(), &Settings{Fixed: map[string]float64{"E": 0}})
	if e, _ := gone.Param("E"); e != 0 {
		t.Errorf("E fixed at 0 is %v", e)
	}
}

func TestScreenedFitEqualsTheDirectOne(t *testing.T) {
	d := noisySurface(screenAbove+1, 0.02, 8)
	r := mustFit(t, Chinchilla(), d, LogHuber(1e-3), nil)
	if c := r.Certificate; c.Starts != 16 || c.Agree < 8 || !c.Converged {
		t.Errorf("certificate %+v", c)
	}
	direct := mustFit(t, Chinchilla(), d.Select(seq(screenAbove)), LogHuber(1e-3),
		&Settings{Starts: 4})
	for j, v := range r.Params {
		closeTo(t, r.Law.Params[j].Name, v, direct.Params[j], 1e-3) // one row in 20,001 differs
	}
}

func TestCancelledContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d := noisySurface(60, 0.02, 9)
	if _, err := Fit(ctx, Chinchilla(), d, LogHuber(1e-3), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Fit: %v", err)
	}
	r := mustFit(t, Chinchilla(), d, LogHuber(1e-3), nil)
	if _, err := Bootstrap(ctx, r, d, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Bootstrap: %v", err)
	}
}

func TestCleanListsEveryDrop(t *testing.T) {
	d := noisySurface(6, 0.02, 1)
	d.Y[1], d.Y[2] = math.NaN(), -1
	d.Columns["params"][4] = 0
	clean, drops, err := Clean(Chinchilla(), d, LogHuber(1e-3))
	if err != nil || clean.Len() != 3 || len(drops) != 3 {
		t.Fatalf("%d rows, drops %v, %v", clean.Len(), drops, err)
	}
	for k, want := range []Drop{
		{1, "loss is NaN"},
		{2, "loss is -1; allowed: a positive number"},
		{4, "params is 0; allowed: a positive number"},
	} {
		if drops[k] != want {
			t.Errorf("drop %d: %v, want %v", k, drops[k], want)
		}
	}
	var missing *missingColumnError
	if _, _, err := Clean(dataConstrained(), d, LogHuber(1e-3)); !errors.As(err, &missing) || missing.Column != "unique_tokens" {
		t.Errorf("missing column: %v", err)
	}
}

func TestChooseListsLawsItCannotScore(t *testing.T) {
	d := noisySurface(60, 0.02, 2)
	c, err := Choose(context.Background(), []Law{ShapeAware(), Chinchilla()}, d, SquaredLog(), nil)
	if err != nil || c.Best.Law.Name != "chinchilla" {
		t.Fatalf("%+v, %v", c, err)
	}
	var missing *missingColumnError
	if !errors.As(c.Scores[0].Refused, &missing) {
		t.Errorf("shape-aware: %v", c.Scores[0].Refused)
	}
	if _, err := Choose(context.Background(), []Law{Chinchilla()}, d.Select(seq(3)), SquaredLog(), nil); kind(err) != TooFewPoints {
		t.Errorf("three rows: %v", err)
	}
}

// Equal orders stay on one side of every cut, and nothing is scored twice.
func TestRollingOrigins(t *testing.T) {
	order := []float64{5, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 6}
	seen := map[int]bool{}
	for _, f := range rollingOrigins(order, 3, 0.5) {
		top := math.Inf(-1)
		for _, i := range f.fitted {
			top = math.Max(top, order[i])
		}
		for _, i := range f.scored {
			if order[i] <= top || seen[i] {
				t.Errorf("row %d of order %g is scored after a fit up to %g", i, order[i], top)
			}
			seen[i] = true
		}
	}
}
