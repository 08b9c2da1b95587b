package fit

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// noisySurface returns n rows of a Chinchilla law with log-normal noise.
func noisySurface(n int, noise float64, seed uint64) Data {
	rng := rand.New(rand.NewPCG(seed, 1))
	truth := randomChinchilla(rng)
	d := Data{Columns: map[string][]float64{}}
	for range n {
		x := []float64{5e7 * math.Exp(6*rng.Float64()), 1e9 * math.Exp(6*rng.Float64())}
		d.Columns["params"] = append(d.Columns["params"], x[0])
		d.Columns["tokens"] = append(d.Columns["tokens"], x[1])
		d.Y = append(d.Y, Chinchilla().Predict(truth, x)*math.Exp(noise*rng.NormFloat64()))
	}
	return d
}

// At a certified vertex no direction lowers the sum: the subgradient holds 0.
func TestLADCertifiedOnNoisySurfaces(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: many certified fits")
	}
	for seed := range uint64(12) {
		d := noisySurface(80, 0.02, seed)
		for _, obj := range []Objective{LAD(), asymmetric(0.2)} {
			r, err := Fit(context.Background(), Chinchilla(), d, obj, nil)
			if err != nil {
				t.Logf("seed %d, %v: %v", seed, obj, err)
				continue
			}
			if !r.Certificate.Converged || r.Certificate.Vertex == 0 {
				t.Errorf("seed %d, %v: %+v %v", seed, obj, r.Certificate, r.Warnings)
			}
			law := Chinchilla()
			pb := newProblem(&law, d, obj)
			rng := rand.New(rand.NewPCG(seed, 2))
			for range 2000 {
				v := append([]float64(nil), r.theta...)
				size := math.Exp(-4 - 12*rng.Float64())
				for j := range v {
					v[j] += size * rng.NormFloat64()
				}
				if f := pb.eval(v, nil); f < r.Value*(1-1e-14) { // rounding of the sum
					t.Fatalf("seed %d, %v: %.15g at a distance of %.1e, below %.15g", seed, obj, f,
						size, r.Value)
				}
			}
		}
	}
}

// A quantile fit with p parameters leaves q·n rows below it, up to the p rows it passes through.
func TestAsymmetricLeavesItsShareBelow(t *testing.T) {
	d, _ := epoch240(t)
	for _, q := range []float64{0.1, 0.3, 0.5, 0.9} {
		r := mustFit(t, Chinchilla(), d, asymmetric(q), nil)
		below := 0
		for i, y := range d.Y {
			if y < r.Predict(d.Columns["params"][i], d.Columns["tokens"][i]) {
				below++
			}
		}
		if !approx.Close(float64(below), q*240, 5) {
			t.Errorf("q = %g: %d of 240 rows below", q, below)
		}
	}
}

func TestLADBootstrap(t *testing.T) {
	d, _ := epoch240(t)
	r := mustFit(t, Chinchilla(), d, LAD(), nil)
	b, err := Bootstrap(context.Background(), r, d, &BootstrapSettings{Resamples: 200, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d failed; %v", b.Failed, b.Params)
	// Least absolute deviations and the log-Huber fit with a threshold far below the residuals are
	// nearly one estimator; 200 draws know a standard error to 5 % (one deviation), E's is 0.0251
	// there.
	const sampling = 0.2
	closeTo(t, "standard error of E", b.Params[0].SE, 0.0251, sampling)
}
