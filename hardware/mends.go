package hardware

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/deepnarrow/deepnarrow/flops"
)

// proposal is a change that could make a run fit, to be laid out anew over that many devices.
type proposal struct {
	Change
	devices int
	modes   []flops.Recompute // to search; none means all
}

// mends lists the changes that make a run fit which does not, from what changes nothing in the
// result to what changes most. Of those that grow until they suffice, such as more devices, the
// smallest stands alone.
func mends(r *Run, rate float64) []Change {
	var out []Change
	enough := map[string]bool{}
	for _, p := range proposals(r) {
		grows := p.Kind == ClusterChange
		family := "devices"
		if p.Run.Profile.Name != r.Profile.Name {
			family = "card"
		}
		if grows && enough[family] {
			continue
		}
		best, err := SearchLayout(p.Run, p.devices, p.modes...)
		if err != nil || !best.Fits {
			continue
		}
		best.put(&p.Run)
		if !p.weigh(rate) {
			continue
		}
		out = append(out, p.Change)
		if grows {
			enough[family] = true
		}
		if p.What == otherLayout {
			enough[otherLayout] = true
		}
	}
	return slices.DeleteFunc(out, func(c Change) bool {
		return c.What == otherRecompute && enough[otherLayout]
	})
}

const (
	otherLayout    = "another layout"
	otherRecompute = "another layout and recompute mode"
)

// proposals lists what could make a run fit, from what changes least.
func proposals(r *Run) []proposal {
	var list []proposal
	devices := r.Devices()
	try := func(kind ChangeKind, what string, n int, edit func(*Run)) {
		p := proposal{Change{What: what, Kind: kind, Run: *r}, n, nil}
		edit(&p.Run)
		list = append(list, p)
	}
	nothing := func(*Run) {}
	x := r.Execution
	try(SettingChange, otherLayout, devices, nothing)
	list[0].modes = []flops.Recompute{x.Recompute}
	try(SettingChange, otherRecompute, devices, nothing)
	if x.Attention == flops.UnfusedAttention {
		try(SettingChange, "fused attention", devices, func(r *Run) { r.Execution.Attention = flops.FusedAttention })
	}
	if x.Precision == flops.FP32 {
		try(SettingChange, "bfloat16 mixed precision", devices, func(r *Run) { r.Execution.Precision = flops.BF16Mixed })
	}
	if x.Optimizer == flops.Adam {
		try(SettingChange, "8-bit Adam", devices, func(r *Run) { r.Execution.Optimizer = flops.Adam8bit })
		try(SettingChange, "Adafactor", devices, func(r *Run) { r.Execution.Optimizer = flops.Adafactor })
	}
	const mostDoublings = 6
	for n := 1; n <= mostDoublings; n++ {
		many := devices << n
		try(ClusterChange, fmt.Sprintf("%d devices instead of %d", many, devices), many, nothing)
	}
	for _, p := range largerCards(&r.Profile) {
		try(ClusterChange, p.Name+" instead of "+r.Profile.Name, devices, func(r *Run) { r.Profile = p })
	}
	if r.Workload.Batch > 1 {
		half := ceilDiv(r.Workload.Batch, 2)
		try(ShapeChange, fmt.Sprintf("batch %d instead of %d", half, r.Workload.Batch), devices,
			func(r *Run) { r.Workload.Batch = half })
	}
	try(ShapeChange, "half the length of the sequences", devices, func(r *Run) {
		r.Workload.EncoderLength, r.Workload.DecoderLength = ceilDiv(r.Workload.EncoderLength, 2),
			ceilDiv(r.Workload.DecoderLength, 2)
	})
	return list
}

// largerCards lists the priced accelerators with more memory than a profile, the cheapest first.
func largerCards(p *Profile) []Profile {
	mine, known := p.UsableBytes()
	if !known {
		return nil
	}
	larger := slices.DeleteFunc(Catalogue(), func(c Profile) bool {
		theirs, known := c.UsableBytes()
		return !known || theirs <= mine || c.PriceUSDPerHour == nil
	})
	slices.SortStableFunc(larger, func(a, b Profile) int {
		return cmp.Compare(a.PriceUSDPerHour.Value, b.PriceUSDPerHour.Value)
	})
	return larger
}
