package fit

// exponentialLink returns score = A·exp(−k·loss), the second step from an upstream loss to a
// downstream score that falls off exponentially.
//
// Source: Gordon et al. 2021, §5 (loss to BLEU).
func exponentialLink() Law {
	return Law{
		Name: "exponential-link", Formula: "A·exp(-k·loss)", Source: "Gordon et al. 2021",
		Columns: []string{"loss"}, Response: "score",
		Params: []Param{coefficient("A"), {
			Name: "k", Low: -50, High: 50,
			Start: [2]float64{0.1, 3},
		}},
		Prepare: func(x, z []float64) { z[0] = x[0] },
		Terms:   []Term{{"A", []Decay{{"k", 0}}}},
	}
}
