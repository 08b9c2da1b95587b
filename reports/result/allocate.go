package result

import (
	"math"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
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
	Warnings []string    `json:"warnings"`
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
