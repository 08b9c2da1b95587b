package figure

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/encoding/charmap"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Format is a file format.
type Format string

const (
	SVG Format = "svg"
	PNG Format = "png"
	PDF Format = "pdf"
)

// FormatOf returns the format that a file's name ends in, or an error that names all.
func FormatOf(file string) (Format, error) {
	f := Format(strings.ToLower(strings.TrimPrefix(path.Ext(file), ".")))
	if !slices.Contains([]Format{SVG, PNG, PDF}, f) {
		return "", fmt.Errorf("unknown image format: %q; allowed: .svg, .png or .pdf", file)
	}
	return f, nil
}

const (
	panelWidth  = 5.2 * vg.Inch
	panelHeight = 4.2 * vg.Inch
	dotsPerInch = 120
)

// Write draws the panels side by side, three in a row. It panics without panels.
func Write(w io.Writer, f Format, panels ...Panel) error {
	columns := min(len(panels), 3)
	rows := (len(panels) + columns - 1) / columns
	width, height := vg.Length(columns)*panelWidth, vg.Length(rows)*panelHeight
	canvas, out := newCanvas(f, width, height)
	grid := make([][]*plot.Plot, rows)
	for i := range grid {
		grid[i] = make([]*plot.Plot, columns)
	}
	for i := range panels {
		g, err := panels[i].build()
		if err != nil {
			return err
		}
		grid[i/columns][i%columns] = g
	}
	const pad = 10
	tiles := draw.Tiles{
		Rows: rows, Cols: columns, PadTop: vg.Points(pad), PadBottom: vg.Points(pad),
		PadLeft: vg.Points(pad), PadRight: vg.Points(pad + 8),
		PadX: vg.Points(2 * pad), PadY: vg.Points(2 * pad),
	}
	for r, line := range plot.Align(grid, tiles, canvas) {
		for c, at := range line {
			if grid[r][c] != nil {
				grid[r][c].Draw(at)
			}
		}
	}
	_, err := out.WriteTo(w)
	return err
}

// newCanvas is an empty drawing, and what writes it.
func newCanvas(f Format, width, height vg.Length) (draw.Canvas, io.WriterTo) {
	switch f {
	case PDF:
		c := vgpdf.New(width, height)
		return draw.New(western{c}), undated{c}
	case PNG:
		c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height),
			vgimg.UseDPI(dotsPerInch))}
		return draw.New(c), c
	}
	c := vgsvg.New(width, height)
	return draw.New(c), c
}

// western is a PDF whose fonts are of the code page Windows-1252, and so are the texts it is given.
type western struct{ *vgpdf.Canvas }

func (c western) FillString(f font.Face, at vg.Point, text string) {
	var out []byte
	for _, r := range westernLooks.Replace(text) {
		b, ok := charmap.Windows1252.EncodeRune(r)
		if !ok {
			b = '?'
		}
		out = append(out, b)
	}
	c.Canvas.FillString(f, at, string(out))
}

// westernLooks are characters of that code page in place of others that our labels have.
var westernLooks = strings.NewReplacer("−", "–", "≤", "<=", "≥", ">=", "≈", "~", "√", "sqrt ", "∝", "~", "→", "->",
	"α", "alpha", "β", "beta", "γ", "gamma")

// undated writes a PDF whose dates are those of no day: the same drawing has the same bytes.
type undated struct{ io.WriterTo }

func (u undated) WriteTo(w io.Writer) (int64, error) {
	var text bytes.Buffer
	if _, err := u.WriterTo.WriteTo(&text); err != nil {
		return 0, err
	}
	n, err := w.Write(pdfDate.ReplaceAll(text.Bytes(), []byte("(D:20000101000000")))
	return int64(n), err
}

var pdfDate = regexp.MustCompile(`\(D:\d{14}`)

// drawOne writes one plot with some room around it.
func drawOne(w io.Writer, f Format, g *plot.Plot, width, height vg.Length) error {
	canvas, out := newCanvas(f, width, height)
	const pad = 10
	g.Draw(draw.Crop(canvas, vg.Points(pad), -vg.Points(2*pad), vg.Points(pad), -vg.Points(pad)))
	_, err := out.WriteTo(w)
	return err
}

// front returns the lowest y up to each x, as the corners of a staircase: the Pareto front of
// points that should be low and to the left.
func front(x, y []float64) (fx, fy []float64) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case x[a] < x[b]:
			return -1
		case x[a] > x[b]:
			return 1
		}
		return 0
	})
	for _, i := range order {
		n := len(fy)
		if n > 0 && !(y[i] < fy[n-1]) {
			continue
		}
		if n > 0 {
			fx, fy = append(fx, x[i]), append(fy, fy[n-1])
		}
		fx, fy = append(fx, x[i]), append(fy, y[i])
	}
	return fx, fy
}
