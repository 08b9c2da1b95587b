package flops

import "testing"

// ZeRO 2 holds the whole gradients of one layer while they are reduced, ZeRO 3 besides the gathered
// weights of that layer and of the next: 4 bytes a parameter of one layer, and 2 of two. Pipelines
// receive and send one boundary tensor; sequence parallelism gathers one layer's input.
func TestBuffersByHand(t *testing.T) {
	const (
		layers, d, ff = 12, 1024, 4096
		batch, length = 4, 512
		layer         = 4*d*d + 4*d + 2*d*ff + ff + d + 2*2*d // products with biases, two norms
		input         = 2 * batch * length * d
	)
	s := gpt(layers, d, ff, 64, 16, 8)
	w := Workload{Batch: 64 * batch, DecoderLength: length}
	for name, c := range map[string]struct {
		layout Layout
		want   float64
	}{
		"zero 1":   {Layout{DP: 64, ZeRO: 1}, 0},
		"zero 2":   {Layout{DP: 64, ZeRO: 2}, 4 * layer},
		"zero 3":   {Layout{DP: 64, ZeRO: 3}, 4*layer + 2*2*layer},
		"pipeline": {Layout{DP: 16, PP: 4, MicroBatch: batch}, 2 * input},
		"sequence": {Layout{DP: 16, TP: 4, SequenceParallel: true, MicroBatch: batch}, input},
	} {
		m := mustTrain(t, &s, w, Execution{}, c.layout)
		closeTo(t, name, m.Peak[CollectiveBytes], c.want)
	}
}
