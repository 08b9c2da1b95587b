package evidence

import (
	"errors"
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
)

// LeaveOneOut is how well the shipped evidence predicts its own rows: each that has loss and score
// from the others.
type LeaveOneOut struct {
	Rows          int
	Upstream      float64 // median of the absolute errors in nats
	DownstreamRMS float64 // root mean square error in points
	// The same for a law in parameters only.
	SizeOnlyUpstream, SizeOnlyDownstreamRMS float64
	// How many 80 % intervals hold the held-out reading. Each is made without that row: its width
	// is that of the leave-one-out errors among the others.
	UpstreamCovered, DownstreamCovered int
}

// String is the line under every table that uses the shipped evidence.
func (l *LeaveOneOut) String() string {
	return fmt.Sprintf(
		"each of %d published rows is predicted from the others to %.3f nats in the median and %.2f points rms (%.3f and %.2f by size only); 80 %% intervals hold %d and %d",
		l.Rows, l.Upstream, l.DownstreamRMS, l.SizeOnlyUpstream, l.SizeOnlyDownstreamRMS,
		l.UpstreamCovered, l.DownstreamCovered)
}

// leaveOneOut scores the published laws on the rows that have both numbers.
func leaveOneOut(rows []reading, law *publishedLaw) (*LeaveOneOut, error) {
	out := &LeaveOneOut{}
	base, err := fitPublished(rows, true, nil)
	if err != nil {
		return out, err
	}
	predictors, err := leaveEachOutCalibrated(rows, law)
	if err != nil {
		return out, err
	}
	var ours, size errorsOf
	for i := range rows {
		m := &rows[i]
		if !m.both() {
			continue
		}
		bySize, err := fitPublished(without(rows, i), true, base)
		if err != nil {
			return out, err
		}
		p := predictors[i].predict(&m.traits)
		out.Rows++
		loss, score := ours.add(m, p.loss, p.score)
		size.add(m, bySize.lossAt(&m.traits), bySize.scoreAt(&m.traits))
		if loss <= p.lossHalf {
			out.UpstreamCovered++
		}
		if score <= p.scoreHalf {
			out.DownstreamCovered++
		}
	}
	out.Upstream, out.DownstreamRMS = fit.Median(ours.loss), fit.RMS(ours.score)
	out.SizeOnlyUpstream, out.SizeOnlyDownstreamRMS = fit.Median(size.loss), fit.RMS(size.score)
	return out, nil
}

// leaveEachOutCalibrated returns, for each row that has both numbers, what [newPredictor] makes of
// the others. Without rows i and j is without j and i, so that each pair is fitted once.
func leaveEachOutCalibrated(rows []reading, law *publishedLaw) ([]*predictor, error) {
	n := len(rows)
	predictors, errs := make([]*predictor, n), make([]error, n)
	pairs := make([]*predictor, n*n)
	parallel.Each(n, 0, func(i int) {
		if !rows[i].both() {
			return
		}
		predictors[i], errs[i] = uncalibrated(without(rows, i), law)
		for j := i + 1; j < n && errs[i] == nil; j++ {
			if rows[j].both() {
				pairs[i*n+j], errs[i] = uncalibrated(without(rows, i, j), law)
			}
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for i, p := range predictors {
		var left []leftOut
		for j := range rows {
			if pair := pairs[min(i, j)*n+max(i, j)]; pair != nil {
				left = append(left, leftOut{pair, &rows[j]})
			}
		}
		if p != nil {
			p.calibrate(left)
		}
	}
	return predictors, nil
}

// errorsOf collects absolute errors.
type errorsOf struct{ loss, score []float64 }

func (e *errorsOf) add(m *reading, loss, score float64) (offLoss, offScore float64) {
	offLoss, offScore = math.Abs(m.loss.Value-loss), math.Abs(m.score.Value-score)
	e.loss, e.score = append(e.loss, offLoss), append(e.score, offScore)
	return offLoss, offScore
}
