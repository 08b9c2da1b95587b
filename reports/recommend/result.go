package recommend

import (
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Result is the answer to a [Request].
type Result struct {
	Objective plan.Metric // or BestQuality
	CostAxis  plan.Metric // what quality is weighed against
	JudgedBy  evidence.JudgedBy
	Anchor    *Row   // the shape to beat; nil when there is none
	Rows      []Row  // by cost, or by quality where that is the objective
	Picks     []Pick // the answer in short: one for the objective, then one for each other axis
	Counted   int    // candidates costed
	Feasible  int    // candidates within caps and constraints
	Evidence  evidence.Summary
	Warnings  []string
}

// Pick is the row to start from if one axis is to be saved.
type Pick struct {
	Axis plan.Metric
	Row  int // index into Rows
	// Difference is the quality of the row less the anchor's; absent without anchor.
	Difference evidence.Quality
}

// Pick returns the row to start from; nil where nothing ranks the rows.
func (r *Result) Pick() *Row {
	for i := range r.Rows {
		if r.Rows[i].Pick {
			return &r.Rows[i]
		}
	}
	return nil
}

// Row is one recommended shape.
type Row struct {
	Rank int
	// Name is a catalogue name where there is one, else an edit that shapes.Parse reads
	Shape shapes.Shape
	Pick  bool // the one to start from
	// Tie says that the judged quality differs from the anchor's, or without anchor from the
	// pick's, by no more than the error of the difference.
	Tie bool
	// AllRound says that the row costs no more than the anchor on any axis that is known, less on
	// one, and is as good within the error of the difference.
	AllRound bool

	plan.Answer // what it costs
	Saved       Saved
	evidence.Judgement

	Released  bool                // a shape of the catalogue, with checkpoints
	Published []evidence.Citation // results of exactly this shape
	Why       string              // the row is there
}

// subject is the row as evidence sees it.
func (row *Row) subject() evidence.Subject {
	return evidence.Subject{Shape: &row.Shape, Params: &row.Params}
}

// Saved is the fraction of the anchor's cost that a row saves: 0.4 is 40 % less, negative is more.
// Nil where either is not known.
type Saved struct {
	Params, FLOPs, StepTime, Memory, Cost, LifetimeCost *float64
}
