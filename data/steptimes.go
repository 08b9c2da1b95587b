package data

import (
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// StepTime is one training throughput, step time or achieved rate with the run it was measured on.
// Two runs of one configuration differ by 17–43 % in this literature: no predictor can do better.
type StepTime struct {
	ID    string
	Group string // rows of one model and device in one source: leave them out together
	// Quality is A, B or C, or empty in a user's file. C rows miss something that matters (the
	// device, the shape) and are not scored.
	Quality string
	Model   string
	// enc-dec, dec-only, enc-only; another spelling as it stands, empty where neither the row nor
	// its layers tell
	Arch   string
	Params *float64
	// Shape columns are nil where the source does not carry them.
	EncoderLayers, DecoderLayers        *int
	DModel, DFF, Heads, HeadDim, KVHead *int
	Gated, Tied                         *bool
	Vocab                               *int
	// VocabAssumed is true where the source leaves the vocabulary out and the public one of T5
	// (32,128) or mT5 (250,112) was filled in.
	VocabAssumed                 bool
	EncoderLength, DecoderLength *int
	GlobalBatch                  *int // sequences
	MicroBatch, Accumulate       *int
	Precision                    string
	Hardware                     string // as the source names it
	Devices                      *int
	TP, PP, DP                   *int // on Trainium these count NeuronCores, two a chip
	ContextParallel              int  // 1 unless the source says otherwise
	// Interleave is how many chunks of layers each pipeline stage has (virtual pipeline), 1 unless
	// the source says otherwise.
	Interleave int
	// DevicesPerNode is how many devices the fast links join; nil is what the device comes with.
	DevicesPerNode *int
	// Stack is the software that trained, such as megatron or torchtitan; empty where no column
	// says.
	Stack string
	// Products is the number format of the layers' products where it differs from Precision, such
	// as fp8; empty where no column says.
	Products    string
	Parallelism string
	// none, full, selective, … as the source names it; empty is unknown
	Checkpointing string
	Metric, Unit  string
	Value         *float64
	// nil: score the row on its own metric, or list it as unscored
	StepSeconds *float64
	MFU         *float64 // as the source states it, against PeakUsed
	PeakUsed    *float64 // FLOP/s
	// nil where the source does not say whether the graph was compiled
	Compiled *bool
	// NeMo's tokens/s of T5: the decoder's tokens are on top
	ThroughputCountsEncoderOnly bool
	Source, NoteText            string
	Evidence                    Evidence // empty in a user's file
	// Unread are cells of shape and layout that are not plain counts ("5120 tokens (max-tokens)"),
	// as "column: cell". Their fields are nil; what shows the row should say so.
	Unread []string
	// Assumed are values that no column states plainly: what a remark, a model's name or a loosely
	// worded cell ("about 2048") was taken to say.
	Assumed []string
}

// ReadStepTimes reads rows in the columns of facts/step_times.csv; name stands in the errors. Each
// row needs an id; other columns and cells may be missing, and unknown columns are ignored: what
// uses a row says what it lacks.
func ReadStepTimes(name string, in io.Reader) ([]StepTime, error) {
	return readTable(name, in, stepTime)
}

var stepTimes = embedded("facts/step_times.csv", stepTime)

// StepTimes returns the 349 published rows, 58 of them encoder-decoder.
func StepTimes() []StepTime { return slices.Clone(stepTimes()) }

func stepTime(r *row) StepTime {
	var unread, assumed []string
	count := func(name string) *int {
		text := r.text(name)
		value, err := quantity.ParseExact(quantity.Count, text)
		if m := roughly.FindStringSubmatch(text); err != nil && m != nil {
			if value, err = quantity.ParseExact(quantity.Count, m[1]); err == nil {
				assumed = append(assumed, name+" "+m[1]+" (the cell: "+text+")")
			}
		}
		if err != nil {
			if text != "" {
				unread = append(unread, name+": "+text)
			}
			return nil
		}
		n := int(value)
		return &n
	}
	yes := func(name string) *bool {
		text := r.text(name)
		value, ok := map[string]bool{
			"1": true, "1.0": true, "true": true, "yes": true, "0": false,
			"0.0": false, "false": false, "no": false,
		}[strings.ToLower(text)]
		if !ok {
			if text != "" {
				unread = append(unread, name+": "+text)
			}
			return nil
		}
		return &value
	}
	s := StepTime{
		ID: r.required("id"), Group: r.text("group"), Quality: strings.ToUpper(r.text("quality")),
		Model:         r.text("model"),
		Params:        r.loose("n_params", quantity.Params),
		EncoderLayers: count("layers_enc"), DecoderLayers: count("layers_dec"),
		DModel: count("d_model"), DFF: count("d_ff"), Heads: count("n_heads"),
		HeadDim: count("d_head"), KVHead: count("n_kv_heads"),
		Gated: yes("ffn_gated"), Tied: yes("tied_embeddings"), Vocab: count("vocab"),
		EncoderLength: count("seq_enc"), DecoderLength: count("seq_dec"),
		GlobalBatch: count("global_batch_seqs"), MicroBatch: count("micro_batch_per_device"),
		Accumulate: count("grad_accum"), Precision: r.text("precision"),
		Hardware: r.text("hardware"),
		Devices:  count("n_devices"), TP: count("tp"), PP: count("pp"), DP: count("dp"),
		DevicesPerNode: count("devices_per_node"), Stack: strings.ToLower(r.text("stack")),
		Products:    strings.ToLower(r.text("products")),
		Parallelism: r.text("parallelism_note"), Checkpointing: r.text("activation_ckpt"),
		Metric: r.text("metric"), Unit: r.text("unit"), Value: r.optional("value", quantity.Number),
		StepSeconds: r.optional("step_time_s", quantity.Duration),
		MFU:         r.percent("mfu_pct_source"),
		Source:      r.text("source"),
		NoteText:    r.text("notes"),
	}
	s.ThroughputCountsEncoderOnly = strings.Contains(strings.ToLower(s.Unit), "tok") &&
		encoderTokens.MatchString(s.Unit+"; "+s.NoteText)
	if peak := r.loose("peak_tflops_used", quantity.Number); peak != nil {
		flops := *peak * 1e12
		s.PeakUsed = &flops
	}
	if r.text("evidence") != "" {
		s.Evidence = r.evidence("evidence")
	}
	s.Arch = arch(r.text("arch"), s.EncoderLayers, s.DecoderLayers)
	if s.Vocab == nil {
		if s.Vocab, s.VocabAssumed = publicVocab(s.Model); s.VocabAssumed {
			assumed = append(assumed, "vocabulary "+strconv.Itoa(*s.Vocab)+" (the model's name)")
		}
	}
	if s.Gated == nil && gatedModel.MatchString(s.Model) {
		gated := true
		s.Gated = &gated
		assumed = append(assumed, "gated feed-forward (the model's name)")
	}
	// What older tables have no column for stands in their remarks.
	remarks := s.Parallelism + "; " + s.NoteText + "; " + s.Hardware
	if s.Compiled = yes("compiled"); s.Compiled == nil {
		if s.Compiled = compiledFrom(remarks); s.Compiled != nil {
			assumed = append(assumed, "compiled "+strconv.FormatBool(*s.Compiled)+" (the remarks)")
		}
	}
	degree := func(name string, words *regexp.Regexp) int {
		if n := count(name); n != nil && *n > 0 {
			return *n
		}
		n := stated(words, remarks)
		if n > 1 {
			assumed = append(assumed, name+" "+strconv.Itoa(n)+" (the remarks)")
		}
		return max(1, n)
	}
	s.ContextParallel = degree("context_parallel", contextParallel)
	s.Interleave = degree("interleave", virtualPipeline)
	if s.DevicesPerNode == nil {
		if n := stated(nodeWidth, remarks); n > 0 {
			s.DevicesPerNode = &n
			assumed = append(assumed, "devices_per_node "+strconv.Itoa(n)+" (the remarks)")
		}
	}
	s.Unread, s.Assumed = unread, assumed
	return s
}

// arch is the class of a model in the one spelling; a blank one is that of its layers.
func arch(text string, encoder, decoder *int) string {
	switch strings.ToLower(text) {
	case "enc-dec", "encoder-decoder", "encdec", "seq2seq":
		return "enc-dec"
	case "dec-only", "decoder-only", "decoder", "causal":
		return "dec-only"
	case "enc-only", "encoder-only", "encoder":
		return "enc-only"
	case "":
		has := func(layers *int) bool { return layers != nil && *layers > 0 }
		switch {
		case has(encoder) && has(decoder):
			return "enc-dec"
		case has(encoder):
			return "enc-only"
		case has(decoder):
			return "dec-only"
		}
	}
	return text
}

// percent is a share stated in percent.
func (r *row) percent(name string) *float64 {
	value := r.loose(name, quantity.Number)
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

// gatedModel are models whose public configurations have gated feed-forward networks.
var gatedModel = regexp.MustCompile(`(?i)\b(mt5|flan-t5|t5[-_ ]?v1[._]1|llama|mistral|qwen|gemma)`)

// encoderTokens are the words by which a row says that its tokens/s leave the decoder's tokens out.
var encoderTokens = regexp.MustCompile(`(?i)encoder tokens`)

var (
	notSaid     = regexp.MustCompile(`(?i)\bcompiled? (?:is )?(?:not stated|not known|unknown|\?)`)
	notCompiled = regexp.MustCompile(`(?i)\bcompile[:= ]+(?:no|off|false|0)\b|\b(?:no|not|without) (?:torch\.)?compiled?\b|\buncompiled\b|\beager\b`)
	compiled    = regexp.MustCompile(`(?i)\bcompile[:= ]+(?:yes|on|true|1)\b|\+ ?compile\b|\btorch\.compile\b|\bcompiled\b`)
)

// compiledFrom finds in a row's remarks whether its graph was compiled.
func compiledFrom(remarks string) *bool {
	yes := true
	switch {
	case notSaid.MatchString(remarks):
		return nil
	case notCompiled.MatchString(remarks):
		yes = false
	case compiled.MatchString(remarks):
	default:
		return nil
	}
	return &yes
}

// roughly is a count that is stated loosely: "about 2048 (2M tokens)".
var roughly = regexp.MustCompile(`(?i)^(?:about |approximately |ca\. |~ ?)?([0-9][0-9,]*)(?: ?\([^()]*\))?$`)

// The words by which remarks name a degree of parallelism or the width of a node.
var (
	contextParallel = regexp.MustCompile(`(?i)\b(?:CP|context[- ]parallel(?:ism)?)[ =:]*(\d{1,4})\b`)
	virtualPipeline = regexp.MustCompile(`(?i)\b(?:VPP?|virtual pipeline(?: stages| size)?|interleav(?:e|ing))[ =:]*(\d{1,3})\b`)
	nodeWidth       = regexp.MustCompile(`(?i)\bnodes of (\d{1,4})\b|\b(\d{1,4}) (?:GPUs? |devices? |cards? |accelerators? )?(?:per|a|/) ?node\b`)
)

// stated returns the first number that the words name in a text, 0 where they name none.
func stated(words *regexp.Regexp, text string) int {
	for _, group := range words.FindStringSubmatch(text) {
		if n, err := strconv.Atoi(group); err == nil {
			return n
		}
	}
	return 0
}
