package hardware

import (
	"math"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// piece is a kind of time in a step.
type piece uint8

const (
	encoderAttention piece = iota
	encoderFFN
	decoderAttention
	crossAttention
	decoderFFN
	headProduct
	vectorWork
	launches
	tensorCollectives
	expertCollectives
	pipelineTransfers
	dataCollectives
	pipelineBubble
	optimizerUpdate
	fixedCost
	stragglers
	pieces
)

// stepTime is the seconds of one step, by piece.
type stepTime [pieces]float64

func (t *stepTime) total() float64 {
	sum := 0.0
	for _, v := range t {
		sum += v
	}
	return sum
}

// add counts n times a block.
func (t *stepTime) add(p piece, b blockTime, n float64) {
	t[p] += n * (b.matmul + b.core)
	t[vectorWork] += n * b.vector
	t[launches] += n * b.launch
	t[tensorCollectives] += n * b.tensor
	t[expertCollectives] += n * b.expert
}

var sublayerPieces = [2][3]piece{
	{encoderAttention, crossAttention, encoderFFN}, {decoderAttention, crossAttention, decoderFFN},
}

// stackTime is the training time of one micro-batch in the layers of one stack.
type stackTime struct {
	layers int
	pass   float64  // seconds of one layer, sparse and dense averaged
	pieces stepTime // of all layers
}

// stack prices the layers of a stack.
func (s *Machine) stack(sh *shapes.Shape, k *shapes.Stack, w slice, decoder bool) stackTime {
	out := stackTime{layers: k.Layers}
	if k.Layers == 0 {
		return out
	}
	sparse, back := k.SparseLayers(), s.backwardOf(sh, decoder)
	names := &sublayerPieces[0]
	if decoder {
		names = &sublayerPieces[1]
	}
	for kind, n := range [2]int{k.Layers - sparse, sparse} {
		if n == 0 {
			continue
		}
		cost := s.layer(sh, k, w, decoder, kind == 1)
		s.adapt(&cost, sh, k, w, decoder, kind == 1)
		for i := range cost {
			if cost[i].kernels > 0 {
				b := s.tune(&cost[i], w.tp, back)
				out.pieces.add(names[i], b, float64(n))
			}
		}
	}
	out.pass = out.pieces.total() / float64(k.Layers)
	return out
}

// logitBytes is what one logit moves in a forward pass besides its element: its float32 copy.
const logitBytes = 4

// outside prices embedding, head and loss of one micro-batch, all in the model's last stage.
func (s *Machine) outside(sh *shapes.Shape, w flops.Workload, tp int) blockTime {
	tokens := float64(w.Tokens(sh)) / float64(s.contexts)
	p := sublayer{bytes: 3 * s.compute * tokens * float64(sh.DModel), kernels: ffnKernels}
	if n := w.LogitTokens(sh); n > 0 {
		n = ceilDiv(n, s.contexts)
		v := sh.Vocab
		if tp > 1 {
			v = ceilDiv(v, tp*tile) * tile // trainers that split the vocabulary pad it so
		}
		p.matmul = s.project(n, v, sh.TableWidth(), s.headRate)
		p.scores = (s.compute + logitBytes) * float64(n) * float64(v)
		if sh.Head == shapes.HeadMLM {
			p.matmul += s.project(n, sh.DModel, sh.DModel, s.headRate)
		}
	}
	p.matmul += s.frontend(sh, &sh.Encoder, w.EncoderTokens(sh)) +
		s.frontend(sh, &sh.Decoder, w.DecoderTokens(sh))
	if sh.Pooler {
		p.matmul += s.project(w.Batch, sh.DModel, sh.DModel, s.headRate)
	}
	full := 1.0 + backwardPasses
	b := blockTime{matmul: (1 + s.headBackward(sh)) * p.matmul, vector: full * (s.traffic*p.bytes +
		p.scores) / s.stream}
	b.launch = added(b.matmul+b.vector, full*p.kernels*s.launch)
	return b
}

// frontend returns the time of one forward pass of the convolutions that feed a stack in place of
// tokens.
func (s *Machine) frontend(sh *shapes.Shape, k *shapes.Stack, tokens int) float64 {
	if tokens == 0 || k.Frontend.Kind == shapes.Tokens {
		return 0
	}
	seconds := 0.0
	convs, _ := k.Frontend.Convolutions(sh.WidthOf(k))
	for i := range convs {
		if c := &convs[i]; c.In > 0 {
			seconds += s.project(tokens*int(c.Rate), int(c.Out), int(c.Taps)*int(c.In), s.headRate)
		}
	}
	return seconds
}

// step returns the time of one training step on checked input, the layout filled. It does not
// allocate.
//
//	step = m·t_max + (p−1)/v·t_max + data collectives + optimizer + fixed, all × (1 + loss·log₂ nodes)
//
// t_max is the slowest stage's time of one micro-batch, m micro-batches, p stages, v chunks a
// stage: with stages of equal time the pipeline idles (p−1)/(v·m) of the rest (Narayanan et al.
// 2021, arXiv 2104.04473, section 2.2).
func (s *Machine) step(sh *shapes.Shape, w flops.Workload, l flops.Layout) stepTime {
	micro := w
	micro.Batch = l.MicroBatch
	spread := 1.0
	if l.SequenceParallel {
		spread = float64(l.TP)
	}
	encoder := s.stack(sh, &sh.Encoder, slice{micro.Batch, w.EncoderLength, 0, l.TP, spread}, false)
	decoder := s.stack(sh, &sh.Decoder, slice{
		micro.Batch, w.DecoderLength, w.EncoderLength, l.TP, spread,
	}, true)
	outside := s.outside(sh, micro, l.TP)

	var t stepTime
	m, p := float64(l.Accumulate), float64(l.PP)
	for i := range t {
		t[i] = m * (encoder.pieces[i] + decoder.pieces[i]) / p
	}
	t.add(headProduct, outside, m/p)
	slowest := encoder.pieces.total() + decoder.pieces.total() + outside.total()
	pass := slowest
	if l.PP > 1 {
		pass /= p
		slowest = s.slowestStage(sh, l, encoder.pass, decoder.pass, outside.total())
		t[pipelineBubble] = m*(slowest-pass) + (p-1)/float64(l.Interleave)*slowest
		t[pipelineTransfers] = m * s.transfer(sh, micro, l)
	}

	params, frozen := s.trainedShare(sh, s.localParameters(sh, l))
	t[dataCollectives] = s.dataParallel(params, frozen, l.DP*s.contexts, l.TP, l.ZeRO, l.Accumulate, ceilDiv(encoder.layers+decoder.layers, l.PP),
		slowest)
	shards := 1.0
	if l.ZeRO >= 1 {
		shards = float64(l.DP * s.contexts)
		if s.torus() {
			g, _ := s.levels(l.DP*s.contexts, l.TP)
			shards = float64(g)
		}
	}
	t[optimizerUpdate] = params / shards * s.optimizerBytes / s.stream
	t[fixedCost] = s.fixed
	if nodes := ceilDiv(l.DP*l.TP*l.PP*s.contexts, s.domain); nodes > 1 {
		t[stragglers] = s.scaleLoss * math.Log2(float64(nodes)) * t.total()
	}
	for i := range t {
		t[i] *= s.slowdown
	}
	return t
}

// slowestStage returns the time of one micro-batch in the slowest pipeline stage.
func (s *Machine) slowestStage(sh *shapes.Shape, l flops.Layout, encoder, decoder,
	outside float64,
) float64 {
	worst := 0.0
	for r := range l.PP {
		e, d := l.StageLayers(sh, r)
		stage := float64(e)*encoder + float64(d)*decoder
		if r == l.PP-1 {
			stage += outside
		}
		worst = max(worst, stage)
	}
	return worst
}

// transfer returns what shows of sending one micro-batch's boundary tensor on and its gradient
// back.
func (s *Machine) transfer(sh *shapes.Shape, micro flops.Workload, l flops.Layout) float64 {
	tokens := max(micro.EncoderTokens(sh), micro.DecoderTokens(sh)) / s.contexts
	bytes := 2 * s.compute * float64(tokens) * float64(sh.DModel) / float64(l.TP)
	rate := s.inter
	if l.DP*l.TP*l.PP*s.contexts <= s.domain {
		rate = s.rateInside(s.domain, false)
	}
	return s.dataExposed * (2*s.latency + bytes/rate) * float64(l.Interleave)
}

// localParameters returns the parameters one device holds before ZeRO splits them, stages taken as
// equal.
func (s *Machine) localParameters(sh *shapes.Shape, l flops.Layout) float64 {
	count := flops.CountParameters(sh)
	total := float64(count.Total)
	if s.experts > 1 {
		for _, k := range [...]*shapes.Stack{&sh.Encoder, &sh.Decoder} {
			experts := float64(k.SparseLayers()*k.Experts) * float64(k.FFNMatrices()) * float64(
				sh.WidthOf(k)) * float64(k.ExpertInner())
			total -= experts * (1 - 1/float64(s.experts))
		}
	}
	return total / float64(l.TP*l.PP)
}
