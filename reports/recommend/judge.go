package recommend

import (
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// judge says how good shapes are.
type judge interface {
	// score returns the judged quality, larger is better, and its 80 % half-width.
	score(s *shapes.Shape, p *flops.Parameters) (value, half float64)
	// value returns the score alone, at less expense.
	value(s *shapes.Shape, p *flops.Parameters) float64
	// usual is the half-width amid the evidence.
	usual() float64
	// measures says whether exactly this shape was measured.
	measures(s *shapes.Shape, p *flops.Parameters) bool
	// describe fills the quality of a shown row.
	describe(row *Row)
	unit() string // of score, for sentences
	// tells says whether the evidence knows what a scaling operation alone gains.
	tells(letters string) bool
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

// publishedJudge judges by the shipped results.
type publishedJudge struct {
	*predictor
	by    Judge
	known map[int64][]int // readings by parameter count
	// foreign is true for shapes that share no recipe with the readings: a prediction for them is
	// never an interpolation.
	foreign bool
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

func newPublishedJudge(r *Request, template *shapes.Shape) (*publishedJudge, error) {
	p, err := r.predictor()
	if err != nil {
		return nil, err
	}
	j := &publishedJudge{
		predictor: p, by: r.Judge, known: map[int64][]int{},
		foreign: template.Family != shapes.T5,
	}
	for i := range p.rows {
		n := int64(p.rows[i].traits.params)
		j.known[n] = append(j.known[n], i)
	}
	return j, nil
}

// measured returns the reading of exactly this architecture, or nil.
func (j *publishedJudge) measured(s *shapes.Shape, p *flops.Parameters) *reading {
	for _, i := range j.known[p.Total] {
		if j.rows[i].shape.SameArchitecture(*s) {
			return &j.rows[i]
		}
	}
	return nil
}

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
	loss, score := j.both(s, p)
	if j.by == ByUpstream {
		return -loss.Value, loss.HalfWidth()
	}
	return score.Value, score.HalfWidth()
}

func (j *publishedJudge) value(s *shapes.Shape, p *flops.Parameters) float64 {
	if j.measured(s, p) != nil {
		value, _ := j.score(s, p)
		return value
	}
	t := traitsOf(s, p)
	loss := j.law.lossAt(&t)
	if j.by == ByUpstream {
		return -loss
	}
	return j.law.scoreFrom(loss, &t)
}

// both returns loss and score: the measured number where there is one, with the error of the laws
// where σ = 1, which is no less than the noise of a single run; else the prediction, from the
// measured loss where there is one. A score converted from SuperGLUE has the errors of the
// conversion and of the run.
func (j *publishedJudge) both(s *shapes.Shape, p *flops.Parameters) (loss,
	score quantity.Interval,
) {
	t := traitsOf(s, p)
	around := func(v, half float64) quantity.Interval {
		return quantity.Interval{Value: v, Low: v - half, High: v + half}
	}
	m := j.measured(s, p)
	if m == nil || m.upstream == nil || m.score == nil {
		law := j.predict(&t)
		loss, score = around(law.loss, law.lossHalf), around(law.score, law.scoreHalf)
	}
	if m != nil && m.upstream != nil {
		loss = around(m.upstream.Value, j.lossError)
		if m.score == nil {
			score = around(j.law.scoreFrom(m.upstream.Value, &t), score.HalfWidth())
		}
	}
	if m != nil && m.score != nil {
		score = around(m.score.Value, j.scoreError/m.weight())
	}
	return loss, score
}

func (j *publishedJudge) describe(row *Row) {
	loss, score := j.both(&row.Shape, &row.Params)
	row.Quality = Quality{
		Upstream:   hardware.Estimate{Interval: &loss},
		Downstream: hardware.Estimate{Interval: &score},
	}
	t := traitsOf(&row.Shape, &row.Params)
	row.Nearest = j.nearest(&t)
	row.Evidence = j.weakest()
	if m := j.measured(&row.Shape, &row.Params); m != nil {
		judged := m.score
		if j.by == ByUpstream {
			judged = m.upstream
		}
		if judged != nil {
			row.Class, row.Evidence = Measured, judged.Evidence
			return
		}
	}
	row.Class = j.classify(&t)
	if j.foreign {
		row.Class = max(row.Class, Extrapolated)
	}
}

// weakest returns the weakest class among the readings fitted.
func (p *predictor) weakest() data.Evidence {
	var classes []data.Evidence
	for i := range p.rows {
		for _, m := range []*data.Reading{p.rows[i].upstream, p.rows[i].score} {
			if m != nil {
				classes = append(classes, m.Evidence)
			}
		}
	}
	return data.Weakest(classes...)
}

// summary says what the judgement rests on.
func (j *publishedJudge) summary(r *Request, c *coster) EvidenceSummary {
	law := j.law
	p, k := law.loss.Params, law.link.coef
	out := EvidenceSummary{
		Kind: "published",
		Law: fmt.Sprintf(
			"loss = %.3f + %.1f/b^%.4f with b the balanced size 2/(1/Ne + 1/Nd); score = %.1f − %.2f·loss + %.2f·ln min(encoder layers, %d); fitted to Tay et al. 2021 (arXiv 2109.10686)",
			p[0], p[1], p[2], k[0], -k[1], k[2], plateau),
		Rows: len(j.rows), Weakest: j.weakest(),
	}
	for i := range j.rows {
		for _, m := range []*data.Reading{j.rows[i].upstream, j.rows[i].score} {
			out.Recalled = out.Recalled || m != nil && m.Evidence == data.Recalled
		}
	}
	out.Notes = append(out.Notes,
		fmt.Sprintf(
			"no gain is assumed beyond %d encoder layers: a prior from the paper, not a measurement",
			plateau))
	const paperTokens = paperSteps * 65536 // inputs
	if tokens := c.tokens(float64(paperTokens)); tokens < paperTokens/2 || tokens > paperTokens*2 {
		out.Notes = append(out.Notes, fmt.Sprintf(
			"the evidence is of runs of %.3g input tokens; for this one of %.3g the levels do not hold, and differences between shapes may change", float64(paperTokens), tokens))
	}
	if j.foreign {
		out.Notes = append(out.Notes,
			"the evidence is of T5 v1.0 models (ReLU, tied head); this recipe differs")
	}
	return out
}

func (j *publishedJudge) measures(s *shapes.Shape, p *flops.Parameters) bool {
	m := j.measured(s, p)
	if j.by == ByUpstream {
		return m != nil && m.upstream != nil
	}
	return m != nil && m.score != nil
}
