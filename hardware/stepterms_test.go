package hardware

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// termShape is the model of the cases below: d = 512, i = 8·64 = 512, k = 2·64 = 128, f = 1,024.
func termShape() shapes.Shape {
	k := shapes.Stack{
		Layers: 2, DFF: 1024, Activation: shapes.ReLU, DKV: 64, Heads: 8, KVHeads: 2,
		Position: shapes.Relative, Positions: 32, FinalNorm: true,
	}
	return shapes.Shape{DModel: 512, Vocab: 1024, Encoder: k, Decoder: k}
}

// termSlice is 4 sequences of 256 positions: t = 1,024; cross-attention reads 4 × 64.
var termSlice = slice{batch: 4, length: 256, sources: 64, tp: 1, spread: 1}

// smooth is the toy without tiles in waves, at which a product takes its FLOPs over the rate.
func smooth() Machine {
	m := toy()
	m.units = 0
	return m
}

func expect(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !equal(got, want) {
		t.Errorf("%s: %g, by hand %g", what, got, want)
	}
}

// Bytes of element-wise work of one layer and forward pass, elements of 2 bytes: norm and residual
// move five tensors of t·d, dropout two more, rotary positions two of t·(i + k), a feed-forward
// each of its matrices' t·f.
func TestLayerBytesByHand(t *testing.T) {
	const (
		tokens  = 1024.0
		between = 2 * 5 * tokens * 512
		dropped = 2 * 2 * tokens * 512
		rotary  = 2 * 2 * tokens * (512 + 128)
		hidden  = 2 * tokens * 1024 // of each matrix
	)
	for name, c := range map[string]struct {
		edit           func(*Machine, *shapes.Stack, *slice)
		attention, ffn float64
	}{
		"plain": {nil, between, between + 2*hidden},
		"dropout": {
			func(m *Machine, _ *shapes.Stack, _ *slice) { m.dropout = true },
			between + dropped, between + dropped + 2*hidden,
		},
		"rotary": {
			func(_ *Machine, k *shapes.Stack, _ *slice) { k.Position = shapes.Rotary },
			between + rotary, between + 2*hidden,
		},
		"gated": {
			func(_ *Machine, k *shapes.Stack, _ *slice) { k.Gated = true },
			between, between + 3*hidden,
		},
		"float32": {
			func(m *Machine, _ *shapes.Stack, _ *slice) { m.compute = 4 },
			2 * between, 2 * (between + 2*hidden),
		},
		// sequence parallelism splits what lies between products, tensor parallelism heads and f
		"tp 2, sequence parallel": {
			func(m *Machine, k *shapes.Stack, w *slice) {
				m.dropout, w.tp, w.spread = true, 2, 2
				k.Position = shapes.Rotary
			},
			(between + dropped + rotary) / 2, (between+dropped)/2 + 2*hidden/2,
		},
	} {
		s, m, w := termShape(), smooth(), termSlice
		if c.edit != nil {
			c.edit(&m, &s.Decoder, &w)
		}
		cost := m.layer(&s, &s.Decoder, w, true, false)
		expect(t, name+", attention", cost[0].bytes, c.attention)
		expect(t, name+", feed-forward", cost[2].bytes, c.ffn)
		cross := between
		if m.dropout {
			cross += dropped
		}
		expect(t, name+", cross-attention", cost[1].bytes, cross*m.compute/2/w.spread)
	}
}

// Kernels of one forward pass: 12 of attention, 4 more where nothing is fused, one more for the
// second source of cross-attention; 7 of a feed-forward, 2 more for a gate, 2 more for a router.
func TestLayerKernelsByHand(t *testing.T) {
	for name, c := range map[string]struct {
		unfused, gated, sparse bool
		want                   [3]float64
	}{
		"plain":   {want: [3]float64{12, 13, 7}},
		"unfused": {unfused: true, want: [3]float64{16, 17, 7}},
		"gated":   {gated: true, want: [3]float64{12, 13, 9}},
		"sparse":  {sparse: true, want: [3]float64{12, 13, 9}},
		"all":     {true, true, true, [3]float64{16, 17, 11}},
	} {
		s, m := termShape(), smooth()
		m.unfused, s.Decoder.Gated = c.unfused, c.gated
		s.Decoder.Experts, s.Decoder.ActiveExperts = 8, 2
		cost := m.layer(&s, &s.Decoder, termSlice, true, c.sparse)
		for i, want := range c.want {
			if cost[i].kernels != want {
				t.Errorf("%s: %g kernels of piece %d, by hand %g", name, cost[i].kernels, i, want)
			}
		}
	}
}

// Products of one layer at 100 TFLOP/s, t = 1,024 rows: queries, keys and values 512 → 768, output
// 512 → 512; cross-attention 512 → 512 and, of 256 source rows, 512 → 256, output 512 → 512;
// feed-forward 512 → 1,024 (2,048 when gated) and back.
func TestLayerProductsByHand(t *testing.T) {
	product := func(m, n, k float64) float64 { return 2 * m * n * k / 1e14 }
	s, m := termShape(), smooth()
	m.stream = math.Inf(1)
	cost := m.layer(&s, &s.Decoder, termSlice, true, false)
	expect(t, "attention", cost[0].matmul, product(1024, 768, 512)+product(1024, 512, 512))
	expect(t, "cross", cost[1].matmul,
		product(1024, 512, 512)+product(256, 256, 512)+product(1024, 512, 512))
	expect(t, "feed-forward", cost[2].matmul, product(1024, 1024, 512)+product(1024, 512, 1024))
	s.Decoder.Gated = true
	cost = m.layer(&s, &s.Decoder, termSlice, true, false)
	expect(t, "gated", cost[2].matmul, product(1024, 2048, 512)+product(1024, 512, 1024))
	// 8 experts of which each token visits 2: 256 rows of each, and the router's 512 → 8, padded to
	// a tile of 16.
	s.Decoder.Gated, s.Decoder.Experts, s.Decoder.ActiveExperts = false, 8, 2
	cost = m.layer(&s, &s.Decoder, termSlice, true, true)
	expect(t, "sparse", cost[2].matmul, product(1024, 16, 512)+
		8*(product(256, 1024, 512)+product(256, 512, 1024)))
	// One of two tensor-parallel devices has half of i, k and f.
	w := termSlice
	w.tp = 2
	s.Decoder.Experts, s.Decoder.ActiveExperts = 0, 0
	cost = m.layer(&s, &s.Decoder, w, true, false)
	expect(t, "half of attention", cost[0].matmul,
		product(1024, 384, 512)+product(1024, 512, 256))
	expect(t, "half of the feed-forward", cost[2].matmul,
		product(1024, 512, 512)+product(1024, 512, 512))
	for i := range cost {
		expect(t, "all-reduced bytes", cost[i].gathers, 2*1024*512)
	}
}

// A sublayer of 1 s of products, 2 s of core, 3 s of element-wise traffic and 4 s of scores. A
// training step is a forward pass and a backward pass of two, of the fused core two and a half;
// full recomputation adds one forward pass of everything, selective one of the core and its scores.
func TestPassesByHand(t *testing.T) {
	piece := sublayer{matmul: 1, core: 2, bytes: 3e12, scores: 4e12}
	for name, c := range map[string]struct {
		recompute            flops.Recompute
		unfused              bool
		matmul, core, vector float64
	}{
		"fused":              {flops.RecomputeNone, false, 3, 2 * 3.5, 3*3 + 4*3.5},
		"fused, selective":   {flops.RecomputeSelective, false, 3, 2 * 4.5, 3*3 + 4*4.5},
		"fused, full":        {flops.RecomputeFull, false, 4, 2 * 4.5, 3*4 + 4*4.5},
		"unfused":            {flops.RecomputeNone, true, 3, 2 * 3, 3*3 + 4*3},
		"unfused, selective": {flops.RecomputeSelective, true, 3, 2 * 4, 3*3 + 4*4},
		"unfused, full":      {flops.RecomputeFull, true, 4, 2 * 4, 3*4 + 4*4},
	} {
		m := toy()
		m.recompute, m.unfused = c.recompute, c.unfused
		b := m.tune(&piece, 1, all)
		expect(t, name+": products", b.matmul, c.matmul)
		expect(t, name+": core", b.core, c.core)
		expect(t, name+": element-wise", b.vector, c.vector)
	}
	// Software moves element-wise tensors more often, not the scores.
	m := toy()
	m.traffic = 2
	b := m.tune(&piece, 1, all)
	expect(t, "traffic 2: element-wise", b.vector, 2*3*3+4*3.5)
	f := m.forward(&piece, 1)
	expect(t, "forward: element-wise", f.vector, 2*3+4)
	expect(t, "forward: products and core", f.matmul+f.core, 1+2)
}

// Launches show where they exceed the work: 10 kernels of 1 ms in three passes, four with full
// recomputation; beside work of the same length the two make 2^¼ of it.
func TestLaunchesByHand(t *testing.T) {
	m := toy()
	m.launch = 1e-3
	idle := m.tune(&sublayer{kernels: 10}, 1, all)
	expect(t, "nothing but launches", idle.launch, 0.03)
	m.recompute = flops.RecomputeFull
	idle = m.tune(&sublayer{kernels: 10}, 1, all)
	expect(t, "full recomputation", idle.launch, 0.04)
	m.recompute = flops.RecomputeNone
	busy := m.tune(&sublayer{matmul: 0.01, kernels: 10}, 1, all)
	expect(t, "as much work", busy.launch, 0.03*(math.Pow(2, 0.25)-1))
}

// Collectives of a sublayer in a training step: a forward and a backward all-reduce of 800 MB over
// 8 devices are twice 2·7/8 of it at 100 GB/s; full recomputation makes three. Experts exchange 7/8
// of their bytes as often. What is hidden does not show.
func TestSublayerCollectivesByHand(t *testing.T) {
	piece := sublayer{gathers: 8e8, shuffles: 8e8}
	m := toy()
	m.experts = 8
	for name, c := range map[string]struct {
		recompute flops.Recompute
		times     float64
	}{
		"none": {flops.RecomputeNone, 2}, "selective": {flops.RecomputeSelective, 2},
		"full": {flops.RecomputeFull, 3},
	} {
		m.recompute = c.recompute
		b := m.tune(&piece, 8, all)
		expect(t, name+": tensor", b.tensor, c.times*2*7e8/1e11)
		m.tensorExposed = 0.5
		expect(t, name+": half exposed", m.tune(&piece, 8, all).tensor, c.times*7e8/1e11)
		m.tensorExposed = 1
		// a stride of 1: the experts' group lies within the node
		expect(t, name+": experts", m.tune(&piece, 1, all).expert, c.times*7e8/1e11)
	}
	// Keys and values that two devices share go round three times, four with full recomputation
	// less half: rounds = collectives/2 + 2.
	m.contexts, m.recompute = 2, flops.RecomputeNone
	expect(t, "context", m.tune(&sublayer{exchange: 8e8}, 1, all).tensor, 3*4e8/1e11)
	m.recompute = flops.RecomputeFull
	expect(t, "context, full", m.tune(&sublayer{exchange: 8e8}, 1, all).tensor, 3.5*4e8/1e11)
}

// Bytes that one update moves per parameter. Mixed precision reads a 4-byte gradient, reads and
// writes a 4-byte master and writes a 2-byte copy: 14; then each optimizer's state.
func TestOptimizerTrafficByHand(t *testing.T) {
	for _, c := range []struct {
		optimizer          flops.Optimizer
		mixed, single, bf6 float64
	}{
		{flops.SGD, 14, 12, 6},
		{flops.SGDMomentum, 14 + 8, 12 + 8, 6 + 4},         // one state, read and written
		{flops.Adam, 14 + 16, 12 + 16, 6 + 8},              // two states
		{flops.Adafactor, 14 + 12, 12 + 12, 6 + 6},         // the gradient three times more
		{flops.Adam8bit, 14 + 4, 12 + 4, 6 + 4},            // two states of one byte
		{flops.Muon, 14 + 8 + 20, 12 + 8 + 40, 6 + 4 + 20}, // one state, ten working copies
	} {
		for precision, want := range map[flops.Precision]float64{
			flops.BF16Mixed: c.mixed, flops.FP16Mixed: c.mixed, flops.FP32: c.single,
			flops.PureBF16: c.bf6,
		} {
			if got := updateBytes(c.optimizer, precision.Bytes()); got != want {
				t.Errorf("%v in %v: %g bytes, by hand %g", c.optimizer, precision, got, want)
			}
		}
	}
}

// What stands outside the layers, in three passes of 4 sequences of 256 and 64 positions: 1,280
// embedded tokens of 512, moved three times; logits of 256 rows over a vocabulary of 1,024, each of
// 2 bytes with a copy of 4; the pooler's one product of 4 rows, an MLM head's of 256.
func TestOutsideByHand(t *testing.T) {
	w := flops.Workload{Batch: 4, EncoderLength: 256, DecoderLength: 64}
	const (
		embedded = 3 * 2 * 1280.0 * 512
		logits   = (2 + 4) * 256.0 * 1024
	)
	head := 2 * 256.0 * 1024 * 512 / 1e14
	m := smooth()
	run := func(edit func(*shapes.Shape)) blockTime {
		s := termShape()
		if edit != nil {
			edit(&s)
		}
		return m.outside(&s, w, 1)
	}
	plain := run(nil)
	expect(t, "products", plain.matmul, 3*max(head, 2*(256*512+512*1024+256*1024)/1e12))
	expect(t, "element-wise", plain.vector, 3*(embedded+logits)/1e12)
	pooled := run(func(s *shapes.Shape) { s.Pooler = true })
	// four rows against a 512² matrix: reading the matrix takes longer than multiplying by it
	expect(t, "pooler", pooled.matmul-plain.matmul, 3*2*(512.0*512+2*4*512)/1e12)
	m.launch = 1
	expect(t, "launches", run(nil).launch, added(plain.matmul+plain.vector, 3*7))
	m.launch = 0
	// A classification head writes no logits: only the embedding's traffic is left.
	bare := run(func(s *shapes.Shape) { s.Head = shapes.HeadNone })
	expect(t, "no head", bare.matmul, 0)
	expect(t, "no head: element-wise", bare.vector, 3*embedded/1e12)
	// tensor parallelism splits a vocabulary that is padded to whole tiles of every device: 1,024
	// over 16 are tiles of 128, twice the 64 that it needs.
	s := termShape()
	m.stream = math.Inf(1)
	expect(t, "a padded shard", m.outside(&s, w, 16).matmul, 3*2*256.0*128*512/1e14)
	// An MLM head has a dense layer before the vocabulary.
	s.Decoder, s.Head = shapes.Stack{}, shapes.HeadMLM
	alone := flops.Workload{Batch: 4, EncoderLength: 256}
	expect(t, "MLM", m.outside(&s, alone, 1).matmul,
		3*2*1024.0*512*(1024+512)/1e14)
}

// Convolutions that feed a stack: audio of 80 channels by a window of 3 at twice the positions,
// then 512 by 3; patches of 16 × 16 × 3.
func TestFrontendByHand(t *testing.T) {
	m, s := smooth(), termShape()
	m.stream, m.alignMin = math.Inf(1), 1
	k := shapes.Stack{Frontend: shapes.Frontend{Kind: shapes.Audio, Channels: 80}}
	// k is padded to 256 of 240
	expect(t, "audio", m.frontend(&s, &k, 1024),
		2*2048.0*512*256/1e14+2*1024.0*512*(3*512)/1e14)
	k.Frontend = shapes.Frontend{Kind: shapes.Patches, Patch: 16, Channels: 3}
	expect(t, "patches", m.frontend(&s, &k, 1024), 2*1024.0*512*768/1e14)
	// two convolutions that a front end lists: 512 outputs of 64 inputs by 10 taps at 4 rows a
	// position, and 768 of 512 by 2 at one
	k.Frontend = shapes.Frontend{Kind: shapes.Convolved, Convs: [shapes.MaxConvs]shapes.Conv{
		{In: 64, Out: 512, Taps: 10, Rate: 4}, {In: 512, Out: 768, Taps: 2, Rate: 1},
	}}
	expect(t, "convolutions", m.frontend(&s, &k, 1024),
		2*1024.0*4*512*640/1e14+2*1024.0*768*1024/1e14)
	expect(t, "tokens", m.frontend(&s, &shapes.Stack{}, 1024), 0)
	expect(t, "nothing to embed", m.frontend(&s, &k, 0), 0)
}

// A micro-batch of 1,024 positions sends 2·1,024·512 bytes on and their gradient back, once for
// each chunk of a stage, between nodes at 10 GB/s and inside one at 100.
func TestTransfersByHand(t *testing.T) {
	s := termShape()
	w := flops.Workload{Batch: 4, EncoderLength: 256, DecoderLength: 64}
	const bytes = 2 * 2 * 1024.0 * 512
	m := toy()
	m.latency = 1e-3
	for name, c := range map[string]struct {
		layout flops.Layout
		want   float64
	}{
		"inside":     {flops.Layout{DP: 1, TP: 1, PP: 4, Interleave: 1}, 2e-3 + bytes/1e11},
		"between":    {flops.Layout{DP: 4, TP: 1, PP: 4, Interleave: 1}, 2e-3 + bytes/1e10},
		"two chunks": {flops.Layout{DP: 4, TP: 1, PP: 4, Interleave: 2}, 2 * (2e-3 + bytes/1e10)},
		// eight devices, whichever axes they are on, are one node
		"dp and pp":   {flops.Layout{DP: 2, TP: 1, PP: 4, Interleave: 1}, 2e-3 + bytes/1e11},
		"tp and pp":   {flops.Layout{DP: 1, TP: 2, PP: 4, Interleave: 1}, 2e-3 + bytes/2/1e11},
		"split by tp": {flops.Layout{DP: 1, TP: 4, PP: 4, Interleave: 1}, 2e-3 + bytes/4/1e10},
	} {
		expect(t, name, m.transfer(&s, w, c.layout), c.want)
	}
	m.dataExposed = 0.25
	expect(t, "a quarter shows",
		m.transfer(&s, w, flops.Layout{DP: 1, TP: 1, PP: 4, Interleave: 1}),
		0.25*(2e-3+bytes/1e11))
	m.contexts, m.dataExposed = 2, 1
	expect(t, "half of each sequence",
		m.transfer(&s, w, flops.Layout{DP: 1, TP: 1, PP: 4, Interleave: 1}),
		2e-3+bytes/2/1e11)
}

// What a step adds to its work: the optimizer's bytes of the parameters that a device updates, the
// fixed cost, and a share of all of it for every doubling of the nodes.
func TestStepExtrasByHand(t *testing.T) {
	s := termShape()
	w := flops.Workload{Batch: 32, EncoderLength: 256, DecoderLength: 64}
	m := toy()
	m.optimizerBytes, m.fixed, m.scaleLoss = 30, 0.5, 0.01
	params := float64(flops.CountParameters(&s).Total)
	one := m.step(&s, w, flops.Layout{}.For(w))
	expect(t, "optimizer", one[optimizerUpdate], 30*params/1e12)
	expect(t, "fixed", one[fixedCost], 0.5)
	expect(t, "one node", one[stragglers], 0)

	sharded := m.step(&s, w, flops.Layout{DP: 32, ZeRO: 1}.For(w))
	expect(t, "optimizer of a shard", sharded[optimizerUpdate], 30*params/32/1e12)
	all := sharded.total() - sharded[stragglers]
	expect(t, "four nodes", sharded[stragglers], 0.01*2*all)
	replicated := m.step(&s, w, flops.Layout{DP: 32}.For(w))
	expect(t, "optimizer of a replica", replicated[optimizerUpdate], 30*params/1e12)
	split := m.step(&s, w, flops.Layout{TP: 2, PP: 2}.For(w))
	expect(t, "optimizer of a quarter", split[optimizerUpdate], 30*params/4/1e12)

	// On a torus the parameters are split within a slice of 8 only.
	m.axes, m.wraps = 2, true
	torus := m.step(&s, w, flops.Layout{DP: 32, ZeRO: 1}.For(w))
	expect(t, "optimizer in a slice", torus[optimizerUpdate], 30*params/8/1e12)

	m = toy()
	m.fixed, m.slowdown = 0.5, 3
	slow := m.step(&s, w, flops.Layout{}.For(w))
	expect(t, "three times as slow", slow[fixedCost], 1.5)
}

// The slowest of unequal stages sets the pace: 2 + 2 layers over two stages, of which the last has
// the head.
func TestSlowestStageByHand(t *testing.T) {
	m, s := toy(), termShape()
	got := m.slowestStage(&s, flops.Layout{PP: 2, Interleave: 1}, 3, 5, 10)
	expect(t, "encoder, then decoder and head", got, 2*5+10)
	got = m.slowestStage(&s, flops.Layout{PP: 2, Interleave: 1}, 30, 5, 10)
	expect(t, "a slow encoder", got, 2*30)
}

// Every constant has its place in the machine: with all at 1 but one, that one moves what it says
// by its own factor, and nothing else.
func TestConstantsByHand(t *testing.T) {
	p := found(t, "h100") // eager, measured in bf16 and fp8, 132 units
	x := flops.Execution{Optimizer: flops.Adam, Attention: flops.UnfusedAttention}
	var plain Constants
	for i := range plain {
		plain[i] = 1
	}
	yes := true
	for _, c := range []struct {
		constant Constant
		software Software
		of       func(*Machine) float64
		base     float64
	}{
		{MatmulShare, Software{}, func(m *Machine) float64 { return m.rate }, p.Measured[BF16].Value},
		{DeviceRate, Software{}, func(m *Machine) float64 { return m.headRate }, p.Measured[BF16].Value},
		{FP8Share, Software{Matmul: FP8}, func(m *Machine) float64 { return m.rate }, p.Measured[FP8].Value},
		{MatmulShare, Software{}, func(m *Machine) float64 { return m.slowRate }, 67e12},
		{BandwidthShare, Software{}, func(m *Machine) float64 { return m.stream }, 3.35e12},
		{SaturationDepth, Software{}, func(m *Machine) float64 { return m.saturation }, 1},
		{WaveQuantisation, Software{}, func(m *Machine) float64 { return m.quantise }, 1},
		{WaveTail, Software{}, func(m *Machine) float64 { return m.tail }, 1},
		{FusedCore, Software{}, func(m *Machine) float64 { return m.fusedCore }, 1},
		{HopperCore, Software{}, func(m *Machine) float64 { return m.fusedCore }, 1},
		{UnfusedCore, Software{}, func(m *Machine) float64 { return m.unfusedCore }, 1},
		{ScorePasses, Software{}, func(m *Machine) float64 { return m.scorePasses }, 1},
		{EagerTraffic, Software{}, func(m *Machine) float64 { return m.traffic }, 1},
		{EagerLaunch, Software{}, func(m *Machine) float64 { return m.launch }, 1},
		{EagerFixed, Software{}, func(m *Machine) float64 { return m.fixed }, 1},
		{CompiledTraffic, Software{Compiled: &yes}, func(m *Machine) float64 { return m.traffic }, 1},
		{CompiledLaunch, Software{Compiled: &yes}, func(m *Machine) float64 { return m.launch }, 1},
		{CompiledFixed, Software{Compiled: &yes}, func(m *Machine) float64 { return m.fixed }, 1},
		{IntraShare, Software{}, func(m *Machine) float64 { return m.intra }, 450e9},
		{InterShare, Software{}, func(m *Machine) float64 { return m.inter }, 50e9},
		{DataExposed, Software{}, func(m *Machine) float64 { return m.dataExposed }, 1},
		{TensorExposed, Software{}, func(m *Machine) float64 { return m.tensorExposed }, 1},
		{ScaleLoss, Software{}, func(m *Machine) float64 { return m.scaleLoss }, 1},
		{OptimizerTraffic, Software{}, func(m *Machine) float64 { return m.optimizerBytes }, 30},
		{SoftwareTime, Software{}, func(m *Machine) float64 { return m.slowdown }, 1},
	} {
		for _, factor := range [...]float64{1, 0.5} {
			values := plain
			values[c.constant] = factor
			m, err := NewMachineWith(&p, x, c.software, &values)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, c.constant.String(), c.of(&m), factor*c.base)
		}
	}
}
