package hardware

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/approx"
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

// A prompt is one pass, not a step for each position; beams make rows and caches, and a framework
// copies the caches.
func TestPromptsAndBeams(t *testing.T) {
	s := t5(1024, 4096, 16, 0, 24)
	run := func(g Generation, length int, stack string) Decoding {
		d, err := PredictDecoding(Run{
			Profile: found(t, "a100"), Shape: s, Generation: g,
			Workload: flops.Workload{Batch: 8, DecoderLength: length},
			Software: Software{Stack: stack},
		})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	plain, prompted := run(Generation{}, 64, ""), run(Generation{Prompt: 448}, 512, "")
	if prompted.Generated != 64 || plain.Generated != 64 {
		t.Errorf("%d and %d are generated, want 64", plain.Generated, prompted.Generated)
	}
	if plain.PrefillSeconds.Value != 0 || !(prompted.PrefillSeconds.Value > 0) {
		t.Errorf("prefill of %g without a prompt, %g with one", plain.PrefillSeconds.Value,
			prompted.PrefillSeconds.Value)
	}
	if all := run(Generation{}, 512, ""); !(prompted.TotalSeconds.Value < all.TotalSeconds.Value/4) {
		t.Errorf("a prompt of 7/8 takes %g s of %g", prompted.TotalSeconds.Value,
			all.TotalSeconds.Value)
	}
	want := prompted.PrefillSeconds.Value + 64*prompted.StepSeconds.Value
	if !approx.Relative(prompted.TotalSeconds.Value, want, round) {
		t.Errorf("%g s, its parts are %g", prompted.TotalSeconds.Value, want)
	}
	if rate := 8 * 64 / prompted.TotalSeconds.Value; !approx.Relative(prompted.TokensPerSecond, rate,
		round) {
		t.Errorf("%g tokens/s, want %g", prompted.TokensPerSecond, rate)
	}
	beams := run(Generation{Beams: 4}, 512, "engine")
	if one := run(Generation{}, 512, "engine"); !(beams.StepSeconds.Value > one.StepSeconds.Value) ||
		!(beams.Memory.PeakBytes > one.Memory.PeakBytes) {
		t.Errorf("4 beams: %g s and %g bytes, one: %g and %g", beams.StepSeconds.Value,
			beams.Memory.PeakBytes, one.StepSeconds.Value, one.Memory.PeakBytes)
	}
	if eager := run(Generation{}, 512, "huggingface"); !(eager.StepSeconds.Value >
		2*run(Generation{}, 512, "engine").StepSeconds.Value) {
		t.Errorf("eager steps of %g s are hardly slower than an engine's", eager.StepSeconds.Value)
	}
}
