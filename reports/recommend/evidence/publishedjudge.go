package evidence

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// publishedJudge judges by the shipped results.
type publishedJudge struct {
	*publishedEvidence
	by      JudgedBy
	title   string  // of the score
	tokens  float64 // of the template's run
	foreign bool    // the template's recipe is not that of the readings
	// listed candidates may be of any kind: those that the readings do not cover are not judged.
	listed bool
}

// WhyUncovered says why the shipped results say nothing of a template, or "".
func WhyUncovered(s *shapes.Shape) string {
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

func newPublishedJudge(b *Basis, c *Candidates) (*publishedJudge, error) {
	e, err := b.published()
	if err != nil {
		return nil, err
	}
	params := float64(flops.CountParameters(c.Template).Total)
	return &publishedJudge{
		publishedEvidence: e, by: b.JudgedBy, title: scoreTitles[b.Score],
		tokens: c.Tokens(params), foreign: c.Template.Family != shapes.T5, listed: c.Listed != nil,
	}, nil
}

// publishedEvidence is the laws fitted to the shipped readings of some classes, and these by
// parameter count.
type publishedEvidence struct {
	*predictor
	known map[int64][]*reading
	widen map[int64][]*reading // recalled readings: they widen intervals and decide nothing
	// heldOut is what the laws predict of their own rows.
	heldOut func() (*LeaveOneOut, error)
}

// usualEvidence is that of the usual classes by score: it depends on nothing else, and is fitted
// once. It must not be changed.
var usualEvidence = func() (all [scores]func() (*publishedEvidence, error)) {
	for s := range scores {
		all[s] = sync.OnceValues(func() (*publishedEvidence, error) {
			return newPublishedEvidence(evidenceFor(s, nil))
		})
	}
	return all
}()

func newPublishedEvidence(rows, widening []reading) (*publishedEvidence, error) {
	p, err := newPredictor(rows, nil)
	if err != nil {
		return nil, err
	}
	return &publishedEvidence{
		p, byParams(p.rows), byParams(widening),
		sync.OnceValues(func() (*LeaveOneOut, error) { return leaveOneOut(p.rows, p.law) }),
	}, nil
}

func byParams(rows []reading) map[int64][]*reading {
	out := map[int64][]*reading{}
	for i := range rows {
		n := int64(rows[i].traits.params)
		out[n] = append(out[n], &rows[i])
	}
	return out
}

// published returns the shipped evidence of a score and classes.
func (b *Basis) published() (*publishedEvidence, error) {
	if len(b.Evidence) == 0 {
		return usualEvidence[b.Score]()
	}
	return newPublishedEvidence(evidenceFor(b.Score, b.Evidence))
}

// of returns the reading of exactly this architecture, or nil.
func of(known map[int64][]*reading, s Subject) *reading {
	for _, m := range known[s.Params.Total] {
		if m.shape.SameArchitecture(*s.Shape) {
			return m
		}
	}
	return nil
}

func (*publishedJudge) Silence() string { return "" }

func (j *publishedJudge) Usual() float64 {
	if j.by == ByUpstream {
		return j.lossError
	}
	return j.scoreError
}

func (j *publishedJudge) Unit() string {
	if j.by == ByUpstream {
		return LossUnit
	}
	return scoreUnit
}

func (j *publishedJudge) Score(s Subject) (value, half float64) {
	t := traitsOf(s)
	loss, score := j.both(&t, of(j.known, s))
	if j.by == ByUpstream {
		return -loss.Value, loss.HalfWidth()
	}
	return score.Value, score.HalfWidth()
}

func (j *publishedJudge) Value(s Subject) float64 {
	if j.listed && WhyUncovered(s.Shape) != "" {
		return math.NaN()
	}
	t, m := traitsOf(s), of(j.known, s)
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

func (j *publishedJudge) Judgement(s Subject) Judgement {
	if why := WhyUncovered(s.Shape); j.listed && why != "" {
		return unjudged(why)
	}
	t, m := traitsOf(s), of(j.known, s)
	loss, score := j.both(&t, m)
	here := t.position()
	at, factor := j.near.nearest(here)
	out := Judgement{
		Class: j.near.classify(here), Evidence: j.weakest(),
		Nearest: &Neighbour{Name: j.scored[at].shape.Name, Distance: factor}, Basis: basis(m),
	}
	if j.near.low[2] == j.near.high[2] && t.depthRatio != 1 {
		out.Basis += "; no measured shape says how stacks of different depth join"
	}
	if s.Shape.Family != shapes.T5 { // another recipe: never an interpolation
		out.Class = max(out.Class, Extrapolated)
	}
	if judged := j.judged(m); judged != nil {
		out.Class, out.Evidence = Measured, judged.Evidence
	} else if w := of(j.widen, s); w != nil {
		widened := widen(&loss, w.loss)
		if widen(&score, w.score) || widened {
			out.Basis += "; widened to hold a recalled value"
		}
	}
	out.Quality = Quality{estimated(loss), estimated(score)}
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

func (j *publishedJudge) Difference(a, b Subject) Quality { return j.between(a, b, false) }

func (j *publishedJudge) Effect(a, b Subject) Quality {
	byLaw := j.judged(of(j.known, a)) == nil || j.judged(of(j.known, b)) == nil
	return j.between(a, b, byLaw)
}

// between returns what shape a has more than b of loss and of score, by the law alone or as
// measured where it was.
func (j *publishedJudge) between(a, b Subject, byLaw bool) Quality {
	for _, s := range []Subject{a, b} {
		if why := WhyUncovered(s.Shape); j.listed && why != "" {
			return unjudged(why).Quality
		}
	}
	standings := func(s Subject) (loss, score standing) {
		t, m := traitsOf(s), of(j.known, s)
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
	return Quality{
		estimated(around(apart(&curve, j.lossError, aLoss, bLoss))),
		estimated(around(apart(&link, j.scoreError, aScore, bScore))),
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

func (j *publishedJudge) Summary() (Summary, error) {
	law := j.law
	p, k := law.loss, law.link.Coef
	out := Summary{
		Kind: "published",
		Law: fmt.Sprintf(
			"loss = %.3f + %.1f/s^%.3f · exp(%.3f·ln²(a/%d)) with s = 2/(1/Ne + 1/Nd) + V·d_model/4 and a = d_model/layers; %s = %.1f − %.2f·loss − %.1f/encoder layers; fitted to %d shapes of Tay et al. (arXiv 2109.10686)",
			p[0], p[1], p[2], p[3], bestAspect, j.title, k[0], -k[1], -k[2], len(j.rows)),
		Score: j.title, Rows: len(j.rows), Recalled: j.weakest() == data.Recalled,
	}
	if j.tokens < paperTokens/2 || j.tokens > paperTokens*2 {
		out.Notes = append(out.Notes, fmt.Sprintf(
			"the evidence is of runs of %.3g input tokens; for this one of %.3g the levels do not hold, and differences between shapes may change", float64(paperTokens), j.tokens))
	}
	if j.foreign {
		out.Notes = append(out.Notes,
			"the evidence is of T5 v1.0 models (ReLU, tied head); this recipe differs")
	}
	check, err := j.heldOut()
	if err != nil {
		return out, err
	}
	own := *check // it is shared
	out.Check = &own
	return out, nil
}

func (j *publishedJudge) Measures(s Subject) bool {
	return j.judged(of(j.known, s)) != nil || of(j.widen, s) != nil
}

// Tells says whether the law reads the operation and the rows that it is fitted to vary in it: the
// depths of both stacks together, of which either is part, d_model and d_ff. Heads and d_kv vary in
// no row alone.
func (*publishedJudge) Tells(letters string) bool {
	return slices.Contains([]string{"nl", "el", "dl", "dm", "ff"}, letters)
}

// Derived follows the published law through one shape.
func (j *publishedJudge) Derived(s Subject) []Derived {
	t := traitsOf(s)
	encoder, decoder := matrices(s.Params)
	p, k, law := j.law.loss, j.law.link.Coef, j.predict(&t)
	curve, link := j.scales(law.loss, &t)
	const own = "fitted here to the rows below; evidence.publishedLaw"
	exact := func(name string, kind quantity.Kind, v float64, formula, where string) Derived {
		return Derived{name, kind, around(v, 0), formula, where}
	}
	out := []Derived{
		exact("Ne", quantity.Params, encoder, "matrix parameters of the encoder layers",
			"flops.CountParameters"),
		exact("Nd", quantity.Params, decoder, "matrix parameters of the decoder layers",
			"flops.CountParameters"),
		exact("s", quantity.Params, t.size, "2/(1/Ne + 1/Nd) + V·d_model/4",
			"after Ghorbani et al. 2021, arXiv 2109.07740; evidence.publishedLaw"),
		exact("a", quantity.Number, t.aspect, "d_model/((el + dl)/2)", "evidence.publishedLaw"),
		exact("σ of the loss", quantity.Number, curve,
			fmt.Sprintf("√(1 + h) · 2^%.2f: leverage, and doublings beyond the evidence",
				j.near.outside(t.position())),
			"Lei et al. 2018, arXiv 1604.04173; the last factor is a rule"),
		exact("σ of the score", quantity.Number, link, "likewise", "Lei et al. 2018, arXiv 1604.04173"),
		{
			"loss by the law", quantity.Number, around(law.loss, law.lossHalf),
			fmt.Sprintf("%.4g + %.4g/s^%.4g · exp(%.3g·ln²(a/%d)) ± %.3g·σ", p[0], p[1], p[2], p[3],
				bestAspect, j.lossError), own,
		},
		{
			j.title + " by the law", quantity.Number, around(law.score, law.scoreHalf),
			fmt.Sprintf("%.5g − %.4g·loss − %.3g/el ± %.3g·σ", k[0], -k[1], -k[2], j.scoreError), own,
		},
	}
	shown := j.Judgement(s)
	return append(out, shown.derived()...)
}

func (j *publishedJudge) Cited(s Subject) []Cited {
	t := traitsOf(s)
	all := make([][]float64, len(j.rows))
	for i := range j.rows {
		all[i] = j.rows[i].traits.position()
	}
	where, here := regionOf(all), t.position()
	var out []Cited
	for i := range j.rows {
		m := &j.rows[i]
		c := Cited{
			Name: m.name, Shape: m.shape.Name, Distance: math.Exp2(where.distance(i, here)),
			Upstream: m.loss, Score: m.score, Sources: m.from,
		}
		if m.loss != nil {
			loss := j.law.lossAt(&m.traits)
			c.LawUpstream = &loss
		}
		if m.score != nil {
			score := j.law.scoreAt(&m.traits)
			c.LawScore = &score
		}
		out = append(out, c)
	}
	return nearestFirst(out)
}
