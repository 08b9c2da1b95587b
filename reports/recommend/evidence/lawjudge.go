package evidence

import (
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// lawJudge judges decoder-only models by published laws of their kind: size and tokens, depth and
// width by the law fitted to the cooled-down ends of the Gemstones suite, and the other printed laws
// beside it. It compares sizes and shapes for a budget; that a shape beats one that somebody named
// it cannot say, for the fits differ by more than is at stake.
type lawJudge struct {
	plain
	lead, other printedLaw // the two fits in width, depth, size and tokens
	bySize      []printedLaw
	tokens      func(params float64) float64
	near        region
	typical     float64 // how far the two fits are apart at the template
	notes       []string
}

// leadingLaw is fitted to fully trained runs, those whose learning rate was brought to zero.
const leadingLaw = "gemstones-cool-end"

// gemstones are the corners of that suite as d_model, layers, parameters and tokens (McLeish et al.
// 2025, arXiv 2502.06857, section 3).
var gemstones = [2][4]float64{{256, 3, 50e6, 5e9}, {3072, 80, 2e9, 350e9}}

// whyNoLaw says why no published law judges candidates, or "".
func whyNoLaw(c *Candidates) string {
	switch {
	case KindOf(c.Template) != decoderOnly:
		return WhyUncovered(c.Template)
	case c.Template.Decoder.Experts > 0:
		return "the published laws are of dense models: give records of your own runs"
	case c.Anchored:
		return "published laws of decoder-only models, fitted up to 2B parameters, disagree fourfold about the best width for a depth, more than any saving in question: give records of your own runs (--records), or a budget or a size without --like"
	}
	return ""
}

func newLawJudge(c *Candidates) *lawJudge {
	j := &lawJudge{tokens: c.Tokens}
	j.plain = plain{j.Judgement}
	for _, law := range printedLaws() {
		switch {
		case law.name == leadingLaw:
			j.lead = law
		case law.kind() == shapeLaw:
			j.other = law
		case law.kind() == sizeLaw:
			j.bySize = append(j.bySize, law)
		}
	}
	var corners [][]float64
	for _, g := range gemstones {
		corners = append(corners, doublings(g))
	}
	j.near = regionOf(corners)
	p := flops.CountParameters(c.Template)
	_, j.typical = j.Score(Subject{c.Template, &p})
	if c.Assumed != "" {
		j.notes = append(j.notes, c.Assumed)
	}
	return j
}

func doublings(values [4]float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = math.Log2(v)
	}
	return out
}

// position is what the laws of shape read of a subject.
func (j *lawJudge) position(s Subject) [4]float64 {
	n := float64(s.Params.Total)
	return [4]float64{float64(s.Shape.DModel), float64(s.Shape.Decoder.Layers), n, j.tokens(n)}
}

func (j *lawJudge) at(law *printedLaw, s Subject) float64 { return law.loss(j.position(s)) }

func (j *lawJudge) Value(s Subject) float64 { return -j.at(&j.lead, s) }

// Score has as its error how far the two fits are apart.
func (j *lawJudge) Score(s Subject) (value, half float64) {
	loss := j.at(&j.lead, s)
	return -loss, math.Abs(loss - j.at(&j.other, s))
}

func (j *lawJudge) Usual() float64 { return j.typical }

func (*lawJudge) Unit() string { return LossUnit }

// Judgement has as interval what all printed laws say.
func (j *lawJudge) Judgement(s Subject) Judgement {
	return Judgement{
		Quality:  j.all(func(law *printedLaw) float64 { return j.at(law, s) }),
		Class:    max(Interpolated, j.near.classify(doublings(j.position(s)))),
		Evidence: data.Primary,
		Basis:    "as the law of Gemstones says; the interval spans the printed laws",
	}
}

// all returns what the leading law says with the least and the most that any printed law says.
func (j *lawJudge) all(say func(*printedLaw) float64) Quality {
	lead := say(&j.lead)
	values := []float64{lead, say(&j.other)}
	for i := range j.bySize {
		values = append(values, say(&j.bySize[i]))
	}
	return Quality{
		estimated(quantity.Interval{Value: lead, Low: slices.Min(values), High: slices.Max(values)}),
		hardware.Estimate{Missing: "the published laws are of the upstream loss"},
	}
}

func (j *lawJudge) Difference(a, b Subject) Quality {
	return j.all(func(law *printedLaw) float64 { return j.at(law, a) - j.at(law, b) })
}

func (j *lawJudge) Effect(a, b Subject) Quality { return j.Difference(a, b) }

func (*lawJudge) Tells(letters string) bool {
	return letters == "nl" || letters == "dl" || letters == "dm"
}

func (j *lawJudge) lawText() string {
	c := j.lead.constants
	return fmt.Sprintf("loss = %.3f + %.2f/d_model^%.3f + %.3f/layers^%.3f + %.0f/N^%.3f + %.0f/D^%.3f (Gemstones, McLeish et al. 2025, arXiv 2502.06857)",
		math.Exp(c["E"]), math.Exp(c["c_width"]), c["alpha_width"], math.Exp(c["c_depth"]),
		c["alpha_depth"], math.Exp(c["c_params"]), c["alpha_params"], math.Exp(c["c_tokens"]),
		c["alpha_tokens"])
}

func (j *lawJudge) Summary() (Summary, error) {
	return Summary{
		Kind: "laws", Law: j.lawText(),
		Notes: append([]string{
			"these laws are of decoder-only models up to 2B parameters on other data: levels do not carry over, and five fits of the suite disagree fourfold about the best width for a depth at 1e24 FLOP",
			"intervals of the loss span the printed laws of Chinchilla and Gemstones",
		}, j.notes...),
	}, nil
}
