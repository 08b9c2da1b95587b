package hardware

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
)

// One step of one sequence reads every weight once: 24 decoder layers of 2·(4·d·i + 4·d·i cross,
// less its keys and values …). With nothing but bandwidth the time is the bytes over it.
func TestDecoderStepReadsItsWeights(t *testing.T) {
	m := toy()
	s := t5(1024, 4096, 16, 24, 24)
	const d, i, f, layers, vocab = 1024, 1024, 4096, 24, 32_128
	w := flops.Workload{Batch: 1, EncoderLength: 512, DecoderLength: 64}
	_, step := m.DecodeSeconds(&s, w, flops.Layout{})
	// self-attention; cross-attention without keys and values; feed-forward
	weights := layers * (4*d*i + 2*d*i + 2*d*f)
	cache := layers * 2 * (32 + 512) * i // half of the 64 positions, and the encoder's
	want := 2 * float64(weights+cache+vocab*d) / 1e12
	const rest = 0.02 // activations of one position
	if step < want || step > want*(1+rest) {
		t.Errorf("%g s, the weights and caches take %g", step, want)
	}
}

// Encoder depth costs one pass, decoder depth every step: the reason for asymmetric shapes.
func TestDecoderDepthCostsEveryStep(t *testing.T) {
	time := func(encoder, decoder int) float64 {
		r := Run{
			Profile: found(t, "a100"), Shape: t5(768, 3072, 12, encoder, decoder),
			Workload: flops.Workload{Batch: 1, EncoderLength: 512, DecoderLength: 128},
		}
		d, err := PredictDecoding(r)
		if err != nil {
			t.Fatal(err)
		}
		if d.TotalSeconds.Low >= d.TotalSeconds.Value || d.TokensPerSecond <= 0 || d.Fits == nil ||
			!*d.Fits {
			t.Errorf("%+v", d)
		}
		return d.TotalSeconds.Value
	}
	base := time(12, 12)
	moreEncoder, moreDecoder := time(24, 12)-base, time(12, 24)-base
	if moreEncoder <= 0 || moreDecoder < 20*moreEncoder {
		t.Errorf("12 layers more cost %g s in the encoder, %g s in the decoder", moreEncoder,
			moreDecoder)
	}
}

func TestDecodingOfAnEncoderIsRefused(t *testing.T) {
	s := t5(512, 2048, 8, 6, 6)
	s.Decoder.Layers = 0
	if _, err := PredictDecoding(Run{Profile: found(t, "a100"), Shape: s, Workload: flops.Workload{Batch: 1, EncoderLength: 8}}); err == nil {
		t.Error("generated without a decoder")
	}
}

func TestDecodeSecondsDoesNotAllocate(t *testing.T) {
	m, s := toy(), t5(768, 3072, 12, 12, 12)
	w := flops.Workload{Batch: 8, EncoderLength: 512, DecoderLength: 128}
	if n := testing.AllocsPerRun(10, func() { m.DecodeSeconds(&s, w, flops.Layout{}) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
}
