package reports

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/figure"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Front draws the recommended rows: the cost that was weighed against the quality that was judged, with
// the anchor apart. It has no clouds where no row has both.
func Front(result *recommend.Result) (figure.Panel, []figure.Cloud) {
	byScore := !byLoss(result)
	p := figure.Panel{
		Title: "Cost and predicted quality, 80 % intervals",
		X:     costLabel(result.CostAxis), Y: "upstream loss [nats a token]", LogX: true,
		KindX: result.CostAxis.Kind(),
	}
	if byScore {
		p.Y = "downstream score [points]"
	}
	clouds := []figure.Cloud{
		{Name: "released shapes", Colour: 1}, {Name: "other shapes", Colour: 2},
	}
	var anchor []figure.Mark
	drawn := 0
	for n := range result.Rows {
		row := &result.Rows[n]
		m, ok := mark(row, result.CostAxis, byScore)
		if !ok {
			continue
		}
		drawn++
		m.Label = fmt.Sprint(row.Rank)
		if row.Pick { // beside the point its name would cover others
			p.Title += fmt.Sprintf("\nPick %s: %s", m.Label, row.Shape.Name)
		}
		cloud := &clouds[1]
		if row.Released {
			cloud = &clouds[0]
		}
		cloud.Points = append(cloud.Points, m)
	}
	if a := result.Anchor; a != nil {
		if m, ok := mark(a, result.CostAxis, byScore); ok {
			m.Label = a.Shape.Name
			anchor = append(anchor, m)
		}
	}
	if drawn == 0 {
		return p, nil
	}
	return p, append(clouds, figure.Cloud{
		Name: "anchor", Colour: figure.Grey, Points: anchor, Reference: true,
	})
}

// costLabel names a metric with its base unit.
func costLabel(m plan.Metric) string {
	if m == plan.Params || m == plan.RunFLOPs || m == plan.DeviceHours {
		return m.Label()
	}
	return fmt.Sprintf("%s [%s]", m.Label(), m.Unit())
}

// mark places a row; it is not ok where cost or quality is not known.
func mark(row *recommend.Row, cost plan.Metric, byScore bool) (figure.Mark, bool) {
	at := cost.Of(&row.Answer).Interval
	var quality *quantity.Interval
	if quality = row.Quality.Upstream.Interval; byScore {
		quality = row.Quality.Downstream.Interval
	}
	if at == nil || quality == nil {
		return figure.Mark{}, false
	}
	return figure.Mark{
		X: at.Value, Y: quality.Value, Low: quality.Low, High: quality.High,
		Solid: row.Class == evidence.Measured,
	}, true
}

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
