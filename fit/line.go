package fit

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Estimate is a value with its confidence interval; HasInterval is false when there are no degrees
// of freedom left to judge it by.
type Estimate struct {
	Value, Low, High float64
	HasInterval      bool
}

// polynomial is a least-squares polynomial in u around its mean.
type polynomial struct {
	centre float64
	c      []float64     // c_k of (u − centre)^k
	cov    *mat.SymDense // of c; nil without degrees of freedom
	dof    int
}

// fitPolynomial returns the least-squares polynomial of that degree; ok is false when u has too few
// distinct values.
func fitPolynomial(u, y []float64, degree int) (p polynomial, ok bool) {
	n, k := len(u), degree+1
	if distinct(u) < k {
		return p, false
	}
	for _, v := range u {
		p.centre += v / float64(n)
	}
	x := mat.NewDense(n, k, nil)
	for i, v := range u {
		t := 1.0
		for j := range k {
			x.Set(i, j, t)
			t *= v - p.centre
		}
	}
	var qr mat.QR
	qr.Factorize(x)
	var c mat.Dense
	if err := qr.SolveTo(&c, false, mat.NewDense(n, 1, append([]float64(nil), y...))); err != nil {
		return p, false
	}
	p.c = mat.Col(nil, 0, &c)
	p.dof = n - k
	if p.dof > 0 {
		rss := 0.0
		for i := range u {
			e := y[i] - p.at(u[i])
			rss += e * e
		}
		var gram mat.SymDense
		gram.SymOuterK(1, x.T())
		var chol mat.Cholesky
		if chol.Factorize(&gram) {
			p.cov = mat.NewSymDense(k, nil)
			if err := chol.InverseTo(p.cov); err != nil {
				p.cov = nil
			} else {
				p.cov.ScaleSym(rss/float64(p.dof), p.cov)
			}
		}
	}
	return p, true
}

func (p polynomial) at(u float64) float64 {
	v := 0.0
	for k := len(p.c) - 1; k >= 0; k-- {
		v = v*(u-p.centre) + p.c[k]
	}
	return v
}

// tQuantile returns Student's t of a central interval of that level.
func tQuantile(level float64, dof int) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(dof)}.Quantile(0.5 + level/2)
}

// slope returns the first coefficient of a line with its t interval.
func (p polynomial) slope(level float64) Estimate {
	e := Estimate{Value: p.c[1]}
	if p.cov != nil {
		half := tQuantile(level, p.dof) * math.Sqrt(p.cov.At(1, 1))
		e.Low, e.High, e.HasInterval = e.Value-half, e.Value+half, true
	}
	return e
}

func distinct(v []float64) int {
	seen := make(map[float64]bool, len(v))
	for _, x := range v {
		seen[x] = true
	}
	return len(seen)
}

func logs(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = math.Log(x)
	}
	return out
}
