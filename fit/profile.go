package fit

import (
	"cmp"
	"context"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/deepnarrow/deepnarrow/internal/parallel"
)

// ProfileSettings steers [Profile]; nil means all defaults.
type ProfileSettings struct {
	// Params names the parameters to profile; nil means all free ones.
	Params []string
	// Level is the confidence of the intervals; zero means 0.95.
	Level   float64
	Workers int
}

// Profiled is the profile-likelihood interval of one parameter.
type Profiled struct {
	Param string
	// Low and High are natural values; an end that the rows leave open (the profile never rises to
	// the limit) is 0 or ±Inf, as OpenLow and OpenHigh say.
	Low, High         float64
	OpenLow, OpenHigh bool
}

// Profile returns, for each parameter, the values at which the objective, minimised over all the
// others, has risen by no more than the level allows:
//
//	2·(J(θ_j) − J) ≤ τ·χ²₁(level),  τ = Σw·(ρ')² / Σw·dρ'/de
//
// which for squared residuals is the likelihood-ratio interval under Gaussian noise; τ makes it
// hold for robust penalties too.
//
// Source: Venzon and Moolgavkar 1988 (profiles); Heritier and Ronchetti 1994 (the scaled test for
// M-estimators). With rows that share runs, τ is that of as many rows as runs, and Student's t
// stands for the normal quantile.
func Profile(ctx context.Context, r *Result, d Data, set *ProfileSettings) ([]Profiled, error) {
	s := settingsOf(set)
	s.Level = cmp.Or(s.Level, defaultLevel)
	if err := d.check(r.Law); err != nil {
		return nil, err
	}
	if s.Params == nil {
		for _, p := range r.Law.Params {
			if _, fixed := r.set.Fixed[p.Name]; !fixed {
				s.Params = append(s.Params, p.Name)
			}
		}
	}
	pb := newProblem(&r.Law, d, r.Objective)
	pb.apply(&r.set)
	rise := distuv.ChiSquared{K: 1}.Quantile(s.Level)
	if units := len(d.units()); units < d.Len() && units > 1 {
		rise = square(tQuantile(s.Level, float64(units-1))) * float64(d.Len()) / float64(units)
	}
	limit := r.Value + 0.5*pb.dispersion(r.theta)*rise
	out := make([]Profiled, len(s.Params))
	err := parallel.With(ctx, 2*len(s.Params), s.Workers,
		func() func(int) {
			ws := newWorkspace(pb.p)
			return func(k int) {
				p := &out[k/2]
				j := r.Law.Param(s.Params[k/2])
				if j < 0 {
					panic("fit: law " + r.Law.Name + " has no parameter " + s.Params[k/2])
				}
				if k%2 == 0 {
					p.Param = s.Params[k/2]
					p.Low, p.OpenLow = pb.profileEnd(r.theta, j, -1, limit, ws)
				} else {
					p.High, p.OpenHigh = pb.profileEnd(r.theta, j, 1, limit, ws)
				}
			}
		})
	return out, err
}

// dispersion returns τ. The curvature of ρ is the mean slope of ρ' over a bandwidth on either side
// of each residual: exact for squares, and for penalties that bend in a range narrower than the
// residuals an estimate of their density there.
func (pb *problem) dispersion(theta []float64) float64 {
	res := pb.residuals(theta)
	h := Quantile(each(res, math.Abs), math.Min(1, 1.2*math.Pow(float64(len(res)), -0.2)))
	var top, bottom float64
	for i, e := range res {
		_, d1, _, _ := pb.obj.penalty(e)
		_, above, _, _ := pb.obj.penalty(e + h)
		_, below, _, _ := pb.obj.penalty(e - h)
		top += pb.w[i] * d1 * d1
		bottom += pb.w[i] * (above - below) / (2 * h)
	}
	if top == 0 {
		return 0 // a perfect fit
	}
	return top / bottom * float64(pb.n) / math.Max(float64(pb.n-pb.freeParams()), 1)
}

func (pb *problem) freeParams() int {
	n := 0
	for _, f := range pb.fixed {
		if !f {
			n++
		}
	}
	return n
}

const (
	// profileReach bounds how far, in θ, an end is looked for: e^25 beyond the estimate a
	// coefficient is as good as open.
	profileReach = 25.0
	// profileDigits is the relative precision of an end, in θ.
	profileDigits = 1e-6
)

// profileEnd walks θ_j away from the optimum in growing steps, refitting the rest from the last
// point, until the objective passes the limit, and bisects.
func (pb *problem) profileEnd(theta []float64, j, side int, limit float64, ws *workspace) (
	end float64, open bool,
) {
	at := append([]float64(nil), theta...)
	value := func(v float64) (float64, []float64) {
		c := *pb
		c.fixed = append([]bool(nil), pb.fixed...)
		c.lo, c.hi = append([]float64(nil), pb.lo...), append([]float64(nil), pb.hi...)
		c.fixed[j], c.lo[j], c.hi[j] = true, v, v
		start := append([]float64(nil), at...)
		start[j] = v
		e := c.descend(start, ws)
		return e.value, e.theta
	}
	natural := func(v float64) float64 {
		if pb.law.Params[j].Log {
			return math.Exp(v)
		}
		return v
	}
	in := theta[j]
	step := 1e-3 * (1 + math.Abs(in))
	for {
		next := in + float64(side)*step
		if next <= pb.lo[j] || next >= pb.hi[j] ||
			math.Abs(next-theta[j]) > profileReach*(1+math.Abs(theta[j])) {
			return pb.openEnd(j, side), true
		}
		f, t := value(next)
		if f > limit {
			out := next
			for math.Abs(out-in) > profileDigits*(1+math.Abs(in)) {
				mid := 0.5 * (in + out)
				if f, t := value(mid); f > limit {
					out = mid
				} else {
					in, at = mid, t
				}
			}
			return natural(0.5 * (in + out)), false
		}
		in, at = next, t
		step *= 1.6
	}
}

func (pb *problem) openEnd(j, side int) float64 {
	p := pb.law.Params[j]
	switch {
	case side > 0 && (p.High == 0 || p.Vanishes):
		return math.Inf(1)
	case side > 0:
		return p.High
	case p.Log:
		return p.Low
	case p.Low == 0 && p.High == 0:
		return math.Inf(-1)
	}
	return p.Low
}
