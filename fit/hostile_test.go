package fit

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// Whatever the rows, a fit ends in finite parameters or a typed refusal.
func TestHostileRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 13))
	values := []func() float64{
		func() float64 { return math.Exp(20 * rng.NormFloat64()) },
		func() float64 { return 1 + rng.Float64() },
		func() float64 { return float64(1 + rng.IntN(3)) },
		func() float64 { return 1e300 },
		func() float64 { return 5e-324 },
		func() float64 { return 1e-9 * (1 + rng.Float64()) },
		func() float64 { return 7 },
	}
	objectives := []Objective{
		LogHuber(1e-3), huber(0.1), Squared(), SquaredLog(), LAD(),
		asymmetric(0.2), quantileLoss(0.8),
	}
	for _, l := range Laws() {
		for round := range 40 {
			d := Data{Columns: map[string][]float64{}}
			columns := make([]func() float64, len(l.Columns)+1)
			for j := range columns {
				columns[j] = values[rng.IntN(len(values))]
			}
			for range len(l.Params) + rng.IntN(12) {
				for j, c := range l.Columns {
					d.Columns[c] = append(d.Columns[c], columns[j]())
				}
				d.Y = append(d.Y, columns[len(columns)-1]())
			}
			obj := objectives[rng.IntN(len(objectives))]
			r, err := Fit(context.Background(), l, d, obj,
				&Settings{Starts: 3, Seed: uint64(round)})
			if err != nil {
				var refusal *Refusal
				if !errors.As(err, &refusal) || refusal.Error() == "" {
					t.Fatalf("%s, %v, %v: %v", l.Name, obj, d, err)
				}
				continue
			}
			for _, v := range append([]float64{r.Value, r.RMS, r.Certificate.Gradient},
				r.Params...) {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Fatalf("%s, %v, %v: accepted %+v", l.Name, obj, d, r)
				}
			}
		}
	}
}
