package recommend

import (
	"fmt"

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
	request *Request
	tokens  float64         // of the template's run
	known   map[int64][]int // readings by parameter count
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

func newPublishedJudge(r *Request, template *shapes.Shape, c *coster) (*publishedJudge, error) {
	p, err := r.predictor()
	if err != nil {
		return nil, err
	}
	j := &publishedJudge{
		predictor: p, by: r.JudgedBy, request: r, tokens: c.tokens(paperTokens),
		known:   map[int64][]int{},
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

func (*publishedJudge) silence() string { return "" }

func (j *publishedJudge) judgement(s *shapes.Shape, p *flops.Parameters) Judgement {
	loss, score := j.both(s, p)
	out := Judgement{
		Quality: Quality{
			Upstream:   hardware.Estimate{Interval: &loss},
			Downstream: hardware.Estimate{Interval: &score},
		},
		Evidence: j.weakest(),
		Basis:    j.basis(s, p),
	}
	t := traitsOf(s, p)
	here := t.position()
	at, factor := j.near.nearest(here)
	out.Nearest = &Neighbour{Name: j.measuredRows[at].shape.Name, Distance: factor}
	if m := j.measured(s, p); m != nil {
		judged := m.score
		if j.by == ByUpstream {
			judged = m.upstream
		}
		if judged != nil {
			out.Class, out.Evidence = Measured, judged.Evidence
			return out
		}
	}
	out.Class = j.near.classify(here)
	if j.foreign {
		out.Class = max(out.Class, Extrapolated)
	}
	return out
}

// basis says which of the two qualities are the law's.
func (j *publishedJudge) basis(s *shapes.Shape, p *flops.Parameters) string {
	m := j.measured(s, p)
	switch {
	case m == nil || m.upstream == nil && m.score == nil:
		return "as the law says"
	case m.upstream == nil || m.score == nil:
		return "measured where it was, the other from it by the law"
	case m.converted:
		return "loss as measured; score from the measured SuperGLUE"
	}
	return "as measured, with the error of the law"
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

// paperTokens is the length of the paper's runs in inputs: 65,536 a step.
const paperTokens = plan.PaperSteps * 65536

func (j *publishedJudge) summary() (EvidenceSummary, error) {
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
	if j.tokens < paperTokens/2 || j.tokens > paperTokens*2 {
		out.Notes = append(out.Notes, fmt.Sprintf(
			"the evidence is of runs of %.3g input tokens; for this one of %.3g the levels do not hold, and differences between shapes may change", float64(paperTokens), j.tokens))
	}
	if j.foreign {
		out.Notes = append(out.Notes,
			"the evidence is of T5 v1.0 models (ReLU, tied head); this recipe differs")
	}
	var err error
	out.Check, err = j.request.heldOut(j.predictor)
	return out, err
}

func (j *publishedJudge) measures(s *shapes.Shape, p *flops.Parameters) bool {
	m := j.measured(s, p)
	if j.by == ByUpstream {
		return m != nil && m.upstream != nil
	}
	return m != nil && m.score != nil
}
