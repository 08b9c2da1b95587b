package data

import (
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Training set-up of the paper's runs (Tay et al. 2021, arXiv:2109.10686): 524,288 steps of 65,536
// tokens (128 sequences of 512 inputs, targets 128) of C4 span corruption (15 %, mean span 3),
// Adafactor with the inverse square root schedule and 10,000 warm-up steps, no dropout, bf16
// activations, tied embeddings, vocabulary 32,128, 16 TPU v3.

// Reading is one number of a result row with its own evidence class.
type Reading struct {
	Value    float64
	Evidence Evidence
}

// PaperResult is one row of the tables of Tay et al. 2021 (arXiv:2109.10686). Each cell has its own
// class: what a second source, a figure or an exact count confirms is no longer recalled, most
// scores still are, and anything built on them says so.
type PaperResult struct {
	Model string // the paper's name
	Shape string // ours: a catalogue name, with an edit where the released list has no such model
	// Params is the paper's rounded count.
	Params *Reading
	// ForwardMACs is the paper's "#TFlops": multiply-accumulates of one forward pass over a batch.
	// T5-XL and T5-XXL do not fit the reading that explains the other rows.
	ForwardMACs *Reading
	// StepsPerSecond on 16 TPU v3 chips. Never calibrate on it: XXL and XL 32L would need more than
	// the peak.
	StepsPerSecond *Reading
	// Upstream is the negative log perplexity on C4 (nats, larger is better). Never pool it with
	// other papers'.
	Upstream   *Reading
	GLUE       *Reading
	SuperGLUE  *Reading
	SQuAD      *Reading
	Average    *Reading
	Provenance // its evidence is the weakest of the readings
}

var paperResults = embedded("facts/paper_results.csv", func(r *row) PaperResult {
	reading := func(name, evidence string, kind quantity.Kind) *Reading {
		value := r.optional(name, kind)
		if value == nil {
			return nil
		}
		return &Reading{*value, r.evidence(evidence)}
	}
	return PaperResult{
		Model: r.required("model"), Shape: r.required("shape"),
		Params:         reading("params", "params_evidence", quantity.Params),
		ForwardMACs:    reading("forward_macs", "forward_macs_evidence", quantity.Count),
		StepsPerSecond: reading("steps_per_second", "steps_evidence", quantity.PerSecond),
		Upstream:       reading("upstream", "upstream_evidence", quantity.Number),
		GLUE:           reading("glue", "glue_evidence", quantity.Number),
		SuperGLUE:      reading("superglue", "superglue_evidence", quantity.Number),
		SQuAD:          reading("squad", "squad_evidence", quantity.Number),
		Average:        reading("average", "average_evidence", quantity.Number),
		Provenance:     r.provenance(""),
	}
})

// PaperResults returns the 16 rows of the paper's tables.
func PaperResults() []PaperResult { return slices.Clone(paperResults()) }

// PaperPoint is one mark of the figures of Tay et al. 2021 (arXiv:2109.10686): a single run without
// a seed, so that base-nl40 is worse than base-nl36 on both numbers. All are of one fine-tuning
// protocol; never pool them with the 2022 protocol of the set tay2022.
type PaperPoint struct {
	Model string // the paper's
	Shape string // ours
	// Loss is the upstream loss on C4 in nats, SuperGLUE the score after fine-tuning in points.
	Loss, SuperGLUE float64
	Provenance
}

var paperPoints = embedded("facts/tay2021_points.csv", func(r *row) PaperPoint {
	return PaperPoint{
		Model: r.required("model"), Shape: r.required("shape"),
		Loss:      r.amount("loss", quantity.Number),
		SuperGLUE: r.amount("superglue", quantity.Number), Provenance: r.provenance(""),
	}
})

// PaperPoints returns the 21 marks.
func PaperPoints() []PaperPoint { return slices.Clone(paperPoints()) }
