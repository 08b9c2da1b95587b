package fit

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// descendLAD minimises a penalty with a kink: descents with the kink rounded
// ever tighter (each starting where the last ended), then Newton's method on
// the optimality conditions of the rows the fit passes through, which ends at
// the exact vertex.
func (pb *problem) descendLAD(start []float64, ws *workspace) optimum {
	x := start
	evals := 0
	scale := 1.0
	if r := pb.residuals(start); len(r) > 0 {
		for i := range r {
			r[i] = math.Abs(r[i])
		}
		slices.Sort(r)
		scale = max(r[len(r)/2], 1e-300)
	}
	var end optimum
	for h := scale; ; h *= 0.1 {
		last := h <= 1e-7*scale || h < 1e-14
		end = pb.withObjective(pb.obj.smoothed(h)).minimiseTo(x, ws, 1e-9, 60)
		evals += end.evals
		x = end.theta
		if v, ok := pb.vertex(x, h); ok {
			v.evals = evals
			return v
		}
		if last {
			break
		}
	}
	return optimum{x, pb.eval(x, nil), end.converged, evals}
}

// vertex solves, from x near it, for θ and multipliers λ with e_i(θ) = 0 on
// the active rows A (those within the rounding h) and
// Σ_{i∉A} w·ρ'·∇e + Σ_A λ·∇e = 0. It reports success only when the point is
// a certified optimum: every multiplier inside its row's slopes and no row
// outside A on the other side of zero.
func (pb *problem) vertex(x []float64, h float64) (optimum, bool) {
	smooth := pb.obj.smoothed(h)
	free := make([]int, 0, pb.p)
	for j := range x {
		if x[j] > pb.lo[j] && x[j] < pb.hi[j] {
			free = append(free, j)
		}
	}
	res := pb.residuals(x)
	var active []int
	for i, e := range res {
		if _, _, d2, _ := smooth.penalty(e); d2 > 0 {
			active = append(active, i)
		}
	}
	if len(active) > len(free) || len(active) == 0 {
		return optimum{}, false
	}
	nf, na := len(free), len(active)
	lambda := make([]float64, na)
	inActive := make([]bool, pb.n)
	for k, i := range active {
		_, d1, _, _ := smooth.penalty(res[i])
		lambda[k] = pb.w[i] * d1
		inActive[i] = true
	}
	t := append([]float64(nil), x...)
	g := make([]float64, pb.p)
	hess := make([]float64, pb.p*pb.p)
	for range 30 {
		m := mat.NewDense(nf+na, nf+na, nil)
		rhs := mat.NewVecDense(nf+na, nil)
		clear(hess)
		worst := 0.0
		for i := range pb.n {
			f := pb.law.evalWith(pb.ct, t, pb.row(i), g)
			e, e1, _ := pb.residual(i, f)
			_, d1, _, _ := pb.obj.penalty(e)
			c := pb.w[i] * d1
			if inActive[i] {
				k, _ := slices.BinarySearch(active, i)
				c = lambda[k]
				for a, j := range free {
					m.Set(nf+k, a, e1*g[j])
					m.Set(a, nf+k, e1*g[j])
				}
				rhs.SetVec(nf+k, -e)
				worst = max(worst, math.Abs(e))
			}
			for a, j := range free {
				rhs.SetVec(a, rhs.AtVec(a)-c*e1*g[j])
			}
			pb.rowCurvature(t, i, c, hess)
		}
		for a, ja := range free {
			for b, jb := range free {
				m.Set(a, b, hess[ja*pb.p+jb])
			}
		}
		var s mat.VecDense
		if err := s.SolveVec(m, rhs); err != nil {
			if _, ok := err.(mat.Condition); !ok || math.IsNaN(s.AtVec(0)) {
				return optimum{}, false
			}
		}
		moved := 0.0
		for a, j := range free {
			t[j] += s.AtVec(a)
			moved = max(moved, math.Abs(s.AtVec(a))/(1+math.Abs(t[j])))
		}
		for k := range lambda {
			lambda[k] += s.AtVec(nf + k)
		}
		if math.IsNaN(moved) || moved > 1 {
			return optimum{}, false
		}
		if moved < 1e-13 && worst < 1e-12 {
			break
		}
	}
	for k, i := range active {
		if lambda[k] > pb.w[i]*pb.obj.down+1e-9 || lambda[k] < -pb.w[i]*pb.obj.up-1e-9 {
			return optimum{}, false
		}
	}
	for i, e := range pb.residuals(t) {
		if inActive[i] && math.Abs(e) > onVertex {
			return optimum{}, false
		}
		if !inActive[i] && cmp.Compare(e, 0) != cmp.Compare(res[i], 0) {
			return optimum{}, false
		}
	}
	value := pb.eval(t, nil)
	if value > pb.eval(x, nil) {
		return optimum{}, false
	}
	return optimum{theta: t, value: value, converged: true}, true
}

// rowCurvature adds c·∂²e_i/∂θ² to hess by differences of exact gradients.
func (pb *problem) rowCurvature(theta []float64, i int, c float64, hess []float64) {
	if c == 0 {
		return
	}
	var tb, upb, dnb [maxParams]float64
	t, up, dn := tb[:pb.p], upb[:pb.p], dnb[:pb.p]
	copy(t, theta)
	for b := range t {
		step := 1e-5 * max(1, math.Abs(theta[b]))
		t[b] = theta[b] + step
		_, u1, _ := pb.residual(i, pb.law.evalWith(pb.ct, t, pb.row(i), up))
		t[b] = theta[b] - step
		_, d1, _ := pb.residual(i, pb.law.evalWith(pb.ct, t, pb.row(i), dn))
		t[b] = theta[b]
		for a := range t {
			hess[a*pb.p+b] += c * (u1*up[a] - d1*dn[a]) / (2 * step)
		}
	}
}

// onVertex is the residual below which a row counts as passed through.
const onVertex = 1e-10

// vertexRows counts the rows whose residual is zero to rounding.
func (pb *problem) vertexRows(theta []float64) int {
	n := 0
	for _, e := range pb.residuals(theta) {
		if math.Abs(e) < onVertex {
			n++
		}
	}
	return n
}
