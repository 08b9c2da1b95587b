package cli

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/figure"
)

// scanFlags are shared by isoflop and envelope.
type scanFlags struct {
	runs     asks.Runs
	response string
	level    float64
	plot     string
}

func (f *scanFlags) register(c *cobra.Command, what string) {
	f.runs.Register(c)
	c.Flags().StringVar(&f.response, "y", "loss", "`column` of the loss")
	c.Flags().Float64Var(&f.level, "level", asks.UsualLevel, "probability inside the intervals")
	c.Flags().StringVar(&f.plot, "plot", "", "draw "+what+" into this `file` (.svg, .png or .pdf)")
	frame.Writes(c, frame.AFile, "plot")
}

// read checks the flags and reads the runs.
func (f *scanFlags) read(a *app, files []string) (*learn.Runs, error) {
	s, err := f.runs.Selection()
	if err := cmp.Or(asks.CheckLevel(f.level), frame.CheckPlot(f.plot), err); err != nil {
		return nil, err
	}
	return a.Runs(&f.runs, s, files, f.response)
}

// report starts the report of a scan.
func (f *scanFlags) report(command string, files []string, runs *learn.Runs) reports.Report {
	r := frame.NewReport(command)
	r.Document.Inputs = f.runs.Inputs(files)
	r.Document.Inputs["y"] = f.response
	r.Document.Warn(runs.Notices()...)
	return r
}

func (a *app) isoflop() *cobra.Command {
	var f scanFlags
	var spread float64
	var by []string
	c := &cobra.Command{
		Use:     "isoflop FILE...",
		Short:   "Find the best size at each compute budget",
		GroupID: groupLearn,
		Long: `Fit a parabola in ln params to the final losses of the runs of each budget, and
a power law to the minima (Hoffmann et al. 2022, approach 2, arXiv 2203.15556).

Runs whose FLOPs differ by less than --spread share a budget. A budget without a
minimum inside the sizes that were run is refused; with fewer than two left the
command exits 4. Of flops, params and tokens, one may be missing. With --by a
group that is refused is a warning, unless all are.`,
		Example: `  deepnarrow isoflop runs.csv --last
  deepnarrow isoflop runs.csv --map params='Model Size' --map flops='Training FLOP' --plot parabolas.svg`,
		Args: asks.AtLeastOneFile(),
		RunE: func(c *cobra.Command, args []string) error {
			if !(spread > 1) {
				return frame.Usage("", "--spread is %v; allowed: more than 1", spread)
			}
			runs, err := f.read(a, args)
			if err != nil {
				return err
			}
			r := f.report("isoflop", args, runs)
			r.Document.Inputs["spread"] = spread
			var panels []figure.Panel
			err = partly(runs, by, &r, func(part *learn.Runs) error {
				s, err := learn.IsoFLOP(part, f.response, spread, f.level)
				if err == nil {
					r.IsoFLOP(s)
					panels = append(panels, figure.IsoFLOPPanels(s)...)
				}
				return err
			})
			if err != nil {
				return a.LearnError(c.Context(), runs, err)
			}
			if err := a.Beside(frame.Plot(f.plot, panels...)); err != nil {
				return err
			}
			return a.Render(r)
		},
	}
	a.Output.Register(c)
	f.register(c, "the parabolas")
	c.Flags().Float64Var(&spread, "spread", learn.DefaultSpread,
		"largest ratio of FLOPs within one budget")
	registerBy(c, &by)
	return c
}

func registerBy(c *cobra.Command, by *[]string) {
	c.Flags().StringSliceVar(by, "by", nil, "answer for each value of these `columns` apart")
}

// partly asks for each group of the runs, and says so in the document.
func partly(runs *learn.Runs, by []string, r *reports.Report, ask func(*learn.Runs) error) error {
	frame.State(r.Document.Inputs, "by", by)
	refused, err := runs.EachPart(by, ask)
	r.Document.Warn(refused...)
	return err
}

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
two others do not give an answer (exit 4).`,
		Example: `  deepnarrow envelope curves.csv
  deepnarrow envelope logs.csv --group model --plot front.svg`,
		Args: asks.AtLeastOneFile(),
		RunE: func(c *cobra.Command, args []string) error {
			runs, err := f.read(a, args)
			if err != nil {
				return err
			}
			s, err := learn.Envelope(runs, f.response, f.level)
			if err != nil {
				return a.LearnError(c.Context(), runs, err)
			}
			r := f.report("envelope", args, runs)
			r.Envelope(s)
			if err := a.Beside(frame.Plot(f.plot, figure.EnvelopePanel(s))); err != nil {
				return err
			}
			return a.Render(r)
		},
	}
	a.Output.Register(c)
	f.register(c, "the curves and their front")
	return c
}
