package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
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
			if len(args) == 1 {
				d, warnings, err := a.diffTree(c.Context(), q, args[0])
				if err != nil {
					return err
				}
				r.Document.Warnings = append(append(r.Document.Warnings, warnings...), d.Warnings()...)
				return a.renderDiff(r, d, exitCode)
			}
			var sides [2]asks.Side
			for i, ref := range args {
				if sides[i], err = a.Side(c.Context(), ref); err != nil {
					return err
				}
				r.Document.Warnings = append(r.Document.Warnings, sides[i].Warnings...)
			}
			d, err := compareSides(q, args, &sides)
			if err != nil {
				return err
			}
			if sides[0].Results != nil || sides[1].Results != nil {
				r.Document.Warnings = append(r.Document.Warnings,
					"results in JSON are compared as they were made, each with its own batch, hardware and flags, and causes are not told")
			}
			r.Document.Warnings = append(r.Document.Warnings, d.Warnings()...)
			return a.renderDiff(r, d, exitCode)
		},
	}
	a.Output.Register(c)
	ask.Register(c)
	a.Files.Register(c)
	c.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 1 when anything differs")
	return c
}

// renderDiff writes a comparison.
func (a *app) renderDiff(r reports.Report, d reports.Diffed, exitCode bool) error {
	r.Diff(d)
	if err := a.Render(r); err != nil {
		return err
	}
	if exitCode && d.Differs() {
		return frame.Finding("diff: %s and %s differ", d.Base, d.Change)
	}
	return nil
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
	_, changes, err := host.ChangedSince(ctx, revision)
	if err != nil {
		return d, nil, frame.BadInput(err, "deepnarrow diff BASE CHANGE compares two shapes; REVISION is a branch or commit of git")
	}
	var names []string
	if len(rules.Files) == 0 {
		root, _ := host.Repository()
		for name := range changes {
			names = append(names, filepath.Join(root, filepath.FromSlash(name)))
		}
		if names = asks.ListedFiles(names, &rules, folder); len(names) == 0 {
			return d, nil, nil
		}
		slices.Sort(names)
	}
	tree := check.Request{Since: revision, Rules: check.Rules{Files: rules.Files}}
	here := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return changes[host.InRepository(name)] == 'D' })
	if len(here) > 0 || len(rules.Files) > 0 {
		tree.Candidates, err = a.Candidates(here, &rules, folder, false)
		if err != nil {
			return d, nil, err
		}
	}
	if err := a.ChangedOnly(ctx, &tree, names, folder, nil); err != nil {
		return d, nil, err
	}
	var warnings []string
	for i := range tree.Candidates {
		c := &tree.Candidates[i]
		pair := compare.Pair{Name: c.File}
		switch {
		case c.Err != nil:
			why := strings.TrimSuffix(c.Err.Error(), "; "+asks.FollowHint) // which is a flag of check
			warnings = append(warnings, fmt.Sprintf("%s: cannot be compared: %s", c.File, why))
			continue
		case c.New:
			pair.Only = "change"
		case c.Base == nil:
			warnings = append(warnings, c.File+": cannot be compared: it was not read at "+revision)
			continue
		default:
			changed, err := compare.Shapes(q, c.Base, &c.Config.Shape)
			if err != nil {
				return d, nil, asks.PlanError(err)
			}
			pair.Fields, pair.Differences, pair.Base, pair.Change = changed.Fields, changed.Differences, &changed.Base, &changed.Change
			if len(pair.Fields) == 0 {
				continue
			}
		}
		d.Pairs = append(d.Pairs, pair)
	}
	for _, name := range tree.Removed {
		d.Pairs = append(d.Pairs, compare.Pair{Name: name, Only: "base"})
	}
	return d, warnings, nil
}

func compareSides(q plan.Question, names []string, sides *[2]asks.Side) (reports.Diffed, error) {
	d := reports.Diffed{Base: names[0], Change: names[1]}
	base, change := &sides[0], &sides[1]
	if base.Results == nil && change.Results == nil {
		c, err := compare.Shapes(q, &base.Shape, &change.Shape)
		if err != nil {
			return d, asks.PlanError(err)
		}
		d.Fields, d.Pairs = c.Fields, []compare.Pair{{
			Name: names[0] + " → " + names[1], Differences: c.Differences,
			Base: &c.Base, Change: &c.Change,
		}}
		return d, nil
	}
	for i := range sides {
		if s := &sides[i]; s.Results == nil {
			a, err := q.Of(&s.Shape).Answer()
			if err != nil {
				return d, asks.PlanError(err)
			}
			s.Results = []compare.Named{{Name: s.Shape.Name, Measures: a.Measures(), Answer: &a}}
		}
	}
	d.Pairs = compare.Documents(base.Results, change.Results)
	return d, nil
}
