package hardware

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
)

// Generating with [termShape], 4 sequences of 256 source positions and 64 to come: a step in the
// middle has 32 cached. Layers 2, d = 512, i = 512, k = 128, f = 1,024, vocabulary 1,024.
var decodeWork = flops.Workload{Batch: 4, EncoderLength: 256, DecoderLength: 64}

// generator is a machine whose host takes no time, pads products to 16 rows and reads caches once.
func generator() Machine {
	m := smooth()
	m.host = decodeHost{narrow: 16, caches: 1}
	return m
}

// operands are the bytes that a product of m rows by a k×n matrix reads and writes.
func operands(m, n, k float64) float64 { return 2 * (m*k + k*n + m*n) }

// With nothing but bandwidth a step reads weights and caches and moves five rows a sublayer, and an
// encoder pass does the same for 1,024 positions, after which the decoder's cross keys and values
// are made.
func TestDecodingBytesByHand(t *testing.T) {
	m, s := generator(), termShape()
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

	// 64 more hidden elements that every token visits
	s.Decoder.SharedDFF = 64
	shared := sparse + operands(4, 64, 512) + operands(4, 512, 64)
	_, step = m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "a shared expert", step, (2*(self+cross+shared)+head)/1e12)

	// Beams are rows of their own, whose caches a step copies; a prompt of 32 is passed over at once,
	// and the middle of the 32 that remain is at 48.
	s = termShape()
	m.host.copies = 1
	g := Generation{Prompt: 32, Beams: 2}
	got := m.decode(&s, decodeWork, flops.Layout{}, g)
	wide := 2*row + 3*2*48.0/32*own + operands(8, 768, 512) + operands(8, 512, 512)
	crossed := 2*row + 3*2*source + 2*operands(8, 512, 512)
	fed := 2*row + operands(8, 1024, 512) + operands(8, 512, 1024)
	expect(t, "two beams", got.step.total(),
		(2*(wide+crossed+fed)+2*row+operands(8, 1024, 512))/1e12)
	prompt := m.given(&s, &s.Decoder, slice{4, 32, 256, 1, 1}, true)
	expect(t, "prefill", got.prefill, prompt)
	expect(t, "a whole answer", got.total(32), got.encoder+prompt+32*got.step.total())
	m.host.copies, m.host.caches, m.host.logits = 0, 3, 5
	_, step = m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "caches thrice, logits in float32 five times", step,
		(2*(self+2*own+cross+2*source+ffn)+head+5*4*4*1024)/1e12)
}

// With nothing but launches of 1 ms: a host that dispatches 16 kernels of self-attention, 17 of
// cross-attention, 8 of a feed-forward and 20 around the layers, two more for a router; an engine
// has 9, 8, 6 and 6, and an encoder's 12 and 7 go to it as 9 of 16 do.
func TestDecodingLaunchesByHand(t *testing.T) {
	m, s := generator(), termShape()
	m.rate, m.headRate, m.stream = math.Inf(1), math.Inf(1), 1e30
	m.host.kernels = dispatched
	m.host.launch = 1e-3
	encoder, step := m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "step", step, 1e-3*(2*(16+17+8)+20))
	expect(t, "encoder", encoder, 1e-3*2*(12+7))
	m.host.engine, m.host.kernels = true, fused
	encoder, step = m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "engine", step, 1e-3*(2*(9+8+6)+6))
	expect(t, "encoder of an engine", encoder, 1e-3*2*(12+7)*9/16)
	s.Decoder.Experts, s.Decoder.ActiveExperts, s.Decoder.SparseEvery = 8, 1, 2
	_, step = m.DecodeSeconds(&s, decodeWork, flops.Layout{})
	expect(t, "one sparse layer", step, 1e-3*(2*(9+8+6)+2+6))
}

// With nothing but collectives: each sublayer of the decoder all-reduces 4 rows over two devices,
// which takes two collectives of a start and half the bytes at 100 GB/s; the head needs none.
func TestDecodingCollectivesByHand(t *testing.T) {
	m, s := generator(), termShape()
	m.rate, m.headRate, m.stream, m.latency = math.Inf(1), math.Inf(1), 1e30, 1e-3
	encoder, step := m.DecodeSeconds(&s, decodeWork, flops.Layout{TP: 2})
	expect(t, "step", step, 2*3*2*(1e-3+2*4*512.0/2/1e11))
	expect(t, "encoder", encoder, 2*2*2*(1e-3+2*1024*512.0/2/1e11))
}

// With nothing but compute: half of the heads, caches and f on each of two devices, and the products
// of 4 rows are tiles of 16.
func TestDecodingProductsByHand(t *testing.T) {
	m, s := generator(), termShape()
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

// What the host does by device and software, with a token's launch of 1, an engine's of 2, two
// copies of beams and a gain of 0.1 a year: of 2020 an A100's host is e^0.1 faster than of 2019, and
// 16 bits take 1.3 times the kernels of layers.
func TestDecodeHostByHand(t *testing.T) {
	var c Constants
	c[TokenLaunch], c[EngineLaunch], c[BeamCopies], c[HostGain] = 1, 2, 2, 0.1
	c[CacheTraffic], c[LogitPasses] = 3, 4
	yes := true
	dispatch := func(share float64) stepKernels {
		return stepKernels{16 * share, 17 * share, 8 * share, 20}
	}
	year := math.Exp(-0.1)
	for name, w := range map[string]struct {
		device    string
		precision flops.Precision
		software  Software
		want      decodeHost
	}{
		"eager": {"a100", flops.BF16Mixed, Software{}, decodeHost{
			dispatch(1.3), year, false, 2, 16, 3, 4,
		}},
		"float32": {"a100", flops.FP32, Software{}, decodeHost{
			dispatch(1), year, false, 2, 96, 3, 4,
		}},
		"compiled": {"a100", flops.BF16Mixed, Software{Compiled: &yes}, decodeHost{
			stepKernels{9, 8, 6, 6}, 2 * year, true, 0, 16, 3, 4,
		}},
		"a device without a year": {"tpu-v4", flops.BF16Mixed, Software{}, decodeHost{
			stepKernels{9, 8, 6, 6}, 2, true, 0, 16, 3, 4,
		}},
		"processor": {"cpu", flops.FP32, Software{}, decodeHost{
			dispatch(1), 1, false, 2, 1, 3, 4,
		}},
	} {
		p := found(t, w.device)
		got := decodeHostOf(&p, flops.Execution{Precision: w.precision}, w.software, &c)
		expect(t, name+": launch", got.launch, w.want.launch)
		expect(t, name+": kernels", got.kernels.self+got.kernels.cross+got.kernels.ffn,
			w.want.kernels.self+w.want.kernels.cross+w.want.kernels.ffn)
		got.launch, got.kernels = w.want.launch, w.want.kernels
		if got != w.want {
			t.Errorf("%s: %+v, by hand %+v", name, got, w.want)
		}
	}
}
