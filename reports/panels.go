package reports

import (
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/figure"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// A panel in JSON stays within these bounds.
const (
	panelPoints = 200 // of a series, evenly taken
	panelSeries = 60
)

// panelsOf returns drawings as JSON writes them: without bands, and without what the axes cannot
// show.
func panelsOf(panels ...figure.Panel) []result.Panel {
	column := map[quantity.Kind]string{
		quantity.Params: "params", quantity.Tokens: "tokens", quantity.FLOP: "flops",
	}
	var out []result.Panel
	for i := range panels {
		p := &panels[i]
		to := result.Panel{
			Title: p.Title, X: result.Axis{Title: p.X, Of: column[p.KindX], Log: p.LogX},
			Y: result.Axis{Title: p.Y, Of: column[p.KindY], Log: p.LogY},
		}
		for _, kind := range []struct {
			all  []figure.Series
			line bool
		}{{p.Lines, true}, {p.Points, false}} {
			for _, s := range kind.all[:min(len(kind.all), panelSeries)] {
				x, y := p.Drawable(s.X, s.Y, panelPoints)
				if len(x) == 0 || kind.line && len(x) < 2 {
					continue
				}
				to.Series = append(to.Series,
					result.Series{Name: s.Name, Line: kind.line, Colour: s.Colour, X: x, Y: y})
			}
		}
		if len(to.Series) > 0 {
			out = append(out, to)
		}
	}
	return out
}
