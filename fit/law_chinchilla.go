package fit

// Chinchilla returns L(N, D) = E + A/N^alpha + B/D^beta.
//
// Source: Hoffmann et al. 2022, eq. 2 (approach 3), arXiv 2203.15556.
func Chinchilla() Law {
	return Law{
		Name: "chinchilla", Formula: "E + A/N^alpha + B/D^beta",
		Source:  "Hoffmann et al. 2022, arXiv 2203.15556",
		Columns: []string{"params", "tokens"}, Response: "loss",
		Params: []Param{
			irreducible("E"), coefficient("A"), coefficient("B"),
			exponent("alpha", 0.1, 0.9), exponent("beta", 0.1, 0.9),
		},
		Terms: []Term{{"E", nil}, {"A", []Decay{{"alpha", 0}}}, {"B", []Decay{{"beta", 1}}}},
	}
}
