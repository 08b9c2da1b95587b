package recommend

import (
	"cmp"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// judge says how good shapes are. Selection asks for values and judgements, and never where they
// come from.
type judge interface {
	// silence says why nothing is judged; empty where something is.
	silence() string
	// value returns the judged quality, larger is better; not a number where the evidence cannot
	// judge a shape.
	value(s *shapes.Shape, p *flops.Parameters) float64
	// score returns the value with its 80 % half-width.
	score(s *shapes.Shape, p *flops.Parameters) (value, half float64)
	// usual is the half-width amid the evidence.
	usual() float64
	unit() string // of the value, for sentences
	// measures says whether exactly this shape was measured.
	measures(s *shapes.Shape, p *flops.Parameters) bool
	// difference returns what row a has more than b of loss and score, each with its error.
	difference(a, b *Row) Quality
	// effect is the difference that the change from b to a makes: that of two measurements, else of
	// two predictions, so that the noise of one run stays out.
	effect(a, b *Row) Quality
	// judgement returns all that is said of one shape.
	judgement(s *shapes.Shape, p *flops.Parameters) Judgement
	// tells says whether the evidence knows what a scaling operation alone gains.
	tells(letters string) bool
	// summary says what the judgements rest on; the error is of held-out errors that fail.
	summary() (EvidenceSummary, error)
	// derived follows the quality of a row, and cited lists what it rests on, the nearest first.
	derived(row *Row) []Derived
	cited(row *Row) []Cited
}

// plainDifference is the difference of two rows' qualities with the error of [errorApart].
func plainDifference(a, b *Row) Quality {
	apart := func(x, y hardware.Estimate) hardware.Estimate {
		if x.Interval == nil || y.Interval == nil {
			return hardware.Estimate{Missing: cmp.Or(x.Missing, y.Missing)}
		}
		i := around(x.Interval.Value-y.Interval.Value,
			errorApart(x.Interval.HalfWidth(), y.Interval.HalfWidth()))
		return hardware.Estimate{Interval: &i}
	}
	return Quality{
		Upstream:   apart(a.Quality.Upstream, b.Quality.Upstream),
		Downstream: apart(a.Quality.Downstream, b.Quality.Downstream),
	}
}

// judgedDifference returns how much better row a is than b, larger is better, and the error; not ok
// where nothing judges them.
func judgedDifference(j judge, a, b *Row) (better, half float64, ok bool) {
	d := j.difference(a, b)
	judged, sign := d.Downstream, 1.0
	if j.unit() == lossUnit {
		judged, sign = d.Upstream, -1
	}
	if judged.Interval == nil {
		return 0, 0, false
	}
	return sign * judged.Interval.Value, judged.Interval.HalfWidth(), true
}

// errorApart returns the half-width of the difference of two qualities with half-widths a and b,
// √(a² + b²): the noise of one run says nothing of another's. Where both stand on one law, part of
// the error is shared and this is too wide.
func errorApart(a, b float64) float64 { return math.Hypot(a, b) }

// The units of scores.
const (
	lossUnit  = "nats"
	scoreUnit = "points"
)

// newJudge returns the judge of a request's candidates: a law that the caller fitted, else the
// caller's records, else the published results, or for decoder-only models the published laws of
// their kind. Where none of them judges the candidates, the judge
// is silent and says why. The error is of a fitted law that candidates cannot be put into.
func (r *Request) newJudge(template *shapes.Shape, c *coster) (judge, error) {
	if r.Fitted != nil {
		return newFittedJudge(r.Fitted, template, c)
	}
	if len(r.Records) > 0 {
		j, err := newRecordJudge(r, template, c.tokens)
		if err != nil {
			return silent{why: err.Error(), notes: j.notes}, nil
		}
		return j, nil
	}
	if template.Encoder.Layers == 0 || template.Decoder.Layers == 0 {
		if why := r.whyNoLaw(template); why != "" {
			return silent{why: why}, nil
		}
		return newLawJudge(r, template, c), nil
	}
	covered := func(s shapes.Shape) bool { return whyUncovered(&s) == "" }
	if why := whyUncovered(template); why != "" && !slices.ContainsFunc(r.Candidates, covered) {
		return silent{why: why}, nil
	}
	j, err := newPublishedJudge(r, template, c)
	if err != nil {
		return silent{why: err.Error()}, nil
	}
	return j, nil
}

// silent judges nothing.
type silent struct {
	why   string
	notes []string
}

func (j silent) silence() string { return j.why }

func (silent) value(*shapes.Shape, *flops.Parameters) float64 { return math.NaN() }

func (silent) score(*shapes.Shape, *flops.Parameters) (value, half float64) {
	return math.NaN(), math.NaN()
}

func (silent) usual() float64 { return math.NaN() }

func (silent) unit() string { return lossUnit }

func (silent) measures(*shapes.Shape, *flops.Parameters) bool { return false }

func (j silent) judgement(*shapes.Shape, *flops.Parameters) Judgement {
	return unjudged("no evidence judges this shape")
}

func unjudged(why string) Judgement {
	missing := hardware.Estimate{Missing: why}
	return Judgement{Quality: Quality{Upstream: missing, Downstream: missing}, Class: Rule}
}

func (silent) difference(a, b *Row) Quality { return plainDifference(a, b) }

func (silent) effect(a, b *Row) Quality { return plainDifference(a, b) }

func (silent) tells(string) bool { return false }

func (j silent) summary() (EvidenceSummary, error) {
	return EvidenceSummary{Kind: "none", Missing: j.why, Notes: j.notes}, nil
}

func (silent) derived(*Row) []Derived { return nil }

func (silent) cited(*Row) []Cited { return nil }
