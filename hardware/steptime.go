package hardware

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Run is one training configuration to be timed. The devices are the layout's, times
// Software.ContextParallel.
type Run struct {
	Profile   Profile
	Shape     shapes.Shape
	Workload  flops.Workload // Batch is the global batch
	Execution flops.Execution
	Layout    flops.Layout
	Software  Software
	// Generation says how answers are generated; training does not read it.
	Generation Generation
}

// Devices returns how many devices the run takes.
func (r *Run) Devices() int { return r.Layout.Devices() * max(1, r.Software.ContextParallel) }

// Compiled says whether the step is one compiled graph: as stated, or as the vendor's frameworks do.
func (r *Run) Compiled() bool { return compiled(&r.Profile, r.Software) }

// Bound names what limits a step.
type Bound string

// The four limits.
const (
	ComputeBound   Bound = "compute"
	BandwidthBound Bound = "memory bandwidth"
	NetworkBound   Bound = "network"
	LaunchBound    Bound = "launch overhead"
)

// Part is a share of the step.
type Part struct {
	Name    string
	Seconds float64
	Bound   Bound // what would shorten it
}

// Assumption is a number the prediction rests on that the run did not state.
type Assumption struct {
	Name   string
	Value  string // with its unit
	Origin Origin
	Source string
}

// Prediction is the time of one training step and what it is made of.
type Prediction struct {
	StepSeconds quantity.Interval
	Level       float64 // of the interval, as a fraction
	Parts       []Part  // sum to StepSeconds.Value; those of zero length are left out
	Bound       Bound
	// MFU is the step's matmul FLOPs a second and device over PeakFLOPsPerSecond, HFU the same with
	// recomputed FLOPs.
	MFU, HFU           float64
	PeakFLOPsPerSecond float64
	Devices            int
	TokensPerSecond    float64 // positions of both stacks
	Memory             flops.Memory
	Fits               *bool // nil: the profile does not state its memory
	Assumptions        []Assumption
	Warnings           []string
}

var pieceNames = [pieces]struct {
	name  string
	bound Bound
}{
	encoderAttention:  {"encoder attention", ComputeBound},
	encoderFFN:        {"encoder feed-forward", ComputeBound},
	decoderAttention:  {"decoder attention", ComputeBound},
	crossAttention:    {"cross-attention", ComputeBound},
	decoderFFN:        {"decoder feed-forward", ComputeBound},
	headProduct:       {"embedding and logits", ComputeBound},
	vectorWork:        {"element-wise work", BandwidthBound},
	launches:          {"kernel launches", LaunchBound},
	tensorCollectives: {"tensor-parallel collectives", NetworkBound},
	expertCollectives: {"expert all-to-all", NetworkBound},
	pipelineTransfers: {"pipeline transfers", NetworkBound},
	dataCollectives:   {"gradient and weight collectives", NetworkBound},
	pipelineBubble:    {"pipeline bubble", ComputeBound},
	optimizerUpdate:   {"optimizer", BandwidthBound},
	fixedCost:         {"per-step overhead", LaunchBound},
	stragglers:        {"waiting for the slowest node", NetworkBound},
}

// Predict returns the time of one training step with an 80 % interval, what it is made of, what
// binds, and what it rests on.
//
// Errors: a [*shapes.InvalidError] for a run that cannot be laid out, a [*MissingError] for a
// profile that lacks a number the run needs. A run that does not fit in memory is predicted all the
// same, with Fits false.
//
// Not modelled: input pipelines that starve the devices, checkpoints and evaluation (see goodput),
// thermal drift.
func Predict(r Run) (Prediction, error) {
	memory, err := flops.TrainingMemory(&r.Shape, r.Workload, r.Execution, r.Layout)
	if err != nil {
		return Prediction{}, err
	}
	machine, fit, err := r.machine()
	if err != nil {
		return Prediction{}, err
	}
	layout := r.Layout.For(r.Workload)
	if err := machine.checkLinks(layout); err != nil {
		return Prediction{}, err
	}
	t := machine.step(&r.Shape, r.Workload, layout)
	p := Prediction{
		Level: Level, Devices: r.Devices(), Memory: memory, PeakFLOPsPerSecond: machine.peak,
		StepSeconds: fit.interval(&r, r.trainingStep(), t.total()),
	}
	p.Parts, p.Bound = t.parts()
	step := p.StepSeconds.Value
	available := float64(p.Devices) * machine.peak * step
	work, recomputed := flops.CountTuned(&r.Shape, r.Workload, &r.Execution)
	p.MFU, p.HFU = work.Step/available, (work.Step+recomputed)/available
	p.TokensPerSecond = float64(r.Workload.Tokens(&r.Shape)) / step
	if p.Fits = r.Profile.Fits(&memory); p.Fits != nil && !*p.Fits {
		usable, _ := r.Profile.UsableBytes()
		p.Warnings = append(p.Warnings, fmt.Sprintf("needs %s a device of %s usable",
			quantity.Format(quantity.Bytes, memory.PeakBytes, 3),
			quantity.Format(quantity.Bytes, usable, 3)))
	}
	p.Assumptions = r.assumptions(&machine, layout, &fit)
	return p, nil
}

// parts lists the pieces that take time, longest first, and the kind of limit that most of the time
// belongs to.
func (t *stepTime) parts() ([]Part, Bound) {
	var list []Part
	by := map[Bound]float64{}
	for i, seconds := range t {
		if seconds > 0 {
			list = append(list, Part{pieceNames[i].name, seconds, pieceNames[i].bound})
			by[pieceNames[i].bound] += seconds
		}
	}
	slices.SortStableFunc(list, func(a, b Part) int { return cmp.Compare(b.Seconds, a.Seconds) })
	bound := ComputeBound
	for _, b := range [...]Bound{BandwidthBound, NetworkBound, LaunchBound} {
		if by[b] > by[bound] {
			bound = b
		}
	}
	return list, bound
}

// StepSeconds returns the time of one training step of a valid shape, workload and layout:
// [Predict] without interval, memory and explanation. It does not allocate; the error is the
// [*MissingError] of a link that the profile lacks.
func (s *Machine) StepSeconds(sh *shapes.Shape, w flops.Workload, l flops.Layout) (float64, error) {
	l = l.For(w)
	if need := s.linksNeeded(l); need != noLink {
		return 0, &MissingError{s.name, need, "a layout over several devices"}
	}
	t := s.step(sh, w, l)
	return t.total(), nil
}

const noLink = ""

// linksNeeded names the link that a filled layout needs and the profile lacks, or noLink.
func (s *Machine) linksNeeded(l flops.Layout) string {
	devices := l.DP * l.TP * l.PP * s.contexts
	switch {
	case devices > 1 && s.domain > 1 && s.intra == 0:
		return "intra_link"
	case devices > s.domain && s.inter == 0:
		return "inter_link"
	}
	return noLink
}

func (s *Machine) checkLinks(l flops.Layout) error {
	need := s.linksNeeded(l)
	if need == noLink {
		return nil
	}
	return &MissingError{s.name, need, fmt.Sprintf("a layout over %d devices",
		l.DP*l.TP*l.PP*s.contexts)}
}

// PeakFLOPsPerSecond returns the data-sheet rate that MFU is reported against: of the layers'
// matrix products.
func (r *Run) PeakFLOPsPerSecond() float64 {
	return r.Profile.Peaks[productFormat(r.Execution, r.Software)].Value
}
