package flops

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// Convention names a way of counting FLOPs. Counts under different conventions must never be
// compared.
type Convention string

const (
	MatmulConvention Convention = "matmul" // the default
	// matmul with the masked half of decoder self-attention left out
	CausalConvention   Convention = "causal"
	HardwareConvention Convention = "hardware" // matmul plus what recompute repeats
	// hardware plus softmax, norms, activations, biases, residuals
	VectorConvention Convention = "vector"
	SixND            Convention = "6nd"      // 6 FLOPs per active parameter and token
	Megatron         Convention = "megatron" // what the Megatron-LM trainer logs
	MeshTF           Convention = "mesh-tf"  // the "#TFlops" column of Tay et al. 2021, reconstructed
)

// Conventions lists every convention, the default first.
func Conventions() []Convention {
	return []Convention{
		MatmulConvention, CausalConvention, HardwareConvention, VectorConvention,
		SixND, Megatron, MeshTF,
	}
}

// ParseConvention returns the named convention, or an error that names all.
func ParseConvention(name string) (Convention, error) {
	var valid []string
	for _, c := range Conventions() {
		if strings.EqualFold(name, string(c)) {
			return c, nil
		}
		valid = append(valid, string(c))
	}
	return "", fmt.Errorf("unknown FLOPs convention: %q; allowed: %s", name,
		strings.Join(valid, ", "))
}

// Meaning says in one sentence what the convention counts and why it differs from matmul.
func (c Convention) Meaning() string { return meanings[c] }

var meanings = map[Convention]string{
	MatmulConvention:   "every matrix product of the layers and the head at 2 FLOPs a multiply-add, backward twice the forward; look-ups and vector work are not counted, so this is the numerator of MFU",
	CausalConvention:   "matmul, less half of the decoder's self-attention scores and values, which a causal kernel skips",
	HardwareConvention: "matmul, plus the forward work that the chosen recompute repeats in the backward pass: the numerator of HFU",
	VectorConvention:   "hardware, plus softmax, norms, activations, biases and residual adds at Clark et al. 2020's price per element; no matrix unit runs these, so they are never part of MFU",
	SixND:              "6·N·D with N the active parameters, embeddings included, and D the positions of both stacks: charges every token for both stacks and for the embedding, and leaves the attention core out",
	Megatron:           "what Megatron-LM logs: one stack of decoder layers over one sequence length; on an encoder-decoder it counts the encoder alone, as if it carried the logits, and no cross-attention, so it is wrong there",
	MeshTF:             "multiply-accumulates (not doubled) of one forward pass, with embedding look-ups counted as one-hot products; a reconstruction of the #TFlops column of Tay et al. 2021 that explains 12 of 14 rows to 1.3 % RMS but not T5-XL and T5-XXL",
}

// Count is the cost of one training step under a convention.
type Count struct {
	Convention Convention
	Forward    float64
	Backward   float64 // 0 in mesh-tf, which has none
	Step       float64 // Forward + Backward
}

// CountUnder returns the FLOPs of one training step of a valid shape on a valid workload under a
// convention. The recompute mode matters to hardware and vector only; what it repeats is part of
// Backward.
//
// It panics on a convention that [ParseConvention] would refuse.
func CountUnder(c Convention, s *shapes.Shape, w Workload, r Recompute) Count {
	forward := Forward(s, w)
	switch c {
	case MatmulConvention:
		return step(c, forward, 2*forward)
	case CausalConvention:
		forward -= causalSaving(s, w)
		return step(c, forward, 2*forward)
	case HardwareConvention:
		return step(c, forward, 2*forward+recomputed(s, w, r))
	case VectorConvention:
		ledger := NewLedger(s, w)
		vector := ledger.vector()
		return step(c, forward+vector, 2*(forward+vector)+recomputed(s, w,
			r)+ledger.recomputedVector(r))
	case SixND:
		nd := float64(CountParameters(s).Active) * float64(w.Tokens(s))
		return step(c, 2*nd, 4*nd)
	case Megatron:
		forward = megatronForward(s, w)
		return step(c, forward, 2*forward)
	case MeshTF:
		return step(c, forward/2+w.oneHot(s), 0)
	}
	panic(fmt.Sprintf("flops: unknown convention %q", c))
}

func step(c Convention, forward, backward float64) Count {
	return Count{Convention: c, Forward: forward, Backward: backward, Step: forward + backward}
}

// recomputed returns the matrix-product FLOPs that a recompute mode repeats in one backward pass:
// none, the attention cores, or all layers.
func recomputed(s *shapes.Shape, w Workload, r Recompute) float64 {
	switch r {
	case RecomputeSelective:
		return CoreForward(s, w)
	case RecomputeFull:
		return layersForward(s, w)
	default:
		return 0
	}
}

func (l Ledger) recomputedVector(r Recompute) float64 {
	return l.sum(func(o *Op) float64 {
		if r == RecomputeFull && o.InLayer || r == RecomputeSelective && o.Core {
			return float64(o.Layers) * o.Vector
		}
		return 0
	})
}

// oneHot returns the multiply-accumulates of looking tokens up as products with one-hot vectors: one
// for each entry of a stack's table and each of its positions.
func (w Workload) oneHot(s *shapes.Shape) float64 {
	n := 0.0
	if s.SharesTable(&s.Encoder) {
		n += float64(w.EncoderTokens(s)) * float64(s.Vocab) * float64(s.TableWidth())
	} else {
		n += float64(w.EncoderTokens(s)) * float64(sourceTable(s))
	}
	if s.SharesTable(&s.Decoder) {
		n += float64(w.DecoderTokens(s)) * float64(s.Vocab) * float64(s.TableWidth())
	}
	return n
}

// megatronForward returns a third of the step FLOPs that Megatron-LM logs:
//
//	4·B·S·L·d²·((1 + kv_heads/heads + S/d)·i/d + g/2·f/d·active) + 2·B·S·d·V
//
// (NVIDIA, Megatron-LM, megatron/training/training.py, num_floating_point_operations, before hybrid
// models were added). With an encoder, L and S are the encoder's.
func megatronForward(s *shapes.Shape, w Workload) float64 {
	k, length := &s.Encoder, w.EncoderLength
	if k.Layers == 0 {
		k, length = &s.Decoder, w.DecoderLength
	}
	d, i, n := float64(s.DModel), float64(k.Inner()), float64(length)
	tokens := float64(w.Batch) * n
	visits := float64(max(1, k.ActiveExperts))
	attention := (1 + float64(k.KVHeads)/float64(k.Heads) + n/d) * i / d
	ffn := float64(k.FFNMatrices()) / 2 * float64(k.DFF) / d * visits
	return 4*tokens*float64(k.Layers)*d*d*(attention+ffn) + 2*tokens*d*float64(s.Vocab)
}
