package evidence

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func opinion(t *testing.T, set string) SecondOpinion {
	t.Helper()
	all, err := SecondOpinions()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(o SecondOpinion) bool { return o.Name == set })
	if i < 0 {
		t.Fatalf("no opinion of %s", set)
	}
	return all[i]
}

func (o *SecondOpinion) on(t *testing.T, op string) Agreement {
	t.Helper()
	i := slices.IndexFunc(o.Agreements, func(a Agreement) bool { return a.Op == op })
	if i < 0 {
		t.Fatalf("%s has no pair of %s", o.Name, op)
	}
	return o.Agreements[i]
}

// Every set is listed, with what it holds and the weakest class of its numbers.
func TestSecondOpinionsListEverySet(t *testing.T) {
	all, err := SecondOpinions()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != len(data.ShapeSets())+1 { // and the pairs of ArabicT5
		t.Errorf("%d opinions", len(all))
	}
	numbers := 0
	for _, o := range all {
		numbers += o.Numbers
		if o.Source == "" || o.Title == "" || o.Weakest == "" || o.Numbers == 0 {
			t.Errorf("%+v", o)
		}
	}
	if numbers != len(data.ShapeResults())+len(data.ShapePairs()) {
		t.Errorf("%d numbers", numbers)
	}
}

// Vaswani et al. 2017, Table 3, by hand: of the rows C with other layers (2, 4, 6 and 8 at perplexity
// 6.11, 5.19, 4.92 and 4.88) each doubling gains, on average over the six pairs, 0.53; the one
// contradiction in BLEU is 8 layers (25.5) beside 6 (25.8).
func TestDepthOfVaswani(t *testing.T) {
	o := opinion(t, "vaswani2017")
	a := o.on(t, "nl")
	layers, loss := []float64{2, 4, 6, 8}, []float64{6.11, 5.19, 4.92, 4.88}
	sum, n := 0.0, 0.0
	for i := range layers {
		for j := range i {
			sum += (loss[j] - loss[i]) / math.Log2(layers[i]/layers[j])
			n++
		}
	}
	if a.Metric != "perplexity" || !approx.Close(a.Slope, sum/n, 1e-9) || !(a.LawSlope > 0) {
		t.Errorf("%s: %.4f, by hand %.4f; the law %.3f", a.Metric, a.Slope, sum/n, a.LawSlope)
	}
	if a.Pairs != 12 || a.Agree != 11 || len(a.Against) != 0 {
		t.Errorf("%d of %d pairs, against %v; want 11 of 12, and none in perplexity", a.Agree, a.Pairs, a.Against)
	}
	// d_model 256, 512 and 1024 at perplexity 5.75, 4.92 and 4.66, and as many of BLEU; the heads of
	// rows A leave out no width.
	if w := o.on(t, "dm"); w.Agree != w.Pairs || !(w.Slope > 0) {
		t.Errorf("width: %+v", w)
	}
	if f := o.on(t, "ff"); f.Pairs != 6 || f.Agree != 6 { // 1024, 2048 and 4096, in two metrics
		t.Errorf("feed-forward: %+v", f)
	}
	if o.Rank == nil || !(*o.Rank > 0.8) {
		t.Errorf("rank %v", o.Rank)
	}
}

// Where sets contradict the law, that is counted and named: ALBERT with 48 layers is worse than with
// 24 (81.8 and 82.1 on average), and Narang et al. 2021 find 18 layers best at 223M parameters, where
// the law, at one size, has 12.
func TestContradictionsAreTold(t *testing.T) {
	albert := opinion(t, "albert2020")
	a := albert.on(t, "nl")
	if a.Agree >= a.Pairs || len(a.Against) == 0 || !strings.Contains(a.Against[0], "48 x 1024 beside ALBERT-large, 24 x 1024: -0.3 squad11_f1") {
		t.Errorf("ALBERT: %d of %d, %v", a.Agree, a.Pairs, a.Against)
	}
	narang := opinion(t, "narang2021")
	n := narang.on(t, "nl")
	// The ten pairs of 6, 8, 12, 18 and 24 layers at d_model 768: the law's aspect ratios are 128, 96,
	// 64, 43 and 32, so that it orders 12 > 18 = 8 > 24 = 6 but for rounding of |ln(a/64)|.
	if n.Pairs != 10 || n.Agree < 5 || n.Agree > 7 || len(n.Against) != 2 ||
		!strings.HasPrefix(n.Against[0], "18 layers beside 8 layers: +0.016") {
		t.Errorf("Narang: %d of %d, %v", n.Agree, n.Pairs, n.Against)
	}
}

// A pair that differs in two things, or in heads, is a pair of neither.
func TestDiffer(t *testing.T) {
	base := opined{el: 6, dl: 6, d: 512, ff: 2048, heads: 8}
	change := func(edit func(*opined)) opined {
		m := base
		edit(&m)
		return m
	}
	for name, c := range map[string]struct {
		m         opined
		op        string
		doublings float64
	}{
		"twice as deep":        {change(func(m *opined) { m.el, m.dl = 12, 12 }), "nl", 1},
		"a deeper encoder":     {change(func(m *opined) { m.el = 24 }), "el", 2},
		"a shallower decoder":  {change(func(m *opined) { m.dl = 3 }), "dl", -1},
		"traded depths":        {change(func(m *opined) { m.el, m.dl = 12, 1 }), "", 0},
		"wider alone":          {change(func(m *opined) { m.d = 1024 }), "dm", 1},
		"wider in all":         {change(func(m *opined) { m.d, m.ff, m.heads = 1024, 4096, 16 }), "dm", 1},
		"more feed-forward":    {change(func(m *opined) { m.ff = 4096 }), "ff", 1},
		"more heads":           {change(func(m *opined) { m.heads = 16 }), "", 0},
		"deeper and more head": {change(func(m *opined) { m.el, m.dl, m.heads = 12, 12, 16 }), "", 0},
		"deeper and wider":     {change(func(m *opined) { m.el, m.dl, m.d = 12, 12, 1024 }), "", 0},
		"one stack":            {change(func(m *opined) { m.dl = 0 }), "", 0},
		"the same":             {base, "", 0},
	} {
		op, d := c.m.differ(&base)
		if op != c.op || !approx.Close(d, c.doublings, 1e-12) {
			t.Errorf("%s: %q by %g doublings, want %q by %g", name, op, d, c.op, c.doublings)
		}
	}
	encoder, deeper := opined{el: 6, d: 512}, opined{el: 12, d: 512}
	if op, d := deeper.differ(&encoder); op != "nl" || d != 1 {
		t.Errorf("an encoder twice as deep: %q by %g", op, d)
	}
	decoder, more := opined{dl: 6, d: 512}, opined{dl: 24, d: 512}
	if op, d := more.differ(&decoder); op != "nl" || d != 2 {
		t.Errorf("a decoder four times as deep: %q by %g", op, d)
	}
}

// The model of a set is put into the law as the shape it is: a row of T5-Base's dimensions is
// predicted as T5-Base.
func TestOpinedAsTheLawHasIt(t *testing.T) {
	_, p := shipped(t)
	_, _, at := traitsFor(t, "t5-base")
	m := opined{el: 12, dl: 12, d: 768, ff: 3072}
	if got := m.better(p.law, true, 0); !approx.Close(got, -p.law.lossAt(&at), 1e-12) {
		t.Errorf("loss %g, want %g", -got, p.law.lossAt(&at))
	}
	m.ff = 0 // taken as four times d_model, which it is
	if got := m.better(p.law, false, 0); !approx.Close(got, p.law.scoreAt(&at), 1e-9) {
		t.Errorf("score %g, want %g", got, p.law.scoreAt(&at))
	}
}

// The rows that the law was fitted to, and those of its fine-tuning, are not a second opinion.
func TestOwnRowsAreNoSecondOpinion(t *testing.T) {
	for _, r := range data.ShapeResults() {
		r := r
		scales := put(nil, &r)
		own := r.Set == "tay2022" && (r.Metric == "loss" || strings.Contains(r.Group, "2021"))
		if own && len(scales) > 0 {
			t.Errorf("%s: %s of %s", r.Group, r.Metric, r.Model)
		}
		if r.Better == "" && len(scales) > 0 {
			t.Errorf("%s is neither good nor bad", r.Metric)
		}
		if len(scales) > 0 && (scales[0].upstream != (r.Metric == "perplexity" || strings.Contains(r.Metric, "loss")) ||
			scales[0].sign > 0 != (r.Better == data.Higher)) {
			t.Errorf("%s: %+v", r.Metric, scales[0])
		}
	}
}

// A row is told what speaks of its changes, and of nothing else.
func TestOpinionsOnAChange(t *testing.T) {
	base, _ := shapes.Parse("t5-base")
	for ref, want := range map[string]string{
		"t5-base/nl=24": "nl", "t5-base/el=24": "dl el", "t5-base/dl=6": "dl el", "t5-base/ff=4096": "ff",
		"t5-base/dm=1024,ff=4096": "dm", "t5-base": "",
	} {
		s, err := shapes.Parse(ref)
		if err != nil {
			t.Fatal(err)
		}
		opinions, err := (*publishedJudge)(nil).Opinions(&base, &s)
		if err != nil {
			t.Fatal(err)
		}
		var ops []string
		for _, o := range opinions {
			for _, a := range o.Agreements {
				if !slices.Contains(ops, a.Op) {
					ops = append(ops, a.Op)
				}
			}
		}
		slices.Sort(ops)
		if got := strings.Join(ops, " "); got != want {
			t.Errorf("%s: %q, want %q", ref, got, want)
		}
	}
}
