package fit

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Curve is one training run seen along the way: loss after FLOPs spent.
type Curve struct {
	Params      float64
	FLOPs, Loss []float64
}

// Front is one point of a Pareto front: no recorded point reaches a loss as low for so few FLOPs.
type Front struct {
	// Curve and Point index the curves given.
	Curve, Point int
	FLOPs, Loss  float64
}

// EnvelopeFit is the outcome of [Envelope].
type EnvelopeFit struct {
	// Front is sorted by FLOPs.
	Front []Front
	// A is the exponent of N_opt ∝ C^A, from the stretch of budgets over which each size leads; B =
	// 1 − A when FLOPs are proportional to params·tokens.
	A Estimate
	// LnParamsAt1 is the logarithm of the factor of C^A.
	LnParamsAt1 float64
	// Leaders are the sizes used for A, with the budget (geometric mean) over which each leads.
	Leaders  []Leader
	Warnings []string
}

// Leader is a size that has the lowest loss between two budgets.
type Leader struct{ Params, FLOPs, From, To float64 }

// Envelope returns the Pareto front of training curves and the growth of the best size with compute
// (approach 1 of Hoffmann et al. 2022, §3.1, arXiv 2203.15556). Losses between recorded points are
// interpolated in ln FLOPs. The smallest and the largest size that lead are left out of the
// exponent: where they stop leading is an accident of the sizes that were run.
//
// Errors: *Refusal BadValue; NoInteriorMinimum when fewer than two sizes lead in the middle (the
// front is returned with it).
func Envelope(curves []Curve, level float64) (*EnvelopeFit, error) {
	for i, c := range curves {
		if len(c.FLOPs) != len(c.Loss) {
			return nil, badRow(i, "curve %d has %d FLOPs and %d losses", i, len(c.FLOPs), len(c.Loss))
		}
		for k := range c.FLOPs {
			for _, v := range []float64{c.FLOPs[k], c.Loss[k], c.Params} {
				if !(v > 0) || math.IsInf(v, 0) {
					return nil, badRow(i, "curve %d, point %d: %v; allowed: positive numbers", i, k, v)
				}
			}
		}
	}
	out := &EnvelopeFit{Front: paretoFront(curves)}
	leaders := lead(curves)
	if len(leaders) < 4 {
		return out, refuse(NoInteriorMinimum, []string{"params"},
			"sizes that lead somewhere: %d; needed: at least four (the first and the last say nothing)",
			len(leaders))
	}
	out.Leaders = leaders[1 : len(leaders)-1]
	var c, n []float64
	for _, l := range out.Leaders {
		c, n = append(c, math.Log(l.FLOPs)), append(n, math.Log(l.Params))
	}
	line, _ := fitPolynomial(c, n, 1)
	out.A = line.slope(cmp.Or(level, defaultLevel))
	out.LnParamsAt1 = line.at(0)
	if !out.A.HasInterval {
		out.Warnings = append(out.Warnings,
			"two leading sizes leave the exponent without an interval")
	}
	return out, nil
}

func paretoFront(curves []Curve) []Front {
	var all []Front
	for i, c := range curves {
		for k := range c.FLOPs {
			all = append(all, Front{i, k, c.FLOPs[k], c.Loss[k]})
		}
	}
	slices.SortStableFunc(all, func(a, b Front) int {
		return cmp.Or(cmp.Compare(a.FLOPs, b.FLOPs), cmp.Compare(a.Loss, b.Loss))
	})
	var out []Front
	for _, p := range all {
		if len(out) == 0 || p.Loss < out[len(out)-1].Loss {
			out = append(out, p)
		}
	}
	return out
}

// lead returns the sizes with the lowest interpolated loss, in order of budget; a size that leads,
// loses and leads again counts over its longest stretch.
func lead(curves []Curve) []Leader {
	const points = 1500 // as many budgets as Hoffmann et al. 2022 sample
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, c := range curves {
		for _, v := range c.FLOPs {
			lo, hi = min(lo, math.Log(v)), max(hi, math.Log(v))
		}
	}
	var stretches []Leader
	for i := range points {
		u := lo + (hi-lo)*float64(i)/(points-1)
		best, least := -1, math.Inf(1)
		for k, c := range curves {
			if l, ok := c.at(u); ok && l < least {
				best, least = k, l
			}
		}
		if best < 0 {
			continue
		}
		n, f := curves[best].Params, math.Exp(u)
		if k := len(stretches) - 1; k >= 0 && stretches[k].Params == n {
			stretches[k].To = f
			continue
		}
		stretches = append(stretches, Leader{Params: n, From: f, To: f})
	}
	longest := map[float64]Leader{}
	for _, s := range stretches {
		s.FLOPs = math.Sqrt(s.From * s.To)
		if l, ok := longest[s.Params]; !ok || s.To/s.From > l.To/l.From {
			longest[s.Params] = s
		}
	}
	return slices.SortedFunc(maps.Values(longest), func(a, b Leader) int {
		return cmp.Compare(a.FLOPs, b.FLOPs)
	})
}

// at returns the loss at ln FLOPs u; ok only between recorded points, which must be in rising
// order.
func (c Curve) at(u float64) (loss float64, ok bool) {
	f := math.Exp(u)
	k, _ := slices.BinarySearch(c.FLOPs, f)
	if k >= len(c.FLOPs) || (k == 0 && c.FLOPs[0] != f) {
		return 0, false
	}
	if k == 0 {
		return c.Loss[0], true
	}
	a, b := math.Log(c.FLOPs[k-1]), math.Log(c.FLOPs[k])
	t := (u - a) / (b - a)
	return c.Loss[k-1] + t*(c.Loss[k]-c.Loss[k-1]), true
}
