package fit

import (
	"cmp"
	"math"
)

// AllocateSettings steers [Allocate]; nil means all defaults.
type AllocateSettings struct {
	// FLOPs counts a training run by its parameters and tokens; it must rise with tokens. Nil
	// means 6·params·tokens.
	FLOPs func(params, tokens float64) float64
	// MinParams and MaxParams bound the search; zero means 1e3 and the size that the budget trains
	// on one token.
	MinParams, MaxParams float64
	// Draws, when not nil, gives the interval.
	Draws *Bootstrapped
}

// Allocation is the compute-optimal split of a budget.
type Allocation struct {
	FLOPs, Params, Tokens, Loss float64
	// The intervals come from re-solving for each draw; they are nil without draws.
	ParamsInterval, TokensInterval, LossInterval *Interval
	// OffEdge counts draws that had no optimum inside the bounds; they are not in the intervals.
	OffEdge int
}

// Allocate returns the parameters and tokens with the lowest predicted loss whose training costs
// budget FLOP.
//
// For the Chinchilla law with 6·N·D FLOP the answer is that of Hoffmann et al. 2022, eq. 4: N =
// G·(C/6)^(β/(α+β)), G^(α+β) = α·A/(β·B).
//
// Errors: *Refusal NoInteriorMinimum when the loss is lowest at an end of the sizes searched. It
// panics when the law does not read params and tokens alone.
func Allocate(r *Result, budget float64, set *AllocateSettings) (*Allocation, error) {
	s := settingsOf(set)
	s.MinParams = cmp.Or(s.MinParams, 1e3)
	if s.MaxParams == 0 { // the size whose training on one token costs the budget
		if s.MaxParams = budget / 6; s.FLOPs != nil {
			s.MaxParams = rising(budget, func(n float64) float64 { return s.FLOPs(n, 1) })
		}
	}
	p := &planner{law: r.Law, set: s, budget: budget}
	n, ok := p.best(r.Params)
	if !ok {
		return nil, refuse(NoInteriorMinimum, []string{"params"},
			"between %.3g and %.3g params the loss is lowest at an end: the law trades size for tokens without limit", s.MinParams, s.MaxParams)
	}
	a := &Allocation{FLOPs: budget, Params: n, Tokens: p.tokens(n), Loss: p.loss(r.Params, n)}
	if s.Draws == nil {
		return a, nil
	}
	var ns, ds, ls []float64
	for _, draw := range s.Draws.Draws {
		n, ok := p.best(draw)
		if !ok {
			a.OffEdge++
			continue
		}
		ns, ds, ls = append(ns, n), append(ds, p.tokens(n)), append(ls, p.loss(draw, n))
	}
	if len(ns) > 1 {
		in, id, il := percentiles(ns, s.Draws.Level), percentiles(ds, s.Draws.Level),
			percentiles(ls, s.Draws.Level)
		a.ParamsInterval, a.TokensInterval, a.LossInterval = &in, &id, &il
	}
	return a, nil
}

// rising returns the v > 0 where the rising f reaches target, by bisection of ln v.
func rising(target float64, f func(float64) float64) float64 {
	lo, hi := -50.0, 150.0
	for range 80 {
		mid := 0.5 * (lo + hi)
		if f(math.Exp(mid)) < target {
			lo = mid
		} else {
			hi = mid
		}
	}
	return math.Exp(0.5 * (lo + hi))
}

// planner searches sizes along one budget.
type planner struct {
	law    Law
	set    AllocateSettings
	budget float64
}

func (p *planner) tokens(n float64) float64 {
	if p.set.FLOPs == nil {
		return p.budget / (6 * n)
	}
	return rising(p.budget, func(d float64) float64 { return p.set.FLOPs(n, d) })
}

func (p *planner) loss(params []float64, n float64) float64 {
	return p.law.OfSize(params, n, p.tokens(n))
}

// best returns the size of the lowest loss; ok is false at an end of the sizes.
func (p *planner) best(params []float64) (size float64, ok bool) {
	const points = 96
	f := func(lnN float64) float64 { return p.loss(params, math.Exp(lnN)) }
	lnN, ok := leastOnGrid(f, math.Log(p.set.MinParams), math.Log(p.set.MaxParams), points)
	return math.Exp(lnN), ok
}

// golden returns where f is least between a and b, to about the root of the machine precision, then
// sharpened by the parabola through three points.
func golden(f func(float64) float64, a, b float64) float64 {
	ratio := (math.Sqrt(5) - 1) / 2
	c, d := b-ratio*(b-a), a+ratio*(b-a)
	fc, fd := f(c), f(d)
	for b-a > 1e-3 {
		if fc < fd {
			b, d, fd = d, c, fc
			c = b - ratio*(b-a)
			fc = f(c)
		} else {
			a, c, fc = c, d, fd
			d = a + ratio*(b-a)
			fd = f(d)
		}
	}
	m := 0.5 * (a + b)
	for _, h := range []float64{3e-3, 1e-3, 1e-3} {
		l, at, r := f(m-h), f(m), f(m+h)
		if bend := l - 2*at + r; bend > 0 {
			m += 0.5 * h * (l - r) / bend
		}
	}
	return m
}
