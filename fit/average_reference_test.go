package fit

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
)

// A scoredSurface is a set of runs: the smaller ones to fit and those with most compute to score.
type scoredSurface struct {
	name          string
	fitted, score Data
}

// cheapest splits rows in order of compute, params·tokens, and keeps a share to fit.
func cheapest(name string, d Data, share float64) scoredSurface {
	rows := seq(d.Len())
	compute := d.product([]string{"params", "tokens"})
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(compute[a], compute[b]) })
	k := int(share * float64(len(rows)))
	return scoredSurface{name, d.Select(rows[:k]), d.Select(rows[k:])}
}

// publishedSurfaces returns the six sets of surfaces_dev.csv and the four of the translation runs,
// the 60 % with least compute to fit.
func publishedSurfaces(t testing.TB) []scoredSurface {
	const share = 0.6
	c := reference(t, "fitting/surfaces_dev.csv")
	n, d, y := floats(t, c["params"]), floats(t, c["tokens"]), floats(t, c["loss"])
	all := Data{Columns: map[string][]float64{"params": n, "tokens": d}, Y: y}
	rows := map[string][]int{}
	var names []string
	for i, s := range c["set"] {
		if rows[s] == nil {
			names = append(names, s)
		}
		rows[s] = append(rows[s], i)
	}
	slices.Sort(names)
	var out []scoredSurface
	for _, s := range names {
		out = append(out, cheapest(s, all.Select(rows[s]), share))
	}
	for _, g := range nmtGroups {
		runs, _ := nmt(t, g.lang, g.bpe)
		out = append(out, cheapest("nmt "+g.lang+" "+g.bpe, runs, share))
	}
	return out
}

// surfaceLaws are those that auto averages over.
func surfaceLaws() []Law { return []Law{Chinchilla(), kaplan(), overTraining(), powerSum()} }

// The bounds are those of the issue.
const (
	surfacesRMSLE               = 0.030
	surface80Low, surface80High = 0.74, 0.86
	surface95Low, surface95High = 0.89, 0.98
	surfaceHalfWidth            = 0.05
	leastNewSizes               = 8
)

// TestAverageOnPublishedSurfaces measures the table of docs/extrapolation.md.
func TestAverageOnPublishedSurfaces(t *testing.T) {
	if testing.Short() {
		t.Skip("fits every published set")
	}
	var rmsle, cover80, cover95, half []float64
	var misses, widths [][]float64 // |error|/(t·s) and t·s by set, row
	single := make([][]float64, len(surfaceLaws()))
	for _, s := range publishedSurfaces(t) {
		x, err := FitAverage(context.Background(), surfaceLaws(), s.fitted, LogHuber(1e-3), nil)
		if err != nil {
			t.Fatal(s.name, err)
		}
		got, err := x.Score(s.score)
		if err != nil {
			t.Fatal(s.name, err)
		}
		var alone []float64
		for k, law := range surfaceLaws() {
			// A parameter at a bound or unidentified still predicts.
			r, err := Fit(context.Background(), law, s.fitted, LogHuber(1e-3), nil)
			if r == nil {
				t.Fatal(s.name, err)
			}
			one, err := r.Score(s.score, nil)
			if err != nil {
				t.Fatal(err)
			}
			single[k] = append(single[k], one.RMSLE)
			alone = append(alone, one.RMSLE)
		}
		var miss, width []float64
		unit := x.reach(0.8) / scalesOf(averageFactors(), 0.8)
		for i, y := range s.score.Y {
			m, scale := x.scaled(s.score.row(x.Columns, i))
			miss = append(miss, math.Abs(m-math.Log(y))/(unit*scale))
			width = append(width, unit*scale)
		}
		misses, widths = append(misses, miss), append(widths, width)
		rmsle, cover80 = append(rmsle, got.RMSLE), append(cover80, got.Coverage80)
		cover95, half = append(cover95, got.Coverage95), append(half, got.HalfWidth80)
		t.Logf("%-44s RMSLE %.4f, 80 %% holds %.2f, 95 %% %.2f, half-width %.4f; noise %.4f validation %.4f; single %.4f", s.name, got.RMSLE,
			got.Coverage80, got.Coverage95, got.HalfWidth80, x.Noise, x.Validation, alone)
	}
	published := mean(rmsle[:len(rmsle)-len(nmtGroups)])
	t.Logf("mean RMSLE %.4f (surfaces %.4f), 80 %% holds %.3f, 95 %% %.3f, median half-width %.4f",
		mean(rmsle), published, mean(cover80), mean(cover95), Median(half))
	least := math.Inf(1)
	for k, law := range surfaceLaws() {
		t.Logf("%s alone: %.4f", law.Name, mean(single[k]))
		least = min(least, mean(single[k]))
	}
	between := func(what string, v, low, high float64) {
		if !(low <= v && v <= high) {
			t.Errorf("%s %.4f, want %g to %g", what, v, low, high)
		}
	}
	holdsCoverage(t, "a surface towards more compute", "ten sets of runs, the cheapest 60 % and the rest",
		fmt.Sprintf("RMSLE %.3f", mean(rmsle)), fmt.Sprintf("%.2f", mean(cover80)),
		fmt.Sprintf("%.2f", mean(cover95)))
	between("RMSLE of the surfaces", published, 0, surfacesRMSLE)
	between("RMSLE of all sets", mean(rmsle), 0, min(surfacesRMSLE, least))
	between("80 % holds", mean(cover80), surface80Low, surface80High)
	between("95 % holds", mean(cover95), surface95Low, surface95High)
	between("median half-width", Median(half), 0, surfaceHalfWidth)
	// The factor from all sets but one, every set counting the same, scores that one.
	var out, outHalf []float64
	for i := range misses {
		var pool []float64
		for j, m := range misses {
			if sorted := slices.Sorted(slices.Values(m)); j != i {
				for q := range 40 {
					pool = append(pool, quantile(sorted, (float64(q)+0.5)/40))
				}
			}
		}
		slices.Sort(pool)
		factor, n := quantile(pool, 0.8), 0.0
		for _, m := range misses[i] {
			if m <= factor {
				n++
			}
		}
		out = append(out, n/float64(len(misses[i])))
		outHalf = append(outHalf, factor*Median(widths[i]))
	}
	t.Logf("each set left out of the calibration: 80 %% holds %.3f, median half-width %.4f", mean(out), Median(outHalf))
	between("80 % holds, sets left out", mean(out), surface80Low, surface80High)
}

// newSize is a case of three sizes to fit and a larger one to score.
type newSize struct {
	name          string
	fitted, score Data
}

// newSizes constructs twelve cases from the sets with many sizes: three neighbouring sizes predict
// the next, at three places along each set. A run is a size.
func newSizes(t testing.TB) []newSize {
	c := reference(t, "fitting/surfaces_dev.csv")
	n, d, y := floats(t, c["params"]), floats(t, c["tokens"]), floats(t, c["loss"])
	var out []newSize
	for _, set := range []string{
		"misfitting", "gadre rpj", "isoflop marin_202603__comma__llama_2",
		"isoflop marin_202603__nemotron__llama_2",
	} {
		rows := map[float64][]int{}
		var sizes []float64
		for i := range n {
			if c["set"][i] == set {
				if rows[n[i]] == nil {
					sizes = append(sizes, n[i])
				}
				rows[n[i]] = append(rows[n[i]], i)
			}
		}
		slices.Sort(sizes)
		sizes = slices.DeleteFunc(sizes, func(v float64) bool { return len(rows[v]) < 2 && v != sizes[len(sizes)-1] })
		last := len(sizes) - 4
		for _, at := range []int{0, last / 2, last} {
			data := Data{Columns: map[string][]float64{}}
			var held []int
			for k := at; k < at+4; k++ {
				for _, i := range rows[sizes[k]] {
					if k == at+3 {
						held = append(held, data.Len())
					}
					data.Columns["params"] = append(data.Columns["params"], n[i])
					data.Columns["tokens"] = append(data.Columns["tokens"], d[i])
					data.Y = append(data.Y, y[i])
					data.Run = append(data.Run, k)
				}
			}
			all := seq(data.Len())
			fitted := slices.DeleteFunc(all, func(i int) bool { return slices.Contains(held, i) })
			out = append(out, newSize{set, data.Select(fitted), data.Select(held)})
		}
	}
	return out
}

func TestNewSizeFromThree(t *testing.T) {
	if testing.Short() {
		t.Skip("fits every published set")
	}
	var rmsle []float64
	held, rows := 0, 0.0
	cases := newSizes(t)
	for _, c := range cases {
		x, err := FitAverage(context.Background(), surfaceLaws(), c.fitted, LogHuber(1e-3), nil)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		last := slices.Index(c.score.Columns["tokens"], slices.Max(c.score.Columns["tokens"]))
		in, ok := x.Interval(0.8, c.score.Columns["params"][last], c.score.Columns["tokens"][last])
		y := c.score.Y[last]
		s, _ := x.Score(c.score)
		if !ok {
			t.Errorf("%s: no interval", c.name)
		}
		if in.Low <= y && y <= in.High {
			held++
		}
		rows += s.Coverage80 / float64(len(cases))
		rmsle = append(rmsle, s.RMSLE)
		t.Logf("%-40s %d rows: %.3f (%.3f to %.3f), recorded %.3f; RMSLE %.3f, 80 %% holds %.2f of %d", c.name,
			c.fitted.Len(), x.Predict(c.score.Columns["params"][last], c.score.Columns["tokens"][last]), in.Low, in.High, y, s.RMSLE, s.Coverage80, c.score.Len())
	}
	t.Logf("%d of %d last losses, %.2f of rows", held, len(cases), rows)
	holdsCoverage(t, "a new size from three smaller ones", "twelve cases of four sets",
		fmt.Sprintf("RMSLE %.3f", mean(rmsle)), fmt.Sprintf("%d of %d last losses", held, len(cases)), "–")
	if len(cases) != 12 || held < leastNewSizes {
		t.Errorf("%d of %d intervals hold, want %d of 12", held, len(cases), leastNewSizes)
	}
}
