package hardware

import (
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Decoding is the time to generate DecoderLength positions for every sequence of a batch.
type Decoding struct {
	// EncoderSeconds is one pass of the encoder and of the keys and values that the decoder attends
	// to; 0 without encoder.
	EncoderSeconds quantity.Interval
	// StepSeconds is one decoder step, in the middle of the generated sequence.
	StepSeconds quantity.Interval
	// TotalSeconds is the encoder pass and DecoderLength steps: the latency of a whole answer.
	TotalSeconds    quantity.Interval
	Level           float64
	TokensPerSecond float64 // generated, over the whole batch
	Bound           Bound   // of the decoder step
	Memory          flops.Memory
	Fits            *bool // nil: the profile does not state its memory
}

// PredictDecoding returns what generating costs. The batch is split over DP; tensor parallelism
// splits matrices, caches and heads; a pipeline's stages run one after the other, so that PP
// lengthens nothing and shortens nothing.
//
// One decoder step reads every weight of the decoder and the head and the caches of all earlier
// positions, and runs products of as many rows as the device has sequences: it is bound by memory
// bandwidth or, for small models, by launches, where an encoder pass is bound by compute. That is
// why encoder depth is cheap and decoder depth is not.
//
// Errors: those of [flops.DecodingMemory] and [*MissingError]. Not modelled: beams (count each as a
// sequence), speculative decoding, batches that change while they run, host work between steps
// besides launches.
func PredictDecoding(r Run) (Decoding, error) {
	memory, err := flops.DecodingMemory(&r.Shape, r.Workload, r.Execution, r.Layout)
	if err != nil {
		return Decoding{}, err
	}
	fit := r.Profile.calibration(r.Software)
	m, err := NewMachineWith(&r.Profile, r.Execution, r.Software, &fit.Constants)
	if err != nil {
		return Decoding{}, err
	}
	layout := r.Layout.For(flops.Workload{Batch: max(r.Workload.Batch, r.Layout.DP)})
	if err := m.checkLinks(layout); err != nil {
		return Decoding{}, err
	}
	encoder, step := m.DecodeSeconds(&r.Shape, r.Workload, r.Layout)
	d := Decoding{Level: Level, Memory: memory}
	if encoder > 0 {
		d.EncoderSeconds = fit.interval(&r, func(m *Machine) float64 { e, _ := m.DecodeSeconds(&r.Shape, r.Workload, r.Layout); return e }, encoder)
	}
	d.StepSeconds = fit.interval(&r, func(m *Machine) float64 { _, s := m.DecodeSeconds(&r.Shape, r.Workload, r.Layout); return s }, step)
	whole := func(m *Machine) float64 {
		e, s := m.DecodeSeconds(&r.Shape, r.Workload, r.Layout)
		return e + float64(r.Workload.DecoderLength)*s
	}
	d.TotalSeconds = fit.interval(&r, whole, whole(&m))
	d.TokensPerSecond = float64(r.Workload.Batch*r.Workload.DecoderLength) / d.TotalSeconds.Value
	t := m.decoderStep(&r.Shape, r.Workload, layout)
	_, d.Bound = t.parts()
	d.Fits = r.Profile.Fits(&memory)
	return d, nil
}

// DecodeSeconds returns the seconds of one encoder pass, with the decoder's cross keys and values,
// and of one decoder step in the middle of the sequence, for a valid shape and workload. It does
// not allocate.
func (s *Machine) DecodeSeconds(sh *shapes.Shape, w flops.Workload, l flops.Layout) (encoder,
	step float64,
) {
	dp, tp := max(1, l.DP), max(1, l.TP)
	batch := ceilDiv(w.Batch, dp)
	if sh.Encoder.Layers > 0 {
		e := s.layer(sh, &sh.Encoder, slice{batch, w.EncoderLength, 0, tp, 1}, false, false)
		var t stepTime
		for i := range e {
			if e[i].kernels > 0 {
				t.add(sublayerPieces[0][i], s.forward(&e[i], tp), float64(sh.Encoder.Layers))
			}
		}
		encoder = s.slowdown * t.total()
		if sh.CrossAttention() {
			kv := sh.Decoder.KVInner() / sh.Decoder.KVSplit(tp)
			encoder += s.slowdown * float64(sh.Decoder.Layers) * s.project(batch*w.EncoderLength,
				2*kv, sh.DModel, s.rate)
		}
	}
	l.DP, l.TP = dp, tp
	t := s.decoderStep(sh, w, l)
	return encoder, t.total()
}

// forward returns the time of one forward pass of a sublayer.
func (s *Machine) forward(p *sublayer, tp int) blockTime {
	b := blockTime{
		matmul: p.matmul, core: p.core, vector: (s.traffic*p.bytes + p.scores) / s.stream,
		tensor: s.tensorReduce(p.gathers, tp) * s.tensorExposed, expert: s.allToAll(p.shuffles, tp),
	}
	b.launch = added(b.matmul+b.core+b.vector, p.kernels*s.launch)
	return b
}

// decoderStep returns the time of one step of the decoder, by piece. Products of few rows are
// booked as element-wise work where reading their weights takes longer than computing.
func (s *Machine) decoderStep(sh *shapes.Shape, w flops.Workload, l flops.Layout) stepTime {
	k, d := &sh.Decoder, sh.DModel
	batch := ceilDiv(w.Batch, l.DP)
	inner, kv := ceilDiv(k.Inner(), l.TP), k.KVInner()/k.KVSplit(l.TP)
	reduced := 0.0
	if l.TP > 1 {
		reduced = s.compute * float64(batch) * float64(d)
	}
	cache := func(positions int) float64 { return 2 * s.compute * float64(batch) * float64(positions) * float64(kv) }
	between := 5 * s.compute * float64(batch) * float64(d)

	var t stepTime
	add := func(p piece, kernels, cached float64, layers int, products ...gemm) {
		var q sublayer
		q.bytes, q.scores, q.kernels, q.gathers = between, cached, kernels, reduced
		for _, g := range products {
			seconds := s.matmulSeconds(g, s.alignedRate(g.n, g.k, s.rate))
			if read := s.operandSeconds(g); read >= seconds {
				q.scores += read * s.stream
			} else {
				q.matmul += seconds
			}
		}
		t.add(p, s.forward(&q, l.TP), float64(layers))
	}
	half := max(1, w.DecoderLength/2)
	add(decoderAttention, s.attentionKernels(), cache(half), k.Layers,
		gemm{1, batch, inner + 2*kv, d}, gemm{1, batch, d, inner})
	if sh.CrossAttention() {
		add(crossAttention, s.attentionKernels(), cache(w.EncoderLength), k.Layers,
			gemm{1, batch, inner, d}, gemm{1, batch, d, inner})
	}
	sparse := k.SparseLayers()
	g, ff := k.FFNMatrices(), ceilDiv(k.DFF, l.TP)
	if n := k.Layers - sparse; n > 0 {
		add(decoderFFN, ffnKernels, 0, n, gemm{1, batch, (g - 1) * ff, d}, gemm{1, batch, d, ff})
	}
	if sparse > 0 {
		met := min(k.Experts, batch*k.ActiveExperts) // experts that any of the tokens visits
		rows := ceilDiv(batch*k.ActiveExperts, met)
		add(decoderFFN, ffnKernels+2, 0, sparse, gemm{met, rows, (g - 1) * ff, d},
			gemm{met, rows, d, ff})
	}
	reduced = 0
	add(headProduct, ffnKernels, 0, 1, gemm{1, batch, ceilDiv(sh.Vocab, l.TP), d})
	for i := range t {
		t[i] *= s.slowdown
	}
	return t
}
