package fit

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// outsider draws a surface whose law is none of those averaged over, rows of a common design, and
// twenty rows of 10 to 100 times the compute.
//
//	kind 0  a sum with a cross term, C/(N^c·D^d)
//	kind 1  the term in D breaks within a few decades of the rows
//	kind 2  the loss levels off at a floor above E
func outsider(seed uint64) scoredSurface {
	rng := rand.New(rand.NewPCG(seed, 77))
	u := func(a, b float64) float64 { return a + (b-a)*rng.Float64() }
	lu := func(a, b float64) float64 { return math.Exp(u(math.Log(a), math.Log(b))) }
	e, alpha, beta := u(1.2, 2.2), u(0.2, 0.5), u(0.2, 0.5)
	n0, d0 := lu(1e7, 3e8), lu(3e8, 5e9)
	ra, rb := lu(0.3, 1.5), lu(0.3, 1.5) // reducible loss at n0, d0
	sum := func(n, d float64) float64 { return e + ra*math.Pow(n/n0, -alpha) + rb*math.Pow(d/d0, -beta) }
	law := sum
	kind := int(seed % 3)
	switch kind {
	case 0:
		c, cn, cd := u(0.05, 0.5)*(ra+rb), u(0.1, 0.3), u(0.1, 0.3)
		law = func(n, d float64) float64 { return sum(n, d) + c*math.Pow(n/n0, -cn)*math.Pow(d/d0, -cd) }
	case 1:
		at, change, width := lu(1, 300), u(-0.2, 0.25), u(0.1, 0.6)
		law = func(n, d float64) float64 {
			x := d / d0
			return e + ra*math.Pow(n/n0, -alpha) +
				rb*math.Pow(x, -beta)*math.Pow(1+math.Pow(x/at, 1/width), -change*width)
		}
	case 2:
		p, floor := u(4, 12), e+u(0.02, 0.3)*(ra+rb)
		law = func(n, d float64) float64 { return math.Pow(math.Pow(sum(n, d), p)+math.Pow(floor, p), 1/p) }
	}
	noise := lu(0.001, 0.01)
	rows := func(n, d []float64) Data {
		out := Data{Columns: map[string][]float64{"params": n, "tokens": d}}
		for i := range n {
			out.Y = append(out.Y, law(n[i], d[i])*math.Exp(noise*rng.NormFloat64()))
		}
		return out
	}
	var n, d []float64
	add := func(x, y float64) { n, d = append(n, x), append(d, y) }
	switch rng.IntN(3) {
	case 0: // a grid
		kn, kd := 4+rng.IntN(5), 4+rng.IntN(5)
		for i := range kn {
			for j := range kd {
				add(n0*math.Pow(3, 6*float64(i)/float64(kn)), d0*math.Pow(3, 5*float64(j)/float64(kd)))
			}
		}
	case 1: // budgets
		for i := range 4 + rng.IntN(4) {
			c := 2 * n0 * d0 * math.Pow(4, float64(i))
			m := 5 + rng.IntN(6)
			for j := range m {
				x := math.Sqrt(c/20) * math.Pow(6, 2*float64(j)/float64(m-1)-1)
				add(x, c/x)
			}
		}
	case 2: // scattered about 20 tokens a parameter
		for i := range 25 + rng.IntN(40) {
			x := n0 * math.Pow(3, 4*float64(i%13)/12)
			add(x, 20*x*lu(0.3, 8))
		}
	}
	out := scoredSurface{name: fmt.Sprintf("kind %d seed %d", kind, seed), fitted: rows(n, d)}
	top := 0.0
	for i := range n {
		top = max(top, n[i]*d[i])
	}
	n, d = nil, nil
	for range 20 {
		c := top * lu(10, 100)
		x := math.Sqrt(c/20) * lu(0.3, 3)
		add(x, c/x)
	}
	out.score = rows(n, d)
	return out
}

func TestAverageOnLawsOutsideTheList(t *testing.T) {
	// DEEPNARROW_SURFACES=500 is the figure of docs/extrapolation.md; a dozen tells a broken
	// interval from a working one.
	surfaces := 12
	if testing.Short() {
		surfaces = 1
	}
	if n, err := strconv.Atoi(os.Getenv("DEEPNARROW_SURFACES")); err == nil {
		surfaces = n
	}
	var rmsle, cover80, cover95, half []float64
	byKind := make([][]float64, 3)
	for seed := range uint64(surfaces) {
		s := outsider(seed)
		x, err := FitAverage(context.Background(), surfaceLaws(), s.fitted, LogHuber(1e-3), nil)
		if err != nil {
			t.Fatal(s.name, err)
		}
		got, err := x.Score(s.score)
		if err != nil {
			t.Fatal(s.name, err)
		}
		rmsle, cover80 = append(rmsle, got.RMSLE), append(cover80, got.Coverage80)
		cover95, half = append(cover95, got.Coverage95), append(half, got.HalfWidth80)
		byKind[seed%3] = append(byKind[seed%3], got.Coverage80)
	}
	t.Logf("%d surfaces: mean RMSLE %.4f, 80 %% holds %.3f (%.3f %.3f %.3f by kind), 95 %% %.3f, median half-width %.4f",
		surfaces, mean(rmsle), mean(cover80), mean(byKind[0]), mean(byKind[1]), mean(byKind[2]), mean(cover95), Median(half))
	if surfaces == 500 {
		holdsCoverage(t, "the same, laws outside the list", "500 synthetic surfaces, 10 to 100 × the compute",
			fmt.Sprintf("RMSLE %.3f", mean(rmsle)), fmt.Sprintf("%.2f", mean(cover80)),
			fmt.Sprintf("%.2f", mean(cover95)))
	}
	const asked = 0.70 // of the issue, at 500 surfaces
	if c := mean(cover80); !(c >= asked) {
		t.Errorf("80 %% intervals hold %.3f, want at least %g", c, asked)
	}
}
