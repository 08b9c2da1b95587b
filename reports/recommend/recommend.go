package recommend

import (
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Recommend returns the shapes to consider for a request.
//
// Errors: a [*NoAnswerError] when no candidate meets the limits, or nothing says how good
// candidates are that the caller did not list; a [*shapes.InvalidError] for an anchor, workload,
// execution or layout that is not valid; others for a request that asks nothing.
func Recommend(r Request) (Result, error) {
	q, err := r.ask()
	if err != nil {
		return Result{}, err
	}
	out := Result{Objective: q.Objective, CostAxis: q.costAxis(), JudgedBy: q.JudgedBy}
	if out.Evidence, err = q.judge.Summary(); err != nil {
		return out, err
	}
	e := q.evaluator()
	if reason := q.coster.unknown(&e); reason != "" {
		return out, &NoAnswerError{Reason: reason, Unknown: true}
	}
	view := viewer{asked: q, names: catalogue()}
	var reach *float64 // the score that the pick must reach
	if q.Anchor != nil {
		if out.Anchor, err = view.anchor(); err != nil {
			return out, err
		}
		reach = e.against(&q.Request, out.Anchor)
	}
	if !e.ranked && q.Source != Listed {
		return out, &NoAnswerError{Reason: out.Evidence.Missing, Unjudged: true}
	}
	if e.all = q.Source == Listed; e.all {
		e.least, e.enough, e.below = e.enough, math.Inf(-1), everywhere(math.Inf(1))
	}
	all := e.run(q.Workers)
	out.Counted, out.Feasible = all.counted, all.feasible
	if len(all.points) == 0 {
		return out, view.noAnswer(&all, &e)
	}
	if !e.ranked {
		out.Rows, err = view.menu(e.by(all.points, out.CostAxis), out.Anchor)
		out.warn(&q.coster)
		return out, err
	}
	picks, shown := e.choose(q, all.points, reach)
	if len(shown) == 0 {
		return out, view.noAnswer(&all, &e)
	}
	if err = view.rows(&out, picks, shown); err != nil {
		return out, err
	}
	out.warn(&q.coster)
	return out, nil
}

// asked is a filled request with what answers it.
type asked struct {
	Request
	space  space
	coster coster
	judge  evidence.Judge
}

// ask fills a request and makes its candidates, costs and judge.
func (r Request) ask() (*asked, error) {
	q := &asked{}
	var err error
	if q.Request, err = r.filled(); err != nil {
		return q, err
	}
	if q.space, err = q.Request.space(); err != nil {
		return q, err
	}
	if q.coster, err = newCoster(&q.Request, &q.space.template); err != nil {
		return q, err
	}
	if q.Objective == plan.NoMetric {
		q.Objective = q.usualObjective()
	}
	c := evidence.Candidates{
		Template: &q.space.template, Anchored: q.Anchor != nil, Tokens: q.coster.tokens,
		FLOPs:   func(s evidence.Subject) float64 { return q.coster.cheap(plan.RunFLOPs, s.Shape, s.Params) },
		Assumed: q.assumed,
	}
	if q.Source == Listed {
		c.Listed = q.Candidates
	}
	q.judge, err = q.Basis.Judge(c)
	return q, err
}

// usualObjective is what is saved where the caller leaves it open.
func (q *asked) usualObjective() plan.Metric {
	switch {
	case q.Anchor == nil:
		return BestQuality
	case q.coster.machine == nil:
		return plan.RunFLOPs
	case !q.coster.priced():
		return plan.StepTime
	}
	return plan.Cost
}

// evaluator returns the evaluator of a request without anchor.
func (q *asked) evaluator() evaluator {
	e := evaluator{
		space: &q.space, coster: &q.coster, judge: q.judge, ranked: q.judge.Silence() == "",
		weighed: q.weighed(), enough: math.Inf(-1), least: math.Inf(-1), params: [2]float64{0, math.Inf(1)},
	}
	const about = 1.1 // a tenth
	if q.Params > 0 {
		e.params = [2]float64{q.Params / about, q.Params * about}
	}
	e.below, e.anchor = everywhere(math.Inf(1)), everywhere(math.Inf(1))
	for _, m := range costs {
		if limit, ok := q.Caps[m]; ok {
			e.limits = append(e.limits, bound{m, limit})
		}
	}
	return e
}

// weighed returns the axes that a pick is made on, that of the objective first: with an anchor
// parameters and FLOPs, step time and cost where they are known, and decoding latency where it is
// asked for.
func (q *asked) weighed() []plan.Metric {
	out := []plan.Metric{q.costAxis()}
	if q.Anchor == nil {
		return out
	}
	add := func(a plan.Metric) {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	add(plan.Params)
	add(plan.RunFLOPs)
	if q.coster.machine != nil {
		add(plan.StepTime)
		if q.coster.priced() {
			add(plan.Cost)
		}
	}
	if _, limited := q.Caps[plan.DecodeLatency]; limited {
		add(plan.DecodeLatency)
	}
	return out
}

// warn says what was decided of the runs and departs from what is usual, each once: of the template
// as it is, of a row with its name.
func (r *Result) warn(c *coster) {
	told := c.usual.Warnings()
	r.Warnings = append(r.Warnings, told...)
	for i := range r.Rows {
		row := &r.Rows[i]
		for _, w := range row.Resolved.Warnings() {
			if !slices.Contains(told, w) {
				r.Warnings = append(r.Warnings, row.Shape.Name+": "+w)
			}
		}
	}
}

// against sets what candidates must beat, and returns the score that the pick must reach: within one
// standard error of the anchor's (Breiman et al. 1984, Classification and Regression Trees, section
// 3.4.3). Nil where the anchor has none.
func (e *evaluator) against(r *Request, anchor *Row) *float64 {
	for _, m := range costs {
		if cost, ok := anchor.on(m); ok {
			e.anchor[m] = cost
			if len(r.Caps) == 0 || r.Objective != BestQuality {
				e.below[m] = cost
			}
		}
	}
	if !e.ranked {
		return nil
	}
	score, _ := e.judge.Score(anchor.subject())
	if math.IsNaN(score) {
		return nil
	}
	ε := evidence.Apart(e.judge)
	if r.Objective != BestQuality {
		e.enough = score - ε
	}
	reach := score - ε/fit.NormalQuantile90
	return &reach
}

// unknown says why a metric that is limited or saved cannot be costed.
func (c *coster) unknown(e *evaluator) string {
	for _, m := range costs {
		if m != e.weighed[0] && !slices.ContainsFunc(e.limits, func(b bound) bool { return b.metric == m }) {
			continue
		}
		switch {
		case m == plan.Params || m == plan.RunFLOPs || m == plan.Memory:
		case c.machine == nil:
			return m.String() + " is not known: " + c.timeless
		case (m == plan.Cost || m == plan.LifetimeCost) && !c.priced():
			return "cost is not known: " + c.usual.Rates.Price.Missing
		case m == plan.LifetimeCost && c.server == nil:
			return "the cost of serving is not known: " + c.served.Missing
		}
	}
	return ""
}

func (c *coster) priced() bool { return c.usual.Rates.Price.Interval != nil }

// Result is the answer to a [Request].
type Result struct {
	Objective plan.Metric // or BestQuality
	CostAxis  plan.Metric // what quality is weighed against
	JudgedBy  evidence.JudgedBy
	Anchor    *Row   // the shape to beat; nil when there is none
	Rows      []Row  // by cost, or by quality where that is the objective
	Picks     []Pick // the answer in short: one for the objective, then one for each other axis
	Counted   int    // candidates costed
	Feasible  int    // candidates within caps and constraints
	Evidence  evidence.Summary
	Warnings  []string
}

// Pick is the row to start from if one axis is to be saved.
type Pick struct {
	Axis plan.Metric
	Row  int // index into Rows
	// Difference is the quality of the row less the anchor's; absent without anchor.
	Difference evidence.Quality
}

// Pick returns the row to start from; nil where nothing ranks the rows.
func (r *Result) Pick() *Row {
	for i := range r.Rows {
		if r.Rows[i].Pick {
			return &r.Rows[i]
		}
	}
	return nil
}

// Row is one recommended shape.
type Row struct {
	Rank int
	// Name is a catalogue name where there is one, else an edit that shapes.Parse reads
	Shape shapes.Shape
	Pick  bool // the one to start from
	// Tie says that the judged quality differs from the anchor's, or without anchor from the
	// pick's, by no more than the error of the difference.
	Tie bool
	// AllRound says that the row costs no more than the anchor on any axis that is known, less on
	// one, and is as good within the error of the difference.
	AllRound bool

	plan.Answer // what it costs
	Saved       Saved
	evidence.Judgement

	Released  bool                // a shape of the catalogue, with checkpoints
	Published []evidence.Citation // results of exactly this shape
	Why       string              // the row is there
}

// subject is the row as evidence sees it.
func (row *Row) subject() evidence.Subject {
	return evidence.Subject{Shape: &row.Shape, Params: &row.Params}
}

// Saved is the fraction of the anchor's cost that a row saves: 0.4 is 40 % less, negative is more.
// Nil where either is not known.
type Saved struct {
	Params, FLOPs, StepTime, Memory, Cost, LifetimeCost *float64
}
