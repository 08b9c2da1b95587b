package fit

import "math"

// workspace holds the vectors of one descent, reused across descents.
type workspace struct {
	theta, trial, g, gt, h, ht, a, step, diag []float64
	pinned                                    []bool
}

func newWorkspace(p int) *workspace {
	v := func() []float64 { return make([]float64, p) }
	return &workspace{
		theta: v(), trial: v(), g: v(), gt: v(), step: v(), diag: v(),
		h: make([]float64, p*p), ht: make([]float64, p*p), a: make([]float64, p*p),
		pinned: make([]bool, p),
	}
}

// optimum is where a descent ended.
type optimum struct {
	theta     []float64
	value     float64
	converged bool
	evals     int
}

const (
	maxIterations = 400
	// stepTol ends a descent when a full Newton step moves no θ_j by more
	// than this, relative to 1 + |θ_j|.
	stepTol = 1e-11
	// gradientFloor is the scale-free gradient at which a descent that can
	// no longer show a gain in the sum counts as converged.
	gradientFloor = 1e-6
)

// minimise runs a damped Newton method from start inside the bounds: full
// Newton steps where the Hessian allows them, Levenberg–Marquardt damping
// where it does not, and parameters pinned while the gradient pushes them
// against a bound.
func (pb *problem) minimise(start []float64, ws *workspace) optimum {
	return pb.minimiseTo(start, ws, stepTol, maxIterations)
}

func (pb *problem) minimiseTo(start []float64, ws *workspace, tol float64, iterations int) optimum {
	x := ws.theta
	copy(x, start)
	pb.project(x)
	f := pb.eval(x, ws.g, ws.h)
	evals := 1
	mu, nu := 1e-3, 4.0
	full := pb.ct != nil // whether h is the full Hessian
	converged := false
	if math.IsInf(f, 0) {
		return optimum{append([]float64(nil), x...), f, false, evals}
	}
	for range iterations {
		if f == 0 {
			converged = true
			break
		}
		pb.pin(x, ws)
		predicted, ok := ws.solve(pb.p, mu)
		if !ok {
			mu = max(4*mu, 1e-6)
			if mu > 1e15 {
				break
			}
			continue
		}
		small := true
		for j := range x {
			ws.trial[j] = x[j] + ws.step[j]
		}
		pb.project(ws.trial)
		for j := range x {
			if math.Abs(ws.trial[j]-x[j]) > tol*(1+math.Abs(x[j])) {
				small = false
			}
		}
		ft := pb.eval(ws.trial, ws.gt, ws.ht)
		evals++
		better := ft <= f
		if small && mu <= 1e-4 {
			if better {
				f = ws.accept(ft)
				x = ws.theta
			}
			converged = true
			break
		}
		ratio := (f - ft) / predicted
		if !better || math.IsInf(ft, 0) {
			// At the noise floor of the sum no step can show a gain.
			if predicted < 1e-15*f && pb.norm(ws, f) <= gradientFloor {
				converged = true
				break
			}
			mu *= nu
			nu *= 2
			if mu > 1e15 {
				converged = pb.norm(ws, f) <= gradientFloor
				break
			}
			continue
		}
		f = ws.accept(ft)
		x = ws.theta
		switch {
		case ratio > 0.9:
			mu = max(mu*0.02, 1e-14)
		case ratio > 0.5:
			mu = max(mu*0.2, 1e-14)
		case ratio < 0.1:
			mu *= 3
		}
		nu = 4
		// Gauss–Newton is cheap while it predicts well; once it does not,
		// the missing curvature is worth p gradients.
		if pb.ct == nil && (full || math.Abs(ratio-1) > 0.05) {
			full = true
			pb.curvature(x, ws.h)
		}
	}
	return optimum{append([]float64(nil), x...), f, converged, evals}
}

// accept makes the trial point current and returns its value.
func (ws *workspace) accept(f float64) float64 {
	ws.theta, ws.trial = ws.trial, ws.theta
	ws.g, ws.gt = ws.gt, ws.g
	ws.h, ws.ht = ws.ht, ws.h
	return f
}

func (pb *problem) project(x []float64) {
	for j := range x {
		x[j] = min(max(x[j], pb.lo[j]), pb.hi[j])
	}
}

// pin marks the parameters that are held: fixed ones, and those at a bound
// that the gradient pushes outwards.
func (pb *problem) pin(x []float64, ws *workspace) {
	for j := range x {
		ws.pinned[j] = pb.fixed[j] ||
			(x[j] <= pb.lo[j] && ws.g[j] > 0) || (x[j] >= pb.hi[j] && ws.g[j] < 0)
	}
}

// norm returns the gradient's largest free component as |g_j|/√(H_jj·f),
// which does not change when the objective or a parameter is rescaled.
func (pb *problem) norm(ws *workspace, f float64) float64 {
	worst := 0.0
	if f == 0 {
		return 0
	}
	for j, g := range ws.g {
		if ws.pinned[j] {
			continue
		}
		if hj := math.Abs(ws.h[j*pb.p+j]); hj > 0 {
			worst = max(worst, math.Abs(g)/math.Sqrt(hj*f))
		}
	}
	return worst
}

// solve writes the step −(H + mu·D)⁻¹g over the free parameters, D the
// absolute diagonal of H, and returns the decrease the quadratic predicts; ok
// is false when the matrix is not positive definite.
func (ws *workspace) solve(p int, mu float64) (predicted float64, ok bool) {
	top := 0.0
	for j := range p {
		ws.diag[j] = math.Abs(ws.h[j*p+j])
		top = max(top, ws.diag[j])
	}
	if top == 0 {
		top = 1
	}
	copy(ws.a, ws.h)
	for j := range p {
		if ws.pinned[j] {
			for k := range p {
				ws.a[j*p+k], ws.a[k*p+j] = 0, 0
			}
			ws.a[j*p+j] = 1
			ws.step[j] = 0
			continue
		}
		ws.a[j*p+j] += mu * max(ws.diag[j], 1e-12*top)
		ws.step[j] = -ws.g[j]
	}
	if !cholesky(ws.a, p) {
		return 0, false
	}
	choleskySolve(ws.a, ws.step, p)
	for j := range p {
		predicted -= ws.g[j] * ws.step[j]
		s := 0.0
		for k := range p {
			s += ws.h[j*p+k] * ws.step[k]
		}
		predicted -= 0.5 * ws.step[j] * s
	}
	return predicted, predicted >= 0
}

// cholesky factors the symmetric a (p×p, row major) in place into its lower
// triangle; false when a is not positive definite to working precision.
func cholesky(a []float64, p int) bool {
	for j := range p {
		rj := a[j*p : j*p+j]
		d := a[j*p+j]
		orig := d
		for _, v := range rj {
			d -= v * v
		}
		if !(d > 1e-15*orig) {
			return false
		}
		d = math.Sqrt(d)
		a[j*p+j] = d
		for i := j + 1; i < p; i++ {
			s := a[i*p+j]
			ri := a[i*p : i*p+j]
			for k, v := range rj {
				s -= ri[k] * v
			}
			a[i*p+j] = s / d
		}
	}
	return true
}

// choleskySolve overwrites b with the solution of L·Lᵀ·x = b.
func choleskySolve(l, b []float64, p int) {
	for i := range p {
		s := b[i]
		for k := range i {
			s -= l[i*p+k] * b[k]
		}
		b[i] = s / l[i*p+i]
	}
	for i := p - 1; i >= 0; i-- {
		s := b[i]
		for k := i + 1; k < p; k++ {
			s -= l[k*p+i] * b[k]
		}
		b[i] = s / l[i*p+i]
	}
}
