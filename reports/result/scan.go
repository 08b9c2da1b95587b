package result

import (
	"github.com/deepnarrow/deepnarrow/fit/learn"
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
