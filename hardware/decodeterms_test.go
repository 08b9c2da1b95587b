package hardware

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
)

// Generating with [termShape], 4 sequences of 256 source positions and 64 to come: a step in the
// middle has 32 cached. Layers 2, d = 512, i = 512, k = 128, f = 1,024, vocabulary 1,024.
var decodeWork = flops.Workload{Batch: 4, EncoderLength: 256, DecoderLength: 64}

// operands are the bytes that a product of m rows by a k×n matrix reads and writes.
func operands(m, n, k float64) float64 { return 2 * (m*k + k*n + m*n) }

// With nothing but bandwidth a step reads weights and caches and moves five rows a sublayer, and an
// encoder pass does the same for 1,024 positions, after which the decoder's cross keys and values
// are made.
func TestDecodingBytesByHand(t *testing.T) {
	m, s := smooth(), termShape()
	m.rate, m.headRate = math.Inf(1), math.Inf(1)
	const (
		row = 5 * 2 * 4 * 512.0
		// keys and values of 4 sequences: 2·2 bytes of k = 128 a position
		own, source = 2 * 2 * 4 * 32 * 128.0, 2 * 2 * 4 * 256 * 128.0
	)
	self := row + own + operands(4, 768, 512) + operands(4, 512, 512)
	cross := row + source + operands(4, 512, 512) + operands(4, 512, 512)
	ffn := row + operands(4, 1024, 512) + operands(4, 512, 1024)
	head := row + operands(4, 1024, 512)
	encoder, step := m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "step", step, (2*(self+cross+ffn)+head)/1e12)

	const moved = 5 * 2 * 1024 * 512.0
	attention := moved + operands(1024, 768, 512) + operands(1024, 512, 512)
	feed := moved + 2*2*1024*1024 + operands(1024, 1024, 512) + operands(1024, 512, 1024)
	expect(t, "encoder", encoder, (2*(attention+feed)+2*operands(1024, 256, 512))/1e12)

	// Two copies have half of the sequences each.
	_, half := m.DecodeSeconds(&s, decodeWork, flops.Layout{DP: 2})
	two := decodeWork
	two.Batch = 2
	_, want := m.DecodeSeconds(&s, two, flops.Layout{})
	expect(t, "two copies", half, want)

	// A gate is a third matrix.
	s.Decoder.Gated = true
	gated := row + operands(4, 2048, 512) + operands(4, 512, 1024)
	_, step = m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "gated", step, (2*(self+cross+gated)+head)/1e12)

	// 8 experts of which each of 4 tokens visits one: four are read, for a row each.
	s.Decoder.Gated, s.Decoder.Experts, s.Decoder.ActiveExperts, s.Decoder.SparseEvery = false, 8, 1, 1
	sparse := row + 4*(operands(1, 1024, 512)+operands(1, 512, 1024))
	_, step = m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "sparse", step, (2*(self+cross+sparse)+head)/1e12)
	// Where they visit 3 each, all 8 are read, for two rows (12/8) each.
	s.Decoder.ActiveExperts = 3
	sparse = row + 8*(operands(2, 1024, 512)+operands(2, 512, 1024))
	_, step = m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "three active", step, (2*(self+cross+sparse)+head)/1e12)

	m.slowdown = 3
	_, slow := m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "three times as slow", slow, 3*step)
}

// With nothing but launches of 1 ms: 12 of each attention, 7 of a feed-forward and of the head; 16
// where attention is not fused, two more for a router.
func TestDecodingLaunchesByHand(t *testing.T) {
	m, s := smooth(), termShape()
	m.rate, m.headRate, m.stream, m.launch = math.Inf(1), math.Inf(1), 1e30, 1e-3
	encoder, step := m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "step", step, 1e-3*(2*(12+12+7)+7))
	expect(t, "encoder", encoder, 1e-3*2*(12+7))
	m.unfused = true
	_, step = m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "unfused", step, 1e-3*(2*(16+16+7)+7))
	m.unfused = false
	s.Decoder.Experts, s.Decoder.ActiveExperts, s.Decoder.SparseEvery = 8, 1, 2
	_, step = m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "one sparse layer", step, 1e-3*(2*(12+12+7)+2+7))
}

// With nothing but collectives: each sublayer of the decoder all-reduces 4 rows over two devices,
// which takes two collectives of a start and half the bytes at 100 GB/s; the head needs none.
func TestDecodingCollectivesByHand(t *testing.T) {
	m, s := smooth(), termShape()
	m.rate, m.headRate, m.stream, m.latency = math.Inf(1), math.Inf(1), 1e30, 1e-3
	encoder, step := m.DecodeSeconds(&s, decodeWork, flops.Layout{TP: 2})
	expect(t, "step", step, 2*3*2*(1e-3+2*4*512.0/2/1e11))
	expect(t, "encoder", encoder, 2*2*2*(1e-3+2*1024*512.0/2/1e11))
}

// With nothing but compute: half of the heads, caches and f on each of two devices, and the products
// of 4 rows are tiles of 16.
func TestDecodingProductsByHand(t *testing.T) {
	m, s := smooth(), termShape()
	m.stream = math.Inf(1)
	product := func(m, n, k float64) float64 { return 2 * m * n * k / 1e14 }
	_, alone := m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "one device", alone, 2*(product(16, 768, 512)+3*product(16, 512, 512)+
		product(16, 1024, 512)+product(16, 512, 1024))+product(16, 1024, 512))
	m.intra = math.Inf(1)
	encoder, step := m.DecodeSeconds(&s, decodeWork, flops.Layout{TP: 2})
	// attention: 1,024 rows to (256 + 2·64) and back from 256; f halved; and 128 of cross keys and values
	core, _ := m.coreSeconds(4*4, 256, 256, 64, false)
	expect(t, "encoder on two devices", encoder, 2*(product(1024, 384, 512)+product(1024, 512, 256)+
		core+2*product(1024, 512, 512)+product(1024, 128, 512)))
	expect(t, "two devices", step, 2*(product(16, 384, 512)+product(16, 256, 512)+
		2*product(16, 512, 256)+product(16, 512, 512)+product(16, 512, 512))+product(16, 512, 512))
}

// A whole answer is the encoder pass and a step for each position, and its interval and rate are of
// that.
func TestDecodingTotalsByHand(t *testing.T) {
	r := Run{
		Profile: found(t, "a100"), Shape: termShape(), Workload: decodeWork,
	}
	d, err := PredictDecoding(r)
	if err != nil {
		t.Fatal(err)
	}
	total := d.EncoderSeconds.Value + 64*d.StepSeconds.Value
	expect(t, "total", d.TotalSeconds.Value, total)
	expect(t, "tokens per second", d.TokensPerSecond, 4*64/total)
	if !(d.StepSeconds.Low < d.StepSeconds.Value && d.EncoderSeconds.Low < d.EncoderSeconds.Value) {
		t.Errorf("no intervals: %+v", d)
	}
	if d.Level != 0.8 || d.Fits == nil || !*d.Fits {
		t.Errorf("level %g, fits %v", d.Level, d.Fits)
	}
	r.Shape.Encoder.Layers = 0
	r.Workload.EncoderLength = 0
	alone, err := PredictDecoding(r)
	if err != nil || alone.EncoderSeconds.Value != 0 {
		t.Fatalf("a decoder alone: %v, encoder %v", err, alone.EncoderSeconds)
	}
	expect(t, "decoder alone", alone.TotalSeconds.Value, 64*alone.StepSeconds.Value)
}
