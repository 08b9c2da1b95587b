package fit

import "math"

// Predict returns ŷ at one row of predictors in the order of x.Columns; NaN outside the domain of
// every law.
func (x *Average) Predict(at ...float64) float64 {
	mean, _ := x.moments(at)
	if x.raw {
		return mean
	}
	return finiteExp(mean)
}

// moments returns the mean of the members and the spread about it at the soft weights, in ln y (in
// y for raw objectives).
func (x *Average) moments(at []float64) (mean, spread float64) {
	values := make([]float64, len(x.members))
	total := 0.0
	for i, m := range x.members {
		if values[i] = m.value(at, x.raw); math.Abs(values[i]) < math.MaxFloat64 {
			mean += x.weights[i] * values[i]
			total += x.weights[i]
		}
	}
	mean /= total
	soft := 0.0
	for i, v := range values {
		if math.Abs(v) < math.MaxFloat64 {
			spread += x.soft[i] * square(v-mean)
			soft += x.soft[i]
		}
	}
	return mean, math.Sqrt(spread / soft)
}

// averageFactors returns how many scales the intervals reach to either side.
//
// Evidence: measured-here. See docs/extrapolation.md.
func averageFactors() [2]levelFactor {
	return [2]levelFactor{{0.80, 0.80}, {0.95, 1.30}}
}

// Interval returns the prediction interval of one new row at a level in (0, 1):
//
//	ln ŷ ± k·t·s,  s² = noise² + validation² + spread(x)²
//
// (ŷ ± k·t·s for raw objectives). The noise is that of a row; the spread of the members, which
// grows with the reach, is what the parameters and the form of the law leave open; the validation
// error is how far off the average was beyond the rows it had seen. k is calibrated, t is the
// quantile of Student's t with as many degrees of freedom as units were held out over that of the
// normal distribution: an error seen on one run is known to a factor only. ok is
// false when the rows leave the response open to more than a factor of widest to either side, or
// the row lies outside the domain of every law. It panics for a level outside (0, 1).
func (x *Average) Interval(level float64, at ...float64) (in Interval, ok bool) {
	mean, _ := x.moments(at)
	return x.about(mean, level, at)
}

// Around returns the interval about another prediction of the same rows: that of the one law whose
// fits are averaged.
func (x *Average) Around(prediction, level float64, at ...float64) (in Interval, ok bool) {
	if !x.raw {
		prediction = math.Log(prediction)
	}
	return x.about(prediction, level, at)
}

func (x *Average) about(mean, level float64, at []float64) (in Interval, ok bool) {
	if !(level > 0 && level < 1) {
		panic("fit: the level of an interval lies between 0 and 1")
	}
	_, scale := x.scaled(at)
	half := x.reach(level) * scale
	in = Interval{Low: mean - half, High: mean + half, SE: scale}
	if x.raw {
		return in, math.Abs(mean)+half < math.MaxFloat64
	}
	in.Low, in.High = math.Exp(in.Low), math.Exp(in.High)
	return in, half <= math.Log(widest)
}

// widest is the factor beyond which an interval says nothing about a loss.
const widest = 1000

// scaled returns the prediction and s.
func (x *Average) scaled(at []float64) (mean, scale float64) {
	mean, spread := x.moments(at)
	return mean, math.Sqrt(square(x.Noise) + square(x.Validation) + square(spread))
}

// reach returns k·t.
func (x *Average) reach(level float64) float64 {
	t := tQuantile(level, float64(max(x.Units, 1))) / twoSidedNormal(level)
	return scalesOf(averageFactors(), level) * t
}

// Score compares the average with rows that it was not fitted to. The error is a [*Refusal] without
// rows to score.
func (x *Average) Score(d Data) (ExtrapolationScore, error) { return x.ScoreOf(nil, d) }

// ScoreOf is [Average.Score] of the predictions of r with the intervals of [Average.Around]; nil
// stands for the average itself.
func (x *Average) ScoreOf(r *Result, d Data) (ExtrapolationScore, error) {
	if d.Len() == 0 {
		return ExtrapolationScore{}, refuse(TooFewPoints, nil, "no rows to score")
	}
	at := make([]float64, len(x.Columns))
	var t scoreTally
	for i, y := range d.Y {
		for j, c := range x.Columns {
			at[j] = d.Columns[c][i]
		}
		mean, scale := x.scaled(at)
		if r != nil {
			if mean = r.Predict(at...); !x.raw {
				mean = math.Log(mean)
			}
		}
		t.add(mean, y, x.raw, x.reach(0.80)*scale, x.reach(0.95)*scale)
	}
	return t.score(), nil
}
