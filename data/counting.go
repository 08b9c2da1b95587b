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

// AllPublishedParams returns the 21 counts.
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

// AllPublishedFLOPs returns the 18 counts.
func AllPublishedFLOPs() []PublishedFLOPs { return slices.Clone(publishedFLOPs()) }

// PublishedMemory is a published memory figure of one device. Korthikanti et al.'s GiB are layers
// only, interleave 3, dropout masks on; Megatron's bytes are allocator values with workspaces.
type PublishedMemory struct {
	CountedShape
	MicroBatch                   int
	EncoderLength, DecoderLength *int
	Precision, Optimizer         string
	TP, PP, ZeRO                 int
	DP                           *int   // nil where the source does not say
	Recompute                    string // none, selective, full
	SequenceParallel             bool
	Attention                    string // unfused in every row
	Dropout                      *bool  // nil where the source does not say
	Device                       string
	// static_bytes_per_gpu, peak_bytes_per_gpu, activations_per_gpu, params_grads_opt_per_gpu,
	// activations_percent_of_TP_baseline
	Metric    string
	Value     float64
	Unit      string // B, GiB, %
	Tolerance float64
	Kind      string // measured, paper analytic
	Source    string
	Evidence  Evidence
	Note      string
}

var publishedMemory = embedded("published_memory.csv", func(r *row) PublishedMemory {
	return PublishedMemory{
		CountedShape: r.countedShape("vocab_padded"), MicroBatch: r.count("micro_batch"),
		EncoderLength: r.optionalCount("encoder_length"),
		DecoderLength: r.optionalCount("decoder_length"),
		Precision:     r.required("precision"), Optimizer: r.required("optimizer"),
		TP: r.count("tp"), PP: r.count("pp"), DP: r.optionalCount("dp"), ZeRO: r.count("zero"),
		Recompute: r.required("recompute"), SequenceParallel: r.isSet("sequence_parallel"),
		Attention: r.required("attention"), Dropout: r.flag("dropout"), Device: r.text("device"),
		Metric: r.required("metric"), Value: r.amount("value", quantity.Number),
		Unit:      r.required("unit"),
		Tolerance: r.amount("tolerance", quantity.Ratio), Kind: r.required("kind"),
		Source: r.required("source"), Evidence: r.evidence("evidence"), Note: r.text("note"),
	}
})

// AllPublishedMemory returns the 72 figures.
func AllPublishedMemory() []PublishedMemory { return slices.Clone(publishedMemory()) }
