package evidence

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
)

// LeaveOneOut is how well the shipped evidence predicts its own rows: each row that has loss and
// score predicted from the others, and whole directions predicted from the rest.
type LeaveOneOut struct {
	Rows []HeldOut
	// Medians of the absolute errors: nats and points; and the root mean square of the latter.
	Upstream, Downstream, DownstreamRMS float64
	// The same for a law in parameters only.
	SizeOnlyUpstream, SizeOnlyDownstream, SizeOnlyDownstreamRMS float64
	// How many 80 % intervals hold the held-out reading. Each is made without that row: its width
	// is that of the leave-one-out errors among the others.
	UpstreamCovered, DownstreamCovered int
	// Errors of rows predicted without any row of their direction.
	Directions                              []Direction
	DirectionUpstream, DirectionDownstream  float64 // medians
	SizeOnlyDirection, SizeOnlyDirectionRMS float64 // upstream median, downstream RMS
	DirectionDownstreamRMS                  float64
}

// HeldOut is one row predicted from the others.
type HeldOut struct {
	Name                                        string
	Upstream, UpstreamError, UpstreamHalf       float64
	Downstream, DownstreamError, DownstreamHalf float64
}

// Direction is a set of rows that differ from T5-Base in one way, all held out together.
type Direction struct {
	Name                 string
	N                    int
	Upstream, Downstream float64 // medians of the absolute errors
}

// String is the line under every table that uses the shipped evidence.
func (l *LeaveOneOut) String() string {
	n := len(l.Rows)
	return fmt.Sprintf(
		"each of %d published rows is predicted from the others to %.3f nats in the median and %.2f points rms (%.3f and %.2f by size only); 80 %% intervals hold %d and %d",
		n, l.Upstream, l.DownstreamRMS, l.SizeOnlyUpstream, l.SizeOnlyDownstreamRMS,
		l.UpstreamCovered, l.DownstreamCovered)
}

// leaveOneOut scores the published laws on the counted rows.
func leaveOneOut(rows []reading, law *publishedLaw) (*LeaveOneOut, error) {
	base, err := fitPublished(rows, true, nil)
	if err != nil {
		return &LeaveOneOut{}, err
	}
	out := &LeaveOneOut{}
	var ours, size errorsOf
	predictors, err := leaveEachOutCalibrated(rows, law)
	if err != nil {
		return out, err
	}
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
		h := HeldOut{
			Name:     m.name,
			Upstream: m.loss.Value, UpstreamError: m.loss.Value - p.loss, UpstreamHalf: p.lossHalf,
			Downstream: m.score.Value, DownstreamError: m.score.Value - p.score,
			DownstreamHalf: p.scoreHalf,
		}
		out.Rows = append(out.Rows, h)
		ours.add(m, p.loss, p.score)
		size.add(m, bySize.lossAt(&m.traits), bySize.scoreAt(&m.traits))
		if math.Abs(h.UpstreamError) <= h.UpstreamHalf {
			out.UpstreamCovered++
		}
		if math.Abs(h.DownstreamError) <= h.DownstreamHalf {
			out.DownstreamCovered++
		}
	}
	out.Upstream, out.Downstream = fit.Median(ours.loss), fit.Median(ours.score)
	out.DownstreamRMS = fit.RMS(ours.score)
	out.SizeOnlyUpstream, out.SizeOnlyDownstream = fit.Median(size.loss), fit.Median(size.score)
	out.SizeOnlyDownstreamRMS = fit.RMS(size.score)
	return out, out.leaveDirectionsOut(rows, law, base)
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

func (e *errorsOf) add(m *reading, loss, score float64) {
	e.loss = append(e.loss, math.Abs(m.loss.Value-loss))
	e.score = append(e.score, math.Abs(m.score.Value-score))
}

// directionOf returns the direction of a row: the one dimension in which it differs from T5-Base,
// the sizes above Large, or empty.
func directionOf(m *reading, base *traits) string {
	t := &m.traits
	same := t.depthRatio == 1 && t.innerRatio*t.dModel == base.innerRatio*base.dModel
	dff := t.ffnRatio*t.dModel == base.ffnRatio*base.dModel
	const large = 737_668_096 // parameters of T5-Large
	switch {
	case same && dff && t.dModel == base.dModel && t.encoderLayers != base.encoderLayers:
		return "nl"
	case same && dff && t.dModel != base.dModel && t.encoderLayers == base.encoderLayers:
		return "dm"
	case same && !dff && t.dModel == base.dModel && t.encoderLayers == base.encoderLayers:
		return "ff"
	case t.params > large:
		return "above Large"
	}
	return ""
}

// leaveDirectionsOut predicts each direction from the rows of the others.
func (l *LeaveOneOut) leaveDirectionsOut(rows []reading, law, base *publishedLaw) error {
	i := slices.IndexFunc(rows, func(m reading) bool { return m.shape.Name == "t5-efficient-base" })
	if i < 0 {
		return nil
	}
	var ours, size errorsOf
	for _, name := range []string{"nl", "dm", "ff", "above Large"} {
		away := func(m reading) bool { return directionOf(&m, &rows[i].traits) == name }
		rest := slices.DeleteFunc(slices.Clone(rows), away)
		without, err := fitPublished(rest, false, law)
		if err != nil {
			continue // too little is left to predict that direction from
		}
		bySize, err := fitPublished(rest, true, base)
		if err != nil {
			return err
		}
		var here errorsOf
		for k := range rows {
			if m := &rows[k]; away(*m) && m.loss != nil && m.score != nil {
				here.add(m, without.lossAt(&m.traits), without.scoreAt(&m.traits))
				size.add(m, bySize.lossAt(&m.traits), bySize.scoreAt(&m.traits))
			}
		}
		if len(here.loss) == 0 {
			continue
		}
		l.Directions = append(l.Directions, Direction{
			name, len(here.loss), fit.Median(here.loss), fit.Median(here.score),
		})
		ours.loss, ours.score = append(ours.loss, here.loss...), append(ours.score, here.score...)
	}
	if len(ours.loss) > 0 {
		l.DirectionUpstream, l.DirectionDownstream = fit.Median(ours.loss), fit.Median(ours.score)
		l.DirectionDownstreamRMS = fit.RMS(ours.score)
		l.SizeOnlyDirection, l.SizeOnlyDirectionRMS = fit.Median(size.loss), fit.RMS(size.score)
	}
	return nil
}
