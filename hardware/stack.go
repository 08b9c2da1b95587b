package hardware

import (
	"regexp"
	"slices"
)

// A stack is the software that drives a step: a trainer, or the kind of trainers that it belongs
// to. Trainers of a kind share an effect on the time, and each has its own beside it.
var stacks = []struct {
	name, kind string
	words      *regexp.Regexp // by which sources name it
}{
	{"nemo", "megatron", regexp.MustCompile(`(?i)nemo\b|nemo[-_]|megatron-bridge`)},
	{"megatron", "megatron", regexp.MustCompile(`(?i)megatron|bigscience`)},
	{"llm-foundry", "fsdp", regexp.MustCompile(`(?i)llm-foundry`)},
	{"torchtitan", "fsdp", regexp.MustCompile(`(?i)torchtitan`)},
	{"fms-fsdp", "fsdp", regexp.MustCompile(`(?i)fms-fsdp`)},
	{"lit-gpt", "fsdp", regexp.MustCompile(`(?i)tinyllama|lit-?gpt`)},
	{"kempnerforge", "fsdp", regexp.MustCompile(`(?i)kempnerforge`)},
	{"t5x", "jax", regexp.MustCompile(`(?i)t5x|t5_pile`)},
	{"maxtext", "jax", regexp.MustCompile(`(?i)maxtext|tpu-recipes`)},
	{"neuron", "neuron", regexp.MustCompile(`(?i)neuron`)},
	{"llm.c", "native", regexp.MustCompile(`(?i)\bllm\.c\b|modded-nanogpt`)},
	{"deepspeed", "deepspeed", regexp.MustCompile(`(?i)deepspeed`)},
	{"fsdp", "fsdp", regexp.MustCompile(`(?i)\b[FH]SDP2?\b`)},
	{"huggingface", "pytorch", regexp.MustCompile(`(?i)optimum|\btransformers\b|huggingface/|hugging face`)},
	{"pytorch", "pytorch", regexp.MustCompile(`(?i)pytorch|torch|nanoT5|nanoGPT`)},
	{"jax", "jax", regexp.MustCompile(`(?i)\bjax\b|\bxla\b|\bpax(ml)?\b|flax`)},
	{"engine", "engine", regexp.MustCompile(`(?i)fastertransformer|tensorrt|vllm|sglang|ctranslate|faster-whisper|marian|onnx`)},
	{"native", "native", nil},
}

// Stacks lists the software stacks that the step-time model knows, in alphabetical order.
func Stacks() []string {
	var names []string
	for _, s := range stacks {
		names = append(names, s.name)
	}
	slices.Sort(names)
	return names
}

// StackKind returns the kind of trainers that a stack belongs to, empty for an unknown one.
func StackKind(name string) string {
	for _, s := range stacks {
		if s.name == name {
			return s.kind
		}
	}
	return ""
}

// StackOf returns the stack that a text names, empty where it names none.
func StackOf(text string) string {
	for _, s := range stacks {
		if s.words != nil && s.words.MatchString(text) {
			return s.name
		}
	}
	return ""
}

// newKernels says whether a stack takes attention kernels written for Hopper's asynchronous matrix
// units: Transformer Engine does, and PyTorch from version 2.5 (cuDNN).
func newKernels(stack string) bool { return stack == "nemo" || stack == "torchtitan" }

// compiles says of a kind of stack whether it runs a step as one compiled graph, or with kernels fused
// by hand and launched ahead of time; of the others that is up to the device's frameworks.
var compiles = map[string]bool{
	"native": true, "jax": true, "neuron": true, "pytorch": false, "fsdp": false, "deepspeed": false,
}
