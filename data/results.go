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

// PaperResult is one row of the tables of Tay et al. 2021 (arXiv:2109.10686). Most readings are
// recalled: anything built on them says so.
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
	Upstream  *Reading
	GLUE      *Reading
	SuperGLUE *Reading
	SQuAD     *Reading
	Average   *Reading
	// ScoresAverage is false where the three scores do not average to Average, so that one of the
	// four is wrong; nil where there are no scores.
	ScoresAverage *bool
	Source        string
	Evidence      Evidence // the weakest of the readings
	Note          string
}

var paperResults = embedded("paper_results.csv", func(r *row) PaperResult {
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
		ScoresAverage:  r.flag("scores_average"),
		Source:         r.required("source"), Evidence: r.evidence("evidence"),
		Note: r.text("note"),
	}
})

// PaperResults returns the 16 rows of the paper's tables.
func PaperResults() []PaperResult { return slices.Clone(paperResults()) }

// FigureReading is one point of Figure 1 of Tay et al. 2021 (arXiv:2109.10686), read off the plot
// within bounds.
type FigureReading struct {
	Label                     string
	Shape                     string // empty where the label does not tell it
	UpstreamLow, UpstreamHigh float64
	SuperGLUELow              *float64
	SuperGLUEHigh             *float64
	Params                    *float64 // by our formula for Shape
	Source                    string
	Evidence                  Evidence
	Note                      string
}

var figure1 = embedded("figure1_readings.csv", func(r *row) FigureReading {
	return FigureReading{
		Label: r.required("label"), Shape: r.text("shape"),
		UpstreamLow:   r.amount("upstream_low", quantity.Number),
		UpstreamHigh:  r.amount("upstream_high", quantity.Number),
		SuperGLUELow:  r.optional("superglue_low", quantity.Number),
		SuperGLUEHigh: r.optional("superglue_high", quantity.Number),
		Params:        r.optional("params", quantity.Params),
		Source:        r.required("source"), Evidence: r.evidence("evidence"), Note: r.text("note"),
	}
})

// Figure1Readings returns the 13 points.
func Figure1Readings() []FigureReading { return slices.Clone(figure1()) }

// DepthRow is one row of the depth sweep at a fixed 223M parameters of Narang et al. 2021
// (arXiv:2102.11972): 24 layers are worse upstream than 12. Its losses are on another scale than
// the DeepNarrow table's.
type DepthRow struct {
	LayersEachSide int
	Params         float64
	Loss           float64
	StepsPerSecond float64
	SuperGLUE      *float64
	Source         string
	Evidence       Evidence
	Note           string
}

var narangDepth = embedded("narang2021_depth.csv", func(r *row) DepthRow {
	return DepthRow{
		LayersEachSide: r.count("layers_each_side"), Params: r.amount("params", quantity.Params),
		Loss: r.amount("loss", quantity.Number), StepsPerSecond: r.amount("steps_per_second",
			quantity.PerSecond),
		SuperGLUE: r.optional("superglue", quantity.Number),
		Source:    r.required("source"), Evidence: r.evidence("evidence"), Note: r.text("note"),
	}
})

// NarangDepthSweep returns the five rows.
func NarangDepthSweep() []DepthRow { return slices.Clone(narangDepth()) }

// Baseline is one T5 or Switch row of Fedus et al. 2021 (arXiv:2101.03961). The upstream values
// (negative log perplexity after so many steps) are on another scale than the DeepNarrow table's:
// never pool them.
type Baseline struct {
	Model                                    string
	Params                                   float64
	ForwardFLOPsPerSequence                  float64
	Upstream100k, Upstream250k, Upstream500k *float64
	GLUE, SQuAD, SuperGLUE                   *float64
	WinograndeXL, XSumROUGE2                 *float64
	Source                                   string
	Evidence                                 Evidence
	Note                                     string
}

var switchBaselines = embedded("switch_baselines.csv", func(r *row) Baseline {
	score := func(name string) *float64 { return r.optional(name, quantity.Number) }
	return Baseline{
		Model: r.required("model"), Params: r.amount("params", quantity.Params),
		ForwardFLOPsPerSequence: r.amount("forward_flops_per_sequence", quantity.FLOP),
		Upstream100k:            score("upstream_100k"), Upstream250k: score("upstream_250k"),
		Upstream500k: score("upstream_500k"),
		GLUE:         score("glue"), SQuAD: score("squad"), SuperGLUE: score("superglue"),
		WinograndeXL: score("winogrande_xl"), XSumROUGE2: score("xsum_rouge2"),
		Source: r.required("source"), Evidence: r.evidence("evidence"), Note: r.text("note"),
	}
})

// SwitchBaselines returns the seven rows.
func SwitchBaselines() []Baseline { return slices.Clone(switchBaselines()) }
