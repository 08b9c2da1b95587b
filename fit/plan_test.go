package fit

import (
	"context"
	"math"
	"testing"
)

// published are Hoffmann et al.'s printed parameters (data notes: TeX source of arXiv 2203.15556),
// in the order E A B alpha beta.
var published = []float64{1.69337, 406.401, 410.723, 0.339171, 0.284908}

// closedForm is Hoffmann et al. 2022, eq. 4.
func closedForm(p []float64, budget float64) float64 {
	g := math.Pow(p[3]*p[1]/(p[4]*p[2]), 1/(p[3]+p[4]))
	return g * math.Pow(budget/6, p[4]/(p[3]+p[4]))
}

// allocationTolerance: the minimum is flat, so that its place is known to about the square root of
// the function's precision.
const allocationTolerance = 1e-6

func TestAllocateAgainstClosedForm(t *testing.T) {
	r := &Result{Law: Chinchilla(), Params: published}
	for _, budget := range []float64{1e18, 5.76e23, 1e26} {
		a, err := Allocate(r, budget, nil)
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, "params", a.Params, closedForm(published, budget), allocationTolerance)
		closeTo(t, "6·N·D", 6*a.Params*a.Tokens, budget, 1e-12) // rounding
		costly, err := Allocate(r, budget, &AllocateSettings{FLOPs: func(n, d float64) float64 { return 6 * n * d }})
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, "params, FLOPs given", costly.Params, a.Params, allocationTolerance)
	}
}

func TestAllocateRefusesAtTheEdge(t *testing.T) {
	r := &Result{Law: Chinchilla(), Params: published}
	_, err := Allocate(r, 1e21, &AllocateSettings{MinParams: 1e11})
	if kind(err) != NoInteriorMinimum {
		t.Errorf("got %v", err)
	}
}

func TestAllocateInterval(t *testing.T) {
	d, _ := epoch240(t)
	r := mustFit(t, Chinchilla(), d, LogHuber(1e-3), nil)
	b, err := Bootstrap(context.Background(), r, d, &BootstrapSettings{Resamples: 200, Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	a, err := Allocate(r, 5.76e23, &AllocateSettings{Draws: b})
	if err != nil {
		t.Fatal(err)
	}
	i := a.ParamsInterval
	if !(i.Low < a.Params && a.Params < i.High && i.High < 3*i.Low) {
		t.Errorf("params %.3g in %+v", a.Params, *i)
	}
}

// isoRuns lays runs of the published law over budgets, sizes spread by a factor of width around the
// optimum times shift.
func isoRuns(width, shift float64) []Run {
	var runs []Run
	for _, c := range geometric(1e18, 1e21, 6) {
		best := shift * closedForm(published, c)
		for _, n := range geometric(best/width, best*width, 9) {
			d := c / (6 * n)
			runs = append(runs, Run{c, n, d, Chinchilla().Predict(published, []float64{n, d})})
		}
	}
	return runs
}

func TestIsoFLOP(t *testing.T) {
	f, err := IsoFLOP(isoRuns(2, 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	// The exponents of the closed form are β/(α+β) and α/(α+β); narrow centred scans leave the
	// parabola a bias that is the same for all budgets.
	const bias = 1e-3
	closeTo(t, "a", f.A.Value, published[4]/(published[3]+published[4]), bias)
	closeTo(t, "a + b", f.A.Value+f.B.Value, 1, bias)
	if len(f.Warnings) != 0 || len(f.Groups) != 6 {
		t.Errorf("%d groups, warnings %v", len(f.Groups), f.Warnings)
	}
	wide, err := IsoFLOP(isoRuns(30, 3), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(wide.Warnings) == 0 {
		t.Errorf("no warning about wide scans off centre: %+v", wide)
	}
}

func TestIsoFLOPRefusesWithoutInteriorMinimum(t *testing.T) {
	f, err := IsoFLOP(isoRuns(2, 10), nil)
	if kind(err) != NoInteriorMinimum {
		t.Fatalf("got %v", err)
	}
	for _, g := range f.Groups {
		if g.Refused == nil {
			t.Errorf("budget %g was not refused", g.FLOPs)
		}
	}
	if _, err := IsoFLOP([]Run{{1e18, 1e8, 1e9, math.NaN()}}, nil); kind(err) != BadValue {
		t.Errorf("NaN loss: got %v", err)
	}
}

func TestEnvelope(t *testing.T) {
	var curves []Curve
	for _, n := range geometric(1e7, 1e10, 12) {
		c := Curve{Params: n}
		for _, d := range geometric(n, 1000*n, 60) {
			c.FLOPs = append(c.FLOPs, 6*n*d)
			c.Loss = append(c.Loss, Chinchilla().Predict(published, []float64{n, d}))
		}
		curves = append(curves, c)
	}
	f, err := Envelope(curves, 0)
	if err != nil {
		t.Fatal(err)
	}
	// Twelve sizes cut the true line into steps; their middles follow it.
	const steps = 0.02
	closeTo(t, "a", f.A.Value, published[4]/(published[3]+published[4]), steps)
	for i := 1; i < len(f.Front); i++ {
		if f.Front[i].Loss >= f.Front[i-1].Loss || f.Front[i].FLOPs < f.Front[i-1].FLOPs {
			t.Fatalf("front out of order at %d", i)
		}
	}
	if _, err := Envelope(curves[:2], 0); kind(err) != NoInteriorMinimum {
		t.Errorf("two sizes: got %v", err)
	}
}

// For squared residuals and a law linear in its parameters the profile is the textbook interval: ln
// y = ln A − alpha·ln x has half-width √χ²·s·√(1/Sxx) in alpha.
func TestProfileOfALine(t *testing.T) {
	d := Data{Columns: map[string][]float64{"x": geometric(1e6, 1e9, 20)}}
	noise := []float64{0.01, -0.02, 0.005, 0.015, -0.01}
	for i, x := range d.Columns["x"] {
		d.Y = append(d.Y, 50*math.Pow(x, -0.2)*math.Exp(noise[i%5]))
	}
	r := mustFit(t, Power(), d, SquaredLog(), nil)
	line, _ := fitPolynomial(logs(d.Columns["x"]), logs(d.Y), 1)
	p, err := Profile(context.Background(), r, d, &ProfileSettings{Params: []string{"alpha"}})
	if err != nil {
		t.Fatal(err)
	}
	const chi95 = 1.9599639845 // √ of the 95 % point of χ²₁
	half := chi95 * math.Sqrt(line.cov(1, 1))
	const bisection = 1e-4 // of the half-width: ends are bisected to 1e-6 of θ
	closeTo(t, "half-width", (p[0].High-p[0].Low)/2, half, bisection)
	closeTo(t, "centre", (p[0].High+p[0].Low)/2, -line.c[1], 1e-5)
}

func TestProfileEpoch(t *testing.T) {
	d, _ := epoch240(t)
	for _, obj := range []Objective{LogHuber(1e-3), LAD()} {
		r := mustFit(t, Chinchilla(), d, obj, nil)
		ps, err := Profile(context.Background(), r, d, nil)
		if err != nil {
			t.Fatal(err)
		}
		for j, p := range ps {
			t.Logf("%v %+v", obj, p)
			if !(p.Low < r.Params[j] && r.Params[j] < p.High) || p.OpenLow || p.OpenHigh {
				t.Errorf("%v: %s = %g outside its profile %+v", obj, p.Param, r.Params[j], p)
			}
		}
	}
}
