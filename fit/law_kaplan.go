package fit

import "math"

// kaplan returns L(N, D) = [(N_C/N)^(alpha_N/alpha_D) + D_C/D]^alpha_D, which has no irreducible
// loss: it falls without limit as both grow.
//
//	N_C, D_C scales of parameters and tokens
//	alpha_N  slope in N when data abound
//	alpha_D  slope in D when parameters abound
//
// Source: Kaplan et al. 2020, eq. 1.5, arXiv 2001.08361.
func kaplan() Law {
	return Law{
		Name: "kaplan", Formula: "[(N_C/N)^(alpha_N/alpha_D) + D_C/D]^alpha_D",
		Source:  "Kaplan et al. 2020, arXiv 2001.08361",
		Columns: []string{"params", "tokens"}, Response: "loss",
		Params: []Param{
			coefficient("N_C"), coefficient("D_C"),
			{Name: "alpha_N", Log: true, Low: 1e-4, High: 10},
			{Name: "alpha_D", Log: true, Low: 1e-4, High: 10},
		},
		Eval: func(t, z, g []float64) float64 {
			an, ad := math.Exp(t[2]), math.Exp(t[3])
			v := t[0] - z[0] // ln(N_C/N)
			lse, p := logAddExp(an/ad*v, t[1]-z[1])
			f := ad * lse
			if g != nil {
				g[0] = (1 - p) * an
				g[1] = p * ad
				g[2] = (1 - p) * an * v
				g[3] = f - (1-p)*an*v
			}
			return f
		},
		Start: func(u []float64, s Summary, t []float64) {
			an, ad := 0.03*math.Exp(3*u[0]), 0.03*math.Exp(3*u[1])
			level := math.Log(s.YMin) // at the corner of large N and D
			share := 0.1 + 0.8*u[2]
			t[2], t[3] = math.Log(an), math.Log(ad)
			t[0] = s.ZMean[0] + (level+ad*math.Log(share))/an
			t[1] = s.ZMean[1] + level/ad + math.Log(1-share)
		},
	}
}
