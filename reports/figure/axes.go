package figure

import (
	"math"

	"gonum.org/v1/plot"

	"github.com/deepnarrow/deepnarrow/internal/axis"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

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
