package fit

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
)

// Intervals of level 95 % hold the truth about as often as they say. Over 60 surfaces a share of
// 0.95 has a standard deviation of 0.028; the bound is three of them below, which an interval of
// true level 0.86 fails half the time.
func TestIntervalsCover(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: coverage over many fits")
	}
	const surfaces, least = 60, 0.86
	ctx := context.Background()
	truth := []float64{1.8, 480, 2100, 0.35, 0.37}
	for _, obj := range []Objective{LogHuber(1e-3), SquaredLog()} {
		rng := rand.New(rand.NewPCG(5, 5))
		var boot, profile [5]int
		for range surfaces {
			d := Data{Columns: map[string][]float64{}}
			for range 80 {
				x := []float64{5e7 * math.Exp(6*rng.Float64()), 1e9 * math.Exp(6*rng.Float64())}
				d.Columns["params"] = append(d.Columns["params"], x[0])
				d.Columns["tokens"] = append(d.Columns["tokens"], x[1])
				d.Y = append(d.Y, Chinchilla().Predict(truth, x)*math.Exp(0.01*rng.NormFloat64()))
			}
			r := mustFit(t, Chinchilla(), d, obj, &Settings{Starts: 4})
			b, err := Bootstrap(ctx, r, d, &BootstrapSettings{Resamples: 200})
			if err != nil {
				t.Fatal(err)
			}
			p, err := Profile(ctx, r, d, nil)
			if err != nil {
				t.Fatal(err)
			}
			for j, v := range truth {
				if b.Params[j].Low <= v && v <= b.Params[j].High {
					boot[j]++
				}
				if p[j].Low <= v && v <= p[j].High {
					profile[j]++
				}
			}
		}
		t.Logf("%v: of %d, bootstrap %v, profile %v", obj, surfaces, boot, profile)
		for j := range truth {
			if s := float64(boot[j]) / surfaces; s < least {
				t.Errorf("%v: bootstrap of %s covers %.2f", obj, Chinchilla().Params[j].Name, s)
			}
			if s := float64(profile[j]) / surfaces; s < least {
				t.Errorf("%v: profile of %s covers %.2f", obj, Chinchilla().Params[j].Name, s)
			}
		}
	}
}
