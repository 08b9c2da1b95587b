package cli

import (
	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

func (a *app) count() *cobra.Command {
	var work asks.Workload
	var convention, by string
	var generate int
	c := &cobra.Command{
		Use:     "count SHAPE...",
		Short:   "Count parameters, FLOPs and memory of shapes",
		GroupID: groupPlan,
		Long: `Count parameters exactly, FLOPs under a named convention, and the memory of one
training step on one device.

SHAPE is a catalogue name (deepnarrow list shapes), an edit of one in the paper's
letters nl el dl dm ff kv nh (t5-small/nl=16), or a file or folder of a model: a
Hugging Face config.json, gin, a trainer's arguments, our YAML, safetensors, or -
for standard input. docs/shape-file.md lists them and says how to add a model type.`,
		Example: `  deepnarrow count t5-base t5-small/nl=16
  deepnarrow count t5-base --by component
  deepnarrow count t5-base --convention all
  deepnarrow count ./config.json --format json`,
		Args:              asks.AtLeastOneShape,
		ValidArgsFunction: asks.CompleteShapes,
		RunE: func(c *cobra.Command, args []string) error {
			conventions, err := parseConventions(convention)
			if err != nil {
				return err
			}
			breakdown, err := parseBreakdown(by)
			if err != nil {
				return err
			}
			r := frame.NewReport("count", "shapes", args, "execution", work.Resolved())
			var q plan.Question
			work.AddTo(&q)
			r.Document.Conventions["flops"] = conventions[0]
			var counted []reports.Counted
			for _, ref := range args {
				m, err := a.Model(ref)
				if err != nil {
					return err
				}
				r.Document.Warn(m.Warnings...)
				s := m.Shape
				n := reports.Counted{Shape: s, Stored: stored(ref, m.Tensors)}
				if s.DModel == 0 {
					counted = append(counted, n)
					continue
				}
				answer, err := q.Of(&s).Answer()
				if err != nil {
					return asks.PlanError(err)
				}
				w := answer.Run.Workload
				n.Workload, n.Params, n.Memory = w, answer.Params, answer.Memory
				for _, c := range conventions {
					n.FLOPs = append(n.FLOPs,
						flops.CountUnder(c, &s, w, answer.Run.Execution.Recompute))
				}
				n.Breakdown = breakdown(&s, w)
				if generate != 0 {
					if n.Inference, err = inference(&s, w, work.Execution, generate); err != nil {
						return frame.Usage("", "--generate: %w", err)
					}
				}
				if len(args) == 1 && ref != "-" && !a.Output.Whole() {
					n.Next = plan.FirstCommand(ref, asks.Typed(c.Flags(), "convention", "by", "generate"), q.Of(&s))
				}
				counted = append(counted, n)
			}
			r.Count(counted)
			return a.Render(r)
		},
	}
	a.Output.Register(c)
	work.Register(c)
	a.Files.Register(c)
	c.Flags().StringVar(&convention, "convention", string(flops.MatmulConvention),
		"how FLOPs are counted (deepnarrow list conventions), or all")
	c.Flags().StringVar(&by, "by", "", "break down by op, layer or component")
	c.Flags().IntVar(&generate, "generate", 0,
		"also count the memory of generating this many `positions` of one sequence")
	return c
}

// inference counts what generating positions of one sequence holds on one device.
func inference(
	s *shapes.Shape,
	w flops.Workload,
	x flops.Execution,
	positions int,
) (*reports.Inference, error) {
	w.Batch, w.DecoderLength = 1, positions
	m, err := flops.DecodingMemory(s, w, x, flops.Layout{})
	if err != nil {
		return nil, err
	}
	n := &reports.Inference{Workload: w, Memory: m}
	n.TokenBytes, n.SourceTokenBytes = flops.CacheBytes(s, 1, float64(x.Precision.Bytes().Compute))
	return n, nil
}

// stored returns what a checkpoint holds, nil without one.
func stored(file string, tensors *tensors.Header) *reports.Stored {
	if tensors == nil {
		return nil
	}
	return &reports.Stored{
		File: file, Tensors: len(tensors.Tensors),
		Parameters: tensors.Parameters(), Bytes: tensors.Bytes(),
	}
}

func parseConventions(name string) ([]flops.Convention, error) {
	if name == "all" {
		return flops.Conventions(), nil
	}
	c, err := flops.ParseConvention(name)
	if err != nil {
		return nil, frame.Usage("all prints one run under each", "--convention: %w", err)
	}
	return []flops.Convention{c}, nil
}

// breakdown makes the rows that --by asks for.
type breakdown func(*shapes.Shape, flops.Workload) []flops.Share

func parseBreakdown(by string) (breakdown, error) {
	switch by {
	case "":
		return func(*shapes.Shape, flops.Workload) []flops.Share { return nil }, nil
	case "op":
		return func(s *shapes.Shape, w flops.Workload) []flops.Share {
			return flops.NewLedger(s, w).ByOp()
		}, nil
	case "component":
		return func(s *shapes.Shape, w flops.Workload) []flops.Share {
			return flops.NewLedger(s, w).ByComponent()
		}, nil
	case "layer":
		return func(s *shapes.Shape, w flops.Workload) []flops.Share {
			return flops.NewLedger(s, w).ByLayer(s)
		}, nil
	}
	allowed := []string{"op", "layer", "component"}
	return nil, frame.UnknownWord("breakdown", by, allowed)
}
