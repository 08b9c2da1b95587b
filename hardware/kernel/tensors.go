package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/vec"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Tensor is one trained tensor with its gradient of the last step. Both are views of the model's
// memory.
type Tensor struct {
	Name     string // as Hugging Face's T5 names it
	Dims     []int  // outputs × inputs; one dimension for the scale of a norm
	Values   []float32
	Gradient []float32

	offset int     // in the flat buffers
	std    float64 // of the initial normal distribution; 0 for a scale, which starts at 1
}

func (t *Tensor) elements() int {
	n := 1
	for _, dim := range t.Dims {
		n *= dim
	}
	return n
}

// view is the tensor as the optimizers see it.
func (t *Tensor) view() vec.View {
	if len(t.Dims) == 1 {
		return vec.View{Offset: t.offset, Rows: 1, Cols: t.Dims[0]}
	}
	return vec.View{Offset: t.offset, Rows: t.Dims[0], Cols: t.Dims[1]}
}

// layoutOf lists the tensors of a shape with their offsets, and the length of the flat buffer that
// holds them. Tensors that one product reads together (q, k, v; the two halves of a gated
// feed-forward) lie side by side without a gap.
//
// The standard deviations are T5's, as its released code has them: 1 for the token table, 1/√d for
// matrices that read the residual stream, divided by √d_kv more for queries because the scores are
// not scaled, 1/√inputs for those that write to it.
func layoutOf(s *shapes.Shape) (tensors []Tensor, length int) {
	l := layout{d: s.DModel}
	d := 1 / math.Sqrt(float64(s.DModel))
	l.add("shared.weight", 1, s.Vocab, s.DModel)
	l.stack("encoder", &s.Encoder, false)
	l.stack("decoder", &s.Decoder, true)
	if s.Head == shapes.HeadUntied {
		l.add("lm_head.weight", d, s.Vocab, s.DModel)
	}
	return l.tensors, l.next
}

type layout struct {
	d       int
	tensors []Tensor
	next    int
}

// add appends a tensor that starts on a cache line.
func (l *layout) add(name string, std float64, dims ...int) {
	l.next = (l.next + alignment - 1) / alignment * alignment
	l.beside(name, std, dims...)
}

// beside appends a tensor right behind the one before.
func (l *layout) beside(name string, std float64, dims ...int) {
	t := Tensor{Name: name, Dims: dims, offset: l.next, std: std}
	l.tensors = append(l.tensors, t)
	l.next += t.elements()
}

func (l *layout) stack(name string, k *shapes.Stack, cross bool) {
	d := 1 / math.Sqrt(float64(l.d))
	for n := range k.Layers {
		block := fmt.Sprintf("%s.block.%d.layer.", name, n)
		l.attention(block+"0.SelfAttention", k)
		if n == 0 {
			l.add(block+"0.SelfAttention.relative_attention_bias.weight", d, k.Positions, k.Heads)
		}
		l.add(block+"0.layer_norm.weight", 0, l.d)
		last := 1
		if cross {
			l.attention(block+"1.EncDecAttention", k)
			l.add(block+"1.layer_norm.weight", 0, l.d)
			last = 2
		}
		ffn := fmt.Sprintf("%s%d.", block, last)
		if k.Gated {
			l.add(ffn+"DenseReluDense.wi_0.weight", d, k.DFF, l.d)
			l.beside(ffn+"DenseReluDense.wi_1.weight", d, k.DFF, l.d)
		} else {
			l.add(ffn+"DenseReluDense.wi.weight", d, k.DFF, l.d)
		}
		l.add(ffn+"DenseReluDense.wo.weight", 1/math.Sqrt(float64(k.DFF)), l.d, k.DFF)
		l.add(ffn+"layer_norm.weight", 0, l.d)
	}
	l.add(name+".final_layer_norm.weight", 0, l.d)
}

func (l *layout) attention(name string, k *shapes.Stack) {
	d, i := 1/math.Sqrt(float64(l.d)), k.Inner()
	l.add(name+".q.weight", d/math.Sqrt(float64(k.DKV)), i, l.d)
	l.beside(name+".k.weight", d, i, l.d)
	l.beside(name+".v.weight", d, i, l.d)
	l.add(name+".o.weight", 1/math.Sqrt(float64(i)), l.d, i)
}

// initialise draws the tensor's values from a stream of its own, so that tensors can be drawn in
// any order.
func (t *Tensor) initialise(seed uint64, stream int) {
	if t.std == 0 {
		for n := range t.Values {
			t.Values[n] = 1
		}
		return
	}
	r := rand.New(rand.NewPCG(seed, uint64(stream)))
	for n := range t.Values {
		t.Values[n] = float32(t.std * r.NormFloat64())
	}
}
