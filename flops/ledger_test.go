package flops

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// TestLedgerEqualsClosedForms holds the two ways of counting together. All counts of these shapes
// are integers below 2^53, so equality is exact. `go test -rapid.checks=10000 -run
// TestLedgerEqualsClosedForms ./flops` tries ten thousand.
func TestLedgerEqualsClosedForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := randomShape(t), randomWorkload(t)
		l := NewLedger(&s, w)
		p := CountParameters(&s)
		if got := parametersOf(l); got != p.Total {
			t.Fatalf("ledger has %d parameters, closed form %d", got, p.Total)
		}
		if got, want := matmulsOf(l), Forward(&s, w); got != want {
			t.Fatalf("ledger has %g forward FLOPs, closed form %g", got, want)
		}
		var by [components]int64
		core := 0.0
		for i := range l {
			by[l[i].Component] += int64(l[i].Owners) * l[i].Params
			if l[i].Core {
				core += l[i].flops()
			}
		}
		if want := CoreForward(&s, w); core != want {
			t.Fatalf("ledger has %g core FLOPs, closed form %g", core, want)
		}
		// The closed form books the token table under embedding; the ledger books it on the head of
		// a model that looks nothing up.
		looked := s.SharesTable(&s.Encoder) || s.SharesTable(&s.Decoder)
		if looked && by != p.By {
			t.Fatalf("ledger components %v, closed form %v", by, p.By)
		}
	})
}

// TestLedgerRecount compares with a recount that knows nothing of ledgers or closed forms: it walks
// every layer of ten released shapes one by one and multiplies the matrices of a textbook
// Transformer.
func TestLedgerRecount(t *testing.T) {
	w := Workload{Batch: 3, EncoderLength: 40, DecoderLength: 24}
	for name, s := range map[string]shapes.Shape{
		"tiny":       t5(4, 4, 256, 1024, 64, 4),
		"tiny-nl32":  t5(32, 32, 256, 1024, 64, 4),
		"mini":       t5(4, 4, 384, 1536, 64, 8),
		"small":      t5(6, 6, 512, 2048, 64, 8),
		"small-el32": t5(32, 6, 512, 2048, 64, 8),
		"base":       t5(12, 12, 768, 3072, 64, 12),
		"xl":         t5(24, 24, 1024, 16384, 128, 32),
		"gpt2":       gpt(12, 768, 3072, 64, 12, 50257),
		"llama2-70b": llama(80, 8192, 28672, 128, 64, 8, 32000),
		"bert-base":  bert(12, 768, 3072, 12, 30522),
	} {
		params, forward := recount(&s, w)
		if got := CountParameters(&s).Total; got != params {
			t.Errorf("%s: %d parameters, layer by layer %d", name, got, params)
		}
		if got := Forward(&s, w); got != forward {
			t.Errorf("%s: %g forward FLOPs, layer by layer %g", name, got, forward)
		}
	}
}

// recount walks a literal layer list: each entry is one tensor or one product.
func recount(s *shapes.Shape, w Workload) (params int64, forward float64) {
	tensor := func(dims ...int) {
		n := int64(1)
		for _, d := range dims {
			n *= int64(d)
		}
		params += n
	}
	matmul := func(times, m, n, k int) {
		forward += 2 * float64(times) * float64(m) * float64(n) * float64(k)
	}
	norm := func() {
		tensor(s.DModel)
		if s.Norm == shapes.LayerNorm {
			tensor(s.DModel)
		}
	}
	linear := func(rows, in, out int, bias bool) {
		tensor(in, out)
		if bias {
			tensor(out)
		}
		matmul(1, rows, out, in)
	}
	attention := func(k *shapes.Stack, from, to int) {
		d, biased := s.DModel, s.Bias == shapes.BiasAll
		linear(w.Batch*from, d, k.Heads*k.DKV, biased)
		linear(w.Batch*to, d, k.KVHeads*k.DKV, biased)
		linear(w.Batch*to, d, k.KVHeads*k.DKV, biased)
		for range w.Batch {
			for range k.Heads {
				matmul(1, from, to, k.DKV)
				matmul(1, from, k.DKV, to)
			}
		}
		linear(w.Batch*from, k.Heads*k.DKV, d, biased)
	}
	ffn := func(k *shapes.Stack, rows int) {
		biased := s.Bias == shapes.BiasAll
		linear(rows, s.DModel, k.DFF, biased)
		if k.Gated {
			linear(rows, s.DModel, k.DFF, biased)
		}
		linear(rows, k.DFF, s.DModel, biased)
	}
	stack := func(k *shapes.Stack, length int, cross bool) {
		if k.Layers == 0 {
			return
		}
		switch k.Position {
		case shapes.Relative:
			tensor(k.Positions, k.Heads)
		case shapes.Learned:
			tensor(k.Positions, s.DModel)
		}
		if s.EmbeddingNorm {
			norm()
		}
		for range k.Layers {
			norm()
			attention(k, length, length)
			if cross {
				norm()
				attention(k, length, w.EncoderLength)
			}
			norm()
			ffn(k, w.Batch*length)
		}
		if k.FinalNorm {
			norm()
		}
	}
	tensor(s.Vocab, s.DModel)
	tensor(s.TokenTypes, s.DModel)
	stack(&s.Encoder, w.EncoderLength, false)
	stack(&s.Decoder, w.DecoderLength, s.Encoder.Layers > 0)
	if s.Pooler {
		linear(w.Batch, s.DModel, s.DModel, true)
	}
	switch s.Head {
	case shapes.HeadTied:
		matmul(1, w.Batch*w.DecoderLength, s.Vocab, s.DModel)
	case shapes.HeadUntied:
		linear(w.Batch*w.DecoderLength, s.DModel, s.Vocab, false)
	}
	return params, forward
}

// TestForwardHandWorked counts one small layer of each kind by hand.
//
// d 2, f 3, one head of width 5 (i = k = 5), V 7, B 1, Se 4, Sd 3: encoder layer  2·4·(4·2·5 +
// 2·2·3) + 4·16·5 = 416 + 320 = 736 decoder layer  2·3·(6·2·5 ... ) as 2·3·(4di + 2dk + 2df) =
// 2·3·(40+20+12) = 432, plus cross keys and values 2·4·2·2·5 = 160, cores 4·9·5 + 4·3·4·5 = 420
// logits 2·3·7·2 = 84.
func TestForwardHandWorked(t *testing.T) {
	s := t5(1, 1, 2, 3, 5, 1)
	s.Vocab = 7
	w := Workload{Batch: 1, EncoderLength: 4, DecoderLength: 3}
	const want = 736 + 432 + 160 + 420 + 84
	if got := Forward(&s, w); got != want {
		t.Errorf("Forward = %g, by hand %d", got, want)
	}
	// 7·2 + (4·10 + 12 + 4) + (8·10 + 12 + 6) + 2·32 + 2·2
	const params = 14 + 56 + 98 + 64 + 4
	if got := CountParameters(&s).Total; got != params {
		t.Errorf("parameters = %d, by hand %d", got, params)
	}
}

// TestForwardInvariants: linear in batch, additive over layers, monotone in every dimension.
func TestForwardInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, w := randomShape(t), randomWorkload(t)
		for _, k := range []*shapes.Stack{&s.Encoder, &s.Decoder} {
			if k.Position == shapes.Disentangled { // its table is projected once a step
				k.Position, k.Positions = shapes.NoPosition, 0
			}
		}
		one := Forward(&s, w)
		double := w
		double.Batch *= 2
		if got := Forward(&s, double); got != 2*one {
			t.Fatalf("twice the batch costs %g, not twice %g", got, one)
		}
		for _, r := range []Recompute{RecomputeNone, RecomputeSelective, RecomputeFull} {
			if c := CountUnder(HardwareConvention, &s, w, r); c.Step < 3*one || c.Step > 4*one {
				t.Fatalf("hardware step with %s recompute is %g, forward %g", r, c.Step, one)
			}
		}
		wider := s
		wider.DModel++
		if Forward(&wider, w) < one || CountParameters(&wider).Total < CountParameters(&s).Total {
			t.Fatal("a wider model costs less")
		}
	})
}

// parametersOf returns the trainable parameters of all rows. The token table is booked on its first
// look-up, or on the head if nothing looks it up.
func parametersOf(l Ledger) int64 {
	n := int64(0)
	for i := range l {
		n += int64(l[i].Owners) * l[i].Params
	}
	return n
}

// matmulsOf returns the matrix-product FLOPs of one forward pass.
func matmulsOf(l Ledger) float64 { return l.sum((*Op).flops) }
