package calibrate

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
)

// gaussian is a normal prior on the unknowns.
type gaussian struct {
	mean      []float64
	precision *mat.SymDense // inverse covariance
}

// observations are what a fit is held to.
type observations struct {
	weight []float64
	// residual returns ln(measured/predicted) of row i at theta and fills ∂ ln predicted/∂θ. Several
	// rows are worked out at once.
	residual func(i int, theta, slope []float64) float64
	// renew, of residuals that are straight lines, takes those anew at theta that were drawn too far
	// from there, where the steps end; false where there are none. Nil for exact residuals.
	renew func(theta []float64) bool
	scale float64 // spread of the residuals before the first step; 0 = startScale
	most  float64 // largest spread believed; 0 = any
}

// posterior is the outcome of a fit.
type posterior struct {
	theta      []float64
	covariance *mat.SymDense
	// standard deviation that the median absolute residual implies: what the fit weighs rows by
	scale float64
	// the one that the 80 % quantile of the weighted residuals implies: what intervals rest on
	residual  float64
	converged bool
}

const (
	// tails is the degrees of freedom of the residuals, which are Student-t: repeated published
	// runs of one configuration differ by 17 to 43 % now and then.
	tails = 4.0
	// scaleFloor is the least residual spread believed, however well a few rows fit.
	scaleFloor = 0.02
	// startScale is the residual spread before the first step.
	startScale = 0.1
	// longestStep bounds a change of ln constant in one step.
	longestStep = 0.5
	// tolerance ends the fit: far below any standard deviation of the unknowns.
	tolerance = 1e-5
)

// solve maximises the posterior by iteratively re-weighted Gauss–Newton steps from a start:
//
//	Σ_i w_i·(ν+1)/2·ln(1 + r_i²/(ν·s²)) + ½·(θ−μ)ᵀ·Λ·(θ−μ) → min
//
// w row weights, ν tails, s the spread, worked out anew from the median residual at each step.
func solve(prior gaussian, o observations, start []float64, iterations int) posterior {
	n := len(prior.mean)
	p := posterior{
		theta: slices.Clone(start), covariance: mat.NewSymDense(n, nil),
		scale: cmp.Or(o.scale, startScale),
	}
	hessian := mat.NewSymDense(n, nil)
	residuals := make([]float64, len(o.weight))
	slopes := mat.NewDense(max(1, len(o.weight)), n, nil)
	gradient, offset, pull := mat.NewVecDense(n, nil), mat.NewVecDense(n, nil),
		mat.NewVecDense(n, nil)
	var factor mat.Cholesky
	for range iterations {
		for j := range n {
			offset.SetVec(j, prior.mean[j]-p.theta[j])
		}
		pull.MulVec(prior.precision, offset)
		gradient.CopyVec(pull)
		parallel.Each(len(o.weight), 0, func(i int) {
			residuals[i] = o.residual(i, p.theta, slopes.RawRowView(i))
		})
		for i := range o.weight {
			z := residuals[i] / p.scale
			w := o.weight[i] * (tails + 1) / (tails + z*z) / (p.scale * p.scale)
			row := slopes.RawRowView(i)
			gradient.AddScaledVec(gradient, w*residuals[i], mat.NewVecDense(n, row))
			floats.Scale(math.Sqrt(w), row)
		}
		hessian.SymRankK(prior.precision, 1, slopes.T())
		if !factor.Factorize(hessian) {
			return p
		}
		var step mat.VecDense
		if err := factor.SolveVecTo(&step, gradient); err != nil {
			return p
		}
		length := mat.Norm(&step, math.Inf(1))
		shrink := min(1, longestStep/max(length, tolerance))
		for j := range n {
			p.theta[j] += shrink * step.AtVec(j)
		}
		if len(residuals) > 0 {
			// standard deviation over median absolute deviation of a normal distribution
			const normal = 1.4826
			p.scale = max(scaleFloor, normal*weightedQuantile(residuals, o.weight, 0.5))
			if o.most > 0 {
				p.scale = min(p.scale, o.most)
			}
			p.residual = max(p.scale, weightedQuantile(residuals, o.weight, level)/quantile90)
		}
		p.converged = length < tolerance
		if p.converged && (o.renew == nil || !o.renew(p.theta)) {
			break
		}
	}
	if factor.Factorize(hessian) {
		_ = factor.InverseTo(p.covariance) // a factorised matrix has an inverse
	}
	return p
}

// level is that of the intervals, and quantile90 the normal quantile that bounds them.
const (
	level      = 0.8
	quantile90 = fit.NormalQuantile90
)

// evenly returns equal weights.
func evenly(n int) []float64 { return slices.Repeat([]float64{1}, n) }

// distinct returns the different names of rows, sorted.
func distinct[T any](rows []T, name func(*T) string) []string {
	var names []string
	for i := range rows {
		names = append(names, name(&rows[i]))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// weightedQuantile returns the quantile of absolute values.
func weightedQuantile(values, weight []float64, at float64) float64 {
	order := make([]int, len(values))
	total := 0.0
	for i := range order {
		order[i] = i
		total += weight[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(math.Abs(values[a]), math.Abs(values[b])) })
	sum := 0.0
	for _, i := range order {
		sum += weight[i]
		if sum >= at*total {
			return math.Abs(values[i])
		}
	}
	return 0
}
