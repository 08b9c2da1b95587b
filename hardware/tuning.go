package hardware

import (
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// backward is what the backward pass of a product computes, in passes as long as the forward one:
// the gradient of its input, and that of its weights.
type backward struct{ data, weights float64 }

// all is the backward pass of training all of a model.
var all = backward{1, backwardPasses - 1}

// backwardOf returns what the backward pass of a stack's layers computes under the tuning.
func (s *Machine) backwardOf(sh *shapes.Shape, decoder bool) backward {
	t := &s.exec.Tuning
	if *t == (flops.Tuning{}) {
		return all
	}
	var b backward
	part := flops.EncoderPart
	flows, through := t.Flows(sh)
	if decoder {
		part, flows = flops.DecoderPart, through
	}
	if flows {
		b.data = all.data
	}
	if t.Trains(part) {
		b.weights = all.weights
	}
	return b
}

// headBackward is backwardOf the head and the embeddings.
func (s *Machine) headBackward(sh *shapes.Shape) float64 {
	t := &s.exec.Tuning
	passes := all.data + all.weights
	if t.Rank > 0 || sh.Head != shapes.HeadUntied && !t.Trains(flops.EmbeddingPart) {
		passes -= all.weights
	}
	return passes
}

// adapt adds to the sublayers of one layer what adapters cost in a forward pass, two narrow products
// beside each matrix, and what unpacking quantised matrices moves: their bytes read, and an element
// of the working precision written for each.
//
// Not modelled: the drop-out of adapters, and the sum that adds their output.
func (s *Machine) adapt(cost *layerCost, sh *shapes.Shape, k *shapes.Stack, w slice, decoder,
	sparse bool,
) {
	t := &s.exec.Tuning
	if t.Rank == 0 {
		return
	}
	part, d := flops.EncoderPart, sh.WidthOf(k)
	if decoder {
		part = flops.DecoderPart
	}
	add := func(p *sublayer, target flops.Targets, count, rows, in, out int) {
		if t.Stored != flops.Whole {
			packed := t.Stored.Bytes(float64(in), float64(out), s.weight)
			p.unpacked += float64(count) * (packed + s.compute*float64(in)*float64(out))
			p.kernels += unpackKernels
		}
		if t.Adapts(part, target) {
			p.adapted += s.expertProducts(count, rows, t.Rank, in) + s.expertProducts(count, rows,
				out, t.Rank)
			p.kernels += adapterKernels
		}
	}
	tokens := ceilDiv(w.batch*w.length, s.contexts)
	inner, kv := ceilDiv(k.Inner(), w.tp), k.KVInner()/k.KVSplit(w.tp)
	attention := func(p *sublayer, from, sources int) {
		add(p, flops.TargetQueries, 1, tokens, d, inner)
		add(p, flops.TargetKeys, 1, sources, from, kv)
		add(p, flops.TargetValues, 1, sources, from, kv)
		add(p, flops.TargetOutput, 1, tokens, inner, d)
	}
	attention(&cost[0], d, tokens)
	if decoder && sh.CrossAttention() {
		attention(&cost[1], sh.WidthOf(&sh.Encoder), ceilDiv(w.batch*w.sources, s.contexts))
	}
	count, rows, ff := 1, tokens, ceilDiv(k.DFF, w.tp)
	if sparse {
		count, ff = max(1, k.Experts/s.experts), ceilDiv(k.ExpertInner(), w.tp)
		rows = max(1, ceilDiv(tokens*k.ActiveExperts, count))
	}
	for range k.FFNMatrices() - 1 {
		add(&cost[2], flops.TargetFFN, count, rows, d, ff)
	}
	add(&cost[2], flops.TargetFFN, count, rows, ff, d)
}

// Kernels of an adapter in one forward pass (two products, a scaling and a sum), and of unpacking
// one matrix.
const (
	adapterKernels = 4
	unpackKernels  = 1
)

// trainedShare returns the parameters that one device has gradients of, and the bytes of the working
// weights that it reads besides, before ZeRO splits them; stages taken as equal.
func (s *Machine) trainedShare(sh *shapes.Shape, params float64) (trained, frozen float64) {
	t := &s.exec.Tuning
	if *t == (flops.Tuning{}) {
		return params, 0
	}
	whole := float64(flops.CountParameters(sh).Total)
	trained = params * float64(flops.TrainedParameters(sh, t)) / whole
	share := 1.0
	if t.Rank == 0 {
		share -= trained / params
	}
	return trained, share * params * storedBytes(t.Stored, s.weight)
}

// storedBytes returns the bytes of an element of a matrix of usual size, whose constants belong to
// an output or to a block.
func storedBytes(stored flops.Storage, width float64) float64 {
	const side = 1 << 12
	return stored.Bytes(side, side, width) / (side * side)
}
