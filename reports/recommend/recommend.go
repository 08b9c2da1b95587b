package recommend

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Recommend returns the shapes to consider for a request, the pick first.
//
// Errors: a [*NoAnswerError] when no candidate meets the limits; a [*shapes.InvalidError] for an
// anchor, workload, execution or layout that is not valid; others for a request that asks nothing.
func Recommend(r Request) (Result, error) {
	r, err := r.filled()
	if err != nil {
		return Result{}, err
	}
	sp, err := r.space()
	if err != nil {
		return Result{}, err
	}
	c, err := newCoster(&r, &sp.template)
	if err != nil {
		return Result{}, err
	}
	out := Result{Objective: r.Objective, CostAxis: r.costAxis(), JudgedBy: r.JudgedBy}
	j, err := r.newJudge(&sp.template, &c)
	if err != nil {
		return out, err
	}
	if out.Evidence, err = j.summary(); err != nil {
		return out, err
	}
	ranked := j.silence() == ""
	e := evaluator{
		space: &sp, coster: &c, judge: j, ranked: ranked, axis: out.CostAxis, enough: math.Inf(-1),
		below: math.Inf(1),
	}
	for _, m := range costs {
		if limit, ok := r.Caps[m]; ok {
			e.limits = append(e.limits, bound{m, limit})
		}
	}
	if reason := c.unknown(&e); reason != "" {
		return out, &NoAnswerError{Reason: reason, Unknown: true}
	}
	view := viewer{request: &r, coster: &c, judge: j, space: &sp, names: newDirectory()}
	var anchorScore *float64
	if r.Anchor != nil {
		if out.Anchor, err = view.anchor(); err != nil {
			return out, err
		}
		anchorScore = e.against(&r, out.Anchor)
	}
	if r.Target != nil && ranked {
		anchorScore = e.aim(&r)
	}
	if e.all = r.Source == Listed; e.all {
		e.enough, e.below = math.Inf(-1), math.Inf(1)
	}
	all := e.run(r.Workers)
	out.Counted, out.Feasible = all.counted, all.feasible
	if len(all.points) == 0 {
		return out, view.noAnswer(&all, &e)
	}
	if !ranked {
		out.Rows, err = view.unjudged(&all, r.Top, out.Anchor)
		out.warn(&c)
		return out, err
	}
	sel := choose(all.points, r.Objective, anchorScore, errorApart(j.usual(), j.usual()), r.Top)
	if r.Source == Listed {
		sel.showAll(len(all.points), r.Top)
	}
	out.Rows, err = view.rows(&all, sel, out.Anchor)
	out.warn(&c)
	if missed := out.Feasible - len(all.points); e.all && missed > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf(
			"%d listed candidates lie too far from the evidence to be judged", missed))
	}
	return out, err
}

// warn says what was decided of the runs and departs from what is usual, each once: of the template
// as it is, of a row with its name.
func (out *Result) warn(c *coster) {
	told := c.usual.Warnings()
	out.Warnings = append(out.Warnings, told...)
	for i := range out.Rows {
		row := &out.Rows[i]
		for _, w := range row.Resolved.Warnings() {
			if !slices.Contains(told, w) {
				out.Warnings = append(out.Warnings, row.Shape.Name+": "+w)
			}
		}
	}
}

// against sets what candidates must beat, and returns the anchor's score.
func (e *evaluator) against(r *Request, anchor *Row) *float64 {
	if cost, ok := anchor.on(e.axis); ok && (len(r.Caps) == 0 || r.Objective != BestQuality) {
		e.below = cost
	}
	if !e.ranked {
		return nil
	}
	score, _ := e.judge.score(r.Anchor, &anchor.Params)
	if usual := e.judge.usual(); r.Objective != BestQuality {
		e.enough = score - errorApart(usual, usual)
	}
	return &score
}

// aim sets the quality to reach, and returns it as a score.
func (e *evaluator) aim(r *Request) *float64 {
	score := *r.Target
	if e.judge.unit() == lossUnit {
		score = -score
	}
	if r.Objective != BestQuality {
		e.enough = score - e.judge.usual()
	}
	return &score
}

// unknown says why a metric that is limited or saved cannot be costed.
func (c *coster) unknown(e *evaluator) string {
	for _, m := range costs {
		if m != e.axis && !slices.ContainsFunc(e.limits, func(b bound) bool { return b.metric == m }) {
			continue
		}
		switch {
		case m == plan.Params || m == plan.RunFLOPs || m == plan.Memory:
		case c.machine == nil:
			return m.String() + " is not known: " + c.timeless
		case m == plan.Cost && c.usual.Rates.Price.Interval == nil:
			return "cost is not known: " + c.usual.Rates.Price.Missing
		}
	}
	return ""
}

// viewer turns points into rows.
type viewer struct {
	request *Request
	coster  *coster
	judge   judge
	space   *space
	names   directory
}

func (v *viewer) anchor() (*Row, error) {
	row := Row{Shape: *v.request.Anchor}
	return &row, v.fill(&row)
}

// fill adds costs, results and quality to a row with a shape.
func (v *viewer) fill(row *Row) error {
	var err error
	if row.Answer, err = v.coster.full(&row.Shape); err != nil {
		return err
	}
	row.Published, row.Figure = published(&row.Shape)
	row.Judgement = v.judge.judgement(&row.Shape, &row.Params)
	return nil
}

// published returns the results of exactly this shape.
func published(s *shapes.Shape) (tables []data.PaperResult, figure []data.FigureReading) {
	same := func(ref string) bool {
		t, err := shapes.Parse(ref)
		return err == nil && t.SameArchitecture(*s)
	}
	tables = slices.DeleteFunc(data.PaperResults(), func(r data.PaperResult) bool { return !same(r.Shape) })
	figure = slices.DeleteFunc(data.Figure1Readings(), func(r data.FigureReading) bool { return r.Shape == "" || !same(r.Shape) })
	return tables, figure
}

// row returns the filled row of a candidate.
func (v *viewer) row(index int) (Row, error) {
	var row Row
	v.space.at(index, &row.Shape)
	if row.Shape.Name == "" {
		v.names.name(&row.Shape, v.space, v.space.widthAt(index))
	}
	return row, v.fill(&row)
}

// rows returns the selected rows, the pick first.
func (v *viewer) rows(all *evaluation, sel selection, anchor *Row) ([]Row, error) {
	var rows []Row
	for _, i := range sel.shown {
		row, err := v.row(all.points[i].index)
		if err != nil {
			return nil, err
		}
		row.Rank, row.Pick = len(rows)+1, i == sel.pick
		rows = append(rows, row)
	}
	for i := range rows {
		row := &rows[i]
		reference := anchor
		if reference == nil {
			reference = &rows[0]
		}
		row.Tie = v.tie(row, reference)
		if anchor != nil {
			row.Saved = row.saved(anchor)
		}
		row.Why = v.why(row, reference, anchor != nil)
	}
	return rows, nil
}

// tie says whether the judged qualities differ by no more than the error of their difference.
func (v *viewer) tie(a, b *Row) bool {
	x, half := v.judge.score(&a.Shape, &a.Params)
	y, other := v.judge.score(&b.Shape, &b.Params)
	return math.Abs(x-y) <= errorApart(half, other)
}

// unjudged returns, where nothing says how good shapes are, the candidate that uses most of the
// budget for each depth: a menu, not a ranking.
func (v *viewer) unjudged(all *evaluation, top int, anchor *Row) ([]Row, error) {
	if v.request.Source == Listed {
		return v.menu(all.points, anchor)
	}
	largest := map[int]point{} // by layers of both stacks
	var depths []int
	var s shapes.Shape
	for _, p := range all.points {
		v.space.at(p.index, &s)
		layers := s.Encoder.Layers + s.Decoder.Layers
		if _, ok := largest[layers]; !ok {
			depths = append(depths, layers)
		}
		largest[layers] = p // points come by cost
	}
	slices.Sort(depths)
	step := max(1, (len(depths)+top-1)/top)
	var some []point
	for i := 0; i < len(depths); i += step {
		some = append(some, largest[depths[i]])
	}
	if anchor != nil { // nothing ranks them: the most alike first
		apart := func(p point) int {
			v.space.at(p.index, &s)
			d := s.Encoder.Layers +
				s.Decoder.Layers - anchor.Shape.Encoder.Layers - anchor.Shape.Decoder.Layers
			return max(d, -d)
		}
		slices.SortStableFunc(some, func(a, b point) int { return cmp.Compare(apart(a), apart(b)) })
	}
	return v.menu(some, anchor)
}

// menu returns rows that nothing ranks.
func (v *viewer) menu(points []point, anchor *Row) ([]Row, error) {
	why := "the largest shape of its depth within the limits; nothing measured ranks it"
	if v.request.Source == Listed {
		why = "listed; nothing measured ranks it"
	}
	var rows []Row
	for _, p := range points {
		row, err := v.row(p.index)
		if err != nil {
			return nil, err
		}
		row.Rank, row.Why = len(rows)+1, why
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
		return &NoAnswerError{Reason: v.request.whyEmpty()}
	}
	if all.feasible > 0 && (v.request.Target != nil || v.request.Anchor == nil) {
		return &NoAnswerError{Reason: "for no candidate within the limits does the evidence predict the quality asked for"}
	}
	if all.feasible > 0 {
		return &NoAnswerError{Reason: "no candidate costs less than " + v.request.Anchor.Name +
			" in " + e.axis.String() + " at a predicted quality within the error of it"}
	}
	out := &NoAnswerError{}
	nearest := -1
	for i, b := range e.limits {
		if i >= len(all.misses.alone) {
			break
		}
		if m := all.misses.alone[i]; m.exists {
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
	if nearest < 0 {
		out.Reason = "the limited costs cannot be worked out for any candidate"
		return out
	}
	v.space.at(nearest, &s)
	if s.Name == "" {
		v.names.name(&s, v.space, v.space.widthAt(nearest))
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
		Memory: of(plan.Memory), Cost: of(plan.Cost),
	}
}
