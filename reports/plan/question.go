package plan

import (
	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Question is one shape to be trained on one machine. What is zero or nil is open: [Question.Resolve]
// decides it.
type Question struct {
	Shape   shapes.Shape
	Profile *hardware.Profile // nil: no machine; no times, no money and no emissions

	Workload flops.Workload // a zero field is that of [flops.DefaultWorkload]

	Precision *flops.Precision
	Optimizer *flops.Optimizer
	Attention *flops.Attention
	Recompute *flops.Recompute
	Dropout   bool

	// Devices is how many devices the run takes; 0 is as many as Layout and Software ask for.
	Devices int
	// Layout holds the axes that are stated. What remains of the devices copies the model.
	Layout flops.Layout
	// Search asks for the fastest layout that fits; Layout is zero then.
	Search bool
	// SearchBytes bounds the memory of a device that a searched layout may use; 0 is all it has.
	SearchBytes float64
	Software    hardware.Software

	// MFU is the utilisation that the user's own runs reach, as a fraction: it replaces the level of
	// the model for this run. 0 is the profile's, or the model's.
	MFU float64

	Length     hardware.Length // zero: of FineTuning, or else the paper's 524,288 steps
	FineTuning FineTuning
	Rates      hardware.StatedRates
	Goodput    *float64 // share of the rented time that trains, above 0

	// Decode is how many sequences an answer is generated for at once; 0 asks for no decoding.
	Decode int
	// Generation says how, and Generate how many positions of each sequence are generated: 0 is the
	// workload's decoder length, the prompt of a decoder-only model in it. A Prompt of a model with
	// an encoder is the length of its input.
	Generation hardware.Generation
	Generate   int
	// Serving is the traffic that the model is to answer; nil asks for none.
	Serving *Serving
	// Detail asks also for the breakdown by component and for what single changes would gain.
	Detail bool
}

// Of returns the question about another shape.
func (q Question) Of(s *shapes.Shape) Question {
	q.Shape = *s
	return q
}

// Searched is the origin of what the layout search chose.
const Searched hardware.Origin = "searched"

// Assumption is something that an answer rests on and the question did not state.
type Assumption struct {
	Name    string
	Text    string             // the value in words
	Value   *quantity.Interval // where it is a number; nil with a Missing where none is known
	Kind    quantity.Kind      // of Value
	Missing string
	Origin  hardware.Origin
	Source  string

	Evidence data.Evidence
	Note     string
	// Warning is what everybody must be told: a departure from what is usual. Empty for the rest.
	Warning string
}

// Words returns the value as a reader sees it.
func (a *Assumption) Words() string {
	switch {
	case a.Value != nil:
		return quantity.FormatInterval(a.Kind, *a.Value)
	case a.Missing != "":
		return "unknown"
	}
	return a.Text
}

// AverageStack names the software whose effect on the step time is that of the average trainer.
const AverageStack = "average"
