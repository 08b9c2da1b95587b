package kernel

import (
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// twin is the forward pass of T5 written out in float64 scalar loops, one equation a function,
// sharing nothing with the kernel but the names of the tensors and the epsilon of the norm. Its
// finite differences are the oracle of every gradient.
type twin struct {
	s      *shapes.Shape
	tensor map[string][]float64
	batch  *Batch
	b      int
	zLoss  float64
}

func newTwin(m *Model, b *Batch) *twin {
	w := &twin{
		s: &m.shape, tensor: map[string][]float64{}, batch: b, b: m.options.Batch,
		zLoss: m.options.ZLoss,
	}
	for _, t := range m.Tensors {
		values := make([]float64, len(t.Values))
		for i, v := range t.Values {
			values[i] = float64(v)
		}
		w.tensor[t.Name] = values
	}
	return w
}

// twinEpsilon is T5's, beside the mean square under the root of a norm.
const twinEpsilon = 1e-6

// times returns x·Wᵀ for one row x.
func times(x, w []float64) []float64 {
	y := make([]float64, len(w)/len(x))
	for o := range y {
		for i, v := range x {
			y[o] += v * w[o*len(x)+i]
		}
	}
	return y
}

func (w *twin) norm(name string, x []float64) []float64 {
	scale, square := w.tensor[name], 0.0
	for _, v := range x {
		square += v * v
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v * scale[i] / math.Sqrt(square/float64(len(x))+twinEpsilon)
	}
	return y
}

// distanceBucket follows the text of Raffel et al. 2020 and T5's released code: exact up to half
// the buckets, logarithmic up to 128.
func distanceBucket(query, key, buckets int, bidirectional bool) int {
	base, n := 0, query-key
	if bidirectional {
		buckets /= 2
		if n < 0 {
			base, n = buckets, -n
		}
	} else if n < 0 {
		n = 0
	}
	half := buckets / 2
	if n < half {
		return base + n
	}
	large := half + int(math.Log(float64(n)/float64(half))/math.Log(128/float64(half))*float64(
		buckets-half))
	if large > buckets-1 {
		large = buckets - 1
	}
	return base + large
}

// attend returns W_o·attention of every query row over the key rows of one sequence.
func (w *twin) attend(
	k *shapes.Stack, name string, queries, sources [][]float64, visible func(q, s int) bool,
	bias func(h, q, s int) float64,
) [][]float64 {
	q, key, value := make([][]float64, len(queries)), make([][]float64, len(sources)),
		make([][]float64, len(sources))
	for n, x := range queries {
		q[n] = times(x, w.tensor[name+"q.weight"])
	}
	for n, x := range sources {
		key[n], value[n] = times(x, w.tensor[name+"k.weight"]), times(x, w.tensor[name+"v.weight"])
	}
	out := make([][]float64, len(queries))
	for n := range queries {
		mixed := make([]float64, k.Heads*k.DKV)
		for h := range k.Heads {
			weights, sum := make([]float64, len(sources)), 0.0
			for s := range sources {
				if !visible(n, s) {
					continue
				}
				score := bias(h, n, s)
				for c := h * k.DKV; c < (h+1)*k.DKV; c++ {
					score += q[n][c] * key[s][c]
				}
				weights[s] = math.Exp(score)
				sum += weights[s]
			}
			for s := range sources {
				if sum == 0 {
					break
				}
				for c := h * k.DKV; c < (h+1)*k.DKV; c++ {
					mixed[c] += weights[s] / sum * value[s][c]
				}
			}
		}
		out[n] = times(mixed, w.tensor[name+"o.weight"])
	}
	return out
}

func (w *twin) feedForward(k *shapes.Stack, name string, x []float64) []float64 {
	var hidden []float64
	if k.Gated {
		hidden = times(x, w.tensor[name+"wi_0.weight"])
		for i, b := range times(x, w.tensor[name+"wi_1.weight"]) {
			a := hidden[i]
			hidden[i] = 0.5 * a * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(a+0.044715*a*a*a))) * b
		}
	} else {
		hidden = times(x, w.tensor[name+"wi.weight"])
		for i, a := range hidden {
			hidden[i] = math.Max(a, 0)
		}
	}
	return times(hidden, w.tensor[name+"wo.weight"])
}

// run returns the normed output of a stack for one sequence; encoded is nil in the encoder.
func (w *twin) run(name string, k *shapes.Stack, ids []int32, visible []bool,
	encoded [][]float64,
) [][]float64 {
	x := make([][]float64, len(ids))
	for n, id := range ids {
		x[n] = append([]float64{}, w.tensor["shared.weight"][int(id)*w.s.DModel:][:w.s.DModel]...)
	}
	causal := encoded != nil
	table := w.tensor[name+".block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
	selfSees := func(q, s int) bool { return causal && s <= q || !causal && visible[s] }
	selfBias := func(h, q, s int) float64 { return table[distanceBucket(q, s, k.Positions, !causal)*k.Heads+h] }
	normed := func(norm string) [][]float64 {
		y := make([][]float64, len(x))
		for n := range x {
			y[n] = w.norm(norm, x[n])
		}
		return y
	}
	accumulate := func(y [][]float64) {
		for n := range x {
			for i, v := range y[n] {
				x[n][i] += v
			}
		}
	}
	for l := range k.Layers {
		block := fmt.Sprintf("%s.block.%d.layer.", name, l)
		y := normed(block + "0.layer_norm.weight")
		accumulate(w.attend(k, block+"0.SelfAttention.", y, y, selfSees, selfBias))
		last := block + "1."
		if causal {
			y = normed(block + "1.layer_norm.weight")
			crossSees := func(_, s int) bool { return visible[s] }
			accumulate(w.attend(k, block+"1.EncDecAttention.", y, encoded, crossSees, func(int, int, int) float64 { return 0 }))
			last = block + "2."
		}
		y = normed(last + "layer_norm.weight")
		for n := range y {
			y[n] = w.feedForward(k, last+"DenseReluDense.", y[n])
		}
		accumulate(y)
	}
	return normed(name + ".final_layer_norm.weight")
}

// loss is the mean cross-entropy, with z-loss, of the targets that count.
func (w *twin) loss() float64 {
	se, sd := len(w.batch.Inputs)/w.b, len(w.batch.Targets)/w.b
	head, scale := w.tensor["lm_head.weight"], 1.0
	if w.s.Head == shapes.HeadTied {
		head, scale = w.tensor["shared.weight"], 1/math.Sqrt(float64(w.s.DModel))
	}
	total, counted := 0.0, 0.0
	for b := range w.b {
		targets := w.batch.Targets[b*sd : (b+1)*sd]
		shifted := append([]int32{0}, targets[:sd-1]...)
		visible := make([]bool, se)
		for n := range visible {
			visible[n] = w.batch.InputMask == nil || w.batch.InputMask[b*se+n]
		}
		encoded := w.run("encoder", &w.s.Encoder, w.batch.Inputs[b*se:(b+1)*se], visible, nil)
		for n, x := range w.run("decoder", &w.s.Decoder, shifted, visible, encoded) {
			if w.batch.TargetLoss != nil && !w.batch.TargetLoss[b*sd+n] {
				continue
			}
			sum, logits := 0.0, times(x, head)
			for i := range logits {
				logits[i] *= scale
				sum += math.Exp(logits[i])
			}
			z := math.Log(sum)
			total += z - logits[targets[n]] + w.zLoss*z*z
			counted++
		}
	}
	return total / counted
}
