package fit

// ShapeAware returns the law of width, depth, parameters and tokens, L = E +
// A_width/d_model^alpha_width + A_depth/layers^alpha_depth + A_params/N^alpha_params +
// A_tokens/D^alpha_tokens.
//
// Published tables print c_i = ln A_i and E as a logarithm.
//
// Source: McLeish et al. 2025 (Gemstones), §4, arXiv 2502.06857.
func ShapeAware() Law {
	return Law{
		Name: "shape-aware", Formula: "E + sum of A_i/x_i^alpha_i over width, depth, N, D",
		Source:  "McLeish et al. 2025, arXiv 2502.06857",
		Columns: []string{"d_model", "layers", "params", "tokens"}, Response: "loss",
		Params: []Param{
			irreducible("E"),
			coefficient("A_width"), coefficient("A_depth"), coefficient("A_params"),
			coefficient("A_tokens"),
			exponent("alpha_width", 0.1, 1), exponent("alpha_depth", 0.1, 1),
			exponent("alpha_params", 0.1, 1), exponent("alpha_tokens", 0.1, 1),
		},
		Terms: []Term{
			{"E", nil},
			{"A_width", []Decay{{"alpha_width", 0}}},
			{"A_depth", []Decay{{"alpha_depth", 1}}},
			{"A_params", []Decay{{"alpha_params", 2}}},
			{"A_tokens", []Decay{{"alpha_tokens", 3}}},
		},
	}
}
