package learn

import (
	"context"
	"fmt"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
)

// HeldOut is how scores were predicted from the rows of other values of a column. The shares are of
// rows inside their 80 % interval.
type HeldOut struct {
	Column                 string
	Rows                   []HeldRow
	GivenRMSE, ChainedRMSE float64
	Given80, Chained80     float64
}

// HeldRow is one row: predicted from its recorded loss and, behind an upstream law, from its size and
// tokens.
type HeldRow struct {
	Name               string // the value left out
	Score              float64
	Given              Predicted
	Chained            *Predicted
	given80, chained80 bool
}

// holdOut predicts the score of each value of the column HoldOut from the rows of the others.
func (t *transfer) holdOut(ctx context.Context, d fit.Data, score []float64, set *fit.ChainSettings) (
	*HeldOut, error,
) {
	out := &HeldOut{Column: t.HoldOut}
	values := slices.Max(t.group) + 1
	for left := range values {
		var kept, held []int
		for i, g := range t.group {
			if g == left {
				held = append(held, i)
			} else {
				kept = append(kept, i)
			}
		}
		s := *set
		s.Group = renumbered(pick(t.group, kept))
		rest, scores := d.Select(kept), pick(score, kept)
		var c *fit.Chain
		var err error
		if len(s.Laws) > 0 {
			c, err = fit.FitChain(ctx, rest, scores, &s)
		} else {
			c = &fit.Chain{Range: s.Range}
			c.Link, err = fit.FitLink(ctx, rest, scores, &s)
		}
		if err != nil {
			return nil, fmt.Errorf("without %s %s: %w", t.HoldOut, t.groupNames[left], err)
		}
		for _, i := range held {
			out.Rows = append(out.Rows, heldRow(c, d, score[i], i, t.groupNames[left], t.Level))
		}
	}
	out.summarise()
	return out, nil
}

func heldRow(c *fit.Chain, d fit.Data, score float64, i int, name string, level float64) HeldRow {
	sizes := row(d, c.Link.Columns[1:], i)
	at := Point{}
	for _, column := range c.Link.Columns[1:] {
		at[column] = d.Columns[column][i]
	}
	r := HeldRow{Name: name, Score: score}
	r.Given = Predicted{At: at, Value: c.Given(d.Y[i], sizes...), Level: level}
	in, ok := c.GivenInterval(level, d.Y[i], sizes...)
	r.Given.Low, r.Given.High, r.Given.HasInterval = in.Low, in.High, ok
	if in, ok := c.GivenInterval(0.8, d.Y[i], sizes...); ok {
		r.given80 = in.Low <= score && score <= in.High
	}
	if c.Upstream == nil {
		return r
	}
	x := row(d, c.Upstream.Columns, i)
	p := Predicted{At: at, Value: c.Predict(x, sizes), Level: level}
	in, ok = c.Interval(level, x, sizes)
	p.Low, p.High, p.HasInterval = in.Low, in.High, ok
	r.Chained = &p
	if in, ok := c.Interval(0.8, x, sizes); ok {
		r.chained80 = in.Low <= score && score <= in.High
	}
	return r
}

func (h *HeldOut) summarise() {
	var given, chained []float64
	for _, r := range h.Rows {
		given = append(given, r.Given.Value-r.Score)
		if r.given80 {
			h.Given80 += 1 / float64(len(h.Rows))
		}
		if r.Chained != nil {
			chained = append(chained, r.Chained.Value-r.Score)
		}
		if r.chained80 {
			h.Chained80 += 1 / float64(len(h.Rows))
		}
	}
	h.GivenRMSE = fit.RMS(given)
	if len(chained) > 0 {
		h.ChainedRMSE = fit.RMS(chained)
	}
}

// renumbered returns the groups as 0, 1, 2 … in order of appearance.
func renumbered[T comparable](groups []T) []int {
	at := map[T]int{}
	out := make([]int, len(groups))
	for i, g := range groups {
		if _, seen := at[g]; !seen {
			at[g] = len(at)
		}
		out[i] = at[g]
	}
	return out
}
