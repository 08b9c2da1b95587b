package hardware

import (
	"errors"
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// t5 returns a T5 shape of width d with EL and DL layers.
func t5(d, ff, heads, encoder, decoder int) shapes.Shape {
	k := shapes.Stack{
		DFF: ff, Activation: shapes.ReLU, DKV: 64, Heads: heads, KVHeads: heads,
		Position: shapes.Relative, Positions: 32, FinalNorm: true,
	}
	s := shapes.Shape{DModel: d, Vocab: 32_128, Encoder: k, Decoder: k}
	s.Encoder.Layers, s.Decoder.Layers = encoder, decoder
	return s
}

func found(t *testing.T, name string) Profile {
	t.Helper()
	p, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// round is the share by which sums in another order may differ.
const round = 1e-9

func equal(got, want float64) bool { return approx.Relative(got, want, round) }

// toy is a machine with round numbers: 100 TFLOP/s, 1 TB/s, 10 tiles at once.
func toy() Machine {
	return Machine{
		rate: 1e14, headRate: 1e14, slowRate: 1e13, stream: 1e12, units: 10, edge: 128, pad: 32,
		alignMin: 8, compute: 2, weight: 2, gradient: 4,
		fusedCore: 1, unfusedCore: 1, traffic: 1, intra: 1e11, inter: 1e10, domain: 8,
		dataExposed: 1, tensorExposed: 1, slowdown: 1, contexts: 1, experts: 1,
		host: decodeHost{caches: 1},
	}
}

func TestMatmulByHand(t *testing.T) {
	m := toy()
	// 1,280 × 1,280 × 1,024: 100 tiles in 10 waves, nothing padded: 2·1280²·1024 FLOP at 100
	// TFLOP/s.
	if got, want := m.matmulSeconds(gemm{1, 1280, 1280, 1024}, m.rate), 2*1280.0*1280*1024/1e14; !equal(got, want) {
		t.Errorf("whole waves: %g s, want %g", got, want)
	}
	// One row more is a row of tiles more: 110 tiles in 11 waves.
	if got, want := m.matmulSeconds(gemm{1, 1281, 1280, 1024}, m.rate), 2*1408.0*1280*1024/1e14; !equal(got, want) {
		t.Errorf("a padded row of tiles: %g s, want %g", got, want)
	}
	// 101 tiles at a wave of 10: with all of the idle part lost it takes as long as 110.
	m.quantise = 1
	wide := m.matmulSeconds(gemm{1, 101 * 128, 128, 1024}, m.rate)
	if want := 110 * 2 * 128.0 * 128 * 1024 / 1e14; !equal(wide, want) {
		t.Errorf("an unfilled wave: %g s, want %g", wide, want)
	}
	// Saturation: k₀ = 1,024 halves the rate at k = 1,024.
	m.quantise, m.saturation = 0, 1024
	if got, want := m.matmulSeconds(gemm{1, 1280, 1280, 1024}, m.rate), 2*2*1280.0*1280*1024/1e14; !equal(got, want) {
		t.Errorf("saturation: %g s, want %g", got, want)
	}
	// One row against a 4,096² matrix reads 2·4096² bytes: bandwidth binds.
	m.saturation = 0
	if got, want := m.matmulSeconds(gemm{1, 1, 4096, 4096}, m.rate), 2*(4096.0*4096+2*4096)/1e12; !equal(got, want) {
		t.Errorf("a vector against a matrix: %g s, want %g", got, want)
	}
	// An odd dimension keeps 0.4 of the rate, an even one 0.4^(4/9), a multiple of 4 0.4^(1/9): k of
	// 1,025 to 1,028 is padded to 1,056 all the same.
	m.units = 0
	for k, share := range map[int]float64{
		1025: 0.4, 1026: math.Pow(0.4, 4.0/9), 1028: math.Pow(0.4, 1.0/9), 1032: 1,
	} {
		want := 2 * 1280.0 * 1280 * 1056 / (share * 1e14)
		if got := m.project(1280, 1280, k, m.rate); !equal(got, want) {
			t.Errorf("k %d: %g s, want %g", k, got, want)
		}
		if got := m.project(1280, k, 1280, m.rate); got < 2*1280.0*1280*1025/(share*1e14) {
			t.Errorf("n %d: %g s, less than at its rate", k, got)
		}
	}
	// The product that was measured on H100, d_ff 10,922, loses 31 % of its rate.
	if share := m.alignedRate(10922, 4096, 1); !approx.Close(share, 0.69, measuredLoss) {
		t.Errorf("d_ff 10,922 keeps %.2f; 0.69 was measured", share)
	}
}

// measuredLoss is how far the curve of misalignment may be from the one measured product.
const measuredLoss = 0.03

// A 128-wide systolic array computes a head of 64 as one of 128: twice the time. 4,096 × 1,000 ×
// 4,096 pads n to 1,024.
func TestSystolicPadding(t *testing.T) {
	m := toy()
	m.pad, m.units, m.slowRate = 128, 0, 0
	if got, want := m.matmulSeconds(gemm{1, 4096, 1000, 4096}, m.rate), 2*4096.0*1024*4096/1e14; !equal(got, want) {
		t.Errorf("%g s, want %g", got, want)
	}
	half, _ := m.coreSeconds(8, 512, 512, 64, false)
	whole, _ := m.coreSeconds(8, 512, 512, 128, false)
	if !equal(half, whole) {
		t.Errorf("heads of 64: %g s, of 128: %g s; want the same", half, whole)
	}
}

func TestCoreByHand(t *testing.T) {
	m := toy()
	// Fused: 4·c·q·k·d_kv, halved when causal, and 1 + 32/128 for the head size.
	full, _ := m.coreSeconds(8, 1024, 1024, 128, false)
	if want := 4 * 8 * 1024.0 * 1024 * 128 * 1.25 / 1e14; !equal(full, want) {
		t.Errorf("fused: %g s, want %g", full, want)
	}
	if causal, _ := m.coreSeconds(8, 1024, 1024, 128, true); !equal(causal, full/2) {
		t.Errorf("causal: %g s, want half of %g", causal, full)
	}
	// Unfused: scores cross memory five times in bf16, and a head of 108 leaves the matrix unit.
	m.unfused, m.scorePasses, m.units = true, 5, 0
	aligned, bytes := m.coreSeconds(8, 1024, 1024, 128, true)
	if want := 5 * 2 * 8 * 1024.0 * 1024; bytes != want {
		t.Errorf("scores: %g bytes, want %g", bytes, want)
	}
	if odd, _ := m.coreSeconds(8, 1024, 1024, 108, true); odd < 8*aligned {
		t.Errorf("heads of 108: %g s, of 128: %g s; want about ten times", odd, aligned)
	}
}

func TestCollectivesByHand(t *testing.T) {
	m := toy()
	// All-gather of 800 MB over 8 devices of one node: 7/8 of it at 100 GB/s.
	if got, want := m.gather(8e8, 8, 1), 7e8/1e11; !equal(got, want) {
		t.Errorf("one node: %g s, want %g", got, want)
	}
	// Over 32 in 4 nodes besides: each device's eighth, 3/4 of it, at 10 GB/s.
	if got, want := m.gather(8e8, 32, 1), 7e8/1e11+1e8*0.75/1e10; !equal(got, want) {
		t.Errorf("four nodes: %g s, want %g", got, want)
	}
	// A stride of 8, tensor parallelism across the node: every rank is on another node.
	if got, want := m.gather(8e8, 4, 8), 8e8*0.75/1e10; !equal(got, want) {
		t.Errorf("strided: %g s, want %g", got, want)
	}
	// ZeRO 0 sums 4-byte gradients: an all-reduce is a reduce-scatter and an all-gather. ZeRO 1
	// gathers 2-byte weights instead.
	half := 1e8 * 4.0 * 7 / 8 / 1e11
	if got := m.dataParallel(1e8, 0, 8, 1, 0, 1, 1, 0); !equal(got, 2*half) {
		t.Errorf("zero 0: %g s, want %g", got, 2*half)
	}
	if got := m.dataParallel(1e8, 0, 8, 1, 1, 1, 1, 0); !equal(got, 1.5*half) {
		t.Errorf("zero 1: %g s, want %g", got, 1.5*half)
	}
	// ZeRO 3 moves the weights three times for each micro-batch.
	if got := m.dataParallel(1e8, 0, 8, 1, 3, 5, 1, 0); !equal(got, 5*1.5*half) {
		t.Errorf("zero 3: %g s, want %g", got, 5*1.5*half)
	}
	// It gathers layer by layer: each of 3 gathers of each of 10 layers starts up, in log₂ 8 hops.
	m.latency = 1e-6
	if got := m.dataParallel(1e8, 0, 8, 1, 3, 5, 10, 0); !equal(got, 5*(1.5*half+3*10*3e-6)) {
		t.Errorf("zero 3, 10 layers: %g s, want %g", got, 5*(1.5*half+90e-6))
	}
	m.latency = 0
	// Nothing shows when a long computation can hide all of it.
	m.dataExposed, m.gatherExposed = 0, 0
	if got := m.dataParallel(1e8, 0, 8, 1, 3, 1, 1, 100); got > 1e-6 {
		t.Errorf("hidden: %g s", got)
	}
}

// Across TPU slices goes one all-reduce of each chip's gradient shard, not the gathers of fully
// sharded weights: charging those would cost hundreds of times the bytes. 16 slices of 256: 2·(2
// bytes·P/256)·15/16 over 10 GB/s.
func TestOnlyGradientShardsCrossSlices(t *testing.T) {
	m := toy()
	m.axes, m.wraps, m.domain = 2, true, 256
	inside := m.dataParallel(1e10, 0, 256, 1, 3, 1, 1, 0)
	across := m.dataParallel(1e10, 0, 4096, 1, 3, 1, 1, 0) - inside
	if want := 2 * (2e10 / 256) * 15 / 16 / 1e10; !approx.Relative(across, want, 1e-6) {
		t.Errorf("%g s across slices, want %g", across, want)
	}
}

// A torus that does not close has lines: half the rate. A tensor-parallel group has one axis of
// three.
func TestTorusRates(t *testing.T) {
	m := toy()
	m.axes, m.wraps = 3, true
	if got := m.rateInside(1, true); !equal(got, 1e11/3) {
		t.Errorf("one axis: %g, want a third of 1e11", got)
	}
	m.wraps = false
	if got := m.rateInside(1, false); !equal(got, 0.5e11) {
		t.Errorf("without wrap-around: %g, want half of 1e11", got)
	}
}

// Equal stages idle (p−1)/m of the rest, and (p−1)/(v·m) with v chunks (Narayanan et al. 2021,
// section 2.2).
func TestPipelineBubble(t *testing.T) {
	m := toy()
	k := shapes.Stack{
		Layers: 32, DFF: 4096, DKV: 128, Heads: 8, KVHeads: 8,
		Position: shapes.Rotary, FinalNorm: true,
	}
	s := shapes.Shape{DModel: 1024, Vocab: 8, Decoder: k, Head: shapes.HeadNone}
	w := flops.Workload{Batch: 16, DecoderLength: 512}
	for v, want := range map[int]float64{1: 3.0 / 16, 2: 3.0 / 32} {
		step := m.step(&s, w, flops.Layout{PP: 4, MicroBatch: 1, Interleave: v}.For(w))
		work := 0.0
		for _, p := range [...]piece{decoderAttention, decoderFFN, vectorWork, launches} {
			work += step[p]
		}
		// Embedding work sits in the last stage and upsets the balance a little.
		const imbalance = 0.02
		if got := step[pipelineBubble] / work; !approx.Close(got, want, imbalance) {
			t.Errorf("%d chunks: a bubble of %.4f of the work, want %.4f", v, got, want)
		}
	}
}

// Full recomputation adds one forward pass to three: projections take 4/3 of the time.
func TestRecomputationAddsAForwardPass(t *testing.T) {
	m := toy()
	s, w := t5(768, 3072, 12, 12, 12), flops.Workload{
		Batch: 8, EncoderLength: 512,
		DecoderLength: 128,
	}
	none := m.step(&s, w, flops.Layout{}.For(w))
	m.recompute = flops.RecomputeFull
	full := m.step(&s, w, flops.Layout{}.For(w))
	if got := full[encoderFFN] / none[encoderFFN]; !equal(got, 4.0/3) {
		t.Errorf("feed-forward: %.4f of the time without, want 4/3", got)
	}
	if full[headProduct] != none[headProduct] {
		t.Error("the head was recomputed too")
	}
}

// The products of the step model are those of the FLOP count, for every shape of the catalogue: on
// a machine without padding, saturation, alignment, bandwidth and launches the matmul pieces are
// the counted FLOPs over the rate, fused cores aside: their backward pass has five products for
// four, causal ones are halved, and heads of width w run at w/(w + 32) of the rate.
func TestWorkIsThatOfTheCount(t *testing.T) {
	// the toy still has tiles: 128 divides nearly all dimensions of the catalogue
	const padding = 0.02
	m := toy()
	m.units, m.stream, m.launch, m.alignMin = 0, math.Inf(1), 0, 1
	for _, entry := range shapes.Catalogue() {
		s, err := shapes.Lookup(entry.Name)
		if err != nil {
			continue // listed, not countable
		}
		w := flops.DefaultWorkload(&s)
		w.Batch = 1024 // enough for each of 2,048 experts
		got := 0.0
		step := m.step(&s, w, flops.Layout{}.For(w))
		got = step.total()
		core := func(k *shapes.Stack, queries, keys int, share float64) float64 {
			if k.Layers == 0 {
				return 0
			}
			return share * float64(k.Layers) * 4 * float64(w.Batch) * float64(queries) * float64(
				keys) * float64(k.Inner()) * (1 + 32/float64(k.DKV))
		}
		cores := core(&s.Encoder, w.EncoderLength, w.EncoderLength, 1) +
			core(&s.Decoder, w.DecoderLength, w.DecoderLength, 0.5)
		if s.CrossAttention() {
			cores += core(&s.Decoder, w.DecoderLength, w.EncoderLength, 1)
		}
		want := (3*(flops.Forward(&s, w)-flops.CoreForward(&s, w)) + 3.5*cores) / m.rate
		if !approx.Relative(got, want, padding) {
			t.Errorf("%s: %g s, the count gives %g (%+.1f %%)", s.Name, got, want, 100*(got/want-1))
		}
	}
}

// Experts spread over 8 devices exchange each token twice in a forward pass and twice in a backward
// pass: 4·7/8 of tokens·d bytes at 100 GB/s.
func TestExpertExchange(t *testing.T) {
	m := toy()
	s := t5(512, 2048, 8, 6, 6)
	s.Encoder.Experts, s.Encoder.ActiveExperts, s.Encoder.SparseEvery = 32, 1, 2
	w := flops.Workload{Batch: 64, EncoderLength: 512, DecoderLength: 128}
	l := flops.Layout{DP: 8}
	alone := m.step(&s, w, l.For(w))
	m.experts = 8
	spread := m.step(&s, w, l.For(w))
	// three sparse layers, two exchanges of two directions, bf16
	want := 3 * 2 * (2 * 2 * 8 * 512 * 512.0) * 7 / 8 / 1e11
	if alone[expertCollectives] != 0 || !approx.Relative(spread[expertCollectives], want, 0.01) {
		t.Errorf("%g s without and %g s with expert parallelism, want 0 and %g",
			alone[expertCollectives], spread[expertCollectives], want)
	}
	if spread[dataCollectives] >= alone[dataCollectives] {
		t.Error("experts that are split are reduced as if they were not")
	}
}

// Two devices that share each sequence do half of the work each.
func TestContextParallelHalvesTheWork(t *testing.T) {
	m := toy()
	s := t5(512, 2048, 8, 6, 6)
	w := flops.Workload{Batch: 64, EncoderLength: 512, DecoderLength: 128}
	whole := m.step(&s, w, flops.Layout{}.For(w))
	m.contexts = 2
	half := m.step(&s, w, flops.Layout{}.For(w))
	const padding = 0.02
	if r := half[encoderFFN] / whole[encoderFFN]; !approx.Close(r, 0.5, padding) {
		t.Errorf("feed-forward: %.3f of the time", r)
	}
	if r := half[encoderAttention] / whole[encoderAttention]; !approx.Close(r, 0.5, padding) {
		t.Errorf("attention: %.3f of the time", r)
	}
}

func TestPredictionExplainsItself(t *testing.T) {
	r := Run{
		Profile: found(t, "a100"), Shape: t5(768, 3072, 12, 12, 12),
		Workload: flops.Workload{Batch: 128, EncoderLength: 512, DecoderLength: 128},
		Layout:   flops.Layout{DP: 8},
	}
	p, err := Predict(r)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i, part := range p.Parts {
		sum += part.Seconds
		if i > 0 && part.Seconds > p.Parts[i-1].Seconds {
			t.Error("the parts are not sorted")
		}
	}
	if !equal(sum, p.StepSeconds.Value) {
		t.Errorf("parts of %g s, a step of %g s", sum, p.StepSeconds.Value)
	}
	if p.StepSeconds.Low >= p.StepSeconds.Value || p.StepSeconds.High <= p.StepSeconds.Value ||
		p.Level != Level {
		t.Errorf("interval %+v at %g", p.StepSeconds, p.Level)
	}
	if p.MFU <= 0 || p.MFU >= 1 || p.HFU != p.MFU || p.PeakFLOPsPerSecond != 312e12 {
		t.Errorf("MFU %g, HFU %g of %g; without recomputation they are the same", p.MFU, p.HFU,
			p.PeakFLOPsPerSecond)
	}
	if p.Fits == nil || !*p.Fits || p.Devices != 8 || len(p.Assumptions) == 0 {
		t.Errorf("fits %v, %d devices, %d assumptions", p.Fits, p.Devices, len(p.Assumptions))
	}
	fast, err := NewMachine(&r.Profile, r.Execution, r.Software)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := fast.StepSeconds(&r.Shape, r.Workload, r.Layout); err != nil || s != p.StepSeconds.Value {
		t.Errorf("the fast path gives %g (%v), the prediction %g", s, err, p.StepSeconds.Value)
	}
	r.Execution.Recompute = flops.RecomputeFull
	if full, err := Predict(r); err != nil || full.HFU <= full.MFU {
		t.Errorf("with recomputation HFU %g, MFU %g (%v)", full.HFU, full.MFU, err)
	}
}

// What a profile does not state is named, with what needs it; nothing is guessed.
func TestMissingFieldsAreNamed(t *testing.T) {
	base := Run{
		Profile: found(t, "a100"), Shape: t5(512, 2048, 8, 6, 6),
		Workload: flops.Workload{Batch: 64, EncoderLength: 512, DecoderLength: 128},
		Layout:   flops.Layout{DP: 16},
	}
	for field, edit := range map[string]func(*Run){
		"bandwidth":  func(r *Run) { r.Profile.BandwidthBytesPerSecond = nil },
		"peak_bf16":  func(r *Run) { delete(r.Profile.Peaks, BF16) },
		"peak_fp8":   func(r *Run) { r.Software.Matmul = FP8 }, // an A100 has none
		"intra_link": func(r *Run) { r.Profile.IntraBytesPerSecond = nil },
		"inter_link": func(r *Run) { r.Profile.InterBytesPerSecond = nil },
	} {
		r := base
		r.Profile = base.Profile.Clone()
		edit(&r)
		_, err := Predict(r)
		var missing *MissingError
		if !errors.As(err, &missing) || missing.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	// One device needs no links, and a profile without memory has no answer to "does it fit".
	r := base
	r.Layout = flops.Layout{MicroBatch: 8}
	r.Profile.IntraBytesPerSecond, r.Profile.InterBytesPerSecond, r.Profile.MemoryBytes = nil, nil,
		nil
	if p, err := Predict(r); err != nil || p.Fits != nil {
		t.Errorf("one device: %v, fits %v", err, p.Fits)
	}
}

// A device without published steps is known less well than one with.
func TestUnseenDevicesHaveWiderIntervals(t *testing.T) {
	width := func(name string) float64 {
		r := Run{
			Profile: found(t, name), Shape: t5(768, 3072, 12, 12, 12),
			Workload: flops.Workload{Batch: 32, EncoderLength: 512, DecoderLength: 128},
			Layout:   flops.Layout{MicroBatch: 32},
		}
		p, err := Predict(r)
		if err != nil {
			t.Fatal(err)
		}
		return math.Log(p.StepSeconds.High / p.StepSeconds.Low)
	}
	if seen, unseen := width("a100"), width("mi300x"); unseen <= seen {
		t.Errorf("A100 %.3f, MI300X %.3f", seen, unseen)
	}
}

// A small model's step on a large device is bound by launches, a large one's by compute; a compiled
// graph helps the first.
func TestWhatBinds(t *testing.T) {
	r := Run{
		Profile: found(t, "h100"), Shape: t5(256, 1024, 4, 4, 4),
		Workload: flops.Workload{Batch: 1, EncoderLength: 128, DecoderLength: 32},
	}
	small, err := Predict(r)
	if err != nil {
		t.Fatal(err)
	}
	r.Shape, r.Workload = t5(4096, 10240, 64, 24, 24),
		flops.Workload{Batch: 64, EncoderLength: 512, DecoderLength: 128}
	large, err := Predict(r)
	if err != nil {
		t.Fatal(err)
	}
	if small.Bound != LaunchBound || large.Bound != ComputeBound {
		t.Errorf("bound by %s and %s; want launches and compute", small.Bound, large.Bound)
	}
}
