package learn

import (
	"cmp"
	"math"
	"slices"
)

// A [Drawing] stays within these bounds.
const (
	drawnGroups = 12  // the first fits of an answer
	drawnRows   = 200 // of a fit, evenly taken in the order of the horizontal axis
	drawnCurve  = 60  // points of a curve
	wideX       = 10  // spread of a predictor from which its axis is logarithmic
)

// Drawing is what a drawing of a fit shows: the rows and what the fit says of them, in the order of
// X, and the fitted curve where the law has one predictor. X is that predictor, else the
// prediction.
type Drawing struct {
	X     string // name of the horizontal axis
	Level float64
	Curve Curve
	Rows  DrawnRows
	// HeldOut are the rows that the fit was scored on.
	HeldOut DrawnRows
}

// Curve is the prediction over a grid. Bounds are those of the prediction interval of a new run,
// nil
// where there is none.
type Curve struct{ X, Value, Low, High []float64 }

// DrawnRows are rows as lists of one length; bounds are nil where there is no interval. Residuals
// are ln(recorded/predicted).
type DrawnRows struct{ X, Recorded, Predicted, Low, High, Residual []float64 }

// Draw adds to the first fits what a drawing of them shows.
func (a *Answer) Draw() {
	for i := range a.Fits[:min(len(a.Fits), drawnGroups)] {
		if f := &a.Fits[i]; f.Refused == nil {
			f.Drawing = f.drawing()
		}
	}
}

func (f *Fitted) drawing() *Drawing {
	out := &Drawing{X: "predicted " + f.Response, Level: f.Level}
	if len(f.Columns) == 1 {
		out.X = f.Columns[0]
		c := f.CurveOver(drawnCurve)
		if finite(c.Value...) {
			out.Curve = Curve{X: c.X, Value: c.Value}
		}
		if finite(c.Low...) && finite(c.High...) {
			out.Curve.Low, out.Curve.High = c.Low, c.High
		}
	}
	if out.Rows, out.HeldOut = f.Drawn(false), f.Drawn(true); len(out.Rows.X) == 0 {
		return nil
	}
	return out
}

// CurveOver returns the fitted curve of a law of one predictor at n places between the rows,
// fitted and held out.
func (f *Fitted) CurveOver(points int) Curve {
	x := [][]float64{f.Data.Columns[f.Columns[0]], f.Held.Columns[f.Columns[0]]}
	out := Curve{X: Grid(points, Wide(wideX, x...), x...)}
	for _, at := range out.X {
		out.Value = append(out.Value, f.Predict([]float64{at}))
		if low, high, ok := f.interval([]float64{at}); ok {
			out.Low, out.High = append(out.Low, low), append(out.High, high)
		}
	}
	if len(out.Low) < len(out.X) {
		out.Low, out.High = nil, nil
	}
	return out
}

// Places returns where the rows stand on the horizontal axis: their predictor, or their prediction
// when there are several; and the predictions. Held asks for the rows held out.
func (f *Fitted) Places(held bool) (place, predicted []float64) {
	d := f.Data
	if held {
		d = f.Held
	}
	x := make([]float64, len(f.Columns))
	for row := range d.Y {
		for k, name := range f.Columns {
			x[k] = d.Columns[name][row]
		}
		predicted = append(predicted, f.Predict(x))
	}
	if len(f.Columns) == 1 {
		return d.Columns[f.Columns[0]], predicted
	}
	return predicted, predicted
}

// Drawn returns the rows to draw, without those whose prediction or residual is not finite. Held
// asks
// for the rows held out.
func (f *Fitted) Drawn(held bool) DrawnRows {
	d := f.Data
	if held {
		d = f.Held
	}
	place, predicted := f.Places(held)
	residual := LogRatios(d.Y, predicted)
	var order []int
	for i := range place {
		if finite(place[i], d.Y[i], predicted[i], residual[i]) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(place[a], place[b]) })
	var out DrawnRows
	n := min(len(order), drawnRows)
	x := make([]float64, len(f.Columns))
	for k := range n {
		i := order[k*(len(order)-1)/max(n-1, 1)]
		out.X, out.Recorded = append(out.X, place[i]), append(out.Recorded, d.Y[i])
		out.Predicted, out.Residual = append(out.Predicted, predicted[i]),
			append(out.Residual, residual[i])
		for k, name := range f.Columns {
			x[k] = d.Columns[name][i]
		}
		if low, high, ok := f.interval(x); ok && finite(low, high) {
			out.Low, out.High = append(out.Low, low), append(out.High, high)
		}
	}
	if len(out.Low) < len(out.X) {
		out.Low, out.High = nil, nil
	}
	return out
}

func finite(numbers ...float64) bool {
	return !slices.ContainsFunc(numbers, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

// LogRatios returns ln(recorded/predicted) for each row: the residuals of a law of a positive
// number.
func LogRatios(recorded, predicted []float64) []float64 {
	out := make([]float64, len(recorded))
	for i := range out {
		out[i] = math.Log(recorded[i] / predicted[i])
	}
	return out
}

// Grid returns n values from the least to the largest of all, evenly spaced in the logarithm when
// log is set. Without finite numbers it is empty.
func Grid(n int, log bool, all ...[]float64) []float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range slices.Concat(all...) {
		if finite(v) && (!log || v > 0) {
			low, high = min(low, v), max(high, v)
		}
	}
	if !(low <= high) {
		return nil
	}
	out := make([]float64, n)
	for i := range out {
		t := float64(i) / float64(n-1)
		if log {
			out[i] = low * math.Pow(high/low, t)
		} else {
			out[i] = low + t*(high-low)
		}
	}
	return out
}

// Wide tells whether numbers are better shown on a logarithmic axis: positive, and the largest more
// than factor times the least.
func Wide(factor float64, all ...[]float64) bool {
	values := slices.Concat(all...)
	return len(values) > 0 && slices.Min(values) > 0 && slices.Max(values) > factor*slices.Min(
		values)
}
