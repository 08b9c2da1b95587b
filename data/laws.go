package data

import (
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// LawParameter is one constant of a published law, at full published precision.
type LawParameter struct {
	Law       string // chinchilla, chinchilla-epoch, chinchilla-log-huber, gemstones-hot, …
	Form      string // the formula, in words of the table
	Parameter string
	Value     float64
	// Its note: all of these were fitted to decoder-only models; the five Gemstones fits disagree
	// four-fold in the best width/depth at 1e24 FLOP, and the two here are shown side by side for
	// that reason.
	Provenance
}

var laws = embedded("facts/laws.csv", func(r *row) LawParameter {
	return LawParameter{
		Law: r.required("law"), Form: r.required("form"), Parameter: r.required("parameter"),
		Value:      r.amount("value", quantity.Number),
		Provenance: r.provenance(""),
	}
})

// LawParameters returns the constants of every published law, law by law.
func LawParameters() []LawParameter { return slices.Clone(laws()) }

// Law returns the constants of one law by parameter name, and whether it is known.
func Law(name string) (map[string]float64, bool) {
	constants := map[string]float64{}
	for _, p := range laws() {
		if p.Law == name {
			constants[p.Parameter] = p.Value
		}
	}
	return constants, len(constants) > 0
}
