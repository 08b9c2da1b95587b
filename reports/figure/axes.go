package figure

import (
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
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
	}{{&g.X, p.LogX}, {&g.Y, p.LogY}} {
		if !(a.axis.Min <= a.axis.Max) || math.IsInf(a.axis.Min, 0) || math.IsInf(a.axis.Max, 0) {
			a.axis.Min, a.axis.Max = 1, 2
		}
		a.axis.Tick.Marker = plot.TickerFunc(linearTicks)
		const margin = 0.04
		if a.log {
			a.axis.Scale, a.axis.Tick.Marker = plot.LogScale{}, plot.TickerFunc(logTicks)
			room := math.Exp(math.Max(math.Log(a.axis.Max)-math.Log(a.axis.Min), 0.05) * margin)
			a.axis.Min = math.Max(a.axis.Min/room, math.SmallestNonzeroFloat64)
			a.axis.Max = math.Min(a.axis.Max*room, math.MaxFloat64)
			continue
		}
		room := (a.axis.Max - a.axis.Min) * margin
		if room == 0 {
			room = math.Max(math.Abs(a.axis.Max), 1) * margin
		}
		a.axis.Min, a.axis.Max = a.axis.Min-room, a.axis.Max+room
	}
}

// linearTicks are at 1, 2 or 5 times a power of ten.
func linearTicks(low, high float64) []plot.Tick {
	const wanted = 7
	step := niceStep((high - low) / wanted)
	var out []plot.Tick
	const rounding = 1e-9 // of a step
	for k := math.Ceil(low/step - rounding); k <= high/step+rounding; k++ {
		v := k*step + 0 // −0 becomes 0
		out = append(out, plot.Tick{Value: v, Label: label(v)})
	}
	return out
}

func niceStep(rough float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, m := range []float64{1, 2, 5} {
		if rough <= m*power {
			return m * power
		}
	}
	return 10 * power
}

// logTicks are at powers of ten and, over few decades, at 2 and 5 between them; under half a decade
// they are those of a linear axis.
func logTicks(low, high float64) []plot.Tick {
	decades := math.Log10(high) - math.Log10(low)
	if decades < 0.7 {
		return linearTicks(low, high)
	}
	every := math.Ceil(decades / 8)
	var out []plot.Tick
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, e)
			if v < low || v > high {
				continue
			}
			t := plot.Tick{Value: v}
			if m == 1 && math.Mod(e, every) == 0 || decades < 2.5 && (m == 2 || m == 5) {
				t.Label = label(v)
			}
			if m == 1 || decades < 6 {
				out = append(out, t)
			}
		}
	}
	return out
}

// label writes 1e+09 as 1e9 and 0.30000000000000004 as 0.3.
func label(v float64) string {
	const digits = 6
	text := strconv.FormatFloat(v, 'g', digits, 64)
	if a := math.Abs(v); a >= 1e5 || a < 1e-3 && a > 0 {
		text = strconv.FormatFloat(v, 'e', digits-1, 64)
		number, exponent, _ := strings.Cut(text, "e")
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
		n, err := strconv.Atoi(exponent)
		if err == nil {
			text = number + "e" + strconv.Itoa(n)
		}
	}
	return text
}
