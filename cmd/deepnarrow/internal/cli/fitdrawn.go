package cli

import (
	"cmp"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/figure"
)

// A result keeps what a drawing of its fits needs within these bounds.
const (
	drawnGroups = 12  // the first fits of a result
	drawnRows   = 200 // of a fit, evenly taken in the order of the horizontal axis
	drawnCurve  = 60  // points of a curve
)

// draw adds to the first fits what a drawing of them shows.
func (j *fitJob) draw(fits []reports.Fitted) {
	n := 0
	for _, g := range j.groups {
		if g.done == nil {
			continue
		}
		if n == len(fits) || n == drawnGroups {
			return
		}
		if fits[n].Refused == nil {
			fits[n].Plot = g.drawn(j)
		}
		n++
	}
}

func (g *fitGroup) drawn(j *fitJob) *reports.FitPlot {
	out := &reports.FitPlot{X: "predicted " + j.choice.response, Level: j.flags.level}
	if len(g.done.Columns) == 1 {
		out.X = g.done.Columns[0]
		line, band := g.curve(j, 0, drawnCurve)
		if finite(line.Y...) {
			out.Curve = reports.FitCurve{X: line.X, Value: line.Y}
		}
		if len(band) > 0 && finite(band[0].Low...) && finite(band[0].High...) {
			out.Curve.Low, out.Curve.High = band[0].Low, band[0].High
		}
	}
	out.Rows, out.HeldOut = g.drawnRows(g.data, j.flags.level), g.drawnRows(g.held, j.flags.level)
	if len(out.Rows.X) == 0 {
		return nil
	}
	return out
}

// finite tells whether a result can hold the numbers.
func finite(numbers ...float64) bool {
	for _, v := range numbers {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// drawnRows leaves out rows whose prediction or residual is not finite.
func (g *fitGroup) drawnRows(d fit.Data, level float64) reports.FitRows {
	var out reports.FitRows
	place, predicted := g.placeOf(d), g.predictions(d)
	residual := figure.LogRatios(d.Y, predicted)
	var order []int
	for i := range place {
		if finite(place[i], d.Y[i], predicted[i], residual[i]) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(place[a], place[b]) })
	n := min(len(order), drawnRows)
	for k := range n {
		i := order[k*(len(order)-1)/max(n-1, 1)]
		out.X, out.Recorded = append(out.X, place[i]), append(out.Recorded, d.Y[i])
		out.Predicted, out.Residual = append(out.Predicted, predicted[i]),
			append(out.Residual, residual[i])
		low, high, ok := g.interval(level, g.predictors(d, i))
		if ok && finite(low, high) {
			out.Low, out.High = append(out.Low, low), append(out.High, high)
		}
	}
	if len(out.Low) < len(out.X) {
		out.Low, out.High = nil, nil
	}
	return out
}

// predictors is one row in the order of the law's columns.
func (g *fitGroup) predictors(d fit.Data, row int) []float64 {
	x := make([]float64, len(g.done.Columns))
	for k, name := range g.done.Columns {
		x[k] = d.Columns[name][row]
	}
	return x
}
