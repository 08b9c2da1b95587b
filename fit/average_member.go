package fit

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// A member is one fitted law: held at an offset and a form, with row weights.
type member struct {
	law      int // index in the laws given
	problem  *problem
	columns  []int // of Average.Columns
	theta    []float64
	fraction float64 // of the lowest y at which the offset is held; NaN when it is free
	offset   float64 // the same, or where the free one ended; NaN without an offset
	// noise is the root mean square residual over the larger half of the rows, widened by √(n/(n−p))
	// for the parameters fitted; heldOut the errors of each fold; nil where the rows of the fold
	// cannot support the member.
	noise   float64
	heldOut [][]float64
}

// heldOffsets are the fractions of the lowest y at which the irreducible loss is held; it is also
// fitted.
func heldOffsets() []float64 { return []float64{0, 0.3, 0.5, 0.7, 0.85} }

// recent returns the weights times (order/largest)^recency.
func recent(weight, order []float64, recency float64) []float64 {
	if recency == 0 {
		return weight
	}
	top := slices.Max(order)
	out := make([]float64, len(order))
	for i, v := range order {
		out[i] = math.Pow(v/top, recency)
		if weight != nil {
			out[i] *= weight[i]
		}
	}
	return out
}

// memberFits fits one form of a law at each offset, to all rows and to each fold.
func memberFits(law *Law, d Data, obj Objective, folds []averageFold, s AverageSettings,
	held map[string]float64,
) []*member {
	set := *s.Fit
	set.Fixed = map[string]float64{}
	maps.Copy(set.Fixed, s.Fit.Fixed)
	maps.Copy(set.Fixed, held)
	full := newOffsetWalk(law, d, obj, &set)
	var out []*member
	for _, fraction := range full.fractions() {
		theta := full.at(fraction, nil)
		if theta == nil {
			continue
		}
		m := &member{problem: full.pb, theta: theta, fraction: fraction, offset: fraction}
		if full.offset >= 0 && math.IsNaN(fraction) {
			m.offset = math.Exp(theta[full.offset]) / full.low
		}
		m.noise = RMS(largerHalf(full.pb.residuals(theta), s.Order))
		free := full.pb.freeParams()
		if full.offset >= 0 && !math.IsNaN(fraction) {
			free--
		}
		n := float64(d.Len())
		m.noise *= math.Sqrt(n / math.Max(n-float64(free), 1))
		if m.noise < math.MaxFloat64 {
			out = append(out, m)
		}
	}
	for _, f := range folds {
		walk := newOffsetWalk(law, d.Select(f.fitted), obj, &set)
		scored := newProblem(law, d.Select(f.scored), obj)
		for _, m := range out {
			var errors []float64
			if theta := walk.at(m.fraction, m.theta); theta != nil {
				errors = clip(scored.residuals(theta))
			}
			m.heldOut = append(m.heldOut, errors)
		}
	}
	return out
}

// clip returns the errors, none larger than clipped times the median; nil when one is not finite.
func clip(errors []float64) []float64 {
	abs := make([]float64, len(errors))
	for i, e := range errors {
		if abs[i] = math.Abs(e); !(abs[i] < math.MaxFloat64) {
			return nil
		}
	}
	most := clipped * Median(abs)
	for i, e := range errors {
		errors[i] = max(-most, min(most, e))
	}
	return errors
}

// largerHalf returns the values of the half of the rows with the larger order.
func largerHalf(v, order []float64) []float64 {
	return clip(pick(v, orderOf(order)[len(v)/2:]))
}

// An offsetWalk fits one law with its offset held at one fraction after another, each fit starting
// where the last ended.
type offsetWalk struct {
	pb     *problem
	ws     *workspace
	offset int // index of the parameter, or −1
	low    float64
	starts [][]float64
	last   []float64
}

// averageStarts is the number of starts of the first fit of a walk.
const averageStarts = 6

func newOffsetWalk(law *Law, d Data, obj Objective, set *Settings) *offsetWalk {
	w := &offsetWalk{pb: newProblem(law, d, obj), offset: -1, low: slices.Min(d.Y)}
	w.pb.apply(set)
	w.ws = newWorkspace(w.pb.p)
	for j, p := range law.Params {
		if p.Vanishes && !w.pb.fixed[j] {
			w.offset = j
		}
	}
	w.starts = w.pb.startPoints(cmp.Or(set.Starts, averageStarts), set.Seed)
	return w
}

// fractions lists the offsets: the free one first, whose optimum is the start of the others.
func (w *offsetWalk) fractions() []float64 {
	if w.offset < 0 {
		return []float64{math.NaN()}
	}
	return append([]float64{math.NaN()}, heldOffsets()...)
}

// at returns the optimum with the offset at the fraction, from the given start if there is one, the
// last optimum and fresh starts; nil when the rows are too few or no descent ends in numbers.
func (w *offsetWalk) at(fraction float64, from []float64) []float64 {
	pb := *w.pb
	pb.fixed = slices.Clone(pb.fixed)
	pb.lo, pb.hi = slices.Clone(pb.lo), slices.Clone(pb.hi)
	if w.offset >= 0 && !math.IsNaN(fraction) {
		pb.fix(w.offset, math.Log(fraction*w.low))
	}
	if pb.n <= pb.freeParams() {
		return nil
	}
	starts := w.starts
	if from != nil {
		starts = [][]float64{from}
	}
	if w.last != nil {
		starts = append(slices.Clone(starts[:min(len(starts), 2)]), w.last)
	}
	best := optimum{value: math.Inf(1)}
	for _, s := range starts {
		if e := pb.descend(s, w.ws); e.value < best.value {
			best = e
		}
	}
	if best.theta == nil || slices.ContainsFunc(best.theta, math.IsNaN) {
		return nil
	}
	w.last = best.theta
	return best.theta
}

func (m *member) natural() []float64 {
	pb := *m.problem
	if m.fraction == 0 {
		for j, p := range pb.law.Params {
			if p.Vanishes {
				out := pb.natural(m.theta)
				out[j] = 0
				return out
			}
		}
	}
	return pb.natural(m.theta)
}

// value returns ln ŷ, or ŷ when raw.
func (m *member) value(at []float64, raw bool) float64 {
	var in, zb [maxFeatures]float64
	for k, j := range m.columns {
		in[k] = at[j]
	}
	pb := m.problem
	z := zb[:pb.q]
	pb.law.prepare(in[:len(m.columns)], z)
	f := pb.law.evalWith(pb.ct, m.theta, z, nil)
	switch {
	case raw && !pb.law.Direct:
		return math.Exp(f)
	case !raw && pb.law.Direct:
		return math.Log(f)
	}
	return f
}
