package recommend

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func lifetime(t *testing.T, serving plan.Serving, names ...string) (Request, []shapes.Shape) {
	t.Helper()
	p, err := hardware.Parse("a100,price=2")
	if err != nil {
		t.Fatal(err)
	}
	r := Request{
		Source: Listed, Objective: plan.LifetimeCost,
		Question: plan.Question{Profile: &p, Serving: &serving},
	}
	for _, name := range names {
		s, err := shapes.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		r.Candidates = append(r.Candidates, s)
	}
	return r, r.Candidates
}

// agreement is that of two ways to add the same times: no physics is in between.
const agreement = 1e-9

// What candidates are screened by is what their rows show: the bill of training and that of serving,
// requests · answer time / batch · devices · price.
func TestLifetimeCost(t *testing.T) {
	for _, serving := range []plan.Serving{
		{Tokens: 1e12}, {Tokens: 1e10, Prompt: 2048, Generate: 16}, {Tokens: 1e12, MaxSeconds: 1.5},
	} {
		r, list := lifetime(t, serving, "t5-base", "t5-base/el=24,dl=4", "t5-large", "t5-3b")
		q, err := r.ask()
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			s := &list[i]
			a, err := q.coster.full(s)
			if err != nil {
				t.Fatal(err)
			}
			p := a.Params
			if a.Serving.Decoding == nil {
				t.Fatalf("%s: %s", s.Name, a.Serving.Missing)
			}
			cheap, cost := q.coster.cheap(
				plan.LifetimeCost,
				s,
				&p,
			), q.coster.cheap(
				plan.Cost,
				s,
				&p,
			)
			full := a.LifetimeCost().Interval.Value
			seconds := a.Serving.Decoding.TotalSeconds.Value
			requests := serving.Tokens / float64(a.Serving.Prompt+a.Serving.Generate)
			life := requests * seconds / float64(a.Serving.Batch) * float64(a.Serving.TP) * 2 / 3600
			if !(math.Abs(full/(a.Schedule.Bill.CostUSD.Interval.Value+life)-1) <= agreement) {
				t.Errorf("%s: %g in its life, of which serving %g", s.Name, full, life)
			}
			if !(math.Abs(cheap-cost-life) <= agreement*cheap) {
				t.Errorf("%s: screened by %g, want %g", s.Name, cheap, cost+life)
			}
		}
	}
}

// Deep in the encoder costs training and no steps of generation, deep in the decoder the other way
// round: which of two shapes costs less in its life changes with the traffic, and with what the
// traffic is made of.
func TestTrafficChangesTheAnswer(t *testing.T) {
	const encoder, decoder = "t5-base/el=24,dl=4", "t5-base/el=6,dl=16"
	best := func(s plan.Serving) string {
		r, _ := lifetime(t, s, encoder, decoder)
		q, err := r.ask()
		if err != nil {
			t.Fatal(err)
		}
		name, least := "", math.Inf(1)
		for i := range r.Candidates {
			a, err := q.coster.full(&r.Candidates[i])
			if err != nil {
				t.Fatal(err)
			}
			if c := a.LifetimeCost().Interval.Value; c < least {
				name, least = r.Candidates[i].Name, c
			}
		}
		return name
	}
	for _, c := range []struct {
		serving plan.Serving
		want    string
	}{
		{plan.Serving{Tokens: 1e9}, decoder}, // training is the bill
		{plan.Serving{Tokens: 1e14}, encoder},
		{plan.Serving{Tokens: 1e14, Prompt: 32, Generate: 256}, encoder},
		{plan.Serving{Tokens: 1e14, Prompt: 2048, Generate: 2}, decoder}, // requests are all there is
	} {
		if got := best(c.serving); got != c.want {
			t.Errorf("%g tokens, %d in and %d out: %s costs least, want %s", c.serving.Tokens,
				c.serving.Prompt, c.serving.Generate, got, c.want)
		}
	}
}

// The whole of recommend by it: the pick saves the cost of a life, and a life without traffic is
// refused.
func TestRecommendLifetime(t *testing.T) {
	r, _ := lifetime(t, plan.Serving{Tokens: 1e12}, "t5-base")
	r.Anchor, r.Source, r.Candidates = &r.Candidates[0], Mixed, nil
	result, err := Recommend(r)
	if err != nil {
		t.Fatal(err)
	}
	pick := result.Pick()
	if pick == nil || pick.Saved.LifetimeCost == nil || !(*pick.Saved.LifetimeCost > 0) {
		t.Fatalf("the pick saves nothing of the cost of a life: %+v", pick)
	}
	r.Question.Serving = nil
	if _, err := Recommend(r); err == nil {
		t.Error("a life without traffic: want an error")
	}
}
