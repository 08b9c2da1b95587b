package recommend_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func parse(t testing.TB, ref string) shapes.Shape {
	t.Helper()
	s, err := shapes.Parse(ref)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func decoder(t testing.TB, width, layers int) shapes.Shape {
	t.Helper()
	return parse(t, fmt.Sprintf("gpt2/nl=%d,dm=%d,ff=%d,nh=%d", layers, width, 4*width, width/64))
}

func record(s *shapes.Shape, tokens, loss float64) evidence.Record {
	return evidence.Record{
		Name: s.Name, EncoderLayers: s.Encoder.Layers, DecoderLayers: s.Decoder.Layers,
		DModel: s.DModel,
		Params: float64(flops.CountParameters(s).Total), Tokens: tokens, Loss: &loss,
	}
}

// sweep is decoder-only runs whose best depth is 8 layers at 1B tokens and doubles with every
// factor of 16 in tokens: shallow shapes win under 120M parameters at 20 tokens a parameter, as in
// the sweeps that DESIGN.md tells of.
func sweep(t testing.TB, perParam []float64) []evidence.Record {
	var all []evidence.Record
	for _, width := range []int{256, 384, 512, 640, 768} {
		for _, layers := range []int{4, 6, 8, 12, 16, 24} {
			s := decoder(t, width, layers)
			n := float64(flops.CountParameters(&s).Total)
			if n > 120e6 {
				continue
			}
			for _, ratio := range perParam {
				all = append(all, record(&s, ratio*n, sweepLoss(n, ratio*n, float64(layers))))
			}
		}
	}
	return all
}

func sweepLoss(params, tokens, layers float64) float64 {
	best := 8 * math.Pow(tokens/1e9, 0.25)
	miss := math.Log(layers / best)
	return (1.8 + 400*math.Pow(params, -0.34) + 400*math.Pow(tokens, -0.28)) * (1 + 0.02*miss*miss)
}

func TestShallowWinsWhereRecordsSaySo(t *testing.T) {
	for name, perParam := range map[string][]float64{"one budget": {20}, "two budgets": {20, 160}} {
		records := sweep(t, perParam)
		ask := func(tokensPerParam float64) shapes.Shape {
			r, err := recommend.Recommend(recommend.Request{
				Family: shapes.GPT, Objective: recommend.BestQuality, Basis: evidence.Basis{Records: records},
				Caps:           map[plan.Metric]float64{plan.Params: 120e6},
				TokensPerParam: tokensPerParam,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Log(name, tokensPerParam, r.Evidence.Law, r.Pick().Shape.Name, r.Pick().Why)
			return r.Pick().Shape
		}
		short, long := ask(20), ask(320)
		if short.Decoder.Layers > 12 {
			t.Errorf(
				"%s: at 20 tokens a parameter the pick has %d layers; the records say about %.1f",
				name, short.Decoder.Layers, 8*math.Pow(2.4, 0.25))
		}
		if long.Decoder.Layers <= short.Decoder.Layers {
			t.Errorf(
				"%s: 16 times the tokens move the pick from %d to %d layers; the records say deeper", name, short.Decoder.Layers, long.Decoder.Layers)
		}
	}
}

// Without a length the runs are as long as the records': shallow shapes win there.
func TestLengthIsTheRecords(t *testing.T) {
	r, err := recommend.Recommend(recommend.Request{
		Family: shapes.GPT, Objective: recommend.BestQuality, Basis: evidence.Basis{Records: sweep(t, []float64{20})},
		Caps: map[plan.Metric]float64{plan.Params: 120e6},
	})
	if err != nil {
		t.Fatal(err)
	}
	if l := r.Pick().Shape.Decoder.Layers; l > 12 {
		t.Errorf("the pick has %d layers", l)
	}
	if !strings.Contains(strings.Join(r.Evidence.Notes, "; "), "20 tokens per parameter") {
		t.Errorf("notes %q", r.Evidence.Notes)
	}
}

func TestOneAspectRatioIsNotRanked(t *testing.T) {
	var records []evidence.Record
	for _, layers := range []int{4, 6, 8, 10, 12, 14, 16, 20} {
		s := decoder(t, 64*layers, layers)
		n := float64(flops.CountParameters(&s).Total)
		records = append(records, record(&s, 20*n, sweepLoss(n, 20*n, float64(layers))))
	}
	r, err := recommend.Recommend(recommend.Request{
		Family: shapes.GPT, Objective: recommend.BestQuality, Basis: evidence.Basis{Records: records}, TokensPerParam: 20,
		Caps: map[plan.Metric]float64{plan.Params: 300e6},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Evidence.Unranked || !strings.Contains(strings.Join(r.Evidence.Notes, " "),
		"cannot rank aspect ratios") {
		t.Errorf("records of one aspect ratio: unranked %t, notes %q", r.Evidence.Unranked,
			r.Evidence.Notes)
	}
	for _, row := range r.Rows {
		const near = 0.12 // of the records' own ratio
		if ratio := float64(row.Shape.DModel) / float64(row.Shape.Decoder.Layers) / 64; !approx.Close(
			ratio, 1, near) {
			t.Errorf("%s has another aspect ratio than every record", row.Shape.Name)
		}
	}
}

// Scores are linked to the recorded losses and depth, and lead where there are any.
func TestRecordedScores(t *testing.T) {
	records := sweep(t, []float64{20, 160})
	for i := range records {
		score := 100 - 20**records[i].Loss + 2*math.Log(float64(records[i].DecoderLayers))
		records[i].Score = &score
	}
	r, err := recommend.Recommend(recommend.Request{
		Family: shapes.GPT, Objective: recommend.BestQuality, Basis: evidence.Basis{Records: records}, TokensPerParam: 20,
		Caps: map[plan.Metric]float64{plan.Params: 120e6},
	})
	if err != nil {
		t.Fatal(err)
	}
	pick := r.Pick()
	loss, score := pick.Quality.Upstream.Interval, pick.Quality.Downstream.Interval
	if score == nil {
		t.Fatalf("no score: %+v", pick.Quality)
	}
	const linear = 0.2 // the link is exact, the predicted loss is not
	if want := 100 - 20*loss.Value + 2*math.Log(float64(pick.Shape.Decoder.Layers)); !approx.Close(
		score.Value, want, linear) {
		t.Errorf("%s: score %.2f at a loss of %.3f, want %.2f", pick.Shape.Name, score.Value,
			loss.Value, want)
	}
	upstream, err := recommend.Recommend(recommend.Request{
		Family: shapes.GPT, Objective: recommend.BestQuality, Basis: evidence.Basis{Records: records, JudgedBy: evidence.ByUpstream}, TokensPerParam: 20,
		Caps: map[plan.Metric]float64{plan.Params: 120e6},
	})
	if err != nil {
		t.Fatal(err)
	}
	if pick.Shape.Decoder.Layers <= upstream.Pick().Shape.Decoder.Layers {
		t.Errorf("scores that reward depth pick %s, losses pick %s", pick.Shape.Name,
			upstream.Pick().Shape.Name)
	}
}

// A law fitted elsewhere leads: of two shapes of one size the one it prefers is picked.
func TestFittedLaw(t *testing.T) {
	shape := fit.ShapeAware()
	law := &fit.Result{Law: shape, RMS: 0.01, Rows: 50, Objective: fit.SquaredLog()}
	for _, p := range shape.Params { // the constants of shapeLaw
		law.Params = append(law.Params, map[string]float64{
			"E": 1.5, "A_width": 60, "A_depth": 1.5, "A_params": 300, "A_tokens": 500,
			"alpha_width": 0.7, "alpha_depth": 0.7, "alpha_params": 0.33, "alpha_tokens": 0.3,
		}[p.Name])
	}
	request := recommend.Request{
		Family: shapes.GPT, Objective: recommend.BestQuality, Basis: evidence.Basis{Fitted: law}, Question: plan.Question{Length: hardware.Length{Tokens: 5e9}},
		Caps: map[plan.Metric]float64{plan.Params: 300e6},
	}
	r, err := recommend.Recommend(request)
	if err != nil {
		t.Fatal(err)
	}
	pick := r.Pick()
	want := shapeLaw(float64(pick.Shape.DModel), float64(pick.Shape.Decoder.Layers),
		float64(pick.Params.Total), 5e9)
	const rounding = 1e-9
	if got := pick.Quality.Upstream.Interval.Value; !approx.Close(got, want, rounding) {
		t.Errorf("%s: loss %g, the law says %g", pick.Shape.Name, got, want)
	}
	// TestRecoversKnownLaw finds the optimum of this law at 16; of the widths near it only 1024 has
	// heads that spread over a node.
	if l := pick.Shape.Decoder.Layers; l < 10 || l > 28 {
		t.Errorf("the pick has %d layers", l)
	}
	law.Law = law.Law.On("wheels", "layers", "params", "tokens")
	if _, err := recommend.Recommend(request); err == nil || !strings.Contains(err.Error(), "wheels") {
		t.Errorf("a law of wheels: %v", err)
	}
}

func TestListsAreOfOneKind(t *testing.T) {
	_, err := recommend.Recommend(recommend.Request{
		Source: recommend.Listed, Candidates: []shapes.Shape{
			parse(t, "t5-small"),
			parse(t, "gpt2"),
		},
		Caps: map[plan.Metric]float64{plan.Params: 1e9},
	})
	if err == nil || !strings.Contains(err.Error(), "decoder-only") {
		t.Errorf("a list of t5-small and gpt2: %v", err)
	}
	r, err := recommend.Recommend(recommend.Request{
		Source: recommend.Listed, Candidates: []shapes.Shape{
			parse(t, "mt5-small"),
			parse(t, "mt5-base"),
		},
		Caps: map[plan.Metric]float64{plan.Params: 1e9},
	})
	if err != nil || r.Evidence.Missing == "" || len(r.Rows) != 2 {
		t.Errorf("mT5 has another tokenizer than the evidence: %v, %q", err, r.Evidence.Missing)
	}
}

// Results of one kind of model say nothing of another.
func TestKindsAreKeptApart(t *testing.T) {
	caps := map[plan.Metric]float64{plan.Params: 120e6}
	r, err := recommend.Recommend(recommend.Request{
		Family:    shapes.GPT,
		Objective: recommend.BestQuality, Caps: caps,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range r.Rows {
		if row.Quality.Downstream.Interval != nil || row.Nearest != nil {
			t.Fatalf("%s, decoder-only, has a score from encoder-decoders: %+v", row.Shape.Name,
				row.Quality)
		}
	}
	if r.Evidence.Kind != "laws" {
		t.Errorf("decoder-only models are judged by %s", r.Evidence.Kind)
	}
	_, err = recommend.Recommend(recommend.Request{
		Objective: recommend.BestQuality, Caps: caps,
		Basis: evidence.Basis{Records: sweep(t, []float64{20})},
	})
	var none *recommend.NoAnswerError
	if !errors.As(err, &none) || !none.Unjudged || !strings.Contains(err.Error(), "usable records") {
		t.Errorf("decoder-only records for an encoder-decoder: %v", err)
	}
}

func TestNoAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		request recommend.Request
		axis    plan.Metric
		text    string
	}{
		"below the smallest": {
			request: recommend.Request{
				Caps:      map[plan.Metric]float64{plan.Params: 1e5},
				Objective: recommend.BestQuality,
			},
			axis: plan.Params, text: "params at most 100",
		},
		"contradiction": {
			request: recommend.Request{
				Caps: map[plan.Metric]float64{
					plan.Params:   10e6,
					plan.RunFLOPs: 1e25,
				},
				Constraints: recommend.Constraints{MinDModel: 1024},
				Objective:   recommend.BestQuality,
			},
			axis: plan.Params, text: "params at most 10",
		},
	} {
		_, err := recommend.Recommend(test.request)
		var none *recommend.NoAnswerError
		if !errors.As(err, &none) {
			t.Errorf("%s: error %v, want a *NoAnswerError", name, err)
			continue
		}
		if len(none.Binding) != 1 || none.Binding[0].Metric != test.axis ||
			!(none.Binding[0].Nearest > none.Binding[0].Value) {
			t.Errorf("%s: binding %+v, want %s alone with a larger nearest value", name,
				none.Binding, test.axis)
			continue
		}
		if !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %q does not say %q", name, err, test.text)
		}
		relaxed := test.request
		relaxed.Caps = map[plan.Metric]float64{test.axis: none.Binding[0].Nearest}
		if _, err := recommend.Recommend(relaxed); err != nil {
			t.Errorf("%s: the nearest feasible value %g is not feasible: %v", name,
				none.Binding[0].Nearest, err)
		}
	}
	for text, constraints := range map[string]recommend.Constraints{
		"at least 30 and at most 20 layers": {MinDepth: 30, MaxDepth: 20},
		"d_model of at least 900":           {MinDModel: 900, MaxDModel: 800},
		"no multiple of 128":                {MinDModel: 130, MaxDModel: 250, Align: 128},
	} {
		_, err := recommend.Recommend(
			recommend.Request{
				Caps:        map[plan.Metric]float64{plan.Params: 1e9},
				Constraints: constraints,
			})
		var none *recommend.NoAnswerError
		if !errors.As(err, &none) || !strings.Contains(err.Error(), text) {
			t.Errorf("%+v: %v, want a *NoAnswerError that says %q", constraints, err, text)
		}
	}
}

// shapeLaw is a shape-aware law of the Gemstones form (McLeish et al. 2025, arXiv 2502.06857) with
// constants of our own, so that the best depth lies inside the lattice.
func shapeLaw(width, layers, params, tokens float64) float64 {
	return 1.5 + 60*math.Pow(width, -0.7) + 1.5*math.Pow(layers, -0.7) +
		300*math.Pow(params, -0.33) + 500*math.Pow(tokens, -0.3)
}

func TestRecoversKnownLaw(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: many fits of a known law")
	}
	const (
		seeds     = 200
		noise     = 0.01 // standard deviation of the loss in nats
		needed    = 0.95 // the share of seeds
		maxRegret = 0.5 * noise
		tokens    = 5e9
	)
	// The lattice steps in depth by a fifth to a third. Each depth takes the width nearest to d_ff
	// = 4·d_model at 300M parameters, and the d_ff that fills them, so that the candidates differ
	// in shape alone.
	depths := []int{3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64}
	var candidates []shapes.Shape
	for _, layers := range depths {
		var s shapes.Shape
		for w := 64; ; w += 64 {
			next := decoder(t, w, layers)
			if flops.CountParameters(&next).Total > 300e6 {
				break
			}
			s = next
		}
		ff := s.Decoder.DFF
		for ; flops.CountParameters(&s).Total < 300e6; s.Decoder.DFF += 16 {
			ff = s.Decoder.DFF
		}
		candidates = append(candidates, parse(t, fmt.Sprintf("gpt2/nl=%d,dm=%d,ff=%d,nh=%d", layers,
			s.DModel, ff, s.Decoder.Heads)))
	}
	truth := func(s *shapes.Shape) float64 {
		return shapeLaw(float64(s.DModel), float64(s.Decoder.Layers),
			float64(flops.CountParameters(s).Total), tokens)
	}
	best := 0
	for i := range candidates {
		if truth(&candidates[i]) < truth(&candidates[best]) {
			best = i
		}
	}
	near, regret := 0, 0.0
	for seed := range seeds {
		random := rand.New(rand.NewPCG(uint64(seed), 6))
		var records []evidence.Record
		for _, w := range []int{256, 384, 512, 768, 1024, 1536} {
			for _, layers := range []int{4, 8, 12, 24, 48} {
				for _, d := range []float64{1e9, 4e9, 16e9} {
					s := decoder(t, w, layers)
					n := float64(flops.CountParameters(&s).Total)
					records = append(records, record(&s, d,
						shapeLaw(float64(w), float64(layers), n, d)+noise*random.NormFloat64()))
				}
			}
		}
		r, err := recommend.Recommend(recommend.Request{
			Family: shapes.GPT, Objective: recommend.BestQuality, Basis: evidence.Basis{Records: records}, Question: plan.Question{Length: hardware.Length{Tokens: tokens}},
			Source: recommend.Listed, Candidates: candidates,
			Caps: map[plan.Metric]float64{plan.Params: 1e9},
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range candidates {
			if candidates[i].SameArchitecture(r.Pick().Shape) {
				if i >= best-1 && i <= best+1 {
					near++
				}
				regret += (truth(&candidates[i]) - truth(&candidates[best])) / seeds
			}
		}
	}
	if best == 0 || best == len(candidates)-1 {
		t.Fatalf("the optimum is at the end of the lattice: depth %d", depths[best])
	}
	t.Logf("depth %d: within one step in %d of %d seeds, mean regret %.5f nats", depths[best], near,
		seeds, regret)
	if float64(near) < needed*seeds {
		t.Errorf("the pick is within one lattice step of the true optimum in %d of %d seeds", near,
			seeds)
	}
	if regret > maxRegret {
		t.Errorf("mean regret %.4f nats, want at most %.4f", regret, maxRegret)
	}
}

// The sweep's groups are its widths' parameter classes: the best depth of a class follows from the
// others.
func TestValidateOnSweep(t *testing.T) {
	rows := sweep(t, []float64{20})
	for i := range rows {
		rows[i].Group = strconv.Itoa(int(math.Round(math.Log2(rows[i].Params / 1e6))))
	}
	v, err := evidence.Validate(rows, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(v)
	for _, b := range v.Baselines {
		if v.Ours.Regret > b.Regret || v.Ours.Spearman < b.Spearman {
			t.Errorf("regret %.4f and Spearman %.3f, no better than %s: %.4f and %.3f",
				v.Ours.Regret, v.Ours.Spearman, b.Name, b.Regret, b.Spearman)
		}
	}
}
