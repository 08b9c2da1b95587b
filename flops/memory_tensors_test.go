package flops

import "github.com/deepnarrow/deepnarrow/shapes"

// listedTensor is one row of the list that activation memory is the sum of.
type listedTensor struct {
	Block    string  // e.g. "encoder.self_attention"
	Name     string  // e.g. "softmax"
	Layers   int     // layers of the block; 1 for what is saved outside the layers
	Bytes    float64 // per layer, device and micro-batch
	Kept     bool    // under the execution's recompute mode
	Parallel string  // how tensor parallelism splits it: "tensor", "kv_heads", "sequence" (only with sequence parallelism)
}

var splitNames = [splitCount]string{
	copied: "copied", byTP: "tensor", byKV: "kv_heads",
	bySeq: "sequence",
}

// savedTensorsOf lists every tensor that one micro-batch of a training step saves for its backward
// pass, over all pipeline stages together, in the order of the forward pass. Tensors that the shape
// or the execution does not have are left out; those that recompute drops are listed with Kept
// false.
//
// Errors are those of [TrainingMemory].
func savedTensorsOf(s *shapes.Shape, w Workload, x Execution, l Layout) ([]listedTensor, error) {
	if err := validateMemory(s, w, &x, l); err != nil {
		return nil, err
	}
	l = l.For(w)
	encoder := newStackModel(s, &s.Encoder, w.EncoderLength, w.EncoderLength, &x, l)
	decoder := newStackModel(s, &s.Decoder, w.DecoderLength, w.EncoderLength, &x, l)
	out := []listedTensor{}
	if s.Encoder.Layers > 0 {
		out = encoder.list(out, "encoder")
	}
	if s.Decoder.Layers > 0 {
		out = decoder.list(out, "decoder")
	}
	switch {
	case s.Head == shapes.HeadNone:
	case s.Decoder.Layers > 0:
		out = decoder.listTable(out, "head", headInputSaved, 1)
	default:
		out = encoder.listTable(out, "head", headInputSaved, 1)
	}
	return out, nil
}

func (m *stackModel) list(out []listedTensor, stack string) []listedTensor {
	layers, sparse := m.stack.Layers, m.stack.SparseLayers()
	out = m.listTable(out, stack+".input", stackInputSaved, 1)
	out = m.listTable(out, stack+".positions", positionBiasSaved, 1)
	out = m.listTable(out, stack+".self_attention", selfAttentionSaved, layers)
	out = m.listTable(out, stack+".self_attention", queryNormSaved, layers)
	out = m.listTable(out, stack+".norms", sandwichSaved, layers)
	if m.stack.Latent != (shapes.Latent{}) {
		out = m.listTable(out, stack+".self_attention", latentSaved, layers)
	}
	if m.cross {
		out = m.listTable(out, stack+".input", encoderOutputSaved, 1)
		out = m.listTable(out, stack+".cross_attention", crossAttentionSaved, layers)
	}
	if sparse < layers {
		out = m.listTable(out, stack+".feed_forward", feedForwardSaved, layers-sparse)
	}
	if sparse > 0 {
		out = m.listTable(out, stack+".experts", expertsSaved, sparse)
		out = m.listTable(out, stack+".experts", sharedSaved, sparse)
	}
	return m.listTable(out, stack+".output", stackOutputSaved, 1)
}

func (m *stackModel) listTable(out []listedTensor, block string, table []savedTensor,
	layers int,
) []listedTensor {
	for n := range table {
		t := &table[n]
		if m.has&t.needs != t.needs {
			continue
		}
		out = append(out, listedTensor{
			Block: block, Name: t.name, Layers: layers, Bytes: m.bytes(t),
			Kept: m.exec.Recompute <= t.kept, Parallel: splitNames[t.by],
		})
	}
	return out
}
