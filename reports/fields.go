package reports

import (
	"cmp"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// The structs of this file are the JSON fields that results share. Other programs rely on the
// names; a rename raises the schema's version.

// shapeFields is a whole shape, in the keys of our YAML: a result is a file that says its shape.
type shapeFields struct {
	Name           string        `json:"name"`
	Family         string        `json:"family,omitempty"`
	DModel         int           `json:"d_model"`
	Vocab          int           `json:"vocab"`
	SourceVocab    int           `json:"source_vocab,omitempty"`
	SourceWidth    int           `json:"source_width,omitempty"`
	EmbeddingWidth int           `json:"embedding_width,omitempty"`
	TokenTypes     int           `json:"token_types,omitempty"`
	Head           shapes.Head   `json:"head"`
	HeadBias       bool          `json:"head_bias,omitempty"`
	Norm           shapes.Norm   `json:"norm"`
	Bias           []string      `json:"bias,omitempty"`
	EmbeddingNorm  bool          `json:"embedding_norm,omitempty"`
	Pooler         bool          `json:"pooler,omitempty"`
	Towers         bool          `json:"towers,omitempty"`
	TiedStacks     bool          `json:"tied_stacks,omitempty"`
	Dense          []denseFields `json:"dense,omitempty"`
	Encoder        *stackFields  `json:"encoder,omitempty"`
	Decoder        *stackFields  `json:"decoder,omitempty"`
}

type denseFields struct {
	At   shapes.Place `json:"at"`
	In   int          `json:"in"`
	Out  int          `json:"out"`
	Bias bool         `json:"bias"`
}

type stackFields struct {
	Layers        int               `json:"layers"`
	OwnLayers     int               `json:"own_layers,omitempty"`
	DFF           int               `json:"d_ff"`
	DKV           int               `json:"d_kv"`
	Heads         int               `json:"heads"`
	KVHeads       int               `json:"kv_heads"`
	Gated         bool              `json:"gated"`
	Activation    shapes.Activation `json:"activation"`
	Position      shapes.Position   `json:"position"`
	Positions     int               `json:"positions,omitempty"`
	QKNorm        shapes.QKNorm     `json:"qk_norm,omitempty"`
	Latent        *latentFields     `json:"latent,omitempty"`
	Window        int               `json:"window,omitempty"`
	FullLayers    int               `json:"full_layers,omitempty"`
	Parallel      bool              `json:"parallel,omitempty"`
	NormsPerLayer int               `json:"norms_per_layer,omitempty"`
	FinalNorm     bool              `json:"final_norm,omitempty"`
	Experts       int               `json:"experts,omitempty"`
	ActiveExperts int               `json:"active_experts,omitempty"`
	SparseEvery   int               `json:"sparse_every,omitempty"`
	DenseFirst    int               `json:"dense_first,omitempty"`
	ExpertDFF     int               `json:"expert_d_ff,omitempty"`
	SharedDFF     int               `json:"shared_d_ff,omitempty"`
	SharedGate    bool              `json:"shared_gate,omitempty"`
	LayerExtra    int               `json:"layer_extra,omitempty"`
	Extra         int               `json:"extra,omitempty"`
	Frontend      *frontendFields   `json:"frontend,omitempty"`
}

type latentFields struct {
	QueryRank   int `json:"query_rank,omitempty"`
	KVRank      int `json:"kv_rank"`
	RotaryWidth int `json:"rotary_width,omitempty"`
	ValueWidth  int `json:"value_width"`
}

type frontendFields struct {
	Kind     shapes.FrontendKind `json:"kind"`
	Channels int                 `json:"channels,omitempty"`
	Patch    int                 `json:"patch,omitempty"`
	NoBias   bool                `json:"no_bias,omitempty"`
	NoClass  bool                `json:"no_class,omitempty"`
	Convs    []convFields        `json:"convs,omitempty"`
}

type convFields struct {
	In    int32 `json:"in"`
	Out   int32 `json:"out"`
	Taps  int32 `json:"taps"`
	Rate  int32 `json:"rate"`
	Extra int32 `json:"extra,omitempty"`
	Bias  bool  `json:"bias,omitempty"`
}

func shapeOf(s *shapes.Shape) shapeFields {
	f := shapeFields{
		Name: s.Name, Family: string(s.Family), DModel: s.DModel, Vocab: s.Vocab,
		SourceVocab: s.SourceVocab, SourceWidth: s.SourceWidth, EmbeddingWidth: s.EmbeddingWidth,
		TokenTypes: s.TokenTypes, Head: s.Head, HeadBias: s.HeadBias, Norm: s.Norm,
		EmbeddingNorm: s.EmbeddingNorm, Pooler: s.Pooler, Towers: s.Towers, TiedStacks: s.TiedStacks,
		Encoder: stackOf(&s.Encoder), Decoder: stackOf(&s.Decoder),
	}
	for _, b := range []struct {
		bit  shapes.Bias
		word string
	}{
		{shapes.BiasQ, "q"},
		{shapes.BiasK, "k"},
		{shapes.BiasV, "v"},
		{shapes.BiasO, "o"},
		{shapes.BiasFFN, "ffn"},
	} {
		if s.Bias.Has(b.bit) {
			f.Bias = append(f.Bias, b.word)
		}
	}
	for _, l := range s.Dense {
		if l.In > 0 {
			f.Dense = append(f.Dense, denseFields{l.At, l.In, l.Out, l.Bias})
		}
	}
	return f
}

func stackOf(k *shapes.Stack) *stackFields {
	if k.Layers == 0 {
		return nil
	}
	f := &stackFields{
		Layers: k.Layers, OwnLayers: k.OwnLayers, DFF: k.DFF, DKV: k.DKV, Heads: k.Heads,
		KVHeads: k.KVHeads, Gated: k.Gated, Activation: k.Activation, Position: k.Position,
		Positions: k.Positions, QKNorm: k.QKNorm, Window: k.Window, FullLayers: k.FullLayers,
		Parallel: k.Parallel, NormsPerLayer: k.NormsPerLayer, FinalNorm: k.FinalNorm,
		Experts: k.Experts, ActiveExperts: k.ActiveExperts, SparseEvery: k.SparseEvery,
		DenseFirst: k.DenseFirst, ExpertDFF: k.ExpertDFF, SharedDFF: k.SharedDFF,
		SharedGate: k.SharedGate, LayerExtra: k.LayerExtra, Extra: k.Extra,
	}
	if l := k.Latent; l != (shapes.Latent{}) {
		f.Latent = &latentFields{l.QueryRank, l.KVRank, l.RotaryWidth, l.ValueWidth}
	}
	if e := k.Frontend; e != (shapes.Frontend{}) {
		f.Frontend = &frontendFields{
			Kind: e.Kind, Channels: e.Channels, Patch: e.Patch, NoBias: e.NoBias, NoClass: e.NoClass,
		}
		for _, c := range e.Convs {
			if c.In > 0 {
				f.Frontend.Convs = append(
					f.Frontend.Convs,
					convFields{c.In, c.Out, c.Taps, c.Rate, c.Extra, c.Bias},
				)
			}
		}
	}
	return f
}

type paramsFields struct {
	Total        int64            `json:"total"`
	NonEmbedding int64            `json:"non_embedding"`
	Active       int64            `json:"active"`
	ByComponent  map[string]int64 `json:"by_component"`
}

func paramsOf(p *flops.Parameters) paramsFields {
	by := map[string]int64{}
	for c, n := range p.By {
		if n != 0 {
			by[flops.Component(c).String()] = n
		}
	}
	return paramsFields{
		Total: p.Total, NonEmbedding: p.NonEmbedding, Active: p.Active,
		ByComponent: by,
	}
}

type flopsFields struct {
	Convention flops.Convention `json:"convention"`
	Forward    float64          `json:"forward"`
	Backward   float64          `json:"backward"`
	Step       float64          `json:"step"`
	Meaning    string           `json:"meaning,omitempty"`
}

func flopsOf(c flops.Count) flopsFields {
	return flopsFields{
		Convention: c.Convention, Forward: c.Forward, Backward: c.Backward,
		Step: c.Step,
	}
}

type workloadFields struct {
	Batch         int `json:"batch"`
	EncoderLength int `json:"encoder_length,omitempty"`
	DecoderLength int `json:"decoder_length,omitempty"`

	// of a planned run
	Tokens  int      `json:"tokens,omitempty"` // training tokens of a step
	Dropout *bool    `json:"dropout,omitempty"`
	Goodput *float64 `json:"goodput,omitempty"`
}

func workloadOf(s *shapes.Shape, w flops.Workload) workloadFields {
	f := workloadFields{Batch: w.Batch}
	if s.Encoder.Layers > 0 {
		f.EncoderLength = w.EncoderLength
	}
	if s.Decoder.Layers > 0 {
		f.DecoderLength = w.DecoderLength
	}
	return f
}

// interval is an estimate as JSON writes it.
type interval = quantity.Interval

type memoryFields struct {
	PeakBytes   float64            `json:"peak_bytes"`
	StaticBytes float64            `json:"static_bytes"`
	PeakPhase   string             `json:"peak_phase"`
	Stage       int                `json:"stage"`
	ByComponent map[string]float64 `json:"by_component"`
	Fits        *bool              `json:"fits,omitempty"`
}

// memoryOf returns the memory of a device; fits is nil when no device is named.
func memoryOf(m *flops.Memory, fits *bool) memoryFields {
	by := map[string]float64{}
	for p, n := range m.Peak {
		if n != 0 {
			by[flops.MemoryPart(p).String()] = n
		}
	}
	return memoryFields{
		PeakBytes: m.PeakBytes, StaticBytes: m.StaticBytes,
		PeakPhase: m.PeakPhase.String(), Stage: m.Stage, ByComponent: by, Fits: fits,
	}
}

// RunFields are how a run is executed and laid out, as resolved: enough to ask for the same again.
type RunFields struct {
	Execution executionFields `json:"execution"`
	Layout    layoutFields    `json:"layout"`
}

// RunOf returns the fields of a resolved run.
func RunOf(run *hardware.Run) *RunFields { return &RunFields{executionOf(run), layoutOf(run)} }

// executionFields are the numeric choices of a step and the software, as resolved.
type executionFields struct {
	Precision        flops.Precision `json:"precision"`
	Optimizer        flops.Optimizer `json:"optimizer"`
	Attention        flops.Attention `json:"attention"`
	Recompute        flops.Recompute `json:"recompute"`
	SequenceParallel bool            `json:"sequence_parallel"`
	Compiled         bool            `json:"compiled"`
	Stack            string          `json:"stack"`
}

func executionOf(run *hardware.Run) executionFields {
	x := &run.Execution
	return executionFields{
		x.Precision, x.Optimizer, x.Attention, x.Recompute,
		run.Layout.SequenceParallel, run.Compiled(), cmp.Or(run.Software.Stack, plan.AverageStack),
	}
}

// layoutFields are how a step is spread over devices, as resolved.
type layoutFields struct {
	Devices          int  `json:"devices"`
	DP               int  `json:"dp"`
	TP               int  `json:"tp"`
	PP               int  `json:"pp"`
	Interleave       int  `json:"interleave"`
	ZeRO             int  `json:"zero"`
	MicroBatch       int  `json:"micro_batch"`
	Accumulate       int  `json:"accumulate"`
	Context          int  `json:"context"`
	Expert           int  `json:"expert"`
	SequenceParallel bool `json:"sequence_parallel"` // as in execution
}

func layoutOf(run *hardware.Run) layoutFields {
	l, s := &run.Layout, &run.Software
	return layoutFields{
		run.Devices(), l.DP, l.TP, l.PP, l.Interleave, l.ZeRO, l.MicroBatch, l.Accumulate,
		max(1, s.ContextParallel), max(1, s.ExpertParallel), l.SequenceParallel,
	}
}
