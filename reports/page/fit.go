package page

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// fits fills a section with the results of fit: data, law and residuals, and the parameters of each
// law with their intervals.
func (s *section) fits(d *result.Saved) error {
	t := table{Table: reports.Table{Title: "Parameters", Columns: columnsOf("law", "parameter",
		"value and interval")}}
	laws := table{Table: reports.Table{Title: "Laws considered", Columns: []reports.Column{
		{Title: "fit"},
		{Title: "law"},
		{Title: "weight", Digits: 3},
		{Title: "held-out RMS", Digits: 3},
		{Title: "refused", Wraps: true},
	}}}
	err := each(d.Results, func(_ int, f *result.Fit) {
		s.Subjects = append(s.Subjects, fitSubject(f))
		for _, p := range slices.Sorted(maps.Keys(f.Parameters)) {
			e := f.Parameters[p]
			t.row(reports.Text(fitName(f)), reports.Text(p), reports.ParameterCell(e))
		}
		if f.Bootstrap != nil && f.Bootstrap.Level > 0 {
			t.Notes = []string{"The intervals are " + quantity.Format(quantity.Fraction, f.Bootstrap.Level, 2) +
				" bootstrap intervals."}
		}
		for _, l := range f.Laws {
			laws.row(reports.Text(fitName(f)), reports.Text(l.Law),
				reports.OptionalAmount(l.Weight), reports.OptionalAmount(l.HeldOut),
				reports.Text(l.Refused))
		}
	})
	s.Tables = append(s.Tables, kept(t, laws)...)
	return err
}

// fitName is the law, and the group that it was fitted to.
func fitName(f *result.Fit) string {
	var group []string
	for _, key := range slices.Sorted(maps.Keys(f.Group)) {
		group = append(group, key+" "+f.Group[key])
	}
	return strings.TrimSpace(f.Law + " " + strings.Join(group, ", "))
}

func fitSubject(f *result.Fit) subject {
	out := subject{Name: fitName(f), Detail: f.Formula}
	out.card("rows used", strconv.Itoa(f.Rows.Used), fmt.Sprintf("%d dropped", f.Rows.Dropped))
	if f.RMS != nil {
		out.card("RMS of residuals", quantity.Format(quantity.Number, *f.RMS, 3), "")
	}
	if f.Refused != nil {
		out.card("refused", "no fit", f.Refused.Reason)
		out.Cards[len(out.Cards)-1].Bad = true
	}
	if f.Plot != nil {
		out.Plots = append(out.Plots, laid(fitPlots(f)...)...)
	}
	out.Plots = append(out.Plots, laid(panels(f.Panels)...)...)
	return out
}

// fitPlots are the fit with its band, and the residuals.
func fitPlots(f *result.Fit) []plot {
	p := f.Plot
	var curve result.Curve
	if p.Curve != nil {
		curve = *p.Curve
	}
	var heldOut result.PlotRows
	if p.HeldOut != nil {
		heldOut = *p.HeldOut
	}
	fit := plot{Title: "Fit", X: p.X, Y: f.Response, Kind: records.KindOf(p.X)}
	fit.Lines, fit.Band = []line{{At: places(curve.X, curve.Value)}},
		bandOf(curve.X, curve.Low, curve.High)
	if len(curve.X) == 0 { // over several predictors a perfect fit lies on the diagonal
		fit.Title, fit.Y = "Recorded against predicted", "recorded "+f.Response
		fit.Lines, fit.Band = []line{{At: places(p.Rows.X, p.Rows.X)}}, bandOf(p.Rows.X, p.Rows.Low, p.Rows.High)
	}
	residuals := plot{
		Title: "Residuals", X: p.X, Y: "ln(recorded/predicted)", Kind: fit.Kind,
		Level: true,
	}
	for _, rows := range []struct {
		result.PlotRows
		hollow bool
	}{{p.Rows, false}, {heldOut, true}} {
		for i, n := 0, plotted(&rows.PlotRows); i < n; i++ {
			label := fmt.Sprintf("%s %s: recorded %s, predicted %s", p.X,
				quantity.Format(fit.Kind, rows.X[i], 3),
				quantity.Format(quantity.Number, rows.Recorded[i], 4),
				quantity.Format(quantity.Number, rows.Predicted[i], 4))
			fit.Dots = append(fit.Dots, dot{
				Label: label, X: rows.X[i], Y: rows.Recorded[i],
				Hollow: rows.hollow,
			})
			residuals.Dots = append(residuals.Dots,
				dot{Label: label, X: rows.X[i], Y: rows.Residual[i], Hollow: rows.hollow})
		}
	}
	fit.LogX, fit.LogY = learn.Wide(10, p.Rows.X, heldOut.X), learn.Wide(2, p.Rows.Recorded, heldOut.Recorded)
	residuals.LogX = fit.LogX
	if len(fit.Band) > 0 {
		fit.Note = "The band holds a run with probability " +
			quantity.Format(quantity.Fraction, p.Level, 2) + "."
	}
	if plotted(&heldOut) > 0 {
		held := "Hollow marks were held out of the fit."
		fit.Note, residuals.Note = strings.TrimSpace(fit.Note+" "+held), held
	}
	return []plot{fit, residuals}
}

// plotted is how many rows every list has.
func plotted(r *result.PlotRows) int {
	return min(len(r.X), len(r.Recorded), len(r.Predicted), len(r.Residual))
}

func places(x, y []float64) []place {
	var out []place
	for i := range min(len(x), len(y)) {
		out = append(out, place{x[i], y[i]})
	}
	return out
}

func bandOf(x, low, high []float64) []bounds {
	var out []bounds
	for i := range min(len(x), len(low), len(high)) {
		out = append(out, bounds{x[i], low[i], high[i]})
	}
	return out
}
