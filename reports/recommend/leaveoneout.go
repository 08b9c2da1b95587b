package recommend

import (
	"fmt"
	"math"
	"slices"
)

// LeaveOneOut is how well the shipped evidence predicts its own rows, each predicted without
// itself. Counted are the rows of the paper's tables with an average; the readings of Figure 1 help
// to fit and are not counted.
type LeaveOneOut struct {
	Rows []HeldOut
	// Medians of the absolute errors: nats and points.
	Upstream, Downstream float64
	// The same for a law in parameters only, without depth.
	SizeOnlyUpstream, SizeOnlyDownstream float64
	// How many 80 % intervals hold the held-out reading. Each is made without that row: its width
	// is that of the leave-one-out errors among the others.
	UpstreamCovered, DownstreamCovered int
}

// HeldOut is one row predicted from the others.
type HeldOut struct {
	Name                                        string
	Upstream, UpstreamError, UpstreamHalf       float64
	Downstream, DownstreamError, DownstreamHalf float64
}

// String is the line under every table that uses the shipped evidence.
func (l *LeaveOneOut) String() string {
	n := len(l.Rows)
	return fmt.Sprintf(
		"leave-one-out over %d published rows: median error %.3f nats upstream (%.3f by size only), %.2f points downstream (%.2f by size only); 80 %% intervals held %d and %d of %d",
		n, l.Upstream, l.SizeOnlyUpstream, l.Downstream, l.SizeOnlyDownstream, l.UpstreamCovered,
		l.DownstreamCovered, n)
}

// leaveOneOut scores the published laws on the counted rows.
func leaveOneOut(rows []reading, law *publishedLaw) (*LeaveOneOut, error) {
	base, err := fitPublished(rows, true, nil)
	if err != nil {
		return nil, err
	}
	out := &LeaveOneOut{}
	var up, down, sizeUp, sizeDown []float64
	for i := range rows {
		m := &rows[i]
		if m.upstream == nil || m.score == nil || !m.table {
			continue
		}
		rest := slices.Delete(slices.Clone(rows), i, i+1)
		ours, err := newPredictor(rest, law)
		if err != nil {
			return nil, err
		}
		size, err := fitPublished(rest, true, base)
		if err != nil {
			return nil, err
		}
		p := ours.predict(&m.traits)
		h := HeldOut{
			Name:     m.name,
			Upstream: m.upstream.Value, UpstreamError: m.upstream.Value - p.loss,
			UpstreamHalf: p.lossHalf,
			Downstream:   m.score.Value, DownstreamError: m.score.Value - p.score,
			DownstreamHalf: p.scoreHalf,
		}
		out.Rows = append(out.Rows, h)
		up, down = append(up, math.Abs(h.UpstreamError)), append(down, math.Abs(h.DownstreamError))
		sizeUp = append(sizeUp, math.Abs(m.upstream.Value-size.lossAt(&m.traits)))
		sizeDown = append(sizeDown, math.Abs(m.score.Value-size.scoreAt(&m.traits)))
		if up[len(up)-1] <= h.UpstreamHalf {
			out.UpstreamCovered++
		}
		if down[len(down)-1] <= h.DownstreamHalf {
			out.DownstreamCovered++
		}
	}
	out.Upstream, out.Downstream = median(up), median(down)
	out.SizeOnlyUpstream, out.SizeOnlyDownstream = median(sizeUp), median(sizeDown)
	return out, nil
}

// median returns the middle of the values, NaN of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
