package recommend

import (
	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Result is the answer to a [Request].
type Result struct {
	Objective plan.Metric // or BestQuality
	CostAxis  plan.Metric // what quality is weighed against
	JudgedBy  JudgedBy
	Anchor    *Row   // the shape to beat; nil when there is none
	Rows      []Row  // by cost, or by quality where that is the objective
	Picks     []Pick // the answer in short: one for the objective, then one for each other axis
	Counted   int    // candidates costed
	Feasible  int    // candidates within caps and constraints
	Evidence  EvidenceSummary
	Warnings  []string
}

// Pick is the row to start from if one axis is to be saved.
type Pick struct {
	Axis plan.Metric
	Row  int // index into Rows
	// Difference is the quality of the row less the anchor's; absent without anchor.
	Difference Quality
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

// EvidenceSummary is the line under every table that leans on recorded results.
type EvidenceSummary struct {
	Kind     string        // "published", "records", "fit" or "none"
	Law      string        // what was fitted, in a sentence
	Score    string        // which downstream score is predicted; empty where no one is named
	Missing  string        // why there is no quality; empty when there is
	Rows     int           // readings fitted
	Weakest  data.Evidence // class of the weakest reading used
	Recalled bool          // some readings could not be checked: footnote them
	Check    *LeaveOneOut  // held-out errors; nil without published evidence
	Notes    []string      // what the evidence does not cover
	Unranked bool          // it cannot tell shapes of one size apart
}

// Class says how near the evidence a predicted quality is.
type Class uint8

const (
	// Measured rows show the measurement itself.
	Measured Class = iota
	// Interpolated rows lie among the measured ones in every dimension.
	Interpolated
	// Extrapolated rows lie outside in size, depth or width.
	Extrapolated
	// Rule rows rest on a rule of thumb, or on nothing: no evidence covers them.
	Rule
)

var classNames = [...]string{"measured", "interpolated", "extrapolated", "rule"}

// String returns the name used in tables and JSON, e.g. "interpolated".
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "invalid"
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
	Judgement

	Released  bool       // a shape of the catalogue, with checkpoints
	Published []Citation // results of exactly this shape
	Why       string     // the row is there
}

// Judgement is what the evidence says of one shape, whichever evidence it is.
type Judgement struct {
	Quality  Quality
	Class    Class         // how near the evidence is
	Evidence data.Evidence // weakest class of the readings behind it; empty without
	Nearest  *Neighbour    // the nearest measured shape; nil without evidence
	Basis    string        // how the quality follows from the evidence, in a phrase
}

// Neighbour is a measured shape and how far it is.
type Neighbour struct {
	Name string
	// Distance is the largest factor by which a dimension differs: size of each stack, depth of
	// each stack, or d_model. 1 is the same.
	Distance float64
}

// Saved is the fraction of the anchor's cost that a row saves: 0.4 is 40 % less, negative is more.
// Nil where either is not known.
type Saved struct {
	Params, FLOPs, StepTime, Memory, Cost, LifetimeCost *float64
}

// Quality is the predicted or measured quality with its 80 % interval.
type Quality struct {
	Upstream   hardware.Estimate // pre-training loss in nats a token, smaller is better
	Downstream hardware.Estimate // mean score after fine-tuning in points, larger is better
}
