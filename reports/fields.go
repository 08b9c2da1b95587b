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

type shapeFields struct {
	Name    string       `json:"name"`
	Family  string       `json:"family,omitempty"`
	DModel  int          `json:"d_model"`
	Vocab   int          `json:"vocab"`
	Head    shapes.Head  `json:"head"`
	Norm    shapes.Norm  `json:"norm"`
	Encoder *stackFields `json:"encoder,omitempty"`
	Decoder *stackFields `json:"decoder,omitempty"`
}

type stackFields struct {
	Layers   int             `json:"layers"`
	DFF      int             `json:"d_ff"`
	DKV      int             `json:"d_kv"`
	Heads    int             `json:"heads"`
	KVHeads  int             `json:"kv_heads"`
	Gated    bool            `json:"gated"`
	Position shapes.Position `json:"position"`
	Experts  int             `json:"experts,omitempty"`
}

func shapeOf(s *shapes.Shape) shapeFields {
	return shapeFields{
		Name: s.Name, Family: string(s.Family), DModel: s.DModel, Vocab: s.Vocab, Head: s.Head,
		Norm:    s.Norm,
		Encoder: stackOf(&s.Encoder), Decoder: stackOf(&s.Decoder),
	}
}

func stackOf(k *shapes.Stack) *stackFields {
	if k.Layers == 0 {
		return nil
	}
	return &stackFields{
		Layers: k.Layers, DFF: k.DFF, DKV: k.DKV, Heads: k.Heads, KVHeads: k.KVHeads,
		Gated: k.Gated, Position: k.Position, Experts: k.Experts,
	}
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
