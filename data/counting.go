package data

import (
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// CountedShape is the model of a published count, in plain columns.
type CountedShape struct {
	Model                        string
	EncoderLayers, DecoderLayers int // one is 0 for encoder-only and decoder-only models
	DModel, DFF, DKV, Heads      int
	Vocab                        int
}

func (r *row) countedShape(vocab string) CountedShape {
	return CountedShape{
		Model:         r.required("model"),
		EncoderLayers: r.count("encoder_layers"), DecoderLayers: r.count("decoder_layers"),
		DModel: r.count("d_model"), DFF: r.count("d_ff"), DKV: r.count("d_kv"),
		Heads: r.count("heads"),
		Vocab: r.count(vocab),
	}
}

// isSet is a flag that must be given.
func (r *row) isSet(name string) bool {
	value := r.flag(name)
	if value == nil {
		r.fault(name, "nothing given")
		return false
	}
	return *value
}

// PublishedParams is a published parameter count. A Tolerance (relative) of 0 means every digit
// counts.
type PublishedParams struct {
	CountedShape
	Family            string // encdec, encoder, decoder
	KVHeads           int
	Tied, Gated, Bias bool
	Norm, Position    string
	Params, Tolerance float64
	Source            string
	Evidence          Evidence
	Note              string // what the count leaves out: read it before comparing
}

var publishedParams = embedded("published_params.csv", func(r *row) PublishedParams {
	return PublishedParams{
		CountedShape: r.countedShape("vocab"), Family: r.required("family"),
		KVHeads: r.count("kv_heads"),
		Tied:    r.isSet("tied"), Gated: r.isSet("gated"), Bias: r.isSet("bias"),
		Norm: r.required("norm"), Position: r.required("position"),
		Params:    r.amount("params", quantity.Params),
		Tolerance: r.amount("tolerance", quantity.Ratio),
		Source:    r.required("source"), Evidence: r.evidence("evidence"), Note: r.text("note"),
	}
})

// AllPublishedParams is for the tests of package flops. It returns the 21 counts.
func AllPublishedParams() []PublishedParams { return slices.Clone(publishedParams()) }

// PublishedFLOPs is a published FLOP count with what its source counts: most use a convention of
// their own.
type PublishedFLOPs struct {
	CountedShape
	KVHeads                             int
	Gated                               bool
	Batch, EncoderLength, DecoderLength *int // nil where the source gives no workload
	Metric                              string
	FLOPs, Tolerance                    float64
	Counts                              string
	Source                              string
	Evidence                            Evidence
	Note                                string
}

var publishedFLOPs = embedded("published_flops.csv", func(r *row) PublishedFLOPs {
	return PublishedFLOPs{
		CountedShape: r.countedShape("vocab"), KVHeads: r.count("kv_heads"),
		Gated: r.isSet("gated"),
		Batch: r.optionalCount("batch"), EncoderLength: r.optionalCount("encoder_length"),
		DecoderLength: r.optionalCount("decoder_length"),
		Metric:        r.required("metric"), FLOPs: r.amount("flops", quantity.FLOP),
		Tolerance: r.amount("tolerance", quantity.Ratio),
		Counts:    r.required("counts"),
		Source:    r.required("source"), Evidence: r.evidence("evidence"), Note: r.text("note"),
	}
})

// AllPublishedFLOPs is for the tests of package flops. It returns the 18 counts.
func AllPublishedFLOPs() []PublishedFLOPs { return slices.Clone(publishedFLOPs()) }
