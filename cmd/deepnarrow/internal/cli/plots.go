package cli

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/figure"
)

const (
	curvePoints = 200
	mostGroups  = 6  // drawn in one panel
	mostLegend  = 8  // named in one legend
	logFactor   = 10 // spread of a predictor from which its axis is logarithmic
	logResponse = 2  // spread of a loss from which its axis is
)

func checkPlot(file string) error {
	if file == "" {
		return nil
	}
	if _, err := figure.FormatOf(file); err != nil {
		return usage("", "--plot: %w", err)
	}
	return nil
}

func writePlot(file string, panels ...figure.Panel) error {
	format, err := figure.FormatOf(file)
	if err != nil {
		return err
	}
	return writeFile(file, func(w io.Writer) error { return figure.Write(w, format, panels...) })
}

// plotFits draws the first groups that have a fit: the fit over one predictor, or predicted against
// recorded over several; residuals; and, where FLOPs are known, the response against compute.
func (a *app) plotFits(file string, j *fitJob) error {
	var shown []*fitGroup
	for _, g := range j.groups {
		if g.done != nil && g.done.Refused == nil && len(shown) < mostGroups {
			shown = append(shown, g)
		}
	}
	fitted := figure.Panel{Title: "Fit", X: j.choice.columns[0], Y: j.choice.response}
	residuals := figure.Panel{
		Title: "Residuals", X: j.choice.columns[0],
		Y: "ln(recorded/predicted)", Level: true,
	}
	single := len(j.choice.columns) == 1
	if !single {
		fitted.LegendLow = true
		fitted.Title, fitted.X, fitted.Y = "Recorded against predicted",
			"predicted "+j.choice.response, "recorded "+j.choice.response
		residuals.X = "predicted " + j.choice.response
	}
	var x, y []float64
	for k, g := range shown {
		gx, gy := g.place(), g.data.Y
		x, y = append(x, gx...), append(y, gy...)
		name := groupName(g, j.flags.by)
		fitted.Points = append(fitted.Points, figure.Series{Name: name, X: gx, Y: gy, Colour: k})
		if g.held.Len() > 0 {
			fitted.Points = append(fitted.Points, figure.Series{
				X: g.heldPlace(), Y: g.held.Y,
				Colour: k, Faint: true,
			})
			x = append(x, g.heldPlace()...)
		}
		residuals.Points = append(residuals.Points,
			figure.Series{X: gx, Y: figure.LogRatios(gy, g.predictions(g.data)), Colour: k})
		if g.held.Len() > 0 {
			residuals.Points = append(residuals.Points,
				figure.Series{X: g.heldPlace(), Y: figure.LogRatios(g.held.Y,
					g.predictions(g.held)), Colour: k, Faint: true})
		}
		line, band := g.curve(j, k, curvePoints)
		fitted.Lines, fitted.Bands = append(fitted.Lines, line), append(fitted.Bands, band...)
	}
	fitted.LogX, fitted.LogY = figure.Wide(logFactor, x), figure.Wide(logResponse, y)
	if !single {
		fitted.LogX = fitted.LogY
	}
	residuals.LogX = fitted.LogX
	if len(shown) == 1 {
		for i := range fitted.Points {
			fitted.Points[i].Colour++ // apart from the line
		}
	}
	panels := []figure.Panel{fitted, residuals}
	if compute, ok := j.computePanel(shown); ok {
		panels = append(panels, compute)
	}
	return writePlot(file, panels...)
}

// place is where a row stands on the horizontal axis: its predictor, or its prediction when there
// are several.
func (g *fitGroup) place() []float64     { return g.placeOf(g.data) }
func (g *fitGroup) heldPlace() []float64 { return g.placeOf(g.held) }

func (g *fitGroup) placeOf(d fit.Data) []float64 {
	if len(g.done.Columns) == 1 {
		return d.Columns[g.done.Columns[0]]
	}
	return g.predictions(d)
}

func (g *fitGroup) predictions(d fit.Data) []float64 {
	out := make([]float64, d.Len())
	for i := range out {
		out[i] = g.predict(g.predictors(d, i))
	}
	return out
}

func (g *fitGroup) predict(x []float64) float64 {
	if g.done.Curve != nil {
		return g.done.Curve.Predict(x[0])
	}
	return g.done.Result.Predict(x...)
}

// interval is the prediction interval at a point; ok is false without one.
func (g *fitGroup) interval(level float64, x []float64) (low, high float64, ok bool) {
	if g.done.Curve != nil {
		low, high = g.done.Curve.Interval(x[0], level)
		return low, high, true
	}
	in, ok := g.done.Result.Interval(g.done.Draws, level, x...)
	return in.Low, in.High, ok
}

// curve is the fitted curve with its band or, over several predictors, the diagonal on which a
// perfect fit lies.
func (g *fitGroup) curve(j *fitJob, colour, points int) (figure.Series, []figure.Band) {
	if len(g.done.Columns) > 1 {
		ends := figure.Grid(2, false, g.place(), g.data.Y)
		return figure.Series{X: ends, Y: ends, Colour: colour}, g.rowBand(j.flags.level, colour)
	}
	wide := figure.Wide(logFactor, g.place(), g.heldPlace())
	grid := figure.Grid(points, wide, g.place(), g.heldPlace())
	line, band := figure.Series{X: grid, Colour: colour}, figure.Band{X: grid, Colour: colour}
	for _, x := range grid {
		line.Y = append(line.Y, g.predict([]float64{x}))
		if low, high, ok := g.interval(j.flags.level, []float64{x}); ok {
			band.Low, band.High = append(band.Low, low), append(band.High, high)
		}
	}
	if len(band.Low) < len(grid) {
		return line, nil
	}
	return line, []figure.Band{band}
}

// rowBand is the prediction interval of the rows, in the order of their predictions; of many rows,
// of some.
func (g *fitGroup) rowBand(level float64, colour int) []figure.Band {
	rows := g.drawnRows(g.data, level)
	if len(rows.Low) == 0 {
		return nil
	}
	return []figure.Band{{X: rows.X, Low: rows.Low, High: rows.High, Colour: colour}}
}

// computePanel draws the response against FLOPs with the Pareto front.
func (j *fitJob) computePanel(shown []*fitGroup) (figure.Panel, bool) {
	flops, err := j.data.Numbers("flops")
	if err != nil || slices.Contains(j.choice.columns, "flops") || len(j.choice.columns) == 1 {
		return figure.Panel{}, false
	}
	p := figure.Panel{
		Title: "Against compute, with the Pareto front", X: "FLOP",
		Y: j.choice.response,
	}
	var all, responses []float64
	for k, g := range shown {
		x, y := pickRows(flops.Values, g.usedRows), g.data.Y
		all, responses = append(all, x...), append(responses, y...)
		fx, fy := figure.Front(x, y)
		p.Points = append(p.Points, figure.Series{X: x, Y: y, Colour: k, Faint: true})
		p.Lines = append(p.Lines, figure.Series{Name: strings.TrimSpace("front " +
			groupName(g, j.flags.by)), X: fx, Y: fy, Colour: k})
	}
	p.LogX, p.LogY = figure.Wide(logFactor, all), figure.Wide(logResponse, responses)
	return p, true
}

func groupName(g *fitGroup, by []string) string {
	var parts []string
	for _, b := range by {
		parts = append(parts, g.name[b])
	}
	return strings.Join(parts, " ")
}

// plotIsoFLOP draws the runs and parabola of each budget, and the best sizes against budgets.
func (a *app) plotIsoFLOP(file string, ends []fit.Run, result *fit.IsoFLOPFit,
	spread float64,
) error {
	scan := figure.Panel{Title: "isoFLOP parabolas", X: "params", Y: "loss"}
	best := figure.Panel{Title: "Best size at each budget", X: "FLOP", Y: "params", LegendLow: true}
	var minima, at figure.Series
	var params, budgets []float64
	colour := 0
	for i := range result.Groups {
		g := &result.Groups[i]
		var x, y []float64
		for _, r := range ends {
			if math.Abs(math.Log(r.FLOPs/g.FLOPs)) <= math.Log(spread) {
				x, y = append(x, r.Params), append(y, r.Loss)
			}
		}
		params = append(params, x...)
		if g.Refused != nil {
			scan.Points = append(scan.Points, figure.Series{
				X: x, Y: y, Colour: greyColour,
				Faint: true,
			})
			continue
		}
		s := figure.Series{X: x, Y: y, Colour: colour}
		if len(result.Groups) <= mostLegend {
			s.Name = quantity.Format(quantity.FLOP, g.FLOPs, 0)
		}
		scan.Points = append(scan.Points, s)
		line := figure.Series{X: figure.Grid(curvePoints/4, true, x), Colour: colour}
		for _, n := range line.X {
			line.Y = append(line.Y, g.LossAt(n))
		}
		scan.Lines = append(scan.Lines, line)
		minima.X, minima.Y = append(minima.X, g.Params.Value), append(minima.Y, g.Loss)
		at.X, at.Y = append(at.X, g.FLOPs), append(at.Y, g.Params.Value)
		budgets = append(budgets, g.FLOPs)
		colour++
	}
	minima.Colour, at.Colour = greyColour, 0
	scan.Points = append(scan.Points, minima)
	best.Points = []figure.Series{at}
	grid := figure.Grid(curvePoints, true, budgets)
	power := figure.Series{Name: "power law", X: grid, Colour: 1}
	for _, c := range grid {
		power.Y = append(power.Y, result.ParamsAt(c))
	}
	best.Lines = []figure.Series{power}
	scan.LogX, best.LogX, best.LogY = figure.Wide(2, params), true, true
	return writePlot(file, scan, best)
}

// greyColour is the palette's grey.
const greyColour = 6

// plotEnvelope draws the curves and their Pareto front.
func (a *app) plotEnvelope(file string, curves []fit.Curve, named []reports.NamedCurve,
	result *fit.EnvelopeFit,
) error {
	p := figure.Panel{Title: "Training curves and their Pareto front", X: "FLOP", Y: "loss"}
	order := make([]int, len(curves))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(curves[a].Params, curves[b].Params) })
	var x, y []float64
	for colour, k := range order {
		s := figure.Series{X: curves[k].FLOPs, Y: curves[k].Loss, Colour: colour, Faint: true}
		if len(curves) <= mostLegend {
			s.Name = fmt.Sprintf("%s params", quantity.Format(quantity.Params, named[k].Params, 0))
		}
		p.Lines = append(p.Lines, s)
		x, y = append(x, s.X...), append(y, s.Y...)
	}
	front := figure.Series{Name: "Pareto front", Colour: greyColour, Bold: true}
	for _, f := range result.Front {
		front.X, front.Y = append(front.X, f.FLOPs), append(front.Y, f.Loss)
	}
	p.Lines = append(p.Lines, front)
	p.LogX, p.LogY = figure.Wide(logFactor, x), figure.Wide(logResponse, y)
	return writePlot(file, p)
}
