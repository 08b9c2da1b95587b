package recommend

import (
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// publishedJudge judges by the shipped results.
type publishedJudge struct {
	*predictor
	by      JudgedBy
	title   string // of the score
	request *Request
	tokens  float64 // of the template's run
	known   map[int64][]*reading
	widen   map[int64][]*reading // recalled readings: they widen intervals and decide nothing
	foreign bool                 // the template's recipe is not that of the readings
	// listed candidates may be of any kind: those that the readings do not cover are not judged.
	listed bool
}

// whyUncovered says why the shipped results say nothing of a template, or "".
func whyUncovered(s *shapes.Shape) string {
	const vocabulary = 32128 // of T5's tokenizer
	switch {
	case !s.CrossAttention():
		return "the shipped results are of fine-tuned encoder-decoders and say nothing of other models: give records of your own runs"
	case s.Family != shapes.T5 && s.Family != shapes.T511:
		return fmt.Sprintf(
			"the shipped results are of T5 models and say nothing of the family %s: give records of your own runs", s.Family)
	case s.Encoder.Experts > 0 || s.Decoder.Experts > 0:
		return "the shipped results are of dense models: give records of your own runs"
	case s.Vocab != vocabulary:
		return fmt.Sprintf(
			"the shipped results are of T5's tokenizer with %d entries, and losses of different tokenizers are never pooled: give records of your own runs", vocabulary)
	}
	return ""
}

func newPublishedJudge(r *Request, template *shapes.Shape, c *coster) (*publishedJudge, error) {
	e, err := r.published()
	if err != nil {
		return nil, err
	}
	return &publishedJudge{
		predictor: e.predictor, by: r.JudgedBy, title: scoreTitles[r.Score], request: r,
		tokens: c.tokens(paperTokens), known: e.known, widen: e.widen,
		foreign: template.Family != shapes.T5, listed: r.Source == Listed,
	}, nil
}

// of returns the reading of exactly this architecture, or nil.
func of(known map[int64][]*reading, s *shapes.Shape, p *flops.Parameters) *reading {
	for _, m := range known[p.Total] {
		if m.shape.SameArchitecture(*s) {
			return m
		}
	}
	return nil
}

func (*publishedJudge) silence() string { return "" }

func (j *publishedJudge) usual() float64 {
	if j.by == ByUpstream {
		return j.lossError
	}
	return j.scoreError
}

func (j *publishedJudge) unit() string {
	if j.by == ByUpstream {
		return lossUnit
	}
	return scoreUnit
}

func (j *publishedJudge) score(s *shapes.Shape, p *flops.Parameters) (value, half float64) {
	t := traitsOf(s, p)
	loss, score := j.both(&t, of(j.known, s, p))
	if j.by == ByUpstream {
		return -loss.Value, loss.HalfWidth()
	}
	return score.Value, score.HalfWidth()
}

func (j *publishedJudge) value(s *shapes.Shape, p *flops.Parameters) float64 {
	if j.listed && whyUncovered(s) != "" {
		return math.NaN()
	}
	t := traitsOf(s, p)
	m := of(j.known, s, p)
	loss := j.lossOf(&t, m)
	switch {
	case j.by == ByUpstream:
		return -loss
	case m != nil && m.score != nil:
		return m.score.Value
	}
	return j.law.scoreFrom(loss, &t)
}

// lossOf returns the measured loss, else the law's.
func (j *publishedJudge) lossOf(t *traits, m *reading) float64 {
	if m != nil && m.loss != nil {
		return m.loss.Value
	}
	return j.law.lossAt(t)
}

// both returns loss and score: the measured number where there is one, with the error of the laws
// where σ = 1, which is at least the noise of a single run; else the prediction, from the
// measured loss where there is one.
func (j *publishedJudge) both(t *traits, m *reading) (loss, score quantity.Interval) {
	law := j.predict(t)
	loss = around(law.loss, law.lossHalf)
	if m != nil && m.loss != nil {
		loss = around(m.loss.Value, j.lossError)
	}
	score = around(j.law.scoreFrom(loss.Value, t), law.scoreHalf)
	if m != nil && m.score != nil {
		score = around(m.score.Value, j.scoreError)
	}
	return loss, score
}

func (j *publishedJudge) judgement(s *shapes.Shape, p *flops.Parameters) Judgement {
	if why := whyUncovered(s); j.listed && why != "" {
		return unjudged(why)
	}
	t, m := traitsOf(s, p), of(j.known, s, p)
	loss, score := j.both(&t, m)
	here := t.position()
	at, factor := j.near.nearest(here)
	out := Judgement{
		Class: j.near.classify(here), Evidence: j.weakest(),
		Nearest: &Neighbour{Name: j.scored[at].shape.Name, Distance: factor},
		Basis:   basis(m),
	}
	if j.near.low[2] == j.near.high[2] && t.depthRatio != 1 {
		out.Basis += "; no measured shape says how stacks of different depth join"
	}
	if s.Family != shapes.T5 { // another recipe: never an interpolation
		out.Class = max(out.Class, Extrapolated)
	}
	if judged := j.judged(m); judged != nil {
		out.Class, out.Evidence = Measured, judged.Evidence
	} else if w := of(j.widen, s, p); w != nil {
		widened := widen(&loss, w.loss)
		if widen(&score, w.score) || widened {
			out.Basis += "; widened to hold a recalled value"
		}
	}
	out.Quality = Quality{
		Upstream:   hardware.Estimate{Interval: &loss},
		Downstream: hardware.Estimate{Interval: &score},
	}
	return out
}

// judged returns the measured number that is compared, or nil.
func (j *publishedJudge) judged(m *reading) *data.Reading {
	switch {
	case m == nil:
		return nil
	case j.by == ByUpstream:
		return m.loss
	}
	return m.score
}

// widen lets an interval reach a recalled value, and says whether it had to.
func widen(i *quantity.Interval, recalled *data.Reading) bool {
	if recalled == nil || i.Low <= recalled.Value && recalled.Value <= i.High {
		return false
	}
	i.Low, i.High = min(i.Low, recalled.Value), max(i.High, recalled.Value)
	return true
}

// basis says which of the two qualities are the law's.
func basis(m *reading) string {
	switch {
	case m == nil:
		return "as the law says"
	case m.loss == nil || m.score == nil:
		return "measured where it was, the other from it by the law"
	}
	return "as measured, with the error of the law"
}

func (j *publishedJudge) difference(a, b *Row) Quality { return j.between(a, b, false) }

func (j *publishedJudge) effect(a, b *Row) Quality {
	return j.between(a, b, a.Class != Measured || b.Class != Measured)
}

// between returns what shape a has more than b of loss and of score, by the law alone or as
// measured where it was.
func (j *publishedJudge) between(a, b *Row, byLaw bool) Quality {
	for _, r := range []*Row{a, b} {
		if missing := r.Quality.Upstream.Missing; missing != "" {
			return unjudged(missing).Quality
		}
	}
	standings := func(r *Row) (loss, score standing) {
		t, m := traitsOf(&r.Shape, &r.Params), of(j.known, &r.Shape, &r.Params)
		if byLaw {
			m = nil
		}
		outside := j.near.outside(t.position())
		l := j.lossOf(&t, m)
		loss = standing{l, j.law.tangent(&t, j.law.lossAt(&t)), outside}
		score = standing{j.law.scoreFrom(l, &t), j.law.features(l, &t), outside}
		if m != nil && m.loss != nil {
			loss.row, loss.doubling = nil, 0
		}
		if m != nil && m.score != nil {
			score = standing{value: m.score.Value}
		}
		return loss, score
	}
	aLoss, aScore := standings(a)
	bLoss, bScore := standings(b)
	curve, link := j.law.curve, j.law.link
	loss := around(apart(&curve, j.lossError, aLoss, bLoss))
	score := around(apart(&link, j.scoreError, aScore, bScore))
	return Quality{
		Upstream:   hardware.Estimate{Interval: &loss},
		Downstream: hardware.Estimate{Interval: &score},
	}
}

// weakest returns the weakest class among the readings fitted.
func (p *predictor) weakest() data.Evidence {
	var classes []data.Evidence
	for i := range p.rows {
		for _, m := range []*data.Reading{p.rows[i].loss, p.rows[i].score} {
			if m != nil {
				classes = append(classes, m.Evidence)
			}
		}
	}
	return data.Weakest(classes...)
}

// paperTokens is the length of the paper's runs in inputs: 65,536 a step.
const paperTokens = plan.PaperSteps * 65536

func (j *publishedJudge) summary() (EvidenceSummary, error) {
	law := j.law
	p, k := law.loss, law.link.Coef
	weakest := j.weakest()
	out := EvidenceSummary{
		Kind: "published",
		Law: fmt.Sprintf(
			"loss = %.3f + %.1f/s^%.3f · exp(%.3f·ln²(a/%d)) with s = 2/(1/Ne + 1/Nd) + V·d_model/4 and a = d_model/layers; %s = %.1f − %.2f·loss − %.1f/encoder layers; fitted to %d shapes of Tay et al. (arXiv 2109.10686)",
			p[0], p[1], p[2], p[3], bestAspect, j.title, k[0], -k[1], -k[2], len(j.rows)),
		Score: j.title, Rows: len(j.rows), Weakest: weakest, Recalled: weakest == data.Recalled,
	}
	if j.tokens < paperTokens/2 || j.tokens > paperTokens*2 {
		out.Notes = append(out.Notes, fmt.Sprintf(
			"the evidence is of runs of %.3g input tokens; for this one of %.3g the levels do not hold, and differences between shapes may change", float64(paperTokens), j.tokens))
	}
	if j.foreign {
		out.Notes = append(out.Notes,
			"the evidence is of T5 v1.0 models (ReLU, tied head); this recipe differs")
	}
	var err error
	out.Check, err = j.request.heldOut()
	return out, err
}

func (j *publishedJudge) measures(s *shapes.Shape, p *flops.Parameters) bool {
	return j.judged(of(j.known, s, p)) != nil || of(j.widen, s, p) != nil
}
