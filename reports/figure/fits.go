package figure

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/axis"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

const (
	curvePoints = 200
	mostGroups  = 6  // drawn in one panel
	mostLegend  = 8  // named in one legend
	logFactor   = 10 // spread of a predictor from which its axis is logarithmic
	logResponse = 2  // spread of a loss from which its axis is
)

// FitPanels draws the first groups that have a fit: the fit over one predictor, or predicted
// against recorded over several; residuals; for one law of parameters and tokens the response
// against each, with the law at fixed values of the other; and, where the FLOPs of the table's rows
// are known (else nil), the response against compute, with the law at its best split.
func FitPanels(a *learn.Answer, flops []float64) []Panel {
	var shown []*learn.Fitted
	for i := range a.Fits {
		if f := &a.Fits[i]; f.Refused == nil && len(shown) < mostGroups {
			shown = append(shown, f)
		}
	}
	fitted := Panel{Title: "Fit", X: a.X[0], Y: a.Response}
	residuals := Panel{
		Title: "Residuals", X: a.X[0], Y: "ln(recorded/predicted)", Level: true,
	}
	single := len(a.X) == 1
	if !single {
		fitted.LegendLow = true
		fitted.Title, fitted.X, fitted.Y = "Recorded against predicted",
			"predicted "+a.Response, "recorded "+a.Response
		residuals.X = fitted.X
	}
	var x, y []float64
	for k, f := range shown {
		place, predicted := f.Places(false)
		x, y = append(x, place...), append(y, f.Data.Y...)
		fitted.Points = append(fitted.Points,
			Series{Name: groupName(f), X: place, Y: f.Data.Y, Colour: k})
		residuals.Points = append(residuals.Points,
			Series{X: place, Y: learn.LogRatios(f.Data.Y, predicted), Colour: k})
		if f.Held.Len() > 0 {
			place, predicted := f.Places(true)
			x = append(x, place...)
			fitted.Points = append(fitted.Points,
				Series{X: place, Y: f.Held.Y, Colour: k, Faint: true})
			residuals.Points = append(residuals.Points, Series{
				X: place, Y: learn.LogRatios(f.Held.Y, predicted), Colour: k, Faint: true,
			})
		}
		line, band := fitLine(f, place, k)
		fitted.Lines = append(fitted.Lines, line)
		if len(band.Low) > 0 {
			fitted.Bands = append(fitted.Bands, band)
		}
	}
	fitted.LogX, fitted.LogY = learn.Wide(logFactor, x), learn.Wide(logResponse, y)
	if single {
		fitted.KindX = records.KindOf(a.X[0])
		residuals.KindX = fitted.KindX
	}
	if !single {
		fitted.LogX = fitted.LogY
	}
	residuals.LogX = fitted.LogX
	if len(shown) == 1 {
		for i := range fitted.Points {
			fitted.Points[i].Colour++ // apart from the line
		}
	}
	panels := []Panel{fitted, residuals}
	both := len(shown) == 1 && shown[0].Result != nil && learn.CanAllocate(shown[0].Result.Law)
	if both {
		panels = append(panels, slicePanel(shown[0], 0), slicePanel(shown[0], 1))
	}
	if flops == nil || single || slices.Contains(a.X, "flops") {
		return panels
	}
	compute := computePanel(a.Response, shown, flops)
	if both {
		compute.Lines = append(compute.Lines, bestSplit(shown[0], compute.Points[0].X))
	}
	return append(panels, compute)
}

// slices of a law: at how many values of the other column it is drawn
const slicesDrawn = 4

// slicePanel draws the response against one of the two columns of a law, which is drawn at a few
// values of the other; a row has the colour of the value that is nearest to its own.
func slicePanel(f *learn.Fitted, column int) Panel {
	name, other := f.Columns[column], f.Columns[1-column]
	at, beside := f.Data.Columns[name], f.Data.Columns[other]
	p := Panel{
		Title: "Against " + name + ", with the law", X: name, Y: f.Response, KindX: records.KindOf(name),
	}
	values := slices.Compact(slices.Sorted(slices.Values(beside)))
	n := min(slicesDrawn, len(values))
	for k := range n {
		v := values[k*(len(values)-1)/max(1, n-1)]
		nearest := func(w float64) bool {
			for j := range n {
				u := values[j*(len(values)-1)/max(1, n-1)]
				if math.Abs(math.Log(w/u)) < math.Abs(math.Log(w/v)) {
					return false
				}
			}
			return true
		}
		rows := Series{Colour: k, Faint: true}
		for i := range at {
			if nearest(beside[i]) {
				rows.X, rows.Y = append(rows.X, at[i]), append(rows.Y, f.Data.Y[i])
			}
		}
		law := Series{
			Name:   quantity.Format(records.KindOf(other), v, 2) + " " + other,
			Colour: k, X: learn.Grid(curvePoints, true, at),
		}
		for _, x := range law.X {
			point := []float64{x, v}
			if column == 1 {
				point = []float64{v, x}
			}
			law.Y = append(law.Y, f.Predict(point))
		}
		p.Points, p.Lines = append(p.Points, rows), append(p.Lines, law)
	}
	p.LogX, p.LogY = learn.Wide(logFactor, at), learn.Wide(logResponse, f.Data.Y)
	return p
}

// bestSplit is the law at the best split of each budget between the least and the largest.
func bestSplit(f *learn.Fitted, budgets []float64) Series {
	out := Series{Name: "law, best split", Colour: Grey, Bold: true}
	law := &learn.Law{Result: f.Result, PerParamToken: f.PerParamToken}
	const points = 24
	for _, c := range learn.Grid(points, true, budgets) {
		best, err := learn.Allocate(law, c, 0, f.Level)
		if err != nil { // no best split inside the sizes searched
			continue
		}
		out.X, out.Y = append(out.X, c), append(out.Y, best.Allocation.Loss)
	}
	return out
}

// fitLine is the fitted curve with its band or, over several predictors, the diagonal on which a
// perfect fit lies, with the intervals of the rows in the order of their predictions.
func fitLine(f *learn.Fitted, place []float64, colour int) (Series, Band) {
	if len(f.Columns) > 1 {
		ends := learn.Grid(2, false, place, f.Data.Y)
		rows := f.Drawn(false)
		return Series{X: ends, Y: ends, Colour: colour},
			Band{X: rows.X, Low: rows.Low, High: rows.High, Colour: colour}
	}
	c := f.CurveOver(curvePoints)
	return Series{X: c.X, Y: c.Value, Colour: colour},
		Band{X: c.X, Low: c.Low, High: c.High, Colour: colour}
}

// computePanel draws the response against FLOPs with the Pareto front.
func computePanel(response string, shown []*learn.Fitted, flops []float64) Panel {
	p := Panel{
		Title: "Against compute, with the Pareto front", X: "training FLOPs", Y: response,
		KindX: quantity.FLOP,
	}
	var all, responses []float64
	for k, f := range shown {
		x := make([]float64, len(f.Index))
		for i, row := range f.Index {
			x[i] = flops[row]
		}
		all, responses = append(all, x...), append(responses, f.Data.Y...)
		fx, fy := front(x, f.Data.Y)
		p.Points = append(p.Points, Series{X: x, Y: f.Data.Y, Colour: k, Faint: true})
		p.Lines = append(p.Lines,
			Series{
				Name: strings.TrimSpace("front " + groupName(f)), X: fx, Y: fy, Colour: k,
			})
	}
	p.LogX, p.LogY = learn.Wide(logFactor, all), learn.Wide(logResponse, responses)
	return p
}

func groupName(f *learn.Fitted) string {
	var parts []string
	for _, b := range f.By {
		parts = append(parts, f.Group[b])
	}
	return strings.Join(parts, " ")
}

// IsoFLOPPanels draws the runs and parabola of each budget, and the best sizes against budgets.
func IsoFLOPPanels(s *learn.Scanned) []Panel {
	scan := Panel{Title: "isoFLOP parabolas", X: "params", Y: "loss", KindX: quantity.Params}
	best := Panel{
		Title: "Best size at each budget", X: "training FLOPs", Y: "params", LegendLow: true,
		KindX: quantity.FLOP, KindY: quantity.Params,
	}
	minima, at := Series{Name: "best size", Colour: Grey}, Series{}
	var params, budgets []float64
	for i := range s.IsoFLOP.Groups {
		g := &s.IsoFLOP.Groups[i]
		x, y := s.Budget(g)
		params = append(params, x...)
		if g.Refused != nil {
			scan.Points = append(scan.Points, Series{
				X: x, Y: y, Colour: Grey, Faint: true,
			})
			continue
		}
		runs := Series{X: x, Y: y, Colour: len(budgets)}
		if every := (len(s.IsoFLOP.Groups) + mostLegend - 1) / mostLegend; i%every == 0 {
			runs.Name = axis.Label(roughly(g.FLOPs)) + " FLOP"
		}
		scan.Points = append(scan.Points, runs)
		line := Series{X: learn.Grid(curvePoints/4, true, x), Colour: len(budgets)}
		for _, n := range line.X {
			line.Y = append(line.Y, g.LossAt(n))
		}
		scan.Lines = append(scan.Lines, line)
		minima.X, minima.Y = append(minima.X, g.Params.Value), append(minima.Y, g.Loss)
		at.X, at.Y = append(at.X, g.FLOPs), append(at.Y, g.Params.Value)
		budgets = append(budgets, g.FLOPs)
	}
	scan.Points = append(scan.Points, minima)
	best.Points = []Series{at}
	power := Series{Name: "power law", X: learn.Grid(curvePoints, true, budgets), Colour: 1}
	for _, c := range power.X {
		power.Y = append(power.Y, s.IsoFLOP.ParamsAt(c))
	}
	best.Lines = []Series{power}
	scan.LogX, best.LogX, best.LogY = learn.Wide(2, params), true, true
	return []Panel{scan, best}
}

// EnvelopePanel draws the curves and their Pareto front.
func EnvelopePanel(s *learn.Scanned) Panel {
	p := Panel{
		Title: "Training curves and their Pareto front", X: "training FLOPs", Y: "loss",
		KindX: quantity.FLOP,
	}
	curves := slices.Clone(s.Curves)
	slices.SortStableFunc(curves, func(a, b learn.NamedCurve) int {
		return cmp.Compare(a.Params, b.Params)
	})
	var x, y []float64
	for colour, c := range curves {
		line := Series{X: c.FLOPs, Y: c.Loss, Colour: colour, Faint: true}
		if len(curves) <= mostLegend {
			line.Name = fmt.Sprintf("%s params", quantity.Format(quantity.Params, c.Params, 0))
		}
		p.Lines = append(p.Lines, line)
		x, y = append(x, c.FLOPs...), append(y, c.Loss...)
	}
	front := Series{Name: "Pareto front", Colour: Grey, Bold: true}
	for _, f := range s.Envelope.Front {
		front.X, front.Y = append(front.X, f.FLOPs), append(front.Y, f.Loss)
	}
	p.Lines = append(p.Lines, front)
	p.LogX, p.LogY = learn.Wide(logFactor, x), learn.Wide(logResponse, y)
	return p
}

// roughly returns a number to two digits.
func roughly(v float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 1, 64), 64)
	if err != nil {
		return v
	}
	return short
}

// LawPanels draws the response against parameters, tokens and compute with the law, for a law of
// these two; compute is k·params·tokens. Nil for any other law.
func LawPanels(f *learn.Fitted) []Panel {
	if f.Result == nil || !learn.CanAllocate(f.Result.Law) || len(f.Index) == 0 {
		return nil
	}
	const usual = 6 // FLOPs a parameter and token, where the rows do not say
	k := cmp.Or(f.PerParamToken, usual)
	flops := make([]float64, slices.Max(f.Index)+1)
	n, d := f.Data.Columns[f.Columns[0]], f.Data.Columns[f.Columns[1]]
	for i, row := range f.Index {
		flops[row] = k * n[i] * d[i]
	}
	compute := computePanel(f.Response, []*learn.Fitted{f}, flops)
	compute.Lines = append(compute.Lines, bestSplit(f, compute.Points[0].X))
	return []Panel{slicePanel(f, 0), slicePanel(f, 1), compute}
}
