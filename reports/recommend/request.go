package recommend

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
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

// JudgedBy says which quality candidates are compared by.
type JudgedBy uint8

const (
	// ByDownstream compares fine-tuned scores; where the evidence has none, upstream losses.
	ByDownstream JudgedBy = iota
	// ByUpstream compares pre-training losses.
	ByUpstream
)

// Source says where candidates come from.
type Source uint8

const (
	Lattice   Source = iota // every aligned shape of the family within the constraints
	Catalogue               // the released shapes of the family
	Listed                  // Request.Candidates, all of which are shown
)

// Request is what to recommend for. Zero fields mean what each says.
type Request struct {
	Anchor *shapes.Shape // the shape to beat; nil = none
	Family shapes.Family // of the candidates when there is no anchor; empty = T5
	// upper limits in base units; with an anchor and no cap, the anchor's cost on the objective
	Caps map[plan.Metric]float64

	// what to save; BestQuality = the best quality within the caps; none = parameters
	Objective plan.Metric
	JudgedBy  JudgedBy // which quality is compared
	// Target is the judged quality to reach at the least cost: a score, or a loss when upstream is
	// judged. nil = none, or the anchor's.
	Target *float64

	// Question is asked about every candidate; its shape is not looked at. Its length is in steps or
	// tokens, or zero: as long as the records' runs, or without records the paper's 524,288 steps.
	Question plan.Question
	// TokensPerParam is the length in training tokens for each parameter of a candidate.
	TokensPerParam float64

	Constraints Constraints
	Source      Source
	Candidates  []shapes.Shape // when Source is Listed

	Evidence []data.Evidence // classes of readings and records to rest on; nil = all

	// Records are the caller's runs; when there are any, nothing published is used.
	Records []Record
	// Fitted is a law of loss that the caller fitted; it leads over records and published results.
	Fitted *fit.Result

	assumed string // what the request left open and was taken from the records

	Top     int // rows at most; zero = 12, or all that are listed
	Workers int // goroutines; zero = GOMAXPROCS
}

// Constraints bound the lattice. They hold for the catalogue and for listed candidates too, but for
// alignment.
type Constraints struct {
	MinDModel, MaxDModel int
	// layers of each stack; zero = 2 and 48, on a lattice judged by the published results 36
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
	if r.Objective == plan.NoMetric {
		r.Objective = plan.Params
	}
	if r.Objective != BestQuality && !slices.Contains(costs[:], r.Objective) {
		return r, fmt.Errorf("unknown objective: %s; allowed: %s", r.Objective,
			strings.Join(objectives(), ", "))
	}
	for axis, limit := range r.Caps {
		if !slices.Contains(costs[:], axis) || !(limit > 0) {
			return r, fmt.Errorf("a limit on %s of %g: limits are positive, and on a cost", axis,
				limit)
		}
	}
	if r.Anchor == nil && len(r.Caps) == 0 && r.Target == nil && r.Source != Listed {
		return r,
			fmt.Errorf(
				"nothing to recommend for: give a shape to beat, a quality to reach, or a limit on one of %s", strings.Join(objectives()[:len(costs)], ", "))
	}
	if r.Source == Listed && len(r.Candidates) == 0 {
		return r, fmt.Errorf("no candidates are listed")
	}
	q := &r.Question
	switch {
	case q.Length.WallSeconds > 0 || q.Length.MaxUSD > 0:
		return r, fmt.Errorf("the length of the run is a time or a bill; allowed: steps or tokens")
	case r.TokensPerParam > 0 && q.Length != (hardware.Length{}):
		return r,
			fmt.Errorf(
				"the length of the run is given twice: in tokens per parameter, and in steps or tokens")
	case r.TokensPerParam == 0 && q.Length == (hardware.Length{}):
		r.assumeLength()
	}
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
	}
	if c.MaxDepth == 0 {
		c.MaxDepth = max(r.deepest(), c.MinDepth)
	}
	return r, nil
}

// deepest is how many layers a stack has at most where the caller leaves it open. A lattice that
// only the published results judge ends where they end: deeper is neither measured nor predicted to
// gain anything but size.
func (r *Request) deepest() int {
	judged := r.Family == shapes.T5 || r.Family == shapes.T511
	if r.Anchor != nil {
		judged = whyUncovered(r.Anchor) == ""
	}
	if judged && r.Source == Lattice && len(r.Records) == 0 && r.Fitted == nil {
		return plateau
	}
	return defaultMaxDepth
}

// assumeLength sets the length of a run that the caller left open: that of the records, in tokens
// per parameter where it grows with size, else the paper's.
func (r *Request) assumeLength() {
	var tokens, ratios, params []float64
	for i := range r.Records {
		if m := &r.Records[i]; m.Params > 0 && m.Tokens > 0 {
			tokens, ratios, params = append(tokens, math.Log(m.Tokens)),
				append(ratios, m.Tokens/m.Params), append(params, math.Log(m.Params))
		}
	}
	switch {
	case len(tokens) == 0:
		return
	case residualSpread(tokens) > enoughVariation &&
		residualSpread(tokens, params) <= enoughVariation:
		r.TokensPerParam = median(ratios)
		r.assumed = fmt.Sprintf(
			"the runs are taken to be of %.3g tokens for each parameter, as the records",
			r.TokensPerParam)
	default:
		r.Question.Length.Tokens = math.Exp(median(tokens))
		r.assumed = fmt.Sprintf(
			"the runs are taken to be of %.3g tokens, the median of the records", r.Question.Length.Tokens)
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
