package fit

// exponent is the shape every falling exponent shares: not negative, and far above anything
// measured at its upper bound.
func exponent(name string, lo, hi float64) Param {
	return Param{Name: name, Low: 0, High: 10, Start: [2]float64{lo, hi}}
}

func coefficient(name string) Param { return Param{Name: name, Log: true} }

func irreducible(name string) Param { return Param{Name: name, Log: true, Vanishes: true} }

// Power returns the pure power law y = A/x^alpha of one predictor. The exponent may be negative (a
// rising curve).
//
// Source: Hestness et al. 2017, §3, arXiv 1712.00409.
func Power() Law {
	return Law{
		Name: "power", Formula: "A/x^alpha", Source: "Hestness et al. 2017, arXiv 1712.00409",
		Columns: []string{"x"}, Response: "loss",
		Params: []Param{
			coefficient("A"),
			{Name: "alpha", Low: -10, High: 10, Start: [2]float64{0.02, 1}},
		},
		Terms: []Term{{"A", []Decay{{"alpha", 0}}}},
	}
}
