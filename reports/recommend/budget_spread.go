package recommend

import (
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// sizeSpread gathers how far size, tokens and loss may be from the best row, in ln, down and up.
type sizeSpread struct {
	at             [3]float64
	bySpeed, byLaw [3][2]float64
}

func newSizeSpread(r *SizedRow) *sizeSpread {
	return &sizeSpread{at: [3]float64{r.Params.Value, r.Tokens.Value, r.Loss.Value}}
}

// reach widens the sides of figure k to hold a value, whose distance is scaled.
func (s *sizeSpread) reach(to *[3][2]float64, k int, v, scale float64) {
	off := scale * math.Log(v/s.at[k])
	to[k][0], to[k][1] = max(to[k][0], -off), max(to[k][1], off)
}

// speed adds the answer at one end of the step time, whose interval is brought to another level.
func (s *sizeSpread) speed(params, tokens, loss, scale float64) {
	for k, v := range [3]float64{params, tokens, loss} {
		s.reach(&s.bySpeed, k, v, scale)
	}
}

// law adds the answers under the draws of the law: their central share.
func (s *sizeSpread) law(params, tokens, loss []float64, level float64) {
	for k, v := range [3][]float64{params, tokens, loss} {
		if len(v) < 2 {
			continue
		}
		v = slices.Sorted(slices.Values(v))
		cut := int(math.Floor((1 - level) / 2 * float64(len(v)-1)))
		s.reach(&s.byLaw, k, v[cut], 1)
		s.reach(&s.byLaw, k, v[len(v)-1-cut], 1)
	}
}

// apply writes the intervals: the two causes are independent, their half-widths in ln add as squares.
func (s *sizeSpread) apply(r *SizedRow) {
	for k, i := range []*quantity.Interval{&r.Params, &r.Tokens, &r.Loss} {
		side := func(n int) float64 { return math.Hypot(s.bySpeed[k][n], s.byLaw[k][n]) }
		i.Low, i.High = s.at[k]*math.Exp(-side(0)), s.at[k]*math.Exp(side(1))
	}
}

// speedScale brings the interval of a step time from its own level to another, as that of a normal
// distribution in ln.
func speedScale(level float64) float64 {
	return math.Erfinv(level) / math.Erfinv(hardware.Level)
}
