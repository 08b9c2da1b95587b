package flops

import (
	"fmt"
	"slices"
	"strings"
)

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
	if int(r) < len(recomputeNames) {
		return recomputeNames[r]
	}
	return fmt.Sprintf("invalid(%d)", uint8(r))
}

// MarshalText writes the word of [Recompute.String].
func (r Recompute) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText accepts none, selective and full.
func (r *Recompute) UnmarshalText(text []byte) error {
	i := slices.Index(recomputeNames, strings.ToLower(string(text)))
	if i < 0 {
		return fmt.Errorf("unknown recompute mode: %q; allowed: %s", text,
			strings.Join(recomputeNames, ", "))
	}
	*r = Recompute(i)
	return nil
}
