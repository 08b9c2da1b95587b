package recommend

import (
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// sizeSpread gathers how far size, tokens and loss may be from the best row, in ln, down and up.
type sizeSpread struct {
	at               [3]float64
	fromSpeed, fromL [3][2]float64
}

func newSizeSpread(r *SizedRow) *sizeSpread {
	return &sizeSpread{at: [3]float64{r.Params.Value, r.Tokens.Value, r.Loss.Value}}
}

// reach widens one side of a pair to hold a deviation.
func reach(to *[2]float64, off float64) {
	if off < 0 {
		to[0] = max(to[0], -off)
	} else {
		to[1] = max(to[1], off)
	}
}

// speed adds the answer at one end of the step time, whose interval is brought to another level.
func (s *sizeSpread) speed(params, tokens, loss, scale float64) {
	for k, v := range [3]float64{params, tokens, loss} {
		reach(&s.fromSpeed[k], scale*math.Log(v/s.at[k]))
	}
}

// law adds the answers under the draws of the law: their central share.
func (s *sizeSpread) law(params, tokens, loss []float64, level float64) {
	for k, v := range [3][]float64{params, tokens, loss} {
		if len(v) < 2 {
			continue
		}
		v = slices.Clone(v)
		slices.Sort(v)
		cut := int(math.Floor((1 - level) / 2 * float64(len(v)-1)))
		for _, end := range []float64{v[cut], v[len(v)-1-cut]} {
			reach(&s.fromL[k], math.Log(end/s.at[k]))
		}
	}
}

// apply writes the intervals: the two causes are independent, their half-widths in ln add as squares.
func (s *sizeSpread) apply(r *SizedRow) {
	for k, i := range []*quantity.Interval{&r.Params, &r.Tokens, &r.Loss} {
		side := func(n int) float64 { return math.Hypot(s.fromSpeed[k][n], s.fromL[k][n]) }
		i.Low, i.High = s.at[k]*math.Exp(-side(0)), s.at[k]*math.Exp(side(1))
	}
}

// speedScale brings the interval of a step time from its own level to another, as that of a normal
// distribution in ln.
func speedScale(level float64) float64 {
	return math.Erfinv(level) / math.Erfinv(hardware.Level)
}
