package flops

import (
	"math"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// MemoryPart is a kind of bytes that a device holds.
type MemoryPart uint8

const (
	WeightBytes     MemoryPart = iota // working copy
	GradientBytes                     // accumulated over micro-batches
	MasterBytes                       // copy that the optimizer updates
	OptimizerBytes                    // moments
	ActivationBytes                   // saved inside the layers for the backward pass
	// saved outside the layers: embedding masks, position bias, encoder output, input of the head
	BoundaryBytes
	LogitBytes // logits, their float32 copy and softmax
	// one layer recomputed and its gradients, or one tensor's update
	WorkingBytes
	SelfCacheBytes  // keys and values of generated positions
	CrossCacheBytes // keys and values of the encoder output
	// gathered weights and activations, gradients about to be reduced
	CollectiveBytes
	WorkspaceBytes // libraries and allocator
	memoryParts
)

var memoryPartNames = []string{
	"weights", "gradients", "master_weights", "optimizer_state",
	"activations", "boundary_activations", "logits", "working",
	"self_kv_cache", "cross_kv_cache", "collective_buffers", "workspace",
}

// String returns the name used in tables and JSON, e.g. "optimizer_state".
func (p MemoryPart) String() string {
	return shapes.WordOf(memoryPartNames, p)
}

// Footprint is what a device holds at one moment, by [MemoryPart].
type Footprint [memoryParts]float64

// total returns the sum of all parts.
func (b *Footprint) total() float64 {
	sum := 0.0
	for _, v := range b {
		sum += v
	}
	return sum
}

// Phase is a moment of a step at which memory may peak.
type Phase uint8

const (
	ForwardEnd Phase = iota // all activations and the loss
	// the last layer of a stack recomputed and differentiated; the logits are gone
	BackwardStart
	OptimizerStep // the activations are gone too
	phases
)

var phaseNames = []string{"forward_end", "backward_start", "optimizer_step"}

// String returns the name used in tables and JSON, e.g. "forward_end".
func (p Phase) String() string {
	return shapes.WordOf(phaseNames, p)
}

// Memory is the bytes of the device that needs most.
type Memory struct {
	Stage     int // its pipeline stage, from 0
	PeakPhase Phase
	PeakBytes float64
	Peak      Footprint         // at PeakPhase; sums to PeakBytes
	Phases    [phases]Footprint // every phase

	// StaticBytes is what stays between steps: weights, gradients, master weights, optimizer state
	// and workspace.
	StaticBytes float64
	Layers      Static // of StaticBytes, what belongs to the layers of the stack
	Outside     Static // and to embedding, positions, head and final norms
}

// Static is the bytes that parameters cost besides activations.
type Static struct {
	Parameters                            float64 // held by the device before ZeRO splits anything
	Trained                               float64 // of which have gradients
	Whole                                 float64 // bytes of the weights before ZeRO
	Weights, Gradients, Master, Optimizer float64 // bytes after ZeRO
}

// TrainingMemory returns the bytes of one training step on the device that needs most, which is on
// the worst pipeline stage.
//
// The peak is the largest of three moments:
//
//	end of forward   static + activations of all micro-batches in flight + logits
//	start of backward   static + the same activations, less a decoder's that are already consumed, + one layer recomputed + its gradients
//	optimizer step   static + one tensor's update
//
// to each of which the workspace and the buffers of collectives are added. Static bytes follow the
// element sizes of the [Precision] and the state of the [Optimizer]; ZeRO divides optimizer state
// and master weights (1), gradients (2) and weights (3) by DP. Tensor parallelism divides matrices
// and the activations between them by TP; norms, biases added after a reduction and position tables
// are held by all. Gradients, master weights and optimizer state are those of what the [Tuning]
// trains; a matrix that is kept quantised is unpacked for its product, one at a time. Activations are the sum of the tables of saved tensors in memory_saved.go.
//
// The shape must be valid. It does not allocate when the rest is too, and otherwise returns the
// [*shapes.InvalidError] of the workload, the execution or the layout.
//
// Not modelled: the inputs of frozen products, which need not be saved, and the few that adapters
// save besides; paged optimizer state; fragmentation beyond the workspace; row statistics of norms (8 bytes a position);
// attention masks; dropout inside the feed-forward; expert parallelism (experts are copied to all
// of DP); gradients that a framework frees between steps; offloading; the capacity factor of expert
// routing.
//
// Sources: Korthikanti et al. 2022 (arXiv 2205.05198, section 4); Rajbhandari et al. 2020 (arXiv
// 1910.02054, section 3).
func TrainingMemory(s *shapes.Shape, w Workload, x Execution, l Layout) (Memory, error) {
	if err := validateMemory(s, w, &x, l); err != nil {
		return Memory{}, err
	}
	if err := x.Tuning.Validate(s); err != nil {
		return Memory{}, err
	}
	return worstStage(s, w, &x, l.For(w), false), nil
}

func validateMemory(s *shapes.Shape, w Workload, x *Execution, l Layout) error {
	if err := w.Validate(s); err != nil {
		return err
	}
	if err := x.Validate(); err != nil {
		return err
	}
	return l.Validate(s, w)
}

// worstStage returns the memory of the stage that needs most, on checked input and a filled layout.
func worstStage(s *shapes.Shape, w Workload, x *Execution, l Layout, decoding bool) Memory {
	var worst Memory
	st := stage{
		shape: s, exec: x, layout: l,
		encoder: newStackModel(s, &s.Encoder, w.EncoderLength, w.EncoderLength, x, l),
		decoder: newStackModel(s, &s.Decoder, w.DecoderLength, w.EncoderLength, x, l),
	}
	for r := range l.PP {
		st.index, st.last = r, r == l.PP-1
		st.encoderSpan, st.decoderSpan = l.spans(s, r)
		var m Memory
		if decoding {
			m = st.decoding()
		} else {
			m = st.training()
		}
		if r == 0 || m.PeakBytes > worst.PeakBytes {
			worst = m
		}
	}
	return worst
}

// training returns the three phases of one stage.
func (st *stage) training() Memory {
	m := Memory{Stage: st.index}
	var layer, all tally
	m.Layers, layer, all = st.layerStatic()
	largest, unpacked := all.largest, st.encoder.element[computeWidth]*all.packed
	m.Outside = st.outsideStatic(&largest)
	static := Footprint{
		WeightBytes:    m.Layers.Weights + m.Outside.Weights,
		GradientBytes:  m.Layers.Gradients + m.Outside.Gradients,
		MasterBytes:    m.Layers.Master + m.Outside.Master,
		OptimizerBytes: m.Layers.Optimizer + m.Outside.Optimizer,
		WorkspaceBytes: st.exec.WorkspaceBytes,
	}
	m.StaticBytes = static.total()

	encoder, decoder := st.encoder.saved(st.encoderSpan), st.decoder.saved(st.decoderSpan)
	flight := st.layout.inFlight(st.index)
	forward := static
	forward[ActivationBytes] = flight * (encoder.layers + decoder.layers)
	forward[BoundaryBytes] = flight * st.boundary()
	forward[CollectiveBytes] = st.collectives(&layer, m.Layers, m.Outside)
	forward[WorkingBytes] = unpacked
	backward := forward
	forward[LogitBytes] = st.logits()

	// Backward reaches the encoder's last layer once one micro-batch's decoder activations are
	// consumed.
	if encoder.working-decoder.layers > decoder.working {
		backward[ActivationBytes] -= decoder.layers
		backward[WorkingBytes] += encoder.working
	} else {
		backward[WorkingBytes] += decoder.working
	}

	update := static
	update[CollectiveBytes] = 0
	update[WorkingBytes] = st.updateBytes(largest)

	m.Phases = [phases]Footprint{
		ForwardEnd: forward, BackwardStart: backward,
		OptimizerStep: update,
	}
	for p := range phases {
		if total := m.Phases[p].total(); p == 0 || total > m.PeakBytes {
			m.PeakPhase, m.PeakBytes = p, total
		}
	}
	m.Peak = m.Phases[m.PeakPhase]
	return m
}

func (st *stage) updateBytes(largest float64) float64 {
	n := updateElements(st.exec.Optimizer, largest)
	if st.layout.ZeRO >= 1 {
		n = math.Ceil(n / float64(st.layout.DP))
	}
	return floatBytes * n
}
