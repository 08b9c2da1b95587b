package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// estimateOf returns an estimate as JSON writes it.
func estimateOf(e fit.Estimate) estimateFields {
	out := estimateFields{Value: e.Value}
	if e.HasInterval {
		out.Low, out.High = finite(e.Low), finite(e.High)
	}
	return out
}

// optionalEstimate is estimateOf for a value that may be absent: 0 or NaN.
func optionalEstimate(e fit.Estimate) *estimateFields {
	if finite(e.Value) == nil || e.Value == 0 {
		return nil
	}
	out := estimateOf(e)
	return &out
}

// estimateCell prints an estimate that may lack an interval or a value.
func estimateCell(e fit.Estimate) Cell {
	switch {
	case finite(e.Value) == nil || e.Value == 0:
		return Cell{}
	case e.HasInterval && finite(e.Low) != nil && finite(e.High) != nil:
		return Estimate(interval{Value: e.Value, Low: e.Low, High: e.High})
	}
	return Amount(e.Value)
}

// Scanned is an isoFLOP fit or an envelope, with the rows it used.
type Scanned struct {
	IsoFLOP  *fit.IsoFLOPFit
	Envelope *fit.EnvelopeFit
	// Curves names the runs that Envelope's fronts index, and their sizes.
	Curves []NamedCurve
	Level  float64
	Used   int
	Drops  []DroppedRow
	Notes  []string // how columns were derived
}

// NamedCurve is a run of an envelope.
type NamedCurve struct {
	Name   string
	Params float64
}

type isoFLOPFields struct {
	A           estimateFields `json:"a"`
	B           estimateFields `json:"b"`
	SumMinusOne float64        `json:"a_plus_b_minus_1"`
	LnParamsAt1 float64        `json:"ln_params_at_1_flop"`
	LnTokensAt1 float64        `json:"ln_tokens_at_1_flop"`
	NarrowA     *float64       `json:"a_narrow,omitempty"`
	Level       float64        `json:"level"`
	Budgets     []budgetFields `json:"budgets"`
	Rows        rowsFields     `json:"rows"`
	Warnings    []string       `json:"warnings"`
}

type budgetFields struct {
	FLOPs        float64         `json:"flops"`
	Rows         int             `json:"rows"`
	Params       *estimateFields `json:"params,omitempty"`
	Tokens       *estimateFields `json:"tokens,omitempty"`
	Loss         *float64        `json:"loss,omitempty"`
	Position     *float64        `json:"position,omitempty"`
	NarrowParams *float64        `json:"narrow_params,omitempty"`
	Refused      *refusedFields  `json:"refused,omitempty"`
}

// IsoFLOP fills in the report of an isoFLOP fit.
func (r *Report) IsoFLOP(s *Scanned) {
	f := s.IsoFLOP
	out := isoFLOPFields{
		A: estimateOf(f.A), B: estimateOf(f.B), SumMinusOne: f.A.Value + f.B.Value - 1,
		LnParamsAt1: f.LnParamsAt1, LnTokensAt1: f.LnTokensAt1,
		Level: s.Level, Rows: rowsOf(s.Used, s.Drops), Warnings: append([]string{}, f.Warnings...),
		Budgets: []budgetFields{},
	}
	if f.NarrowA != 0 {
		out.NarrowA = &f.NarrowA
	}
	t := Table{
		Title: fmt.Sprintf("isoFLOP: params ∝ C^%s, tokens ∝ C^%s", exponentText(f.A),
			exponentText(f.B)),
		Columns: []Column{
			{Title: "budget", Kind: quantity.FLOP},
			{Title: "runs"},
			{Title: "best params", Kind: quantity.Params},
			{Title: "best tokens", Kind: quantity.Tokens},
			{Title: "loss", Digits: 4},
			{Title: "place in the scan", Kind: quantity.Fraction, Digits: 2},
			{Title: "refused"},
		},
	}
	for i := range f.Groups {
		g := &f.Groups[i]
		b := budgetFields{FLOPs: g.FLOPs, Rows: g.Rows}
		row := []Cell{Amount(g.FLOPs), Count(int64(g.Rows))}
		if g.Refused != nil {
			b.Refused = refusalOf(g.Refused)
			row = append(row, Cell{}, Cell{}, Cell{}, Cell{}, Text(g.Refused.Error()))
		} else {
			b.Params, b.Tokens, b.Loss, b.Position = optionalEstimate(g.Params),
				optionalEstimate(g.Tokens), finite(g.Loss), finite(g.Position)
			if g.NarrowParams != 0 {
				b.NarrowParams = finite(g.NarrowParams)
			}
			row = append(row, estimateCell(g.Params), estimateCell(g.Tokens), amountOrDash(g.Loss),
				amountOrDash(g.Position), Cell{})
		}
		out.Budgets = append(out.Budgets, b)
		t.Rows = append(t.Rows, row)
	}
	t.Notes = append(t.Notes, fmt.Sprintf("a + b = %s; intervals at %.0f %%.",
		quantity.Format(quantity.Number, f.A.Value+f.B.Value, 4), percent*s.Level))
	t.Notes = append(append(append(t.Notes, unshown(f)...), s.Notes...),
		dropNotes(s.Used, s.Drops)...)
	r.Document.Results = append(r.Document.Results, out)
	r.Tables = append(r.Tables, t)
}

// unshown are the warnings that no row of the table says already.
func unshown(f *fit.IsoFLOPFit) []string {
	var out []string
	for _, w := range f.Warnings {
		if !slices.ContainsFunc(f.Groups, func(g fit.IsoFLOPGroup) bool {
			return g.Refused != nil && strings.HasSuffix(w, g.Refused.Error())
		}) {
			out = append(out, w)
		}
	}
	return out
}

func exponentText(e fit.Estimate) string {
	if !e.HasInterval {
		return quantity.Format(quantity.Number, e.Value, 3)
	}
	return "(" + quantity.FormatInterval(quantity.Number,
		interval{Value: e.Value, Low: e.Low, High: e.High}) + ")"
}

type envelopeFields struct {
	A           estimateFields `json:"a"`
	LnParamsAt1 float64        `json:"ln_params_at_1_flop"`
	Level       float64        `json:"level"`
	Front       []frontFields  `json:"front"`
	Leaders     []leaderFields `json:"leaders"`
	Rows        rowsFields     `json:"rows"`
	Warnings    []string       `json:"warnings"`
}

type frontFields struct {
	Run    string  `json:"run"`
	Params float64 `json:"params"`
	FLOPs  float64 `json:"flops"`
	Loss   float64 `json:"loss"`
}

type leaderFields struct {
	Params    float64 `json:"params"`
	FLOPs     float64 `json:"flops"`
	FromFLOPs float64 `json:"from_flops"`
	ToFLOPs   float64 `json:"to_flops"`
}

// Envelope fills in the report of a training-curve envelope.
func (r *Report) Envelope(s *Scanned) {
	f := s.Envelope
	out := envelopeFields{
		A: estimateOf(f.A), LnParamsAt1: f.LnParamsAt1, Level: s.Level,
		Rows:     rowsOf(s.Used, s.Drops),
		Warnings: append([]string{}, f.Warnings...), Front: []frontFields{},
		Leaders: []leaderFields{},
	}
	for _, p := range f.Front {
		c := s.Curves[p.Curve]
		out.Front = append(out.Front, frontFields{c.Name, c.Params, p.FLOPs, p.Loss})
	}
	t := Table{
		Title: fmt.Sprintf("envelope: params ∝ C^%s", exponentText(f.A)),
		Columns: []Column{
			{Title: "params", Kind: quantity.Params},
			{Title: "leads from", Kind: quantity.FLOP},
			{Title: "to", Kind: quantity.FLOP},
		},
	}
	for _, l := range f.Leaders {
		out.Leaders = append(out.Leaders, leaderFields{l.Params, l.FLOPs, l.From, l.To})
		t.Rows = append(t.Rows, []Cell{Amount(l.Params), Amount(l.From), Amount(l.To)})
	}
	t.Notes = append(t.Notes, fmt.Sprintf(
		"%d of %d points are on the Pareto front of %d runs (--format json lists them); intervals at %.0f %%.", len(f.Front), s.Used, len(s.Curves), percent*s.Level))
	t.Notes = append(append(append(t.Notes, f.Warnings...), s.Notes...),
		dropNotes(s.Used, s.Drops)...)
	r.Document.Results = append(r.Document.Results, out)
	r.Tables = append(r.Tables, t)
}

// Allocated is the best split of one budget under one law.
type Allocated struct {
	Law        string
	Source     string // where its parameters come from
	Allocation *fit.Allocation
	Level      float64
	Nearest    []NearShape
	Warnings   []string
}

// NearShape is a catalogue shape near the best size, trained on the rest of the budget.
type NearShape struct {
	Shape  string
	Params int64
	Tokens float64
	Loss   float64
}

type allocationFields struct {
	FLOPs    float64           `json:"flops"`
	Law      string            `json:"law"`
	Source   string            `json:"source"`
	Params   estimateFields    `json:"params"`
	Tokens   estimateFields    `json:"tokens"`
	Loss     estimateFields    `json:"loss"`
	Level    float64           `json:"level,omitempty"`
	OffEdge  int               `json:"draws_without_optimum,omitempty"`
	Nearest  []nearShapeFields `json:"nearest_shapes"`
	Warnings []string          `json:"warnings"`
}

type nearShapeFields struct {
	Shape  string  `json:"shape"`
	Params int64   `json:"params"`
	Tokens float64 `json:"tokens"`
	Loss   float64 `json:"loss"`
}

// Allocate fills in the report of budgets split between parameters and tokens.
func (r *Report) Allocate(all []Allocated) {
	t := Table{Columns: []Column{
		{Title: "budget", Kind: quantity.FLOP},
		{Title: "params", Kind: quantity.Params},
		{Title: "tokens", Kind: quantity.Tokens},
		{Title: "tokens a parameter", Digits: 3},
		{Title: "loss", Digits: 4},
		{Title: "nearest shape"},
		{Title: "its loss", Digits: 4},
	}}
	sources := map[string]bool{}
	for i := range all {
		a := &all[i]
		x := a.Allocation
		out := allocationFields{
			FLOPs: x.FLOPs, Law: a.Law, Source: a.Source,
			Params: splitOf(math.Round(x.Params), x.ParamsInterval),
			Tokens: splitOf(math.Round(x.Tokens), x.TokensInterval),
			Loss:   splitOf(x.Loss, x.LossInterval), OffEdge: x.OffEdge, Nearest: []nearShapeFields{},
			Warnings: append([]string{}, a.Warnings...),
		}
		if x.ParamsInterval != nil {
			out.Level = a.Level
		}
		for _, n := range a.Nearest {
			out.Nearest = append(out.Nearest, nearShapeFields(n))
		}
		r.Document.Results = append(r.Document.Results, out)
		row := []Cell{
			Amount(x.FLOPs), splitCell(x.Params, x.ParamsInterval),
			splitCell(x.Tokens, x.TokensInterval), Amount(x.Tokens / x.Params),
			splitCell(x.Loss, x.LossInterval),
			{},
			{},
		}
		if len(a.Nearest) > 0 {
			row[5], row[6] = Text(a.Nearest[0].Shape), Amount(a.Nearest[0].Loss)
		}
		t.Rows = append(t.Rows, row)
		if note := a.Law + ": " + a.Source; !sources[note] {
			sources[note] = true
			t.Notes = append(t.Notes, note+".")
		}
		t.Notes = append(t.Notes, a.Warnings...)
	}
	t.Notes = append(t.Notes,
		"FLOPs of training are counted as 6·params·tokens. The nearest shape is trained on the tokens that the budget leaves it.")
	r.Tables = append(r.Tables, t)
}

func splitOf(v float64, in *fit.Interval) estimateFields {
	e := estimateFields{Value: v}
	if in != nil {
		e.Low, e.High = finite(in.Low), finite(in.High)
	}
	return e
}

func splitCell(v float64, in *fit.Interval) Cell {
	if in == nil {
		return Amount(v)
	}
	return Estimate(interval{Value: v, Low: in.Low, High: in.High})
}
