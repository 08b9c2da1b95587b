package fit

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// gradientTolerance bounds the relative difference between a law's gradient and central differences
// with a step of 1e-6: their truncation error is about 1e-12 and their rounding error about 1e-10
// of the function's size.
const gradientTolerance = 1e-6

// typical returns natural parameters and a row inside the law's domain.
func typical(l Law, rng *rand.Rand) (params, x []float64) {
	values := map[string][2]float64{
		"A": {100, 500}, "B": {100, 2000}, "E": {1, 2}, "alpha": {0.2, 0.5}, "beta": {0.2, 0.5},
		"eta": {0.1, 0.4},
		"x0":  {1e8, 1e9}, "c0": {0.1, 0.4}, "c1": {-0.3, 0.3}, "d": {1e8, 1e10}, "f": {0.3, 2},
		"N_C": {1e12, 1e14}, "D_C": {1e12, 1e14}, "alpha_N": {0.05, 0.2}, "alpha_D": {0.05, 0.2},
		"R_D": {2, 20}, "R_N": {2, 20}, "p_e": {0.1, 0.4}, "p_d": {0.1, 0.4}, "low": {0.1, 0.3},
		"high": {0.6, 0.9},
		"k":    {0.5, 3}, "mid": {2, 4}, "loss": {1.5, 5}, "floor": {1, 3}, "layers": {4, 64},
		"d_model": {256, 8192},
	}
	draw := func(name string, otherwise [2]float64) float64 {
		r, ok := values[name]
		if !ok {
			r = otherwise
		}
		if r[0] < 0 {
			return r[0] + (r[1]-r[0])*rng.Float64()
		}
		return r[0] * math.Pow(r[1]/r[0], rng.Float64())
	}
	for _, p := range l.Params {
		params = append(params, draw(p.Name, [2]float64{0.1, 0.5}))
	}
	for _, c := range l.Columns {
		x = append(x, draw(c, [2]float64{1e7, 1e11}))
	}
	return params, x
}

func TestGradientsAgainstFiniteDifferences(t *testing.T) {
	for _, l := range Laws() {
		t.Run(l.Name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			for range 200 {
				params, x := typical(l, rng)
				g := make([]float64, len(params))
				theta, z := make([]float64, len(params)), make([]float64, l.features())
				l.toTheta(params, theta)
				l.prepare(x, z)
				l.eval(theta, z, g)
				for j := range theta {
					at := func(s float64) float64 {
						v := append([]float64(nil), theta...)
						v[j] += s
						return l.eval(v, z, nil)
					}
					const step = 1e-6
					want := (at(step) - at(-step)) / (2 * step)
					if !approx.Close(g[j], want, gradientTolerance*(1+math.Abs(want))) {
						t.Fatalf("∂/∂%s at %v, %v = %g, differences give %g", l.Params[j].Name,
							params, x, g[j], want)
					}
				}
			}
		})
	}
}

// Worked by hand: 1.69 + 406.4/1e9^0.34 + 410.7/2e10^0.28.
func TestPredictChinchilla(t *testing.T) {
	want := 1.69 + 406.4*math.Exp(-0.34*math.Log(1e9)) + 410.7*math.Exp(-0.28*math.Log(2e10))
	got := Chinchilla().Predict([]float64{1.69, 406.4, 410.7, 0.34, 0.28}, []float64{1e9, 2e10})
	const rounding = 1e-14 // a handful of double-precision operations
	if !approx.Relative(got, want, rounding) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLookup(t *testing.T) {
	for _, l := range Laws() {
		got, err := Lookup(l.Name)
		if err != nil || got.Name != l.Name {
			t.Errorf("Lookup(%q) = %q, %v", l.Name, got.Name, err)
		}
	}
	if _, err := Lookup("chinchila"); err == nil {
		t.Error("a misspelt law was found")
	}
}
