package fit

import "math"

// oneBreak returns the smoothly broken power law with one break, y = E + A·x^−c0·(1 +
// (x/d)^(1/f))^(−c1·f).
//
//	c0      slope before the break
//	c0 + c1 slope after it
//	d       where the break is
//	f       width of the break in ln x
//
// c1 may be negative: the curve flattens.
//
// Source: Caballero et al. 2023, eq. 1 with n = 1, arXiv 2210.14891.
func oneBreak() Law {
	return Law{
		Name: "one-break", Formula: "E + A·x^-c0·(1 + (x/d)^(1/f))^(-c1·f)",
		Source:  "Caballero et al. 2023, arXiv 2210.14891",
		Columns: []string{"x"}, Response: "loss",
		Params: []Param{
			irreducible("E"), coefficient("A"),
			{Name: "c0", Low: -10, High: 10},
			{Name: "c1", Low: -10, High: 10},
			coefficient("d"),
			{Name: "f", Log: true, Low: 1e-3, High: 1e2},
		},
		Eval: func(t, z, g []float64) float64 {
			width := math.Exp(t[5])
			v := (z[0] - t[4]) / width
			s, q := softplus(v), logistic(v)
			f, p := logAddExp(t[0], t[1]-t[2]*z[0]-t[3]*width*s)
			if g != nil {
				g[0], g[1] = 1-p, p
				g[2] = -p * z[0]
				g[3] = -p * width * s
				g[4] = p * t[3] * q
				g[5] = -p * t[3] * width * (s - q*v)
			}
			return f
		},
		Start: func(u []float64, s Summary, t []float64) {
			span := s.ZMax[0] - s.ZMin[0]
			slope := max(-s.Slope[0], 0.01)
			t[0] = math.Log(s.YMin * (0.05 + 0.9*u[0]))
			t[2] = slope * (0.3 + 2*u[1])
			t[3] = slope * (3*u[2] - 1.5)
			t[4] = s.ZMin[0] + span*(0.1+0.8*u[3])
			t[5] = math.Log(0.1 + u[4])
			t[1] = math.Log(s.YMax-math.Exp(t[0])) + t[2]*s.ZMin[0]
		},
	}
}
