package recommend

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// BestQuality is the objective of the best predicted quality within the limits. It is not a metric of
// one plan, and never a limit.
const BestQuality = plan.MetricCount

// objectives lists what can be saved, and quality.
func objectives() []string {
	var names []string
	for _, m := range costs {
		names = append(names, m.String())
	}
	return append(names, "quality")
}

// ParseObjective returns the objective of that name; the error lists all names.
func ParseObjective(name string) (plan.Metric, error) {
	i := slices.Index(objectives(), name)
	switch {
	case i < 0:
		return plan.NoMetric, fmt.Errorf("unknown objective: %q; allowed: %s", name,
			strings.Join(objectives(), ", "))
	case i == len(costs):
		return BestQuality, nil
	}
	return costs[i], nil
}

// Source says where candidates come from.
type Source uint8

const (
	Lattice   Source = iota // every aligned shape of the family within the constraints
	Catalogue               // the released shapes of the family
	Listed                  // Request.Candidates, all of which are shown
	Mixed                   // the catalogue and the lattice
)

// Request is what to recommend for. Zero fields mean what each says.
type Request struct {
	Anchor *shapes.Shape // the shape to beat; nil = none
	Family shapes.Family // of the candidates when there is no anchor; empty = T5
	// upper limits in base units; with an anchor and no cap, the anchor's cost on the objective
	Caps map[plan.Metric]float64

	// what to save; BestQuality = the best quality within the caps. None = with an anchor the cost
	// where it is known, else step time, else FLOPs; without an anchor the best quality.
	Objective plan.Metric

	// Question is asked about every candidate; its shape is not looked at. Its length is in steps or
	// tokens, or zero: as long as the records' runs, or without records the paper's 524,288 steps.
	Question plan.Question
	// TokensPerParam is the length in training tokens for each parameter of a candidate.
	TokensPerParam float64

	Constraints Constraints
	Source      Source
	Candidates  []shapes.Shape // when Source is Listed
	// Params is a size that candidates lie within a tenth of; 0 = any.
	Params float64

	evidence.Basis // what quality is judged by

	template     shapes.Shape // whose recipe candidates follow
	latticeDepth int          // layers of a stack of the lattice at most
	assumed      string       // what the request left open and was taken from the records

	Top     int // rows at most; zero = 12, or all that are listed
	Workers int // goroutines; zero = GOMAXPROCS
}

// Constraints bound the lattice. They hold for the catalogue and for listed candidates too, but for
// alignment.
type Constraints struct {
	MinDModel, MaxDModel int
	// layers of each stack; zero = as many as listed shapes have, on a lattice 2 to 48, judged by
	// the published results 36
	MinDepth, MaxDepth int
	TieDepths          bool  // encoder and decoder equally deep
	Align              int   // d_model, d_ff and heads·d_kv are multiples of it; zero = 64
	Vocab              int   // zero = the anchor's
	Gated              *bool // nil = the anchor's
}

const (
	defaultTop      = 12
	defaultAlign    = 64
	defaultMinDepth = 2
	// defaultMaxDepth is the deepest released T5-Efficient shape, base-nl48.
	defaultMaxDepth = 48
)

// filled returns the request with its defaults.
func (r Request) filled() (Request, error) {
	if r.Family == "" {
		r.Family = shapes.T5
	}
	if r.Anchor != nil {
		if err := r.Anchor.Validate(); err != nil {
			return r, err
		}
		r.Family = r.Anchor.Family
	}
	if r.Objective != plan.NoMetric && r.Objective != BestQuality && !slices.Contains(costs[:], r.Objective) {
		return r, fmt.Errorf("unknown objective: %s; allowed: %s", r.Objective,
			strings.Join(objectives(), ", "))
	}
	for axis, limit := range r.Caps {
		if !slices.Contains(costs[:], axis) || !(limit > 0) {
			return r, fmt.Errorf("a limit on %s of %g: limits are positive, and on a cost", axis,
				limit)
		}
	}
	_, limited := r.Caps[plan.LifetimeCost]
	s := r.Question.Serving
	if (limited || r.Objective == plan.LifetimeCost) && (s == nil || !(s.Tokens > 0)) {
		return r, fmt.Errorf("the cost of a lifetime needs the tokens that are served in it")
	}
	if r.Anchor == nil && len(r.Caps) == 0 && r.Params == 0 && r.Source != Listed {
		return r,
			fmt.Errorf(
				"nothing to recommend for: give a shape to beat, or a limit on one of %s", strings.Join(objectives()[:len(costs)], ", "))
	}
	if r.Source == Listed && len(r.Candidates) == 0 {
		return r, fmt.Errorf("no candidates are listed")
	}
	q := &r.Question
	var err error
	r.template, err = r.recipe()
	switch {
	case q.Length.WallSeconds > 0 || q.Length.MaxUSD > 0:
		return r, fmt.Errorf("the length of the run is a time or a bill; allowed: steps or tokens")
	case r.TokensPerParam > 0 && q.Length != (hardware.Length{}):
		return r,
			fmt.Errorf(
				"the length of the run is given twice: in tokens per parameter, and in steps or tokens")
	case err != nil:
		return r, err
	case r.TokensPerParam == 0 && q.Length == (hardware.Length{}):
		r.assumeLength()
	}
	r.fillBatch()
	q.Decode, q.SearchBytes, q.Search = 1, r.Caps[plan.Memory], q.Search && q.Profile != nil
	if r.Top == 0 {
		r.Top = defaultTop
		if r.Source == Listed {
			r.Top = len(r.Candidates)
		}
	}
	c := &r.Constraints
	if c.Align == 0 {
		c.Align = defaultAlign
	}
	if c.MinDepth == 0 {
		c.MinDepth = defaultMinDepth
		if r.Source == Listed {
			c.MinDepth = 1
		}
	}
	if r.latticeDepth = c.MaxDepth; c.MaxDepth == 0 {
		r.latticeDepth, c.MaxDepth = max(r.deepest(), c.MinDepth), math.MaxInt
	}
	return r, nil
}

// deepestLattice is the depth at which a lattice ends that only the published results judge: of the
// measured shapes base-nl40 and base-nl48 are not better than base-nl36.
const deepestLattice = 36

// deepestByLaws is the depth of the deepest models of the Gemstones suite.
const deepestByLaws = 80

// deepest is how many layers a stack has at most where the caller leaves it open.
func (r *Request) deepest() int {
	judged := r.Family == shapes.T5 || r.Family == shapes.T511
	if r.Anchor != nil {
		judged = evidence.WhyUncovered(r.Anchor) == ""
	}
	switch {
	case r.byLaws():
		return deepestByLaws
	case judged && len(r.Records) == 0 && r.Fitted == nil:
		return deepestLattice
	}
	return defaultMaxDepth
}

// computeOptimal is the tokens for each parameter of a decoder-only model that spend a budget best.
const computeOptimal = 20

// millionTokens is the batch of the GPT-3 models of 2.7B to 6.7B parameters (Brown et al. 2020, arXiv
// 2005.14165, Table 2.1), nearest to which the models of most budgets are.
const millionTokens = 1 << 20

// fillBatch sets the batch of decoder-only models that nobody stated.
func (r *Request) fillBatch() {
	w := &r.Question.Workload
	if w.Batch > 0 || !r.budgets() {
		return
	}
	length := cmp.Or(w.DecoderLength, flops.DefaultWorkload(&r.template).DecoderLength)
	w.Batch = max(1, millionTokens/length)
	r.assumed += fmt.Sprintf("; a batch is %d sequences, a million tokens", w.Batch)
}

// budgets says whether a size is to be found for a budget by published laws. Shapes that the caller
// names are planned as ever.
func (r *Request) budgets() bool {
	return r.byLaws() && r.Anchor == nil && r.Source != Listed
}

// assumeLength sets the length of a run that the caller left open: that of the records, in tokens
// per parameter where it grows with size, for decoder-only models the compute-optimal one, else the
// paper's.
func (r *Request) assumeLength() {
	perParam, tokens := evidence.UsualLength(r.Records)
	switch {
	case r.budgets():
		r.TokensPerParam = computeOptimal
		r.assumed = fmt.Sprintf(
			"assumes runs of %d tokens per parameter, compute-optimal by Hoffmann et al. 2022 (arXiv 2203.15556)", computeOptimal)
	case perParam > 0:
		r.TokensPerParam = perParam
		r.assumed = fmt.Sprintf(
			"assumes runs of %.3g tokens per parameter, as in your records", perParam)
	case tokens > 0:
		r.Question.Length.Tokens = tokens
		r.assumed = fmt.Sprintf("assumes runs of %s tokens (the median of your records)",
			quantity.Format(quantity.Count, tokens, 0))
	}
}

// costAxis is the cost that quality is weighed against: the objective, or when that is the quality,
// the first capped axis.
func (r *Request) costAxis() plan.Metric {
	if r.Objective != BestQuality {
		return r.Objective
	}
	for _, m := range costs {
		if _, capped := r.Caps[m]; capped {
			return m
		}
	}
	return plan.Params
}
