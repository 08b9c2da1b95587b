package figure

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/deepnarrow/deepnarrow/internal/axis"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Panel is one plot.
type Panel struct {
	Title, X, Y string
	LogX, LogY  bool
	// KindX and KindY are how the ticks are written; the zero value is plain numbers.
	KindX, KindY quantity.Kind
	Bands        []Band
	Lines        []Series
	Points       []Series
	// Level draws a thin line at y = 0, for residuals on a linear axis.
	Level bool
	// LegendLow puts the legend at the lower right, for what rises.
	LegendLow bool
}

// Series is numbers to draw; both slices have one length.
type Series struct {
	Name string // in the legend; empty for none
	X, Y []float64
	// Colour numbers the palette, from 0: series that belong together share it.
	Colour int
	// Faint draws small and light, Bold thick.
	Faint, Bold bool
}

// Band is the area between two curves over X.
type Band struct {
	X, Low, High []float64
	Colour       int
}

// palette is the colours of Okabe and Ito 2008, which the colour-blind tell apart, dark first.
func palette(n int) color.RGBA {
	colours := [...]color.RGBA{
		{0x00, 0x72, 0xB2, 0xFF},
		{0xD5, 0x5E, 0x00, 0xFF},
		{0x00, 0x9E, 0x73, 0xFF},
		{0xCC, 0x79, 0xA7, 0xFF},
		{0x56, 0xB4, 0xE9, 0xFF},
		{0xE6, 0x9F, 0x00, 0xFF},
		{0x44, 0x44, 0x44, 0xFF},
		{0xB8, 0xA9, 0x00, 0xFF},
	}
	return colours[((n%len(colours))+len(colours))%len(colours)]
}

// Grey is the colour of the palette for what the others are compared with.
const Grey = 6

// faded mixes a colour with the white page: opaque, so that SVG and PNG agree.
func faded(c color.RGBA, share float64) color.RGBA {
	mix := func(v uint8) uint8 { return uint8(255 - share*float64(255-v)) }
	return color.RGBA{mix(c.R), mix(c.G), mix(c.B), 0xFF}
}

// newPlot returns an empty plot whose texts are sans-serif, as those of the page.
func newPlot() *plot.Plot {
	g := plot.New()
	for _, style := range []*text.Style{
		&g.Title.TextStyle, &g.X.Label.TextStyle, &g.Y.Label.TextStyle, &g.X.Tick.Label,
		&g.Y.Tick.Label, &g.Legend.TextStyle,
	} {
		ours(style)
	}
	return g
}

func ours(style *text.Style) { style.Font.Variant, style.Handler = sans, raising{style.Handler} }

// sans is the variant of the font that has no serifs.
const sans = "Sans"

// build returns the gonum plot.
func (p *Panel) build() (*plot.Plot, error) {
	g := newPlot()
	g.Title.Text, g.X.Label.Text, g.Y.Label.Text = p.Title, p.X, p.Y
	g.Title.TextStyle.Font.Size, g.X.Label.TextStyle.Font.Size,
		g.Y.Label.TextStyle.Font.Size = vg.Points(12), vg.Points(11), vg.Points(11)
	g.Title.Padding = vg.Points(6)
	g.Legend.Top, g.Legend.TextStyle.Font.Size, g.Legend.Padding = !p.LegendLow, vg.Points(9),
		vg.Points(2)
	g.Legend.XOffs, g.Legend.YOffs = vg.Points(-6), vg.Points(-4)
	if p.LegendLow {
		g.Legend.YOffs = vg.Points(4)
	}
	left := 0
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{0xE6}, color.Gray{0xE6}
	g.Add(grid)
	for _, b := range p.Bands {
		if err := p.addBand(g, b); err != nil {
			return nil, err
		}
	}
	for _, s := range p.Points {
		if err := p.addPoints(g, s, &left); err != nil {
			return nil, err
		}
	}
	for _, s := range p.Lines {
		if err := p.addLine(g, s); err != nil {
			return nil, err
		}
	}
	if left > 0 {
		g.Title.Text += fmt.Sprintf(" (%d points not shown: not positive)", left)
	}
	p.axes(g)
	if p.Level && !p.LogY {
		zero := plotter.NewFunction(func(float64) float64 { return 0 })
		zero.Color, zero.Width = color.Gray{0x80}, vg.Points(0.8)
		zero.XMin, zero.XMax = g.X.Min, g.X.Max
		g.Add(zero)
	}
	return g, nil
}

func (p *Panel) addPoints(g *plot.Plot, s Series, left *int) error {
	xy, hidden := p.drawable(s.X, s.Y)
	*left += hidden
	if len(xy) == 0 {
		return nil
	}
	scatter, err := plotter.NewScatter(thinned(xy, mostPoints))
	if err != nil {
		return err
	}
	scatter.Shape, scatter.Radius, scatter.Color = draw.CircleGlyph{}, vg.Points(2),
		palette(s.Colour)
	if s.Faint {
		scatter.Radius, scatter.Color = vg.Points(1.5), faded(palette(s.Colour), 0.65)
	}
	g.Add(scatter)
	if s.Name != "" {
		g.Legend.Add(s.Name, scatter)
	}
	return nil
}

// mostPoints is more than a panel can show apart.
const mostPoints = 5000

// thinned keeps at most n points, the first and the last and evenly between.
func thinned(xy plotter.XYs, n int) plotter.XYs {
	if len(xy) <= n {
		return xy
	}
	out := make(plotter.XYs, n)
	for i := range out {
		out[i] = xy[i*(len(xy)-1)/(n-1)]
	}
	return out
}

func (p *Panel) addLine(g *plot.Plot, s Series) error {
	xy, _ := p.drawable(s.X, s.Y)
	if len(xy) < 2 {
		return nil
	}
	line, err := plotter.NewLine(xy)
	if err != nil {
		return err
	}
	line.Color, line.Width = palette(s.Colour), vg.Points(1.5)
	if s.Bold {
		line.Width = vg.Points(2)
	}
	if s.Faint {
		line.Color, line.Width = faded(palette(s.Colour), 0.5), vg.Points(0.9)
	}
	g.Add(line)
	if s.Name != "" {
		g.Legend.Add(s.Name, line)
	}
	return nil
}

func (p *Panel) addBand(g *plot.Plot, b Band) error {
	low, _ := p.drawable(b.X, b.Low)
	high, _ := p.drawable(b.X, b.High)
	if len(low) < 2 || len(high) < 2 {
		return nil
	}
	outline := append(plotter.XYs{}, low...)
	for i := len(high) - 1; i >= 0; i-- {
		outline = append(outline, high[i])
	}
	area, err := plotter.NewPolygon(outline)
	if err != nil {
		return err
	}
	area.Color, area.LineStyle.Width = faded(palette(b.Colour), 0.2), 0
	g.Add(area)
	return nil
}

// Drawable returns the finite points that the axes can show, at most n evenly taken.
func (p *Panel) Drawable(x, y []float64, n int) (xs, ys []float64) {
	all, _ := p.drawable(x, y)
	for _, at := range thinned(all, n) {
		xs, ys = append(xs, at.X), append(ys, at.Y)
	}
	return xs, ys
}

// drawable keeps the finite points that the axes can show and counts the finite ones that they
// cannot.
func (p *Panel) drawable(x, y []float64) (out plotter.XYs, hidden int) {
	for i := range x {
		if math.IsNaN(x[i]+y[i]) || math.IsInf(x[i], 0) || math.IsInf(y[i], 0) {
			continue
		}
		if p.LogX && x[i] <= 0 || p.LogY && y[i] <= 0 {
			hidden++
			continue
		}
		out = append(out, plotter.XY{X: x[i], Y: y[i]})
	}
	return out, hidden
}

// axes makes scales and ticks once all data are in. A panel without data gets the unit square,
// which every scale can show.
func (p *Panel) axes(g *plot.Plot) {
	if p.Level && !p.LogY {
		g.Y.Min, g.Y.Max = math.Min(g.Y.Min, 0), math.Max(g.Y.Max, 0)
	}
	for _, a := range []struct {
		axis *plot.Axis
		log  bool
		kind quantity.Kind
	}{{&g.X, p.LogX, p.KindX}, {&g.Y, p.LogY, p.KindY}} {
		if !(a.axis.Min <= a.axis.Max) || math.IsInf(a.axis.Min, 0) || math.IsInf(a.axis.Max, 0) {
			a.axis.Min, a.axis.Max = 1, 2
		}
		a.axis.Tick.Marker = linearTicks(a.kind)
		const margin = 0.04
		if a.log {
			a.axis.Scale, a.axis.Tick.Marker = plot.LogScale{}, logTicks(a.kind)
			room := math.Exp(math.Max(math.Log(a.axis.Max)-math.Log(a.axis.Min), 0.05) * margin)
			a.axis.Min = math.Max(a.axis.Min/room, math.SmallestNonzeroFloat64)
			a.axis.Max = math.Min(a.axis.Max*room, math.MaxFloat64)
			continue
		}
		room := (a.axis.Max - a.axis.Min) * margin
		if room == 0 {
			room = math.Max(math.Abs(a.axis.Max), 1) * margin
		}
		const most = math.MaxFloat64 / 4 // what lies beyond could not be subtracted
		a.axis.Min, a.axis.Max = math.Max(a.axis.Min-room, -most), math.Min(a.axis.Max+room, most)
	}
}

// linearTicks are at 1, 2 or 5 times a power of ten.
func linearTicks(kind quantity.Kind) plot.TickerFunc {
	return func(low, high float64) []plot.Tick {
		const wanted = 7
		var out []plot.Tick
		for _, v := range axis.Linear(low, high, wanted) {
			out = append(out, plot.Tick{Value: v, Label: axis.Amount(kind, v)})
		}
		return out
	}
}

// logTicks are at powers of ten and, over few decades, at 2 and 5 between them; under half a decade
// they are those of a linear axis.
func logTicks(kind quantity.Kind) plot.TickerFunc {
	return func(low, high float64) []plot.Tick {
		decades := axis.Decades(low, high)
		if decades < 0.7 {
			return linearTicks(kind)(low, high)
		}
		var out []plot.Tick
		for _, k := range axis.LogOf(kind, low, high) {
			t := plot.Tick{Value: k.Value}
			if k.Major || decades < 2.5 && k.Even {
				t.Label = axis.Amount(kind, k.Value)
			}
			out = append(out, t)
		}
		return out
	}
}
