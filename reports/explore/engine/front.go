package engine

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/axis"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

// Front is the recommendation for a state: the state's shape as the anchor, then the rows in order.
type Front struct {
	Command string      `json:"command"`
	Axis    string      `json:"axis"`    // what cost is
	Quality string      `json:"quality"` // what quality is, in a sentence
	Rows    []FrontRow  `json:"rows"`
	Notes   []string    `json:"notes"`
	XTicks  []FrontTick `json:"x_ticks"`
	YTicks  []FrontTick `json:"y_ticks"`
}

// FrontTick is a labelled place on an axis.
type FrontTick struct {
	At   float64 `json:"at"`
	Text string  `json:"text"`
}

// FrontRow is one shape. Cost is in base units of the axis; quality is absent where nothing is
// known.
type FrontRow struct {
	Rank     int                `json:"rank"` // 0 is the anchor
	Name     string             `json:"name"`
	Pick     bool               `json:"pick,omitempty"`
	Tie      bool               `json:"tie,omitempty"`
	Cost     *float64           `json:"cost,omitempty"`
	CostText string             `json:"cost_text"`
	Params   int64              `json:"params"`
	Quality  *quantity.Interval `json:"quality,omitempty"`
	Score    string             `json:"score"`
	Saved    string             `json:"saved"`
	Step     string             `json:"step"`
	Money    string             `json:"money"`
	Depths   string             `json:"depths"`
	DModel   int                `json:"d_model"`
	Evidence string             `json:"evidence"`
	Why      string             `json:"why"`
}

// Recommend answers what else could be trained instead of a state's shape.
func Recommend(fragment string) (Front, error) {
	var out Front
	state, shape, err := settled(fragment)
	if err != nil {
		return out, err
	}
	objective, err := recommend.ParseObjective(state.Objective)
	if err != nil {
		return out, err
	}
	q, err := state.question()
	if err != nil {
		return out, err
	}
	q.Search = q.Layout == (flops.Layout{})
	request := recommend.Request{
		Anchor: &shape, Objective: objective, Question: q, Workers: 1,
		Constraints: recommend.Constraints{Align: latticeAlign},
	}
	if state.Among == "catalogue" {
		request.Source = recommend.Catalogue
	}
	result, err := recommend.Recommend(request)
	if err != nil {
		return out, err
	}
	out = Front{
		Command: state.frontCommand(), Axis: result.CostAxis.String(),
		Quality: "downstream score", Rows: []FrontRow{}, Notes: notes(&result),
	}
	if result.Anchor != nil {
		out.Rows = append(out.Rows, frontRow(result.Anchor, &result))
	}
	for i := range result.Rows {
		out.Rows = append(out.Rows, frontRow(&result.Rows[i], &result))
	}
	out.ticks(result.CostAxis)
	return out, nil
}

// latticeAlign is the default of `recommend --align`.
const latticeAlign = 64

func frontRow(row *recommend.Row, result *recommend.Result) FrontRow {
	f := FrontRow{
		Rank: row.Rank, Name: row.Shape.Name, Pick: row.Pick, Tie: row.Tie,
		Params: row.Params.Total, DModel: row.Shape.DModel,
		Depths:  fmt.Sprintf("%d/%d", row.Shape.Encoder.Layers, row.Shape.Decoder.Layers),
		Quality: row.Quality.Downstream.Interval, Evidence: row.Class.String(), Why: row.Why,
		Step:  estimateText(quantity.Duration, row.StepTime),
		Money: estimateText(quantity.Money, row.Schedule.Bill.CostUSD),
	}
	if row.Evidence == "recalled" {
		f.Evidence += " †"
	}
	f.Score = "–"
	if f.Quality != nil {
		f.Score = quantity.FormatInterval(quantity.Number, *f.Quality)
	}
	f.CostText, f.Saved = "–", "–"
	if cost := result.CostAxis.Of(&row.Answer).Interval; cost != nil {
		f.Cost, f.CostText = &cost.Value, quantity.Format(result.CostAxis.Kind(), cost.Value, 0)
		if result.Anchor != nil && row.Rank > 0 {
			if saved := result.CostAxis.Saved(&row.Answer, &result.Anchor.Answer); saved != nil {
				f.Saved = quantity.Format(quantity.Fraction, *saved, 0)
			}
		}
	}
	return f
}

func estimateText(kind quantity.Kind, e hardware.Estimate) string {
	if e.Interval == nil {
		return "–"
	}
	return quantity.FormatInterval(kind, *e.Interval)
}

// ticks puts a handful of labels on both axes, at even steps.
func (f *Front) ticks(cost plan.Metric) {
	var costs, scores []float64
	for i := range f.Rows {
		if r := &f.Rows[i]; r.Cost != nil && r.Quality != nil {
			costs, scores = append(costs, *r.Cost), append(scores, r.Quality.Low, r.Quality.High)
		}
	}
	evenly := func(values []float64, text func(at float64) string) []FrontTick {
		const wanted = 5
		out := []FrontTick{}
		if len(values) > 1 {
			for _, at := range axis.Linear(slices.Min(values), slices.Max(values), wanted) {
				out = append(out, FrontTick{at, text(at)})
			}
		}
		return out
	}
	f.XTicks = evenly(costs, func(at float64) string { return quantity.Format(cost.Kind(), at, 0) })
	f.YTicks = evenly(scores, func(at float64) string {
		return strconv.FormatFloat(at, 'g', 4, 64)
	})
}

func notes(result *recommend.Result) []string {
	e := &result.Evidence
	out := []string{fmt.Sprintf("%s of %s shapes are within the limits. Intervals are 80 %%.",
		quantity.Grouped(int64(result.Feasible)), quantity.Grouped(int64(result.Counted)))}
	out = append(out, result.Warnings...)
	if e.Missing != "" {
		out = append(out, "No quality: "+e.Missing)
	}
	if e.Check != nil {
		out = append(out, e.Check.String())
	}
	if e.Recalled {
		out = append(out, "† = depends on paper results that were transcribed from memory and could not be checked.")
	}
	return out
}
