package reports

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/result"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Counted is one counted shape.
type Counted struct {
	Shape     shapes.Shape
	Workload  flops.Workload
	Params    flops.Parameters
	FLOPs     []flops.Count // one, or one per convention
	Memory    flops.Memory
	Breakdown []flops.Share // empty unless asked for
	// File is what was named; with Stored, of a safetensors file, it stands without a configuration
	// where Shape is zero.
	File       string
	Stored     *result.Stored
	Generating *plan.Generating // nil unless asked for
	Next       string           // the command that plans the one shape; empty where none fits
}

// Count fills in the report of counted shapes, one result each, in order.
func (r *Report) Count(shapes []Counted) {
	var whole []Counted
	for i := range shapes {
		c := &shapes[i]
		if c.Shape.DModel == 0 {
			f := result.Checkpoint{Stored: c.Stored}
			f.Shape.Name, f.Params.Total = c.File, c.Stored.Parameters
			r.Document.Add(f)
			continue
		}
		whole = append(whole, *c)
		f := result.Count{
			Shape: result.ShapeOf(&c.Shape), Workload: result.WorkloadOf(&c.Shape, c.Workload),
			Params: result.ParamsOf(&c.Params),
			FLOPs:  result.FLOPsOf(c.FLOPs[0]), Memory: result.MemoryOf(&c.Memory, nil),
			Stored: c.Stored, Breakdown: result.SharesOf(c.Breakdown),
		}
		if g := c.Generating; g != nil {
			f.Inference = &result.Inference{
				Workload: result.WorkloadOf(&c.Shape, g.Workload),
				Memory:   result.MemoryOf(&g.Memory, nil), TokenBytes: g.TokenBytes,
				SourceTokenBytes: g.SourceTokenBytes,
			}
		}
		if len(c.FLOPs) > 1 {
			for _, n := range c.FLOPs {
				named := result.FLOPsOf(n)
				named.Meaning = n.Convention.Meaning()
				f.FLOPsByConvention = append(f.FLOPsByConvention, named)
			}
		}
		r.Document.Add(f)
	}
	if len(whole) > 0 {
		r.Headline = countHeadline(whole)
		r.Tables = append(r.Tables, countTable(whole))
	}
	r.show(inferenceTable(whole), storedTable(shapes))
	for i := range whole {
		if len(whole[i].FLOPs) > 1 {
			r.show(conventionTable(&whole[i]))
		}
		r.show(breakdownTable(&whole[i]))
	}
}

// countHeadline says how large the shapes are, and what a training step of one takes.
func countHeadline(counted []Counted) []string {
	c := &counted[0]
	if len(counted) > 1 {
		largest, smallest := c, c
		for i := range counted {
			if n := counted[i].Params.Total; n > largest.Params.Total {
				largest = &counted[i]
			} else if n < smallest.Params.Total {
				smallest = &counted[i]
			}
		}
		size := func(c *Counted) string {
			return c.Shape.Name + " " + quantity.Format(quantity.Params, float64(c.Params.Total), 0)
		}
		return []string{fmt.Sprintf("%d shapes, from %s to %s parameters.", len(counted), size(smallest), size(largest))}
	}
	out := []string{
		fmt.Sprintf("%s: %s parameters.", c.Shape.Name, quantity.Grouped(c.Params.Total)),
		fmt.Sprintf("Training on a batch of %s takes %s a step, and %s on one device.",
			workloadText(&c.Shape, c.Workload), quantity.Format(quantity.FLOP, c.FLOPs[0].Step, 0),
			quantity.Format(quantity.Bytes, c.Memory.PeakBytes, 0)),
	}
	if c.Next != "" {
		out = append(out, "Next: "+c.Next)
	}
	return out
}

// inferenceTable tells what generating holds.
func inferenceTable(counted []Counted) Table {
	t := Table{
		Title: "Generating one sequence on one device",
		Columns: []Column{
			{Title: "shape", Cuts: true},
			{Title: "positions", Optional: 3},
			{Title: "weights", Kind: quantity.Bytes},
			{Title: "cache per token", Kind: quantity.Bytes, Optional: 2},
			{Title: "per source token", Kind: quantity.Bytes, Optional: 1},
			{Title: "cache", Kind: quantity.Bytes},
			{Title: "total", Kind: quantity.Bytes},
		},
		Notes: []string{
			"The cache is what attention keeps of earlier tokens; the total adds logits and workspace.",
		},
	}
	for i := range counted {
		n := counted[i].Generating
		if n == nil {
			continue
		}
		m := &n.Memory
		source := Cell{}
		if n.SourceTokenBytes > 0 {
			source = Amount(n.SourceTokenBytes)
		}
		t.add(Text(counted[i].Shape.Name), Count(int64(n.Workload.DecoderLength)),
			Amount(m.Peak[flops.WeightBytes]), Amount(n.TokenBytes), source,
			Amount(m.Peak[flops.SelfCacheBytes]+m.Peak[flops.CrossCacheBytes]),
			Amount(m.PeakBytes))
	}
	return t
}

// storedTable tells what checkpoints hold.
func storedTable(counted []Counted) Table {
	t := Table{
		Title: "Checkpoints",
		Columns: []Column{
			{Title: "file"},
			{Title: "tensors"},
			{Title: "params"},
			{Title: "size", Kind: quantity.Bytes},
		},
		Notes: []string{
			"Parameters in trained tensors, counted from the header; masks, position ids and other buffers are left out.",
		},
	}
	for i := range counted {
		if s := counted[i].Stored; s != nil {
			t.add(Text(counted[i].File), Count(int64(s.Tensors)), Count(s.Parameters),
				Amount(float64(s.Bytes)))
		}
	}
	return t
}

func countTable(counted []Counted) Table {
	t := Table{Columns: []Column{
		{Title: "shape", Cuts: true},
		{Title: "el/dl", Optional: 6},
		{Title: "d_model", Optional: 5},
		{Title: "d_ff", Optional: 2},
		{Title: "heads×d_kv", Optional: 1},
		{Title: "params"},
		{Title: "non-embedding", Kind: quantity.Params, Optional: 4},
		{Title: "forward", Kind: quantity.FLOP, Optional: 3},
		{Title: "step", Kind: quantity.FLOP},
		{Title: "step's memory", Kind: quantity.Bytes},
	}}
	works := map[flops.Workload]bool{}
	for i := range counted {
		c := &counted[i]
		s := &c.Shape
		t.add(Text(s.Name), Plain(depths(s)), Plain(fmt.Sprint(s.DModel)),
			Plain(perStack(s, stackWidth)), Plain(perStack(s, stackHeads)), Count(c.Params.Total),
			Amount(float64(c.Params.NonEmbedding)), Amount(c.FLOPs[0].Forward),
			Amount(c.FLOPs[0].Step), Amount(c.Memory.PeakBytes))
		works[c.Workload] = true
	}
	if len(counted) > 0 {
		first := &counted[0]
		note := "FLOPs of one step under the " + string(first.FLOPs[0].Convention) + " convention"
		if len(works) == 1 {
			note += ", batch " + workloadText(&first.Shape, first.Workload)
		}
		t.Notes = append(t.Notes, note+". The memory is its peak on one device.")
	}
	return t
}

func conventionTable(c *Counted) Table {
	t := Table{
		Title: "FLOPs of " + c.Shape.Name + " under every convention",
		Columns: []Column{
			{Title: "convention"},
			{Title: "forward", Kind: quantity.FLOP, Optional: 2},
			{Title: "backward", Kind: quantity.FLOP, Optional: 1},
			{Title: "step", Kind: quantity.FLOP},
			{Title: "relative to " + string(c.FLOPs[0].Convention), Kind: quantity.Ratio},
		},
	}
	for _, n := range c.FLOPs {
		t.add(Text(string(n.Convention)), Amount(n.Forward), Amount(n.Backward), Amount(n.Step),
			Amount(n.Step/c.FLOPs[0].Step))
		t.Basis = append(t.Basis, string(n.Convention)+": "+n.Convention.Meaning()+".")
	}
	return t
}

func breakdownTable(c *Counted) Table {
	t := Table{
		Title: "Where the parameters and FLOPs of " + c.Shape.Name + " are",
		Columns: []Column{
			{Title: "part", Cuts: true},
			{Title: "params"},
			{Title: "of params", Kind: quantity.Fraction},
			{Title: "forward", Kind: quantity.FLOP, Optional: 2},
			{Title: "of forward", Kind: quantity.Fraction},
			{Title: "vector work", Kind: quantity.FLOP, Optional: 1},
		},
		Notes: []string{
			"Forward is matrix products of one forward pass; vector work (softmax, norms, activations) is kept apart.",
		},
	}
	forward := 0.0
	for _, row := range c.Breakdown {
		forward += row.Forward
	}
	for _, row := range c.Breakdown {
		t.add(Text(spaced(row.Name)), Count(row.Params),
			Amount(float64(row.Params)/float64(c.Params.Total)), Amount(row.Forward),
			Amount(row.Forward/forward), Amount(row.Vector))
	}
	return t
}

// depths writes the layers of the stacks: "12/12", or "24" for one stack.
func depths(s *shapes.Shape) string {
	switch {
	case s.Decoder.Layers == 0:
		return fmt.Sprintf("%d/–", s.Encoder.Layers)
	case s.Encoder.Layers == 0:
		return fmt.Sprintf("–/%d", s.Decoder.Layers)
	default:
		return fmt.Sprintf("%d/%d", s.Encoder.Layers, s.Decoder.Layers)
	}
}

// perStack writes a property of the stacks, once when they agree.
func perStack(s *shapes.Shape, of func(*shapes.Stack) string) string {
	var parts []string
	for _, k := range []*shapes.Stack{&s.Encoder, &s.Decoder} {
		if k.Layers > 0 && (len(parts) == 0 || parts[0] != of(k)) {
			parts = append(parts, of(k))
		}
	}
	return strings.Join(parts, "/")
}

func stackWidth(k *shapes.Stack) string { return fmt.Sprint(k.DFF) }
func stackHeads(k *shapes.Stack) string { return fmt.Sprintf("%d×%d", k.Heads, k.DKV) }

// workloadText writes a workload: "128 × 512 → 128" or "128 × 2048".
func workloadText(s *shapes.Shape, w flops.Workload) string {
	switch {
	case s.CrossAttention():
		return fmt.Sprintf("%d × (%d → %d)", w.Batch, w.EncoderLength, w.DecoderLength)
	case s.Encoder.Layers > 0:
		return fmt.Sprintf("%d × %d", w.Batch, w.EncoderLength)
	default:
		return fmt.Sprintf("%d × %d", w.Batch, w.DecoderLength)
	}
}
