package fit

import "math"

// dataConstrained returns the Chinchilla law in effective parameters and tokens, L = E + A/N'^alpha
// + B/D'^beta, where repeated tokens and excess parameters count less and less:
//
//	D' = U_D + U_D·R_D·(1 − exp(−(D/U_D − 1)/R_D))
//	N' = U_N + U_N·R_N·(1 − exp(−(N/U_N − 1)/R_N))
//
//	D, U_D tokens seen, unique tokens (U_D ≤ D)
//	U_N    min(N, N_opt(U_D)), N_opt^alpha = alpha·A/(beta·B)·U_D^beta
//	R_D    half-way constant of repeated tokens, R_N of excess parameters
//
// Without repeats R_D is unidentified, and the fit is refused.
//
// Source: Muennighoff et al. 2023, eqs. 5–6 and appendix A, arXiv 2305.16264.
func dataConstrained() Law {
	return Law{
		Name: "data-constrained", Formula: "E + A/N'^alpha + B/D'^beta",
		Source:  "Muennighoff et al. 2023, arXiv 2305.16264",
		Columns: []string{"params", "tokens", "unique_tokens"}, Response: "loss",
		Params: []Param{
			irreducible("E"), coefficient("A"), coefficient("B"),
			{Name: "alpha", Low: 1e-3, High: 10},
			{Name: "beta", Low: 1e-3, High: 10},
			{Name: "R_D", Log: true, Low: 1e-2, High: 1e4},
			{Name: "R_N", Log: true, Low: 1e-2, High: 1e4},
		},
		Eval: evalDataConstrained,
		Start: func(u []float64, s Summary, t []float64) {
			t[3], t[4] = 0.15+0.6*u[0], 0.15+0.6*u[1]
			t[0] = math.Log(s.YMin * (0.3 + 0.65*u[2]))
			rest := math.Log((s.YMax - math.Exp(t[0])) / 2)
			t[1], t[2] = rest+t[3]*s.ZMin[0], rest+t[4]*s.ZMin[1]
			t[5], t[6] = math.Log(2)+3*u[3], math.Log(2)+3*u[4]
		},
	}
}

func evalDataConstrained(t, z, g []float64) float64 {
	alpha, beta := t[3], t[4]
	lnUD := z[2]
	lnD, dD := effective(z[1]-lnUD, math.Exp(t[5]))
	lnD += lnUD

	// ln N_opt of the unique tokens, and its derivatives while it binds.
	lnNopt := (math.Log(alpha/beta) + t[1] - t[2] + beta*lnUD) / alpha
	lnUN := min(z[0], lnNopt)
	lnN, dN := effective(z[0]-lnUN, math.Exp(t[6]))
	lnN += lnUN

	fN, fD := t[1]-alpha*lnN, t[2]-beta*lnD
	fND, shareD := logAddExp(fN, fD)
	f, share := logAddExp(t[0], fND)
	if g == nil {
		return f
	}
	pN, pD := share*(1-shareD), share*shareD
	g[0], g[1], g[2] = 1-share, pN, pD
	g[3], g[4] = -pN*lnN, -pD*lnD
	g[5], g[6] = -pD*beta*dD.constant, -pN*alpha*dN.constant
	if lnNopt < z[0] {
		// N' moves with ln U_N at the rate 1 − ∂/∂(ln N − ln U_N).
		c := -pN * alpha * (1 - dN.excess)
		g[1] += c / alpha
		g[2] -= c / alpha
		g[3] += c * (1/alpha - lnNopt) / alpha
		g[4] += c * (lnUD - 1/beta) / alpha
	}
	return f
}

type effectiveSlopes struct{ excess, constant float64 }

// effective returns ln(1 + r·(1 − exp(−(e^x − 1)/r))), the logarithm of the effective multiple of a
// resource repeated e^x-fold, with its derivatives in x and in ln r.
func effective(x, r float64) (float64, effectiveSlopes) {
	if x <= 0 {
		return x, effectiveSlopes{excess: 1}
	}
	e := math.Exp(x)
	q := (e - 1) / r
	decay := math.Exp(-q)
	m := 1 - r*math.Expm1(-q)
	return math.Log(m), effectiveSlopes{
		excess:   decay * e / m,
		constant: r * (-math.Expm1(-q) - q*decay) / m,
	}
}
