package figure

import (
	"image/color"
	"io"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// Bar is one part of a whole.
type Bar struct {
	Label string  // left of it
	Text  string  // right of it
	Share float64 // of the longest bar, up to 1
}

const (
	barsWidth = 8 * vg.Inch
	barHeight = 0.3 * vg.Inch
	barsFrame = 0.6 * vg.Inch // the title, and room around
)

// WriteBars draws parts of a whole as horizontal bars, the first on top.
func WriteBars(w io.Writer, f Format, title string, parts []Bar) error {
	g := newPlot()
	g.Title.Text, g.Title.TextStyle.Font.Size, g.Title.Padding = title, vg.Points(12), vg.Points(6)
	g.HideX()
	g.Y.LineStyle.Width, g.Y.Tick.LineStyle.Width = 0, 0
	g.Y.Tick.Label.Font.Size = vg.Points(9)
	lengths := make(plotter.Values, len(parts))
	names := make([]string, len(parts))
	var texts plotter.XYLabels
	for i, p := range parts {
		row := len(parts) - 1 - i // the axis goes up
		lengths[row], names[row] = p.Share, p.Label
		texts.XYs, texts.Labels = append(texts.XYs, plotter.XY{X: p.Share, Y: float64(row)}),
			append(texts.Labels, p.Text)
	}
	bars, err := plotter.NewBarChart(lengths, barHeight*0.6)
	if err != nil {
		return err
	}
	bars.Horizontal, bars.Color, bars.LineStyle.Width = true, palette(0), 0
	labels, err := plotter.NewLabels(texts)
	if err != nil {
		return err
	}
	labels.Offset = vg.Point{X: vg.Points(5), Y: vg.Points(-3)}
	for i := range labels.TextStyle {
		ours(&labels.TextStyle[i])
		labels.TextStyle[i].Font.Size, labels.TextStyle[i].Color = vg.Points(9), color.Gray{0x40}
	}
	g.Add(bars, labels)
	g.NominalY(names...)
	const room = 1.3 // of the longest bar, for its text
	g.X.Min, g.X.Max = 0, room
	g.Y.Min, g.Y.Max = -0.6, float64(len(parts))-0.4
	return drawOne(w, f, g, barsWidth, barsFrame+vg.Length(len(parts))*barHeight)
}
