package hardware

import (
	"math"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// sublayer is what one repeated piece of the model costs a device in one forward pass of a
// micro-batch.
type sublayer struct {
	matmul   float64 // seconds of projections
	core     float64 // seconds of the attention core
	bytes    float64 // moved by element-wise work
	scores   float64 // of which the score matrix, which a compiler cannot fuse away
	kernels  float64
	gathers  float64 // bytes of tensor-parallel collectives (all-reduce volume)
	shuffles float64 // bytes of expert all-to-all
	casts    float64 // bytes moved by casts to the products' format, in one pass
	adapted  float64 // seconds of adapters
	unpacked float64 // bytes moved by unpacking quantised weights
	exchange float64 // bytes of keys and values that context-parallel devices hold together
}

// layerCost is the pieces of one layer: self-attention, cross-attention, feed-forward.
type layerCost [3]sublayer

// Kernels of one forward pass of a sublayer where nothing is fused but the core: norm, projections,
// core, dropout, residual. Counted from a PyTorch trace of a pre-norm block.
const (
	attentionKernels = 12
	unfusedKernels   = 4 // more: scale, bias or mask, softmax, dropout of the scores
	ffnKernels       = 7
	gateKernels      = 2
)

// slice is the part of a workload that one device works on at a time.
type slice struct {
	batch   int // sequences of the micro-batch
	length  int // positions of the stack, before context parallelism
	sources int // positions that cross-attention reads
	tp      int
	spread  float64 // devices that share the tensors between products
}

// layer returns the cost of one dense layer of a stack, or of one sparse layer. Layers with and
// without a window are averaged.
func (s *Machine) layer(sh *shapes.Shape, k *shapes.Stack, w slice, decoder,
	sparse bool,
) layerCost {
	var out layerCost
	d := sh.WidthOf(k)
	tokens := ceilDiv(w.batch*w.length, s.contexts)
	t := float64(tokens)
	width := float64(d)
	// norm reads and writes, residual reads two and writes one
	between := (float64(k.Norms()) + 3) * t * width / w.spread
	if k.Parallel {
		between -= 3 * t * width / w.spread / 2 // one residual for the two halves
	}
	dropped := 0.0
	if s.dropout {
		dropped = 2 * t * width / w.spread
	}
	inner, kv := ceilDiv(k.Inner(), w.tp), k.KVInner()/k.KVSplit(w.tp)
	heads := ceilDiv(k.Heads, w.tp)
	reduced := 0.0
	if w.tp > 1 {
		reduced = s.compute * t * width
	}

	a := &out[0]
	a.matmul = s.projections(k, tokens, d, w.tp)
	a.core, a.scores = s.windowedCore(k, w, heads, decoder)
	a.bytes = s.compute * (between + dropped)
	a.casts = s.cast * t * (width + float64(inner))
	if k.Position == shapes.Rotary {
		a.bytes += s.compute * 2 * t * float64(inner+kv)
	}
	a.kernels = s.attentionKernels()
	a.gathers = reduced
	if k.Parallel {
		a.gathers = 0 // the outputs of the two halves are added before one reduction
	}
	if s.contexts > 1 {
		a.exchange = 2 * s.compute * t * float64(s.contexts*kv)
	}

	if decoder && sh.CrossAttention() {
		c := &out[1]
		sources := ceilDiv(w.batch*w.sources, s.contexts)
		c.matmul = s.project(tokens, inner, d, s.rate) +
			s.project(sources, 2*kv, sh.WidthOf(&sh.Encoder), s.rate) +
			s.project(tokens, d, inner, s.rate)
		c.core, c.scores = s.coreSeconds(w.batch*heads, ceilDiv(w.length, s.contexts), w.sources,
			k.DKV, false)
		c.bytes = s.compute * (between + dropped)
		c.casts = s.cast * t * (width + float64(inner))
		c.kernels = s.attentionKernels() + 1
		c.gathers = reduced
	}

	f := &out[2]
	g := k.FFNMatrices()
	if !sparse {
		s.feedForward(f, 1, tokens, d, ceilDiv(k.DFF, w.tp), g)
	} else {
		// Every device of an expert group has its share of the experts, and the tokens of all for them.
		count := max(1, k.Experts/s.experts)
		rows := max(1, ceilDiv(tokens*k.ActiveExperts, count))
		s.feedForward(f, count, rows, d, ceilDiv(k.ExpertInner(), w.tp), g)
		if k.SharedDFF > 0 {
			s.feedForward(f, 1, tokens, d, ceilDiv(k.SharedDFF, w.tp), g)
		}
		f.matmul += s.project(tokens, k.Experts, d, s.rate)
		f.kernels += 2
		if s.experts > 1 {
			f.shuffles = 2 * s.compute * t * width * float64(k.ActiveExperts)
		}
	}
	f.bytes += s.compute * (between + dropped)
	f.gathers = reduced
	return out
}

// feedForward adds the two or three products of n feed-forward networks and what is between
// them.
func (s *Machine) feedForward(f *sublayer, count, rows, d, ff, matrices int) {
	hidden := float64(count*rows) * float64(ff)
	f.matmul += s.expertProducts(count, rows, (matrices-1)*ff, d) +
		s.expertProducts(count, rows, d, ff)
	f.bytes += s.compute * float64(matrices) * hidden
	f.casts += s.cast * (float64(count*rows)*float64(d) + hidden)
	f.kernels += ffnKernels + gateKernels*float64(matrices-2)
}

// projections returns the time of the products before and after self-attention's core. Latent
// attention projects to its ranks and from them.
func (s *Machine) projections(k *shapes.Stack, tokens, d, tp int) float64 {
	inner, kv := ceilDiv(k.Inner(), tp), k.KVInner()/k.KVSplit(tp)
	l := &k.Latent
	if *l == (shapes.Latent{}) {
		return s.project(tokens, inner+2*kv, d, s.rate) + s.project(tokens, d, inner, s.rate)
	}
	made := ceilDiv(k.Heads*(k.DKV-l.RotaryWidth+l.ValueWidth), tp)
	seconds := s.project(tokens, l.KVRank+l.RotaryWidth, d, s.rate) +
		s.project(tokens, made, l.KVRank, s.rate) +
		s.project(tokens, d, ceilDiv(k.OutputInner(), tp), s.rate)
	if l.QueryRank == 0 {
		return seconds + s.project(tokens, inner, d, s.rate)
	}
	return seconds + s.project(tokens, l.QueryRank, d, s.rate) +
		s.project(tokens, inner, l.QueryRank, s.rate)
}

// windowedCore returns the time of the core of self-attention, and the bytes of its scores. Fused
// attention skips what a window hides: each query has min(length, window) keys, and none of them is
// masked. Unfused attention computes them all.
func (s *Machine) windowedCore(k *shapes.Stack, w slice, heads int, causal bool) (seconds,
	scores float64,
) {
	width := k.DKV
	if k.Latent != (shapes.Latent{}) {
		width = (k.DKV + k.Latent.ValueWidth) / 2 // of keys in one product, of values in the other
	}
	queries := ceilDiv(w.length, s.contexts)
	seconds, scores = s.coreSeconds(w.batch*heads, queries, w.length, width, causal)
	windowed := k.WindowedBefore(k.Layers)
	if windowed == 0 || s.unfused || k.Window >= w.length {
		return seconds, scores
	}
	within, _ := s.coreSeconds(w.batch*heads, queries, k.Window, width, false)
	share := float64(windowed) / float64(k.Layers)
	return seconds + share*(min(seconds, within)-seconds), scores
}

// expertProducts returns the time of one matrix of the feed-forward, or of each of its experts.
func (s *Machine) expertProducts(count, m, n, k int) float64 {
	return s.matmulSeconds(gemm{count, m, n, k}, s.alignedRate(n, k, s.rate))
}

func (s *Machine) attentionKernels() float64 {
	if s.unfused {
		return attentionKernels + unfusedKernels
	}
	return attentionKernels
}

func ceilDiv(n, d int) int { return (n + d - 1) / d }

// Passes of a training step over one layer, in forward passes: a backward pass is two, and the
// backward pass of fused attention recomputes its scores, which makes five products of two (Dao et
// al. 2022, arXiv 2205.14135, section 3.1).
const (
	backwardPasses          = 2
	fusedCoreBackwardPasses = 2.5
)

// blockTime is the training time of one layer, or of what stands outside the layers, for one
// micro-batch.
type blockTime struct {
	matmul, core, vector float64 // seconds of each kind of work
	launch               float64 // what launching adds to them
	tensor, expert       float64 // seconds of collectives
}

func (b *blockTime) total() float64 {
	return b.matmul + b.core + b.vector + b.launch + b.tensor + b.expert
}

// tune returns the time of forward, recomputation and backward of one sublayer.
//
// Work and launches hide each other: (work⁴ + launches⁴)^¼.
func (s *Machine) tune(p *sublayer, tp int, back backward) blockTime {
	passes, corePasses := 1.0+backwardPasses*back.data, 1.0+fusedCoreBackwardPasses*back.data
	if s.unfused {
		corePasses = passes
	}
	products := 1 + back.data + back.weights
	unpackings := 1 + back.data
	reduces := 1 + back.data // collectives of the forward and the backward pass
	full := passes
	switch {
	case back.data == 0: // nothing is kept, and nothing computed again
	case s.recompute == flops.RecomputeFull:
		full, corePasses, reduces = passes+1, corePasses+1, 3
		products, unpackings = products+1, unpackings+1
	case s.recompute == flops.RecomputeSelective:
		corePasses++
	}
	b := blockTime{
		matmul: products*p.matmul + full*p.adapted, core: corePasses * p.core,
		vector: (full*(s.traffic*p.bytes+p.casts) + corePasses*p.scores + unpackings*p.unpacked) / s.stream,
		tensor: reduces * s.tensorReduce(p.gathers, tp) * s.tensorExposed,
		expert: reduces * s.allToAll(p.shuffles, tp),
	}
	if p.exchange > 0 {
		// Keys and values go round once forward, and twice backward with their gradients, behind
		// the core.
		rounds := reduces/2 + backwardPasses*back.data
		b.tensor += exposed(s.dataExposed, rounds*s.gather(p.exchange, s.contexts, tp), b.core)
	}
	b.launch = added(b.matmul+b.core+b.vector, full*p.kernels*s.launch)
	return b
}

// added returns how much the smooth maximum of work and launches exceeds the work.
func added(work, launches float64) float64 {
	w2, l2 := work*work, launches*launches
	return math.Sqrt(math.Sqrt(w2*w2+l2*l2)) - work
}
