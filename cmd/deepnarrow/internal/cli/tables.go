package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// tableProfiles are the devices that the tables are worked out for: those of the paper, and a node
// of each of two common GPUs.
var tableProfiles = []struct {
	name    string
	devices int
}{{"tpu-v3", 16}, {"a100", 8}, {"h100", 8}}

var tableAnchors = []string{"t5-small", "t5-base", "t5-large", "t5-xl", "t5-xxl"}

// tablesPreface is what a reader of the page must know.
const tablesPreface = `# DeepNarrow replacements of the T5 sizes

What to train instead of each T5 size of the paper (v1.0 style: ReLU, tied head) on three device
profiles: for each axis the shape that saves most of it at the quality of the size, released or not.

Written by ` + "`deepnarrow tables -o docs/RECOMMENDATIONS.md`" + `; a test keeps it so. For other sizes,
budgets, devices and your own runs: ` + "`deepnarrow recommend`" + `, and ` + "`--explain`" + ` for where each number
comes from.
`

func (a *app) tables() *cobra.Command {
	c := &cobra.Command{
		Use:     "tables",
		Short:   "Tables of DeepNarrow replacements of the T5 sizes",
		GroupID: groupRecommend,
		Long: `Work out what to train instead of t5-small, t5-base, t5-large, t5-xl and t5-xxl, by
parameters, FLOPs, step time and cost, on tpu-v3 × 16, a100 × 8 and h100 × 8. As
markdown (-o FILE.md) the result is a whole page.`,
		Example: "  deepnarrow tables\n  deepnarrow tables -o RECOMMENDATIONS.md",
		Args:    frame.NoArguments(""),
		RunE: func(*cobra.Command, []string) error {
			r := frame.NewReport("tables", "like", tableAnchors)
			r.Preface = tablesPreface
			r.Document.Conventions["flops"] = "matmul"
			var last recommend.Result
			for _, name := range tableAnchors {
				anchor, err := shapes.Lookup(name)
				if err != nil {
					return err
				}
				for _, p := range tableProfiles {
					profile, err := hardware.Parse(p.name)
					if err != nil {
						return err
					}
					last, err = a.recommended(recommend.Request{
						Anchor: &anchor, Source: recommend.Mixed, Objective: plan.Cost,
						Question: plan.Question{Profile: &profile, Devices: p.devices, Search: true},
					})
					if err != nil {
						return err
					}
					r.Picks(&last, fmt.Sprintf("%s × %d", p.name, p.devices))
				}
			}
			r.EvidenceNotes(&last)
			return a.Render(r)
		},
	}
	a.Output.Register(c)
	return c
}
