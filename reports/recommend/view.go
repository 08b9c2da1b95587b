package recommend

import (
	"cmp"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// viewer turns points into rows.
type viewer struct {
	*asked
	names directory
}

func (v *viewer) anchor() (*Row, error) {
	row := Row{Shape: *v.Anchor}
	return &row, v.fill(&row)
}

// fill adds costs, results and quality to a row with a shape.
func (v *viewer) fill(row *Row) error {
	var err error
	if row.Answer, err = v.coster.full(&row.Shape); err != nil {
		return err
	}
	row.Published = evidence.Published(row.subject())
	row.Judgement = v.judge.Judgement(row.subject())
	return nil
}

// row returns the filled row of a candidate.
func (v *viewer) row(p *point) (Row, error) {
	row := Row{Released: p.released}
	v.space.at(p.index, &row.Shape)
	if row.Shape.Name == "" {
		v.names.name(&row.Shape, &v.space, v.space.widthAt(p.index))
	}
	return row, v.fill(&row)
}

// rows fills in the shown rows, by cost or by quality, and the picks among them.
func (v *viewer) rows(out *Result, picks []picked, shown []point) error {
	type ordered struct {
		Row
		index int
		order float64
	}
	var all []ordered
	for i := range shown {
		row, err := v.row(&shown[i])
		if err != nil {
			return err
		}
		order, _ := row.on(out.CostAxis)
		if out.Objective == BestQuality {
			order = -shown[i].score
		}
		all = append(all, ordered{row, shown[i].index, order})
	}
	slices.SortStableFunc(all, func(a, b ordered) int { return cmp.Compare(a.order, b.order) })
	for i := range all {
		out.Rows = append(out.Rows, all[i].Row)
		out.Rows[i].Rank = i + 1
	}
	for n, pick := range picks {
		at := slices.IndexFunc(all, func(o ordered) bool { return o.index == pick.index })
		if n == 0 {
			out.Rows[at].Pick = true
		}
		out.Picks = append(out.Picks, Pick{Axis: pick.axis, Row: at})
	}
	v.compare(out)
	return nil
}

// compare fills in what rows and picks are against the anchor, or without one against the pick.
func (v *viewer) compare(out *Result) {
	reference := out.Anchor
	if reference == nil {
		reference = out.Pick()
	}
	for i := range out.Rows {
		row := &out.Rows[i]
		better, half, ok := v.better(row, reference)
		row.Tie = ok && math.Abs(better) <= half
		if out.Anchor != nil {
			row.Saved = row.saved(out.Anchor)
			row.AllRound = ok && better >= -half && row.Saved.everywhere()
		}
		row.Why = v.why(row, reference, out.Anchor != nil)
	}
	for i := range out.Picks {
		if out.Anchor != nil {
			out.Picks[i].Difference = v.judge.Difference(out.Rows[out.Picks[i].Row].subject(), out.Anchor.subject())
		}
	}
}

// better returns how much better row a is than b, larger is better, and the error; not ok where
// nothing judges them.
func (v *viewer) better(a, b *Row) (better, half float64, ok bool) {
	i := evidence.Compared(v.judge, v.judge.Difference(a.subject(), b.subject()))
	if i == nil {
		return 0, 0, false
	}
	return i.Value, i.HalfWidth(), true
}

// everywhere says whether nothing known costs more and something less.
func (s *Saved) everywhere() bool {
	less := false
	for _, f := range []*float64{s.Params, s.FLOPs, s.StepTime, s.Memory, s.Cost, s.LifetimeCost} {
		if f != nil && *f < 0 {
			return false
		}
		less = less || f != nil && *f > 0
	}
	return less
}

// menu returns the rows of a list that nothing ranks.
func (v *viewer) menu(points []point, anchor *Row) ([]Row, error) {
	var rows []Row
	for i := range points {
		row, err := v.row(&points[i])
		if err != nil {
			return rows, err
		}
		row.Rank, row.Why = len(rows)+1, "listed; nothing measured ranks it"
		if anchor != nil {
			row.Saved = row.saved(anchor)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// noAnswer explains why there are no points.
func (v *viewer) noAnswer(all *evaluation, e *evaluator) error {
	if all.counted == 0 {
		return &NoAnswerError{Reason: v.whyEmpty()}
	}
	if all.feasible > 0 && v.Anchor == nil {
		return &NoAnswerError{Reason: "for no candidate within the limits does the evidence predict the quality asked for"}
	}
	if all.feasible > 0 {
		return &NoAnswerError{Reason: "no candidate costs less than " + v.Anchor.Name +
			" in " + e.weighed[0].String() + " at a predicted quality within the error of it"}
	}
	out := &NoAnswerError{}
	nearest := -1
	for i, m := range all.misses.alone {
		if b := e.limits[i]; m.exists {
			out.Binding = append(out.Binding, Limit{b.metric, b.limit, m.value})
			if nearest < 0 {
				nearest = m.index
			}
		}
	}
	var s shapes.Shape
	if len(out.Binding) == 0 && all.misses.all.exists {
		nearest = all.misses.all.index
		v.space.at(nearest, &s)
		p := flops.CountParameters(&s)
		for _, b := range e.limits {
			if value := v.coster.cheap(b.metric, &s, &p); value > b.limit {
				out.Binding = append(out.Binding, Limit{b.metric, b.limit, value})
			}
		}
	}
	switch {
	case nearest >= 0:
	case v.Params > 0:
		out.Reason = "no candidate has about the parameters asked for"
		return out
	default:
		out.Reason = "the limited costs cannot be worked out for any candidate"
		return out
	}
	v.space.at(nearest, &s)
	if s.Name == "" {
		v.names.name(&s, &v.space, v.space.widthAt(nearest))
	}
	out.Shape = s
	return out
}

// on returns a metric of the row, and whether it is known.
func (row *Row) on(m plan.Metric) (float64, bool) {
	if i := m.Of(&row.Answer).Interval; i != nil {
		return i.Value, true
	}
	return 0, false
}

// saved compares with the anchor.
func (row *Row) saved(anchor *Row) Saved {
	of := func(m plan.Metric) *float64 { return m.Saved(&row.Answer, &anchor.Answer) }
	return Saved{
		Params: of(plan.Params), FLOPs: of(plan.RunFLOPs), StepTime: of(plan.StepTime),
		Memory: of(plan.Memory), Cost: of(plan.Cost), LifetimeCost: of(plan.LifetimeCost),
	}
}
