package cli

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
)

func (a *app) envelope() *cobra.Command {
	var f scanFlags
	c := &cobra.Command{
		Use:     "envelope FILE...",
		Short:   "Find the best size along training curves",
		GroupID: groupLearn,
		Long: `Find the Pareto front of training curves, loss against FLOPs, and how the size
that leads grows with compute (Hoffmann et al. 2022, approach 1, arXiv 2203.15556).

Rows of one run (--group, else of one size) are one curve. The smallest and the
largest size that lead say nothing about the growth and are left out; fewer than
two others is no answer (exit 4).`,
		Example: `  deepnarrow envelope curves.csv
  deepnarrow envelope logs.csv --group model --plot front.svg`,
		Args: atLeastOneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			columns, err := a.scan(&f, args, "flops", "params")
			if err != nil {
				return err
			}
			curves, named := columns.curves(f.runs.group, f.response)
			result, err := fit.Envelope(curves, f.level)
			if err != nil {
				return refused(err)
			}
			r := newReport("envelope")
			r.Document.Inputs = f.runs.inputs(args)
			r.Document.Inputs["y"] = f.response
			r.Document.Warnings = append(r.Document.Warnings, columns.warnings...)
			r.Envelope(&reports.Scanned{
				Envelope: result, Curves: named, Level: f.level,
				Used: len(columns.rows), Drops: columns.drops, Notes: columns.notes,
			})
			if f.plot != "" {
				if err := a.plotEnvelope(f.plot, curves, named, result); err != nil {
					return err
				}
			}
			return a.render(r)
		},
	}
	a.output.register(c)
	f.register(c, "the curves and their front")
	return c
}

// curves joins the rows of a run, or of a size when no run is recorded, in order of FLOPs.
func (s *scanned) curves(group, response string) ([]fit.Curve, []reports.NamedCurve) {
	names, err := s.data.Text(group)
	at := map[string]int{}
	var rows [][]int
	var named []reports.NamedCurve
	for _, row := range s.rows {
		params := s.at("params", row)
		name := quantity.Format(quantity.Params, params, 0)
		key := quantity.Shortest(params)
		if err == nil && names[row] != "" {
			// One run of two sizes would be two curves.
			name, key = names[row], names[row]+"\x00"+key
		}
		k, ok := at[key]
		if !ok {
			k = len(rows)
			at[key] = k
			rows = append(rows, nil)
			named = append(named, reports.NamedCurve{Name: name, Params: params})
		}
		rows[k] = append(rows[k], row)
	}
	curves := make([]fit.Curve, len(rows))
	for k, all := range rows {
		slices.SortStableFunc(all, func(a, b int) int { return cmp.Compare(s.at("flops", a), s.at("flops", b)) })
		curves[k].Params = named[k].Params
		for _, row := range all {
			curves[k].FLOPs = append(curves[k].FLOPs, s.at("flops", row))
			curves[k].Loss = append(curves[k].Loss, s.at(response, row))
		}
	}
	return curves, named
}
