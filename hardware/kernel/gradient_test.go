package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
	"pgregory.net/rapid"
)

// tiny returns a T5 v1.0 shape small enough for finite differences of every weight.
func tiny() shapes.Shape {
	k := shapes.Stack{
		Layers: 2, DFF: 7, Activation: shapes.ReLU, DKV: 3, Heads: 2, KVHeads: 2,
		Position: shapes.Relative, Positions: 8, FinalNorm: true,
	}
	return shapes.Shape{
		Name: "tiny", Family: shapes.T5, DModel: 5, Vocab: 11, Encoder: k,
		Decoder: k, Head: shapes.HeadTied,
	}
}

// gated returns the v1.1 variant: gated GELU and a head of its own.
func gated(s shapes.Shape) shapes.Shape {
	s.Head = shapes.HeadUntied
	for _, k := range []*shapes.Stack{&s.Encoder, &s.Decoder} {
		k.Gated, k.Activation = true, shapes.GELU
	}
	return s
}

// randomBatch draws a batch; with masks, about a third of inputs and targets are padding and the
// last sequence has no inputs at all.
func randomBatch(o Options, vocab int, seed uint64, masks bool) *Batch {
	r := rand.New(rand.NewPCG(seed, 1))
	b := &Batch{
		Inputs:  make([]int32, o.Batch*o.EncoderLength),
		Targets: make([]int32, o.Batch*o.DecoderLength),
	}
	for i := range b.Inputs {
		b.Inputs[i] = int32(r.IntN(vocab))
	}
	for i := range b.Targets {
		b.Targets[i] = int32(r.IntN(vocab))
	}
	if masks {
		b.InputMask, b.TargetLoss = make([]bool, len(b.Inputs)), make([]bool, len(b.Targets))
		for i := range b.InputMask {
			b.InputMask[i] = i < len(b.Inputs)-o.EncoderLength && r.IntN(3) > 0
		}
		for i := range b.TargetLoss {
			b.TargetLoss[i] = i == 0 || r.IntN(3) > 0
		}
	}
	return b
}

func mustNew(t testing.TB, s shapes.Shape, o Options) *Model {
	t.Helper()
	m, err := New(&s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// gradientTolerance is the bound on the relative error of a tensor's gradient. Rounding in
// float32 leaves about 1e-6.
const gradientTolerance = 1e-4

// differenceStep balances truncation (step²) against cancellation (2⁻⁵²/step) of central
// differences: both near 1e-11.
const differenceStep = 1e-5

// relativeNorm returns |a − b| / |b|, or |a| where b is zero.
func relativeNorm(a, b []float64) float64 {
	difference, size := 0.0, 0.0
	for i := range a {
		difference += (a[i] - b[i]) * (a[i] - b[i])
		size += b[i] * b[i]
	}
	if size == 0 {
		return math.Sqrt(difference)
	}
	return math.Sqrt(difference / size)
}

func float64s(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// checkGradients compares every element of every gradient with central differences of the twin's
// loss.
func checkGradients(t *testing.T, s shapes.Shape, o Options, b *Batch) {
	t.Helper()
	m := mustNew(t, s, o)
	r, err := m.differentiate(b)
	if err != nil {
		t.Fatal(err)
	}
	w := newTwin(m, b)
	if want := w.loss(); !approx.Relative(r.Loss, want, gradientTolerance) {
		t.Errorf("loss %v, the float64 twin has %v", r.Loss, want)
	}
	for _, tensor := range m.Tensors {
		values := w.tensor[tensor.Name]
		want := make([]float64, len(values))
		for i, v := range values {
			values[i] = v + differenceStep
			above := w.loss()
			values[i] = v - differenceStep
			want[i] = (above - w.loss()) / (2 * differenceStep)
			values[i] = v
		}
		if e := relativeNorm(float64s(tensor.Gradient), want); !(e <= gradientTolerance) {
			t.Errorf("%s: relative error %.2g\n got %v\nwant %v", tensor.Name, e, tensor.Gradient,
				want)
		}
	}
}

func TestGradientsMatchFiniteDifferences(t *testing.T) {
	o := Options{Batch: 3, EncoderLength: 5, DecoderLength: 4, Threads: 2, Seed: 7}
	asymmetric := tiny()
	asymmetric.Encoder.Layers, asymmetric.Decoder.Layers = 3, 1
	asymmetric.Decoder.Heads, asymmetric.Decoder.KVHeads, asymmetric.Decoder.DKV,
		asymmetric.Decoder.DFF = 3, 3, 5, 4
	untied := tiny()
	untied.Head = shapes.HeadUntied
	for _, c := range []struct {
		name   string
		shape  shapes.Shape
		masks  bool
		change func(o *Options)
	}{
		{"tied relu", tiny(), false, func(*Options) {}},
		{"masks", tiny(), true, func(*Options) {}},
		{"untied relu", untied, false, func(*Options) {}},
		{"gated", gated(tiny()), true, func(*Options) {}},
		{"asymmetric", asymmetric, true, func(*Options) {}},
		{"z-loss", tiny(), false, func(o *Options) { o.ZLoss = 0.1 }},
		{"recompute", gated(tiny()), true, func(o *Options) { o.Recompute = RecomputeFull }},
		{"plain Go", gated(tiny()), true, func(o *Options) { o.Path = isa.Generic.String() }},
		{"one position", tiny(), false, func(o *Options) { o.Batch, o.EncoderLength, o.DecoderLength = 1, 1, 1 }},
	} {
		if testing.Short() && !c.masks {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			o := o
			c.change(&o)
			checkGradients(t, c.shape, o, randomBatch(o, c.shape.Vocab, 3, c.masks))
		})
	}
}

// smallestGradient is the share of the whole gradient's norm below which a tensor is not compared:
// drawn shapes include such where a small gradient is what is left of larger terms that cancel,
// with their rounding.
const smallestGradient = 1e-3

// For shapes and masks as they come: the loss is the twin's, and along each tensor's gradient g the
// loss rises by |g| a unit.
func TestGradientsOfDrawnShapes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := DrawShape(t)
		o := DrawOptions(t)
		b := DrawBatch(t, &s, o)
		checkAlong(t, s, o, b, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "tensor") })
	})
}

// A drawn case that failed once: with two tokens in 33 the loss of one target runs over a kink of
// ReLU between the two steps of the difference, which is then no derivative.
func TestGradientBesideAKink(t *testing.T) {
	stack := func(layers, ff, kv, buckets int) shapes.Stack {
		return shapes.Stack{
			Layers: layers, DFF: ff, Activation: shapes.ReLU, DKV: kv, Heads: 1, KVHeads: 1,
			Position: shapes.Relative, Positions: buckets, FinalNorm: true,
		}
	}
	s := shapes.Shape{
		Name: "drawn", DModel: 16, Vocab: 65, Encoder: stack(2, 64, 8, 32),
		Decoder: stack(3, 1, 3, 8),
	}
	o := Options{
		Batch: 2, EncoderLength: 33, DecoderLength: 1, Threads: 2, Recompute: RecomputeFull,
		Seed: 0x27bd07,
	}
	b := &Batch{
		Inputs: []int32{
			59, 0, 45, 56, 4, 29, 1, 12, 5, 64, 40, 2, 44, 40, 0, 49, 11, 26, 1, 21, 31, 28, 0, 18,
			55, 7, 12, 19, 0, 47, 5, 1, 33, 49, 55, 6, 25, 64, 2, 2, 6, 20, 0, 53, 14, 32, 0, 63,
			39, 56, 6, 64, 0, 26, 20, 13, 1, 0, 62, 0, 7, 12, 1, 10, 1, 60,
		},
		Targets: []int32{10, 1},
	}
	checkAlong(t, s, o, b, func(int) int { return 1 })
}

// failer is a test, drawn or named.
type failer interface {
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

// checkAlong compares the norm of one tensor's gradient with the rise of the twin's loss along it.
func checkAlong(t failer, s shapes.Shape, o Options, b *Batch, pick func(tensors int) int) {
	m, err := New(&s, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = m.Close() }()
	r, err := m.differentiate(b)
	if err != nil {
		t.Fatal(err)
	}
	w := newTwin(m, b)
	if want := w.loss(); !approx.Close(r.Loss, want, gradientTolerance*(1+want)) {
		t.Errorf("loss %v, the float64 twin has %v", r.Loss, want)
	}
	tensor := m.Tensors[pick(len(m.Tensors))]
	g, values := float64s(tensor.Gradient), w.tensor[tensor.Name]
	norm := relativeNorm(g, make([]float64, len(g)))
	if norm < smallestGradient*r.GradientNorm {
		return
	}
	at := func(step float64) float64 {
		for i, v := range tensor.Values {
			values[i] = float64(v) + step*g[i]/norm
		}
		return w.loss()
	}
	along := func(step float64) float64 { return (at(step) - at(-step)) / (2 * step) }
	want := along(differenceStep)
	if closer := along(differenceStep / 10); !approx.Relative(
		closer, want, gradientTolerance/10) {
		// a kink of ReLU, or a norm of next to nothing, within the step: the differences are no
		// derivative
		return
	}
	if !approx.Relative(norm, want, gradientTolerance) {
		t.Errorf("%s: gradient %v along itself, differences give %v", tensor.Name, norm, want)
	}
}

// The norm is gathered piece by piece along the backward pass; here it is taken of everything at
// the end.
func TestGradientNormCoversEveryTensor(t *testing.T) {
	for _, s := range []shapes.Shape{small(), gated(small())} {
		m := mustNew(t, s, smallBatch)
		r, err := m.differentiate(randomBatch(smallBatch, s.Vocab, 1, true))
		if err != nil {
			t.Fatal(err)
		}
		var sum float64
		for i := range m.Tensors {
			for _, v := range m.Tensors[i].Gradient {
				sum += float64(v) * float64(v)
			}
		}
		if want := math.Sqrt(sum); !approx.Relative(r.GradientNorm, want, gradientTolerance) {
			t.Errorf("%s: norm %v, of all tensors %v", s.Name, r.GradientNorm, want)
		}
	}
}
