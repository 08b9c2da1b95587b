package recommend

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// fittedJudge judges by a law that the caller fitted elsewhere. Where its records lay is not known,
// so every prediction is an extrapolation.
type fittedJudge struct {
	law  *fit.Result
	read []func(s *shapes.Shape, p *flops.Parameters) float64
	half float64 // half-width at the template
}

func (*fittedJudge) silence() string { return "" }

func (*fittedJudge) difference(a, b *Row) Quality { return plainDifference(a, b) }

func (*fittedJudge) effect(a, b *Row) Quality { return plainDifference(a, b) }

// fitColumns are the predictors that a candidate has.
var fitColumns = map[string]func(s *shapes.Shape, p *flops.Parameters) float64{
	"params":  func(_ *shapes.Shape, p *flops.Parameters) float64 { return float64(p.Total) },
	"d_model": func(s *shapes.Shape, _ *flops.Parameters) float64 { return float64(s.DModel) },
	"layers": func(s *shapes.Shape, _ *flops.Parameters) float64 {
		return float64(s.Encoder.Layers + s.Decoder.Layers)
	},
	"encoder_layers": func(s *shapes.Shape, _ *flops.Parameters) float64 { return float64(s.Encoder.Layers) },
	"decoder_layers": func(s *shapes.Shape, _ *flops.Parameters) float64 { return float64(s.Decoder.Layers) },
	"non_embedding_params": func(_ *shapes.Shape, p *flops.Parameters) float64 {
		return float64(p.NonEmbedding)
	},
}

func newFittedJudge(law *fit.Result, template *shapes.Shape, c *coster) (*fittedJudge, error) {
	if law.Law.Response != "loss" {
		return nil, fmt.Errorf("the fitted law %s predicts a %s; allowed: a law of loss",
			law.Law.Name, law.Law.Response)
	}
	j := &fittedJudge{law: law}
	for _, name := range law.Law.Columns {
		switch read, ok := fitColumns[name]; {
		case ok:
			j.read = append(j.read, read)
		case name == "tokens":
			j.read = append(j.read, func(_ *shapes.Shape, p *flops.Parameters) float64 { return c.tokens(float64(p.Total)) })
		case name == "flops":
			j.read = append(j.read, func(s *shapes.Shape, p *flops.Parameters) float64 { return c.cheap(plan.RunFLOPs, s, p) })
		default:
			known := []string{"tokens", "flops"}
			for k := range fitColumns {
				known = append(known, k)
			}
			slices.Sort(known)
			return nil, fmt.Errorf(
				"the fitted law %s reads %q, which candidates do not have; they have %s",
				law.Law.Name, name, strings.Join(known, ", "))
		}
	}
	p := flops.CountParameters(template)
	at := j.loss(template, &p)
	j.half = at.HalfWidth()
	return j, nil
}

func (j *fittedJudge) lawText() string {
	return fmt.Sprintf("%s, fitted by the caller to %d rows", j.law.Law.Formula, j.law.Rows)
}

func (j *fittedJudge) summary() (EvidenceSummary, error) {
	out := EvidenceSummary{
		Kind: "fit", Law: j.lawText(), Rows: j.law.Rows,
		Notes: []string{"the fit does not say which kind of models it is of, nor where its rows lay: every prediction counts as an extrapolation"},
	}
	if !j.tells("nl") && !j.tells("dm") {
		out.Unranked = true
		out.Notes = append(out.Notes,
			"the law reads neither depth nor width: shapes of one size are not ranked")
	}
	return out, nil
}

func (j *fittedJudge) derived(row *Row) []Derived { return shown(row) }

func (*fittedJudge) cited(*Row) []Cited { return nil }

func (j *fittedJudge) loss(s *shapes.Shape, p *flops.Parameters) quantity.Interval {
	x := make([]float64, len(j.read))
	for i, read := range j.read {
		x[i] = read(s, p)
	}
	return newRun(j.law, x)
}

// newRun returns the loss that a law predicts for one new run, with the central 80 % of runs that
// scatter about it as the fitted ones did.
func newRun(law *fit.Result, x []float64) quantity.Interval {
	v := law.Predict(x...)
	half := fit.NormalQuantile90 * law.RMS
	if !law.Objective.Raw() {
		half *= v
	}
	return quantity.Interval{Value: v, Low: v - half, High: v + half}
}

// PredictLoss returns the loss in nats that a law fitted by the caller predicts for a shape trained
// on a number of tokens with a number of FLOPs in all, with the central 80 % of runs that scatter as the
// fitted ones did. It knows nothing of where the law's rows lay. The error names a predictor that a
// run does not have.
func PredictLoss(law *fit.Result, s *shapes.Shape, tokens, runFLOPs float64) (quantity.Interval,
	error,
) {
	p := flops.CountParameters(s)
	x := make([]float64, len(law.Law.Columns))
	for i, name := range law.Law.Columns {
		switch read, ok := fitColumns[name]; {
		case ok:
			x[i] = read(s, &p)
		case name == "tokens":
			x[i] = tokens
		case name == "flops":
			x[i] = runFLOPs
		default:
			return quantity.Interval{}, fmt.Errorf(
				"the fitted law %s reads %q, which a planned run does not have", law.Law.Name, name)
		}
	}
	loss := newRun(law, x)
	if math.IsNaN(loss.Value) {
		return loss, fmt.Errorf("%s lies outside the domain of the fitted law %s", s.Name,
			law.Law.Name)
	}
	return loss, nil
}

func (j *fittedJudge) score(s *shapes.Shape, p *flops.Parameters) (value, half float64) {
	loss := j.loss(s, p)
	return -loss.Value, loss.HalfWidth()
}

func (j *fittedJudge) value(s *shapes.Shape, p *flops.Parameters) float64 {
	return -j.loss(s,
		p).Value
}

func (j *fittedJudge) usual() float64 { return j.half }

func (j *fittedJudge) unit() string { return lossUnit }

func (j *fittedJudge) measures(*shapes.Shape, *flops.Parameters) bool { return false }

func (j *fittedJudge) judgement(s *shapes.Shape, p *flops.Parameters) Judgement {
	loss := j.loss(s, p)
	out := Judgement{
		Quality: Quality{
			Upstream:   hardware.Estimate{Interval: &loss},
			Downstream: hardware.Estimate{Missing: "the fitted law is of the upstream loss"},
		},
		Class: Extrapolated, Basis: j.lawText(),
	}
	if math.IsNaN(loss.Value) {
		out.Quality.Upstream = hardware.Estimate{Missing: "the shape lies outside the law's domain"}
		out.Class = Rule
	}
	return out
}

// tells says whether the law reads what the operation changes, other than through size.
func (j *fittedJudge) tells(letters string) bool {
	reads := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return slices.Contains(j.law.Law.Columns, name) })
	}
	switch letters {
	case "nl":
		return reads("layers", "encoder_layers", "decoder_layers")
	case "el":
		return reads("layers", "encoder_layers")
	case "dl":
		return reads("layers", "decoder_layers")
	case "dm":
		return reads("d_model")
	}
	return false
}
