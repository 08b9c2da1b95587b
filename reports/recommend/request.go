package recommend

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Axis is something a shape costs, or its quality.
type Axis uint8

const (
	ParamsAxis      Axis = iota // trainable parameters
	FLOPsAxis                   // FLOP of the whole training run, matmul convention
	StepTimeAxis                // seconds of one training step
	DeviceHoursAxis             // device-hours of the whole run
	CostAxis                    // US dollars of the whole run
	MemoryAxis                  // peak bytes of the device that needs most
	DecodeAxis                  // seconds to generate one answer on one device
	QualityAxis                 // predicted quality; an objective, never a cap
	axes
)

var axisNames = [axes]string{
	"params", "flops", "step-time", "device-hours", "cost", "memory",
	"decode-latency", "quality",
}

// String returns the name used in flags and tables, e.g. "step-time".
func (a Axis) String() string {
	if a < axes {
		return axisNames[a]
	}
	return fmt.Sprintf("invalid(%d)", uint8(a))
}

// ParseAxis returns the axis of that name; the error lists all names.
func ParseAxis(name string) (Axis, error) {
	if i := slices.Index(axisNames[:], name); i >= 0 {
		return Axis(i), nil
	}
	return 0, fmt.Errorf("unknown objective: %q; one of %s", name, strings.Join(axisNames[:], ", "))
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
	Caps map[Axis]float64

	Objective Axis     // what to save; QualityAxis = the best quality within the caps
	JudgedBy  JudgedBy // which quality is compared
	// Target is the judged quality to reach at the least cost: a score, or a loss when upstream is
	// judged. nil = none, or the anchor's.
	Target *float64

	Workload  flops.Workload // zero = flops.DefaultWorkload of the anchor
	Execution flops.Execution
	Steps     float64 // optimizer steps of the run

	Devices  int               // zero = 1
	Layout   *flops.Layout     // nil = searched for each shown shape
	Profile  *hardware.Profile // nil = no time and no money
	Software hardware.Software // of the profile's devices
	Stated   hardware.StatedRates
	Goodput  *hardware.Input // nil = hardware.DefaultGoodput

	Constraints Constraints
	Source      Source
	Candidates  []shapes.Shape // when Source is Listed

	Evidence []data.Evidence // classes of readings and records to rest on; nil = all

	// Records are the caller's runs; when there are any, nothing published is used.
	Records []Record
	// Fitted is a law of loss that the caller fitted; it leads over records and published results.
	Fitted *fit.Result

	// Tokens is the length of a run in training tokens (inputs of an encoder-decoder),
	// TokensPerParam in tokens for each parameter of a candidate. Tokens lead where steps are given
	// too; none of the three = as long as
	// the records' runs, or without records the paper's 524,288 steps.
	Tokens, TokensPerParam float64

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
	// paperSteps is the length of the runs of Tay et al. 2021 (arXiv 2109.10686).
	paperSteps = 524288
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
	if r.Objective >= axes {
		return r, fmt.Errorf("unknown objective: %s; one of %s", r.Objective,
			strings.Join(axisNames[:], ", "))
	}
	for axis, limit := range r.Caps {
		if axis >= QualityAxis || !(limit > 0) {
			return r, fmt.Errorf("a limit on %s of %g: limits are positive, and on a cost", axis,
				limit)
		}
	}
	if r.Anchor == nil && len(r.Caps) == 0 && r.Target == nil && r.Source != Listed {
		return r,
			fmt.Errorf(
				"nothing to recommend for: give a shape to beat, a quality to reach, or a limit on one of %s", strings.Join(axisNames[:QualityAxis], ", "))
	}
	if r.Source == Listed && len(r.Candidates) == 0 {
		return r, fmt.Errorf("no candidates are listed")
	}
	switch {
	case r.TokensPerParam > 0 && (r.Steps > 0 || r.Tokens > 0):
		return r,
			fmt.Errorf(
				"the length of the run is given twice: in tokens per parameter, and in steps or tokens")
	case r.TokensPerParam == 0 && r.Tokens == 0 && r.Steps == 0:
		r.assumeLength()
	}
	if r.Devices == 0 {
		r.Devices = 1
	}
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
		r.Steps = paperSteps
		return
	case residualSpread(tokens) > enoughVariation &&
		residualSpread(tokens, params) <= enoughVariation:
		r.TokensPerParam = median(ratios)
		r.assumed = fmt.Sprintf(
			"the runs are taken to be of %.3g tokens for each parameter, as the records",
			r.TokensPerParam)
	default:
		r.Tokens = math.Exp(median(tokens))
		r.assumed = fmt.Sprintf(
			"the runs are taken to be of %.3g tokens, the median of the records", r.Tokens)
	}
}

// costAxis is the cost that quality is weighed against: the objective, or when that is the quality,
// the first capped axis.
func (r *Request) costAxis() Axis {
	if r.Objective != QualityAxis {
		return r.Objective
	}
	for axis := range QualityAxis {
		if _, capped := r.Caps[axis]; capped {
			return axis
		}
	}
	return ParamsAxis
}
