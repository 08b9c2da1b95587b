package page

import (
	"math"
	"strconv"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// plot is points with error bars over a logarithmic x axis, drawn as SVG.
type plot struct {
	Title, X, Y    string
	Kind           quantity.Kind // of x
	Points         []point
	XTicks, YTicks []tick
}

// point is a value with its interval; the fields behind P are pixels.
type point struct {
	Key, Label, Class  string
	X, Y, Low, High    float64
	PX, PY, PLow, PHig float64
}

type tick struct {
	At   float64 // pixels
	Text string
}

// The drawing area in the units of the viewBox. Text of 13 units stays readable
// when a phone shows 480 units on 360 pixels.
const (
	plotLeft, plotRight = 52, 468
	plotTop, plotBottom = 22, 268
)

func (p *plot) add(q point, y estimate) {
	if y.Interval == nil || q.X <= 0 {
		return
	}
	q.Y, q.Low, q.High = y.Value, y.Low, y.High
	p.Points = append(p.Points, q)
}

// lay turns values into pixels and reports whether there is anything to see.
func (p *plot) lay() bool {
	if len(p.Points) < 2 {
		return false
	}
	left, right := math.Inf(1), math.Inf(-1)
	low, high := math.Inf(1), math.Inf(-1)
	for _, q := range p.Points {
		left, right = min(left, math.Log(q.X)), max(right, math.Log(q.X))
		low, high = min(low, q.Low), max(high, q.High)
	}
	const margin = 0.05
	widen := func(a, b float64) (float64, float64) {
		span := max(b-a, 1e-9*math.Abs(a), 1e-12)
		return a - margin*span, b + margin*span
	}
	left, right = widen(left, right)
	low, high = widen(low, high)
	x := func(v float64) float64 {
		return plotLeft + (math.Log(v)-left)/(right-left)*(plotRight-plotLeft)
	}
	y := func(v float64) float64 { return plotBottom - (v-low)/(high-low)*(plotBottom-plotTop) }
	for i := range p.Points {
		q := &p.Points[i]
		q.PX, q.PY, q.PLow, q.PHig = x(q.X), y(q.Y), y(q.Low), y(q.High)
	}
	for _, v := range logTicks(math.Exp(left), math.Exp(right)) {
		p.XTicks = append(p.XTicks, tick{x(v), quantity.Format(p.Kind, v, 2)})
	}
	step := niceStep(high - low)
	decimals := max(0, -int(math.Floor(math.Log10(step*1.0001))))
	for v := math.Ceil(low/step) * step; v <= high; v += step {
		p.YTicks = append(p.YTicks, tick{y(v), strconv.FormatFloat(v, 'f', decimals, 64)})
	}
	return true
}

// logTicks are the 1, 2 and 5 of each power of ten between two bounds.
func logTicks(low, high float64) []float64 {
	var out []float64
	for e := math.Floor(math.Log10(low)); e <= math.Log10(high); e++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow(10, e); v >= low && v <= high {
				out = append(out, v)
			}
		}
	}
	return out
}

// niceStep is a 1, 2 or 5 of a power of ten that gives four to ten ticks.
func niceStep(span float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(span/4)))
	for _, m := range []float64{5, 2} {
		if span/(m*unit) >= 4 {
			return m * unit
		}
	}
	return unit
}
