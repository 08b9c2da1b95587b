package evidence

import (
	"cmp"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Judge says how good shapes are.
type Judge interface {
	// Silence says why nothing is judged; empty where something is.
	Silence() string
	// Value returns the judged quality, larger is better; not a number where the evidence cannot
	// judge a shape.
	Value(Subject) float64
	// Score returns the value with its 80 % half-width.
	Score(Subject) (value, half float64)
	// Usual is the half-width amid the evidence.
	Usual() float64
	Unit() string // of the value, for sentences
	// Measures says whether exactly this shape was measured.
	Measures(Subject) bool
	// Difference returns what a has more than b of loss and score, each with its error.
	Difference(a, b Subject) Quality
	// Effect is the difference that the change from b to a makes: that of two measurements, else of
	// two predictions, so that the noise of one run stays out.
	Effect(a, b Subject) Quality
	// Judgement returns all that is said of one shape.
	Judgement(Subject) Judgement
	// Tells says whether the evidence knows what a scaling operation alone gains.
	Tells(letters string) bool
	// Summary says what the judgements rest on; the error is of held-out errors that fail.
	Summary() (Summary, error)
	// Derived follows the quality of a shape, and Cited lists what it rests on, the nearest first.
	Derived(Subject) []Derived
	Cited(Subject) []Cited
	// Opinions are what sets beside the evidence say of the change from a to b.
	Opinions(a, b *shapes.Shape) ([]SecondOpinion, error)
}

// The units of values.
const (
	LossUnit  = "nats"
	scoreUnit = "points"
)

// JudgedBy says which quality candidates are compared by.
type JudgedBy uint8

const (
	// ByDownstream compares fine-tuned scores; where the evidence has none, upstream losses.
	ByDownstream JudgedBy = iota
	// ByUpstream compares pre-training losses.
	ByUpstream
)

// Basis is what to judge by. The zero value is all published results.
type Basis struct {
	JudgedBy JudgedBy        // which quality is compared
	Score    Score           // which downstream score the published results judge by
	Evidence []data.Evidence // classes of readings to rest on; nil = all
	Records  []Record        // the caller's runs; when there are any, nothing published is used
	Fitted   *fit.Result     // the caller's law of loss; leads over records and published results
}

// Candidates is what there is to judge.
type Candidates struct {
	Template *shapes.Shape  // whose recipe candidates follow
	Listed   []shapes.Shape // named one by one, of any kind; nil = all like the template
	Anchored bool           // they are compared with a shape that the caller named
	Tokens   func(params float64) float64
	FLOPs    func(Subject) float64 // of the whole run
	Assumed  string                // of the length of runs, for a note
}

// Judge returns the judge of candidates: a law that the caller fitted, else the caller's records,
// else the published results, or for decoder-only models the published laws of their kind. Where
// none of them judges the candidates, the judge is silent and says why. The error is of a fitted law
// that candidates cannot be put into.
func (b *Basis) Judge(c Candidates) (Judge, error) {
	if b.Fitted != nil {
		return newFittedJudge(b.Fitted, &c)
	}
	why, notes := "", []string(nil)
	if len(b.Records) > 0 {
		j, err := newRecordJudge(b, &c)
		if err == nil {
			return j, nil
		}
		why, notes = err.Error(), j.notes
	} else if c.Template.Encoder.Layers == 0 || c.Template.Decoder.Layers == 0 {
		if why = whyNoLaw(&c); why == "" {
			return newLawJudge(&c), nil
		}
	} else {
		covered := func(s shapes.Shape) bool { return WhyUncovered(&s) == "" }
		if why = WhyUncovered(c.Template); why == "" || slices.ContainsFunc(c.Listed, covered) {
			j, err := newPublishedJudge(b, &c)
			if err == nil {
				return j, nil
			}
			why = err.Error()
		}
	}
	return silent{plain{nothing}, why, notes}, nil
}

// Compared returns the quality that a judge compares as a value, larger is better; nil where it is
// not known.
func Compared(j Judge, q Quality) *quantity.Interval {
	if j.Unit() != LossUnit {
		return q.Downstream.Interval
	}
	i := q.Upstream.Interval
	if i == nil {
		return nil
	}
	return &quantity.Interval{Value: -i.Value, Low: -i.High, High: -i.Low}
}

// Apart is the 80 % half-width of the difference of two usual predictions.
func Apart(j Judge) float64 { return errorApart(j.Usual(), j.Usual()) }

// errorApart returns the half-width of the difference of two qualities with half-widths a and b,
// √(a² + b²): the noise of one run says nothing of another's. Where both are by one law, part of
// the error is shared and this is too wide.
func errorApart(a, b float64) float64 { return math.Hypot(a, b) }

// plain has the answers of a judge that knows no more than its judgements.
type plain struct{ judgement func(Subject) Judgement }

func (plain) Silence() string { return "" }

func (plain) Measures(Subject) bool { return false }

func (p plain) Difference(a, b Subject) Quality {
	return difference(p.judgement(a).Quality, p.judgement(b).Quality)
}

func (p plain) Effect(a, b Subject) Quality { return p.Difference(a, b) }

func (p plain) Derived(s Subject) []Derived {
	j := p.judgement(s)
	return j.derived()
}

func (plain) Cited(Subject) []Cited { return nil }

func (plain) Opinions(_, _ *shapes.Shape) ([]SecondOpinion, error) { return nil, nil }

// difference is a less b with the error of [errorApart].
func difference(a, b Quality) Quality {
	apart := func(x, y hardware.Estimate) hardware.Estimate {
		if x.Interval == nil || y.Interval == nil {
			return hardware.Estimate{Missing: cmp.Or(x.Missing, y.Missing)}
		}
		return estimated(around(x.Interval.Value-y.Interval.Value,
			errorApart(x.Interval.HalfWidth(), y.Interval.HalfWidth())))
	}
	return Quality{apart(a.Upstream, b.Upstream), apart(a.Downstream, b.Downstream)}
}

func estimated(i quantity.Interval) hardware.Estimate { return hardware.Estimate{Interval: &i} }

// silent judges nothing.
type silent struct {
	plain
	why   string
	notes []string
}

func (j silent) Silence() string { return j.why }

func (silent) Value(Subject) float64 { return math.NaN() }

func (silent) Score(Subject) (value, half float64) { return math.NaN(), math.NaN() }

func (silent) Usual() float64 { return math.NaN() }

func (silent) Unit() string { return LossUnit }

func (silent) Judgement(s Subject) Judgement { return nothing(s) }

func nothing(Subject) Judgement { return unjudged("no evidence judges this shape") }

func unjudged(why string) Judgement {
	missing := hardware.Estimate{Missing: why}
	return Judgement{Quality: Quality{Upstream: missing, Downstream: missing}, Class: Rule}
}

func (silent) Tells(string) bool { return false }

func (j silent) Summary() (Summary, error) {
	return Summary{Kind: "none", Missing: j.why, Notes: j.notes}, nil
}
