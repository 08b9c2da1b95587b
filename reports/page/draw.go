package page

import (
	"io"
	"slices"

	"github.com/deepnarrow/deepnarrow/reports/figure"
)

// draw writes the bars as a picture.
func (b *bars) draw(w io.Writer, f figure.Format) error {
	var parts []figure.Bar
	for _, r := range b.Rows {
		label := r.Label
		if r.Note != "" {
			label += " (" + r.Note + ")"
		}
		parts = append(parts, figure.Bar{
			Label: label, Text: r.Value + " · " + r.Share,
			Share: r.Percent / 100,
		})
	}
	return figure.WriteBars(w, f, b.Title, parts)
}

// draw writes the plot as a picture: points in the kinds they are among, or dots with line and
// band.
func (p *plot) draw(w io.Writer, f figure.Format) error {
	panel := figure.Panel{
		Title: p.Title, X: p.X, Y: p.Y, LogX: p.LogX, LogY: p.LogY,
		Level: p.Level, KindX: p.Kind, KindY: p.KindY,
	}
	if len(p.Points) > 0 {
		return figure.WriteClouds(w, f, panel, p.clouds())
	}
	dots, held := figure.Series{Colour: 1}, figure.Series{Name: "held out", Colour: 2}
	for _, d := range p.Dots {
		if d.Colour > 0 {
			continue
		}
		s := &dots
		if d.Hollow {
			s = &held
		}
		s.X, s.Y = append(s.X, d.X), append(s.Y, d.Y)
	}
	panel.Points = append(panel.Points, dots, held)
	for colour := 1; colour <= colours; colour++ {
		s := figure.Series{Colour: colour - 1, Faint: true}
		for _, d := range p.Dots {
			if d.Colour == colour {
				s.X, s.Y = append(s.X, d.X), append(s.Y, d.Y)
			}
		}
		panel.Points = append(panel.Points, s)
	}
	for _, l := range p.Lines {
		s := figure.Series{Name: l.Name, Colour: max(0, l.Colour-1)}
		for _, at := range l.At {
			s.X, s.Y = append(s.X, at.X), append(s.Y, at.Y)
		}
		panel.Lines = append(panel.Lines, s)
	}
	var band figure.Band
	for _, b := range p.Band {
		band.X, band.Low, band.High = append(band.X, b.X), append(band.Low, b.Low),
			append(band.High, b.High)
	}
	panel.Bands = append(panel.Bands, band)
	return figure.Write(w, f, panel)
}

// clouds sorts the points by what they are among, the anchor last.
func (p *plot) clouds() []figure.Cloud {
	anchor := figure.Cloud{Name: "anchor", Colour: figure.Grey, Reference: true}
	var out []figure.Cloud
	for _, q := range p.Points {
		mark := figure.Mark{
			X: q.X, Y: q.Y, Low: q.Low, High: q.High, Label: q.Mark,
			Solid: q.Measured,
		}
		if q.Class == "anchor" {
			anchor.Points = append(anchor.Points, mark)
			continue
		}
		i := slices.IndexFunc(out, func(c figure.Cloud) bool { return c.Name == q.Among })
		if i < 0 {
			i = len(out)
			out = append(out, figure.Cloud{Name: q.Among, Colour: i})
		}
		out[i].Points = append(out[i].Points, mark)
	}
	return append(out, anchor)
}
