package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/reports"
)

// scanFlags are shared by isoflop and envelope.
type scanFlags struct {
	runs     runFlags
	response string
	level    float64
	plot     string
}

func (f *scanFlags) register(c *cobra.Command, what string) {
	f.runs.register(c)
	c.Flags().StringVar(&f.response, "y", "loss", "`column` of the loss")
	c.Flags().Float64Var(&f.level, "level", defaultIntervalLevel,
		"probability inside the intervals")
	c.Flags().StringVar(&f.plot, "plot", "", "draw "+what+" into this `file` (.svg or .png)")
}

func (f *scanFlags) check() error {
	if err := checkLevel(f.level); err != nil {
		return err
	}
	return checkPlot(f.plot)
}

func (a *app) isoflop() *cobra.Command {
	var f scanFlags
	var spread float64
	c := &cobra.Command{
		Use:     "isoflop FILE...",
		Short:   "Find the best size at each compute budget",
		GroupID: groupLearn,
		Long: `Fit a parabola in ln params to the final losses of the runs of each budget, and
a power law to the minima (Hoffmann et al. 2022, approach 2, arXiv 2203.15556).

Runs whose FLOPs differ by less than --spread share a budget. A budget without a
minimum inside the sizes that were run is refused; with fewer than two left the
command exits 4. Of flops, params and tokens, one may be missing.`,
		Example: `  deepnarrow isoflop runs.csv --last
  deepnarrow isoflop runs.csv --map params='Model Size' --map flops='Training FLOP' --plot parabolas.svg`,
		Args: atLeastOneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			if !(spread > 1) {
				return usage("", "--spread is %v; allowed: more than 1", spread)
			}
			columns, err := a.scan(&f, args, "flops", "params", "tokens")
			if err != nil {
				return err
			}
			var ends []fit.Run
			for _, row := range columns.rows {
				ends = append(ends, fit.Run{
					FLOPs:  columns.at("flops", row),
					Params: columns.at("params", row), Tokens: columns.at("tokens", row),
					Loss: columns.at(f.response, row),
				})
			}
			result, err := fit.IsoFLOP(ends, &fit.IsoFLOPSettings{Spread: spread, Level: f.level})
			if err != nil {
				return refused(withBudgets(err, result))
			}
			s := reports.Scanned{
				IsoFLOP: result, Level: f.level, Used: len(ends),
				Drops: columns.drops, Notes: columns.notes,
			}
			r := newReport("isoflop")
			r.Document.Inputs = f.runs.inputs(args)
			r.Document.Inputs["y"], r.Document.Inputs["spread"] = f.response, spread
			r.Document.Warnings = append(r.Document.Warnings, columns.warnings...)
			r.IsoFLOP(&s)
			if f.plot != "" {
				if err := a.plotIsoFLOP(f.plot, ends, result, spread); err != nil {
					return err
				}
			}
			return a.render(r)
		},
	}
	a.output.register(c)
	f.register(c, "the parabolas")
	c.Flags().Float64Var(&spread, "spread", defaultSpread,
		"largest ratio of FLOPs within one budget")
	return c
}

// defaultSpread is that of fit.IsoFLOP, shown in the help.
const defaultSpread = 1.1

// withBudgets adds to a refusal why each budget was refused.
func withBudgets(err error, result *fit.IsoFLOPFit) error {
	if result == nil {
		return err
	}
	out := []error{err}
	for _, g := range result.Groups {
		if g.Refused != nil {
			out = append(out, fmt.Errorf("budget %.3g FLOP, %d runs: %w", g.FLOPs, g.Rows,
				g.Refused))
		}
	}
	return errors.Join(out...)
}

// scanned is columns of numbers, and the rows that have them all.
type scanned struct {
	numbers  map[string]*records.Numbers
	rows     []int
	drops    []reports.DroppedRow
	notes    []string
	warnings []string
	data     *runs
}

func (s *scanned) at(column string, row int) float64 { return s.numbers[column].Values[row] }

// scan reads runs and keeps the rows that have a positive number in each of the columns and a loss.
func (a *app) scan(f *scanFlags, files []string, columns ...string) (*scanned, error) {
	data, err := a.runs(&f.runs, files, f.response)
	if err != nil {
		return nil, err
	}
	return keepPositive(data, append(slices.Clone(columns), f.response))
}

func keepPositive(data *runs, columns []string) (*scanned, error) {
	s := &scanned{
		numbers: map[string]*records.Numbers{}, data: data,
		warnings: slices.Clone(data.Table.Warnings),
	}
	for _, name := range columns {
		n, err := data.Numbers(name)
		if err != nil {
			return nil, columnError(err)
		}
		s.numbers[name] = n
	}
	data.Keep(func(row int) string {
		for _, name := range columns {
			switch v := s.at(name, row); {
			case math.IsNaN(v):
				return name + ": " + s.numbers[name].Fault(row)
			case v <= 0:
				return name + " is not positive"
			}
		}
		return ""
	})
	s.rows = data.Rows
	s.account()
	return s, nil
}

// account lists drops, derived columns and lost records.
func (s *scanned) account() {
	for _, d := range s.data.Selection.Drops {
		s.drops = append(s.drops, reports.DroppedRow{
			Row:    s.data.Origin(d.Row).String(),
			Reason: d.Reason,
		})
	}
	for _, d := range s.data.Derived() {
		s.notes = append(s.notes, d.Column+": "+d.How+".")
	}
	for _, lost := range s.data.Lost {
		s.warnings = append(s.warnings, fmt.Sprintf("%s: dropped: %s", lost.Origin, lost.Reason))
	}
}
