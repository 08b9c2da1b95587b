package fit

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// A rankingCase is shapes at one budget, with the loss that each has there, and the runs of at most
// a third of it.
type rankingCase struct {
	set                string
	fitted, candidates Data
}

// translationRankings takes runs of one group; the loss at a budget is interpolated in ln tokens.
func translationRankings(t *testing.T) (out []rankingCase) {
	for _, g := range nmtGroups {
		d, _ := nmt(t, g.lang, g.bpe)
		compute := d.product([]string{"params", "tokens"})
		sizes := map[float64][]int{}
		for i, n := range d.Columns["params"] {
			sizes[n] = append(sizes[n], i)
		}
		for budget := 3e14; budget <= 1e17; budget *= 2 {
			c := rankingCase{set: "nmt " + g.lang + " " + g.bpe, candidates: Data{Columns: map[string][]float64{}}}
			var rows []int
			for i, v := range compute {
				if v <= budget/3 {
					rows = append(rows, i)
				}
			}
			for _, n := range slices.Sorted(maps.Keys(sizes)) {
				runs := sizes[n]
				slices.SortFunc(runs, func(a, b int) int {
					return int(math.Copysign(1, d.Columns["tokens"][a]-d.Columns["tokens"][b]))
				})
				for k := 1; k < len(runs); k++ {
					low, high := d.Columns["tokens"][runs[k-1]], d.Columns["tokens"][runs[k]]
					if at := budget / n; low <= at && at < high {
						share := math.Log(at/low) / math.Log(high/low)
						for _, name := range []string{"d_model", "layers", "params"} {
							c.candidates.Columns[name] = append(c.candidates.Columns[name], d.Columns[name][runs[k]])
						}
						c.candidates.Columns["tokens"] = append(c.candidates.Columns["tokens"], at)
						c.candidates.Y = append(c.candidates.Y,
							math.Exp((1-share)*math.Log(d.Y[runs[k-1]])+share*math.Log(d.Y[runs[k]])))
					}
				}
			}
			if c.fitted = d.Select(rows); c.candidates.Len() >= 3 && len(rows) >= 12 {
				out = append(out, c)
			}
		}
	}
	return out
}

// gemstones are the published laws of width, depth, N and D (McLeish et al. 2025, arXiv 2502.06857):
// E, then coefficients and exponents.
func gemstones() [][]float64 {
	var out [][]float64
	for _, c := range [][]float64{
		{0.3925, 1.4520, -0.0781, 7.9700, 10.0594, 0.2447, 0.3872, 0.5001, 0.4761},
		{0.4195, 1.6376, -0.0255, 7.8653, 9.9838, 0.3015, 0.3655, 0.5055, 0.4670},
	} {
		for i := range 5 {
			c[i] = math.Exp(c[i])
		}
		out = append(out, c)
	}
	return out
}

// madeRanking draws runs of scattered shapes and token counts under a law in which the shape
// matters, and shapes at three times the largest budget.
//
//	kind 0, 1  the two laws of gemstones
//	kind 2     Chinchilla's law with a best ratio of width to depth, that grows the loss from N by
//	           k·ln² of the ratio to it
func madeRanking(seed uint64) rankingCase {
	rng := rand.New(rand.NewPCG(seed, 64))
	lu := func(a, b float64) float64 { return a * math.Exp(rng.Float64()*math.Log(b/a)) }
	kind := int(seed % 3)
	ratio, k := lu(10, 150), lu(0.02, 0.1)
	law := func(width, depth, n, d float64) float64 {
		if kind < 2 {
			return ShapeAware().Predict(gemstones()[kind], []float64{width, depth, n, d})
		}
		return 1.8 + 480/math.Pow(n, 0.35)*(1+k*square(math.Log(width/depth/ratio))) + 2000/math.Pow(d, 0.37)
	}
	add := func(d *Data, width, depth, tokens, noise float64) {
		n := 12 * depth * width * width
		for name, v := range map[string]float64{"d_model": width, "layers": depth, "params": n, "tokens": tokens} {
			d.Columns[name] = append(d.Columns[name], v)
		}
		d.Y = append(d.Y, law(width, depth, n, tokens)*math.Exp(noise*rng.NormFloat64()))
	}
	shape := func(size float64) (width, depth float64) { // params about size
		r := lu(8, 300)
		depth = max(1, math.Round(math.Cbrt(size/(12*r*r))))
		return 64 * max(1, math.Round(math.Sqrt(size/(12*depth))/64)), depth
	}
	c := rankingCase{
		set: fmt.Sprintf("kind %d", kind), fitted: Data{Columns: map[string][]float64{}},
		candidates: Data{Columns: map[string][]float64{}},
	}
	const budget = 1e19 // params·tokens
	for range 60 {
		compute := lu(budget/300, budget/3)
		width, depth := shape(math.Sqrt(compute/20) * lu(0.3, 3))
		add(&c.fitted, width, depth, compute/(12*depth*width*width), 0.003)
	}
	for range 12 {
		width, depth := shape(math.Sqrt(budget/20) * lu(0.4, 2.5))
		add(&c.candidates, width, depth, budget/(12*depth*width*width), 0)
	}
	return c
}

// rankingRules choose a row of the candidates.
func rankingRules() map[string]func(Data) int {
	nearest := func(d Data, want func(n float64) float64) int {
		best, least := 0, math.Inf(1)
		for i, width := range d.Columns["d_model"] {
			off := math.Abs(math.Log(width / d.Columns["layers"][i] / want(d.Columns["params"][i])))
			if off < least {
				best, least = i, off
			}
		}
		return best
	}
	return map[string]func(Data) int{
		"width/depth 64": func(d Data) int { return nearest(d, func(float64) float64 { return 64 }) },
		"most params": func(d Data) int {
			return slices.Index(d.Columns["params"], slices.Max(d.Columns["params"]))
		},
		"nearest published": func(d Data) int { return nearest(d, publishedRatio) },
	}
}

// publishedRatio is d_model over layers of the catalogue shape nearest in params.
func publishedRatio(n float64) float64 {
	ratio, least := 0.0, math.Inf(1)
	for _, e := range shapes.Catalogue() {
		if e.NotCountable != "" || !e.Shape.ReadsTokens() {
			continue
		}
		p := float64(flops.CountParameters(&e.Shape).NonEmbedding)
		if off := math.Abs(math.Log(p / n)); off < least {
			ratio, least = float64(e.Shape.DModel)/float64(max(e.Shape.Encoder.Layers, e.Shape.Decoder.Layers)), off
		}
	}
	return ratio
}

// The mean regret, by set, in nats, of shapes ranked from runs of a third of the compute is below
// that of the three rules.
func TestRankingBeatsRules(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: an average of laws for each of 35 choices")
	}
	var cases []rankingCase
	for seed := range uint64(18) {
		cases = append(cases, madeRanking(seed))
	}
	cases = append(cases, translationRankings(t)...)
	regret := map[string]map[string][]float64{} // by set, rule
	ties := 0.0
	for _, c := range cases {
		ranked, err := RankShapes(context.Background(), c.fitted, c.candidates, nil)
		if err != nil {
			t.Fatal(c.set, err)
		}
		if regret[c.set] == nil {
			regret[c.set] = map[string][]float64{}
		}
		least := slices.Min(c.candidates.Y)
		best := slices.Index(c.candidates.Y, least)
		for _, r := range ranked {
			if r.Row == best && r.Tie() {
				ties++
			}
		}
		regret[c.set]["ours"] = append(regret[c.set]["ours"], c.candidates.Y[ranked[0].Row]-least)
		for name, rule := range rankingRules() {
			regret[c.set][name] = append(regret[c.set][name], c.candidates.Y[rule(c.candidates)]-least)
		}
	}
	mean4 := map[string]float64{}
	for set, rules := range regret {
		for name, r := range rules {
			mean4[name] += mean(r) / float64(len(regret))
		}
		t.Logf("%-15s %2d cases: ours %.4f, 64 %.4f, most params %.4f, published %.4f", set, len(rules["ours"]),
			mean(rules["ours"]), mean(rules["width/depth 64"]), mean(rules["most params"]), mean(rules["nearest published"]))
	}
	t.Logf("mean of sets %v; the best is first or a tie in %.0f of %d", mean4, ties, len(cases))
	for name, r := range mean4 {
		if name != "ours" && !(mean4["ours"] < r) {
			t.Errorf("regret %.4f, %s has %.4f", mean4["ours"], name, r)
		}
	}
}

// Of two shapes of the same params and tokens the first is behind by nothing, and the second by the ln
// of the ratio of their losses.
func TestRankShapesByHand(t *testing.T) {
	c := madeRanking(2)
	two := Data{Columns: map[string][]float64{
		"d_model": {512, 1024}, "layers": {16, 4}, "params": {5e7, 5e7}, "tokens": {1e10, 1e10},
	}}
	var few []int // rows: the ranks of two shapes need no more
	for i := 0; i < c.fitted.Len(); i += 4 {
		few = append(few, i)
	}
	ranked, err := RankShapes(context.Background(), c.fitted.Select(few), two, &Settings{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	first, second := ranked[0], ranked[1]
	if first.Behind != 0 || first.Error != 0 || !first.Tie() || first.Row == second.Row {
		t.Errorf("first %+v, second %+v", first, second)
	}
	closeTo(t, "behind", second.Behind, math.Log(second.Loss/first.Loss), 1e-12)
	if !(second.Behind >= 0 && second.Error > 0) {
		t.Errorf("second %+v", second)
	}
	delete(two.Columns, "layers")
	if _, err := RankShapes(context.Background(), c.fitted, two, nil); err == nil {
		t.Error("candidates without layers were ranked")
	}
}
