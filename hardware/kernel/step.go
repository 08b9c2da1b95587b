package kernel

import (
	"fmt"
)

// Result is what a step found out.
type Result struct {
	Loss         float64 // mean over the targets that count, in nats, z-loss included
	NLL          float64 // without the z-loss
	GradientNorm float64 // root of the sum of squares over all gradients; 0 without a backward pass
	MatmulFLOPs  int64   // executed in matrix products, a multiply-add counted as 2
}

// Step trains on one batch: forward, backward, and one move of the optimizer at the given rate,
// which is relative to the size of each tensor under Adafactor. Nothing is allocated.
//
// Errors: a [*BatchError], or a [*NonFiniteError]; both leave weights and optimizer as they were.
func (m *Model) Step(b *Batch, rate float64) (Result, error) {
	r, err := m.differentiate(b)
	if err != nil {
		return r, err
	}
	m.steps++
	if m.adafactor != nil {
		m.adafactor.Step(m.steps, rate, m.weights, m.gradients, m.each)
	} else {
		m.adam.Step(m.steps, rate, m.weights, m.gradients, 1, m.each)
	}
	return r, nil
}

// Evaluate returns the loss of one batch and changes nothing. Errors are those of [Model.Step].
func (m *Model) Evaluate(b *Batch) (Result, error) {
	m.resetFLOPs()
	if err := m.feed.load(b, m.shape.Vocab, m.options.DecoderLength); err != nil {
		return Result{}, err
	}
	return m.forward()
}

// Steps returns how many steps the optimizer has taken.
func (m *Model) Steps() int { return m.steps }

// differentiate leaves the gradients of one batch.
func (m *Model) differentiate(b *Batch) (Result, error) {
	r, err := m.Evaluate(b)
	if err != nil {
		return r, err
	}
	play(m.program.backward, false)
	r.MatmulFLOPs = m.matmulFLOPs()
	r.GradientNorm = m.norm.value()
	if !finite(r.GradientNorm) {
		return r, m.find(true)
	}
	return r, nil
}

func (m *Model) forward() (Result, error) {
	play(m.program.forward, false)
	var r Result
	r.Loss, r.NLL = m.feed.loss()
	r.MatmulFLOPs = m.matmulFLOPs()
	if !finite(r.Loss) {
		return r, m.find(false)
	}
	return r, nil
}

func (m *Model) resetFLOPs() {
	m.engine.FLOPs = 0
	for _, e := range m.core {
		e.FLOPs = 0
	}
}

func (m *Model) matmulFLOPs() int64 {
	sum := m.engine.FLOPs
	for _, e := range m.core {
		sum += e.FLOPs
	}
	return sum
}

// find returns where the first value that is not finite stands: among the gradients, or among
// weights, then activations in the order of the forward pass, then the loss itself.
func (m *Model) find(gradients bool) error {
	for n := range m.Tensors {
		t := &m.Tensors[n]
		data, label := t.Values, "weight "+t.Name
		if gradients {
			data, label = t.Gradient, "gradient of "+t.Name
		}
		if at := m.vec.NonFinite(data); at >= 0 {
			return &NonFiniteError{Where: label, Index: at}
		}
	}
	if gradients {
		return &NonFiniteError{Where: "norm of the gradient"}
	}
	for _, s := range []*stack{&m.encoder, &m.decoder} {
		for n := range s.saved.layers {
			if at := m.vec.NonFinite(s.saved.layers[n].input); at >= 0 {
				return &NonFiniteError{Where: fmt.Sprintf("input of %s layer %d", s.name, n), Index: at}
			}
		}
		if at := m.vec.NonFinite(s.saved.output); at >= 0 {
			return &NonFiniteError{Where: "output of the " + s.name, Index: at}
		}
	}
	return &NonFiniteError{Where: "loss"}
}
