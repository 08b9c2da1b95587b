package page

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// fitted is a result of fit, as far as it is shown.
type fitted struct {
	Law, Formula, Response string
	Group                  map[string]string
	Parameters             map[string]estimate
	Bootstrap              struct{ Level float64 }
	Laws                   []struct {
		Law     string
		Weight  *float64
		HeldOut *float64 `json:"held_out_rms"`
		Refused string
	}
	Rows    struct{ Used, Dropped int }
	RMS     *float64
	Plot    *fitPlot
	Refused *struct{ Reason string }
}

type fitPlot struct {
	X     string
	Level float64
	Curve struct{ X, Value, Low, High []float64 }
	Rows  fitRows
	Held  fitRows `json:"held_out"`
}

type fitRows struct{ X, Recorded, Predicted, Low, High, Residual []float64 }

// fits fills a section with the results of fit: data, law and residuals, and the parameters of each
// law with their intervals.
func (s *section) fits(results []json.RawMessage) error {
	t := table{Title: "Parameters", Columns: columnsOf("law", "parameter", "#value and interval")}
	laws := table{Title: "Laws considered", Columns: columnsOf("fit", "law", "#weight",
		"#held-out RMS", "¶refused")}
	for _, raw := range results {
		var f fitted
		if err := json.Unmarshal(raw, &f); err != nil {
			return err
		}
		s.Subjects = append(s.Subjects, f.subject())
		for _, p := range slices.Sorted(maps.Keys(f.Parameters)) {
			t.Rows = append(t.Rows, row{Cells: []cell{
				words(f.name()), words(p),
				f.Parameters[p].cell(quantity.Number),
			}})
		}
		if level := f.Bootstrap.Level; level > 0 {
			t.Note = "The intervals are " + quantity.Format(quantity.Fraction, level, 2) +
				" bootstrap intervals."
		}
		for _, l := range f.Laws {
			laws.Rows = append(laws.Rows, row{Cells: []cell{
				words(f.name()), words(l.Law),
				optional(l.Weight), optional(l.HeldOut), words(l.Refused),
			}})
		}
	}
	for _, t := range []table{t, laws} {
		if len(t.Rows) > 0 {
			s.Tables = append(s.Tables, t.cut())
		}
	}
	return nil
}

func optional(v *float64) cell {
	if v == nil {
		return words("–")
	}
	return number(quantity.Format(quantity.Number, *v, 3), *v)
}

// name is the law, and the group that it was fitted to.
func (f *fitted) name() string {
	var group []string
	for _, key := range slices.Sorted(maps.Keys(f.Group)) {
		group = append(group, key+" "+f.Group[key])
	}
	return strings.TrimSpace(f.Law + " " + strings.Join(group, ", "))
}

func (f *fitted) subject() subject {
	out := subject{Name: f.name(), Detail: f.Formula}
	out.Cards = []card{
		{Label: "rows used", Value: fmt.Sprint(f.Rows.Used)},
		{Label: "rows dropped", Value: fmt.Sprint(f.Rows.Dropped)},
	}
	if f.RMS != nil {
		out.Cards = append(out.Cards, card{
			Label: "RMS of residuals",
			Value: quantity.Format(quantity.Number, *f.RMS, 3),
		})
	}
	if f.Refused != nil {
		out.Cards = append(out.Cards, card{
			Label: "refused", Value: "no fit",
			Note: f.Refused.Reason, Bad: true,
		})
	}
	if f.Plot == nil {
		return out
	}
	for _, p := range f.plots() {
		if p.lay() {
			out.Plots = append(out.Plots, p)
		}
	}
	return out
}

// plots are the fit with its band, and the residuals.
func (f *fitted) plots() []plot {
	p := f.Plot
	fit := plot{Title: "Fit", X: p.X, Y: f.Response, Kind: kindOf(p.X)}
	fit.Line, fit.Band = lineOf(p.Curve.X, p.Curve.Value),
		bandOf(p.Curve.X, p.Curve.Low, p.Curve.High)
	if len(p.Curve.X) == 0 { // over several predictors a perfect fit lies on the diagonal
		fit.Title, fit.Y = "Recorded against predicted", "recorded "+f.Response
		fit.Line, fit.Band = lineOf(p.Rows.X, p.Rows.X), bandOf(p.Rows.X, p.Rows.Low, p.Rows.High)
	}
	residuals := plot{
		Title: "Residuals", X: p.X, Y: "ln(recorded/predicted)", Kind: fit.Kind,
		Level: true,
	}
	for _, rows := range []struct {
		fitRows
		hollow bool
	}{{p.Rows, false}, {p.Held, true}} {
		for i, n := 0, rows.len(); i < n; i++ {
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
	fit.LogX, fit.LogY = wide(10, p.Rows.X, p.Held.X), wide(2, p.Rows.Recorded, p.Held.Recorded)
	residuals.LogX = fit.LogX
	if len(fit.Band) > 0 {
		fit.Note = "The band holds a run with probability " +
			quantity.Format(quantity.Fraction, p.Level, 2) + "."
	}
	if p.Held.len() > 0 {
		held := "Hollow marks were held out of the fit."
		fit.Note, residuals.Note = strings.TrimSpace(fit.Note+" "+held), held
	}
	return []plot{fit, residuals}
}

// len is how many rows every list has.
func (r *fitRows) len() int {
	return min(len(r.X), len(r.Recorded), len(r.Predicted), len(r.Residual))
}

func lineOf(x, y []float64) []place {
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

// kindOf says how the values of a column are written.
func kindOf(column string) quantity.Kind {
	switch column {
	case "params":
		return quantity.Params
	case "tokens":
		return quantity.Tokens
	case "flops":
		return quantity.FLOP
	}
	return quantity.Number
}

// wide tells whether numbers are better shown on a logarithmic axis: positive, and the largest more
// than a factor times the least.
func wide(factor float64, all ...[]float64) bool {
	values := slices.Concat(all...)
	return len(values) > 0 && slices.Min(values) > 0 &&
		slices.Max(values) > factor*slices.Min(values)
}
