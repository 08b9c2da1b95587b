package hardware

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/deepnarrow/deepnarrow/flops"
)

// Change is one thing that could be different about a run, and what it would do.
type Change struct {
	What string // e.g. "recompute none instead of full"
	Kind ChangeKind
	Run  Run // with the change
	// Gain is the rise of throughput per device: tokens per second and device with the change over
	// those without, less 1.
	Gain        float64
	StepSeconds float64
	PeakBytes   float64
	Fits        *bool // in memory; nil where the profile does not state its memory
}

// ChangeKind says who can make a change.
type ChangeKind string

const (
	// of the trainer; the result is the same but for rounding
	SettingChange  ChangeKind = "setting"
	ShapeChange    ChangeKind = "shape"    // of the model or its batch
	HardwareChange ChangeKind = "hardware" // of the machine
	ClusterChange  ChangeKind = "cluster"  // of what is rented: more devices, another card
)

// Changes returns what would mend a run, each found by predicting the changed run.
//
// Of a run that does not fit in memory these are the changes that make it fit, from the one that
// changes least to the one that changes most: each alone suffices, laid out in the fastest way that
// fits. Of one that fits they are single changes of speed, the largest gain first. Changes that the
// run does not allow are left out. The errors are those of [Predict].
func Changes(r Run) ([]Change, error) {
	base, err := Predict(r)
	if err != nil {
		return nil, err
	}
	rate := base.TokensPerSecond / float64(base.Devices)
	if base.Fits != nil && !*base.Fits {
		return mends(&r, rate), nil
	}
	var list []Change
	for _, c := range candidates(&r) {
		if c.weigh(rate) {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b Change) int { return cmp.Compare(b.Gain, a.Gain) })
	return list, nil
}

// weigh predicts the changed run, without an interval, against the tokens per second and device of
// the run as it is; false where it cannot run.
func (c *Change) weigh(rate float64) bool {
	r := &c.Run
	memory, err := flops.TrainingMemory(&r.Shape, r.Workload, r.Execution, r.Layout)
	if err != nil {
		return false
	}
	m, err := NewMachine(&r.Profile, r.Execution, r.Software)
	if err != nil {
		return false
	}
	if c.StepSeconds, err = m.StepSeconds(&r.Shape, r.Workload, r.Layout); err != nil {
		return false
	}
	changed := float64(r.Workload.Tokens(&r.Shape)) / c.StepSeconds / float64(r.Devices())
	c.Gain, c.PeakBytes, c.Fits = changed/rate-1, memory.PeakBytes, r.Profile.Fits(&memory)
	return true
}

// candidates lists the single changes worth a look.
func candidates(r *Run) []Change {
	var list []Change
	try := func(kind ChangeKind, what string, edit func(*Run)) {
		c := Change{What: what, Kind: kind, Run: *r}
		edit(&c.Run)
		list = append(list, c)
	}
	x, l := r.Execution, r.Layout.For(r.Workload)
	for _, mode := range recomputeModes {
		if mode < x.Recompute {
			try(SettingChange, fmt.Sprintf("recompute %s instead of %s", mode, x.Recompute), func(r *Run) { r.Execution.Recompute = mode })
		}
	}
	if best, err := SearchLayout(*r, r.Devices()); err == nil && best.Fits &&
		(best.Layout != l || best.Recompute != x.Recompute) {
		try(SettingChange, "the fastest layout that fits", best.put)
	}
	if x.Attention == flops.UnfusedAttention {
		try(SettingChange, "fused attention", func(r *Run) { r.Execution.Attention = flops.FusedAttention })
	}
	if !compiled(&r.Profile, r.Software) {
		yes := true
		try(SettingChange, "a compiled graph", func(r *Run) { r.Software.Compiled = &yes })
	}
	if x.Precision == flops.FP32 {
		try(SettingChange, "bfloat16 instead of float32", func(r *Run) { r.Execution.Precision, r.Software.Matmul = flops.BF16Mixed, "" })
	} else if _, ok := r.Profile.Peaks[FP8]; ok && x.Precision == flops.BF16Mixed &&
		r.Software.Matmul != FP8 {
		try(SettingChange, "fp8 layer products", func(r *Run) { r.Execution.Precision = flops.FP8Mixed })
	}
	relayout := func(change string, edit func(*flops.Layout)) {
		try(SettingChange, change, func(r *Run) {
			next := l
			next.Accumulate = 0 // worked out anew
			edit(&next)
			r.Layout = next
		})
	}
	if l.Accumulate > 1 {
		relayout(fmt.Sprintf("micro-batch %d instead of %d", 2*l.MicroBatch, l.MicroBatch), func(n *flops.Layout) { n.MicroBatch *= 2 })
	}
	if l.MicroBatch > 1 && l.PP > 1 {
		relayout(fmt.Sprintf("micro-batch %d instead of %d", l.MicroBatch/2, l.MicroBatch), func(n *flops.Layout) { n.MicroBatch /= 2 })
	}
	if l.TP > 1 {
		relayout(fmt.Sprintf("tp %d and dp %d instead of %d and %d", l.TP/2, 2*l.DP, l.TP, l.DP), func(n *flops.Layout) { n.TP, n.DP = n.TP/2, 2*n.DP })
		if !l.SequenceParallel {
			relayout("sequence parallelism beside tensor parallelism", func(n *flops.Layout) { n.SequenceParallel = true })
		}
	}
	if l.PP > 1 {
		relayout(fmt.Sprintf("pp %d and dp %d instead of %d and %d", l.PP/2, 2*l.DP, l.PP, l.DP), func(n *flops.Layout) { n.PP, n.DP = n.PP/2, 2*n.DP })
		relayout(fmt.Sprintf("%d chunks a pipeline stage", 2*l.Interleave), func(n *flops.Layout) { n.Interleave *= 2 })
	}
	if l.DP > 1 {
		for zero := range 4 {
			if zero != l.ZeRO {
				relayout(fmt.Sprintf("zero %d instead of %d", zero, l.ZeRO), func(n *flops.Layout) { n.ZeRO = zero })
			}
		}
	}
	shapeCandidates(r, l, try)
	hardwareCandidates(r, try)
	return list
}

// shapeCandidates are changes of batch and model that cost no parameters to speak of.
func shapeCandidates(r *Run, l flops.Layout, try func(ChangeKind, string, func(*Run))) {
	try(ShapeChange, fmt.Sprintf("batch %d instead of %d", 2*r.Workload.Batch, r.Workload.Batch),
		func(r *Run) {
			r.Workload.Batch *= 2
			r.Layout.Accumulate = 0
			if l.Accumulate == 1 {
				r.Layout.MicroBatch = 2 * l.MicroBatch
			}
		})
	padded := ceilDiv(r.Shape.Vocab, tile*l.TP) * tile * l.TP
	if padded != r.Shape.Vocab {
		try(ShapeChange, fmt.Sprintf("vocabulary padded from %d to %d", r.Shape.Vocab, padded), func(r *Run) { r.Shape.Vocab = padded })
	}
	const wide = 128
	e, d := r.Shape.Encoder, r.Shape.Decoder
	if max(e.DKV, d.DKV) < wide && e.Inner()%wide == 0 && d.Inner()%wide == 0 {
		try(ShapeChange, "fewer heads of width 128", func(r *Run) {
			for _, k := range [...]*struct{ heads, kv, width *int }{
				{&r.Shape.Encoder.Heads, &r.Shape.Encoder.KVHeads, &r.Shape.Encoder.DKV},
				{&r.Shape.Decoder.Heads, &r.Shape.Decoder.KVHeads, &r.Shape.Decoder.DKV},
			} {
				if *k.width > 0 {
					inner, kv := *k.heads**k.width, *k.kv**k.width
					*k.heads, *k.kv, *k.width = inner/wide, max(1, kv/wide), wide
				}
			}
		})
	}
}

// hardwareCandidates doubles what a machine can be bought with more of.
func hardwareCandidates(r *Run, try func(ChangeKind, string, func(*Run))) {
	double := func(what string, at func(*Profile) **Field) {
		if f := *at(&r.Profile); f != nil {
			twice := *f
			twice.Value *= 2
			try(HardwareChange, "twice the "+what, func(r *Run) { *at(&r.Profile) = &twice })
		}
	}
	double("memory bandwidth", func(p *Profile) **Field { return &p.BandwidthBytesPerSecond })
	double("links inside a node", func(p *Profile) **Field { return &p.IntraBytesPerSecond })
	double("links between nodes", func(p *Profile) **Field { return &p.InterBytesPerSecond })
}
