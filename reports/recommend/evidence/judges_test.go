package evidence

import (
	"math"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// judged returns the judge of shapes like one, trained on 20 tokens a parameter.
func judged(t *testing.T, b Basis, ref string) (Judge, Subject) {
	t.Helper()
	s, p, _ := traitsFor(t, ref)
	j, err := b.Judge(Candidates{
		Template: &s, Tokens: func(n float64) float64 { return 20 * n },
		FLOPs: func(s Subject) float64 { return 7 * float64(s.Params.Total) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return j, Subject{&s, &p}
}

// By a law of the caller's, by hand: 1 + 100/N^0.3 of parameters, of tokens (20 a parameter), of FLOPs
// (here 7 a parameter); ± the 90 % quantile of the normal distribution times the residual, 0.5.
func TestFittedJudge(t *testing.T) {
	for column, times := range map[string]float64{"params": 1, "tokens": 20, "flops": 7} {
		law := &fit.Result{
			Law: fit.PowerOffset().On(column), Params: []float64{1, 100, 0.3}, RMS: 0.5, Objective: fit.Squared(),
		}
		j, s := judged(t, Basis{Fitted: law}, "t5-small")
		n := float64(s.Params.Total)
		want := 1 + 100/math.Pow(times*n, 0.3)
		value, half := j.Score(s)
		if !closeTo(value, -want) || !closeTo(j.Value(s), -want) || !approx.Close(half, 1.2816*0.5, 1e-4) || j.Usual() != half {
			t.Errorf("%s: %g ± %g, want %g", column, value, half, -want)
		}
		got := j.Judgement(s)
		if got.Class != Extrapolated || !closeTo(got.Quality.Upstream.Interval.Value, want) || got.Quality.Downstream.Interval != nil {
			t.Errorf("%s: %+v", column, got)
		}
		loss, err := predictLoss(law, s.Shape, 20*n, 7*n)
		if err != nil || !closeTo(loss.Value, want) || !closeTo(loss.HalfWidth(), half) {
			t.Errorf("%s: a run has %+v, %v", column, loss, err)
		}
		if sum, err := j.Summary(); err != nil || !sum.Unranked || j.Tells("nl") || j.Measures(s) || j.Unit() != LossUnit {
			t.Errorf("%s: %+v, %v", column, sum, err)
		}
	}
	strange := &fit.Result{Law: fit.PowerOffset().On("epochs"), Params: []float64{1, 100, 0.3}}
	s, _, _ := traitsFor(t, "t5-small")
	_, err := (&Basis{Fitted: strange}).Judge(Candidates{Template: &s})
	const known = "d_model, decoder_layers, encoder_layers, flops, layers, non_embedding_params, params, tokens"
	if err == nil || !strings.Contains(err.Error(), `"epochs", which candidates do not have; they have `+known) {
		t.Errorf("a law of epochs: %v", err)
	}
	if _, err := predictLoss(strange, &s, 1, 1); err == nil || !strings.Contains(err.Error(), "a planned run does not have") {
		t.Errorf("a law of epochs: %v", err)
	}
	layers := &fit.Result{Law: fit.PowerOffset().On("layers"), Params: []float64{1, 100, 0.3}}
	if j, _ := judged(t, Basis{Fitted: layers}, "t5-small"); !j.Tells("nl") || !j.Tells("el") || !j.Tells("dl") || j.Tells("dm") {
		t.Error("a law of layers tells of depth alone")
	}
}

// sized are decoders of 8 sizes with the loss 2 + 400/N^0.34 and the score 100 − 10·loss, off by a
// thousandth of the loss and by a tenth of a point in turn.
func sized() (all []Record) {
	for i := range 8 {
		n, off := 1e6*math.Pow(2, float64(i)), float64(1-2*(i%2))
		loss := (2 + 400/math.Pow(n, 0.34)) * (1 + 0.001*off)
		score := 100 - 10*loss + 0.1*off
		all = append(all, Record{
			DecoderLayers: 2 + i, DModel: 64 * (2 + i), Params: n, Tokens: 1e9, Loss: &loss, Score: &score,
		})
	}
	return all
}

// By records: the usual error of a score joins that of the link and that of the loss times the slope,
// 10 points a nat, as a hypotenuse.
func TestRecordJudge(t *testing.T) {
	judge, _ := judged(t, Basis{Records: sized()}, "gpt2")
	j, ok := judge.(*recordJudge)
	if !ok {
		t.Fatalf("judged by %T: %s", judge, judge.Silence())
	}
	half := j.lossError * j.typical
	const slope = 0.2 // the noise bends the slope by as much
	byLoss := j.link.line.Coef[1] * half
	if !approx.Close(j.link.line.Coef[1], -10, slope) || j.Unit() != scoreUnit ||
		!closeTo(j.Usual(), math.Sqrt(j.link.err*j.link.err+byLoss*byLoss)) {
		t.Errorf("link %+v, usually ± %g", j.link, j.Usual())
	}
	if !(j.Usual() > 9*half) || !(j.lossError > 0) || !(half < 0.05) {
		t.Errorf("usually ± %g points and %g nats", j.Usual(), half)
	}
	losses, _ := judged(t, Basis{Records: sized(), JudgedBy: ByUpstream}, "gpt2")
	if losses.Usual() != half || losses.Unit() != LossUnit {
		t.Errorf("usually ± %g %s, want %g", losses.Usual(), losses.Unit(), half)
	}
	if few, _ := judged(t, Basis{Records: sized()[:5]}, "gpt2"); !strings.Contains(few.Silence(), "5 usable records; needed: at least 6") {
		t.Errorf("of five records: %q", few.Silence())
	}
}

// Each record is left out for its own reason, and counted in the note of that reason.
func TestUsable(t *testing.T) {
	good, zero := sized()[0], 0.0
	edited := func(edit func(*Record)) Record {
		m := good
		edit(&m)
		return m
	}
	b := Basis{
		Records: []Record{
			good, edited(func(m *Record) { m.Tokens = 0 }),
			edited(func(m *Record) { m.EncoderLayers = 2 }), edited(func(m *Record) { m.EncoderLayers, m.DecoderLayers = 2, 0 }),
			edited(func(m *Record) { m.Loss = nil }), edited(func(m *Record) { m.Loss = &zero }),
			edited(func(m *Record) { m.Params = 0 }), edited(func(m *Record) { m.Params = math.NaN() }),
			edited(func(m *Record) { m.DModel = 0 }), edited(func(m *Record) { m.Tokens = -1 }),
			edited(func(m *Record) { m.EncoderLayers = -1 }),
		},
	}
	gpt, _, _ := traitsFor(t, "gpt2")
	kept, notes := b.usable(&gpt)
	if len(kept) != 2 || len(notes) != 2 || !strings.HasPrefix(notes[0], "left out: 2 records not of decoder-only") ||
		!strings.HasPrefix(notes[1], "left out: 7 records without") {
		t.Errorf("%d kept, %q", len(kept), notes)
	}
}

// A measured shape has the measurement with the usual error, upstream as a loss turned: NL24 has 1.667
// nats in data/facts/tay2021_points.csv.
func TestPublishedJudgeByLoss(t *testing.T) {
	j, s := judged(t, Basis{JudgedBy: ByUpstream}, "t5-efficient-base-nl24")
	value, half := j.Score(s)
	if value != -1.667 || j.Value(s) != -1.667 || !closeTo(half, j.Usual()) || j.Unit() != LossUnit || !j.Measures(s) {
		t.Errorf("%g ± %g %s", value, half, j.Unit())
	}
	_, basis := judged(t, Basis{}, "t5-base")
	d := j.Difference(s, basis).Upstream.Interval // T5-Base has 1.752
	if !closeTo(d.Value, 1.667-1.752) || !(d.HalfWidth() > j.Usual()) {
		t.Errorf("NL24 less Base: %+v", d)
	}
	// An unmeasured shape has the law's loss on both ends of an effect.
	wide, p, at := traitsFor(t, "t5-efficient-base/nl=25")
	_, _, of := traitsFor(t, "t5-base")
	law := j.(*publishedJudge).law
	if e := j.Effect(Subject{&wide, &p}, basis).Upstream.Interval; !closeTo(e.Value, law.lossAt(&at)-law.lossAt(&of)) {
		t.Errorf("the effect of a layer more: %+v", e)
	}
	if value, _ := j.Score(Subject{&wide, &p}); !closeTo(value, -law.lossAt(&at)) {
		t.Errorf("an unmeasured shape has %g", value)
	}
}

// The best-ranked run's outcome less the best, 2 − 1; ranks 1 3 2 of the predictions against 1 2 3 of
// −cost: Σd² = 2, 1 − 6·2/(3·8) = 0.5.
func TestScored(t *testing.T) {
	g := runGroup{runs: []runTraits{{params: 1}, {params: 3}, {params: 2}}, cost: []float64{3, 2, 1}}
	if s := g.scored(func(t *runTraits) float64 { return t.params }); s.Regret != 1 || !closeTo(s.Spearman, 0.5) {
		t.Errorf("%+v", s)
	}
}

// Baselines by hand: outcomes are worse by 1 from run to run. The largest is the last of nine, 8 worse
// than the first; d_model/layers is 64 in the fourth, 3 worse, and 16 or 512 in the others.
func TestBaselines(t *testing.T) {
	var rows []Record
	for _, group := range []string{"a", "b"} {
		for i := range 9 {
			loss, layers, d := 2+float64(i), 4, 64
			if i == 3 {
				layers = 1
			} else if i%2 == 1 {
				d = 2048
			}
			rows = append(rows, Record{
				Group: group, DModel: d, DecoderLayers: layers, Params: 1e6 * float64(i+1), Tokens: 1e9, Loss: &loss,
			})
		}
	}
	v, err := Validate(rows, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []NamedScore{{"most-params", RankScore{Regret: 8}}, {"aspect-64", RankScore{Regret: 3}}} {
		got := v.Baselines[i]
		if got.Name != want.Name || !closeTo(got.Regret, want.Regret) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if len(v.Groups) != 2 || v.Groups[0].N != 9 || !closeTo(v.Ours.Regret, (v.Groups[0].Ours.Regret+v.Groups[1].Ours.Regret)/2) {
		t.Errorf("%+v", v)
	}
}

// What records can tell apart, by hand: sizes double over eight records at one width a layer, tokens
// alike, and depth with size alone.
func TestVariation(t *testing.T) {
	var runs, free []runTraits
	for i := range 8 {
		x := float64(i)
		runs = append(runs, runTraits{params: x, depth: x / 3, width: x / 3, tokens: 20})
		free = append(free, runTraits{params: x, depth: float64(i * i % 3), width: 2, tokens: 20 + float64(i*i%5)})
	}
	if got, want := variationOf(runs), (variation{sizeSquare: true, depthSquare: true}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	want := variation{tokens: true, anyTokens: true, depth: true, sizeSquare: true, tokensSquare: true}
	if got := variationOf(free); got != want { // depths 0 and 1: no square
		t.Errorf("%+v, want %+v", got, want)
	}
	free[3].tokens = math.Inf(-1) // one run without a count: tokens are not read
	if got := variationOf(free); got.tokens || got.anyTokens || !got.depth {
		t.Errorf("without one count: %+v", got)
	}
	s := surface{means: meanOf([]runTraits{{1, 2, 3, 4}, {3, 4, 5, 8}})}
	if got := *s.centred(&runTraits{1, 1, 1, 1}); got != (runTraits{-1, -2, -3, -5}) {
		t.Errorf("from the middle: %+v", got)
	}
}

// One group is ranked by its best form, several by the mean of all.
func TestFitRankingOfOneGroup(t *testing.T) {
	g := runGroup{}
	for _, m := range sized() {
		g.runs, g.cost = append(g.runs, m.traits()), append(g.cost, *m.Loss)
	}
	for n, mean := range map[int]bool{1: false, 2: true} {
		groups := []runGroup{g, g}[:n]
		rank, name, err := fitRanking(groups)
		if err != nil || strings.Contains(name, "of the weight of") != mean {
			t.Fatalf("%d groups: %q, %v", n, name, err)
		}
		if !(rank(&g.runs[7]) > rank(&g.runs[0])) {
			t.Errorf("%d groups: the smallest is ranked above the largest", n)
		}
	}
}

// The note on the length of runs is of the template's own: 20 tokens a parameter of T5-Base are 4.46e9.
func TestPublishedJudgeTellsLength(t *testing.T) {
	j, s := judged(t, Basis{}, "t5-base")
	sum, err := j.Summary()
	if err != nil || s.Params.Total != 222903552 || len(sum.Notes) != 1 || !strings.Contains(sum.Notes[0], "this one of 4.46e+09") {
		t.Errorf("%q, %v", sum.Notes, err)
	}
}

// In doublings: 8 is three, 4 two, and 1024/4 eight.
func TestPosition(t *testing.T) {
	at := runTraits{params: math.Log(8), depth: math.Log(4), width: math.Log(1024)}
	for i, want := range []float64{3, 2, 8} {
		if got := at.position()[i]; !closeTo(got, want) {
			t.Errorf("coordinate %d is %g, want %g", i, got, want)
		}
	}
}

// The slopes of the law of loss against differences over a millionth of each parameter.
func TestTangents(t *testing.T) {
	at := traits{params: 3e8, size: 2e8, aspect: 25}
	for _, l := range []publishedLaw{
		{loss: []float64{1.2, 80, 0.3}, sizeOnly: true}, {loss: []float64{1.2, 80, 0.3, 0.02}},
	} {
		slopes := l.tangent(&at, l.lossAt(&at))
		for k := range l.loss {
			const nudge, rounding = 1e-6, 1e-4
			step := nudge
			moved := l
			moved.loss = append([]float64{}, l.loss...)
			if k == 1 { // ln A
				moved.loss[1] *= math.Exp(step)
			} else {
				moved.loss[k] += step
			}
			if want := (moved.lossAt(&at) - l.lossAt(&at)) / step; !approx.Close(slopes[k], want, rounding) {
				t.Errorf("size only %v: slope %d is %g, want %g", l.sizeOnly, k, slopes[k], want)
			}
		}
		if len(slopes) != len(l.loss) {
			t.Errorf("%d slopes of %d parameters", len(slopes), len(l.loss))
		}
	}
}

// By loss the score of a shape is its loss turned, and a law of size alone tells of no letter.
func TestRecordJudgeByLoss(t *testing.T) {
	rows := sized()
	judge, s := judged(t, Basis{Records: rows, JudgedBy: ByUpstream}, "gpt2")
	value, half := judge.Score(s)
	if got := judge.Judgement(s).Quality.Upstream.Interval; got == nil || !(value < 0) || !closeTo(value, -got.Value) || !closeTo(half, got.HalfWidth()) {
		t.Errorf("%g ± %g of %+v", value, half, got)
	}
	j := judge.(*recordJudge)
	j.law.form.shaped = true
	if !j.Tells("nl") || !j.Tells("el") || !j.Tells("dl") || j.Tells("dm") != (j.law.law != nil) || j.Tells("ff") {
		t.Error("what a law of shape tells")
	}
}

// What a law is good for is what it reads: a shape has params and layers of its own, a run tokens; a
// column of the user's is of neither. Where every run has the same tokens, a law of tokens alone ranks
// nothing.
func TestUses(t *testing.T) {
	for columns, want := range map[string][2]bool{
		"params": {true, true}, "tokens": {true, false}, "flops": {true, true}, "layers": {true, true}, "epochs": {false, false},
	} {
		law := fit.PowerOffset().On(columns)
		if plans, ranks := Uses(&law); plans != want[0] || ranks != want[1] {
			t.Errorf("%s: %v, %v", columns, plans, ranks)
		}
	}
	law := &fit.Result{Law: fit.PowerOffset().On("tokens"), Params: []float64{1, 100, 0.3}}
	s, _, _ := traitsFor(t, "t5-small")
	_, err := (&Basis{Fitted: law}).Judge(Candidates{Template: &s, Tokens: func(float64) float64 { return 1e9 }})
	if err == nil || !strings.Contains(err.Error(), "the same for every shape") {
		t.Errorf("a law of tokens: %v", err)
	}
}
