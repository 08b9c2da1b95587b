package flops

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func randomExecution(t *rapid.T) Execution {
	return Execution{
		Precision:      Precision(rapid.IntRange(0, len(precisionNames)-1).Draw(t, "precision")),
		Optimizer:      Optimizer(rapid.IntRange(0, len(optimizerNames)-1).Draw(t, "optimizer")),
		Recompute:      Recompute(rapid.IntRange(0, len(recomputeNames)-1).Draw(t, "recompute")),
		Attention:      Attention(rapid.IntRange(0, 1).Draw(t, "attention")),
		Dropout:        rapid.Bool().Draw(t, "dropout"),
		NativeLogits:   rapid.Bool().Draw(t, "native_logits"),
		WorkspaceBytes: float64(rapid.IntRange(0, 1<<20).Draw(t, "workspace")),
	}
}

// randomLayout draws a layout that fits the shape and the workload, and changes both so that more
// layouts do.
func randomLayout(t *rapid.T, s *shapes.Shape, w *Workload) Layout {
	l := Layout{
		DP: rapid.IntRange(1, 4).Draw(t, "dp"), TP: rapid.SampledFrom([]int{1, 2, 4}).Draw(t, "tp"),
		PP:               rapid.IntRange(1, s.Encoder.Layers+s.Decoder.Layers).Draw(t, "pp"),
		ZeRO:             rapid.IntRange(0, 3).Draw(t, "zero"),
		Accumulate:       rapid.IntRange(1, 5).Draw(t, "accumulate"),
		SequenceParallel: rapid.Bool().Draw(t, "sequence_parallel"),
	}
	for _, k := range []*shapes.Stack{&s.Encoder, &s.Decoder} {
		k.Heads *= l.TP
		k.KVHeads *= l.TP
		k.DFF *= l.TP
	}
	if !s.CrossAttention() && l.PP > 1 && rapid.Bool().Draw(t, "interleaved") {
		l.Interleave = rapid.IntRange(2, 3).Draw(t, "interleave")
		s.Encoder.Layers *= l.PP * l.Interleave
		s.Decoder.Layers *= l.PP * l.Interleave
		l.Accumulate *= l.PP
	}
	w.Batch *= l.DP * l.Accumulate
	w.EncoderLength *= 4
	w.DecoderLength *= 4
	for _, stack := range []*shapes.Stack{&s.Encoder, &s.Decoder} {
		if stack.Position == shapes.Learned && stack.Layers > 0 {
			stack.Positions *= 4
		}
	}
	if err := l.Validate(s, *w); err != nil {
		t.Fatalf("layout does not fit: %v", err)
	}
	return l
}

// A sum over fewer tensors may round differently; no property needs more.
const roundingSlack = 1 + 1e-9

func draw(t *rapid.T) (shapes.Shape, Workload, Execution, Layout) {
	s, w, x := randomShape(t), randomWorkload(t), randomExecution(t)
	return s, w, x, randomLayout(t, &s, &w)
}

func train(t *rapid.T, s shapes.Shape, w Workload, x Execution, l Layout) Memory {
	m, err := TrainingMemory(&s, w, x, l)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMemoryIsSane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w, x, l := draw(t)
		m := train(t, s, w, x, l)
		peak := 0.0
		for p, phase := range m.Phases {
			for part, b := range phase {
				if !(b >= 0) || math.IsInf(b, 0) {
					t.Fatalf("%s: %s is %v", Phase(p), MemoryPart(part), b)
				}
			}
			peak = max(peak, phase.total())
		}
		if m.PeakBytes != peak || m.Peak.total() != m.PeakBytes || m.Peak != m.Phases[m.PeakPhase] {
			t.Fatalf("peak %v, phases reach %v", m.PeakBytes, peak)
		}
		if static := m.Layers.Bytes() + m.Outside.Bytes() + x.WorkspaceBytes; !approx.Close(
			static, m.StaticBytes, 1e-9*static) {
			t.Fatalf("static %v, parts %v", m.StaticBytes, static)
		}
	})
}

// One device without parallelism holds exactly the parameters of the shape.
func TestMemoryHoldsEveryParameter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := randomShape(t), randomWorkload(t)
		m := train(t, s, w, randomExecution(t), Layout{})
		if got, want := m.Layers.Parameters+m.Outside.Parameters, float64(CountParameters(&s).Total); got != want {
			t.Fatalf("%v parameters on the device, %v in the shape", got, want)
		}
	})
}

// Pipeline stages together hold every parameter, tables and heads that are copied apart, and every
// layer once.
func TestPipelineHoldsEveryLayer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := randomShape(t), randomWorkload(t)
		l := randomLayout(t, &s, &w).For(w)
		var encoder, decoder span
		for r := range l.PP {
			e, d := l.spans(&s, r)
			if e.layers+d.layers == 0 {
				t.Fatalf("stage %d of %d holds no layer", r, l.PP)
			}
			encoder.layers, encoder.sparse = encoder.layers+e.layers, encoder.sparse+e.sparse
			decoder.layers, decoder.sparse = decoder.layers+d.layers, decoder.sparse+d.sparse
		}
		for _, part := range []struct {
			got  span
			want *shapes.Stack
		}{{encoder, &s.Encoder}, {decoder, &s.Decoder}} {
			if part.got.layers != part.want.Layers || part.got.sparse != part.want.SparseLayers() {
				t.Fatalf("stages hold %d layers (%d sparse) of %d (%d)", part.got.layers,
					part.got.sparse, part.want.Layers, part.want.SparseLayers())
			}
		}
	})
}

func TestMemoryIsMonotone(t *testing.T) {
	grow := map[string]func(*shapes.Shape, *Workload){
		"batch":          func(_ *shapes.Shape, w *Workload) { w.Batch *= 2 },
		"encoder layers": func(s *shapes.Shape, _ *Workload) { s.Encoder.Layers += min(1, s.Encoder.Layers) },
		"decoder layers": func(s *shapes.Shape, _ *Workload) { s.Decoder.Layers += min(1, s.Decoder.Layers) },
		"vocabulary":     func(s *shapes.Shape, _ *Workload) { s.Vocab += 100 },
	}
	for name, more := range grow {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s, w, x, l := draw(t)
				// more layers move stage borders; more batch must reach the micro-batch
				l.PP, l.Interleave, l.Accumulate = 1, 1, 1
				if name == "vocabulary" && (x.Optimizer == Adafactor || x.Optimizer == Adam8bit) {
					// those keep less state for a table that crosses their size limit
					x.Optimizer = Adam
				}
				before := train(t, s, w, x, l)
				more(&s, &w)
				if after := train(t, s, w, x, l); after.PeakBytes*roundingSlack < before.PeakBytes {
					t.Fatalf("peak fell from %v to %v", before.PeakBytes, after.PeakBytes)
				}
			})
		})
	}
}

func TestZeRONeverIncreases(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w, x, l := draw(t)
		last := math.Inf(1)
		for l.ZeRO = 0; l.ZeRO <= 3; l.ZeRO++ {
			m := train(t, s, w, x, l)
			if m.PeakBytes > last*roundingSlack {
				t.Fatalf("stage %d needs %v, the stage before %v", l.ZeRO, m.PeakBytes, last)
			}
			last = m.PeakBytes
		}
	})
}

func TestRecomputeNeverIncreases(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w, x, l := draw(t)
		last := math.Inf(1)
		for x.Recompute = RecomputeNone; x.Recompute <= RecomputeFull; x.Recompute++ {
			m := train(t, s, w, x, l)
			if m.PeakBytes > last*roundingSlack {
				t.Fatalf("%s needs %v, the mode before %v", x.Recompute, m.PeakBytes, last)
			}
			last = m.PeakBytes
		}
	})
}

func TestSplittingNeverIncreasesActivations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w, x, l := draw(t)
		l.PP, l.Interleave, l.SequenceParallel = 1, 1, false
		split := train(t, s, w, x, l)
		l.SequenceParallel = true
		sequence := train(t, s, w, x, l)
		l.TP, l.SequenceParallel = 1, false
		single := train(t, s, w, x, l)
		held := func(m Memory) float64 { return m.Phases[ForwardEnd][ActivationBytes] }
		if held(split) > held(single)*roundingSlack || held(sequence) > held(split)*roundingSlack {
			t.Fatalf(
				"activations %v on one device, %v tensor parallel, %v with sequence parallelism",
				held(single), held(split), held(sequence))
		}
	})
}

// Any numbers at all give a result or an InvalidError, never a panic.
func TestMemoryRefusesWhatDoesNotFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := randomShape(t), randomWorkload(t)
		some := func(name string) int {
			return rapid.SampledFrom([]int{-1, 0, 1, 2, 3, 7, 1 << 21, math.MaxInt}).Draw(t, name)
		}
		w.Batch = some("batch")
		l := Layout{
			DP: some("dp"), TP: some("tp"), PP: some("pp"), ZeRO: some("zero"),
			MicroBatch: some("micro_batch"), Accumulate: some("accumulate"),
			Interleave: some("interleave"), SequenceParallel: rapid.Bool().Draw(t,
				"sequence_parallel"),
		}
		_, err := TrainingMemory(&s, w, Execution{}, l)
		var invalid *shapes.InvalidError
		if err != nil && !errors.As(err, &invalid) {
			t.Fatalf("untyped error: %v", err)
		}
		if _, err = DecodingMemory(&s, w, Execution{}, l); err != nil && !errors.As(err, &invalid) {
			t.Fatalf("untyped error: %v", err)
		}
	})
}

// The total of a candidate shape is free of allocations: recommend asks for a million of them.
func TestMemoryDoesNotAllocate(t *testing.T) {
	s := t5(12, 12, 768, 3072, 64, 12)
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := TrainingMemory(&s, PaperWorkload, Execution{Optimizer: Adafactor}, Layout{DP: 16}); err != nil {
			t.Fatal(err)
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations", allocations)
	}
}

func BenchmarkTrainingMemory(b *testing.B) {
	s := t5(12, 12, 768, 3072, 64, 12)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := TrainingMemory(&s, PaperWorkload, Execution{Optimizer: Adafactor}, Layout{DP: 16}); err != nil {
			b.Fatal(err)
		}
	}
}

// Bytes returns the sum of the four.
func (s Static) Bytes() float64 { return s.Weights + s.Gradients + s.Master + s.Optimizer }
