package fit

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Outlier is one row with its residual.
type Outlier struct {
	Row int
	// Residual is what the row has above the fit, in ln y or, for raw objectives, in y.
	Residual float64
	// Studentised is the residual over its own standard deviation,
	//
	//	t = e/(s·√(1 − h)),  s = 1.4826·median|e|·√(n/(n − p)),
	//
	// with the leverage h of the row: a scale that the outlier itself does not widen.
	Studentised float64
}

const (
	// normalMAD is the standard deviation of a normal variable over its median absolute value.
	normalMAD = 1.4826022185056018
	// diverged is the studentised residual beyond which a row is told apart from the rest: one
	// normal row in 10^15, one row in 1,300 with the tails of a t distribution of 3 degrees of
	// freedom.
	diverged = 8.0
	// outlierShare is the largest share of rows that may be outliers; with more the law is wrong.
	outlierShare = 0.1
)

// Outliers returns the rows of d, the data of the fit, with the largest studentised residuals,
// largest first; at most the given number. It is empty when the fit leaves no residuals to judge
// by.
func (r *Result) Outliers(d Data, most int) []Outlier {
	pb := newProblem(&r.Law, d, r.Objective)
	pb.apply(&r.set)
	all := pb.studentised(r.theta)
	slices.SortStableFunc(all, func(a, b Outlier) int {
		return cmp.Compare(math.Abs(b.Studentised), math.Abs(a.Studentised))
	})
	return all[:min(most, len(all))]
}

// Diverged says whether the row does not belong to the fit.
func (o Outlier) Diverged() bool { return math.Abs(o.Studentised) > diverged }

func (pb *problem) studentised(theta []float64) []Outlier {
	residuals := pb.residuals(theta)
	n, free := float64(pb.n), float64(pb.n-pb.freeParams())
	s := normalMAD * Median(each(residuals, math.Abs)) * math.Sqrt(n/math.Max(free, 1))
	if !(s > 0) || math.IsInf(s, 0) || pb.n <= pb.freeParams() {
		return nil
	}
	leverage := pb.leverages(theta)
	out := make([]Outlier, pb.n)
	for i, e := range residuals {
		out[i] = Outlier{
			Row: i, Residual: -e,
			Studentised: -e / (s * math.Sqrt(math.Max(1-leverage[i], 0.5/float64(pb.n)))),
		}
	}
	return out
}

// leverages returns the diagonal of the hat matrix of the law linearised at θ; all 0 when the rows
// leave its parameters open.
func (pb *problem) leverages(theta []float64) []float64 {
	held := make([]bool, pb.p)
	for j := range held {
		held[j] = pb.fixed[j] || theta[j] <= pb.lo[j] || theta[j] >= pb.hi[j]
	}
	out := make([]float64, pb.n)
	if pb.n > screenAbove { // among that many rows none has leverage
		return out
	}
	m, free, _ := pb.normalMatrix(theta, held)
	var factor mat.Cholesky
	if len(free) == 0 || !factor.Factorize(m) {
		return out
	}
	g, v := make([]float64, pb.p), mat.NewVecDense(len(free), nil)
	var solved mat.VecDense
	for i := range pb.n {
		f := pb.law.evalWith(pb.ct, theta, pb.row(i), g)
		_, e1, _ := pb.residual(i, f)
		for a, j := range free {
			v.SetVec(a, e1*g[j])
		}
		if factor.SolveVecTo(&solved, v) == nil {
			out[i] = pb.w[i] * mat.Dot(v, &solved)
		}
	}
	return out
}

// noise returns the standard deviation of the residuals, p parameters fitted, without the few rows
// that do not belong to the fit.
func (pb *problem) noise(theta []float64) float64 {
	all := pb.studentised(theta)
	most := int(outlierShare * float64(pb.n))
	out := 0
	for _, o := range all {
		if o.Diverged() {
			out++
		}
	}
	sum, weight := 0.0, 0.0
	for i, e := range pb.residuals(theta) {
		if out <= most && len(all) > 0 && all[i].Diverged() {
			continue
		}
		sum += pb.w[i] * e * e
		weight += pb.w[i]
	}
	n := float64(pb.n - out)
	return math.Sqrt(sum / weight * n / math.Max(n-float64(pb.freeParams()), 1))
}
