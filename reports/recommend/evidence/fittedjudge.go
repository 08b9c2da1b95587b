package evidence

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// fittedJudge judges by a law that the caller fitted elsewhere. Where its records were is not known,
// so every prediction is an extrapolation.
type fittedJudge struct {
	plain
	law  *fit.Result
	read []func(Subject) float64 // the law's predictors
	half float64                 // half-width at the template
}

// fitColumns are the predictors that a shape has by itself.
var fitColumns = map[string]func(Subject) float64{
	"params":               func(s Subject) float64 { return float64(s.Params.Total) },
	"non_embedding_params": func(s Subject) float64 { return float64(s.Params.NonEmbedding) },
	"d_model":              func(s Subject) float64 { return float64(s.Shape.DModel) },
	"layers":               func(s Subject) float64 { return float64(s.Shape.Encoder.Layers + s.Shape.Decoder.Layers) },
	"encoder_layers":       func(s Subject) float64 { return float64(s.Shape.Encoder.Layers) },
	"decoder_layers":       func(s Subject) float64 { return float64(s.Shape.Decoder.Layers) },
}

// readLaw returns the judge by a law of runs with these tokens and FLOPs, and the first predictor
// that such runs lack.
func readLaw(law *fit.Result, tokens, runFLOPs func(Subject) float64) (j *fittedJudge, lacking string) {
	j = &fittedJudge{law: law}
	j.plain = plain{j.Judgement}
	for _, name := range law.Law.Columns {
		read, ok := fitColumns[name]
		switch {
		case ok:
		case name == "tokens":
			read = tokens
		case name == "flops":
			read = runFLOPs
		default:
			return j, name
		}
		j.read = append(j.read, read)
	}
	return j, ""
}

// Uses says what a law that the caller fitted is good for: the loss of planned runs, and the choice of
// shapes.
func Uses(law *fit.Law) (plans, ranks bool) {
	plans = law.Response == "loss"
	for _, name := range law.Columns {
		_, ofShape := fitColumns[name]
		ranks = ranks || ofShape || name == "flops"
		plans = plans && (ofShape || name == "flops" || name == "tokens")
	}
	return plans, plans && ranks
}

func newFittedJudge(law *fit.Result, c *Candidates) (*fittedJudge, error) {
	if law.Law.Response != "loss" {
		return nil, fmt.Errorf("the fitted law %s predicts a %s; allowed: a law of loss",
			law.Law.Name, law.Law.Response)
	}
	tokens := func(s Subject) float64 { return c.Tokens(float64(s.Params.Total)) }
	j, lacking := readLaw(law, tokens, c.FLOPs)
	if lacking != "" {
		known := slices.Sorted(maps.Keys(fitColumns))
		known = append(known, "flops", "tokens")
		slices.Sort(known)
		return nil, fmt.Errorf(
			"the fitted law %s reads %q, which candidates do not have; they have %s",
			law.Law.Name, lacking, strings.Join(known, ", "))
	}
	p := flops.CountParameters(c.Template)
	if _, ranks := Uses(&law.Law); !ranks && c.Tokens(1) == c.Tokens(float64(p.Total)) {
		return nil, fmt.Errorf("the fitted law %s reads tokens alone, which are the same for every shape; "+
			"allowed: a law that reads params too, or tokens per parameter", law.Law.Name)
	}
	_, j.half = j.Score(Subject{c.Template, &p})
	return j, nil
}

func (j *fittedJudge) lawText() string {
	return fmt.Sprintf("%s, fitted by the caller to %s", j.law.Law.Formula, quantity.Of(j.law.Rows, "row"))
}

func (j *fittedJudge) Summary() (Summary, error) {
	out := Summary{
		Kind: "fit", Law: j.lawText(), Rows: j.law.Rows,
		Notes: []string{"the fit does not say which kind of models it is of, nor where its rows lay: every prediction counts as an extrapolation"},
	}
	if !j.Tells("nl") && !j.Tells("dm") {
		out.Unranked = true
		out.Notes = append(out.Notes,
			"the law reads neither depth nor width: shapes of one size are not ranked")
	}
	return out, nil
}

// loss returns the loss that the law predicts for one new run, with the central 80 % of runs that
// scatter about it as the fitted ones did.
func (j *fittedJudge) loss(s Subject) quantity.Interval {
	x := make([]float64, len(j.read))
	for i, read := range j.read {
		x[i] = read(s)
	}
	v := j.law.Predict(x...)
	half := fit.NormalQuantile90 * j.law.RMS
	if !j.law.Objective.Raw() {
		half *= v
	}
	return around(v, half)
}

// predictLoss returns the loss in nats that a law fitted by the caller predicts for a shape trained
// on a number of tokens with a number of FLOPs in all, with the central 80 % of runs that scatter as
// the fitted ones did. It knows nothing of where the law's rows were. The error names a predictor
// that a run does not have.
func predictLoss(law *fit.Result, s *shapes.Shape, tokens, runFLOPs float64) (quantity.Interval,
	error,
) {
	j, lacking := readLaw(law, func(Subject) float64 { return tokens },
		func(Subject) float64 { return runFLOPs })
	if lacking != "" {
		return quantity.Interval{}, fmt.Errorf(
			"the fitted law %s reads %q, which a planned run does not have", law.Law.Name, lacking)
	}
	p := flops.CountParameters(s)
	loss := j.loss(Subject{s, &p})
	if math.IsNaN(loss.Value) {
		return loss, fmt.Errorf("%s lies outside the domain of the fitted law %s", s.Name,
			law.Law.Name)
	}
	return loss, nil
}

func (j *fittedJudge) Score(s Subject) (value, half float64) {
	loss := j.loss(s)
	return -loss.Value, loss.HalfWidth()
}

func (j *fittedJudge) Value(s Subject) float64 { return -j.loss(s).Value }

func (j *fittedJudge) Usual() float64 { return j.half }

func (j *fittedJudge) Unit() string { return LossUnit }

func (j *fittedJudge) Judgement(s Subject) Judgement {
	out := Judgement{
		Quality: Quality{
			estimated(j.loss(s)),
			hardware.Estimate{Missing: "the fitted law is of the upstream loss"},
		},
		Class: Extrapolated, Basis: j.lawText(),
	}
	if math.IsNaN(out.Quality.Upstream.Interval.Value) {
		out.Quality.Upstream = hardware.Estimate{Missing: "the shape lies outside the law's domain"}
		out.Class = Rule
	}
	return out
}

// Tells says whether the law reads what the operation changes, other than through size.
func (j *fittedJudge) Tells(letters string) bool {
	return slices.ContainsFunc(map[string][]string{
		"nl": {"layers", "encoder_layers", "decoder_layers"}, "el": {"layers", "encoder_layers"},
		"dl": {"layers", "decoder_layers"}, "dm": {"d_model"},
	}[letters], func(column string) bool { return slices.Contains(j.law.Law.Columns, column) })
}

// RunLoss returns the loss that a fitted law predicts for the end of a planned run, with what the law
// rests on. A law whose tokens are positions of both stacks reads them so. The error says why none is
// predicted.
func RunLoss(a *plan.Answer, law *learn.Law) (loss quantity.Interval, source string, err error) {
	tokens, work := a.Schedule.Tokens.Interval, a.RunFLOPs.Interval
	if tokens == nil || work == nil {
		return loss, "", errors.New("the length of the run is not known")
	}
	positions, source := tokens.Value, law.Source
	s, w := &a.Run.Shape, a.Run.Workload
	if law.BothStacks && s.Encoder.Layers > 0 && s.Decoder.Layers > 0 {
		positions *= float64(w.EncoderLength+w.DecoderLength) / float64(w.EncoderLength)
		source += fmt.Sprintf("; its tokens are positions of both stacks, here %s",
			quantity.Format(quantity.Tokens, positions, 3))
	}
	loss, err = predictLoss(law.Result, s, positions, work.Value)
	return loss, source, err
}
