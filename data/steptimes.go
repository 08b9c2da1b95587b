package data

import (
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// StepTime is one training throughput, step time or achieved rate with the run it was measured on. Two runs of one
// configuration differ by 17–43 % in this literature: no predictor can do better.
type StepTime struct {
	ID    string
	Group string // rows of one model and device in one source: leave them out together
	// Quality is A, B or C. C rows miss something that matters (the device, the shape) and are not scored.
	Quality string
	Model   string
	Arch    string // enc-dec, dec-only, enc-only
	Params  *float64
	// Shape columns are nil where the source does not carry them.
	EncoderLayers, DecoderLayers        *int
	DModel, DFF, Heads, HeadDim, KVHead *int
	Gated, Tied                         *bool
	Vocab                               *int
	// VocabAssumed is true where the source leaves the vocabulary out and the public one of T5 (32,128) or mT5
	// (250,112) was filled in.
	VocabAssumed                     bool
	EncoderLength, DecoderLength     *int
	GlobalBatch                      *int // sequences
	MicroBatch, Accumulate           *int
	Precision                        string
	Hardware                         string // as the source names it
	Devices                          *int
	TP, PP, DP                       *int // on Trainium these count NeuronCores, two a chip
	ContextParallel                  int  // 1 unless the source says otherwise
	Parallelism                      string
	Checkpointing                    string // none, full, selective, … as the source names it; empty is unknown
	Metric, Unit                     string
	Value                            float64
	StepSeconds                      *float64 // nil: score the row on its own metric, or list it as unscored
	StepBasis                        string
	MFU, HFU                         *float64 // fractions, as the source states them, against PeakUsed
	PeakUsed                         *float64 // FLOP/s
	Compiled                         *bool    // nil where the source does not say whether the graph was compiled
	ThroughputCountsEncoderOnly      bool     // NeMo's tokens/s of T5: the decoder's tokens are on top
	Source, SourceRevision, NoteText string
	Evidence                         Evidence // empty in a user's file
	// Unread are cells of shape and layout that are no plain counts ("5120 tokens (max-tokens)"), as "column: cell".
	// Their fields are nil; whoever shows the row should say so.
	Unread []string
}

// ReadStepTimes reads rows in the columns of facts/step_times.csv; name stands in the errors. The columns id, model,
// arch, hardware, metric, value and unit must be there; others may be missing and unknown ones are ignored.
func ReadStepTimes(name string, in io.Reader) ([]StepTime, error) {
	return readTable(name, in, stepTime)
}

var stepTimes = embedded("step_times.csv", stepTime)

// StepTimes returns the 285 published rows, 29 of them encoder-decoder.
func StepTimes() []StepTime { return slices.Clone(stepTimes()) }

func stepTime(r *row) StepTime {
	var unread []string
	count := func(name string) *int {
		value, err := quantity.ParseExact(quantity.Count, r.text(name))
		if err != nil {
			if text := r.text(name); text != "" {
				unread = append(unread, name+": "+text)
			}
			return nil
		}
		n := int(value)
		return &n
	}
	s := StepTime{
		ID: r.required("id"), Group: r.text("group"), Quality: r.text("quality"), Model: r.required("model"), Arch: r.required("arch"),
		Params:        r.optional("n_params", quantity.Params),
		EncoderLayers: count("layers_enc"), DecoderLayers: count("layers_dec"),
		DModel: count("d_model"), DFF: count("d_ff"), Heads: count("n_heads"),
		HeadDim: count("d_head"), KVHead: count("n_kv_heads"),
		Gated: r.flag("ffn_gated"), Tied: r.flag("tied_embeddings"), Vocab: count("vocab"),
		EncoderLength: count("seq_enc"), DecoderLength: count("seq_dec"),
		GlobalBatch: count("global_batch_seqs"), MicroBatch: count("micro_batch_per_device"),
		Accumulate: count("grad_accum"), Precision: r.text("precision"), Hardware: r.required("hardware"),
		Devices: count("n_devices"), TP: count("tp"), PP: count("pp"), DP: count("dp"),
		Parallelism: r.text("parallelism_note"), Checkpointing: r.text("activation_ckpt"),
		Metric: r.required("metric"), Unit: r.required("unit"), Value: r.amount("value", quantity.Number),
		StepSeconds: r.optional("step_time_s", quantity.Duration), StepBasis: r.text("step_time_basis"),
		MFU: r.percent("mfu_pct_source"), HFU: r.percent("hfu_pct_source"),
		Source: r.text("source"), SourceRevision: r.text("source_revision"), NoteText: r.text("notes"),
		ThroughputCountsEncoderOnly: strings.Contains(r.text("unit"), "encoder tokens"),
	}
	if peak := r.optional("peak_tflops_used", quantity.Number); peak != nil {
		flops := *peak * 1e12
		s.PeakUsed = &flops
	}
	if r.text("evidence") != "" {
		s.Evidence = r.evidence("evidence")
	}
	if s.Vocab == nil {
		s.Vocab, s.VocabAssumed = publicVocab(s.Model)
	}
	remarks := s.Parallelism + "; " + s.NoteText
	s.Compiled = compiledFrom(remarks)
	s.Unread = unread
	s.ContextParallel = contextParallelFrom(remarks)
	return s
}

// percent is a share stated in percent.
func (r *row) percent(name string) *float64 {
	value := r.optional(name, quantity.Number)
	if value == nil {
		return nil
	}
	fraction := *value / 100
	return &fraction
}

var (
	t5Name  = regexp.MustCompile(`(^|[^a-zA-Z])T5\b`)
	mt5Name = regexp.MustCompile(`(^|[^a-zA-Z])mT5\b`)
)

// publicVocab is the padded vocabulary of the public T5 and mT5 configurations.
func publicVocab(model string) (vocab *int, assumed bool) {
	const t5, mt5 = 32_128, 250_112
	n := 0
	switch {
	case mt5Name.MatchString(model):
		n = mt5
	case t5Name.MatchString(model):
		n = t5
	default:
		return nil, false
	}
	return &n, true
}

var (
	notCompiled = regexp.MustCompile(`(?i)compile: no|no compile|\beager\b`)
	compiled    = regexp.MustCompile(`(?i)compile: yes|\+ (torch\.)?compile|\bcompiled\b`)
)

// compiledFrom finds in a row's remarks whether its graph was compiled.
func compiledFrom(remarks string) *bool {
	yes := true
	switch {
	case notCompiled.MatchString(remarks):
		yes = false
	case compiled.MatchString(remarks):
	default:
		return nil
	}
	return &yes
}

var contextParallel = regexp.MustCompile(`(?i)\b(?:CP|context parallel) (\d{1,4})\b`)

// contextParallelFrom finds the degree of context parallelism in a row's remarks, 1 where none is named.
func contextParallelFrom(remarks string) int {
	if m := contextParallel.FindStringSubmatch(remarks); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n > 0 {
			return n
		}
	}
	return 1
}
