package data

import (
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// MatmulCeiling is the best rate that a search over shapes reached on a device, beside its data
// sheet.
type MatmulCeiling struct {
	Device      string
	Accelerator string // the name in [Accelerators], empty where there is none
	Precision   string
	Measured    float64 // FLOP/s
	DataSheet   float64 // FLOP/s
	M, N, K     int     // the shape that reached it
	Software    string
	Source      string
	Evidence    Evidence
}

var matmulCeilings = embedded("facts/matmul_ceilings.csv", func(r *row) MatmulCeiling {
	return MatmulCeiling{
		Device: r.required("device"), Accelerator: r.text("accelerator"),
		Precision: r.required("precision"),
		Measured:  r.amount("measured", quantity.FLOPRate),
		DataSheet: r.amount("data_sheet", quantity.FLOPRate),
		M:         r.count("m"), N: r.count("n"), K: r.count("k"), Software: r.text("software"),
		Source: r.required("source"), Evidence: r.evidence("evidence"),
	}
})

// MatmulCeilings returns the 20 measurements.
func MatmulCeilings() []MatmulCeiling { return slices.Clone(matmulCeilings()) }

// PublishedMemory is a published memory figure of one device. Korthikanti et al.'s GiB are layers
// only, interleave 3, dropout masks on; Megatron's bytes are allocator values with workspaces.
type PublishedMemory struct {
	Model string
	Dimensions
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

var publishedMemory = embedded("facts/published_memory.csv", func(r *row) PublishedMemory {
	return PublishedMemory{
		Model: r.required("model"), Dimensions: r.dimensions("vocab_padded"), MicroBatch: r.count("micro_batch"),
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
