package data

import (
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Goodput is the share of a run's wall-clock time that went into training steps that counted: what
// restarts, checkpoints and evaluation left of it.
type Goodput struct {
	Run     string
	Value   float64
	AtLeast bool // the source says "more than"
	Provenance
}

var goodputs = embedded("facts/goodput.csv", func(r *row) Goodput {
	return Goodput{
		Run: r.required("run"), Value: r.amount("goodput", quantity.Fraction),
		AtLeast:    r.required("bound") == "at-least",
		Provenance: r.provenance(""),
	}
})

// Goodputs returns the three published values.
func Goodputs() []Goodput { return slices.Clone(goodputs()) }
