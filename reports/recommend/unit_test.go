package recommend

import (
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Heads above 8 are multiples of 8.
func TestShardable(t *testing.T) {
	for heads, want := range map[int]bool{1: true, 7: true, 8: true, 9: false, 12: false, 16: true, 79: false, 80: true} {
		if shardable(heads) != want {
			t.Errorf("%d heads: %t", heads, !want)
		}
	}
}

// filledSpace returns the candidates of a request.
func filledSpace(t *testing.T, r Request) (Request, space) {
	t.Helper()
	r, err := r.filled()
	if err != nil {
		t.Fatal(err)
	}
	sp, err := r.space()
	if err != nil {
		t.Fatal(err)
	}
	return r, sp
}

// A lattice has every depth up to 12, the even ones above, and its ends; where the published results
// judge it ends at 36.
func TestLatticeDepths(t *testing.T) {
	base, _ := shapes.Parse("t5-base")
	_, sp := filledSpace(t, Request{Anchor: &base})
	want := []int{2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36}
	if !slices.Equal(sp.encoder, want) || !slices.Equal(sp.decoder, want) {
		t.Errorf("depths %v and %v", sp.encoder, sp.decoder)
	}
	_, sp = filledSpace(t, Request{Anchor: &base, Constraints: Constraints{MinDepth: 13, MaxDepth: 17}})
	if !slices.Equal(sp.encoder, []int{13, 14, 16, 17}) {
		t.Errorf("depths 13 to 17: %v", sp.encoder)
	}
	gpt := Request{Family: shapes.GPT, Params: 1e9}
	_, sp = filledSpace(t, gpt)
	if !slices.Equal(sp.encoder, []int{0}) || sp.decoder[len(sp.decoder)-1] != 80 {
		t.Errorf("depths of decoders: %v and %v", sp.encoder, sp.decoder)
	}
	widest := 0
	for _, w := range sp.widths {
		widest = max(widest, w.dModel)
		if w.size == "" && (w.dff != 4*w.dModel || !shardable(w.heads) || w.heads*w.dkv != w.dModel) {
			t.Errorf("width %+v", w)
		}
	}
	if widest != 8192 {
		t.Errorf("widest decoder %d", widest)
	}
}

// The catalogue comes before the lattice in one space; every index gives the shape it stands for.
func TestMixedSpace(t *testing.T) {
	base, _ := shapes.Parse("t5-base")
	_, catalogue := filledSpace(t, Request{Anchor: &base, Source: Catalogue})
	_, lattice := filledSpace(t, Request{Anchor: &base, Source: Lattice, Constraints: Constraints{TieDepths: true}})
	_, mixed := filledSpace(t, Request{Anchor: &base, Source: Mixed, Constraints: Constraints{TieDepths: true}})
	if lattice.len() != len(lattice.widths)*len(lattice.encoder) {
		t.Errorf("%d tied shapes of %d widths and %d depths", lattice.len(), len(lattice.widths), len(lattice.encoder))
	}
	var a, b shapes.Shape
	tied := 0
	for i := range catalogue.len() {
		mixed.at(i, &a)
		catalogue.at(i, &b)
		if a.Encoder.Layers == a.Decoder.Layers {
			tied++
		}
		if i < len(mixed.list) && mixed.widthAt(i) != nil {
			t.Fatalf("%s has a width of the lattice", a.Name)
		}
	}
	if tied == 0 || mixed.len() != len(mixed.list)+lattice.len() {
		t.Errorf("%d candidates of %d and %d", mixed.len(), len(mixed.list), lattice.len())
	}
	for i := range lattice.len() {
		lattice.at(i, &a)
		mixed.at(len(mixed.list)+i, &b)
		if a != b || mixed.widthAt(len(mixed.list)+i).dModel != a.DModel {
			t.Fatalf("candidate %d: %+v, alone %+v", i, b, a)
		}
	}
}

// Of a mixed space the catalogue's shapes are released, and the lattice's are not, from the first on.
func TestReleased(t *testing.T) {
	base, _ := shapes.Parse("t5-base")
	q, err := Request{Anchor: &base, Source: Mixed, Objective: BestQuality}.ask()
	if err != nil {
		t.Fatal(err)
	}
	e := q.evaluator()
	n := len(q.space.list)
	var s shapes.Shape
	for index, want := range map[int]bool{0: true, n - 1: true, n: false, n + 1: false} {
		q.space.at(index, &s)
		p := flops.CountParameters(&s)
		if pt, ok, _ := e.point(index, &s, &p, nil); !ok || pt.released != want || pt.index != index {
			t.Errorf("candidate %d of %d released: %t, %t", index, n, pt.released, ok)
		}
	}
	e.all = true
	q.space.at(0, &s)
	p := flops.CountParameters(&s)
	if pt, _, _ := e.point(0, &s, &p, nil); pt.released {
		t.Error("a listed shape counts as released")
	}
}

// TestDearRowsAreSkipped: what is passed over, since a shallower shape costs too much already,
// changes neither what is kept nor what is counted. The other walk looks at every candidate, as with a
// limit on size that none reaches.
func TestDearRowsAreSkipped(t *testing.T) {
	for _, name := range []string{"t5-small", "t5-base/nl=5,dm=640,nh=10"} {
		anchor, err := shapes.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		q, err := Request{Anchor: &anchor, Objective: plan.Params}.ask()
		if err != nil {
			t.Fatal(err)
		}
		e := q.evaluator()
		beat, err := (&viewer{asked: q, names: catalogue()}).anchor()
		if err != nil {
			t.Fatal(err)
		}
		e.against(&q.Request, beat)
		some := e.run(1)
		e.params[1] = math.MaxFloat64
		if all := e.run(1); !reflect.DeepEqual(some, all) || len(all.points) == 0 {
			t.Errorf("%s: %d points of %d, want %d of %d", name, len(some.points), some.feasible,
				len(all.points), all.feasible)
		}
	}
}

// Constraints on lists, by hand: each shape is left out by exactly the constraint named.
func TestWithin(t *testing.T) {
	small, _ := shapes.Parse("t5-efficient-small") // d 512, 6 layers each, vocabulary 32,128
	for name, c := range map[string]struct {
		constraints Constraints
		kept        bool
	}{
		"none":            {Constraints{MaxDepth: 48}, true},
		"narrow enough":   {Constraints{MaxDModel: 512, MaxDepth: 6, MinDepth: 6, MinDModel: 512}, true},
		"too narrow":      {Constraints{MinDModel: 513, MaxDepth: 48}, false},
		"too wide":        {Constraints{MaxDModel: 511, MaxDepth: 48}, false},
		"too shallow":     {Constraints{MinDepth: 7, MaxDepth: 48}, false},
		"too deep":        {Constraints{MaxDepth: 5}, false},
		"other tokenizer": {Constraints{Vocab: 32000, MaxDepth: 48}, false},
		"its own":         {Constraints{Vocab: 32128, MaxDepth: 48, TieDepths: true}, true},
	} {
		r := Request{Constraints: c.constraints}
		if got := len(r.within([]shapes.Shape{small})) == 1; got != c.kept {
			t.Errorf("%s: kept %t", name, got)
		}
	}
	deep, _ := shapes.Parse("t5-efficient-small-el32")
	r := Request{Constraints: Constraints{TieDepths: true, MaxDepth: 48}}
	if len(r.within([]shapes.Shape{deep})) != 0 {
		t.Error("unequal stacks kept where they are tied")
	}
}

// What a request leaves open: the length of a run and its batch, the objective.
func TestWhatIsLeftOpen(t *testing.T) {
	base, _ := shapes.Parse("t5-base")
	gpt, _ := shapes.Parse("gpt2")
	for name, c := range map[string]struct {
		r     Request
		ratio float64
		batch int
	}{
		"a budget of decoders":        {Request{Family: shapes.GPT, Params: 1e9}, 20, 1024},
		"decoders of a stated batch":  {Request{Family: shapes.GPT, Params: 1e9, Question: plan.Question{Workload: flops.Workload{Batch: 8}}}, 20, 8},
		"of a stated length":          {Request{Family: shapes.GPT, Params: 1e9, Question: plan.Question{Length: hardware.Length{Tokens: 1e9}}}, 0, 1024},
		"shorter sequences":           {Request{Family: shapes.GPT, Params: 1e9, Question: plan.Question{Workload: flops.Workload{DecoderLength: 256}}}, 20, 4096},
		"a named decoder":             {Request{Anchor: &gpt}, 0, 0},
		"listed decoders":             {Request{Source: Listed, Candidates: []shapes.Shape{gpt}}, 0, 0},
		"a T5":                        {Request{Anchor: &base}, 0, 0},
		"a budget of encoder-decoder": {Request{Params: 1e9}, 0, 0},
	} {
		got, err := c.r.filled()
		if err != nil || got.TokensPerParam != c.ratio || got.Question.Workload.Batch != c.batch {
			t.Errorf("%s: %g tokens a parameter, batch %d, %v", name, got.TokensPerParam, got.Question.Workload.Batch, err)
		}
		if (got.assumed != "") != (c.ratio > 0 || c.batch == 1024) {
			t.Errorf("%s: told %q", name, got.assumed)
		}
	}
	profile, err := hardware.Find("a100")
	if err != nil {
		t.Fatal(err)
	}
	priced := plan.Question{Profile: &profile, Devices: 8, Search: true}
	for name, c := range map[string]struct {
		r    Request
		want plan.Metric
	}{
		"no machine":  {Request{Anchor: &base}, plan.RunFLOPs},
		"a machine":   {Request{Anchor: &base, Question: priced}, plan.Cost},
		"no anchor":   {Request{Params: 1e9, Question: priced}, BestQuality},
		"what is set": {Request{Anchor: &base, Objective: plan.Memory}, plan.Memory},
	} {
		q, err := c.r.ask()
		if err != nil || q.Objective != c.want {
			t.Errorf("%s: %v, %v", name, q.Objective, err)
		}
	}
}

// Better on every axis: nothing known costs more, and something less.
func TestEverywhere(t *testing.T) {
	half, none, more := 0.5, 0.0, -0.1
	for name, c := range map[string]struct {
		s    Saved
		want bool
	}{
		"one less":            {Saved{Params: &half}, true},
		"one less, one equal": {Saved{Params: &half, Cost: &none}, true},
		"all equal":           {Saved{Params: &none, FLOPs: &none}, false},
		"one more":            {Saved{Params: &half, Memory: &more}, false},
		"nothing known":       {Saved{}, false},
		"the last more":       {Saved{Params: &half, Cost: &more}, false},
	} {
		if got := c.s.everywhere(); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// matter keeps what no other beats on some axis, by hand: costs on params and FLOPs, score.
func TestMatter(t *testing.T) {
	mk := func(index int, params, work, score float64) point {
		p := point{index: index, score: score}
		p.costs[plan.Params], p.costs[plan.RunFLOPs] = params, work
		return p
	}
	e := evaluator{
		weighed: []plan.Metric{plan.Params, plan.RunFLOPs},
		below:   everywhere(math.Inf(1)), anchor: everywhere(math.Inf(1)),
	}
	points := []point{
		mk(0, 1, 9, 1), // the cheapest in params
		mk(1, 2, 8, 3), // better
		mk(2, 3, 7, 2), // beaten in params, and in FLOPs by 3
		mk(3, 9, 1, 2), // the cheapest in FLOPs
		mk(4, 9, 9, 2), // beaten on both
		mk(5, 9, 9, 0), // beaten, and measured
		mk(6, 9, 9, 0), // beaten, and released
	}
	points[5].measured, points[6].released = true, true
	var got []int
	for _, p := range e.matter(points) {
		got = append(got, p.index)
	}
	if want := []int{0, 1, 3, 5, 6}; !slices.Equal(got, want) {
		t.Errorf("kept %v, want %v", got, want)
	}
	e.below[plan.Params] = 2
	if by := e.by(points, plan.Params); len(by) != 1 || by[0].index != 0 || by[0].cost != 1 {
		t.Errorf("below 2 parameters: %+v", by)
	}
	by := e.by(points, plan.RunFLOPs)
	if len(by) != 7 || by[0].index != 3 || by[1].index != 2 || by[2].index != 1 || by[3].index != 4 || by[6].index != 6 {
		t.Errorf("by FLOPs: %+v", by) // equal costs by score, equal scores by index
	}
}

// Limits that candidates miss: value by limit, alone and together.
func TestMisses(t *testing.T) {
	limits := []bound{{plan.Params, 10}, {plan.RunFLOPs, 100}}
	var m misses
	m.record(7, []float64{12, 90}, limits)  // misses the first by 1.2
	m.record(8, []float64{11, 95}, limits)  // nearer
	m.record(9, []float64{20, 150}, limits) // both, by 2
	m.record(10, []float64{9, 300}, limits) // the second, by 3
	if a := m.alone[0]; !a.exists || a.index != 8 || a.value != 11 {
		t.Errorf("missing the first: %+v", a)
	}
	if a := m.alone[1]; a.index != 10 || a.value != 300 {
		t.Errorf("missing the second: %+v", a)
	}
	if m.all.index != 8 || !approx.Close(m.all.value, 1.1, 1e-12) {
		t.Errorf("nearest: %+v", m.all)
	}
	m.record(12, []float64{11, 95}, limits) // as near, and later
	if m.alone[0].index != 8 {
		t.Errorf("a tie goes to the later: %+v", m.alone[0])
	}
	m.record(6, []float64{11, 95}, limits) // as near, and earlier
	if m.alone[0].index != 6 || m.all.index != 6 {
		t.Errorf("a tie goes to the earlier: %+v, %+v", m.alone[0], m.all)
	}
	var other misses
	other.record(3, []float64{10.5, 90}, limits)
	m.merge(&other)
	if m.alone[0].index != 3 || m.all.index != 3 || m.alone[1].index != 10 {
		t.Errorf("merged: %+v", m)
	}
	var empty misses
	empty.merge(&m)
	if empty.alone[0].index != 3 {
		t.Errorf("merged into nothing: %+v", empty)
	}
}

// The sentences of a row, by hand.
func TestWhy(t *testing.T) {
	base, _ := shapes.Parse("t5-base")
	for ref, want := range map[string]string{
		"t5-base/nl=24":        "deeper than t5-base at the same width",
		"t5-base/nl=6":         "shallower than t5-base at the same width",
		"t5-base/dm=1024":      "wider than t5-base at the same depth",
		"t5-base/dm=512":       "narrower than t5-base at the same depth",
		"t5-base/nl=24,dm=512": "deeper and narrower than t5-base",
		"t5-base/ff=1024":      "as deep and as wide as t5-base",
		"t5-base/el=24,dl=1":   "deeper than t5-base at the same width",
	} {
		s, err := shapes.Parse(ref)
		if err != nil {
			t.Fatal(err)
		}
		if got := movement(&s, &base); got != want {
			t.Errorf("%s: %q", ref, got)
		}
	}
	saved, more, zero := 0.404, -0.1, 0.0
	for want, s := range map[string]Saved{
		"−40 % params":                  {Params: &saved},
		"−40 % params, +10 % step time": {Params: &saved, StepTime: &more},
		"+10 % params, −0 % step time":  {Params: &more, StepTime: &zero},
	} {
		if got := changes(&Row{Saved: s}); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for want, c := range map[string][2]float64{
		"+1.2 ± 0.5": {1.21, 0.5}, "−1.2 ± 0.5": {-1.21, 0.5}, "0.0 ± 0.5": {0.04, 0.5},
		"−0.012 ± 0.050": {-0.012, 0.05}, "+0.1 ± 0.1": {0.1, 0.1},
	} {
		if got := difference(c[0], c[1]); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Copies divide the devices and the batch: of 8 devices and 6 sequences 2 and 1, and one device at last.
func TestSpreads(t *testing.T) {
	var got [][2]int
	for _, l := range spreads(8, flops.Workload{Batch: 6}) {
		got = append(got, [2]int{max(1, l.DP), max(1, l.TP)})
	}
	if want := [][2]int{{2, 4}, {1, 8}, {1, 1}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// From the 80 % of a step time to 95 %: 1.959964/1.281552 standard deviations.
func TestSpeedScale(t *testing.T) {
	if got := speedScale(0.95); !approx.Close(got, 1.959964/1.281552, 1e-6) || speedScale(hardware.Level) != 1 {
		t.Errorf("%g", got)
	}
}
