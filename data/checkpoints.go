package data

import (
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Checkpoint is one released T5-Efficient model (Tay et al. 2021, arXiv:2109.10686).
//
// Traps, all settled in the rows: Tiny, Mini and Small use d_kv 64 although the cards' table prints
// 32; tiny-elN has 12 decoder layers and tiny-dlN 12 encoder layers, whatever the plain Tiny has;
// ffNNNN and dmNNNN mean multiples of 1024, and tiny-ff2000 is d_ff 1024; xxl-nl4 has 32 heads of
// 64, not the 128 of 128 of xxl.
type Checkpoint struct {
	Name string
	Dimensions
	// Params is the exact count by the formula, nil for the ten models whose Sharing is not empty.
	Params *int64
	// FileSize is the size of the weights file in bytes, to three digits: 4 bytes a parameter.
	FileSize *float64
	// Sharing is "sh", "skv" or "shkv" for models with shared heads or tied key-values: their shape
	// columns show the unshared parent, and they cannot be counted from them.
	Sharing string
	// Released is "yes", "assumed" (the name is in the converter's list) or "no" on the Hugging
	// Face hub.
	Released string
	Provenance
}

var checkpoints = embedded("facts/t5_efficient.csv", func(r *row) Checkpoint {
	c := Checkpoint{
		Name: r.required("name"), Dimensions: r.dimensions("vocab"),
		FileSize: r.optional("file_size", quantity.Bytes),
		Sharing:  r.text("sharing"), Released: r.required("released"),
		Provenance: r.provenance(""),
	}
	if n := r.optionalCount("params"); n != nil {
		params := int64(*n)
		c.Params = &params
	}
	return c
})

// Checkpoints returns the 170 T5-Efficient models in the order of the release list.
func Checkpoints() []Checkpoint { return slices.Clone(checkpoints()) }
