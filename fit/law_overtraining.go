package fit

import "math"

// overTraining returns L(N, M) = E + (A·M^eta + B·M^−eta)·C^−eta with the token multiplier M = D/N
// and C = 6·N·D: the over-trained and under-trained sides share one exponent.
//
// Source: Gadre et al. 2024, eq. 4, arXiv 2403.08540.
func overTraining() Law {
	return Law{
		Name: "over-training", Formula: "E + (A·M^eta + B·M^-eta)·C^-eta, M = D/N, C = 6ND",
		Source:  "Gadre et al. 2024, arXiv 2403.08540",
		Columns: []string{"params", "tokens"}, Response: "loss",
		Params: []Param{
			irreducible("E"), coefficient("A"), coefficient("B"),
			exponent("eta", 0.05, 0.6),
		},
		Prepare: func(x, z []float64) {
			c := math.Log(6) + math.Log(x[0]) + math.Log(x[1])
			m := math.Log(x[1]) - math.Log(x[0])
			z[0], z[1] = c-m, c+m
		},
		Terms: []Term{{"E", nil}, {"A", []Decay{{"eta", 0}}}, {"B", []Decay{{"eta", 1}}}},
	}
}
