package result

import (
	"math"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

// Allocation is a result of allocate: the best split of one budget.
type Allocation struct {
	FLOPs    float64     `json:"flops"`
	Law      string      `json:"law"`
	Source   string      `json:"source"`
	Params   Estimate    `json:"params"`
	Tokens   Estimate    `json:"tokens"`
	Loss     Estimate    `json:"loss"`
	Level    float64     `json:"level,omitempty"`
	OffEdge  int         `json:"draws_without_optimum,omitempty"`
	Nearest  []NearShape `json:"nearest_shapes"`
	Serving  *Serving    `json:"serving,omitempty"`
	Warnings []string    `json:"warnings"`

	// of a budget spent on real shapes
	Budget     *Spent       `json:"budget,omitempty"`
	Cluster    string       `json:"cluster,omitempty"`
	Candidates []SizedShape `json:"candidates,omitempty"`
}

// Serving is a [learn.Served].
type Serving struct {
	Tokens float64 `json:"tokens"`
	Share  float64 `json:"share"`
	Usual  float64 `json:"params_without,omitempty"` // what training alone would choose for the loss
	Saved  float64 `json:"saved,omitempty"`
}

// Spent is what was given, one of the amounts.
type Spent struct {
	FLOPs       float64 `json:"flops,omitempty"`
	WallSeconds float64 `json:"wall_seconds,omitempty"`
	DeviceHours float64 `json:"device_hours,omitempty"`
	USD         float64 `json:"usd,omitempty"`
}

// SizedShape is a [recommend.SizedRow]: a shape, planned as long as the budget trains it.
type SizedShape struct {
	Why      string `json:"why"`
	Shape    Shape  `json:"shape"`
	Hardware string `json:"hardware,omitempty"`
	Run
	Workload Workload           `json:"workload"`
	Params   quantity.Interval  `json:"params"`
	Tokens   quantity.Interval  `json:"tokens"`
	Loss     quantity.Interval  `json:"loss"`
	RunFLOPs *quantity.Interval `json:"run_flops,omitempty"`
	Time     Time               `json:"time"`
	Cost     Cost               `json:"cost"`
	Served   float64            `json:"served_share,omitempty"`
}

// SizingOf returns the model that a budget buys as JSON writes it.
func SizingOf(s *recommend.Sizing, q *recommend.SizeQuestion, cluster string) Allocation {
	best := &s.Rows[0]
	whole := func(i quantity.Interval) Estimate {
		return Estimate{Value: i.Value, Low: Finite(i.Low), High: Finite(i.High)}
	}
	b := Spent(q.Budget)
	out := Allocation{
		Law: q.Law.Result.Law.Name, Source: q.Law.Source, Params: whole(best.Params),
		Tokens: whole(best.Tokens), Loss: whole(best.Loss), Level: s.Level, OffEdge: s.OffEdge,
		Nearest: []NearShape{}, Warnings: []string{}, Budget: &b, Cluster: cluster,
	}
	if i := best.Answer.RunFLOPs.Interval; i != nil {
		out.FLOPs = i.Value
	}
	if q.ServeTokens > 0 {
		out.Serving = &Serving{Tokens: q.ServeTokens, Share: best.Served}
	}
	for i := range s.Rows {
		r := &s.Rows[i]
		a := &r.Answer
		out.Candidates = append(out.Candidates, SizedShape{
			Why: r.Why, Shape: ShapeOf(&a.Run.Shape), Hardware: a.Run.Profile.Name, Run: *RunOf(&a.Run),
			Workload: plannedWorkload(a), Params: r.Params, Tokens: r.Tokens, Loss: r.Loss,
			RunFLOPs: a.RunFLOPs.Interval, Time: TimeOf(a), Cost: CostOf(&a.Schedule.Bill),
			Served: r.Served,
		})
	}
	return out
}

// NearShape is a [learn.NearShape].
type NearShape struct {
	Shape  string  `json:"shape"`
	Params int64   `json:"params"`
	Tokens float64 `json:"tokens"`
	Loss   float64 `json:"loss"`
}

// AllocationOf returns a split as JSON writes it.
func AllocationOf(a *learn.Allocated) Allocation {
	x := a.Allocation
	out := Allocation{
		FLOPs: x.FLOPs, Law: a.Law, Source: a.Source,
		Params: splitOf(math.Round(x.Params), x.ParamsInterval),
		Tokens: splitOf(math.Round(x.Tokens), x.TokensInterval),
		Loss:   splitOf(x.Loss, x.LossInterval), OffEdge: x.OffEdge, Nearest: []NearShape{},
		Warnings: []string{},
	}
	if v := a.Served; v != nil {
		out.Serving = &Serving{Tokens: v.Tokens, Share: v.Share, Usual: v.Usual, Saved: v.Saved}
	}
	if x.ParamsInterval != nil {
		out.Level = a.Level
	}
	for _, n := range a.Nearest {
		out.Nearest = append(out.Nearest, NearShape(n))
	}
	return out
}

func splitOf(v float64, in *fit.Interval) Estimate {
	e := Estimate{Value: v}
	if in != nil {
		e.Low, e.High = Finite(in.Low), Finite(in.High)
	}
	return e
}
