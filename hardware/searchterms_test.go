package hardware

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func TestDivisorsByHand(t *testing.T) {
	for n, want := range map[int][]int{
		1: {1}, 7: {1, 7}, 12: {1, 2, 3, 4, 6, 12}, 16: {1, 2, 4, 8, 16}, 36: {1, 2, 3, 4, 6, 9, 12, 18, 36},
		// 30 divisors: powers of two and the number itself
		720: {1, 2, 4, 8, 16, 720},
	} {
		if diff := cmp.Diff(want, divisors(n)); diff != "" {
			t.Errorf("%d (-by hand +got):\n%s", n, diff)
		}
	}
}

// Every layout that is tried takes all the devices, splits no more heads and layers than there are
// and no batch that does not divide, and uses each axis that the shape allows.
func TestLayoutsByHand(t *testing.T) {
	decoder := shapes.Shape{
		DModel: 64, Vocab: 64, Decoder: shapes.Stack{
			Layers: 4, DFF: 128, DKV: 16, Heads: 4, KVHeads: 4, Positions: 64,
			Position: shapes.Learned, FinalNorm: true,
		},
	}
	both := decoder
	both.Encoder = both.Decoder
	for name, c := range map[string]struct {
		shape              shapes.Shape
		contexts           int
		encoder, length    int
		interleaved, split bool
	}{
		"decoder":             {decoder, 1, 0, 64, true, true},
		"encoder and decoder": {both, 1, 64, 64, false, true},
		"two contexts":        {decoder, 2, 0, 64, true, true},
		"a length of 31":      {decoder, 1, 0, 31, true, false},
		"a source of 31":      {both, 1, 31, 64, false, false},
	} {
		r := Run{
			Profile: found(t, "a100"), Shape: c.shape,
			Workload: flops.Workload{Batch: 24, EncoderLength: c.encoder, DecoderLength: c.length},
		}
		m := toy()
		m.contexts = c.contexts
		seen := map[string]bool{}
		for l := range layouts(&r, 16, &m) {
			if l.Devices()*c.contexts != 16 {
				t.Errorf("%s: %+v takes %d devices", name, l, l.Devices()*c.contexts)
			}
			if l.TP > 4 || l.TP > m.domain || l.PP > c.shape.Encoder.Layers+4 || 24%l.DP != 0 {
				t.Errorf("%s: %+v", name, l)
			}
			if l.DP*l.MicroBatch*l.Accumulate != 24 {
				t.Errorf("%s: %+v is not the batch", name, l)
			}
			if l.ZeRO > 0 && l.DP == 1 || l.ZeRO > 1 && l.PP > 1 {
				t.Errorf("%s: %+v splits nothing", name, l)
			}
			if l.SequenceParallel != (l.TP > 1 && c.split) {
				t.Errorf("%s: %+v, sequence %d", name, l, c.length)
			}
			if l.Interleave > 1 && (!c.interleaved || l.PP == 1) {
				t.Errorf("%s: %+v is interleaved", name, l)
			}
			seen["tp"] = seen["tp"] || l.TP == 4
			seen["pp"] = seen["pp"] || l.PP == 4
			seen["dp"] = seen["dp"] || l.DP == 8
			seen["zero 3"] = seen["zero 3"] || l.ZeRO == 3
			seen["zero 1 of stages"] = seen["zero 1 of stages"] || l.ZeRO == 1 && l.PP > 1
			seen["interleave"] = seen["interleave"] || l.Interleave == 4
			seen["micro-batch"] = seen["micro-batch"] || l.MicroBatch == 3 && l.DP == 8
		}
		for _, axis := range []string{"tp", "pp", "dp", "zero 3", "zero 1 of stages", "micro-batch"} {
			if !seen[axis] {
				t.Errorf("%s: %s is not tried", name, axis)
			}
		}
		if seen["interleave"] != c.interleaved {
			t.Errorf("%s: interleaved %t", name, seen["interleave"])
		}
	}
}

// The parts of a step, longest first, without what takes no time, and the limit that most of the
// time belongs to.
func TestPartsByHand(t *testing.T) {
	var s stepTime
	s[encoderFFN], s[decoderFFN], s[vectorWork], s[fixedCost] = 1, 2, 4, 0.5
	list, bound := s.parts()
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	want := []string{
		"element-wise work", "decoder feed-forward", "encoder feed-forward", "per-step overhead",
	}
	if !slices.Equal(names, want) || bound != BandwidthBound {
		t.Errorf("%v, bound by %s", names, bound)
	}
	s[dataCollectives], s[pipelineTransfers] = 3, 3
	if _, bound = s.parts(); bound != NetworkBound {
		t.Errorf("bound by %s with 6 of network", bound)
	}
	s[launches] = 6.5
	if _, bound = s.parts(); bound != LaunchBound {
		t.Errorf("bound by %s with 7 of launches", bound)
	}
	s[encoderAttention] = 5
	if _, bound = s.parts(); bound != ComputeBound {
		t.Errorf("bound by %s with 8 of compute", bound)
	}
}

// A collective that moves nothing takes a start for each doubling of its devices; one of fully
// sharded weights is made for every layer.
func TestLatencyByHand(t *testing.T) {
	m := toy()
	m.latency, m.gatherExposed = 1e-3, 1
	expect(t, "start of 8", m.start(8), 3e-3)
	expect(t, "gather", m.gather(8e8, 8, 1), 3e-3+7e8/1e11)
	expect(t, "nothing to move", m.gather(0, 8, 1), 0)
	expect(t, "one device", m.gather(8e8, 1, 1), 0)
	// weights of 2 bytes: 3 collectives of 12 layers for each of 5 micro-batches
	expect(t, "zero 3", m.dataParallel(1e8, 0, 8, 1, 3, 5, 12, 0), 3*5*(2e8*7/8/1e11+12*3e-3))
	// 32 chips in slices of 8: within a slice as before, across four of them one all-reduce of an
	// eighth of the weights
	m.axes, m.wraps = 2, true
	expect(t, "zero 3 over slices", m.dataParallel(1e8, 0, 32, 1, 3, 5, 12, 0),
		3*5*(2e8*7/8/1e11+12*3e-3)+1e-3+2*2e8/8*3/4/1e10)
	// half of what is hidden shows, as the fourth-power sum of it and the pass
	m.axes, m.gatherExposed, m.latency = 0, 0.5, 0
	c := 3 * 2e8 * 7 / 8 / 1e11
	expect(t, "half exposed behind as long a pass", m.dataParallel(1e8, 0, 8, 1, 3, 1, 12, c/2),
		c/2+c/2*(math.Pow(2, 0.25)-1))
	// gradients hide behind the backward pass, two thirds of the time
	m.dataExposed = 0
	g := 2 * 4e8 * 7 / 8 / 1e11
	expect(t, "gradients", m.dataParallel(1e8, 0, 8, 1, 0, 1, 12, 1.5*g), g*(math.Pow(2, 0.25)-1))
}

// Every axis of a layout takes devices, and devices fill nodes of 8.
func TestNodesByHand(t *testing.T) {
	s := termShape()
	w := flops.Workload{Batch: 32, EncoderLength: 256, DecoderLength: 64}
	for name, c := range map[string]struct {
		layout    flops.Layout
		contexts  int
		doublings float64
	}{
		"dp":            {flops.Layout{DP: 16}, 1, 1},
		"tp":            {flops.Layout{DP: 4, TP: 4}, 1, 1},
		"pp":            {flops.Layout{DP: 8, PP: 4}, 1, 2},
		"contexts":      {flops.Layout{DP: 8}, 4, 2},
		"all":           {flops.Layout{DP: 2, TP: 2, PP: 2}, 4, 2},
		"a node":        {flops.Layout{DP: 2, TP: 2, PP: 2}, 1, 0},
		"a part of one": {flops.Layout{DP: 2}, 1, 0},
	} {
		m := toy()
		m.scaleLoss, m.contexts = 0.5, c.contexts
		step := m.step(&s, w, c.layout.For(w))
		rest := step.total() - step[stragglers]
		expect(t, name, step[stragglers], 0.5*c.doublings*rest)
	}
	// links are asked for from two devices on, and those between nodes from nine on
	m := toy()
	m.intra, m.inter = 0, 0
	for name, c := range map[string]struct {
		layout   flops.Layout
		contexts int
		want     string
	}{
		"one": {flops.Layout{}, 1, ""}, "dp 2": {flops.Layout{DP: 2}, 1, "intra_link"},
		"tp 2": {flops.Layout{TP: 2}, 1, "intra_link"}, "pp 2": {flops.Layout{PP: 2}, 1, "intra_link"},
		"contexts 2": {flops.Layout{}, 2, "intra_link"},
	} {
		m.contexts = c.contexts
		if got := m.linksNeeded(c.layout.For(w)); got != c.want {
			t.Errorf("%s: %q is asked for, want %q", name, got, c.want)
		}
	}
	m.contexts, m.intra = 1, 1e11
	for devices, want := range map[int]string{8: "", 16: "inter_link"} {
		if got := m.linksNeeded(flops.Layout{DP: devices}.For(w)); got != want {
			t.Errorf("%d devices: %q is asked for, want %q", devices, got, want)
		}
	}
}

// A product that misses the alignment of 8 keeps 0.4^((1 − log₂ g/3)²) of its rate, g the power of
// two that divides both dimensions.
func TestAlignmentByHand(t *testing.T) {
	m := toy()
	for _, c := range []struct {
		n, k int
		want float64
	}{
		{512, 512, 1},
		{520, 8, 1},
		{513, 512, 0.4},
		{512, 513, 0.4},
		{514, 512, math.Pow(0.4, 4.0/9)},
		{514, 516, math.Pow(0.4, 4.0/9)},
		{516, 512, math.Pow(0.4, 1.0/9)},
		{516, 514, math.Pow(0.4, 4.0/9)},
	} {
		expect(t, "aligned", m.alignedRate(c.n, c.k, 1e14), c.want*1e14)
	}
	m.slowRate = 0 // a systolic array pads instead
	expect(t, "systolic", m.alignedRate(513, 511, 1e14), 1e14)
}

// Casts to fp8 move 4 bytes of each element of a product's input: of d and i an attention, of each
// expert's rows and hidden elements a feed-forward; they are made in every pass.
func TestCastsByHand(t *testing.T) {
	m, s := smooth(), termShape()
	m.cast = 4
	cost := m.layer(&s, &s.Decoder, termSlice, true, false)
	expect(t, "attention", cost[0].casts, 4*1024*(512+512))
	expect(t, "feed-forward", cost[2].casts, 4*1024*(512+1024))
	s.Decoder.Experts, s.Decoder.ActiveExperts = 8, 2
	cost = m.layer(&s, &s.Decoder, termSlice, true, true)
	expect(t, "sparse", cost[2].casts, 4*8*256*(512+1024))
	piece := sublayer{casts: 2e12}
	m.traffic = 5 // which casts do not grow with
	expect(t, "three passes", m.tune(&piece, 1, all).vector, 3*2)
	m.recompute = flops.RecomputeFull
	expect(t, "four passes", m.tune(&piece, 1, all).vector, 4*2)
	p := found(t, "h100")
	for format, want := range map[Precision]float64{FP8: 4, "": 0} {
		got, err := NewMachine(&p, flops.Execution{}, Software{Matmul: format})
		if err != nil || got.cast != want {
			t.Errorf("%q: %g bytes a cast, by hand %g (%v)", format, got.cast, want, err)
		}
	}
}

// A device without measured products has the mean share of its family: an H100 PCIe that of three
// Hoppers in bf16, an L40S, of a family that nobody measured, the general one.
func TestCeilingsByHand(t *testing.T) {
	for alias, want := range map[string]float64{
		"h100-pcie": (794.5/989 + 828.6/989 + 794.5/989) / 3,
		"rtx3090":   (271.2/312 + 271.2/312 + 252.9/312) / 3,
		"l40s":      0.8, "h100": 794.5 / 989, "tpu-v4": 0.95,
	} {
		p := found(t, alias)
		expect(t, alias, ceiling(&p, BF16), want)
	}
}

// What no fit has seen is at its prior with the prior's spread: a family and device of their own, a
// stack and a place that nobody names, a host.
func TestUnseenEffectsByHand(t *testing.T) {
	p := Profile{Name: "new", Device: "new", Class: Class{}}
	p.Class.Family = "new"
	c := Shipped(&p, Software{})
	if c.Constants[DeviceRate] != 1 || c.Constants[SoftwareTime] != 1 {
		t.Errorf("effects %g and %g", c.Constants[DeviceRate], c.Constants[SoftwareTime])
	}
	expect(t, "device", c.Covariance[DeviceRate][DeviceRate], 0.08*0.08+0.05*0.05+0.27*0.27)
	expect(t, "software", c.Covariance[SoftwareTime][SoftwareTime],
		0.08*0.08+0.05*0.05+0.085*0.085+0.27*0.27)
	known := found(t, "a100")
	seen := Shipped(&known, Software{})
	if seen.Covariance[DeviceRate][DeviceRate] >= 0.05*0.05+0.08*0.08 {
		t.Errorf("the A100's rate is known to %g", seen.Covariance[DeviceRate][DeviceRate])
	}
	// At a place that is described, its host is known too.
	at := ShippedAt(&known, Software{}, "anywhere")
	for constant, sd := range map[Constant]float64{
		EagerLaunch: 0.4, CompiledLaunch: 0.4, EagerFixed: 0.6, CompiledFixed: 0.6, MatmulShare: 0,
	} {
		expect(t, constant.String(), seen.Covariance[constant][constant],
			at.Covariance[constant][constant]+sd*sd)
	}
	for a := range constants {
		for b := range constants {
			if seen.Covariance[a][b] != seen.Covariance[b][a] {
				t.Errorf("the covariance of %s and %s is not symmetric", a, b)
			}
		}
	}
}

// Links by hand: on a torus of 3 axes the data-parallel group beside a tensor-parallel one has two
// of them; 16 experts over two nodes of 8 send 7 of 16 parts inside and 8 between.
func TestRatesByHand(t *testing.T) {
	m := toy()
	m.axes, m.wraps = 3, true
	expect(t, "two axes of three", m.rateInside(2, false), 1e11*2/3)
	expect(t, "all three", m.rateInside(1, false), 1e11)
	m.axes = 0
	expect(t, "a switch", m.rateInside(2, true), 1e11)
	m.experts, m.latency = 16, 1e-3
	expect(t, "experts over two nodes", m.allToAll(16e8, 1), 1e-3+7e8/1e11+8e8/1e10)
	m.experts = 8
	expect(t, "experts in a node", m.allToAll(16e8, 1), 1e-3+14e8/1e11)
	expect(t, "nothing to exchange", m.allToAll(0, 1), 0)
	m.experts = 1
	expect(t, "one group", m.allToAll(16e8, 1), 0)
	for _, c := range []struct{ n, stride, g, h int }{
		{32, 1, 8, 4}, {4, 1, 4, 1}, {16, 2, 4, 4}, {16, 8, 1, 16}, {16, 16, 1, 16}, {12, 1, 8, 2}, {3, 0, 3, 1},
	} {
		if g, h := m.levels(c.n, c.stride); g != c.g || h != c.h {
			t.Errorf("%d with stride %d: %d in each of %d nodes, by hand %d in %d", c.n, c.stride, g,
				h, c.g, c.h)
		}
	}
	m.fusedCore, m.headRate = 0.5, 2e14
	core, _ := m.coreSeconds(8, 1024, 1024, 128, false)
	expect(t, "a core at half of the head's rate", core, 4*8*1024.0*1024*128*1.25/1e14)
	b := blockTime{1, 2, 4, 8, 16, 32}
	expect(t, "all of a block", b.total(), 63)
}

// What a prediction rests on is told with its origin: how the step runs by a flag, by the device's
// facts, or by nothing; the links only where they are used.
func TestAssumptionsByOrigin(t *testing.T) {
	yes := true
	for name, c := range map[string]struct {
		edit   func(*Run)
		value  string
		origin Origin
	}{
		"facts":   {func(*Run) {}, "eager (not compiled)", DataSheet},
		"flag":    {func(r *Run) { r.Software.Compiled = &yes }, "compiled graph", Flag},
		"nothing": {func(r *Run) { r.Profile.Class = Class{} }, "eager (not compiled)", Default},
	} {
		r := planOf(found(t, "a100"))
		c.edit(&r)
		p, err := Predict(r)
		if err != nil {
			t.Fatal(err)
		}
		by := map[string]Assumption{}
		for _, a := range p.Assumptions {
			by[a.Name] = a
		}
		if a := by["execution"]; a.Value != c.value || a.Origin != c.origin {
			t.Errorf("%s: %+v", name, a)
		}
		if a := by["device memory"]; a.Origin != DataSheet || a.Source == "" {
			t.Errorf("%s: %+v", name, a)
		}
		if _, told := by["links inside a node"]; told {
			t.Errorf("%s: one device rests on links", name)
		}
	}
	for devices, between := range map[int]bool{8: false, 16: true} {
		r := planOf(found(t, "a100"))
		r.Layout.DP = devices
		p, err := Predict(r)
		if err != nil {
			t.Fatal(err)
		}
		told := map[string]bool{}
		for _, a := range p.Assumptions {
			told[a.Name] = true
		}
		if !told["links inside a node"] || told["links between nodes"] != between {
			t.Errorf("%d devices rest on %v", devices, told)
		}
	}
}

// What surviving mutants asked: tokens shared by contexts, experts that a device does not hold,
// countries alone in a quantile, and no micro-batch below 1.
func TestSharesByHand(t *testing.T) {
	m, s := smooth(), termShape()
	m.rate, m.headRate = math.Inf(1), math.Inf(1)
	w := flops.Workload{Batch: 4, EncoderLength: 256, DecoderLength: 64}
	whole := m.outside(&s, w, 1)
	m.contexts = 2
	half := m.outside(&s, w, 1)
	const logits = (2 + 4) * 256.0 * 1024
	expect(t, "embedding and logits", whole.vector, 3*(3*2*1280*512+logits)/1e12)
	expect(t, "half of both", half.vector, whole.vector/2)

	// 2 sparse layers of 8 experts of 2·512·1,024: a device of 4 groups holds a quarter of them
	s.Encoder.Experts, s.Encoder.ActiveExperts, s.Encoder.SparseEvery = 8, 1, 1
	all := float64(flops.CountParameters(&s).Total)
	m.experts = 4
	experts := 2 * 8 * 2 * 512 * 1024.0
	l := flops.Layout{DP: 4, TP: 2, PP: 1, Interleave: 1}
	expect(t, "parameters of a device", m.localParameters(&s, l), (all-experts*3/4)/2)

	least, most := math.Inf(1), 0.0
	for _, r := range Regions() {
		if r.Kind == "country" {
			least, most = min(least, r.Grid.Intensity), max(most, r.Grid.Intensity)
		}
	}
	low, high := countryQuantiles(0, 1)
	expect(t, "the cleanest country", low, least)
	expect(t, "the dirtiest country", high, most)

	r := planOf(Profile{})
	r.Layout = flops.Layout{DP: 1, PP: 2, MicroBatch: 1}
	for _, c := range candidates(&r) {
		if c.What == "micro-batch 0 instead of 1" {
			t.Error(c.What)
		}
	}
}
