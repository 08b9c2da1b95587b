package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/check"
	"github.com/deepnarrow/deepnarrow/reports/compare"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func (a *app) diff() *cobra.Command {
	var ask asks.Question
	var exitCode bool
	c := &cobra.Command{
		Use:     "diff BASE CHANGE | diff REVISION",
		Short:   "Compare two shapes and attribute the differences to fields",
		GroupID: groupReview,
		Long: `Compare two shapes on every metric: base, change, difference, and what each field
that differs contributes to it. BASE and CHANGE are shapes, configuration files,
files of a git revision (HEAD~1:configs/a.json), or earlier results as JSON.

With one git REVISION all configurations are compared that the branch changed since it
left that revision: those that files: of .deepnarrow.yaml lists, without a list those
that are called as models are.

Errors that both sides share cancel in the interval of a difference; ~ marks one that
may be none. With --exit-code the exit code is 1
when anything differs.`,
		Example: `  deepnarrow diff t5-base t5-base/nl=16
  deepnarrow diff HEAD~1:config.json config.json --hardware tpu-v3 --devices 16
  deepnarrow diff main
  deepnarrow diff plan-before.json plan-after.json --exit-code`,
		Args: func(_ *cobra.Command, args []string) error {
			n := len(args)
			if n == 1 {
				if _, err := shapes.Parse(args[0]); err != nil {
					return nil // a revision, then
				}
			}
			if n != 2 {
				return frame.Usage("deepnarrow diff t5-base t5-large",
					"diff compares two shapes, or what changed since a revision; found %d", n)
			}
			return nil
		},
		ValidArgsFunction: asks.CompleteShapes,
		RunE: func(c *cobra.Command, args []string) error {
			q, err := ask.Single()
			if err != nil {
				return err
			}
			q.Decode = 1
			r := frame.NewReport("diff")
			ask.Inputs(r.Document.Inputs)
			if delete(r.Document.Inputs, "hardware"); q.Profile != nil {
				r.Document.Inputs["hardware"] = q.Profile.Name
			}
			r.Document.Conventions["flops"] = flops.MatmulConvention
			r.Document.Conventions["attribution"] = "mean effect of a field over all orders of change"
			var d reports.Diffed
			var warnings []string
			if len(args) == 1 {
				d, warnings, err = a.diffTree(c.Context(), q, args[0])
			} else {
				d, warnings, err = a.diffSides(c.Context(), q, args)
			}
			if err != nil {
				return err
			}
			r.Document.Warnings = append(append(r.Document.Warnings, warnings...), d.Warnings()...)
			r.Diff(d)
			if err := a.Render(r); err != nil {
				return err
			}
			if exitCode && d.Differs() {
				return frame.Finding("diff: %s and %s differ", d.Base, d.Change)
			}
			return nil
		},
	}
	a.Output.Register(c)
	ask.Register(c)
	a.Files.Register(c)
	c.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 1 when anything differs")
	return c
}

// diffSides compares two shapes, or results.
func (a *app) diffSides(ctx context.Context, q plan.Question, args []string) (
	reports.Diffed, []string, error,
) {
	d := reports.Diffed{Base: args[0], Change: args[1]}
	base, err := a.Side(ctx, args[0])
	if err != nil {
		return d, nil, err
	}
	change, err := a.Side(ctx, args[1])
	if err != nil {
		return d, nil, err
	}
	warnings := append(base.Warnings, change.Warnings...)
	if base.Results != nil || change.Results != nil {
		warnings = append(warnings,
			"results in JSON are compared as they were made, each with its own batch, hardware and flags, and causes are not told")
	}
	d.Pairs, err = compare.Sides(q, &base.Side, &change.Side)
	return d, warnings, asks.PlanError(err)
}

// diffTree compares the configurations of the repository with those at the commit where the branch left
// a revision. Their names come from the repository: no link leads out of it.
func (a *app) diffTree(ctx context.Context, q plan.Question, revision string) (reports.Diffed, []string, error) {
	d := reports.Diffed{Base: revision, Change: "the working tree", Tree: true}
	a = &app{a.Within(asks.InContainer)}
	rules, folder, err := a.FindRules("")
	if err != nil {
		return d, nil, err
	}
	since, err := a.Changes(ctx, revision, folder)
	if err != nil {
		return d, nil, frame.BadInput(err, "deepnarrow diff BASE CHANGE compares two shapes; REVISION is a branch or commit of git")
	}
	var files, left []string
	listed := len(rules.Files) > 0
	if !listed {
		files, left = since.Models()
	}
	tree := check.Request{Question: q, Since: revision, Rules: check.Rules{Files: rules.Files}}
	if listed || len(left) > 0 {
		if tree.Candidates, err = a.Candidates(left, &rules, folder, false); err != nil {
			return d, nil, err
		}
	}
	if listed || len(files) > 0 {
		tree.OnlyChanged(since, files)
	}
	var told []string
	d.Pairs, told, err = tree.Compared()
	for i := range told { // the hint is a flag of check
		told[i] = strings.TrimSuffix(told[i], "; "+asks.FollowHint)
	}
	return d, told, asks.PlanError(err)
}
