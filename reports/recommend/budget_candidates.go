package recommend

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// candidate is a shape with what the budget buys of it. Amounts are in FLOP, or in device-seconds.
type candidate struct {
	shape    shapes.Shape
	released bool
	params   float64
	perToken quantity.Interval // of training; the low end is the cheap one
	served   float64
}

// tokens is how many the rest of a budget trains on, at a cost of each.
func (c *candidate) tokens(budget, perToken float64) float64 { return (budget - c.served) / perToken }

// window returns the candidates within a factor of eight of the best size at a utilisation of 40 %, by
// rising size.
func (s *sizer) window() ([]candidate, error) {
	const usualMFU, reach = 0.4, 8
	work := s.budget
	if s.Budget.FLOPs == 0 {
		peak := hardware.Run{Profile: *s.Question.Profile, Execution: flops.Execution{}}
		if s.Question.Precision != nil {
			peak.Execution.Precision = *s.Question.Precision
		}
		if work *= usualMFU * peak.PeakFLOPsPerSecond(); !(work > 0) {
			return nil, &hardware.MissingError{
				Profile: s.Question.Profile.Name, Field: "peaks", Why: "a budget in time or money",
			}
		}
	}
	set := &fit.AllocateSettings{}
	if s.ServeTokens > 0 {
		set.FLOPs = func(n, d float64) float64 { return 6*n*d + 2*n*s.ServeTokens }
		if set.MaxParams = work / (2 * s.ServeTokens); set.MaxParams < leastServed {
			return nil, &NoAnswerError{Reason: "serving alone takes the budget"}
		}
	}
	a, err := fit.Allocate(s.Law.Result, work, set)
	if err != nil {
		return nil, err
	}
	all := s.candidates()
	near := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool {
		return c.params > a.Params*reach || c.params < a.Params/reach
	})
	if len(near) == 0 {
		return nil, &NoAnswerError{Reason: fmt.Sprintf(
			"the best size is near %s, and the candidates have %s to %s",
			quantity.Format(quantity.Params, a.Params, 2),
			quantity.Format(quantity.Params, all[0].params, 2),
			quantity.Format(quantity.Params, all[len(all)-1].params, 2))}
	}
	return near, nil
}

// leastServed is the size below which nothing is served: half of what the smallest candidates have.
const leastServed = 1e6

// proportions are how many times the layers of a stack d_model is in the lattice: of decoder-only models
// as from GPT-2 Large to Llama, of the others as from T5 Large to T5 XL.
func proportions(s *shapes.Shape) (deep, wide int) {
	if s.Encoder.Layers == 0 {
		return 64, 128
	}
	return 43, 86
}

// candidates are the released shapes of the template's kind and the lattice, by rising size.
//
// The lattice has widths in multiples of 128 with heads of 128 or, up to 1,024 first, of 64 that shard
// over the devices of a node; d_ff in the template's ratio, in multiples of 256; and for each width up to
// some sixteen depths within the usual proportions.
func (s *sizer) candidates() []candidate {
	const depths, widest, align, headed = 16, 16384, 128, 256
	var all []candidate
	add := func(shape shapes.Shape, released bool) {
		same := func(c candidate) bool { return c.shape.SameArchitecture(shape) }
		if shape.Validate() == nil && !slices.ContainsFunc(all, same) {
			n := float64(flops.CountParameters(&shape).Total)
			all = append(all, candidate{shape: shape, released: released, params: n})
		}
	}
	deep, wide := proportions(&s.template)
	for _, shape := range released(&s.template) {
		const unusual = 2 // the law, which sees size alone, would take the fastest of any proportions
		if r := shape.DModel / mainStack(&shape).Layers; r >= deep/unusual && r <= wide*unusual {
			add(shape, true)
		}
	}
	k := mainStack(&s.template)
	for d := align; d <= widest; d += align {
		dkv := headOf(d)
		if dkv == 0 {
			continue
		}
		dff := (d*k.DFF/s.template.DModel + headed - 1) / headed * headed
		least, most := max(2, d/wide), max(2, d/deep)
		step := max(1, (most-least)/depths)
		if most > everyDepth && step%2 == 1 {
			step++
		}
		for layers := least; layers <= most; layers += step {
			shape, err := shapes.Parse(s.name(d, dff, dkv, layers))
			if err == nil {
				add(shape, false)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.params, b.params) })
	return all
}

// name returns a lattice shape as an edit of the template.
func (s *sizer) name(d, dff, dkv, layers int) string {
	return fmt.Sprintf("%s/nl=%d,dm=%d,ff=%d,kv=%d,nh=%d", s.template.Name, layers, d, dff, dkv, d/dkv)
}

// headOf returns the width of the heads of a model, 0 where none spreads over the devices of a node.
func headOf(d int) int {
	const narrow = 1024
	widths := [2]int{128, 64}
	if d <= narrow {
		widths = [2]int{64, 128}
	}
	for _, dkv := range widths {
		if d%dkv == 0 && shardable(d/dkv) {
			return dkv
		}
	}
	return 0
}
