package fit

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// kinks is the state of the active-set method for penalties with a kink: the fit passes exactly
// through the active rows, and the other rows stay on their side of it.
type kinks struct {
	pb     *problem
	ws     *workspace
	theta  []float64
	value  float64
	e      []float64 // residual of each row
	g      []float64 // n×p gradients of the residuals
	active []int
	lambda []float64 // multiplier of each active row
	side   []float64 // −1 or 1: where each row that is not active lies
	free   []int     // parameters not held at a bound
	evals  int
}

// activeSet minimises Σ w·ρ(e) from x near its optimum, with the rows within h of zero as first
// guess of the active ones. Each step solves
//
//	[ W  Gᵀ ] [ s ]   [ −Σ_{i∉A} w·ρ'·∇e ]
//	[ G  0  ] [ λ ] = [ −e_A             ]
//
// with W the Hessian of the Lagrangian, stops at the kink where the model along s turns upwards
// (that row becomes active), and returns to e_A = 0. It converges when no step is left and every
// multiplier lies within the slopes of its row, which certifies the optimum; a row whose multiplier
// does not is released.
//
// Source: Murray and Overton 1981, SIAM J. Sci. Stat. Comput. 2(2) (projected Lagrangian method for
// nonlinear ℓ1 problems).
func (pb *problem) activeSet(x []float64, h float64, ws *workspace) optimum {
	k := &kinks{
		pb: pb, ws: ws, theta: append([]float64(nil), x...),
		e: make([]float64, pb.n), g: make([]float64, pb.n*pb.p), side: make([]float64, pb.n),
	}
	for j := range x {
		if !pb.fixed[j] && x[j] > pb.lo[j] && x[j] < pb.hi[j] {
			k.free = append(k.free, j)
		}
	}
	k.begin(h)
	if len(k.free) == 0 {
		return optimum{k.theta, k.value, true, k.evals}
	}
	mu := 0.0
	for range 100 {
		s, ok := k.step(mu)
		if !ok {
			mu = max(10*mu, 1e-3)
			if mu > 1e9 {
				break
			}
			continue
		}
		if k.still(s) {
			if !k.release() {
				return optimum{k.theta, pb.eval(k.theta, nil), k.balanced(), k.evals}
			}
			continue
		}
		if !k.advance(s) {
			mu = max(10*mu, 1e-3)
			if mu > 1e9 {
				break
			}
			continue
		}
		if mu *= 0.1; mu < 1e-6 {
			mu = 0
		}
	}
	return optimum{k.theta, k.value, false, k.evals}
}

// begin evaluates the rows and makes those within h of zero active, the nearest first, as many as
// there are free parameters.
func (k *kinks) begin(h float64) {
	k.value = k.pb.eval(k.theta, nil)
	k.refresh()
	near := make([]int, 0, len(k.e))
	for i, e := range k.e {
		k.side[i] = math.Copysign(1, e)
		if math.Abs(e) <= h {
			near = append(near, i)
		}
	}
	slices.SortFunc(near, func(a, b int) int { return cmp.Compare(math.Abs(k.e[a]), math.Abs(k.e[b])) })
	k.active = near[:min(len(near), len(k.free))]
	k.lambda = make([]float64, len(k.active))
}

// refresh recomputes residuals and gradients at θ.
func (k *kinks) refresh() {
	pb := k.pb
	for i := range pb.n {
		g := k.g[i*pb.p : (i+1)*pb.p]
		e, e1, _ := pb.residual(i, pb.law.evalWith(pb.ct, k.theta, pb.row(i), g))
		k.e[i] = e
		for j := range g {
			g[j] *= e1
		}
	}
	k.evals++
}

// slope is w·ρ' of a row that is not active.
func (k *kinks) slope(i int) float64 {
	if k.side[i] > 0 {
		return k.pb.w[i] * k.pb.obj.down
	}
	return -k.pb.w[i] * k.pb.obj.up
}

func (k *kinks) isActive(i int) bool { return slices.Contains(k.active, i) }

// step solves the system above with W + mu·M instead of W, M the matrix of squares over the
// typical residual; ok is false when it is singular or the step does not descend.
func (k *kinks) step(mu float64) (s []float64, ok bool) {
	pb, nf, na := k.pb, len(k.free), len(k.active)
	w := make([]float64, pb.n)
	for i := range w {
		w[i] = k.slope(i)
	}
	for a, i := range k.active {
		w[i] = k.lambda[a]
	}
	lagrangian := *pb
	lagrangian.obj, lagrangian.w = identity(), w
	lagrangian.eval(k.theta, &k.ws.at)
	lagrangian.curvature(k.theta, k.ws.at.h)
	k.evals++
	squares := make([]float64, pb.p*pb.p)
	typical := 0.0
	for i, e := range k.e {
		typical += math.Abs(e) / float64(pb.n)
		g := k.g[i*pb.p : (i+1)*pb.p]
		for a, ga := range g {
			for b, gb := range g {
				squares[a*pb.p+b] += pb.w[i] * ga * gb
			}
		}
	}
	m := mat.NewDense(nf+na, nf+na, nil)
	rhs := mat.NewVecDense(nf+na, nil)
	for a, ja := range k.free {
		for b, jb := range k.free {
			at := ja*pb.p + jb
			m.Set(a, b, k.ws.at.h[at]+mu*squares[at]/max(typical, 1e-300))
		}
		pull := 0.0
		for i := range pb.n {
			if !k.isActive(i) {
				pull += k.slope(i) * k.g[i*pb.p+ja]
			}
		}
		rhs.SetVec(a, -pull)
		for c, i := range k.active {
			m.Set(a, nf+c, k.g[i*pb.p+ja])
			m.Set(nf+c, a, k.g[i*pb.p+ja])
		}
	}
	for c, i := range k.active {
		rhs.SetVec(nf+c, -k.e[i])
	}
	var v mat.VecDense
	if err := v.SolveVec(m, rhs); err != nil {
		if _, near := err.(mat.Condition); !near {
			return nil, false
		}
	}
	s = make([]float64, pb.p)
	descent := 0.0
	for a, j := range k.free {
		s[j] = v.AtVec(a)
		descent -= rhs.AtVec(a) * s[j]
		if math.IsNaN(s[j]) || math.IsInf(s[j], 0) {
			return nil, false
		}
	}
	for c := range k.active {
		k.lambda[c] = v.AtVec(nf + c)
		descent -= math.Abs(k.e[k.active[c]]) * 2 * math.Abs(k.lambda[c])
	}
	return s, descent <= 0 || k.still(s)
}

// identity is the penalty ρ(e) = e, with which eval yields the derivatives of Σ w·e for weights of
// any sign.
func identity() Objective {
	return Objective{h: -math.SmallestNonzeroFloat64, up: -1, down: 1}
}

// still says whether the step is lost in rounding.
func (k *kinks) still(s []float64) bool {
	for j, v := range s {
		if math.Abs(v) > 1e-11*(1+math.Abs(k.theta[j])) {
			return false
		}
	}
	return true
}

// balanced says whether the multipliers cancel the pull of the other rows in every free parameter:
// what a singular system would only pretend.
func (k *kinks) balanced() bool {
	for _, j := range k.free {
		sum, size := 0.0, 0.0
		for i := range k.e {
			c := 0.0
			if a := slices.Index(k.active, i); a >= 0 {
				c = k.lambda[a]
			} else {
				c = k.slope(i)
			}
			v := c * k.g[i*k.pb.p+j]
			sum += v
			size += math.Abs(v)
		}
		if math.Abs(sum) > 1e-8*size {
			return false
		}
	}
	return true
}

// release frees the active row whose multiplier lies farthest outside its slopes; false when there
// is none: the optimum is certified.
func (k *kinks) release() bool {
	worst, at := 1e-9, -1
	for c, i := range k.active {
		up, down := k.pb.w[i]*k.pb.obj.up, k.pb.w[i]*k.pb.obj.down
		if over := max(k.lambda[c]-down, -up-k.lambda[c]) / (up + down); over > worst {
			worst, at = over, c
		}
	}
	if at < 0 {
		return false
	}
	k.side[k.active[at]] = math.Copysign(1, k.lambda[at])
	k.active = slices.Delete(k.active, at, at+1)
	k.lambda = slices.Delete(k.lambda, at, at+1)
	return true
}

// advance moves along s as far as the piecewise model falls, returns to the active rows, and keeps
// the point if the objective fell.
func (k *kinks) advance(s []float64) bool {
	t, hit := k.reach(s)
	old, oldE := k.theta, slices.Clone(k.e)
	active := slices.Clone(k.active)
	if hit >= 0 && len(active) < len(k.free) {
		active = append(active, hit)
	}
	k.theta = make([]float64, len(old))
	for j := range old {
		k.theta[j] = old[j] + t*s[j]
	}
	k.pb.project(k.theta)
	k.refresh()
	for range 3 {
		if !k.restore(active) {
			break
		}
	}
	if v := k.pb.eval(k.theta, nil); v < k.value || (v <= k.value*(1+1e-14) && t == 1) {
		k.value = v
		if len(active) > len(k.active) {
			k.lambda = append(k.lambda, 0)
		}
		k.active = active
		for i, e := range k.e {
			if math.Abs(e) > onVertex {
				k.side[i] = math.Copysign(1, e)
			}
		}
		return true
	}
	k.theta = old
	copy(k.e, oldE)
	k.refresh()
	return false
}

// reach returns how much of s, at most all, the model is taken along, and the row whose kink stops
// it (−1 for none).
func (k *kinks) reach(s []float64) (t float64, hit int) {
	pb := k.pb
	type kink struct {
		t, rise float64
		row     int
	}
	var ahead []kink
	slope, bend := 0.0, 0.0
	for a, sa := range s {
		for b, sb := range s {
			bend += sa * sb * k.ws.at.h[a*pb.p+b]
		}
	}
	for i := range pb.n {
		if k.isActive(i) {
			continue
		}
		d := 0.0
		for j, sj := range s {
			d += k.g[i*pb.p+j] * sj
		}
		slope += k.slope(i) * d
		if at := -k.e[i] / d; d*k.side[i] < 0 && at > 0 && at <= 1 {
			ahead = append(ahead, kink{at, pb.w[i] * (pb.obj.up + pb.obj.down) * math.Abs(d), i})
		}
	}
	slices.SortFunc(ahead, func(a, b kink) int { return cmp.Compare(a.t, b.t) })
	for _, c := range ahead {
		if bend > 0 && slope+c.t*bend >= 0 {
			return max(-slope/bend, 1e-3), -1
		}
		if slope+c.t*bend+c.rise >= 0 {
			return c.t, c.row
		}
		slope += c.rise
	}
	if bend > 0 && slope+bend > 0 && slope < 0 {
		return -slope / bend, -1
	}
	return 1, -1
}

// restore takes one least-norm Newton step to e = 0 on the active rows.
func (k *kinks) restore(active []int) bool {
	na, nf := len(active), len(k.free)
	if na == 0 {
		return false
	}
	m := mat.NewDense(na, nf, nil)
	rhs := mat.NewDense(na, 1, nil)
	worst := 0.0
	for c, i := range active {
		for a, j := range k.free {
			m.Set(c, a, k.g[i*k.pb.p+j])
		}
		rhs.Set(c, 0, -k.e[i])
		worst = max(worst, math.Abs(k.e[i]))
	}
	if worst < 1e-15 {
		return false
	}
	var lq mat.LQ
	lq.Factorize(m)
	var s mat.Dense
	if err := lq.SolveTo(&s, false, rhs); err != nil {
		return false
	}
	for a, j := range k.free {
		k.theta[j] += s.At(a, 0)
	}
	k.pb.project(k.theta)
	k.refresh()
	return true
}
