package evidence

import (
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/hardware"
)

// predictor is the published law with the errors it makes on rows it was not fitted to, and where
// its evidence lies.
type predictor struct {
	law        *publishedLaw
	rows       []reading
	lossError  float64 // quantile of the studentised leave-one-out errors
	scoreError float64
	near       region     // of the rows with a score
	scored     []*reading // those rows
}

// prediction is what the laws say of one shape, with 80 % half-widths.
type prediction struct {
	loss, lossHalf   float64
	score, scoreHalf float64
}

// newPredictor fits the published laws and calibrates their intervals by leave-one-out over the
// rows that have both numbers.
//
// The half-width of an interval is q·σ(x) with σ from [predictor.scales] and q the [usualError] of
// the n errors |eᵢ|/σᵢ(xᵢ), each made by laws fitted without row i: the jackknife of Barber et al.
// 2021 (arXiv 1905.02928) on normalised errors (Lei et al. 2018, arXiv 1604.04173, section 5.2),
// here studentised. The rows are single runs, so that the noise from run to run is part of every
// error, and of every interval; the score is predicted from the predicted loss, so that the error
// of the loss is part of the score's.
//
// Why this holds 80 %: were the scaled errors of a new row and of the n rows exchangeable, the new
// one would be as likely of any rank among the n + 1, so it lies below the k-th smallest of the n
// with chance k/(n + 1). The rank 0.8·(n + 1) makes that 80 %, where it is not a whole number between
// two neighbours of it: of 21 rows each held out from 20, the rank is 16.8, and 16 or 17 are held.
func newPredictor(rows []reading, from *publishedLaw) (*predictor, error) {
	p, err := uncalibrated(rows, from)
	if err != nil {
		return nil, err
	}
	left, err := leaveEachOut(rows, p.law)
	if err != nil {
		return nil, err
	}
	p.calibrate(left)
	return p, nil
}

// leftOut is a predictor without one row, and its errors there.
type leftOut struct {
	*predictor
	row *reading
}

func leaveEachOut(rows []reading, from *publishedLaw) (left []leftOut, err error) {
	for i := range rows {
		if m := &rows[i]; m.both() {
			p, err := uncalibrated(without(rows, i), from)
			if err != nil {
				return nil, err
			}
			left = append(left, leftOut{p, m})
		}
	}
	return left, nil
}

// without returns a copy of rows that lacks those at the places, which are in ascending order.
func without(rows []reading, places ...int) []reading {
	rest := make([]reading, 0, len(rows))
	for i := range rows {
		if len(places) > 0 && i == places[0] {
			places = places[1:]
			continue
		}
		rest = append(rest, rows[i])
	}
	return rest
}

// calibrate sets the half-widths by errors on rows left out.
func (p *predictor) calibrate(left []leftOut) {
	var loss, score []float64
	for i := range left {
		l := &left[i]
		m := l.row
		at := l.law.lossAt(&m.traits)
		curve, link := l.scales(at, &m.traits)
		loss = append(loss, math.Abs(m.loss.Value-at)/curve)
		score = append(score, math.Abs(m.score.Value-l.law.scoreFrom(at, &m.traits))/link)
	}
	p.lossError, p.scoreError = usualError(loss), usualError(score)
}

// usualError returns the size below which 80 % of errors like these lie: the value at rank 0.8·(n +
// 1) of the n sizes, by linear interpolation between two (Hyndman and Fan 1996, doi
// 10.1080/00031305.1996.10473566, definition 6). It is infinite where n is too small.
func usualError(errors []float64) float64 {
	whole, part := math.Modf(hardware.Level * float64(len(errors)+1))
	sorted := slices.Sorted(slices.Values(errors))
	switch k := int(whole); {
	case k < 1 || k > len(sorted) || k == len(sorted) && part > 0:
		return math.Inf(1)
	case part == 0:
		return sorted[k-1]
	default:
		return sorted[k-1] + part*(sorted[k]-sorted[k-1])
	}
}

// uncalibrated returns a predictor whose half-widths are zero.
func uncalibrated(rows []reading, from *publishedLaw) (*predictor, error) {
	law, err := fitPublished(rows, false, from)
	if err != nil {
		return nil, err
	}
	p := &predictor{law: law, rows: rows}
	var positions [][]float64
	for i := range rows {
		if m := &rows[i]; m.score != nil {
			p.scored = append(p.scored, m)
			positions = append(positions, m.traits.position())
		}
	}
	p.near = regionOf(positions)
	return p, nil
}

// predict returns what the laws say of a shape.
func (p *predictor) predict(t *traits) prediction {
	loss := p.law.lossAt(t)
	curve, link := p.scales(loss, t)
	return prediction{
		loss: loss, lossHalf: p.lossError * curve,
		score: p.law.scoreFrom(loss, t), scoreHalf: p.scoreError * link,
	}
}

// scales returns how much the errors of the two lines at a shape with a predicted loss exceed the
// noise of a run:
//
//	σ = √(1 + h) · 2^outside
//
// h is the leverage of the shape, so that 1 + h is the variance of the error of a linear fit in
// units of the noise; outside the doublings by which the shape lies beyond the measured ones. The
// last factor is a rule, not an estimate: nothing says how wrong a law is where nothing was
// measured.
func (p *predictor) scales(loss float64, t *traits) (curve, link float64) {
	beyond := math.Exp2(p.near.outside(t.position()))
	return math.Sqrt(1+p.law.curve.Leverage(p.law.tangent(t, loss))) * beyond,
		math.Sqrt(1+p.law.link.Leverage(p.law.features(loss, t))) * beyond
}

// position returns the base-2 logarithms of the dimensions.
func (t *traits) position() []float64 {
	return []float64{
		math.Log2(t.balanced), math.Log2(t.encoderLayers), math.Log2(t.depthRatio),
		math.Log2(t.dModel), math.Log2(t.ffnRatio), math.Log2(t.innerRatio),
	}
}

// standing is one end of a difference: a shape that was measured, or that the laws predict.
type standing struct {
	value    float64
	row      []float64 // of the fitted line at the shape; nil where the value was measured
	doubling float64   // beyond the evidence
}

// apart returns a less b with its 80 % half-width q·√(2 + h)·2^outside: two runs each have the
// noise of one, and h is the leverage of the difference of the two rows, in which the error that
// both predictions share cancels.
func apart(line *fit.Linear, q float64, a, b standing) (value, half float64) {
	value = a.value - b.value
	row := make([]float64, len(line.Coef))
	for j := range row {
		if a.row != nil {
			row[j] += a.row[j]
		}
		if b.row != nil {
			row[j] -= b.row[j]
		}
	}
	return value, q * math.Sqrt(2+line.Leverage(row)) * math.Exp2(max(a.doubling, b.doubling))
}
