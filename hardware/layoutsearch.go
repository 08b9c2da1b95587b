package hardware

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/flops"
)

// LayoutChoice is one way to lay a run out.
type LayoutChoice struct {
	Layout      flops.Layout
	Recompute   flops.Recompute
	StepSeconds float64
	PeakBytes   float64
	Fits        bool // always true where the profile does not state its memory
}

// put lays a run out as chosen.
func (c *LayoutChoice) put(r *Run) { r.Layout, r.Execution.Recompute = c.Layout, c.Recompute }

// NoLayoutError says that no layout over these devices is possible at all.
type NoLayoutError struct {
	Devices, Batch int
}

func (e *NoLayoutError) Error() string {
	return fmt.Sprintf(
		"no layout spreads a batch of %d sequences over %d devices; the data-parallel size must divide the batch, and tp the heads and d_ff", e.Batch, e.Devices)
}

// SearchLayout returns the fastest layout of a run over that many devices that fits in memory: of
// every split into data, tensor and pipeline parallelism, ZeRO stage, micro-batch and recompute
// mode that the shape allows. Tensor parallelism stays within the fast links and splits the
// sequence too where its length allows. The run's own layout and recompute mode are ignored; modes
// are the recompute modes to try, none means all. Where nothing fits it is the layout that needs
// least.
//
// Memory is counted only until one fits: layouts are priced, and tried from the fastest on.
//
// Errors: [*NoLayoutError], a [*MissingError], or the [*shapes.InvalidError] of a workload.
func SearchLayout(r Run, devices int, modes ...flops.Recompute) (LayoutChoice, error) {
	if len(modes) == 0 {
		modes = recomputeModes[:]
	}
	priced, err := priceLayouts(&r, devices, modes)
	if err != nil {
		return LayoutChoice{}, err
	}
	capacity := math.Inf(1)
	if usable, known := r.Profile.UsableBytes(); known {
		capacity = usable
	}
	best := LayoutChoice{PeakBytes: math.Inf(1)}
	for _, c := range priced {
		if best.Fits && c.StepSeconds > best.StepSeconds {
			break
		}
		x := r.Execution
		x.Recompute = c.Recompute
		memory, err := flops.TrainingMemory(&r.Shape, r.Workload, x, c.Layout)
		if err != nil {
			return LayoutChoice{}, err
		}
		c.PeakBytes, c.Fits = memory.PeakBytes, memory.PeakBytes <= capacity
		if c.Fits && !best.Fits || c.Fits == best.Fits && c.PeakBytes < best.PeakBytes {
			best = c
		}
	}
	return best, nil
}

// priceLayouts times every layout and recompute mode that the shape allows, the fastest first.
func priceLayouts(r *Run, devices int, modes []flops.Recompute) ([]LayoutChoice, error) {
	if err := r.Workload.Validate(&r.Shape); err != nil {
		return nil, err
	}
	machines := make([]Machine, len(modes))
	for i, mode := range modes {
		x := r.Execution
		x.Recompute = mode
		m, err := NewMachine(&r.Profile, x, r.Software)
		if err != nil {
			return nil, err
		}
		machines[i] = m
	}
	var out []LayoutChoice
	var missing error
	for l := range layouts(r, devices, &machines[0]) {
		if machines[0].linksNeeded(l) != noLink {
			missing = machines[0].checkLinks(l)
			continue
		}
		if l.Validate(&r.Shape, r.Workload) != nil {
			continue
		}
		for i, mode := range modes {
			t := machines[i].step(&r.Shape, r.Workload, l)
			out = append(out, LayoutChoice{Layout: l, Recompute: mode, StepSeconds: t.total()})
		}
	}
	switch {
	case len(out) > 0:
	case missing != nil:
		return nil, missing
	default:
		return nil, &NoLayoutError{devices, r.Workload.Batch}
	}
	slices.SortStableFunc(out, func(a, b LayoutChoice) int {
		return cmp.Compare(a.StepSeconds, b.StepSeconds)
	})
	return out, nil
}

var recomputeModes = [...]flops.Recompute{
	flops.RecomputeNone, flops.RecomputeSelective, flops.RecomputeFull,
}

// layouts yields every layout worth a look, its zero fields filled, in a fixed order.
func layouts(r *Run, devices int, m *Machine) func(func(flops.Layout) bool) {
	return func(yield func(flops.Layout) bool) {
		groups := devices / m.contexts
		for _, tp := range divisors(groups) {
			if tp > m.domain || tp > max(r.Shape.Encoder.Heads, r.Shape.Decoder.Heads) {
				break
			}
			for _, pp := range divisors(groups / tp) {
				if pp > r.Shape.Encoder.Layers+r.Shape.Decoder.Layers {
					break
				}
				dp := groups / tp / pp
				if r.Workload.Batch%dp != 0 {
					continue
				}
				for _, micro := range divisors(r.Workload.Batch / dp) {
					for _, chunks := range interleaves(r, pp) {
						for zero := range 4 {
							if zero > 0 && dp == 1 || zero > 1 && pp > 1 {
								// nothing to split; gradients and weights of a pipeline stage stay
								// whole over its micro-batches
								break
							}
							l := flops.Layout{
								DP: dp, TP: tp, PP: pp, ZeRO: zero, MicroBatch: micro,
								Interleave: chunks, SequenceParallel: tp > 1 && divides(tp, r),
							}
							if !yield(l.For(r.Workload)) {
								return
							}
						}
					}
				}
			}
		}
	}
}

// divides says whether tensor parallelism can split the sequences too.
func divides(tp int, r *Run) bool {
	encoder := r.Shape.Encoder.Layers == 0 || r.Workload.EncoderLength%tp == 0
	return encoder && (r.Shape.Decoder.Layers == 0 || r.Workload.DecoderLength%tp == 0)
}

// interleaves lists the chunks a pipeline stage may have: stages of an encoder-decoder are not
// alike and have one.
func interleaves(r *Run, pp int) []int {
	if pp == 1 || r.Shape.CrossAttention() {
		return []int{1}
	}
	return []int{1, 2, 4}
}

// divisors lists the divisors of n in rising order; of a number with many it keeps the powers of
// two and the number itself.
func divisors(n int) []int {
	const most = 24
	var all []int
	for d := 1; d*d <= n; d++ {
		if n%d == 0 {
			all = append(all, d)
			if d*d != n {
				all = append(all, n/d)
			}
		}
	}
	slices.Sort(all)
	if len(all) <= most {
		return all
	}
	return slices.DeleteFunc(all, func(d int) bool { return d&(d-1) != 0 && d != n })
}
