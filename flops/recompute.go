package flops

import "github.com/deepnarrow/deepnarrow/shapes"

// Recompute says which activations the backward pass computes again instead of keeping them
// (Korthikanti et al. 2022, arXiv 2205.05198, section 5).
type Recompute uint8

const (
	RecomputeNone      Recompute = iota
	RecomputeSelective           // the attention core
	RecomputeFull                // every layer, from its input
)

var recomputeNames = []string{"none", "selective", "full"}

// String returns the word of the --recompute flag.
func (r Recompute) String() string {
	return shapes.WordOf(recomputeNames, r)
}

// MarshalText writes the word of [Recompute.String].
func (r Recompute) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText accepts none, selective and full; else a [*shapes.KindError].
func (r *Recompute) UnmarshalText(text []byte) error {
	return parseChoice(r, "recompute mode", recomputeNames, text)
}
