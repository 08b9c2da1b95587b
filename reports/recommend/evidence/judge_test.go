package evidence

import (
	"math"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Two rows at (0, 0) and (2, 1): positions by hand.
func TestRegion(t *testing.T) {
	r := regionOf([][]float64{{0, 0}, {2, 1}})
	for _, c := range []struct {
		here    []float64
		outside float64
		class   Class
		nearest int
		factor  float64
	}{
		{[]float64{0, 0}, 0, Interpolated, 0, 1},
		{[]float64{2, 0}, 0, Interpolated, 1, 2},
		{[]float64{1, 0.5}, 0, Interpolated, 0, 2}, // as near to both: the first
		{[]float64{3, 1}, 1, Extrapolated, 1, 2},
		{[]float64{-0.5, 0.5}, 0.5, Extrapolated, 0, math.Sqrt2},
		{[]float64{1, 2.5}, 1.5, Rule, 1, math.Exp2(1.5)},
	} {
		index, factor := r.nearest(c.here)
		if r.outside(c.here) != c.outside || r.classify(c.here) != c.class || index != c.nearest ||
			!approx.Relative(factor, c.factor, 1e-12) {
			t.Errorf("%v: outside %g, %s, nearest %d by %g", c.here, r.outside(c.here), r.classify(c.here), index, factor)
		}
	}
}

// The average of a row without a printed one is that of its three scores; of Large 36L (87.22 + 79.0 +
// 89.21)/3, and one that lacks a score has none.
func TestOfTable(t *testing.T) {
	rows := map[string]data.PaperResult{}
	for _, r := range data.PaperResults() {
		rows[r.Model] = r
	}
	large := rows["Large 36L"]
	if got := ofTable(&large, Average); got == nil || !approx.Close(got.Value, (87.22+79.0+89.21)/3, 1e-9) ||
		got.Evidence != data.Recalled {
		t.Errorf("average of Large 36L: %+v", got)
	}
	base := rows["T5-Base"]
	for score, want := range map[Score]float64{Average: 79.16, GLUE: 82.53, SuperGLUE: 69.8, SQuAD: 85.14} {
		if got := ofTable(&base, score); got.Value != want {
			t.Errorf("%s of T5-Base: %v, want %v", score, got.Value, want)
		}
	}
	xxl := rows["T5-XXL"]
	if got := ofTable(&xxl, Average); got != nil {
		t.Errorf("average of T5-XXL: %+v", got)
	}
}

// An interval is widened to hold a recalled value, on either side, and no further.
func TestWiden(t *testing.T) {
	for value, want := range map[float64]quantity.Interval{
		5: {Value: 5, Low: 4, High: 6}, 4: {Value: 5, Low: 4, High: 6}, 6: {Value: 5, Low: 4, High: 6},
		3: {Value: 5, Low: 3, High: 6}, 9: {Value: 5, Low: 4, High: 9},
	} {
		i := quantity.Interval{Value: 5, Low: 4, High: 6}
		had := widen(&i, &data.Reading{Value: value})
		if i != want || had != (value < 4 || value > 6) {
			t.Errorf("%g: %+v, %t", value, i, had)
		}
	}
	i := quantity.Interval{Value: 5, Low: 4, High: 6}
	if widen(&i, nil) || i.High != 6 {
		t.Error("widened by nothing")
	}
}

// A difference by records has the errors of both; one that lacks an end is absent with its reason.
func TestPlainDifference(t *testing.T) {
	of := func(loss, half float64) Quality {
		return Quality{estimated(around(loss, half)), hardware.Estimate{Missing: "no scores"}}
	}
	d := difference(of(2.5, 0.3), of(2.2, 0.4))
	if i := d.Upstream.Interval; !approx.Close(i.Value, 0.3, 1e-12) || !approx.Close(i.HalfWidth(), 0.5, 1e-12) {
		t.Errorf("%+v", i)
	}
	if d.Downstream.Interval != nil || d.Downstream.Missing != "no scores" {
		t.Errorf("%+v", d.Downstream)
	}
	better := Compared(silent{}, difference(of(2.2, 0.4), of(2.5, 0.3)))
	if !approx.Close(better.Value, 0.3, 1e-12) || !approx.Close(better.HalfWidth(), 0.5, 1e-12) {
		t.Errorf("a loss less by 0.3 is better by %+v", better)
	}
	if Compared(silent{}, Quality{}) != nil {
		t.Error("what is not known is compared")
	}
}

// By the published laws, at a shape: the leading one in the middle, all of them in the interval, and a
// difference likewise.
func TestLawJudge(t *testing.T) {
	xl, xlParams, _ := traitsFor(t, "gpt2-xl")
	judge, err := (&Basis{}).Judge(Candidates{Template: &xl, Tokens: func(n float64) float64 { return 20 * n }})
	if err != nil {
		t.Fatal(err)
	}
	j, ok := judge.(*lawJudge)
	if !ok {
		t.Fatalf("judged by %T", judge)
	}
	medium, mediumParams, _ := traitsFor(t, "gpt2-medium")
	n := float64(xlParams.Total)
	opinions := Opinions([]shapes.Shape{xl}, []float64{20 * n})
	low, high, lead, other := math.Inf(1), math.Inf(-1), 0.0, 0.0
	for _, o := range opinions {
		if len(o.Loss) == 0 {
			continue
		}
		low, high = min(low, o.Loss[0]), max(high, o.Loss[0])
		switch o.Law {
		case "gemstones-cool-end":
			lead = o.Loss[0]
		case "gemstones-hot":
			other = o.Loss[0]
		}
	}
	got := j.Judgement(Subject{&xl, &xlParams})
	if i := got.Quality.Upstream.Interval; *i != (quantity.Interval{Value: lead, Low: low, High: high}) {
		t.Errorf("%+v, want %g (%g to %g)", i, lead, low, high)
	}
	if got.Class != Interpolated || got.Nearest != nil || got.Quality.Downstream.Missing == "" {
		t.Errorf("%+v", got)
	}
	value, half := j.Score(Subject{&xl, &xlParams})
	if value != -lead || !approx.Close(half, math.Abs(lead-other), 1e-12) || j.Value(Subject{&xl, &xlParams}) != -lead {
		t.Errorf("%g ± %g", value, half)
	}
	a, b := Subject{&xl, &xlParams}, Subject{&medium, &mediumParams}
	d := j.Difference(a, b).Upstream.Interval
	if want := lead - j.at(&j.lead, b); !approx.Close(d.Value, want, 1e-12) || !(d.Low <= d.Value && d.Value <= d.High && d.High < 0) {
		t.Errorf("gpt2-xl less gpt2-medium: %+v", d)
	}
	for op, want := range map[string]bool{"nl": true, "dl": true, "dm": true, "el": false, "ff": false} {
		if j.Tells(op) != want {
			t.Errorf("%s: %t", op, !want)
		}
	}
	wide, wideParams, _ := traitsFor(t, "gpt2/dm=8192,nl=80,nh=64,ff=32768")
	if c := j.Judgement(Subject{&wide, &wideParams}).Class; c != Rule {
		t.Errorf("70B parameters count as %s", c)
	}
	if s, err := j.Summary(); err != nil || !strings.Contains(strings.Join(s.Notes, " "), "fourfold") || s.Kind != "laws" {
		t.Errorf("%+v, %v", s, err)
	}
}

// Sets of at most three models have no rank.
func TestRankNeedsFour(t *testing.T) {
	_, p := shipped(t)
	s := scale{metric: "m", sign: 1}
	var o SecondOpinion
	for i, l := range []int{2, 4, 8, 16} {
		o = SecondOpinion{}
		s.models = append(s.models, opined{el: l, dl: l, d: 512, value: float64(i)})
		o.compare([]scale{s}, p.law)
		if (o.Rank != nil) != (i == 3) {
			t.Errorf("%d models: rank %v", i+1, o.Rank)
		}
	}
	if *o.Rank != 1 || o.Agreements[0].Pairs != 6 || o.Agreements[0].Agree != 6 {
		t.Errorf("%+v", o)
	}
	if m := mean([]float64{1, 2, 6}); m != 3 {
		t.Errorf("mean %g", m)
	}
	if m := mean([]float64{0.1, 0.2, -0.3}); m != 0 {
		t.Errorf("what is left of a sum: %g", m)
	}
}
