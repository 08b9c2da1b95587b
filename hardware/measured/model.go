package measured

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// spanCorruptionTarget is the target length of T5's span corruption for 512 inputs: 15 % noise in
// spans of 3 (Raffel et al. 2020, arXiv 1910.10683, section 3.1.4), before padding.
const spanCorruptionTarget = 114

func (r *rowReader) shape(out *Run) {
	row, run := &r.row, &out.Run
	if row.DModel == nil || *row.DModel <= 0 {
		r.refuse("the source gives no shape")
		return
	}
	switch row.Arch {
	case "enc-dec", "dec-only", "enc-only":
	default:
		r.refuse("the architecture is %q; allowed: enc-dec, dec-only or enc-only", row.Arch)
		return
	}
	if sparse.MatchString(row.Model) {
		r.refuse("a mixture of experts, of which the columns tell nothing")
		return
	}
	s := &run.Shape
	*s = shapes.Shape{
		Name: row.Model, DModel: *row.DModel, Norm: shapes.RMSNorm, Head: shapes.HeadUntied,
	}
	if row.Tied != nil && *row.Tied || row.Tied == nil && row.Arch == "enc-dec" {
		s.Head = shapes.HeadTied
	}
	// GPT-2's 50,257 padded as Megatron-LM does for 8-way tensor parallelism
	const gptVocab = 51_200
	s.Vocab = or(row.Vocab, gptVocab)
	heads := r.need(row.Heads, "the number of heads")
	k := shapes.Stack{
		DFF: r.need(row.DFF, "d_ff"), Gated: row.Gated != nil && *row.Gated,
		Activation: shapes.GELU, Heads: heads, KVHeads: or(row.KVHead, heads),
		DKV: or(row.HeadDim, *row.DModel/heads), Position: shapes.NoPosition, FinalNorm: true,
	}
	switch row.Arch {
	case "enc-dec":
		k.Position, k.Positions = shapes.Relative, 32
		if row.Gated == nil || !*row.Gated {
			k.Activation = shapes.ReLU
		}
	case "enc-only":
		s.Norm, s.Bias, s.Head = shapes.LayerNorm, shapes.BiasAll, shapes.HeadMLM
		// 30,522 padded to a multiple of 128, as trainers for these devices do
		const bertVocab = 30_592
		s.Vocab = or(row.Vocab, bertVocab)
		if vision.MatchString(row.Model) {
			s.Head = shapes.HeadNone // a classifier of one vector an image
		}
	default:
		if k.Gated {
			k.Position = shapes.Rotary
		} else {
			s.Norm, s.Bias = shapes.LayerNorm, shapes.BiasAll
		}
	}
	s.Encoder, s.Decoder = k, k
	s.Encoder.Layers, s.Decoder.Layers = or(row.EncoderLayers, 0), or(row.DecoderLayers, 0)
	encoder, decoder := row.EncoderLength, row.DecoderLength
	switch row.Arch { // the one stack's columns may be those of the other
	case "enc-only":
		s.Encoder.Layers, s.Decoder.Layers = max(s.Encoder.Layers, s.Decoder.Layers), 0
		encoder = cmp.Or(encoder, decoder)
	case "dec-only":
		s.Encoder.Layers, s.Decoder.Layers = 0, max(s.Encoder.Layers, s.Decoder.Layers)
		decoder = cmp.Or(decoder, encoder)
	}
	if s.Encoder.Layers == 0 && row.Arch != "dec-only" || s.Decoder.Layers == 0 &&
		row.Arch != "enc-only" {
		r.refuse("the number of layers is not stated")
	}
	if s.Encoder.Layers > 0 {
		run.Workload.EncoderLength = r.need(encoder, "the encoder length")
	}
	if s.Decoder.Layers > 0 {
		if n := spanCorruptionTarget; decoder == nil && s.CrossAttention() {
			decoder = &n
		}
		run.Workload.DecoderLength = r.need(decoder, "the decoder length")
	}
	if err := s.Validate(); err != nil {
		r.refuse("%v", err)
		return
	}
	r.dense(s)
}

// sparse are models whose layers hold experts.
var sparse = regexp.MustCompile(`(?i)\bMoE\b|mixture of experts|mixtral|\bswitch[- ]|gshard|\b\d+x\d+B\b|[-_ ]A\d+B\b`)

// vision are encoders of images.
var vision = regexp.MustCompile(`(?i)\b(ViT|DeiT)\b`)

// dense refuses a shape that holds far fewer parameters than the row states: there are layers that
// the columns do not tell. Position tables, of up to 65,536 rows in what is published, add up to
// two fifths; experts multiply.
func (r *rowReader) dense(s *shapes.Shape) {
	const most = 2
	if counted := float64(flops.CountParameters(s).Total); r.row.Params != nil && *r.row.Params > most*counted {
		r.refuse("%.3g parameters are stated, and the shape has %.3g", *r.row.Params, counted)
	}
}

func (r *rowReader) execution(out *Run) {
	row, run := &r.row, &out.Run
	x := &run.Execution
	precision := strings.ToLower(row.Precision)
	says := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(precision, w) })
	}
	_, bf16 := run.Profile.Peaks[hardware.BF16]
	switch {
	case says("fp8", "float8"):
		run.Software.Matmul = hardware.FP8
	case says("tf32"):
		x.Precision, run.Software.Matmul = flops.FP32, hardware.TF32
	case says("bf16", "bfloat16"):
	case says("fp16", "float16", "half"):
		x.Precision = flops.FP16Mixed
	case says("fp32", "float32"), precision == "32":
		x.Precision = flops.FP32
	case !bf16: // "mixed" on what is older than bf16
		x.Precision = flops.FP16Mixed
	}
	x.Recompute, r.recomputeStated = recomputeOf(row.Checkpointing)
	if run.Shape.Encoder.Layers > 0 || unfusedTrainer.MatchString(row.Source) {
		x.Attention = flops.UnfusedAttention
	}
	if row.Products != "" {
		format, ok := formatOf(row.Products)
		if !ok {
			r.refuse("products are in %q; allowed: fp32, tf32, fp16, bf16, fp8", row.Products)
		}
		if run.Software.Matmul = format; format == hardware.MatmulFormat(x.Precision) {
			run.Software.Matmul = ""
		}
	}
	switch run.Software.Stack = row.Stack; {
	case row.Stack == "":
		run.Software.Stack = hardware.StackOf(row.Source + "; " + row.Parallelism)
		if run.Software.Stack == "" {
			run.Software.Stack = hardware.StackOf(row.NoteText)
		}
		if run.Software.Stack != "" {
			r.assume("stack %s (the source's words)", run.Software.Stack)
		} else {
			r.assume("stack unknown: a trainer like the average")
		}
	case hardware.StackKind(row.Stack) == "":
		r.assume("stack %s is not known: a trainer like the average", row.Stack)
	}
	run.Software.Compiled = row.Compiled
	if row.Compiled == nil {
		r.assume("%s", run.Mode())
	}
	r.assume("%s attention", x.Attention)
}

// formatOf reads the name of a number format.
func formatOf(text string) (hardware.Precision, bool) {
	for _, p := range []hardware.Precision{hardware.FP32, hardware.TF32, hardware.FP16, hardware.BF16, hardware.FP8, hardware.INT8, hardware.FP4} {
		if strings.HasPrefix(text, string(p)) {
			return p, true
		}
	}
	return "", false
}

// leastRecompute returns the mode that recomputes least and fits in memory, for rows that do not
// say: a run that was measured fitted. Where only full recomputation seems to, trainers with fused
// attention count as selective: those recompute single products or move activations to the host
// instead, as the sources that tell their modes do ("custom remat/offload").
func leastRecompute(run *hardware.Run) flops.Recompute {
	usable, known := run.Profile.UsableBytes()
	if !known {
		return flops.RecomputeNone
	}
	w := run.Workload
	// as laid out, where the stated batch does not divide
	w.Batch = run.Layout.DP * run.Layout.MicroBatch * run.Layout.Accumulate
	for mode := flops.RecomputeNone; mode <= flops.RecomputeFull; mode++ {
		x := run.Execution
		x.Recompute = mode
		memory, err := flops.TrainingMemory(&run.Shape, w, x, run.Layout)
		if err == nil && memory.PeakBytes <= usable {
			return mode
		}
		if mode == flops.RecomputeSelective && run.Execution.Attention == flops.FusedAttention {
			return mode
		}
	}
	return flops.RecomputeFull
}

// unfusedTrainer are sources whose trainers predate fused attention (2022) or could not use it.
var unfusedTrainer = regexp.MustCompile(`(?i)bigscience|NeMo-(Megatron|Framework)-Launcher|neuron|DeepLearningExamples|NVIDIA/Megatron-LM`)

func startsWith(text string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(text, w) })
}

// recomputeOf reads a source's word for recomputation; ok is false where it says nothing. "none
// (yaml: granularity full, num_layers 0)" is none: the setting names layers to recompute, and names
// no layer.
func recomputeOf(text string) (mode flops.Recompute, ok bool) {
	text = strings.ToLower(text)
	is := func(words ...string) bool { return slices.Contains(words, text) }
	starts := func(words ...string) bool { return startsWith(text, words) }
	switch {
	case is("no", "off", "false", "0"), starts("none", "no recompu", "no activation", "no gradient",
		"no checkpoint", "without"):
		return flops.RecomputeNone, true
	case strings.Contains(text, "selective"), starts("minimal", "custom"):
		return flops.RecomputeSelective, true
	case is("yes", "on", "true", "1", "all"), starts("full", "every layer", "all layers",
		"activation checkpoint", "gradient checkpoint"):
		return flops.RecomputeFull, true
	}
	return flops.RecomputeNone, false
}
