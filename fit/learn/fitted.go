package learn

import (
	"math"

	"github.com/deepnarrow/deepnarrow/fit"
)

// score judges the fit on the rows held out.
func (f *Fitted) score() (fit.ExtrapolationScore, error) {
	switch {
	case f.compared:
		return f.Average.Score(f.Held)
	case f.Average != nil:
		return f.Average.ScoreOf(f.Result, f.Held)
	}
	return f.Result.Score(f.Held, f.Draws)
}

// Fitted is one law fitted to recorded runs, or why there is none.
type Fitted struct {
	// Group holds the value of each column of By; nil without groups.
	Group map[string]string
	By    []string
	// Law is what was asked for: a law's name or auto. Columns and Response are the columns it
	// reads.
	Law      string
	Columns  []string
	Response string

	// Result is the fit of one law, of several the one with the least held-out error; nil for an
	// average of laws over one predictor, for a refusal, and where no single law can be told from
	// the rows.
	Result *fit.Result
	// Average is that over the laws compared, or over the fits of the one law at several offsets:
	// what new rows are predicted by, or their intervals taken from. Nil without.
	Average  *fit.Average
	compared bool
	// PerParamToken is k of FLOPs = k·params·tokens in the rows; see [Law].
	PerParamToken float64
	// BothStacks says that tokens are the positions of encoder and decoder; see [Law].
	BothStacks bool
	// Outliers are the rows with the largest residuals.
	Outliers []Outlier
	// Curve is the average of laws over a learning curve, SquaredError its Σ(ln ŷ − ln y)² over the
	// rows.
	Curve        *fit.Extrapolation
	SquaredError float64
	// Scores are the held-out errors by which Result's law was chosen.
	Scores   []fit.LawScore
	Draws    *fit.Bootstrapped
	Profiles []fit.Profiled
	// Score is how the fit did on rows it had not seen; Unscored why it has none although rows were
	// given.
	Score       *fit.ExtrapolationScore
	Unscored    string
	Predictions []Predicted
	Level       float64  // of the intervals
	Drawing     *Drawing // nil where nothing is to be drawn

	// Data are the rows fitted, Index their places in the table, and Held the rows to score.
	Data, Held fit.Data
	Index      []int
	Rows
	Warnings []string
	// Refused is why there is no fit.
	Refused error
}

// Outlier is a row by its place in the files, with the value recorded.
type Outlier struct {
	fit.Outlier
	Row   string
	Value float64
}

// Predicted is what a fit says of a new row: a value and, where HasInterval, its bounds.
type Predicted struct {
	At               Point
	Value, Low, High float64
	HasInterval      bool
	Level            float64
}

// at predicts one point, whose columns are x in the order of the law.
func (f *Fitted) at(p Point, x []float64) Predicted {
	out := Predicted{At: p, Value: f.Predict(x), Level: f.Level}
	out.Low, out.High, out.HasInterval = f.interval(x)
	return out
}

// Predict returns the response at a row of predictors in the order of Columns; NaN for a refusal.
func (f *Fitted) Predict(x []float64) float64 {
	switch {
	case f.Curve != nil:
		return f.Curve.Predict(x[0])
	case f.compared:
		return f.Average.Predict(x...)
	case f.Result != nil:
		return f.Result.Predict(x...)
	}
	return math.NaN()
}

// interval returns the prediction interval of one new row; ok is false without one.
func (f *Fitted) interval(x []float64) (low, high float64, ok bool) {
	switch {
	case f.Curve != nil:
		low, high = f.Curve.Interval(x[0], f.Level)
		return low, high, true
	case f.compared:
		in, ok := f.Average.Interval(f.Level, x...)
		return in.Low, in.High, ok
	case f.Average != nil:
		in, ok := f.Average.Around(f.Result.Predict(x...), f.Level, x...)
		return in.Low, in.High, ok
	case f.Result != nil:
		in, ok := f.Result.Interval(f.Draws, f.Level, x...)
		return in.Low, in.High, ok
	}
	return 0, 0, false
}

// scored keeps a score, or why there is none.
func (f *Fitted) scored(s fit.ExtrapolationScore, err error) {
	if err != nil {
		f.Unscored = err.Error()
		return
	}
	f.Score = &s
}
