package hardware

import (
	"math"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Generation is how answers are generated. The zero value is greedy and without a prompt.
type Generation struct {
	// Prompt is how many of the decoder's positions are given; the others are generated. An
	// encoder's input is a prompt of its own.
	Prompt int
	Beams  int // hypotheses kept for each sequence; 0 and 1 are one
}

func (g Generation) beams() int { return max(1, g.Beams) }

// Decoding is the time to generate the decoder's positions, less the prompt, for every sequence of
// a batch.
type Decoding struct {
	// EncoderSeconds is one pass of the encoder and of the keys and values that the decoder attends
	// to; 0 without encoder.
	EncoderSeconds quantity.Interval
	// PrefillSeconds is one pass of the decoder over the prompt; 0 without one.
	PrefillSeconds quantity.Interval
	// StepSeconds is one decoder step, in the middle of the generated sequence.
	StepSeconds quantity.Interval
	// TotalSeconds is the encoder pass, the prefill and the steps: the latency of a whole answer.
	TotalSeconds    quantity.Interval
	Level           float64
	TokensPerSecond float64 // generated, over the whole batch
	Generated       int     // positions of each sequence
	Bound           Bound   // of the decoder step
	Memory          flops.Memory
	Fits            *bool // nil: the profile does not state its memory
}

// PredictDecoding returns what generating costs. The batch is split over DP; tensor parallelism
// splits matrices, caches and heads; a pipeline's stages run one after the other, so that PP
// lengthens nothing and shortens nothing.
//
// One decoder step reads every weight of the decoder and the head and the caches of all earlier
// positions, and runs products of as many rows as the device has hypotheses: it is bound by the
// host that launches its kernels, or by memory bandwidth, where an encoder pass is bound by
// compute. That is why encoder depth is cheap and decoder depth is not. How much the host costs
// depends on the software: a framework that dispatches kernel by kernel, or an engine or a compiled
// graph (see [TokenLaunch]).
//
// Matrices that are kept quantised are read as they are kept, and multiplied as whole ones.
//
// Errors: those of [flops.DecodingMemory] and [*MissingError]. Not modelled: speculative decoding,
// batches that change while they run, sequences that end before others of their batch.
func PredictDecoding(r Run) (Decoding, error) {
	held := r.Workload
	held.Batch *= r.Generation.beams()
	memory, err := flops.DecodingMemory(&r.Shape, held, r.Execution, r.Layout)
	if err != nil {
		return Decoding{}, err
	}
	m, fit, err := r.machine()
	if err != nil {
		return Decoding{}, err
	}
	layout := r.Layout.For(flops.Workload{Batch: max(r.Workload.Batch, r.Layout.DP)})
	if err := m.checkLinks(layout); err != nil {
		return Decoding{}, err
	}
	generated := max(1, r.Workload.DecoderLength-r.Generation.Prompt)
	d := Decoding{Level: Level, Memory: memory, Generated: generated}
	interval := func(part func(*decodeTime) float64) quantity.Interval {
		of := func(m *Machine) float64 {
			t := m.decode(&r.Shape, r.Workload, r.Layout, r.Generation)
			return part(&t)
		}
		seconds := of(&m)
		if seconds == 0 {
			return quantity.Interval{}
		}
		return fit.generation(&r, of, seconds)
	}
	d.EncoderSeconds = interval(func(t *decodeTime) float64 { return t.encoder })
	d.PrefillSeconds = interval(func(t *decodeTime) float64 { return t.prefill })
	d.StepSeconds = interval(func(t *decodeTime) float64 { return t.step.total() })
	d.TotalSeconds = interval(func(t *decodeTime) float64 { return t.total(generated) })
	d.TokensPerSecond = float64(r.Workload.Batch*generated) / d.TotalSeconds.Value
	t := m.decode(&r.Shape, r.Workload, r.Layout, r.Generation)
	_, d.Bound = t.step.parts()
	d.Fits = r.Profile.Fits(&memory)
	return d, nil
}

// GenerateSeconds returns the time of a run on the machine to generate that many positions for every
// sequence, in seconds; the caches are those in the middle of the run's own.
func (s *Machine) GenerateSeconds(r *Run, positions float64) float64 {
	t := s.decode(&r.Shape, r.Workload, r.Layout, r.Generation)
	return t.encoder + t.prefill + positions*t.step.total()
}

// DecodeSeconds returns the seconds of one encoder pass, with the decoder's cross keys and values,
// and of one greedy decoder step in the middle of the sequence, for a valid shape and workload. It
// does not allocate.
func (s *Machine) DecodeSeconds(sh *shapes.Shape, w flops.Workload, l flops.Layout) (encoder,
	step float64,
) {
	t := s.decode(sh, w, l, Generation{})
	return t.encoder, t.step.total()
}

// decodeTime is the seconds of generating: passes over what is given, and one step.
type decodeTime struct {
	encoder, prefill float64
	step             stepTime
}

func (t *decodeTime) total(generated int) float64 {
	return t.encoder + t.prefill + float64(generated)*t.step.total()
}

func (s *Machine) decode(sh *shapes.Shape, w flops.Workload, l flops.Layout,
	g Generation,
) decodeTime {
	l.DP, l.TP = max(1, l.DP), max(1, l.TP)
	batch := ceilDiv(w.Batch, l.DP)
	var t decodeTime
	if sh.Encoder.Layers > 0 {
		t.encoder = s.given(sh, &sh.Encoder, slice{batch, w.EncoderLength, 0, l.TP, 1}, false)
		if sh.CrossAttention() {
			kv := sh.Decoder.KVInner() / sh.Decoder.KVSplit(l.TP)
			t.encoder += float64(sh.Decoder.Layers) * s.project(batch*w.EncoderLength, 2*kv,
				sh.WidthOf(&sh.Encoder), s.rate)
		}
	}
	if g.Prompt > 0 {
		t.prefill = s.given(sh, &sh.Decoder, slice{batch, g.Prompt, w.EncoderLength, l.TP, 1}, true)
	}
	t.step = s.decoderStep(sh, w, l, g)
	return t
}

// given returns the time of one forward pass of a stack over positions that are known.
func (s *Machine) given(sh *shapes.Shape, k *shapes.Stack, w slice, decoder bool) float64 {
	names := &sublayerPieces[0]
	if decoder {
		names = &sublayerPieces[1]
	}
	var t stepTime
	sparse := k.SparseLayers()
	for kind, n := range [2]int{k.Layers - sparse, sparse} {
		if n == 0 {
			continue
		}
		cost := s.layer(sh, k, w, decoder, kind == 1)
		for i := range cost {
			if cost[i].kernels > 0 {
				t.add(names[i], s.forward(&cost[i], w.tp), float64(n))
			}
		}
	}
	return t.total()
}

// Kernels of one decoder step where a framework dispatches them one by one: of self-attention (norm,
// projections, cache, scores, bias, softmax, values, output, residual), cross-attention and
// feed-forward, and of what stands around the layers (embedding, head, sampling, bookkeeping); and
// where an engine has fused them.
var (
	dispatched = stepKernels{self: 16, cross: 17, ffn: 8, around: 20}
	fused      = stepKernels{self: 9, cross: 8, ffn: 6, around: 6}
)

type stepKernels struct{ self, cross, ffn, around float64 }

// decodeHost is what the host does in one step of generation.
type decodeHost struct {
	kernels stepKernels
	launch  float64 // seconds from one kernel to the next
	engine  bool    // kernels run one after the other without the host between them
	copies  float64 // passes over the caches that a step of beam search copies
	narrow  int     // rows that a product in single precision is padded to
	caches  float64 // bytes moved for each byte of the caches
	logits  float64 // passes over the logits in float32
}

// hostYear is the year of the hosts that [TokenLaunch] and [EngineLaunch] are of.
const hostYear = 2019

// halfCasts is how many more kernels an eager step takes in 16 bits: the frameworks cast the norms
// and clamp what may overflow (the T5 of Hugging Face transformers does both).
const halfCasts = 1.3

// narrowTile is the rows to which a product of float32 is padded at least: single precision has no
// matrix unit that takes few rows.
const narrowTile = 96

// decodeHost works out how steps of generation reach the device. The host is of the year of its
// device where that is known.
func decodeHostOf(p *Profile, x flops.Execution, s Software, c *Constants) decodeHost {
	h := decodeHost{
		kernels: dispatched, launch: c[TokenLaunch], copies: c[BeamCopies], narrow: narrowTile,
		caches: c[CacheTraffic], logits: c[LogitPasses],
	}
	if x.Precision != flops.FP32 {
		h.narrow = processorTile
		h.kernels.self *= halfCasts
		h.kernels.cross *= halfCasts
		h.kernels.ffn *= halfCasts
	}
	if p.Class.Kind == CPU {
		h.narrow = 1
	}
	if StackKind(s.Stack) == "engine" || compiled(p, s) {
		h.kernels, h.launch, h.engine, h.copies = fused, c[EngineLaunch], true, 0
	}
	if p.Year != nil && p.Class.Kind != CPU {
		h.launch *= math.Exp(-c[HostGain] * float64(*p.Year-hostYear))
	}
	return h
}

// decoderStep returns the time of one step of the decoder, by piece. Products of few rows are
// booked as element-wise work where reading their weights takes longer than computing.
func (s *Machine) decoderStep(sh *shapes.Shape, w flops.Workload, l flops.Layout,
	g Generation,
) stepTime {
	k, d := &sh.Decoder, sh.WidthOf(&sh.Decoder)
	h := &s.host
	rows := ceilDiv(w.Batch, l.DP) * g.beams()
	inner, kv := ceilDiv(k.Inner(), l.TP), k.KVInner()/k.KVSplit(l.TP)
	reduced := 0.0
	if l.TP > 1 {
		reduced = s.compute * float64(rows) * float64(d)
	}
	caches := h.caches
	if g.beams() > 1 {
		caches += 2 * h.copies // read and written when hypotheses change places
	}
	cached := 2 * float64(kv)
	if k.Latent != (shapes.Latent{}) {
		cached = float64(k.CachedWidth())
	}
	cache := func(positions float64) float64 {
		return caches * s.compute * float64(rows) * positions * cached
	}

	var t stepTime
	stored := storedBytes(s.exec.Tuning.Stored, s.compute)
	add := func(p piece, kernels, bytes float64, layers int, products ...gemm) {
		q := sublayer{
			bytes: (5 * s.compute * float64(rows) * float64(d)), scores: bytes, kernels: kernels,
			gathers: reduced,
		}
		for _, m := range products {
			if m.n == 0 || m.k == 0 {
				continue // no shared experts
			}
			seconds := s.fewRows(m)
			if read := s.readSeconds(m, stored); read >= seconds {
				q.scores += read * s.stream
			} else {
				q.matmul += seconds
			}
		}
		t.add(p, s.decoded(&q, l.TP), float64(layers))
	}
	middle := float64(g.Prompt + max(1, w.DecoderLength-g.Prompt)/2)
	seen := middle
	if windowed := k.WindowedBefore(k.Layers); windowed > 0 {
		share := float64(windowed) / float64(k.Layers)
		seen = (1-share)*middle + share*min(middle, float64(k.Window))
	}
	into := inner + 2*kv
	if k.Latent != (shapes.Latent{}) {
		into = inner + k.CachedWidth()
	}
	add(decoderAttention, h.kernels.self, cache(seen), k.Layers,
		gemm{1, rows, into, d}, gemm{1, rows, d, ceilDiv(k.OutputInner(), l.TP)})
	if sh.CrossAttention() {
		add(crossAttention, h.kernels.cross, cache(float64(w.EncoderLength)), k.Layers,
			gemm{1, rows, inner, d}, gemm{1, rows, d, inner})
	}
	sparse := k.SparseLayers()
	m, ff := k.FFNMatrices(), ceilDiv(k.DFF, l.TP)
	if n := k.Layers - sparse; n > 0 {
		add(decoderFFN, h.kernels.ffn, 0, n, gemm{1, rows, (m - 1) * ff, d}, gemm{1, rows, d, ff})
	}
	if sparse > 0 {
		met := min(k.Experts, rows*k.ActiveExperts) // experts that any of the tokens visits
		each := ceilDiv(rows*k.ActiveExperts, met)
		ff := ceilDiv(k.ExpertInner(), l.TP)
		shared := ceilDiv(k.SharedDFF, l.TP)
		every := min(1, shared) // products of experts that every token visits; none without any
		add(decoderFFN, h.kernels.ffn+2, 0, sparse, gemm{met, each, (m - 1) * ff, d},
			gemm{met, each, d, ff}, gemm{every, rows, (m - 1) * shared, d},
			gemm{every, rows, d, shared})
	}
	reduced, stored = 0, s.compute
	vocab := ceilDiv(sh.Vocab, l.TP)
	add(headProduct, h.kernels.around, h.logits*logitBytes*float64(rows)*float64(vocab), 1,
		gemm{1, rows, vocab, sh.TableWidth()})
	return t
}

// fewRows returns the arithmetic time of a product of few rows, whose work libraries split along k
// so that no part of the device is idle.
func (s *Machine) fewRows(p gemm) float64 {
	rows := float64(max(p.m, s.host.narrow))
	return 2 * float64(p.count) * rows * float64(p.n) * float64(p.k) / s.alignedRate(p.n, p.k,
		s.rate)
}

// decoded returns the time of one sublayer of a decoder step. A host that dispatches kernels hides
// behind the device's work, or the device behind the host; the kernels of an engine follow each
// other, and each takes its launch besides.
func (s *Machine) decoded(p *sublayer, tp int) blockTime {
	b := blockTime{
		matmul: p.matmul, vector: (p.bytes + p.scores) / s.stream,
		tensor: s.tensorReduce(p.gathers, tp) * s.tensorExposed,
	}
	if b.launch = p.kernels * s.host.launch; !s.host.engine {
		b.launch = added(b.matmul+b.vector, b.launch)
	}
	return b
}

// forward returns the time of one forward pass of a sublayer.
func (s *Machine) forward(p *sublayer, tp int) blockTime {
	b := blockTime{
		matmul: p.matmul, core: p.core, vector: (s.traffic*p.bytes + p.scores) / s.stream,
		tensor: s.tensorReduce(p.gathers, tp) * s.tensorExposed, expert: s.allToAll(p.shuffles, tp),
	}
	// a pass without gradients launches as steps of generation do, not as training does
	launches := s.host.launch
	if s.host.engine {
		launches *= fused.self / dispatched.self
	}
	b.launch = added(b.matmul+b.core+b.vector, p.kernels*launches)
	return b
}
