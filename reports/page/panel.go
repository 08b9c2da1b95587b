package page

import (
	"fmt"
	"strconv"

	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/axis"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// panels are the drawings of a result, as --plot shows them.
func panels(all []result.Panel) []plot {
	var out []plot
	for i := range all {
		from := &all[i]
		p := plot{
			Title: from.Title, X: from.X.Title, Y: from.Y.Title, LogX: from.X.Log, LogY: from.Y.Log,
			Kind: records.KindOf(from.X.Of), KindY: records.KindOf(from.Y.Of),
		}
		for _, s := range from.Series {
			colour := 1 + max(0, s.Colour)%colours
			if s.Line {
				p.Lines = append(p.Lines, line{Name: s.Name, Colour: colour, At: places(s.X, s.Y)})
				continue
			}
			if s.Name != "" {
				p.Legend = append(p.Legend, pair{fmt.Sprintf("dot c%d", colour), s.Name})
			}
			for k := range min(len(s.X), len(s.Y)) {
				p.Dots = append(p.Dots, dot{
					X: s.X[k], Y: s.Y[k], Colour: colour, Label: fmt.Sprintf("%s %s, %s %s",
						p.X, axis.Amount(p.Kind, s.X[k]), p.Y, axis.Amount(p.KindY, s.Y[k])),
				})
			}
		}
		out = append(out, p)
	}
	return out
}

// colours of the palette in the style.
const colours = 8

// laid fills in the pixels of plots and keeps those that show anything.
func laid(all ...plot) []plot {
	var out []plot
	for _, p := range all {
		if p.lay() {
			out = append(out, p)
		}
	}
	return out
}

// isoflops fills a section with the results of isoflop.
func (s *section) isoflops(d *result.Saved) error {
	return each(d.Results, func(_ int, f *result.IsoFLOP) {
		t := table{Table: reports.Table{Title: "Budgets", Columns: []reports.Column{
			{Title: "budget"},
			{Title: "runs"},
			{Title: "best params", Kind: quantity.Params},
			{Title: "best tokens", Kind: quantity.Tokens},
			{Title: "loss", Digits: 4},
			{Title: "refused", Wraps: true},
		}}}
		for i := range f.Budgets {
			b := &f.Budgets[i]
			var params, tokens, refused reports.Cell
			if b.Params != nil && b.Tokens != nil {
				params, tokens = estimate(b.Params), estimate(b.Tokens)
			}
			if b.Refused != nil {
				refused = reports.Text(b.Refused.Reason)
			}
			t.row(short(quantity.FLOP, b.FLOPs), reports.Count(int64(b.Rows)), params, tokens,
				reports.OptionalAmount(b.Loss), refused)
		}
		s.scanned(f.Level, &f.Rows, f.Panels, t, growthCard("params ∝ C^a", &f.A), growthCard("tokens ∝ C^b", &f.B))
		s.Warnings = append(s.Warnings, f.Warnings...)
	})
}

// envelopes fills a section with the results of envelope.
func (s *section) envelopes(d *result.Saved) error {
	return each(d.Results, func(_ int, f *result.Envelope) {
		t := table{Table: reports.Table{Title: "Sizes that lead", Columns: columnsOf("params", "leads from", "to")}}
		for _, l := range f.Leaders {
			t.row(short(quantity.Params, l.Params), short(quantity.FLOP, l.FromFLOPs),
				short(quantity.FLOP, l.ToFLOPs))
		}
		s.scanned(f.Level, &f.Rows, f.Panels, t, growthCard("params ∝ C^a", &f.A))
		s.Warnings = append(s.Warnings, f.Warnings...)
	})
}

func growthCard(label string, e *result.Estimate) card {
	return card{Label: label, Value: quantity.FormatInterval(quantity.Number, intervalOf(e)), Note: "exponent"}
}

// scanned adds the subject of a scan: its exponents and rows, its drawings and one table.
func (s *section) scanned(level float64, rows *result.Rows, drawn []result.Panel, t table, cards ...card) {
	out := subject{Name: "Growth of the best size with compute C", Cards: cards, Plots: laid(panels(drawn)...)}
	out.card("rows used", strconv.Itoa(rows.Used), fmt.Sprintf("%d dropped", rows.Dropped))
	t.Notes = []string{fmt.Sprintf("Intervals are %s.", quantity.Format(quantity.Fraction, level, 2))}
	out.Tables = append(out.Tables, t.cut())
	s.Subjects = append(s.Subjects, out)
}
