package recommend

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// best returns the candidate of the lowest loss when tokens cost that many times what is expected; −1
// where none can be trained at all.
func (s *sizer) best(list []candidate, law []float64, costlier float64) int {
	at, least := -1, math.Inf(1)
	for i := range list {
		c := &list[i]
		d := c.tokens(s.budget, costlier*c.perToken.Value)
		if d < s.stepTokens {
			continue
		}
		if l := s.loss(law, c.params, d); l < least {
			at, least = i, l
		}
	}
	return at
}

// priceAround prices every third candidate, and then all within a factor of 1.6 of the best of them:
// the loss along the sizes has one valley, up to the steps of the utilisation.
func (s *sizer) priceAround(window []candidate) ([]candidate, error) {
	const stride, near = 3, 1.6
	var first, rest []candidate
	for i := range window {
		if i%stride == 0 || window[i].released {
			first = append(first, window[i])
		} else {
			rest = append(rest, window[i])
		}
	}
	priced, err := s.priceAll(first)
	if err != nil {
		return nil, err
	}
	if at := s.best(priced, s.Law.Result.Params, 1); at >= 0 {
		n := priced[at].params
		rest = slices.DeleteFunc(rest, func(c candidate) bool {
			return c.params > n*near || c.params < n/near
		})
	}
	more, err := s.priceAll(rest)
	if err != nil {
		return nil, err
	}
	priced = append(priced, more...)
	if len(priced) == 0 {
		return nil, &NoAnswerError{Reason: "no candidate near the best size fits in memory: more devices are needed"}
	}
	slices.SortStableFunc(priced, func(a, b candidate) int { return cmp.Compare(a.params, b.params) })
	return priced, nil
}

// priceAll prices candidates and leaves out those that no layout takes or fits.
func (s *sizer) priceAll(list []candidate) ([]candidate, error) {
	kept, errs := make([]bool, len(list)), make([]error, len(list))
	parallel.Each(len(list), 0, func(i int) { kept[i], errs[i] = s.price(&list[i]) })
	var out []candidate
	for i := range list {
		if errs[i] != nil {
			return nil, errs[i]
		}
		if kept[i] {
			out = append(out, list[i])
		}
	}
	return out, nil
}

func (s *sizer) price(c *candidate) (ok bool, err error) {
	w := s.Question.Workload
	forward := flops.Forward(&c.shape, w)
	serve := s.ServeTokens * forward / s.stepTokens
	if s.Budget.FLOPs > 0 {
		per := flops.CountUnder(flops.MatmulConvention, &c.shape, w, flops.RecomputeNone).Step /
			s.stepTokens
		c.perToken, c.served = *hardware.Exactly(per).Interval, serve
		return true, nil
	}
	q := s.Question
	q.Length.Tokens = s.stepTokens
	a, err := q.Of(&c.shape).Answer()
	var none *hardware.NoLayoutError
	var invalid *shapes.InvalidError
	switch {
	case errors.As(err, &none) || errors.As(err, &invalid):
		return false, nil
	case err != nil:
		return false, err
	case a.StepTime.Interval == nil:
		return false, errors.New(a.StepTime.Missing)
	case a.Fits != nil && !*a.Fits:
		return false, nil
	}
	t, g := a.StepTime.Interval, a.Schedule.Goodput.Interval
	devices := float64(a.Run.Devices())
	c.perToken = quantity.Interval{
		Value: devices * t.Value / g.Value / s.stepTokens,
		Low:   devices * t.Low / g.High / s.stepTokens,
		High:  devices * t.High / g.Low / s.stepTokens,
	}
	mfu := a.Prediction.MFU
	if s.ServeMFU > 0 {
		mfu = s.ServeMFU
	}
	c.served = serve / (a.Prediction.PeakFLOPsPerSecond * mfu)
	return true, nil
}

// sizeSpread gathers how far size, tokens and loss may be from the best row, in ln, down and up.
type sizeSpread struct {
	at             [3]float64
	bySpeed, byLaw [3][2]float64
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
