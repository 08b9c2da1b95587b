package fit

import "math"

// Estimate is a value with its confidence interval; HasInterval is false when there are no degrees
// of freedom left to judge it by.
type Estimate struct {
	Value, Low, High float64
	HasInterval      bool
}

// polynomial is a least-squares polynomial in u around its mean.
type polynomial struct {
	centre float64
	c      []float64 // c_k of (u − centre)^k
	line   Linear    // of the powers
	noise  float64   // standard deviation of the residuals; 0 without degrees of freedom
	dof    int
}

// fitPolynomial returns the least-squares polynomial of that degree; ok is false when u has too few
// distinct values.
func fitPolynomial(u, y []float64, degree int) (p polynomial, ok bool) {
	n, k := len(u), degree+1
	if distinct(u) < k {
		return p, false
	}
	p.centre = meanOf(u)
	x := make([]float64, 0, n*k)
	for _, v := range u {
		t := 1.0
		for range k {
			x = append(x, t)
			t *= v - p.centre
		}
	}
	if p.line, ok = LeastSquares(x, y, nil); !ok {
		return p, false
	}
	p.c, p.dof = p.line.Coef, n-k
	if p.dof > 0 {
		rss := 0.0
		for i := range u {
			rss += square(y[i] - p.at(u[i]))
		}
		p.noise = math.Sqrt(rss / float64(p.dof))
	}
	return p, true
}

// cov returns the covariance of c_a and c_b.
func (p polynomial) cov(a, b int) float64 {
	return p.noise * p.noise * p.line.inverse[a*len(p.c)+b]
}

func (p polynomial) at(u float64) float64 {
	v := 0.0
	for k := len(p.c) - 1; k >= 0; k-- {
		v = v*(u-p.centre) + p.c[k]
	}
	return v
}

// slope returns the first coefficient of a line with its t interval.
func (p polynomial) slope(level float64) Estimate {
	e := Estimate{Value: p.c[1]}
	if p.dof > 0 {
		half := tQuantile(level, float64(p.dof)) * math.Sqrt(p.cov(1, 1))
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

func logs(v []float64) []float64 { return each(v, math.Log) }
