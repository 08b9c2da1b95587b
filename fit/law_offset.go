package fit

// PowerOffset returns the power law over an irreducible loss, y = E + A/x^alpha.
//
// Source: Hestness et al. 2017, §3, arXiv 1712.00409; Rosenfeld et al. 2020, arXiv 1909.12673.
func PowerOffset() Law {
	return Law{
		Name: "power-offset", Formula: "E + A/x^alpha",
		Source:  "Hestness et al. 2017, arXiv 1712.00409",
		Columns: []string{"x"}, Response: "loss",
		Params: []Param{irreducible("E"), coefficient("A"), exponent("alpha", 0.05, 1.5)},
		Terms:  []Term{{"E", nil}, {"A", []Decay{{"alpha", 0}}}},
	}
}
