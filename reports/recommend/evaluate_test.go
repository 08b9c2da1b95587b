package recommend

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// oneJudgement says the same of every shape.
type oneJudgement struct {
	evidence.Judge
	unit      string
	measures  bool
	judgement evidence.Judgement
}

func (j oneJudgement) Unit() string { return j.unit }

func (j oneJudgement) Measures(evidence.Subject) bool { return j.measures }

func (j oneJudgement) Judgement(evidence.Subject) evidence.Judgement { return j.judgement }

// A published shape is of interest as long as its interval reaches what is enough, 70 points or 1.8
// nats; a loss by its low end. What was measured for certain does not reach above its value.
func TestReaches(t *testing.T) {
	score := func(high float64) evidence.Quality {
		return evidence.Quality{Downstream: hardware.Estimate{
			Interval: &quantity.Interval{Value: 60, Low: 50, High: high},
		}}
	}
	loss := func(low float64) evidence.Quality {
		return evidence.Quality{Upstream: hardware.Estimate{
			Interval: &quantity.Interval{Value: 2, Low: low, High: 2.5},
		}}
	}
	for name, c := range map[string]struct {
		enough  float64
		unit    string
		quality evidence.Quality
		class   evidence.Class
		unread  bool
		want    bool
	}{
		"a score just so":    {70, "points", score(70), evidence.Rule, false, true},
		"a score below":      {70, "points", score(69.9), evidence.Rule, false, false},
		"no score":           {70, "points", loss(1), evidence.Rule, false, false},
		"a measured score":   {70, "points", score(80), evidence.Measured, false, false},
		"nobody measured it": {70, "points", score(80), evidence.Rule, true, false},
		"a loss just so":     {-1.8, evidence.LossUnit, loss(1.8), evidence.Rule, false, true},
		"a loss above":       {-1.8, evidence.LossUnit, loss(1.81), evidence.Rule, false, false},
		"no loss":            {-1.8, evidence.LossUnit, score(80), evidence.Rule, false, false},
	} {
		e := evaluator{enough: c.enough, judge: oneJudgement{
			unit: c.unit, measures: !c.unread,
			judgement: evidence.Judgement{Quality: c.quality, Class: c.class},
		}}
		if got := e.reaches(evidence.Subject{}); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// After less before on every axis; nil where either end is not known.
func TestChange(t *testing.T) {
	of := func(params int64, work, bytes, seconds float64) *plan.Answer {
		a := &plan.Answer{
			Params: flops.Parameters{Total: params}, StepTime: hardware.Exactly(seconds),
			Memory: flops.Memory{PeakBytes: bytes},
		}
		a.FLOPs.Step = work
		return a
	}
	c := changeOf(of(10, 100, 1000, 2), of(13, 160, 900, 2.5))
	if c.Params != 3 || c.FLOPs != 60 || c.MemoryBytes != -100 || c.StepSeconds == nil || *c.StepSeconds != 0.5 {
		t.Errorf("%+v", c)
	}
	if c.CostUSD != nil || c.DecodeSeconds != nil {
		t.Errorf("a change of what is not known: %+v", c)
	}
	untimed := of(13, 160, 900, 2.5)
	untimed.StepTime = hardware.Estimate{Missing: "no hardware"}
	for _, c := range []Change{changeOf(of(1, 1, 1, 1), untimed), changeOf(untimed, of(1, 1, 1, 1))} {
		if c.StepSeconds != nil {
			t.Errorf("a change of an unknown step time: %+v", c)
		}
	}
}

// Costs, by hand: a point is below what there is to beat where one weighed cost is; a limit that
// cannot be known is not kept.
func TestCostedWithin(t *testing.T) {
	base, err := shapes.Parse("t5-base")
	if err != nil {
		t.Fatal(err)
	}
	q, err := Request{Anchor: &base, Objective: plan.Params}.ask()
	if err != nil {
		t.Fatal(err)
	}
	e := q.evaluator()
	p := flops.CountParameters(&base)
	n := float64(p.Total)
	for name, c := range map[string]struct {
		limit  float64
		metric plan.Metric
		want   bool
		params float64 // to be below
		work   float64
		below  bool
	}{
		"at the limit":     {limit: n, metric: plan.Params, want: true, params: n, work: math.Inf(1), below: true},
		"above it":         {limit: n - 1, metric: plan.Params, want: false, params: n, work: 0, below: false},
		"nobody can know":  {limit: 1e9, metric: plan.StepTime, want: false, params: n + 1, work: 0, below: true},
		"no cheaper":       {limit: n, metric: plan.Params, want: true, params: n, work: 1, below: false},
		"cheaper in FLOPs": {limit: n, metric: plan.Params, want: true, params: 1, work: 1e30, below: true},
	} {
		e.limits = []bound{{c.metric, c.limit}}
		values := make([]float64, 1)
		if got := e.within(&base, &p, values); got != c.want {
			t.Errorf("%s: kept %t", name, got)
		}
		e.below[plan.Params], e.below[plan.RunFLOPs] = c.params, c.work
		var pt point
		if got := e.costed(&pt, &base, &p, values); got != c.below || pt.costs[plan.Params] != n {
			t.Errorf("%s: below %t, %g parameters", name, got, pt.costs[plan.Params])
		}
	}
}
