package flops

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// rounding of sums and quotients of exact integers in float64
const exact = 1e-12

func closeTo(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !approx.Relative(got, want, exact) {
		t.Errorf("%s: %.17g, want %.17g", what, got, want)
	}
}

// Korthikanti et al. 2022 (arXiv 2205.05198), section 4 and table 2: bytes of activations of a
// layer with s positions, b sequences, width h, a heads and tensor parallelism t.
func TestKorthikantiPerLayer(t *testing.T) {
	const s, b, h, a, tp = 2048, 3, 6144, 64, 8
	const sbh, scores = s * b * h, 5.0 * a * s / h
	shape := gpt(4, h, 4*h, h/a, a, 51200)
	shape.Decoder.Positions = s
	for _, c := range []struct {
		name      string
		recompute Recompute
		tp        int
		sequence  bool
		want      float64
	}{
		{"no parallelism", RecomputeNone, 1, false, sbh * (34 + scores)},
		{"tensor parallel", RecomputeNone, tp, false, sbh * (10 + 24./tp + scores/tp)},
		{"tensor and sequence parallel", RecomputeNone, tp, true, sbh / tp * (34 + scores)},
		{"tensor parallel, selective", RecomputeSelective, tp, false, sbh * (10 + 24./tp)},
		{"tensor and sequence parallel, selective", RecomputeSelective, tp, true, sbh * 34 / tp},
		{"full", RecomputeFull, tp, false, sbh * 2},
	} {
		x := Execution{
			Precision: FP16Mixed, Dropout: true, Attention: UnfusedAttention,
			Recompute: c.recompute,
		}
		m := mustTrain(t, &shape, Workload{Batch: b, DecoderLength: s}, x,
			Layout{TP: c.tp, SequenceParallel: c.sequence})
		closeTo(t, c.name, m.Peak[ActivationBytes], 4*c.want)
	}
}

// The same source, section 4.2.3: the first stage holds L·(1 + (p−1)/(p·v)) layers' activations
// when interleaved, L without (v = 1).
func TestActivationsInFlight(t *testing.T) {
	for _, c := range []struct {
		stages, chunks int
		want           float64 // micro-batches of a stage's layers
	}{
		{8, 1, 8},
		{8, 3, 8 * (1 + 7./24)},
		{35, 3, 35 * (1 + 34./105)},
	} {
		l := Layout{PP: c.stages, Interleave: c.chunks, Accumulate: 4 * c.stages}
		closeTo(t, "first stage", l.inFlight(0), c.want)
		if last := l.inFlight(c.stages - 1); last > l.inFlight(0) || last < 1 {
			t.Errorf("last stage holds %v micro-batches, first %v", last, l.inFlight(0))
		}
	}
	if got := (Layout{PP: 8, Interleave: 1, Accumulate: 2}).inFlight(0); got != 2 {
		t.Errorf("two micro-batches leave %v in flight", got)
	}
}

// Rajbhandari et al. 2020 (arXiv 1910.02054), figure 1: 7.5B parameters, Adam in mixed precision
// with 2-byte gradients (16 bytes a parameter), 64 devices: 120, 31.4, 16.6 and 1.9 GB for stages 0
// to 3.
func TestZeROFigure1(t *testing.T) {
	// A decoder of 7.5e9 parameters to 0.02 %; only the count matters here.
	s := gpt(37, 4096, 16384, 128, 32, 12256)
	n := float64(CountParameters(&s).Total)
	for stage, want := range []float64{120, 31.4, 16.6, 1.9} {
		m := mustTrain(t, &s, Workload{Batch: 64, DecoderLength: 1024}, Execution{GradientBytes: 2},
			Layout{DP: 64, ZeRO: stage})
		const printed = 0.05 // GB: the figure prints one decimal
		if got := m.StaticBytes / n * 7.5; !approx.Close(got, want, printed) {
			t.Errorf("stage %d: %.2f GB, published %.1f", stage, got, want)
		}
	}
}

// Bytes a parameter of each precision under Adam, from the element sizes: Megatron-LM's 18,
// all-float32 16, all-bfloat16 2+2+2+2 = 8.
func TestBytesPerParameter(t *testing.T) {
	s := t5(12, 12, 768, 3072, 64, 12)
	n := float64(CountParameters(&s).Total)
	for p, want := range map[Precision]float64{
		BF16Mixed: 18, FP16Mixed: 18, FP32: 16,
		PureBF16: 8,
	} {
		m := mustTrain(t, &s, Workload{Batch: 1, EncoderLength: 8, DecoderLength: 8},
			Execution{Precision: p}, Layout{})
		closeTo(t, p.String(), m.StaticBytes, want*n)
	}
}

// Optimizer state of one 512×2048 matrix and of tensors that are special, worked by hand from the
// formulas of the papers named at each [Optimizer].
func TestStateBytes(t *testing.T) {
	hidden := matrix{rows: 512, cols: 2048, factored: true, hidden: true}
	table := matrix{rows: 512, cols: 2048, factored: true}
	small := matrix{rows: 32, cols: 12}
	for _, c := range []struct {
		name string
		o    Optimizer
		m    matrix
		want float64
	}{
		{"adam", Adam, hidden, 8 * 1048576},
		{"sgd", SGD, hidden, 0},
		{"momentum", SGDMomentum, hidden, 4 * 1048576},
		{"adafactor matrix", Adafactor, hidden, 4 * (512 + 2048)},
		{"adafactor relative bias", Adafactor, small, 4 * 384},
		{"adam8bit matrix", Adam8bit, hidden, 2 * (1048576 + 4*512)},
		{"adam8bit small", Adam8bit, small, 8 * 384},
		{"muon layer", Muon, hidden, 4 * 1048576},
		{"muon table", Muon, table, 8 * 1048576},
	} {
		if got := stateBytes(c.o, c.m, 4); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// Adafactor on t5-small, tensor by tensor: token table 32128+512; per encoder layer four 512×512
// and 512×2048, 2048×512, norms 2·512 in full; per decoder layer eight 512×512, the same two, norms
// 3·512; two 32×8 tables and two final norms in full. Four bytes each.
func TestAdafactorT5Small(t *testing.T) {
	s := t5(6, 6, 512, 2048, 64, 8)
	const square, wide, norm = 1024, 2560, 512
	const want = 4 * (32128 + 512 + 6*(4*square+2*wide+2*norm) + 6*(8*square+2*wide+3*norm) +
		2*32*8 + 2*norm)
	m := mustTrain(t, &s, Workload{Batch: 1, EncoderLength: 8, DecoderLength: 8},
		Execution{Optimizer: Adafactor}, Layout{})
	if got := m.Peak[OptimizerBytes]; got != want {
		t.Errorf("Adafactor state %v bytes, want %v", got, want)
	}
}

// A decoder layer of an encoder-decoder by hand: T5-base at b = 1, Se = 512, Sd = 128, bfloat16,
// ReLU, unfused, no dropout. d = i = 768, a = 12, f = 3072.
func TestDecoderLayerByHand(t *testing.T) {
	const se, sd, d, a, f = 512, 128, 768, 12, 3072
	const self = 2*(6*sd*d) + 2*a*sd*sd         // input, normed, q, k, v, projection input; softmax
	const cross = 2*(4*sd*d+2*se*d) + 2*a*sd*se // input, normed, q, projection input; k, v; softmax
	const feedForward = 2 * (2*sd*d + sd*f)     // input, normed; ReLU output
	const encoder = 2*(8*se*d+se*f) + 2*a*se*se // the same blocks, without cross-attention
	s := t5(12, 12, d, f, 64, a)
	m := mustTrain(t, &s, Workload{Batch: 1, EncoderLength: se, DecoderLength: sd},
		Execution{Attention: UnfusedAttention}, Layout{})
	closeTo(t, "activations", m.Peak[ActivationBytes], 12*(encoder+self+cross+feedForward))
	// Logits: 128 positions, 32,128 entries, 2 + 4 + 4 bytes.
	closeTo(t, "logits", m.Peak[LogitBytes], sd*32128*10)
	// Two position biases a·S², two final norm inputs, encoder output, head input.
	closeTo(t, "boundary", m.Peak[BoundaryBytes], 2*a*(se*se+sd*sd)+2*d*(se+sd)+2*d*(se+sd))
}

// Caches of T5-base generating 128 positions from 512 for 4 sequences in bfloat16: 2·2·B·S·768·12
// bytes each.
func TestDecodingCaches(t *testing.T) {
	s := t5(12, 12, 768, 3072, 64, 12)
	m, err := DecodingMemory(&s, Workload{Batch: 4, EncoderLength: 512, DecoderLength: 128},
		Execution{}, Layout{})
	if err != nil {
		t.Fatal(err)
	}
	closeTo(t, "self cache", m.Peak[SelfCacheBytes], 2*2*4*128*768*12)
	closeTo(t, "cross cache", m.Peak[CrossCacheBytes], 2*2*4*512*768*12)
	// t5-base parameters: t5-efficient-base on the Hub
	closeTo(t, "weights", m.Peak[WeightBytes], 2*222903552)
	closeTo(t, "logits", m.Peak[LogitBytes], 4*32128*10)
	// Llama-2-70B shares 8 key heads: 2·2·80·8·128 bytes a position (Touvron et al. 2023, arXiv
	// 2307.09288, table 1).
	shared := llama(80, 8192, 28672, 128, 64, 8, 32000)
	if m, err = DecodingMemory(&shared, Workload{Batch: 1, DecoderLength: 4096}, Execution{}, Layout{TP: 8}); err != nil {
		t.Fatal(err)
	}
	closeTo(t, "shared keys over 8 devices", m.Peak[SelfCacheBytes], 2*2*80*8*128*4096/8)
	encoderOnly := bert(12, 768, 3072, 12, 30522)
	if _, err = DecodingMemory(&encoderOnly, Workload{Batch: 1, EncoderLength: 8}, Execution{}, Layout{}); err == nil {
		t.Error("an encoder alone decoded")
	}
}

// The listed tensors are what the totals are made of.
func TestSavedTensorsSumToActivations(t *testing.T) {
	s := t5(4, 4, 512, 1024, 64, 4)
	s.Decoder.Experts, s.Decoder.ActiveExperts, s.Decoder.SparseEvery = 8, 1, 2
	s.Encoder.Gated, s.Encoder.Activation = true, shapes.GELU
	w := Workload{Batch: 2, EncoderLength: 64, DecoderLength: 32}
	for r := RecomputeNone; r <= RecomputeFull; r++ {
		x := Execution{Recompute: r, Attention: UnfusedAttention, Dropout: true}
		l := Layout{TP: 2, SequenceParallel: true}
		list, err := savedTensorsOf(&s, w, x, l)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, tensor := range list {
			if tensor.Kept {
				sum += float64(tensor.Layers) * tensor.Bytes
			}
		}
		m := mustTrain(t, &s, w, x, l)
		closeTo(t, r.String(), sum,
			m.Phases[ForwardEnd][ActivationBytes]+m.Phases[ForwardEnd][BoundaryBytes])
	}
}
