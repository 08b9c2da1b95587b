package fit

import "math"

// saturating returns the power law that is flat below x0,
// y = E + A/(1 + x/x0)^alpha: at small x the curve starts from E + A instead of rising without
// limit.
//
//	A  height of the reducible loss at x = 0
//	x0 where the power law sets in
//
// Source: the shifted form compared in Alabdulmohsin et al. 2022, §3, arXiv 2209.06640.
func saturating() Law {
	return Law{
		Name: "saturating", Formula: "E + A/(1 + x/x0)^alpha",
		Source:  "Alabdulmohsin et al. 2022, arXiv 2209.06640",
		Columns: []string{"x"}, Response: "loss",
		Params: []Param{
			irreducible("E"), coefficient("A"), coefficient("x0"),
			{Name: "alpha", Low: 0, High: 10},
		},
		Eval: func(t, z, g []float64) float64 {
			v := z[0] - t[2] // ln(x/x0)
			s := softplus(v)
			f, p := logAddExp(t[0], t[1]-t[3]*s) // p is the share of the falling term
			if g != nil {
				g[0], g[1] = 1-p, p
				g[2] = p * t[3] * logistic(v)
				g[3] = -p * s
			}
			return f
		},
		Start: func(u []float64, s Summary, t []float64) {
			t[0] = math.Log(s.YMin * (0.1 + 0.85*u[0]))
			t[1] = math.Log(s.YMax - math.Exp(t[0]))
			t[2] = s.ZMin[0] + (u[1]-0.3)*(s.ZMax[0]-s.ZMin[0])
			t[3] = 0.1 + 1.5*u[2]
		},
	}
}

// softplus returns ln(1 + e^v) without overflow.
func softplus(v float64) float64 {
	if v > 0 {
		return v + math.Log1p(math.Exp(-v))
	}
	return math.Log1p(math.Exp(v))
}

// logistic returns 1/(1 + e^−v).
func logistic(v float64) float64 {
	if v >= 0 {
		return 1 / (1 + math.Exp(-v))
	}
	e := math.Exp(v)
	return e / (1 + e)
}

// logAddExp returns ln(e^a + e^b) and the share of e^b in the sum.
func logAddExp(a, b float64) (f, shareB float64) {
	if math.IsInf(a, -1) {
		return b, 1
	}
	return a + softplus(b-a), logistic(b - a)
}
