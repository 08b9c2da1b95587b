package hardware

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// MeasuredRun is a published or user-given measurement as a run that the step-time model can price.
type MeasuredRun struct {
	ID, Group, Source string
	Class             string // enc-dec, dec-only, enc-only
	Family            string // hardware family: rows of one family share the constant-MFU baseline
	Device            string // profile name
	Run               Run
	Seconds           float64 // measured, or worked out from the row's own metric
	Basis             string  // "step time", or the metric the seconds were worked out from
}

// UnscoredError says why a row cannot be held against the model.
type UnscoredError struct {
	ID, Reason string
}

func (e *UnscoredError) Error() string { return e.ID + ": not scored: " + e.Reason }

// ReadRun turns a row into a run. The error is an [*UnscoredError].
//
// What a row leaves out is filled as follows, the same for every row: blank T5 and mT5 vocabularies by the reader of the
// rows; TP, PP and CP 1; the data-parallel size from the devices; recomputation none unless a decoder-only model runs on
// an XLA device, where it is selective; attention unfused for relative positions and for trainers older than fused
// attention, fused elsewhere.
func ReadRun(row data.StepTime) (MeasuredRun, error) {
	r := rowReader{row: row}
	out := MeasuredRun{ID: row.ID, Group: row.Group, Source: row.Source, Class: row.Arch}
	r.profile(&out)
	r.shape(&out.Run)
	r.execution(&out.Run)
	r.layout(&out.Run)
	if r.reason == "" {
		r.seconds(&out)
	}
	if r.reason != "" {
		return MeasuredRun{}, &UnscoredError{row.ID, r.reason}
	}
	return out, nil
}

// rowReader fills a run from a row; the first thing that is missing stays in reason.
type rowReader struct {
	row    data.StepTime
	reason string
	xla    bool
	cores  int // ranks that the row counts for each device
}

func (r *rowReader) refuse(format string, args ...any) {
	if r.reason == "" {
		r.reason = fmt.Sprintf(format, args...)
	}
}

// need returns a count that a run cannot do without.
func (r *rowReader) need(n *int, what string) int {
	if n == nil || *n <= 0 {
		r.refuse("%s is not stated", what)
		return 1
	}
	return *n
}

func or(n *int, otherwise int) int {
	if n == nil || *n <= 0 {
		return otherwise
	}
	return *n
}

// deviceNames are the words by which sources name devices, the more special first, with the profile meant.
var deviceNames = []struct{ word, profile, family string }{
	{"GB300", "gb200", "blackwell"}, // the same dense bf16 and fp8 rates; its larger memory does not enter a step time
	{"GB200", "gb200", "blackwell"},
	{"B200", "b200", "blackwell"},
	{"GH200", "gh200", "hopper"},
	{"H200", "h200", "hopper"},
	{"H100-PCIE", "h100-pcie", "hopper"},
	{"H100", "h100", "hopper"},
	{"A100-40GB", "a100-40gb", "ampere"},
	{"A100-SXM-40GB", "a100-40gb", "ampere"},
	{"A100-PCIE", "a100-pcie", "ampere"},
	{"A100", "a100", "ampere"},
	{"V100", "v100", "volta"},
	{"TPU V2", "tpu-v2", "tpu"},
	{"TPU V3", "tpu-v3", "tpu"},
	{"TPU V4", "tpu-v4", "tpu"},
	{"TPU V5E", "tpu-v5e", "tpu"},
	{"TPU V5P", "tpu-v5p", "tpu"},
	{"TPU V6E", "tpu-v6e", "tpu"},
	{"TPU7X", "tpu7x", "tpu"},
	{"TRAINIUM1", "trainium1", "trainium"},
	{"TRAINIUM2", "trainium2", "trainium"},
	{"MI300X", "mi300x", "cdna"},
	{"MI325X", "mi325x", "cdna"},
	{"MI355X", "mi355x", "cdna"},
	{"MI250X", "mi250x", "cdna"},
	{"GAUDI2", "gaudi2", "gaudi"},
	{"GAUDI3", "gaudi3", "gaudi"},
}

// assumedLinks are rates in bytes/s that no source at hand states and that rows need. They serve the scoring of rows only:
// a plan on such a device asks for them.
var assumedLinks = []struct {
	profile      string
	intra, inter float64
	note         string
}{
	{"tpu-v6e", 0, 12.5e9, "four 200 Gbit/s ports for a host of 8 chips"},
	{"trainium1", 192e9, 0, "768 GB/s of NeuronLink a node, taken as both ways, four links a chip"},
}

func recalledLink(rate float64, note string) *Field {
	return &Field{Fact: data.Fact{Value: rate, Evidence: data.Recalled, Note: note}, Origin: Default}
}

// powerExponent relates matmul rate to a lowered power limit. Dynamic power goes with clock × voltage², and voltage falls
// with the clock over part of the range: the rate goes with power to between 1/3 and 1/2.
const powerExponent = 0.4

// capPower lowers the measured ceilings of a device that a source runs below its limit.
func capPower(p *Profile, watts float64) {
	if p.PowerWatts == nil || p.PowerKind != LimitPower || watts >= p.PowerWatts.Value {
		return
	}
	share := math.Pow(watts/p.PowerWatts.Value, powerExponent)
	for format, f := range p.Measured {
		f.Value *= share
		p.Measured[format] = f
	}
	p.Name += fmt.Sprintf(" at %.0f W", watts)
}

var statedPower = regexp.MustCompile(`(\d+) W limit`)

var statedBandwidth = regexp.MustCompile(`([0-9.]+) ?TB/s`)

func (r *rowReader) profile(out *MeasuredRun) {
	text := strings.ToUpper(r.row.Hardware)
	name := r.row.Hardware
	for _, d := range deviceNames {
		if strings.Contains(text, d.word) {
			name = d.profile
			break
		}
	}
	p, err := Find(name)
	if err != nil {
		r.refuse("%v", err)
		return
	}
	out.Family = p.Family()
	if m := statedBandwidth.FindStringSubmatch(r.row.Hardware); m != nil {
		if tb, err := strconv.ParseFloat(m[1], 64); err == nil && tb > 0 {
			p.BandwidthBytesPerSecond = &Field{Fact: data.Fact{Value: tb * 1e12, Source: r.row.Source, Evidence: r.row.Evidence}, Origin: File}
		}
	}
	if watts := firstNumber(statedPower, r.row.Hardware); watts != nil {
		capPower(&p, float64(*watts))
	}
	for _, a := range assumedLinks {
		if a.profile == name && p.InterBytesPerSecond == nil && a.inter > 0 {
			p.InterBytesPerSecond = recalledLink(a.inter, a.note)
		}
		if a.profile == name && p.IntraBytesPerSecond == nil && a.intra > 0 {
			p.IntraBytesPerSecond = recalledLink(a.intra, a.note)
		}
	}
	out.Device, out.Run.Profile = p.Name, p
	r.cores = 1
	if out.Family == "trainium" {
		r.cores = 2 // tp, pp and dp of these rows count NeuronCores, two a chip
	}
	r.xla = compiled(&p, Software{})
}

// spanCorruptionTarget is the target length of T5's span corruption for 512 inputs: 15 % noise in spans of 3 (Raffel et
// al. 2020, arXiv 1910.10683, section 3.1.4), before padding.
const spanCorruptionTarget = 114

func (r *rowReader) shape(run *Run) {
	row := &r.row
	if row.DModel == nil {
		r.refuse("the source gives no shape")
		return
	}
	s := &run.Shape
	*s = shapes.Shape{Name: row.Model, DModel: *row.DModel, Norm: shapes.RMSNorm, Head: shapes.HeadUntied}
	if row.Tied != nil && *row.Tied || row.Tied == nil && row.Arch == "enc-dec" {
		s.Head = shapes.HeadTied
	}
	const gptVocab = 51_200 // GPT-2's 50,257 padded as Megatron-LM does for 8-way tensor parallelism
	s.Vocab = or(row.Vocab, gptVocab)
	heads := r.need(row.Heads, "the number of heads")
	k := shapes.Stack{
		DFF: r.need(row.DFF, "d_ff"), Gated: row.Gated != nil && *row.Gated, Activation: shapes.GELU, Heads: heads,
		KVHeads: or(row.KVHead, heads), DKV: or(row.HeadDim, *row.DModel/heads), Position: shapes.NoPosition, FinalNorm: true,
	}
	switch row.Arch {
	case "enc-dec":
		k.Position, k.Positions = shapes.Relative, 32
		if row.Gated == nil || !*row.Gated {
			k.Activation = shapes.ReLU
		}
	case "enc-only":
		s.Norm, s.Bias, s.Head = shapes.LayerNorm, shapes.BiasAll, shapes.HeadMLM
		const bertVocab = 30_592 // 30,522 padded to a multiple of 128, as trainers for these devices do
		s.Vocab = or(row.Vocab, bertVocab)
	default:
		if k.Gated {
			k.Position = shapes.Rotary
		} else {
			s.Norm, s.Bias = shapes.LayerNorm, shapes.BiasAll
		}
	}
	s.Encoder, s.Decoder = k, k
	s.Encoder.Layers, s.Decoder.Layers = or(row.EncoderLayers, 0), or(row.DecoderLayers, 0)
	if s.Encoder.Layers+s.Decoder.Layers == 0 {
		r.refuse("the number of layers is not stated")
	}
	if s.Encoder.Layers > 0 {
		run.Workload.EncoderLength = r.need(row.EncoderLength, "the encoder length")
	}
	if s.Decoder.Layers > 0 {
		length := row.DecoderLength
		if length == nil && s.CrossAttention() {
			n := spanCorruptionTarget
			length = &n
		}
		run.Workload.DecoderLength = r.need(length, "the decoder length")
	}
}

func (r *rowReader) execution(run *Run) {
	row := &r.row
	x := &run.Execution
	precision := strings.ToLower(row.Precision)
	switch {
	case strings.Contains(precision, "fp8"), strings.Contains(precision, "float8"):
		run.Software.Matmul = FP8
	case precision == "tf32":
		x.Precision, run.Software.Matmul = flops.FP32, TF32
	case precision == "fp32":
		x.Precision = flops.FP32
	case strings.Contains(precision, "fp16"):
		x.Precision = flops.FP16Mixed
	}
	x.Recompute = recomputeOf(row.Checkpointing)
	if row.Checkpointing == "" && r.xla && run.Shape.Encoder.Layers == 0 {
		x.Recompute = flops.RecomputeSelective
	}
	if run.Shape.Encoder.Layers > 0 || unfusedTrainer.MatchString(row.Source) {
		x.Attention = flops.UnfusedAttention
	}
	for _, t := range trainers {
		if strings.Contains(row.Source, t.word) {
			run.Software.Stack = t.stack
			break
		}
	}
	run.Software.Compiled = row.Compiled
	if row.Compiled == nil && jaxTrainer.MatchString(row.Source) {
		yes := true
		run.Software.Compiled = &yes
	}
}

// trainers are the words of sources that name a software stack.
var trainers = []struct{ word, stack string }{
	{"llm-foundry", "llm-foundry"},
	{"torchtitan", "torchtitan"},
	{"maxtext", "maxtext"},
	{"tpu-recipes", "maxtext"},
	{"t5x", "t5x"},
	{"neuron", "neuron"},
	{"nanoT5", "pytorch"},
	{"Megatron-Bridge", "megatron"},
	{"NeMo", "megatron"},
	{"egatron", "megatron"},
	{"bigscience", "megatron"},
}

var (
	// unfusedTrainer are sources whose trainers predate fused attention (2022) or could not use it.
	unfusedTrainer = regexp.MustCompile(`(?i)bigscience|NeMo-(Megatron|Framework)-Launcher|neuron|DeepLearningExamples|NVIDIA/Megatron-LM`)
	jaxTrainer     = regexp.MustCompile(`(?i)t5x|maxtext|tpu-recipes`)
)

// recomputeOf reads a source's word for recomputation. "none (yaml: granularity full, num_layers 0)" is none: the
// setting names layers to recompute, and names no layer.
func recomputeOf(text string) flops.Recompute {
	text = strings.ToLower(text)
	switch {
	case strings.HasPrefix(text, "none"):
		return flops.RecomputeNone
	case strings.HasPrefix(text, "full"):
		return flops.RecomputeFull
	case strings.Contains(text, "selective"), strings.HasPrefix(text, "minimal"), strings.HasPrefix(text, "custom"):
		return flops.RecomputeSelective
	}
	return flops.RecomputeNone
}

var (
	tpuSlices    = regexp.MustCompile(`\b(\d+)x (?:v\d\w*)-\d+`)
	statedBatch  = regexp.MustCompile(`GBS ?(\d+)`)
	microBatched = regexp.MustCompile(`(?i)micro-batch (\d+)`)
)

func firstNumber(pattern *regexp.Regexp, text string) *int {
	if m := pattern.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return &n
		}
	}
	return nil
}

func (r *rowReader) layout(run *Run) {
	row := &r.row
	devices := r.need(row.Devices, "the number of devices")
	run.Software.ContextParallel = row.ContextParallel
	tp, pp := max(1, or(row.TP, 1)/r.cores), or(row.PP, 1)
	l := flops.Layout{TP: tp, PP: pp}
	l.DP = devices / (tp * pp * max(1, row.ContextParallel))
	if l.DP < 1 {
		r.refuse("tp × pp × cp is more than the devices")
		return
	}
	batch := row.GlobalBatch
	if batch == nil {
		batch = firstNumber(statedBatch, row.NoteText)
	}
	run.Workload.Batch = r.need(batch, "the global batch")
	micro := or(row.MicroBatch, 0)
	if micro == 0 {
		if n := firstNumber(microBatched, row.NoteText); n != nil {
			micro = *n * r.cores
		}
	}
	each := max(1, run.Workload.Batch/l.DP)
	switch {
	case micro == 0 && pp > 1:
		micro = 1
	case micro == 0, row.PP == nil && row.Accumulate == nil && micro*devices == run.Workload.Batch:
		micro = each // one pass; "per device" batches of sharded programs count the model's copies as one
	}
	l.Accumulate = max(1, (each+micro/2)/micro)
	l.MicroBatch = max(1, (each+l.Accumulate/2)/l.Accumulate)

	words := row.Parallelism + " " + row.NoteText
	switch {
	case strings.Contains(words, "SHARD_GRAD_OP"):
		l.ZeRO = 2
	case strings.Contains(words, "FSDP"), r.xla && run.Shape.Encoder.Layers == 0 && r.cores == 1:
		l.ZeRO = 3
	case strings.Contains(words, "ZeRO-1"), strings.Contains(words, "istributed optimizer"), strings.Contains(row.Source, "Megatron-Bridge"):
		l.ZeRO = 1
	}
	l.SequenceParallel = tp > 1 && (l.ZeRO == 3 || strings.Contains(row.Source, "Megatron-Bridge"))
	run.Layout = l.For(run.Workload)
	if n := firstNumber(tpuSlices, row.Parallelism); n != nil && *n > 0 && devices%*n == 0 {
		run.Software.Domain = devices / *n
	} else if run.Profile.MatrixUnit != nil {
		run.Software.Domain = devices // one slice
	}
}

// seconds takes the row's step time, or works one out from its own metric.
func (r *rowReader) seconds(out *MeasuredRun) {
	row, run := &r.row, &out.Run
	if row.StepSeconds != nil {
		out.Seconds, out.Basis = *row.StepSeconds, "step time"
		if *row.StepSeconds <= 0 {
			r.refuse("the step time is not positive")
		}
		return
	}
	rate := row.Value
	if strings.Contains(row.Unit, "per GPU") || strings.Contains(row.Unit, "per chip") || strings.Contains(row.Unit, "per device") {
		rate *= float64(run.Devices())
	}
	if !(rate > 0) {
		r.refuse("its metric is not positive")
		return
	}
	w := run.Workload
	tokens := float64(w.Batch * max(w.EncoderLength, w.DecoderLength))
	if run.Shape.CrossAttention() && !row.ThroughputCountsEncoderOnly {
		tokens = float64(w.Tokens(&run.Shape))
	}
	out.Basis = row.Metric
	switch {
	case strings.HasPrefix(row.Unit, "tokens/s"):
		out.Seconds = tokens / rate
	case strings.HasPrefix(row.Unit, "sequences/s"):
		out.Seconds = float64(w.Batch) / rate
	case strings.HasPrefix(row.Unit, "TFLOP/s"):
		convention := flops.MatmulConvention
		if strings.Contains(row.Metric, "recompute") {
			convention = flops.HardwareConvention
		}
		out.Seconds = flops.CountUnder(convention, &run.Shape, w, run.Execution.Recompute).Step / (rate * 1e12)
	default:
		r.refuse("a %s in %s says nothing of one step", row.Metric, row.Unit)
	}
}
