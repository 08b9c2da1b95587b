package result

import (
	"math"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

// IsoFLOP is the result of isoflop: the power laws N = C^A and D = C^B, and the budgets behind
// them.
type IsoFLOP struct {
	Group       map[string]string `json:"group,omitempty"`
	A           Estimate          `json:"a"`
	B           Estimate          `json:"b"`
	SumMinusOne float64           `json:"a_plus_b_minus_1"`
	LnParamsAt1 float64           `json:"ln_params_at_1_flop"`
	LnTokensAt1 float64           `json:"ln_tokens_at_1_flop"`
	NarrowA     *float64          `json:"a_narrow,omitempty"`
	Level       float64           `json:"level"`
	Budgets     []Budget          `json:"budgets"`
	Panels      []Panel           `json:"panels"`
	Rows        Rows              `json:"rows"`
	Warnings    []string          `json:"warnings"`
}

// Budget is the minimum of one budget's parabola, or why it has none; see [fit.IsoFLOPGroup].
type Budget struct {
	FLOPs        float64   `json:"flops"`
	Rows         int       `json:"rows"`
	Params       *Estimate `json:"params,omitempty"`
	Tokens       *Estimate `json:"tokens,omitempty"`
	Loss         *float64  `json:"loss,omitempty"`
	Position     *float64  `json:"position,omitempty"`
	NarrowParams *float64  `json:"narrow_params,omitempty"`
	Refused      *Refused  `json:"refused,omitempty"`
}

// IsoFLOPOf returns an isoFLOP fit as JSON writes it.
func IsoFLOPOf(s *learn.Scanned) IsoFLOP {
	f := s.IsoFLOP
	out := IsoFLOP{
		Group: s.Part,
		A:     estimateOf(f.A), B: estimateOf(f.B), SumMinusOne: f.A.Value + f.B.Value - 1,
		LnParamsAt1: f.LnParamsAt1, LnTokensAt1: f.LnTokensAt1, Level: s.Level, Budgets: []Budget{},
		Rows: RowsOf(s.Used, s.Drops), Warnings: append([]string{}, f.Warnings...),
	}
	if f.NarrowA != 0 {
		out.NarrowA = &f.NarrowA
	}
	for i := range f.Groups {
		g := &f.Groups[i]
		b := Budget{FLOPs: g.FLOPs, Rows: g.Rows}
		if g.Refused != nil {
			b.Refused = refusedOf(g.Refused)
		} else {
			b.Params, b.Tokens = optional(g.Params), optional(g.Tokens)
			b.Loss, b.Position = Finite(g.Loss), Finite(g.Position)
			if g.NarrowParams != 0 {
				b.NarrowParams = Finite(g.NarrowParams)
			}
		}
		out.Budgets = append(out.Budgets, b)
	}
	return out
}

// Envelope is the result of envelope: the power law N = C^A, the front and the sizes behind it.
type Envelope struct {
	A           Estimate     `json:"a"`
	LnParamsAt1 float64      `json:"ln_params_at_1_flop"`
	Level       float64      `json:"level"`
	Front       []FrontPoint `json:"front"`
	Leaders     []Leader     `json:"leaders"`
	Panels      []Panel      `json:"panels"`
	Rows        Rows         `json:"rows"`
	Warnings    []string     `json:"warnings"`
}

// FrontPoint is a point of a run that no other reaches for as few FLOPs.
type FrontPoint struct {
	Run    string  `json:"run"`
	Params float64 `json:"params"`
	FLOPs  float64 `json:"flops"`
	Loss   float64 `json:"loss"`
}

// Leader is a size and the budgets over which it leads; FLOPs is their geometric mean.
type Leader struct {
	Params    float64 `json:"params"`
	FLOPs     float64 `json:"flops"`
	FromFLOPs float64 `json:"from_flops"`
	ToFLOPs   float64 `json:"to_flops"`
}

// EnvelopeOf returns an envelope as JSON writes it.
func EnvelopeOf(s *learn.Scanned) Envelope {
	f := s.Envelope
	out := Envelope{
		A: estimateOf(f.A), LnParamsAt1: f.LnParamsAt1, Level: s.Level,
		Rows:     RowsOf(s.Used, s.Drops),
		Warnings: append([]string{}, f.Warnings...), Front: []FrontPoint{}, Leaders: []Leader{},
	}
	for _, p := range f.Front {
		c := s.Curves[p.Curve]
		out.Front = append(out.Front, FrontPoint{c.Name, c.Params, p.FLOPs, p.Loss})
	}
	for _, l := range f.Leaders {
		out.Leaders = append(out.Leaders, Leader{l.Params, l.FLOPs, l.From, l.To})
	}
	return out
}

// Panel is one drawing of numbers over two axes, as --plot draws it.
type Panel struct {
	Title  string   `json:"title"`
	X      Axis     `json:"x"`
	Y      Axis     `json:"y"`
	Series []Series `json:"series"`
}

// Axis is an axis of a [Panel]. Of is the column whose unit its numbers have: params, tokens or
// flops; empty for plain numbers.
type Axis struct {
	Title string `json:"title"`
	Of    string `json:"of,omitempty"`
	Log   bool   `json:"log,omitempty"`
}

// Series is points or a line; what belongs together has one colour. X and Y have one length.
type Series struct {
	Name   string    `json:"name,omitempty"`
	Line   bool      `json:"line,omitempty"`
	Colour int       `json:"colour"`
	X      []float64 `json:"x"`
	Y      []float64 `json:"y"`
}

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
