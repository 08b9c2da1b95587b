package fit

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
)

func BenchmarkCertifiedFitEpoch(b *testing.B) {
	d, _ := epoch240(b)
	for b.Loop() {
		if _, err := Fit(context.Background(), Chinchilla(), d, LogHuber(1e-3), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBootstrap4000Warm(b *testing.B) { benchmarkBootstrap(b, 0) }

func BenchmarkBootstrap4000Global(b *testing.B) { benchmarkBootstrap(b, 8) }

func benchmarkBootstrap(b *testing.B, starts int) {
	d, _ := epoch240(b)
	r, err := Fit(context.Background(), Chinchilla(), d, LogHuber(1e-3), nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s := &BootstrapSettings{Resamples: 4000, Seed: 1, Starts: starts}
		if _, err := Bootstrap(context.Background(), r, d, s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFourTermLaw800Rows(b *testing.B) {
	d := shapeSurface(800, 1e-3, 7)
	for b.Loop() {
		if _, err := Fit(context.Background(), ShapeAware(), d, LogHuber(1e-3), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLADEpoch(b *testing.B) {
	d, _ := epoch240(b)
	for b.Loop() {
		if _, err := Fit(context.Background(), Chinchilla(), d, LAD(), nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMillionRows(b *testing.B) {
	d := shapeSurface(1e6, 0.01, 7)
	for b.Loop() {
		if _, err := Fit(context.Background(), Chinchilla(), d, LogHuber(1e-3), nil); err != nil {
			b.Fatal(err)
		}
	}
}

// shapeSurface returns rows of the law of Gemstones (hot fit, arXiv 2502.06857) over widths, depths
// and token counts like theirs, with log-normal noise of the given size.
func shapeSurface(n int, noise float64, seed uint64) Data {
	rng := rand.New(rand.NewPCG(seed, seed))
	truth := gemstonesHot()
	d := Data{Columns: map[string][]float64{}}
	for range n {
		width := math.Round(math.Exp(math.Log(256)+rng.Float64()*math.Log(12))/64) * 64
		depth := math.Round(math.Exp(math.Log(3) + rng.Float64()*math.Log(27)))
		params := 12*width*width*depth + 2*50304*width
		tokens := math.Exp(math.Log(1e9) + rng.Float64()*math.Log(350))
		x := []float64{width, depth, params, tokens}
		for j, name := range ShapeAware().Columns {
			d.Columns[name] = append(d.Columns[name], x[j])
		}
		d.Y = append(d.Y, ShapeAware().Predict(truth, x)*math.Exp(noise*rng.NormFloat64()))
	}
	return d
}

// gemstonesHot are the printed parameters of the hot fit: c_i and E are logarithms there.
func gemstonesHot() []float64 {
	return []float64{
		math.Exp(0.3925),
		math.Exp(1.4520), math.Exp(-0.0781), math.Exp(7.9700), math.Exp(10.0594),
		0.2447, 0.3872, 0.5001, 0.4761,
	}
}
