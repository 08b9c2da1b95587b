package flops

import "github.com/deepnarrow/deepnarrow/shapes"

// DecodingMemory returns the bytes of generating DecoderLength positions for every sequence of the
// batch at once, on the device that needs most:
//
//	weights + self cache 2·b·Sd·k·DL + cross cache 2·b·Se·k·DL + logits b·⌈V/TP⌉·(compute + 4 + 4) + workspace
//
// where a windowed layer caches its window, and latent attention its compressed vector once on every
// device ([CacheBytes]),
// weights of the layers as [Tuning] stores them, adapters merged,
// with b = ⌈B/DP⌉ sequences, caches in the compute precision and divided by the smaller of TP and
// kv_heads, layers of the worst pipeline stage. Weights are kept in the working precision only, or quantised.
// Peak and Phases[ForwardEnd] are the state at the last position; the other phases are empty, and
// so is StaticBytes but for weights and workspace.
//
// MicroBatch, Accumulate, Interleave, ZeRO, Optimizer, Recompute and Dropout do not matter. Errors
// are those of [TrainingMemory]; a shape without decoder is refused.
//
// Not modelled: the activations of the encoder and of a prompt (they are gone when the last
// position is generated), paged or quantised caches, beams (count each as a sequence).
//
// Source: Shazeer 2019 (arXiv 1911.02150, section 2.4) for the caches and their division by shared
// keys.
func DecodingMemory(s *shapes.Shape, w Workload, x Execution, l Layout) (Memory, error) {
	l = Layout{DP: l.DP, TP: l.TP, PP: l.PP}
	// Adapters are merged into the weights, which nothing trains.
	x.Tuning = Tuning{Stored: x.Tuning.Stored, Frozen: EncoderPart | DecoderPart | EmbeddingPart | headPart}
	padded := w
	dp := max(1, l.DP)
	padded.Batch = (w.Batch + dp - 1) / dp * dp
	if err := validateMemory(s, padded, &x, l); err != nil {
		return Memory{}, err
	}
	if s.Decoder.Layers == 0 {
		var faults shapes.Faults
		faults.Add("decoder.layers", 0, "at least 1, as only a decoder generates")
		return Memory{}, faults.Invalid(s.Name, "decoding")
	}
	return worstStage(s, w, &x, l.For(padded), true), nil
}

func (st *stage) decoding() Memory {
	m := Memory{Stage: st.index}
	var largest float64
	m.Layers, _, _ = st.layerStatic()
	m.Outside = st.outsideStatic(&largest)
	for _, part := range [...]*Static{&m.Layers, &m.Outside} {
		part.Trained, part.Gradients, part.Master, part.Optimizer = 0, 0, 0, 0
	}
	d := &st.decoder
	layers, windowed := float64(st.decoderSpan.layers), float64(st.decoderSpan.windowed)
	batch := float64(st.layout.MicroBatch)
	length := d.dims[tokens] / batch
	position := d.cachedBytes()
	held := Footprint{
		WeightBytes: m.Layers.Weights + m.Outside.Weights,
		SelfCacheBytes: position * batch * ((layers-windowed)*length +
			windowed*min(length, float64(d.stack.Window))),
		LogitBytes:     st.logits() / length,
		WorkspaceBytes: st.exec.WorkspaceBytes,
	}
	if d.cross {
		held[CrossCacheBytes] = position * layers * d.dims[keys]
	}
	m.StaticBytes = held[WeightBytes] + held[WorkspaceBytes]
	m.Phases[ForwardEnd], m.Peak, m.PeakBytes = held, held, held.total()
	return m
}

// cachedBytes returns the bytes that one layer of a device caches for one position.
func (m *stackModel) cachedBytes() float64 {
	if m.stack.Latent != (shapes.Latent{}) {
		return m.element[computeWidth] * m.dims[cached]
	}
	return 2 * m.element[computeWidth] * m.local(kvInner, byKV)
}

// CacheBytes returns what generation keeps for one sequence of decoder positions, in bytes:
// the keys and values of every layer, or of its window, or the vector they are made of with latent
// attention; at that many bytes an element, on one device. The keys and values of an encoder's output
// are apart: cross of them for each of its positions.
//
// Source: Shazeer 2019 (arXiv 1911.02150, section 2.4); DeepSeek-AI 2024 (arXiv 2405.04434, table 1)
// for latent attention.
func CacheBytes(s *shapes.Shape, positions int, element float64) (self, cross float64) {
	k := &s.Decoder
	width := element * float64(k.CachedWidth())
	windowed := k.WindowedBefore(k.Layers)
	self = width * (float64(k.Layers-windowed)*float64(positions) +
		float64(windowed)*float64(min(positions, k.Window)))
	if s.CrossAttention() {
		cross = width * float64(k.Layers)
	}
	return self, cross
}
