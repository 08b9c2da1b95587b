package flops

import (
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// Layout spreads a training step over devices. Zero fields mean: one device along that axis, one
// pipeline chunk a device, and micro-batch and accumulation as the batch leaves them (see
// [Layout.For]).
type Layout struct {
	DP int // data-parallel copies
	TP int // devices that share each matrix
	PP int // pipeline stages
	// 0 nothing, 1 optimizer state and master weights, 2 also gradients, 3 also weights are split
	// over DP (Rajbhandari et al. 2020, arXiv 1910.02054)
	ZeRO int

	MicroBatch int // sequences in one pass through one copy
	Accumulate int // passes per step and copy
	Interleave int // chunks of layers per pipeline stage, v; of no effect without stages

	// the tensors between matrix products are split over TP along the sequence (Korthikanti et al.
	// 2022, arXiv 2205.05198, section 4.2.2)
	SequenceParallel bool
}

// Devices returns DP·TP·PP.
func (l Layout) Devices() int { return max(1, l.DP) * max(1, l.TP) * max(1, l.PP) }

// For returns the layout with its zero fields filled for a global batch: one device per unset axis;
// then MicroBatch = B/(DP·Accumulate), Accumulate = B/(DP·MicroBatch), and if neither is set one
// pass over B/DP sequences.
func (l Layout) For(w Workload) Layout {
	l.DP, l.TP, l.PP, l.Interleave = max(1, l.DP), max(1, l.TP), max(1, l.PP), max(1, l.Interleave)
	if l.PP == 1 {
		l.Interleave = 1
	}
	switch {
	case l.MicroBatch == 0 && l.Accumulate == 0:
		l.MicroBatch, l.Accumulate = w.Batch/l.DP, 1
	case l.MicroBatch == 0:
		l.MicroBatch = w.Batch / l.DP / l.Accumulate
	case l.Accumulate == 0:
		l.Accumulate = w.Batch / l.DP / l.MicroBatch
	}
	return l
}

// maxAxis bounds each axis of a layout: far above any cluster, small enough that every product of
// the axes fits an int.
const maxAxis = 1 << 20

// Validate returns nil or an [*shapes.InvalidError] that lists everything that keeps a valid shape
// on a valid workload from being laid out so.
func (l Layout) Validate(s *shapes.Shape, w Workload) error {
	c := layoutCheck{shape: s}
	for _, axis := range [...]struct {
		name string
		v    int
	}{
		{"dp", l.DP},
		{"tp", l.TP},
		{"pp", l.PP},
		{"micro_batch", l.MicroBatch},
		{"accumulate", l.Accumulate},
		{"interleave", l.Interleave},
	} {
		if axis.v < 0 || axis.v > maxAxis {
			c.fault(axis.name, axis.v, "0 (default) to %d", maxAxis)
		}
	}
	if l.ZeRO < 0 || l.ZeRO > 3 {
		c.fault("zero", l.ZeRO, "0 to 3")
	}
	if len(c.faults) == 0 {
		c.batch(l, w)
		l = l.For(w)
		c.tensorParallel(l, w)
		c.pipeline(l)
	}
	return c.faults.Invalid(s.Name, "layout")
}

type layoutCheck struct {
	shape  *shapes.Shape
	faults shapes.Faults
}

func (c *layoutCheck) fault(field string, value any, allowed string, args ...any) {
	c.faults.Add(field, value, fmt.Sprintf(allowed, args...))
}

func (c *layoutCheck) batch(l Layout, w Workload) {
	unit := max(1, l.DP) * max(1, l.MicroBatch) * max(1, l.Accumulate)
	switch {
	case w.Batch%unit != 0 || w.Batch < unit:
		c.fault("batch", w.Batch, "a multiple of dp × micro_batch × accumulate = %d, such as %d",
			unit, max(unit, w.Batch/unit*unit))
	case l.MicroBatch != 0 && l.Accumulate != 0 && w.Batch != unit:
		c.fault("dp × micro_batch × accumulate", unit,
			"the batch (%d); leave micro_batch or accumulate at 0 to have it worked out", w.Batch)
	}
}

func (c *layoutCheck) tensorParallel(l Layout, w Workload) {
	for _, part := range [...]struct {
		name   string
		stack  *shapes.Stack
		length int
	}{
		{"encoder", &c.shape.Encoder, w.EncoderLength},
		{"decoder", &c.shape.Decoder, w.DecoderLength},
	} {
		k := part.stack
		if k.Layers == 0 {
			continue
		}
		if k.Heads%l.TP != 0 {
			c.fault("tp", l.TP, "a divisor of %s.heads (%d)", part.name, k.Heads)
		}
		if k.DFF%l.TP != 0 {
			c.fault("tp", l.TP, "a divisor of %s.d_ff (%d)", part.name, k.DFF)
		}
		if k.KVHeads%l.TP != 0 && l.TP%k.KVHeads != 0 {
			c.fault("tp", l.TP, "a divisor or a multiple of %s.kv_heads (%d)", part.name, k.KVHeads)
		}
		if l.SequenceParallel && part.length%l.TP != 0 {
			c.fault(part.name+"_length", part.length,
				"a multiple of tp (%d) with sequence parallelism", l.TP)
		}
	}
}

func (c *layoutCheck) pipeline(l Layout) {
	s := c.shape
	layers := s.Encoder.Layers + s.Decoder.Layers
	if l.PP > layers {
		c.fault("pp", l.PP, "at most one stage per layer (%d)", layers)
	}
	if l.Interleave == 1 {
		return
	}
	switch {
	case s.CrossAttention():
		c.fault("interleave", l.Interleave, "1 for an encoder-decoder: its stages are not alike")
	case layers%(l.PP*l.Interleave) != 0:
		c.fault("interleave", l.Interleave,
			"a value with layers (%d) a multiple of pp × interleave", layers)
	case l.Accumulate%l.PP != 0:
		c.fault("accumulate", l.Accumulate, "a multiple of pp (%d) when interleaved", l.PP)
	}
}

// encoderStages returns how many pipeline stages the encoder of an encoder-decoder takes: a share
// of PP in proportion to its layers, at least one and at most one per layer, and the same for the
// decoder. A stage holds layers of one stack only, as with Megatron-LM's pipeline split rank; with
// PP = 1 the one stage holds both.
func (l Layout) encoderStages(s *shapes.Shape) int {
	el, dl := s.Encoder.Layers, s.Decoder.Layers
	if dl == 0 || el == 0 {
		return l.PP * min(1, el)
	}
	share := int(math.Round(float64(l.PP) * float64(el) / float64(el+dl)))
	low, high := max(1, l.PP-dl), min(el, l.PP-1)
	return min(max(share, low), high)
}

// span is the part of a stack that one pipeline stage holds.
type span struct {
	layers, sparse int
	windowed       int  // layers with a window
	first, last    bool // holds the stack's first or last layer
}

// spans returns what stage r holds of the encoder and of the decoder of a shape. Layers that do not
// divide evenly go to the earlier stages.
func (l Layout) spans(s *shapes.Shape, r int) (encoder, decoder span) {
	if l.PP == 1 {
		return whole(&s.Encoder), whole(&s.Decoder)
	}
	if split := l.encoderStages(s); r < split {
		return l.span(&s.Encoder, r, split), span{}
	} else {
		return span{}, l.span(&s.Decoder, r-split, l.PP-split)
	}
}

func whole(k *shapes.Stack) span {
	present := k.Layers > 0
	return span{
		layers: k.Layers, sparse: k.SparseLayers(), windowed: k.WindowedBefore(k.Layers),
		first: present, last: present,
	}
}

func (l Layout) span(k *shapes.Stack, r, stages int) span {
	out := span{first: r == 0, last: r == stages-1}
	chunks := stages * l.Interleave
	for chunk := r; chunk < chunks; chunk += stages {
		from, to := share(k.Layers, chunks, chunk), share(k.Layers, chunks, chunk+1)
		out.layers += to - from
		out.sparse += k.SparseBefore(to) - k.SparseBefore(from)
		out.windowed += k.WindowedBefore(to) - k.WindowedBefore(from)
	}
	return out
}

// share returns how many of n items lie before part r of parts, the remainder going to the first
// parts.
func share(n, parts, r int) int { return n/parts*r + min(r, n%parts) }

// inFlight returns how many micro-batches' activations stage r holds at once, under one forward,
// one backward: PP − r, or with v interleaved chunks (2(PP−r−1) + (v−1)·PP + 1)/v, which is PP·(1 +
// (PP−1)/(PP·v)) on the first stage; never more than the step has.
//
// Source: Narayanan et al. 2021 (arXiv 2104.04473, section 2.2), Korthikanti et al. 2022 (arXiv
// 2205.05198, section 4.2.3).
func (l Layout) inFlight(r int) float64 {
	if l.Interleave == 1 {
		return float64(min(l.Accumulate, l.PP-r))
	}
	chunks := min(l.Accumulate*l.Interleave, 2*(l.PP-r-1)+(l.Interleave-1)*l.PP+1)
	return float64(chunks) / float64(l.Interleave)
}

// StageLayers returns how many layers of the encoder and of the decoder pipeline stage r holds, for
// a valid layout whose zero fields are filled ([Layout.For]). It does not allocate.
func (l Layout) StageLayers(s *shapes.Shape, r int) (encoder, decoder int) {
	e, d := l.spans(s, r)
	return e.layers, d.layers
}
