package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// tableRows is how many shapes of each kind a table shows.
const tableRows = 4

// tableProfiles are the devices that the tables are worked out for: those of the paper, and a node
// of each of two common GPUs.
var tableProfiles = []struct {
	name    string
	devices int
}{{"tpu-v3", 16}, {"a100", 8}, {"h100", 8}}

var tableAnchors = []string{"t5-small", "t5-base", "t5-large", "t5-xl", "t5-xxl"}

// tablesPreface is what a reader of the page must know.
const tablesPreface = `# DeepNarrow replacements of the T5 sizes

What to train instead of each T5 size of the paper (v1.0 style: ReLU, tied head), asked first for fewer parameters and then for a
shorter step, on three device profiles. *Catalogue* rows are released shapes, *lattice* rows any aligned shape. The first row of each
kind is the pick, the others trade cost against quality.

Written by ` + "`deepnarrow tables -o docs/RECOMMENDATIONS.md`" + `; a test keeps it so. For other sizes, budgets, devices and your own runs:
` + "`deepnarrow recommend`" + `, and ` + "`--explain`" + ` for where each number comes from.
`

func (a *app) tables() *cobra.Command {
	c := &cobra.Command{
		Use:     "tables",
		Short:   "Tables of DeepNarrow replacements of the T5 sizes",
		GroupID: groupRecommend,
		Long: `Work out what to train instead of t5-small, t5-base, t5-large, t5-xl and t5-xxl, by
parameters and by step time, on tpu-v3 × 16, a100 × 8 and h100 × 8. The result is a
page in markdown unless --format or the name after -o says otherwise.`,
		Example: "  deepnarrow tables\n  deepnarrow tables -o RECOMMENDATIONS.md",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			r := newReport("tables")
			r.Preface = tablesPreface
			r.Document.Inputs["like"] = tableAnchors
			r.Document.Conventions["flops"] = "matmul"
			var last recommend.Result
			for _, name := range tableAnchors {
				var err error
				if last, err = replacements(&r, name); err != nil {
					return err
				}
			}
			r.ReplacementNotes(&last)
			if format, err := a.output.chosen(); err == nil && a.output.format == "" && format == reports.TextFormat {
				a.output.format = string(reports.MarkdownFormat)
			}
			return a.render(r)
		},
	}
	a.output.register(c)
	return c
}

// replacements adds the tables of one anchor, and returns what they rest on.
func replacements(r *reports.Report, name string) (recommend.Result, error) {
	anchor, err := shapes.Lookup(name)
	if err != nil {
		return recommend.Result{}, err
	}
	var requests []recommend.Request
	var labels []string
	for _, p := range tableProfiles {
		profile, err := hardware.Parse(p.name)
		if err != nil {
			return recommend.Result{}, err
		}
		requests = append(requests, recommend.Request{
			Anchor: &anchor, Top: tableRows,
			Question: plan.Question{Profile: &profile, Devices: p.devices, Search: true},
		})
		labels = append(labels, fmt.Sprintf("%s × %d", p.name, p.devices))
	}
	list := []reports.Replacement{{Among: "anchor"}}
	var first recommend.Result
	for _, source := range []recommend.Source{recommend.Catalogue, recommend.Lattice} {
		request := requests[0]
		request.Source = source
		if first, err = recommend.Recommend(request); err != nil {
			return first, noAnswer(err, "")
		}
		for i := range first.Rows {
			list = append(list, reports.Replacement{
				Among: sourceName(source),
				On:    []reports.Priced{{Hardware: labels[0], Row: first.Rows[i]}},
			})
		}
	}
	list[0].On = []reports.Priced{{Hardware: labels[0], Row: *first.Anchor}}
	for i, request := range requests[1:] {
		if err := reprice(list, request, labels[i+1]); err != nil {
			return first, err
		}
	}
	title := name
	if anchor.Name != name {
		title += " (" + anchor.Name + ")"
	}
	r.Replacements(title, list)
	var picks []*recommend.Row
	for _, request := range requests {
		request.Source, request.Objective = recommend.Catalogue, plan.StepTime
		result, err := recommend.Recommend(request)
		var none *recommend.NoAnswerError
		switch {
		case errors.As(err, &none):
			picks = append(picks, nil)
		case err != nil:
			return first, err
		default:
			picks = append(picks, &result.Rows[0])
		}
	}
	r.Faster(title, labels, picks)
	return first, nil
}

func sourceName(s recommend.Source) string {
	if s == recommend.Lattice {
		return "lattice"
	}
	return "catalogue"
}

// reprice adds to each replacement its row on another profile.
func reprice(list []reports.Replacement, request recommend.Request, label string) error {
	request.Source, request.Top = recommend.Listed, 0
	for _, r := range list[1:] {
		request.Candidates = append(request.Candidates, r.On[0].Row.Shape)
	}
	result, err := recommend.Recommend(request)
	if err != nil {
		return err
	}
	list[0].On = append(list[0].On, reports.Priced{Hardware: label, Row: *result.Anchor})
	for i := range list[1:] {
		of := &list[i+1]
		for n := range result.Rows {
			if result.Rows[n].Shape.Name == of.On[0].Row.Shape.Name {
				of.On = append(of.On, reports.Priced{Hardware: label, Row: result.Rows[n]})
				break
			}
		}
	}
	return nil
}
