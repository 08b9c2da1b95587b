package recommend

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Step is one step of one scaling operation from one starting size: what it costs on every axis
// and what it gains.
type Step struct {
	From  shapes.Shape
	Op    string // nl, el, dl, ff, dm, kv, nh: the paper's letters
	Value int    // before
	// after: the next value among the released T5-Efficient shapes; 0 = none is larger
	Next     int
	To       shapes.Shape
	Missing  string // why there is no step; empty when there is
	Before   plan.Answer
	Change   Change
	Upstream Gain // of the loss: negative is better
	// Downstream is the gain of the score: positive is better.
	Downstream Gain
}

// Change is After − Before in base units, and nil where either is not known.
type Change struct {
	Params      int64
	FLOPs       float64 // of one step
	MemoryBytes float64
	StepSeconds *float64
	CostUSD     *float64
	// DecodeSeconds is of one answer.
	DecodeSeconds *float64
}

// Gain is a change of quality with its 80 % interval, or the reason why nobody knows it.
type Gain struct {
	hardware.Estimate
	Class evidence.Class // Measured when both ends were
}

// operation is one of the paper's scaling knobs.
type operation struct {
	letters string
	get     func(s *shapes.Shape) int
}

// operations are the scaling operations of Tay et al. 2021 (arXiv 2109.10686).
var operations = []operation{
	{"nl", func(s *shapes.Shape) int { return max(s.Encoder.Layers, s.Decoder.Layers) }},
	{"el", func(s *shapes.Shape) int { return s.Encoder.Layers }},
	{"dl", func(s *shapes.Shape) int { return s.Decoder.Layers }},
	{"ff", func(s *shapes.Shape) int { return mainStack(s).DFF }},
	{"dm", func(s *shapes.Shape) int { return s.DModel }},
	{"kv", func(s *shapes.Shape) int { return mainStack(s).DKV }},
	{"nh", func(s *shapes.Shape) int { return mainStack(s).Heads }},
}

// next returns the smallest value above v of the T5-Efficient release, 0 where there is none.
func (o *operation) next(v int) int {
	least := 0
	for _, e := range shapes.Catalogue() {
		if n := o.get(&e.Shape); n > v && (least == 0 || n < least) && strings.HasPrefix(e.Name, efficient) {
			least = n
		}
	}
	return least
}

// edited returns s with one knob changed, and all else as it was.
func (o *operation) edited(s shapes.Shape, v int) (shapes.Shape, error) {
	base := s.Name
	set := func(k *shapes.Stack) {
		if k.Layers == 0 {
			return
		}
		switch o.letters {
		case "nl":
			k.Layers = v
		case "ff":
			k.DFF = v
		case "kv":
			k.DKV = v
		case "nh":
			if k.KVHeads == k.Heads {
				k.KVHeads = v
			}
			k.Heads = v
		}
	}
	set(&s.Encoder)
	set(&s.Decoder)
	switch o.letters {
	case "el":
		s.Encoder.Layers = v
	case "dl":
		s.Decoder.Layers = v
	case "dm":
		s.DModel = v
	}
	s.Name = fmt.Sprintf("%s/%s=%d", base, o.letters, v)
	return s, s.Validate()
}

// Protocol returns, for each starting size and each scaling operation of the paper, what one step
// costs and gains. Of the request it reads workload, execution, hardware, length of the run,
// evidence and records.
//
// A gain is given, with the interval of the difference of two runs, where the law reads the
// operation and its rows vary in it (from records: where the law tells depth from size). Elsewhere
// the step shows its costs and says that nobody has measured its gain.
//
// Errors are those of [Recommend] for a request that is not valid.
func Protocol(r Request, from []shapes.Shape) ([]Step, error) {
	var steps []Step
	for i := range from {
		each := r
		each.Anchor, each.Objective = &from[i], plan.Params
		q, err := each.ask()
		if err != nil {
			return nil, err
		}
		view := viewer{asked: q, names: catalogue()}
		for o := range operations {
			step, ok, err := view.step(from[i], &operations[o])
			if err != nil {
				return nil, err
			}
			if ok {
				steps = append(steps, step)
			}
		}
	}
	return steps, nil
}

// unmeasured is why an operation has no gain.
const unmeasured = "no published measurement"

// step returns one step; it is not ok for a stack that the shape lacks.
func (v *viewer) step(from shapes.Shape, o *operation) (Step, bool, error) {
	unknown := Gain{Class: evidence.Rule}
	s := Step{
		From: from, Op: o.letters, Value: o.get(&from), Upstream: unknown, Downstream: unknown,
	}
	if s.Value == 0 {
		return s, false, nil
	}
	before := Row{Shape: from}
	if err := v.fill(&before); err != nil {
		return s, false, err
	}
	s.Before = before.Answer
	if s.Next = o.next(s.Value); s.Next == 0 {
		s.Missing = fmt.Sprintf("no released shape has %s above %d", o.letters, s.Value)
		return s, true, nil
	}
	var err error
	if s.To, err = o.edited(from, s.Next); err != nil {
		s.Missing = err.Error()
		return s, true, nil
	}
	if name, ok := v.names[anonymous(s.To)]; ok {
		s.To.Name = name
	}
	after := Row{Shape: s.To}
	if err := v.fill(&after); err != nil {
		s.Missing = err.Error()
		return s, true, nil
	}
	s.Change = changeOf(&before.Answer, &after.Answer)
	switch {
	case v.judge.Silence() != "":
		s.Upstream.Missing, s.Downstream.Missing = v.judge.Silence(), v.judge.Silence()
	case !v.judge.Tells(o.letters):
		s.Upstream.Missing, s.Downstream.Missing = unmeasured, unmeasured
	default:
		d := v.judge.Effect(after.subject(), before.subject())
		class := max(before.Class, after.Class)
		s.Upstream, s.Downstream = Gain{d.Upstream, class}, Gain{d.Downstream, class}
	}
	return s, true, nil
}

func changeOf(before, after *plan.Answer) Change {
	difference := func(m plan.Metric) *float64 {
		a, b := m.Of(before).Interval, m.Of(after).Interval
		if a == nil || b == nil {
			return nil
		}
		d := b.Value - a.Value
		return &d
	}
	return Change{
		Params:      after.Params.Total - before.Params.Total,
		FLOPs:       after.FLOPs.Step - before.FLOPs.Step,
		MemoryBytes: after.Memory.PeakBytes - before.Memory.PeakBytes,
		StepSeconds: difference(plan.StepTime), CostUSD: difference(plan.Cost),
		DecodeSeconds: difference(plan.DecodeLatency),
	}
}
