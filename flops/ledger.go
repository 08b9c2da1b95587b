package flops

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// Matmul is Count independent products [M×K]·[K×N] of one layer. Count is 1 for a projection over
// all tokens, B·heads for the attention core, and the active experts for a sparse feed-forward.
type Matmul struct {
	Count, M, N, K int
}

// flops returns 2·Count·M·N·K.
func (m Matmul) flops() float64 {
	return 2 * float64(m.Count) * float64(m.M) * float64(m.N) * float64(m.K)
}

// Op is one kind of operation of a stack, repeated in Layers layers. All counts are of one forward
// pass through one layer.
type Op struct {
	Name      string // e.g. "decoder.cross_attention.k"
	Component Component
	Layers    int
	Params    int64   // trainable parameters the operation owns, per layer
	Owners    int     // layers with parameters of their own, which the others repeat
	Matmul    Matmul  // zero for vector work and look-ups
	Vector    float64 // FLOPs outside matrix products: softmax, norm, activation, bias, residual
	InLayer   bool    // inside a repeated layer, as against input, final norm and head
	Sparse    bool    // only in the layers that have experts
	Core      bool    // part of softmax(QKᵀ)·V: what selective recompute repeats
	Windowed  bool    // only in the layers that have a window
	Experts   int     // weights of this many experts back one Matmul.Count of active ones; 0 = dense
}

// flops returns the matrix-product FLOPs of one forward pass through all layers.
func (o *Op) flops() float64 { return float64(o.Layers) * o.Matmul.flops() }

// Ledger lists every operation of one forward pass of a shape on a workload, in the order in which
// they run. Rows of equal layers are given once.
type Ledger []Op

// FLOPs of vector work, per element. They are conventions, not measurements: Clark et al. 2020
// (ELECTRA, arXiv 2003.10555, released counting script) price softmax and normalisation at 5 and
// GELU at 8.
const (
	softmaxFLOPs = 5
	normFLOPs    = 5
	geluFLOPs    = 8 // SiLU likewise
	reluFLOPs    = 1
	rotaryFLOPs  = 3 // two multiplications and an addition per rotated element
)

// NewLedger returns the operations of a valid shape on a valid workload.
//
// Matrix products follow the formulas of [Forward]. Embedding look-ups are free. A window of W
// positions makes S² of a layer's core S·min(S, W); see [CountParameters] for the products of latent
// attention, whose core runs on the expanded keys and values, as in training.
//
// Not modelled: dropout, padding that a kernel skips, and the capacity factor of mixture-of-experts
// routing (each token visits exactly ActiveExperts).
func NewLedger(s *shapes.Shape, w Workload) Ledger {
	b := builder{shape: s, work: w, ops: make(Ledger, 0, 48)}
	if s.Encoder.Layers > 0 {
		b.input("encoder", &s.Encoder, w.EncoderLength)
		b.layers("encoder", &s.Encoder, w.EncoderLength, encoderComponents)
	}
	if s.Decoder.Layers > 0 {
		b.input("decoder", &s.Decoder, w.DecoderLength)
		b.layers("decoder", &s.Decoder, w.DecoderLength, decoderComponents)
	}
	b.head()
	return b.ops
}

// vector returns the FLOPs outside matrix products of one forward pass.
func (l Ledger) vector() float64 {
	return l.sum(func(o *Op) float64 { return float64(o.Layers) * o.Vector })
}

func (l Ledger) sum(of func(*Op) float64) float64 {
	total := 0.0
	for i := range l {
		total += of(&l[i])
	}
	return total
}

type builder struct {
	shape  *shapes.Shape
	work   Workload
	ops    Ledger
	booked bool // the token table's parameters are on a row already
	typed  bool // the token types' are

	inLayer, sparse bool // marks of the rows being added
	tied            bool // the rows being added repeat parameters of the other stack
	owners          int  // layers with weights of their own, of the stack being added
}

func (b *builder) add(o Op) {
	o.InLayer, o.Sparse, o.Owners = b.inLayer, b.sparse, o.Layers
	if b.inLayer {
		o.Owners = min(o.Owners, b.owners)
	}
	if b.tied {
		o.Params = 0
	}
	b.ops = append(b.ops, o)
}

// input adds what happens before the first layer of a stack.
func (b *builder) input(stack string, k *shapes.Stack, length int) {
	s, d, tokens := b.shape, b.shape.WidthOf(k), b.work.Batch*length
	convs, extra := k.Frontend.Convolutions(d)
	extra += k.Extra
	switch c := k.Frontend; c.Kind {
	case shapes.Tokens:
		table := int64(0)
		switch {
		case !s.SharesTable(k):
			table = sourceTable(s)
		case !b.booked:
			table, b.booked = tokenTable(s), true
		}
		if !b.typed {
			table, b.typed = table+typeTable(s), true
		}
		b.add(Op{Name: stack + ".embedding", Component: Embedding, Layers: 1, Params: table})
	default:
		for n := range convs {
			if convs[n] != (shapes.Conv{}) {
				b.convolution(stack, c.Kind, n, &convs[n], tokens)
			}
		}
	}
	if extra > 0 {
		b.add(Op{Name: stack + ".extra", Component: FrontendInput, Layers: 1, Params: int64(extra)})
	}
	b.tied = s.TiedStacks && k == &s.Encoder
	switch n := positionParameters(s, k); k.Position {
	case shapes.Learned, shapes.Sinusoidal:
		b.add(Op{
			Name: stack + ".positions", Component: Positions, Layers: 1, Params: n,
			Vector: float64(tokens) * float64(s.InputWidth(k)),
		})
	case shapes.Relative, shapes.RelativeLayers:
		b.add(Op{Name: stack + ".relative_bias", Component: Positions, Layers: 1, Params: n})
	case shapes.Disentangled:
		b.add(Op{Name: stack + ".relative_table", Component: Positions, Layers: 1, Params: n})
	}
	b.tied = false
	if s.EmbeddingNorm {
		b.norm(stack+".embedding_norm", Embedding, 1, tokens, s.InputWidth(k), 1)
	}
	b.dense(stack, inputOf(s, k))
}

// convolution adds one convolution of a front end.
func (b *builder) convolution(stack string, kind shapes.FrontendKind, n int, c *shapes.Conv,
	tokens int,
) {
	rows := tokens * int(c.Rate)
	elements := float64(rows) * float64(c.Out)
	o := Op{
		Name: fmt.Sprintf("%s.conv%d", stack, n+1), Component: FrontendInput, Layers: 1,
		Params: convParameters(c), Matmul: Matmul{1, rows, int(c.Out), int(c.Taps) * int(c.In)},
		Vector: elements * (1 + geluFLOPs),
	}
	if kind == shapes.Patches {
		o.Name, o.Vector = stack+".patches", elements
	}
	b.add(o)
}

// dense adds the dense layers outside the stacks that run at a place.
func (b *builder) dense(name string, at shapes.Place) {
	for n := range b.shape.Dense {
		l := &b.shape.Dense[n]
		if l.At != at || l.In == 0 {
			continue
		}
		b.add(Op{
			Name: fmt.Sprintf("%s.dense%d", name, n+1), Component: denseComponent(l), Layers: 1,
			Params: denseParameters(l), Matmul: Matmul{1, b.work.rows(b.shape, at), l.Out, l.In},
		})
	}
}

// head adds the pooler, the layers of a task and the logits.
func (b *builder) head() {
	s, d, e := b.shape, b.shape.DModel, b.shape.TableWidth()
	if s.Pooler {
		pooled := s.WidthOf(&s.Encoder)
		b.add(Op{
			Name: "pooler", Component: PoolerLayer, Layers: 1, Params: int64(pooled) * int64(pooled+1),
			Matmul: Matmul{1, b.work.Batch, pooled, pooled},
		})
	}
	b.dense("head", shapes.Pooled)
	tokens := b.work.LogitTokens(s)
	if s.Head == shapes.HeadNone {
		return
	}
	params := headParameters(s)
	if s.Head == shapes.HeadMLM {
		elements := float64(tokens) * float64(e)
		transform := transformParameters(s)
		b.add(Op{
			Name: "head.transform", Component: LogitHead, Layers: 1, Params: transform,
			Matmul: Matmul{1, tokens, e, d}, Vector: elements * (1 + geluFLOPs + normFLOPs),
		})
		params -= transform
	}
	if !b.booked {
		params += tokenTable(s)
	}
	b.add(Op{
		Name: "head.logits", Component: LogitHead, Layers: 1, Params: params,
		Matmul: Matmul{1, tokens, s.Vocab, e},
	})
	b.add(Op{
		Name: "head.softmax", Component: LogitHead, Layers: 1,
		Vector: softmaxFLOPs * (float64(tokens) * float64(s.Vocab)),
	})
}
