package flops

import (
	"math"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// Execution is the numeric and kernel side of a training step: nothing in it changes what the model
// computes but for rounding, all of it changes how many bytes the step holds. The zero value is a
// common default: bfloat16 with float32 master weights, Adam, no recompute, fused attention, no
// dropout, no workspace, everything trained.
type Execution struct {
	Precision Precision
	// bytes of a gradient element where they differ from the precision's, e.g. 2; 0 = the
	// precision's
	GradientBytes int
	Optimizer     Optimizer
	Recompute     Recompute
	Attention     Attention
	Dropout       bool // masks are saved, one byte per element
	Tuning        Tuning

	// NativeLogits computes the loss in the compute precision. By default the logits are copied to
	// float32 and the softmax is saved in float32.
	NativeLogits bool

	// WorkspaceBytes is what libraries hold besides tensors: matrix-product workspaces, allocator
	// rounding. It belongs to the machine and its software, see [TorchWorkspaceBytes]; 0 = none.
	WorkspaceBytes float64
}

// TorchWorkspaceBytes is a workspace for PyTorch on A100 and H100, 112 MiB: the constant with the
// smallest largest miss (2.9 %) over the static bytes of 28 Megatron-LM T5 runs. They exceed the
// bytes of their tensors by 86 to 183 MB, and by 264 MB for a run of 11B parameters. Known causes:
// cuBLAS holds 8 MiB (A100) or 32 MiB (H100) per handle, and the forward and the backward thread
// have one each; the caching allocator leaves up to 1 MiB of a large block unused (2 to 57 MB over
// those runs by simulation).
//
// Source: golden memory values of NVIDIA/Megatron-LM, tests/functional_tests/test_cases/t5, less 18
// bytes a parameter.
const TorchWorkspaceBytes = 112 << 20

// Precision names the number formats of a training step.
type Precision uint8

const (
	// bfloat16 weights and activations; float32 gradients, master weights and states
	BF16Mixed Precision = iota
	FP16Mixed           // the same with float16
	FP32                // everything float32
	PureBF16            // everything bfloat16, optimizer states too; no master weights
	// the layers' products in float8, everything else as in BF16Mixed: casts are made for each
	// product
	FP8Mixed
)

// PrecisionBytes is the size of one element of each kind of tensor, in bytes.
type PrecisionBytes struct {
	Weight   int // working copy, read by forward and backward
	Gradient int // accumulated gradient
	Master   int // copy the optimizer updates; 0 where it updates the working copy
	Compute  int // activations
	State    int // optimizer state, unless the optimizer sets its own
}

// Bytes returns the element sizes of a precision. The mixed ones accumulate gradients in float32 as
// Megatron-LM does, so that weights, gradients, master weights and Adam's two states take 2+4+4+4+4
// = 18 bytes a parameter. Accumulating in 2 bytes instead ([Execution.GradientBytes]) gives the 16
// of Rajbhandari et al. 2020 (arXiv 1910.02054, section 3.1).
//
// Not modelled: copies of weights and activations in float8 that a library keeps, and their scales.
func (p Precision) Bytes() PrecisionBytes {
	switch p {
	case FP32:
		return PrecisionBytes{Weight: 4, Gradient: 4, Compute: 4, State: 4}
	case PureBF16:
		return PrecisionBytes{Weight: 2, Gradient: 2, Compute: 2, State: 2}
	default:
		return PrecisionBytes{Weight: 2, Gradient: 4, Master: 4, Compute: 2, State: 4}
	}
}

// Attention says whether the scores of attention are kept.
type Attention uint8

const (
	// scores live in on-chip memory; one float32 log-sum-exp per query and head is saved (Dao et
	// al. 2022, arXiv 2205.14135, section 3.1)
	FusedAttention   Attention = iota
	UnfusedAttention           // softmax output, dropout mask and dropped-out copy are saved
)

// bytes returns the element sizes of the execution.
func (x *Execution) bytes() PrecisionBytes {
	b := x.Precision.Bytes()
	if x.GradientBytes != 0 {
		b.Gradient = x.GradientBytes
	}
	return b
}

// Validate returns nil or an [*shapes.InvalidError] that lists every fault.
func (x *Execution) Validate() error {
	var faults shapes.Faults
	for _, c := range [...]struct {
		field string
		value uint8
		names []string
	}{
		{"precision", uint8(x.Precision), precisionNames},
		{"optimizer", uint8(x.Optimizer), optimizerNames},
		{"recompute", uint8(x.Recompute), recomputeNames},
		{"attention", uint8(x.Attention), attentionNames},
	} {
		if int(c.value) >= len(c.names) {
			faults.Add(c.field, shapes.WordOf(c.names, c.value), strings.Join(c.names, ", "))
		}
	}
	if x.GradientBytes != 0 && x.GradientBytes != 2 && x.GradientBytes != 4 {
		faults.Add("gradient_bytes", x.GradientBytes, "0 (the precision's), 2 or 4")
	}
	if !(x.WorkspaceBytes >= 0) || math.IsInf(x.WorkspaceBytes, 0) {
		faults.Add("workspace_bytes", x.WorkspaceBytes, "0 or more")
	}
	return faults.Invalid("", "execution")
}
