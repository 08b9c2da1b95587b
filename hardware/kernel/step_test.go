package kernel

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// small returns a shape whose matrices span several register tiles and are multiples of none.
func small() shapes.Shape {
	k := shapes.Stack{
		Layers: 2, DFF: 99, Activation: shapes.ReLU, DKV: 17, Heads: 3, KVHeads: 3,
		Position: shapes.Relative, Positions: 32, FinalNorm: true,
	}
	s := shapes.Shape{
		Name: "small", Family: shapes.T5, DModel: 65, Vocab: 131, Encoder: k,
		Decoder: k, Head: shapes.HeadTied,
	}
	s.Decoder.Layers = 3
	return s
}

var smallBatch = Options{Batch: 3, EncoderLength: 33, DecoderLength: 23, Seed: 5}

// stepsOf trains n steps on random batches and returns the losses with the model.
func stepsOf(t *testing.T, s shapes.Shape, o Options, n int) (*Model, []float64) {
	t.Helper()
	m := mustNew(t, s, o)
	var losses []float64
	for i := range n {
		r, err := m.Step(randomBatch(o, s.Vocab, uint64(i), true), 1e-3)
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, r.Loss)
	}
	return m, losses
}

// pathTolerance is the bound on a tensor's relative difference between two instruction
// paths after one step.
const pathTolerance = 1e-4

// pathRate is a usual rate for Adam. Its first step moves every weight by the rate, also those
// whose gradient is nothing but rounding, which then differ by twice the rate between paths: at
// 1e-3 these alone make 4e-4 of a tensor.
const pathRate = 1e-4

func TestStepOnEveryPathMatchesPlainGo(t *testing.T) {
	for _, s := range []shapes.Shape{small(), gated(small())} {
		o := smallBatch
		o.Path = isa.Generic.String()
		plain := mustNew(t, s, o)
		b := randomBatch(o, s.Vocab, 2, true)
		if _, err := plain.Step(b, pathRate); err != nil {
			t.Fatal(err)
		}
		for _, path := range isa.Supported()[1:] {
			o.Path = path.String()
			m := mustNew(t, s, o)
			if _, err := m.Step(b, pathRate); err != nil {
				t.Fatal(err)
			}
			for n, tensor := range m.Tensors {
				want := &plain.Tensors[n]
				if e := relativeNorm(float64s(tensor.Gradient), float64s(want.Gradient)); !(e <= pathTolerance) {
					t.Errorf("%s: gradient of %s differs by %.2g", path, tensor.Name, e)
				}
				if e := relativeNorm(float64s(tensor.Values), float64s(want.Values)); !(e <= pathTolerance) {
					t.Errorf("%s: %s differs by %.2g after the step", path, tensor.Name, e)
				}
			}
		}
	}
}

func TestStepsDoNotDependOnThreads(t *testing.T) {
	for _, optimizer := range []Optimizer{Adam, Adafactor} {
		o := smallBatch
		o.Optimizer = optimizer
		o.Threads = 1
		one, want := stepsOf(t, small(), o, 4)
		for _, threads := range []int{2, 3} {
			o.Threads = threads
			m, got := stepsOf(t, small(), o, 4)
			if !slices.Equal(got, want) {
				t.Errorf("%s on %d threads: losses %v, on one %v", optimizer, threads, got, want)
			}
			if !slices.Equal(m.weights, one.weights) {
				t.Errorf("%s on %d threads: weights differ", optimizer, threads)
			}
		}
	}
}

// Recompute repeats the same arithmetic, so nothing may change.
func TestRecomputeChangesNothing(t *testing.T) {
	o := smallBatch
	kept, want := stepsOf(t, gated(small()), o, 3)
	o.Recompute = RecomputeFull
	m, got := stepsOf(t, gated(small()), o, 3)
	if !slices.Equal(got, want) || !slices.Equal(m.weights, kept.weights) {
		t.Errorf("losses %v with recompute, %v without", got, want)
	}
	if m.ArenaBytes()[ActivationMemory] >= kept.ArenaBytes()[ActivationMemory] {
		t.Errorf("activations take %d bytes with recompute, %d without",
			m.ArenaBytes()[ActivationMemory], kept.ArenaBytes()[ActivationMemory])
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	for _, optimizer := range []Optimizer{Adam, Adafactor} {
		o := smallBatch
		o.Optimizer = optimizer
		m := mustNew(t, gated(small()), o)
		b := randomBatch(o, small().Vocab, 1, true)
		if n := testing.AllocsPerRun(3, func() { _, _ = m.Step(b, 1e-3) }); n != 0 {
			t.Errorf("%s: %v allocations a step", optimizer, n)
		}
	}
}

// Nothing attends to padding: what stands there must not change the loss.
func TestPaddingIsNotSeen(t *testing.T) {
	o := smallBatch
	m := mustNew(t, small(), o)
	b := randomBatch(o, m.shape.Vocab, 4, true)
	want, err := m.Evaluate(b)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for i, seen := range b.InputMask {
		if !seen {
			b.Inputs[i] = int32(r.IntN(m.shape.Vocab))
		}
	}
	got, err := m.Evaluate(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.Loss != want.Loss {
		t.Errorf("loss %v, before the padding changed %v", got.Loss, want.Loss)
	}
}

func TestNonFiniteIsReported(t *testing.T) {
	nan, infinite := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		tensor string
		value  float32
	}{
		{"shared.weight", nan},
		{"encoder.block.0.layer.0.SelfAttention.q.weight", infinite},
		{"decoder.block.1.layer.2.DenseReluDense.wo.weight", nan},
		{"decoder.final_layer_norm.weight", nan},
	} {
		m := mustNew(t, small(), smallBatch)
		m.tensor(c.tensor).Values[3] = c.value
		before := slices.Clone(m.weights)
		_, err := m.Step(randomBatch(smallBatch, m.shape.Vocab, 1, false), 1e-3)
		var bad *NonFiniteError
		if !errors.As(err, &bad) || bad.Where != "weight "+c.tensor || bad.Index != 3 {
			t.Errorf("%s: error %v", c.tensor, err)
		}
		if m.Steps() != 0 || !sameBits(m.weights, before) {
			t.Errorf("%s: the weights changed", c.tensor)
		}
	}
}

// An overflow inside the network starts from finite weights.
func TestOverflowIsReported(t *testing.T) {
	m := mustNew(t, small(), smallBatch)
	matrix := m.tensor("encoder.block.0.layer.1.DenseReluDense.wo.weight").Values
	for i := range matrix {
		matrix[i] = math.MaxFloat32 / 2
	}
	_, err := m.Step(randomBatch(smallBatch, m.shape.Vocab, 1, false), 1e-3)
	var bad *NonFiniteError
	if !errors.As(err, &bad) || bad.Where != "input of encoder layer 1" {
		t.Errorf("error %v, want a *NonFiniteError in the input of encoder layer 1", err)
	}
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func TestBatchesThatDoNotFit(t *testing.T) {
	m := mustNew(t, small(), smallBatch)
	for name, change := range map[string]func(b *Batch){
		"short inputs":  func(b *Batch) { b.Inputs = b.Inputs[1:] },
		"long targets":  func(b *Batch) { b.Targets = append(b.Targets, 0) },
		"high token":    func(b *Batch) { b.Inputs[4] = int32(m.shape.Vocab) },
		"low token":     func(b *Batch) { b.Targets[4] = -1 },
		"short mask":    func(b *Batch) { b.InputMask = b.InputMask[1:] },
		"short loss":    func(b *Batch) { b.TargetLoss = b.TargetLoss[1:] },
		"nothing to do": func(b *Batch) { clear(b.TargetLoss) },
	} {
		b := randomBatch(smallBatch, m.shape.Vocab, 1, true)
		change(b)
		var bad *BatchError
		if _, err := m.Step(b, 1e-3); !errors.As(err, &bad) {
			t.Errorf("%s: error %v, want a *BatchError", name, err)
		}
	}
}

func TestUnsupportedShapesAreRefused(t *testing.T) {
	for field, change := range map[string]func(s *shapes.Shape){
		"encoder.kv_heads":   func(s *shapes.Shape) { s.Encoder.Heads, s.Encoder.KVHeads = 4, 2 },
		"norm":               func(s *shapes.Shape) { s.Norm = shapes.LayerNorm },
		"decoder.position":   func(s *shapes.Shape) { s.Decoder.Position, s.Decoder.Positions = shapes.Rotary, 0 },
		"encoder.activation": func(s *shapes.Shape) { s.Encoder.Gated = true },
		"layers":             func(s *shapes.Shape) { s.Encoder = shapes.Stack{} },
		"decoder.positions":  func(s *shapes.Shape) { s.Decoder.Positions = 2 },
	} {
		s := small()
		change(&s)
		_, err := New(&s, smallBatch)
		var refused *UnsupportedError
		if !errors.As(err, &refused) || refused.Obstacles[0].Field != field {
			t.Errorf("%s: error %v", field, err)
		}
	}
	for _, name := range []string{
		"t5-small", "t5-v1_1-base", "byt5-small", "mt5-small",
		"t5-efficient-tiny-nl32",
	} {
		s, err := shapes.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := Supported(&s); err != nil {
			t.Error(err)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	s := small()
	for _, o := range []Options{
		{EncoderLength: 1, DecoderLength: 1},
		{Batch: 1, DecoderLength: 1},
		{Batch: 1, EncoderLength: 1},
		{Batch: 1, EncoderLength: 1, DecoderLength: 1, Threads: -1},
		{Batch: 1, EncoderLength: 1, DecoderLength: 1, Recompute: 9},
		{Batch: mostRows, EncoderLength: 2, DecoderLength: 1},
	} {
		var bad *OptionError
		if _, err := New(&s, o); !errors.As(err, &bad) {
			t.Errorf("%+v: error %v, want an *OptionError", o, err)
		}
	}
	huge := s
	huge.Encoder.Layers, huge.Encoder.DFF = 1<<13, 1<<22
	huge.Name = "huge"
	var bad *OptionError
	if _, err := New(&huge, Options{Batch: 1 << 10, EncoderLength: mostPositions, DecoderLength: 1}); !errors.As(err, &bad) {
		t.Errorf("a step beyond all memory: error %v", err)
	}
	var unknown *isa.OverrideError
	if _, err := New(&s, Options{Batch: 1, EncoderLength: 1, DecoderLength: 1, Path: "neon"}); !errors.As(err, &unknown) {
		t.Errorf("unknown path: error %v", err)
	}
	var r Recompute
	var o Optimizer
	if r.UnmarshalText([]byte("full")) != nil || r != RecomputeFull ||
		o.UnmarshalText([]byte("adafactor")) != nil || o != Adafactor {
		t.Errorf("names are read as %s and %s", r, o)
	}
	if o.UnmarshalText([]byte("sgd")) == nil || fmt.Sprint(Optimizer(9)) != "invalid(9)" {
		t.Error("an unknown optimizer has a name")
	}
}

// Rows of the bucket rule worked out by hand from its formula: with 32 buckets an encoder has 16 a
// side, 8 of them exact, and distance 16 falls in 8 + ⌊ln(2)/ln(16)·8⌋ = 10; a decoder has 16 exact
// ones and distance 32 falls in 16 + ⌊ln(2)/ln(8)·16⌋ = 21.
func TestBuckets(t *testing.T) {
	for _, c := range []struct {
		distance int
		causal   bool
		want     int
	}{
		{0, false, 0},
		{-3, false, 3},
		{3, false, 19},
		{-16, false, 10},
		{16, false, 26},
		{-1000, false, 15},
		{1000, false, 31},
		{0, true, 0},
		{5, true, 0},
		{-5, true, 5},
		{-32, true, 21},
		{-1000, true, 31},
	} {
		if got := bucket(c.distance, 32, c.causal); got != c.want {
			t.Errorf("distance %d, causal %t: bucket %d, want %d", c.distance, c.causal, got,
				c.want)
		}
	}
}
