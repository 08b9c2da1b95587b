package figure

import (
	"image/color"
	"io"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Cloud is one kind of labelled points over a logarithmic axis, each with an interval of y.
type Cloud struct {
	Name   string // in the legend
	Colour int    // numbers the palette, from 0
	Points []Mark
	// Reference draws crosses, and a thin level through each: what the others are compared with.
	Reference bool
}

// Mark is one point of a [Cloud].
type Mark struct {
	X, Y, Low, High float64
	Label           string // beside it; empty for none
	Solid           bool   // filled; others are hollow
}

const (
	markRadius   = vg.Length(4)
	cloudsWidth  = 8 * vg.Inch
	cloudsHeight = 5.6 * vg.Inch
	// legendRoom is the share of the height that is kept free above all points: five entries of 11
	// points.
	legendRoom = 0.18
)

// WriteClouds draws clouds of points into one panel, of which only titles and axes are used. Points
// that a logarithmic axis cannot show are left out as in any panel, and the title says how many.
func WriteClouds(w io.Writer, f Format, p Panel, clouds []Cloud) error {
	p.Lines, p.Points = nil, nil
	for _, c := range clouds {
		for _, m := range c.Points {
			p.Points = append(p.Points, Series{
				X: []float64{m.X}, Y: []float64{m.Y},
				Colour: c.Colour, Faint: true,
			})
			p.Lines = append(p.Lines, Series{
				X: []float64{m.X, m.X}, Y: []float64{m.Low, m.High},
				Colour: c.Colour, Faint: true,
			})
		}
	}
	g, err := p.build()
	if err != nil {
		return err
	}
	g.Legend.Top = true
	g.Y.Max += legendRoom * (g.Y.Max - g.Y.Min)
	for _, c := range clouds {
		if err := c.draw(g, &p); err != nil {
			return err
		}
	}
	return drawOne(w, f, g, cloudsWidth, cloudsHeight)
}

// draw adds the marks, over the intervals, and the legend.
func (c *Cloud) draw(g *plot.Plot, p *Panel) error {
	solid, hollow := draw.GlyphDrawer(draw.CircleGlyph{}), draw.GlyphDrawer(hollowCircle{})
	if c.Reference {
		solid, hollow = draw.CrossGlyph{}, draw.CrossGlyph{}
	}
	for _, kind := range []struct {
		solid bool
		shape draw.GlyphDrawer
		name  string
	}{{true, solid, "measured"}, {false, hollow, "predicted"}} {
		var labels plotter.XYLabels
		for _, m := range c.Points {
			if m.Solid == kind.solid && (m.X > 0 || !p.LogX) && (m.Y > 0 || !p.LogY) {
				labels.XYs, labels.Labels = append(labels.XYs, plotter.XY{X: m.X, Y: m.Y}),
					append(labels.Labels, m.Label)
			}
		}
		if len(labels.XYs) == 0 {
			continue
		}
		marks, err := plotter.NewScatter(labels.XYs)
		if err != nil {
			return err
		}
		marks.Shape, marks.Radius, marks.Color = kind.shape, markRadius, palette(c.Colour)
		text, err := plotter.NewLabels(labels)
		if err != nil {
			return err
		}
		text.Offset = vg.Point{X: markRadius + 2, Y: markRadius - 1}
		for i := range text.TextStyle {
			ours(&text.TextStyle[i])
			text.TextStyle[i].Font.Size, text.TextStyle[i].Color = vg.Points(8), palette(c.Colour)
		}
		if c.Reference {
			for _, at := range labels.XYs {
				level := plotter.NewFunction(func(float64) float64 { return at.Y })
				level.XMin, level.XMax = g.X.Min, g.X.Max
				level.Color, level.Width, level.Dashes = faded(palette(c.Colour), 0.6),
					vg.Points(0.8), []vg.Length{4, 3}
				g.Add(level)
			}
		}
		g.Add(marks, text)
		g.Legend.Add(c.Name+", "+kind.name, marks)
	}
	return nil
}

// hollowCircle is a ring filled with the page's white, so that lines behind it do not make it look
// solid.
type hollowCircle struct{}

func (hollowCircle) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	c.SetColor(color.White)
	draw.CircleGlyph{}.DrawGlyph(c, style, at)
	c.SetLineStyle(draw.LineStyle{Color: style.Color, Width: vg.Points(1.3)})
	var ring vg.Path
	ring.Move(vg.Point{X: at.X + style.Radius, Y: at.Y})
	ring.Arc(at, style.Radius, 0, 2*math.Pi)
	ring.Close()
	c.Stroke(ring)
}
