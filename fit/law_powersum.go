package fit

import "math"

// powerSum returns L(N, D) = E + (A/N^alpha + B/D^beta)^gamma, the form that holds two others:
// Chinchilla at gamma = 1, and Kaplan at E = 0, beta = 1, gamma = alpha_D. The smaller gamma, the
// sharper the loss turns from being short of parameters to being short of tokens.
//
// Source: the common form of Kaplan et al. 2020, eq. 1.5, arXiv 2001.08361, and Hoffmann et al.
// 2022, eq. 2, arXiv 2203.15556.
func powerSum() Law {
	return Law{
		Name: "power-sum", Formula: "E + (A/N^alpha + B/D^beta)^gamma",
		Source:  "Kaplan et al. 2020 and Hoffmann et al. 2022 in one",
		Columns: []string{"params", "tokens"}, Response: "loss",
		Params: []Param{
			irreducible("E"), coefficient("A"), coefficient("B"),
			{Name: "alpha", Low: 0, High: 30},
			{Name: "beta", Low: 0, High: 30},
			{Name: "gamma", Log: true, Low: 1e-2, High: 1e2},
		},
		Eval: func(t, z, g []float64) float64 {
			gamma := math.Exp(t[5])
			inner, p := logAddExp(t[1]-t[3]*z[0], t[2]-t[4]*z[1]) // p is the share of the tokens
			f, q := logAddExp(t[0], gamma*inner)
			if g != nil {
				g[0] = 1 - q
				n, d := q*gamma*(1-p), q*gamma*p
				g[1], g[2] = n, d
				g[3], g[4] = -n*z[0], -d*z[1]
				g[5] = q * gamma * inner
			}
			return f
		},
		Start: func(u []float64, s Summary, t []float64) {
			gamma := 0.2 * math.Exp(1.6*u[5])
			t[0] = math.Log(s.YMin * (0.1 + 0.85*u[4]))
			t[5] = math.Log(gamma)
			t[3], t[4] = (0.1+0.6*u[0])/gamma, (0.1+0.6*u[1])/gamma
			rest := math.Log(max(s.YMax-math.Exp(t[0]), 0.05*s.YMin)) / gamma
			share := 0.1 + 0.8*u[2]
			t[1] = rest + math.Log(share) + t[3]*s.ZMin[0]
			t[2] = rest + math.Log(1-share) + t[4]*s.ZMin[1]
		},
	}
}
