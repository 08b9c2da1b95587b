package fit

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// recovery is the relative error allowed in each parameter of a noise-free surface; the issue
// states it.
const recovery = 1e-6

// surface returns rows of a law on a grid of sizes and token counts, without noise.
func surface(law Law, params, sizes, tokens []float64) Data {
	d := Data{Columns: map[string][]float64{}}
	for _, n := range sizes {
		for _, k := range tokens {
			d.Columns["params"] = append(d.Columns["params"], n)
			d.Columns["tokens"] = append(d.Columns["tokens"], k)
			d.Y = append(d.Y, law.Predict(params, []float64{n, k}))
		}
	}
	return d
}

func geometric(lo, hi float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = lo * math.Pow(hi/lo, float64(i)/float64(n-1))
	}
	return out
}

// randomChinchilla draws parameters around the published fits of Hoffmann et al. and Epoch: E
// 1.2–2.5, each reducible term worth 0.3–3 nats at the small end of the grid, exponents 0.2–0.6.
func randomChinchilla(rng *rand.Rand) []float64 {
	alpha, beta := 0.2+0.4*rng.Float64(), 0.2+0.4*rng.Float64()
	share := func() float64 { return 0.3 * math.Exp(rng.Float64()*math.Log(10)) }
	return []float64{
		1.2 + 1.3*rng.Float64(), share() * math.Pow(5e7, alpha),
		share() * math.Pow(1e9, beta), alpha, beta,
	}
}

func TestRecoversSixtySurfaces(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: sixty fits from many starts")
	}
	for _, obj := range []Objective{LogHuber(1e-3), SquaredLog(), Squared(), LAD()} {
		rng := rand.New(rand.NewPCG(60, 60))
		worst := 0.0
		for s := range 60 {
			truth := randomChinchilla(rng)
			d := surface(Chinchilla(), truth, geometric(5e7, 2e10, 8), geometric(1e9, 5e11, 8))
			r, err := Fit(context.Background(), Chinchilla(), d, obj, nil)
			if err != nil {
				t.Fatalf("%v, surface %d %v: %v", obj, s, truth, err)
			}
			for j, v := range r.Params {
				worst = max(worst, math.Abs(v/truth[j]-1))
				if !approx.Relative(v, truth[j], recovery) {
					t.Errorf("%v, surface %d: %s = %.12g, want %.12g", obj, s, r.Law.Params[j].Name,
						v, truth[j])
				}
			}
		}
		t.Logf("%v: worst relative error %.1e", obj, worst)
	}
}

// kind returns the kind of refusal in err, or 0.
func kind(err error) Kind {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Kind
	}
	return 0
}

func TestRefusals(t *testing.T) {
	truth := []float64{1.8, 480, 2000, 0.35, 0.37}
	good := func() Data { return surface(Chinchilla(), truth, geometric(5e7, 2e10, 6), geometric(1e9, 5e11, 6)) }
	with := func(change func(d *Data)) Data { d := good(); change(&d); return d }
	first := func(n int) Data { return good().Select([]int{0, 7, 14, 21, 28, 35}[:n]) }
	for _, c := range []struct {
		name string
		law  Law
		d    Data
		want Kind
	}{
		{"three rows for five parameters", Chinchilla(), first(3), TooFewPoints},
		{"five rows for five parameters", Chinchilla(), first(5), TooFewPoints},
		{"one row", Power().On("params"), first(1), TooFewPoints},
		{"no rows", Chinchilla(), first(0), TooFewPoints},
		{
			"duplicates of three rows", Chinchilla(),
			good().Select([]int{0, 7, 14, 0, 7, 14, 0, 7, 14}), TooFewPoints,
		},
		{"NaN loss", Chinchilla(), with(func(d *Data) { d.Y[3] = math.NaN() }), BadValue},
		{"zero loss", Chinchilla(), with(func(d *Data) { d.Y[3] = 0 }), BadValue},
		{"negative loss", Chinchilla(), with(func(d *Data) { d.Y[3] = -1 }), BadValue},
		{"infinite tokens", Chinchilla(), with(func(d *Data) { d.Columns["tokens"][3] = math.Inf(1) }), BadValue},
		{"zero tokens", Chinchilla(), with(func(d *Data) { d.Columns["tokens"][3] = 0 }), BadValue},
		{"one size", Chinchilla(), surface(Chinchilla(), truth, []float64{1e9},
			geometric(1e9, 5e11, 8)), ConstantColumn},
		{"two sizes", Chinchilla(), surface(Chinchilla(), truth, []float64{1e9, 2e9},
			geometric(1e9, 5e11, 8)), Unidentified},
		{"tokens proportional to size", Chinchilla(), func() Data {
			d := Data{Columns: map[string][]float64{}}
			for i, n := range geometric(1e8, 1e10, 12) {
				d.Columns["params"] = append(d.Columns["params"], n)
				d.Columns["tokens"] = append(d.Columns["tokens"], 20*n)
				d.Y = append(d.Y, (2+300*math.Pow(n, -0.3))*(1+0.01*float64(i%3)))
			}
			return d
		}(), Unidentified},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Fit(context.Background(), c.law, c.d, LogHuber(1e-3), nil)
			if kind(err) != c.want {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestDataConstrainedWithoutRepeatsIsUnidentified(t *testing.T) {
	d := surface(Chinchilla(), []float64{1.8, 480, 2000, 0.35, 0.37}, geometric(5e7, 2e10, 6),
		geometric(1e9, 5e11, 6))
	d.Columns["unique_tokens"] = d.Columns["tokens"]
	_, err := Fit(context.Background(), dataConstrained(), d, LogHuber(1e-3), nil)
	var r *Refusal
	if !errors.As(err, &r) || r.Kind != Unidentified || !slices.Contains(r.Names, "R_D") {
		t.Errorf("got %v, want R_D unidentified", err)
	}
}

// The published constants of Muennighoff et al. 2023 (arXiv 2305.16264): R_D 15.387756, R_N
// 5.309743.
func TestDataConstrainedRecovery(t *testing.T) {
	truth := []float64{1.8, 480, 2000, 0.35, 0.37, 15.387756, 5.309743}
	law := dataConstrained()
	d := Data{Columns: map[string][]float64{}}
	for _, n := range geometric(5e7, 2e10, 6) {
		for _, u := range geometric(1e8, 2e10, 5) {
			for _, epochs := range []float64{1, 4, 16, 50} {
				x := []float64{n, u * epochs, u}
				for j, c := range law.Columns {
					d.Columns[c] = append(d.Columns[c], x[j])
				}
				d.Y = append(d.Y, law.Predict(truth, x))
			}
		}
	}
	r, err := Fit(context.Background(), law, d, LogHuber(1e-3), nil)
	if err != nil {
		t.Fatal(err)
	}
	for j, v := range r.Params {
		if !approx.Relative(v, truth[j], recovery) {
			t.Errorf("%s = %.10g, want %.10g (%+v)", law.Params[j].Name, v, truth[j], r.Certificate)
		}
	}
}

func TestDuplicateRowsWarn(t *testing.T) {
	d := surface(Chinchilla(), []float64{1.8, 480, 2000, 0.35, 0.37}, geometric(5e7, 2e10, 6),
		geometric(1e9, 5e11, 6))
	rows := []int{0, 0}
	for i := range d.Y {
		rows = append(rows, i)
	}
	r, err := Fit(context.Background(), Chinchilla(), d.Select(rows), LogHuber(1e-3), nil)
	if err != nil || len(r.Warnings) != 1 {
		t.Errorf("got %v, %v; want one warning", r, err)
	}
}

// A pure power law holds no irreducible loss: E = 0 is an answer.
func TestNoIrreducibleLossIsAnAnswer(t *testing.T) {
	d := Data{Columns: map[string][]float64{"x": geometric(1e6, 1e10, 30)}}
	rng := rand.New(rand.NewPCG(3, 3))
	for _, x := range d.Columns["x"] {
		d.Y = append(d.Y, 50*math.Pow(x, -0.2)*math.Exp(0.01*rng.NormFloat64()))
	}
	for i := range d.Y { // bend it downwards, so that the best E is below zero
		d.Y[i] *= math.Exp(-0.001 * float64(i*i) / 30)
	}
	r, err := Fit(context.Background(), PowerOffset(), d, SquaredLog(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if e, _ := r.Param("E"); e != 0 || !slices.Contains(r.Certificate.Active, "E") {
		t.Errorf("E = %v, certificate %+v; want 0, active", e, r.Certificate)
	}
}

// Every law finds the parameters it generated its rows from, without noise.
func TestEveryLawRecoversItself(t *testing.T) {
	for _, l := range Laws() {
		t.Run(l.Name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(11, 12))
			truth, _ := typical(l, rng)
			d := Data{Columns: map[string][]float64{}}
			for range 150 {
				_, x := typical(l, rng)
				if l.Name == "data-constrained" {
					x[1] = x[2] * math.Exp(4*rng.Float64())
				}
				for j, c := range l.Columns {
					d.Columns[c] = append(d.Columns[c], x[j])
				}
				d.Y = append(d.Y, l.Predict(truth, x))
			}
			obj := LogHuber(1e-3)
			if l.Response == "score" {
				obj = Squared()
			}
			r, err := Fit(context.Background(), l, d, obj, nil)
			if err != nil {
				t.Fatalf("%v: %+v", err, r)
			}
			t.Logf("%+v", r.Certificate)
			for j, v := range r.Params {
				closeTo(t, l.Params[j].Name, v, truth[j], recovery)
			}
		})
	}
}
