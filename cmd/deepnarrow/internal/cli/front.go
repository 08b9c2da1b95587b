package cli

import (
	"fmt"
	"io"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/figure"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

// plotFront draws the recommended rows: the cost that was weighed against the quality that was
// judged.
func plotFront(file string, answers []reports.Recommended) error {
	format, err := figure.FormatOf(file)
	if err != nil {
		return err
	}
	first := &answers[0].Result
	byScore := first.JudgedBy == recommend.ByDownstream && hasScores(first)
	p := figure.Panel{
		Title: "Cost and predicted quality, 80 % intervals",
		X:     costLabel(first.CostAxis), Y: "upstream loss [nats a token]", LogX: true,
	}
	if byScore {
		p.Y = "downstream score [points]"
	}
	var clouds []figure.Cloud
	var anchor []figure.Mark
	drawn := map[string]bool{} // a shape of both kinds is drawn once
	for i := range answers {
		result := &answers[i].Result
		cloud := figure.Cloud{Name: reports.AmongTitle(answers[i].Among), Colour: i + 1}
		for n := range result.Rows {
			row := &result.Rows[n]
			if m, ok := mark(row, result.CostAxis, byScore); ok && !drawn[row.Shape.Name] {
				drawn[row.Shape.Name] = true
				m.Label = fmt.Sprint(row.Rank)
				if row.Pick { // beside the point its name would cover others
					p.Title += fmt.Sprintf("\n%s of %s: %s", m.Label, cloud.Name, row.Shape.Name)
				}
				cloud.Points = append(cloud.Points, m)
			}
		}
		clouds = append(clouds, cloud)
		if result.Anchor != nil && anchor == nil {
			if m, ok := mark(result.Anchor, result.CostAxis, byScore); ok {
				m.Label = result.Anchor.Shape.Name
				anchor = append(anchor, m)
			}
		}
	}
	if len(drawn) == 0 {
		return noAnswer(fmt.Errorf("--plot has nothing to draw: %s", first.Evidence.Missing), "")
	}
	clouds = append(clouds, figure.Cloud{
		Name: "anchor", Colour: anchorColour, Points: anchor,
		Reference: true,
	})
	return writeFile(file, func(w io.Writer) error { return figure.WriteClouds(w, format, p, clouds) })
}

// costLabel names a metric with its base unit.
func costLabel(m plan.Metric) string {
	if m == plan.Params || m == plan.RunFLOPs || m == plan.DeviceHours {
		return m.Label()
	}
	return fmt.Sprintf("%s [%s]", m.Label(), m.Unit())
}

// anchorColour is the palette's grey.
const anchorColour = 6

// hasScores says whether any row has a downstream score.
func hasScores(r *recommend.Result) bool {
	for i := range r.Rows {
		if r.Rows[i].Quality.Downstream.Interval != nil {
			return true
		}
	}
	return false
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
		Solid: row.Class == recommend.Measured,
	}, true
}
