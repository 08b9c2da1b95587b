package data

import "slices"

// ReleasedShape is a published model other than the T5-Efficient checkpoints, as dimensions and the
// name of a recipe. To add a model, add a row of released_shapes.csv; package shapes knows the
// recipes.
type ReleasedShape struct {
	Name    string
	Aliases []string // other names of the same shape, e.g. flan-t5-base of t5-v1_1-base
	// public names of the weights, the main one first; empty when none were published
	Checkpoints []string
	// everything that is not a number below: norms, biases, kinds of positions and of head
	Recipe string

	Dimensions
	KVHeads int
	// Positions is the length of a learned position table where the recipe does not fix it, else
	// nil.
	Positions *int
	// Experts, ActiveExperts and SparseEvery are 0 in dense models.
	Experts, ActiveExperts, SparseEvery int

	// Params is an exact published count with this project's rules (fixed tables and buffers left
	// out), nil where none was found; ParamsSource says where it was seen, and what was taken off
	// to compare.
	Params       *int64
	ParamsSource string

	Provenance // of the dimensions
}

var releasedShapes = embedded("facts/released_shapes.csv", func(r *row) ReleasedShape {
	s := ReleasedShape{
		Name: r.required("name"), Aliases: r.list("aliases"), Checkpoints: r.list("checkpoints"),
		Recipe: r.required("recipe"), Dimensions: r.dimensions("vocab"),
		Positions:    r.optionalCount("positions"),
		ParamsSource: r.text("params_source"),
		Provenance:   r.provenance(""),
	}
	s.KVHeads = s.Heads
	if n := r.optionalCount("kv_heads"); n != nil {
		s.KVHeads = *n
	}
	if n := r.optionalCount("experts"); n != nil {
		s.Experts, s.ActiveExperts, s.SparseEvery = *n, r.count("active_experts"),
			r.count("sparse_every")
	}
	if n := r.optionalCount("params"); n != nil {
		params := int64(*n)
		s.Params, s.ParamsSource = &params, r.required("params_source")
	}
	return s
})

// ReleasedShapes returns the rows of released_shapes.csv in file order: T5 and its descendants
// first.
func ReleasedShapes() []ReleasedShape { return slices.Clone(releasedShapes()) }
