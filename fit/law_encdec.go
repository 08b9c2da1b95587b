package fit

// encoderDecoder returns L(Ne, Nd) = E + A·Ne^−p_e·Nd^−p_d, the bivariate law of encoder and
// decoder parameters.
//
// Source: Ghorbani et al. 2021, eq. 2, arXiv 2109.07740 (their reference sizes are absorbed in A).
func encoderDecoder() Law {
	return Law{
		Name: "encoder-decoder", Formula: "E + A/(Ne^p_e·Nd^p_d)",
		Source:  "Ghorbani et al. 2021, arXiv 2109.07740",
		Columns: []string{"encoder_params", "decoder_params"}, Response: "loss",
		Params: []Param{
			irreducible("E"), coefficient("A"), exponent("p_e", 0.02, 0.8),
			exponent("p_d", 0.02, 0.8),
		},
		Terms: []Term{{"E", nil}, {"A", []Decay{{"p_e", 0}, {"p_d", 1}}}},
	}
}
