package evidence

import (
	"cmp"
	"slices"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Subject is a shape to judge, with its parameters counted.
type Subject struct {
	Shape  *shapes.Shape
	Params *flops.Parameters
}

// Judgement is what the evidence says of one shape, whichever evidence it is.
type Judgement struct {
	Quality  Quality
	Class    Class         // how near the evidence is
	Evidence data.Evidence // weakest class of the readings behind it; empty without
	Nearest  *Neighbour    // the nearest measured shape; nil without evidence
	Basis    string        // how the quality follows from the evidence, in a phrase
}

// Quality is the predicted or measured quality with its 80 % interval.
type Quality struct {
	Upstream   hardware.Estimate // pre-training loss in nats a token, smaller is better
	Downstream hardware.Estimate // mean score after fine-tuning in points, larger is better
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

// Neighbour is a measured shape and how far it is.
type Neighbour struct {
	Name string
	// Distance is the largest factor by which a dimension differs: size of each stack, depth of
	// each stack, or d_model. 1 is the same.
	Distance float64
}

// Summary is the line under every table that leans on recorded results.
type Summary struct {
	Kind     string       // "published", "records", "fit", "laws" or "none"
	Law      string       // what was fitted, in a sentence
	Score    string       // which downstream score is predicted; empty where no one is named
	Missing  string       // why there is no quality; empty when there is
	Rows     int          // readings fitted
	Recalled bool         // some readings could not be checked: footnote them
	Check    *LeaveOneOut // held-out errors; nil without published evidence
	Notes    []string     // what the evidence does not cover
	Unranked bool         // it cannot tell shapes of one size apart
}

// Derived is one number with the formula that gives it.
type Derived struct {
	Name    string
	Kind    quantity.Kind
	Value   quantity.Interval
	Formula string // in the letters of the rows before it, with numbers where they were fitted
	Where   string // the source of the formula: a paper, and the code here that works it out
}

// Cited is one measured shape behind a prediction.
type Cited struct {
	Name     string
	Shape    string  // canonical name; empty for records
	Distance float64 // the largest factor by which a dimension differs, as in [Neighbour]
	// Measured and what the law says of that very shape; nil where the row lacks it.
	Upstream, Score       *data.Reading
	LawUpstream, LawScore *float64
	Sources               []Citation
}

func nearestFirst(all []Cited) []Cited {
	slices.SortStableFunc(all, func(a, b Cited) int { return cmp.Compare(a.Distance, b.Distance) })
	return all
}

// derived is the quality as it is shown.
func (j *Judgement) derived() []Derived {
	var out []Derived
	for _, q := range []struct {
		name string
		hardware.Estimate
	}{
		{"upstream loss shown", j.Quality.Upstream}, {"downstream score shown", j.Quality.Downstream},
	} {
		if q.Interval != nil {
			out = append(out, Derived{
				Name: q.name, Kind: quantity.Number, Value: *q.Interval,
				Formula: j.Basis, Where: "80 % interval; evidence.Quality",
			})
		}
	}
	return out
}
