package hardware

import (
	"regexp"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// spanCorruptionTarget is the target length of T5's span corruption for 512 inputs: 15 % noise in spans of 3 (Raffel et
// al. 2020, arXiv 1910.10683, section 3.1.4), before padding.
const spanCorruptionTarget = 114

func (r *rowReader) shape(out *MeasuredRun) {
	row, run := &r.row, &out.Run
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

func (r *rowReader) execution(out *MeasuredRun) {
	row, run := &r.row, &out.Run
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

// leastRecompute returns the mode that recomputes least and fits in memory, for rows that do not say: a run that was measured
// fitted. Where only full recomputation seems to, trainers with fused attention count as selective: those recompute single
// products or move activations to the host instead, as the sources that tell their modes do ("custom remat/offload").
func leastRecompute(run *Run) flops.Recompute {
	if run.Profile.MemoryBytes == nil {
		return flops.RecomputeNone
	}
	w := run.Workload
	w.Batch = run.Layout.DP * run.Layout.MicroBatch * run.Layout.Accumulate // as laid out, where the stated batch does not divide
	for _, mode := range recomputeModes {
		x := run.Execution
		x.Recompute = mode
		memory, err := flops.TrainingMemory(&run.Shape, w, x, run.Layout)
		if err == nil && memory.PeakBytes <= run.Profile.MemoryBytes.Value {
			return mode
		}
		if mode == flops.RecomputeSelective && run.Execution.Attention == flops.FusedAttention {
			return mode
		}
	}
	return flops.RecomputeFull
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
