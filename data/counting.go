package data

import (
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Dimensions are those of a model, in plain columns.
type Dimensions struct {
	EncoderLayers, DecoderLayers int // one is 0 for encoder-only and decoder-only models
	DModel, DFF, DKV, Heads      int
	Vocab                        int
}

func (r *row) dimensions(vocab string) Dimensions {
	return Dimensions{
		EncoderLayers: r.count("encoder_layers"), DecoderLayers: r.count("decoder_layers"),
		DModel: r.count("d_model"), DFF: r.count("d_ff"), DKV: r.count("d_kv"),
		Heads: r.count("heads"), Vocab: r.count(vocab),
	}
}

// isSet is a flag that must be given.
func (r *row) isSet(name string) bool { return given(r, name, r.flag(name)) }

// PublishedParams is a published parameter count. A Tolerance (relative) of 0 means every digit
// counts.
type PublishedParams struct {
	Model string
	Dimensions
	Params, Tolerance float64
	Provenance        // its note says what the count leaves out: read it before comparing
}

var publishedParams = embedded("facts/published_params.csv", func(r *row) PublishedParams {
	return PublishedParams{
		Model: r.required("model"), Dimensions: r.dimensions("vocab"),
		Params:     r.amount("params", quantity.Params),
		Tolerance:  r.amount("tolerance", quantity.Ratio),
		Provenance: r.provenance(""),
	}
})

// AllPublishedParams is for the tests of package flops. It returns the 21 counts.
func AllPublishedParams() []PublishedParams { return slices.Clone(publishedParams()) }

// PublishedFLOPs is a published FLOP count with what its source counts: most use a convention of
// their own.
type PublishedFLOPs struct {
	Model string
	Dimensions
	KVHeads                             int
	Gated                               bool
	Batch, EncoderLength, DecoderLength *int // nil where the source gives no workload
	FLOPs, Tolerance                    float64
	Provenance
}

var publishedFLOPs = embedded("facts/published_flops.csv", func(r *row) PublishedFLOPs {
	return PublishedFLOPs{
		Model: r.required("model"), Dimensions: r.dimensions("vocab"), KVHeads: r.count("kv_heads"),
		Gated: r.isSet("gated"),
		Batch: r.optionalCount("batch"), EncoderLength: r.optionalCount("encoder_length"),
		DecoderLength: r.optionalCount("decoder_length"),
		FLOPs:         r.amount("flops", quantity.FLOP),
		Tolerance:     r.amount("tolerance", quantity.Ratio), Provenance: r.provenance(""),
	}
})

// AllPublishedFLOPs is for the tests of package flops. It returns the 18 counts.
func AllPublishedFLOPs() []PublishedFLOPs { return slices.Clone(publishedFLOPs()) }
