package page

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/internal/axis"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// plot is points, dots, a line and a band over two axes, drawn as SVG.
type plot struct {
	Title, X, Y, Note string
	Kind, KindY       quantity.Kind // of x and y
	Legend            []pair        // what a class of points means
	LogX, LogY        bool
	Named             bool    // the marks of the points are written beside them
	Level             bool    // a line at y = 0
	Points            []point // few, each with details and an interval
	Dots              []dot   // many
	Lines             []line
	Band              []bounds

	// lay fills in pixels.
	XTicks, YTicks []tick
	Area           string
	Zero           float64
}

type place struct{ X, Y float64 }

// line is a curve; one with a name stands in the legend. Path is filled in with the pixels.
type line struct {
	Name   string
	Colour int // of the palette
	At     []place
	Path   string
}

// bounds is an interval of y.
type bounds struct{ X, Low, High float64 }

// point is a value with its interval; the fields behind P are pixels.
type point struct {
	Key, Label, Class  string
	Among, Mark        string // its kind, and a short text beside it, where tips cannot be
	Measured           bool
	X, Y, Low, High    float64
	PX, PY, PLow, PHig float64
}

// dot is a value whose label is a tip; PX and PY are pixels.
type dot struct {
	Label  string
	X, Y   float64
	Hollow bool
	Colour int // of the palette
	PX, PY float64
}

type tick struct {
	At   float64 // pixels
	Text string
}

// The drawing area in the units of the viewBox.
const (
	plotLeft, plotRight = 52, 468
	plotTop, plotBottom = 22, 268
)

// add puts a point where a value is known.
func (p *plot) add(q point, y *quantity.Interval) {
	if y == nil || q.X <= 0 {
		return
	}
	q.Y, q.Low, q.High = y.Value, y.Low, y.High
	p.Points = append(p.Points, q)
}

// legend explains a class of points where there are any.
func (p *plot) legend(class, text string) {
	if slices.ContainsFunc(p.Points, func(q point) bool { return slices.Contains(strings.Fields(q.Class), class) }) {
		p.Legend = append(p.Legend, pair{class, text})
	}
}

// wide says on which axes the points spread over more than a factor of ten.
func (p *plot) wide() (x, y bool) {
	var xs, ys []float64
	for _, q := range p.Points {
		xs, ys = append(xs, q.X), append(ys, q.Low)
	}
	return learn.Wide(10, xs), learn.Wide(10, ys)
}

// scale places values between two pixels.
type scale struct {
	kind              quantity.Kind
	log               bool
	low, high         float64 // of the values or of their logarithms
	pixelLow, pixelHi float64
}

// on is the value on the scale: its logarithm, or itself as far as two can be subtracted.
func (a *scale) on(v float64) float64 {
	if a.log {
		return math.Log(v)
	}
	const most = math.MaxFloat64 / 4
	return max(-most, min(most, v))
}

func (a *scale) include(values ...float64) {
	for _, v := range values {
		if v = a.on(v); !math.IsNaN(v) && !math.IsInf(v, 0) {
			a.low, a.high = min(a.low, v), max(a.high, v)
		}
	}
}

func (a *scale) widen() {
	const margin = 0.05
	span := max(a.high-a.low, 1e-9*math.Abs(a.low), 1e-12*math.Abs(a.high), 1e-300)
	a.low, a.high = a.low-margin*span, a.high+margin*span
}

func (a *scale) at(v float64) float64 {
	return a.pixelLow + (a.on(v)-a.low)/(a.high-a.low)*(a.pixelHi-a.pixelLow)
}

// ticks are at 1, 2 and 5 times powers of ten of a logarithmic axis that has at least three of
// them, else evenly spaced; write gives their texts.
func (a *scale) ticks(write func(v, step float64) string) []tick {
	var out []tick
	low, high := a.low, a.high
	if a.log {
		low = max(math.Exp(low), math.SmallestNonzeroFloat64)
		high = min(math.Exp(high), math.MaxFloat64)
		for _, k := range axis.LogOf(a.kind, low, high) {
			if k.Major || k.Even && axis.Decades(low, high) <= 3 {
				out = append(out, tick{a.at(k.Value), write(k.Value, k.Value)})
			}
		}
		if len(out) > 2 {
			return out
		}
		out = nil
	}
	const wanted = 6
	unit := 1.0
	for _, u := range []float64{60, 60 * 60, 24 * 60 * 60} {
		if a.kind == quantity.Duration && high/2-low/2 >= u { // whole minutes, hours, days
			unit = u
		}
	}
	low, high = low/unit, high/unit
	step := axis.Step(low, high, wanted)
	for _, v := range axis.Linear(low, high, wanted) {
		out = append(out, tick{a.at(unit * v), write(unit*v, unit*step)})
	}
	return out
}

// lay turns values into pixels and reports whether there is anything to see.
func (p *plot) lay() bool {
	if len(p.Points)+len(p.Dots) < 2 && !slices.ContainsFunc(p.Lines, func(l line) bool { return len(l.At) > 1 }) {
		return false
	}
	none, all := math.Inf(1), math.Inf(-1)
	x := scale{p.Kind, p.LogX, none, all, plotLeft, plotRight}
	y := scale{p.KindY, p.LogY, none, all, plotBottom, plotTop}
	for _, q := range p.Points {
		x.include(q.X)
		y.include(q.Low, q.High)
	}
	for _, d := range p.Dots {
		x.include(d.X)
		y.include(d.Y)
	}
	for _, l := range p.Lines {
		for _, at := range l.At {
			x.include(at.X)
			y.include(at.Y)
		}
	}
	if p.Level {
		y.include(0)
	}
	p.includeBand(&y)
	if !(x.low <= x.high) || !(y.low <= y.high) {
		return false
	}
	x.widen()
	y.widen()
	for i := range p.Points {
		q := &p.Points[i]
		q.PX, q.PY, q.PLow, q.PHig = x.at(q.X), y.at(q.Y), y.at(q.Low), y.at(q.High)
	}
	for i := range p.Dots {
		d := &p.Dots[i]
		d.PX, d.PY = x.at(d.X), y.at(d.Y)
	}
	for i := range p.Lines {
		p.Lines[i].Path = linePath(&x, &y, p.Lines[i].At)
	}
	p.Area, p.Zero = areaPath(&x, &y, p.Band), y.at(0)
	p.XTicks = apart(x.ticks(func(v, _ float64) string { return axis.Amount(p.Kind, v) }))
	p.YTicks = y.ticks(func(v, step float64) string {
		if p.KindY != quantity.Number {
			return axis.Amount(p.KindY, v)
		}
		if !(step > 1e-7) || math.Abs(v) >= 1e7 {
			return axis.Label(v)
		}
		decimals := max(0, -int(math.Floor(math.Log10(step*1.0001))))
		return strconv.FormatFloat(v+0, 'f', decimals, 64) // −0 becomes 0
	})
	return true
}

// apart drops the texts that would touch the one before.
func apart(ticks []tick) []tick {
	const letter, gap = 8.5, 8 // pixels, as large as a phone shows them
	end := math.Inf(-1)
	for i := range ticks {
		half := letter / 2 * float64(utf8.RuneCountInString(ticks[i].Text))
		if ticks[i].At-half < end+gap {
			ticks[i].Text = ""
			continue
		}
		end = ticks[i].At + half
	}
	return ticks
}

// includeBand makes room for a band, up to as much again on either side as the marks take: a wide
// band shall not press them into a line.
func (p *plot) includeBand(y *scale) {
	low, high := y.low, y.high
	span := high - low
	for _, b := range p.Band {
		y.include(b.Low, b.High)
	}
	if span > 0 {
		y.low, y.high = max(y.low, low-span), min(y.high, high+span)
	}
}

// linePath and areaPath leave what lies outside the frame to its clipping.
func linePath(x, y *scale, line []place) string {
	var b strings.Builder
	for _, at := range line {
		step(&b, x.at(at.X), y.at(at.Y))
	}
	return b.String()
}

func areaPath(x, y *scale, band []bounds) string {
	var b strings.Builder
	for _, at := range band {
		step(&b, x.at(at.X), y.at(at.Low))
	}
	for i := len(band) - 1; i >= 0; i-- {
		step(&b, x.at(band[i].X), y.at(band[i].High))
	}
	return b.String()
}

// step goes on to a place in pixels, kept where a browser can draw.
func step(b *strings.Builder, x, y float64) {
	const far = 10_000
	command := "L"
	if b.Len() == 0 {
		command = "M"
	}
	if math.IsNaN(x + y) {
		return
	}
	fmt.Fprintf(b, "%s%.1f %.1f", command, max(-far, min(far, x)), max(-far, min(far, y)))
}
