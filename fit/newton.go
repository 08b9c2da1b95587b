package fit

import "math"

// workspace holds the vectors of one descent, reused across descents.
type workspace struct {
	theta, trial []float64
	at, next     derivatives // at theta and at trial
	a, step      []float64
	pinned       []bool
	// known is an optimum already reached; a descent that comes so close that no row can tell the
	// two apart ends there.
	known *optimum
}

func newWorkspace(p int) *workspace {
	return &workspace{
		theta: make([]float64, p), trial: make([]float64, p),
		at: newDerivatives(p), next: newDerivatives(p),
		a: make([]float64, p*p), step: make([]float64, p),
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
	// stepTol ends a descent when a full Newton step moves no θ_j by more than this, relative to 1
	// + |θ_j|.
	stepTol = 1e-11
	// gradientFloor is the scale-free gradient at which a descent that can no longer show a gain in
	// the sum counts as converged.
	gradientFloor = 1e-6
	// negligible and noiseFloor are predicted gains, relative to the value: below the first, the
	// next full step lands on the optimum to working precision; below the second, rounding of the
	// sum hides any gain.
	negligible, noiseFloor = 1e-17, 1e-15
	// A descent starts half way between Newton's step and the step of the squares above the
	// penalties, falls back to at least lastingDamping when a step fails, may end only under
	// lightDamping, and ends with a step at leastDamping.
	firstDamping, lastingDamping, lightDamping, leastDamping, maxDamping = 1.0, 0.5, 1e-3, 1e-14,
		1e12
)

// minimise runs a damped Newton method from start inside the bounds: full Newton steps where the
// Hessian allows them, Levenberg–Marquardt damping where it does not, and parameters pinned while
// the gradient pushes them against a bound.
func (pb *problem) minimise(start []float64, ws *workspace) optimum {
	return pb.minimiseTo(start, ws, stepTol, maxIterations)
}

func (pb *problem) minimiseTo(start []float64, ws *workspace, tol float64, iterations int) optimum {
	copy(ws.theta, start)
	pb.project(ws.theta)
	f := pb.eval(ws.theta, &ws.at)
	end := optimum{evals: 1}
	full := pb.ct != nil // whether the Hessian is more than Gauss–Newton
	undamped := false    // whether the last step has been tried without damping
	mu := firstDamping
	for range iterations {
		if f == 0 || math.IsInf(f, 0) {
			end.converged = f == 0
			break
		}
		if mu > maxDamping {
			_, gradient := pb.hidden(f)
			end.converged = pb.norm(ws, f) <= gradient
			break
		}
		if ws.known != nil && ws.atKnown(pb.p, f) {
			evals := end.evals
			end = *ws.known
			end.evals = evals
			return end
		}
		pb.pin(ws.theta, ws)
		predicted, ok := ws.solve(pb.p, ws.at.h, mu)
		if !ok { // indefinite: leave the curvature out
			if predicted, ok = ws.solve(pb.p, ws.at.m, mu); !ok {
				mu = max(8*mu, lastingDamping)
				continue
			}
		}
		small := pb.advance(ws, tol)
		if mu <= lightDamping && (small || predicted <= negligible*f) {
			if mu > leastDamping && !undamped {
				mu, undamped = leastDamping, true
				continue
			}
			copy(ws.theta, ws.trial) // the last step of a quadratic convergence
			end.converged = true
			break
		}
		next := pb.eval(ws.trial, &ws.next)
		end.evals++
		ratio := (f - next) / predicted
		if !(next <= f) {
			if gain, gradient := pb.hidden(f); predicted < gain*f && pb.norm(ws, f) <= gradient {
				// The values can no longer tell which point is better; the gradients can.
				before := pb.norm(ws, f)
				ws.accept()
				if mu = leastDamping; pb.norm(ws, f) < 0.5*before {
					continue
				}
				ws.accept() // back
				end.converged = true
				break
			}
			if pb.exact(f, rounding) {
				end.converged = true
				break
			}
			mu = max(8*mu, lastingDamping)
			continue
		}
		ws.accept()
		f = next
		switch {
		case ratio > 0.9:
			mu = max(mu*0.05, leastDamping)
		case ratio > 0.5:
			mu = max(mu*0.3, leastDamping)
		case ratio < 0.1:
			mu *= 3
		}
		// Gauss–Newton is cheap while it predicts well; once it does not, the missing curvature is
		// worth p gradients.
		if pb.ct == nil && (full || math.Abs(ratio-1) > 0.05) {
			full = true
			pb.curvature(ws.theta, ws.at.h)
		}
	}
	end.theta, end.value = append([]float64(nil), ws.theta...), f
	return end
}

// sameBasin is the squared distance to a known optimum, in the metric of the squares above the
// penalties and relative to the value, below which a descent is in its basin: the root mean square
// change of a residual is then a hundredth of a typical residual.
const sameBasin = 1e-3

// atKnown says whether θ lies in the basin of the known optimum.
func (ws *workspace) atKnown(p int, f float64) bool {
	d := 0.0
	for a := range p {
		da := ws.theta[a] - ws.known.theta[a]
		for b := range p {
			d += da * ws.at.m[a*p+b] * (ws.theta[b] - ws.known.theta[b])
		}
	}
	return d <= sameBasin*f && f <= ws.known.value*(1+sameBasin)
}

// advance writes the projected trial point and says whether it lies within tol of the current one,
// relative to 1 + |θ_j|.
func (pb *problem) advance(ws *workspace, tol float64) bool {
	for j, x := range ws.theta {
		ws.trial[j] = x + ws.step[j]
	}
	pb.project(ws.trial)
	for j, x := range ws.theta {
		if math.Abs(ws.trial[j]-x) > tol*(1+math.Abs(x)) {
			return false
		}
	}
	return true
}

// Relative residuals of a perfect fit: what rounding leaves of them, where gradients mean nothing,
// and what stepTol may leave.
const (
	rounding = 1e-13
	stepped  = 1e-9
)

// hidden returns the relative gain that rounding of the sum hides, and the gradient below which a
// descent that can no longer show a gain counts as converged: noiseFloor and gradientFloor, unless
// residuals are so small, as of data that a law wrote in single precision, that their own rounding
// hides more: the residual r of a term of size 1 is known to ε/r.
func (pb *problem) hidden(f float64) (gain, gradient float64) {
	weights := 0.0
	for i, w := range pb.w {
		if pb.obj.raw {
			w *= pb.y[i] * pb.y[i]
		}
		weights += w
	}
	const epsilon, small = 0x1p-52, 1e-6
	r := math.Sqrt(2 * f / weights)
	if !(r < small) {
		return noiseFloor, gradientFloor
	}
	gain = 8 * epsilon / r
	return gain, math.Sqrt(2 * gain)
}

// exact says whether the value is no more than that of relative residuals of the given size.
func (pb *problem) exact(f, residual float64) bool {
	floor := 0.0
	for i, w := range pb.w {
		e := residual
		if pb.obj.raw {
			e *= math.Abs(pb.y[i])
		}
		rho, _, _, _ := pb.obj.penalty(e)
		floor += w * rho
	}
	return f <= floor
}

// accept makes the trial point current; a second call takes it back.
func (ws *workspace) accept() {
	ws.theta, ws.trial = ws.trial, ws.theta
	ws.at, ws.next = ws.next, ws.at
}

func (pb *problem) project(x []float64) {
	for j := range x {
		x[j] = min(max(x[j], pb.lo[j]), pb.hi[j])
	}
}

// pin marks the parameters that are held: fixed ones, and those at a bound that the gradient pushes
// outwards.
func (pb *problem) pin(x []float64, ws *workspace) {
	for j := range x {
		ws.pinned[j] = pb.fixed[j] ||
			(x[j] <= pb.lo[j] && ws.at.g[j] > 0) || (x[j] >= pb.hi[j] && ws.at.g[j] < 0)
	}
}

// norm returns the gradient's largest free component as |g_j|/√(H_jj·f), which does not change when
// the objective or a parameter is rescaled.
func (pb *problem) norm(ws *workspace, f float64) float64 {
	worst := 0.0
	if f == 0 {
		return 0
	}
	for j, g := range ws.at.g {
		if ws.pinned[j] {
			continue
		}
		if hj := math.Abs(ws.at.h[j*pb.p+j]); hj > 0 {
			worst = max(worst, math.Abs(g)/math.Sqrt(hj*f))
		}
	}
	return worst
}

// solve writes the step −(H + mu·M)⁻¹g over the free parameters, H the Hessian or what stands for
// it, and returns the decrease the quadratic predicts; ok is false when the matrix is not positive
// definite.
func (ws *workspace) solve(p int, hessian []float64, mu float64) (predicted float64, ok bool) {
	top := 0.0
	for j := range p {
		top = max(top, ws.at.m[j*p+j])
	}
	if top == 0 {
		top = 1
	}
	for j, h := range hessian {
		ws.a[j] = h + mu*ws.at.m[j]
	}
	for j := range p {
		if ws.pinned[j] {
			for k := range p {
				ws.a[j*p+k], ws.a[k*p+j] = 0, 0
			}
			ws.a[j*p+j] = 1
			ws.step[j] = 0
			continue
		}
		ws.a[j*p+j] += mu * 1e-9 * max(ws.at.m[j*p+j], 1e-9*top)
		ws.step[j] = -ws.at.g[j]
	}
	if !cholesky(ws.a, p) {
		return 0, false
	}
	choleskySolve(ws.a, ws.step, p)
	for j := range p {
		predicted -= ws.at.g[j] * ws.step[j]
		s := 0.0
		for k := range p {
			s += hessian[j*p+k] * ws.step[k]
		}
		predicted -= 0.5 * ws.step[j] * s
	}
	return predicted, predicted >= 0
}

// cholesky factors the symmetric a (p×p, row major) in place into its lower triangle; false when a
// is not positive definite to working precision.
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
