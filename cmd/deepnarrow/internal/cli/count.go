package cli

import (
	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/result"
	"github.com/deepnarrow/deepnarrow/shapes"
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
		Args:              asks.AtLeastOneShape(),
		ValidArgsFunction: asks.CompleteShapes,
		RunE: func(c *cobra.Command, args []string) error {
			conventions, err := parseConventions(convention)
			if err != nil {
				return err
			}
			err = frame.Word("breakdown", by, "op", "layer", "component")
			if by != "" && err != nil {
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
				n := reports.Counted{Shape: s, File: ref, Stored: result.StoredOf(m.Tensors)}
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
				n.Breakdown = breakdown(by, &s, w)
				if generate != 0 {
					n.Generating, err = plan.Generate(&s, w, work.Execution, generate)
					if err != nil {
						return frame.Usage("", "--generate: %w", err)
					}
				}
				if len(args) == 1 && ref != "-" && !a.Output.Whole() {
					n.Next = plan.FirstCommand(ref, asks.Typed(c.Flags(), "convention", "by", "generate"), &answer, q.Of(&s))
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

// breakdown returns the rows that --by asks for.
func breakdown(by string, s *shapes.Shape, w flops.Workload) []flops.Share {
	switch by {
	case "op":
		return flops.NewLedger(s, w).ByOp()
	case "layer":
		return flops.NewLedger(s, w).ByLayer(s)
	case "component":
		return flops.NewLedger(s, w).ByComponent()
	}
	return nil
}
