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

// LayoutSearch is the outcome of [SearchLayout].
type LayoutSearch struct {
	// Choices are the layouts that fit, fastest first; where none fits, those that need the least
	// memory.
	Choices []LayoutChoice
	Fits    bool
	// Remedies are changes that make the run fit where nothing does, the least intrusive first.
	// Each alone suffices.
	Remedies []Remedy
	Tried    int
}

// Remedy is one change to a run that makes it fit.
type Remedy struct {
	Change string // e.g. "16 devices instead of 8"
	Best   LayoutChoice
}

// NoLayoutError says that no layout of so many devices is possible at all.
type NoLayoutError struct {
	Devices, Batch int
}

func (e *NoLayoutError) Error() string {
	return fmt.Sprintf(
		"no layout spreads a batch of %d sequences over %d devices; the data-parallel size must divide the batch, and tp the heads and d_ff", e.Batch, e.Devices)
}

// shownChoices is how many layouts a search returns.
const shownChoices = 10

// SearchLayout returns the fastest layouts of a run over so many devices that fit in memory: every
// split into data, tensor and pipeline parallelism, ZeRO stage, micro-batch and recompute mode that
// the shape allows. Tensor parallelism stays within the fast links and splits the sequence too
// where its length allows. The run's own layout and recompute mode are ignored; modes are the
// recompute modes to try, none means all.
//
// Where nothing fits, the choices are those that need least, and Remedies lists what would fit.
//
// Errors: [*NoLayoutError], a [*MissingError], or the [*shapes.InvalidError] of a workload.
func SearchLayout(r Run, devices int, modes ...flops.Recompute) (LayoutSearch, error) {
	if len(modes) == 0 {
		modes = recomputeModes[:]
	}
	s, err := searchLayouts(&r, devices, modes)
	if err != nil || s.Fits {
		return s, err
	}
	enough := false
	for _, remedy := range remedies(&r, devices) {
		more := remedy.devices > devices
		if more && enough {
			continue // fewer devices do already
		}
		found, err := searchLayouts(&remedy.run, remedy.devices, modes)
		if err == nil && found.Fits {
			s.Remedies = append(s.Remedies, Remedy{remedy.change, found.Choices[0]})
			enough = enough || more
		}
	}
	return s, nil
}

// searchLayouts prices every layout.
func searchLayouts(r *Run, devices int, modes []flops.Recompute) (LayoutSearch, error) {
	if err := r.Workload.Validate(&r.Shape); err != nil {
		return LayoutSearch{}, err
	}
	machines := make([]Machine, len(modes))
	for i, mode := range modes {
		x := r.Execution
		x.Recompute = mode
		m, err := NewMachine(&r.Profile, x, r.Software)
		if err != nil {
			return LayoutSearch{}, err
		}
		machines[i] = m
	}
	capacity := math.Inf(1)
	if usable, known := r.Profile.UsableBytes(); known {
		capacity = usable
	}
	var out LayoutSearch
	var missing error
	for l := range layouts(r, devices, &machines[0]) {
		if need := machines[0].linksNeeded(l); need != noLink {
			missing = machines[0].checkLinks(l)
			continue
		}
		for i, mode := range modes {
			x := r.Execution
			x.Recompute = mode
			memory, err := flops.TrainingMemory(&r.Shape, r.Workload, x, l)
			if err != nil {
				break // the shape does not allow the layout
			}
			out.Tried++
			t := machines[i].step(&r.Shape, r.Workload, l)
			out.add(LayoutChoice{
				l, mode, t.total(), memory.PeakBytes,
				memory.PeakBytes <= capacity,
			})
		}
	}
	if len(out.Choices) == 0 {
		if missing != nil {
			return LayoutSearch{}, missing
		}
		return LayoutSearch{}, &NoLayoutError{devices, r.Workload.Batch}
	}
	out.Fits = out.Choices[0].Fits
	return out, nil
}

var recomputeModes = [...]flops.Recompute{
	flops.RecomputeNone, flops.RecomputeSelective,
	flops.RecomputeFull,
}

// add keeps a choice if it is among the best: what fits before what does not, then by time, or by
// memory.
func (s *LayoutSearch) add(c LayoutChoice) {
	order := func(a, b LayoutChoice) int {
		switch {
		case a.Fits != b.Fits:
			if a.Fits {
				return -1
			}
			return 1
		case a.Fits:
			return cmp.Or(cmp.Compare(a.StepSeconds, b.StepSeconds),
				cmp.Compare(a.PeakBytes, b.PeakBytes))
		}
		return cmp.Or(cmp.Compare(a.PeakBytes, b.PeakBytes),
			cmp.Compare(a.StepSeconds, b.StepSeconds))
	}
	at, _ := slices.BinarySearchFunc(s.Choices, c, order)
	if at >= shownChoices {
		return
	}
	s.Choices = slices.Insert(s.Choices, at, c)
	s.Choices = s.Choices[:min(len(s.Choices), shownChoices)]
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

// proposal is a run that differs in one thing.
type proposal struct {
	change  string
	run     Run
	devices int
}

// remedies lists what could make a run fit, from what changes nothing in the result to what changes
// most.
func remedies(r *Run, devices int) []proposal {
	var list []proposal
	try := func(change string, n int, edit func(*Run)) {
		p := proposal{change, *r, n}
		edit(&p.run)
		list = append(list, p)
	}
	x := r.Execution
	if x.Attention == flops.UnfusedAttention {
		try("fused attention", devices, func(r *Run) { r.Execution.Attention = flops.FusedAttention })
	}
	if !x.NativeLogits {
		try("the loss in the compute precision", devices, func(r *Run) { r.Execution.NativeLogits = true })
	}
	if x.Precision == flops.FP32 {
		try("bfloat16 mixed precision", devices, func(r *Run) { r.Execution.Precision = flops.BF16Mixed })
	} else if x.GradientBytes == 0 && x.Precision != flops.PureBF16 {
		try("gradients in two bytes", devices, func(r *Run) { r.Execution.GradientBytes = 2 })
	}
	if x.Optimizer == flops.Adam {
		try("8-bit Adam", devices, func(r *Run) { r.Execution.Optimizer = flops.Adam8bit })
		try("Adafactor", devices, func(r *Run) { r.Execution.Optimizer = flops.Adafactor })
	}
	const mostDoublings = 6
	for n := 1; n <= mostDoublings; n++ {
		many := devices << n
		try(fmt.Sprintf("%d devices instead of %d", many, devices), many, func(*Run) {})
	}
	try("half the length of the sequences", devices, func(r *Run) {
		r.Workload.EncoderLength, r.Workload.DecoderLength = ceilDiv(r.Workload.EncoderLength, 2),
			ceilDiv(r.Workload.DecoderLength, 2)
	})
	return list
}
