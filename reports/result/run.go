package result

import (
	"cmp"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// Params counts trainable parameters; components without any are left out.
type Params struct {
	Total        int64            `json:"total"`
	NonEmbedding int64            `json:"non_embedding"`
	Active       int64            `json:"active"`
	ByComponent  map[string]int64 `json:"by_component"`
	Trained      *int64           `json:"trained,omitempty"` // where not all is
}

// ParamsOf returns a count as JSON writes it.
func ParamsOf(p *flops.Parameters) Params {
	by := map[string]int64{}
	for c, n := range p.By {
		if n != 0 {
			by[flops.Component(c).String()] = n
		}
	}
	return Params{
		Total: p.Total, NonEmbedding: p.NonEmbedding, Active: p.Active,
		ByComponent: by,
	}
}

// FLOPs are those of one step under a convention.
type FLOPs struct {
	Convention flops.Convention `json:"convention"`
	Forward    float64          `json:"forward"`
	Backward   float64          `json:"backward"`
	Step       float64          `json:"step"`
	Meaning    string           `json:"meaning,omitempty"`
}

// FLOPsOf returns a count as JSON writes it.
func FLOPsOf(c flops.Count) FLOPs {
	return FLOPs{
		Convention: c.Convention, Forward: c.Forward, Backward: c.Backward,
		Step: c.Step,
	}
}

// Workload is one step. A length of a stack that the shape lacks is absent.
type Workload struct {
	Batch         int `json:"batch"`
	EncoderLength int `json:"encoder_length,omitempty"`
	DecoderLength int `json:"decoder_length,omitempty"`

	// of a planned run
	Tokens  int      `json:"tokens,omitempty"` // training tokens of a step
	Dropout *bool    `json:"dropout,omitempty"`
	Goodput *float64 `json:"goodput,omitempty"`
}

// WorkloadOf returns the batch and lengths of a workload as JSON writes them.
func WorkloadOf(s *shapes.Shape, w flops.Workload) Workload {
	f := Workload{Batch: w.Batch}
	if s.Encoder.Layers > 0 {
		f.EncoderLength = w.EncoderLength
	}
	if s.Decoder.Layers > 0 {
		f.DecoderLength = w.DecoderLength
	}
	return f
}

// Memory is that of the device that needs most; components without any are left out.
type Memory struct {
	PeakBytes   float64            `json:"peak_bytes"`
	StaticBytes float64            `json:"static_bytes"`
	PeakPhase   string             `json:"peak_phase"`
	Stage       int                `json:"stage"`
	ByComponent map[string]float64 `json:"by_component"`
	Fits        *bool              `json:"fits,omitempty"`
}

// MemoryOf returns the memory of a device; fits is nil when no device is named.
func MemoryOf(m *flops.Memory, fits *bool) Memory {
	by := map[string]float64{}
	for p, n := range m.Peak {
		if n != 0 {
			by[flops.MemoryPart(p).String()] = n
		}
	}
	return Memory{
		PeakBytes: m.PeakBytes, StaticBytes: m.StaticBytes,
		PeakPhase: m.PeakPhase.String(), Stage: m.Stage, ByComponent: by, Fits: fits,
	}
}

// Run is how a run is executed and laid out, as resolved: enough to ask for the same again.
type Run struct {
	Execution Execution `json:"execution"`
	Layout    Layout    `json:"layout"`
}

// RunOf returns the fields of a resolved run.
func RunOf(run *hardware.Run) *Run { return &Run{executionOf(run), layoutOf(run)} }

// Resolved returns the choices and the layout as a run, without shape, workload and profile.
func (r *Run) Resolved() hardware.Run {
	x, l := &r.Execution, &r.Layout
	return hardware.Run{
		Execution: flops.Execution{
			Precision: x.Precision, Optimizer: x.Optimizer, Attention: x.Attention,
			Recompute: x.Recompute, Tuning: x.Tuning.of(),
		},
		Layout: flops.Layout{
			DP: l.DP, TP: l.TP, PP: l.PP, Interleave: l.Interleave, ZeRO: l.ZeRO,
			MicroBatch: l.MicroBatch, Accumulate: l.Accumulate, SequenceParallel: x.SequenceParallel,
		},
		Software: hardware.Software{ContextParallel: l.Context, ExpertParallel: l.Expert},
	}
}

// Execution is the numeric choices of a step and the software, as resolved.
type Execution struct {
	Precision        flops.Precision `json:"precision"`
	Optimizer        flops.Optimizer `json:"optimizer"`
	Attention        flops.Attention `json:"attention"`
	Recompute        flops.Recompute `json:"recompute"`
	SequenceParallel bool            `json:"sequence_parallel"`
	Compiled         bool            `json:"compiled"`
	Stack            string          `json:"stack"`
	Tuning           *Tuning         `json:"tuning,omitempty"` // absent where all is trained
}

// Tuning is what of a model is trained, and how the rest is kept.
type Tuning struct {
	Rank    int           `json:"rank,omitempty"`    // of LoRA adapters
	Targets string        `json:"targets,omitempty"` // matrices with adapters
	Weights flops.Storage `json:"weights"`           // whole, int8 or int4
	Frozen  string        `json:"frozen,omitempty"`  // parts
}

func tuningOf(t flops.Tuning) *Tuning {
	if t == (flops.Tuning{}) {
		return nil
	}
	return &Tuning{t.Rank, t.Beside().String(), t.Stored, t.Frozen.String()}
}

// of returns the tuning; what an older program wrote otherwise is left out.
func (t *Tuning) of() flops.Tuning {
	if t == nil {
		return flops.Tuning{}
	}
	out := flops.Tuning{Rank: t.Rank, Stored: t.Weights}
	out.Targets, _ = flops.ParseTargets(t.Targets)
	out.Frozen, _ = flops.ParseParts(t.Frozen)
	return out
}

func executionOf(run *hardware.Run) Execution {
	x := &run.Execution
	return Execution{
		x.Precision, x.Optimizer, x.Attention, x.Recompute,
		run.Layout.SequenceParallel, run.Compiled(), cmp.Or(run.Software.Stack, plan.AverageStack),
		tuningOf(x.Tuning),
	}
}

// Layout is how a step is spread over devices, as resolved.
type Layout struct {
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

func layoutOf(run *hardware.Run) Layout {
	l, s := &run.Layout, &run.Software
	return Layout{
		run.Devices(), l.DP, l.TP, l.PP, l.Interleave, l.ZeRO, l.MicroBatch, l.Accumulate,
		max(1, s.ContextParallel), max(1, s.ExpertParallel), l.SequenceParallel,
	}
}

// Count is a result of count: one shape.
type Count struct {
	Shape             Shape      `json:"shape"`
	Workload          Workload   `json:"workload"`
	Params            Params     `json:"params"`
	FLOPs             FLOPs      `json:"flops"`
	FLOPsByConvention []FLOPs    `json:"flops_by_convention,omitempty"`
	Memory            Memory     `json:"memory"`
	Breakdown         []Share    `json:"breakdown,omitempty"`
	Stored            *Stored    `json:"stored,omitempty"`
	Inference         *Inference `json:"inference,omitempty"`
}

// Inference is the memory of generating one sequence on one device.
type Inference struct {
	Workload         Workload `json:"workload"`
	Memory           Memory   `json:"memory"`
	TokenBytes       float64  `json:"cache_bytes_per_token"`
	SourceTokenBytes float64  `json:"cross_cache_bytes_per_token"`
}

// Stored is a checkpoint; alone with a name and a total it is a result.
type Stored struct {
	Tensors    int   `json:"tensors"`
	Parameters int64 `json:"parameters"`
	Bytes      int64 `json:"bytes"`
}

// StoredOf returns what the header of a checkpoint says as JSON writes it; nil without one.
func StoredOf(h *tensors.Header) *Stored {
	if h == nil {
		return nil
	}
	return &Stored{Tensors: len(h.Tensors), Parameters: h.Parameters(), Bytes: h.Bytes()}
}

// Checkpoint is a result of count for weights without a configuration.
type Checkpoint struct {
	Shape struct {
		Name string `json:"name"`
	} `json:"shape"`
	Params struct {
		Total int64 `json:"total"`
	} `json:"params"`
	Stored *Stored `json:"stored"`
}

// Share is what one part of a model holds and does in a forward pass.
type Share struct {
	Name        string  `json:"name"`
	Params      int64   `json:"params"`
	Forward     float64 `json:"forward"`
	VectorFLOPs float64 `json:"vector"`
}

// SharesOf returns a breakdown as JSON writes it.
func SharesOf(shares []flops.Share) []Share {
	var out []Share
	for _, s := range shares {
		out = append(out, Share{s.Name, s.Params, s.Forward, s.Vector})
	}
	return out
}
