package hardware

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Passes of a product by hand: one forward, one for the gradient of its input where gradients run,
// one for that of its weights where they are trained; recomputation repeats the forward one. An
// adapter has three, and unpacking one wherever its matrix is read.
func TestTunedPasses(t *testing.T) {
	for _, c := range []struct {
		name                          string
		back                          backward
		recompute                     flops.Recompute
		products, adapters, unpacking float64
	}{
		{"all is trained", all, flops.RecomputeNone, 3, 3, 2},
		{"adapters", backward{1, 0}, flops.RecomputeNone, 2, 3, 2},
		{"adapters, recomputed", backward{1, 0}, flops.RecomputeFull, 3, 4, 3},
		{"nothing flows", backward{0, 0}, flops.RecomputeFull, 1, 1, 1},
	} {
		m := Machine{stream: 1, recompute: c.recompute}
		if got := m.tune(&sublayer{matmul: 1}, 1, c.back).matmul; got != c.products {
			t.Errorf("%s: %g passes of a product, want %g", c.name, got, c.products)
		}
		if got := m.tune(&sublayer{adapted: 1}, 1, c.back).matmul; got != c.adapters {
			t.Errorf("%s: %g passes of an adapter, want %g", c.name, got, c.adapters)
		}
		if got := m.tune(&sublayer{unpacked: 1}, 1, c.back).vector; got != c.unpacking {
			t.Errorf("%s: unpacked %g times, want %g", c.name, got, c.unpacking)
		}
	}
}

// What the backward pass of each stack computes.
func TestBackwardOf(t *testing.T) {
	s, err := shapes.Parse("t5-small")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name             string
		tuning           flops.Tuning
		encoder, decoder backward
		head             float64
	}{
		{"all", flops.Tuning{}, backward{1, 1}, backward{1, 1}, 2},
		{"adapters", flops.Tuning{Rank: 8}, backward{1, 0}, backward{1, 0}, 1},
		{"frozen encoder", flops.Tuning{Frozen: flops.EncoderPart}, backward{1, 0}, backward{1, 1}, 2},
		{
			"frozen encoder and table",
			flops.Tuning{Frozen: flops.EncoderPart | flops.EmbeddingPart},
			backward{0, 0},
			backward{1, 1},
			1,
		},
		{
			"adapters of the decoder",
			flops.Tuning{Rank: 8, Frozen: flops.EncoderPart},
			backward{0, 0},
			backward{1, 0},
			1,
		},
	} {
		m := Machine{exec: flops.Execution{Tuning: c.tuning}}
		encoder, decoder := m.backwardOf(&s, false), m.backwardOf(&s, true)
		if encoder != c.encoder || decoder != c.decoder || m.headBackward(&s) != c.head {
			t.Errorf("%s: %v, %v, %g; want %v, %v, %g", c.name, encoder, decoder, m.headBackward(&s),
				c.encoder, c.decoder, c.head)
		}
	}
}
