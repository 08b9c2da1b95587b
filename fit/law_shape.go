package fit

import "slices"

// shapeTerms are the columns that [ShapeAware] reads, with what their parameters are called.
var shapeTerms = [][2]string{
	{"d_model", "width"}, {"layers", "depth"}, {"params", "params"}, {"tokens", "tokens"},
}

// ShapeAware returns the law of width, depth, parameters and tokens, L = E +
// A_width/d_model^alpha_width + A_depth/layers^alpha_depth + A_params/N^alpha_params +
// A_tokens/D^alpha_tokens.
//
// Published tables print c_i = ln A_i and E as a logarithm.
//
// Source: McLeish et al. 2025 (Gemstones), §4, arXiv 2502.06857.
func ShapeAware() Law {
	law, _ := ShapeAwareOf("d_model", "layers", "params", "tokens")
	return law
}

// ShapeAwareOf returns [ShapeAware] with the terms of the given columns alone; ok is false without
// columns, for others than its own, and for one given twice.
func ShapeAwareOf(columns ...string) (law Law, ok bool) {
	law = Law{
		Name: "shape-aware", Formula: "E + sum of A_i/x_i^alpha_i over width, depth, N, D",
		Source: "McLeish et al. 2025, arXiv 2502.06857", Response: "loss",
		Params: []Param{irreducible("E")}, Terms: []Term{{"E", nil}},
	}
	var exponents []Param
	for _, t := range shapeTerms {
		if !slices.Contains(columns, t[0]) {
			continue
		}
		a, alpha := "A_"+t[1], "alpha_"+t[1]
		law.Params = append(law.Params, coefficient(a))
		exponents = append(exponents, exponent(alpha, 0.1, 1))
		law.Terms = append(law.Terms, Term{a, []Decay{{alpha, len(law.Columns)}}})
		law.Columns = append(law.Columns, t[0])
	}
	law.Params = append(law.Params, exponents...)
	return law, len(columns) > 0 && len(law.Columns) == len(columns)
}
