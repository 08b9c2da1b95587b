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

// recordJudge judges by the caller's records.
type recordJudge struct {
	law     chosen
	records []Record
	runs    []runTraits
	// lossError is the 80 % quantile of the held-out errors in ln loss.
	lossError float64
	link      *scoreLink // nil without scores
	by        Judge
	tokens    func(params float64) float64
	low, high [runDimensions]float64
	typical   float64 // median loss, which turns errors in ln loss into nats
	oneAspect bool    // depth and size go together in the records
}

// scoreLink is a line from loss, and depth where that helps, to score.
type scoreLink struct {
	line  linear
	depth bool
	err   float64 // 80 % quantile of the held-out errors
}

const runDimensions = 3

// position returns size, depth and aspect in doublings.
func (t *runTraits) position() [runDimensions]float64 {
	return [...]float64{t.params / math.Ln2, t.depth / math.Ln2, t.aspect() / math.Ln2}
}

// minimumRecords is what the smallest law and its held-out error need.
const minimumRecords = 6

func newRecordJudge(r *Request, template *shapes.Shape, tokens func(params float64) float64,
	summary *EvidenceSummary,
) (*recordJudge, error) {
	kept, notes := usable(r, template)
	summary.Notes = append(summary.Notes, notes...)
	if len(kept) < minimumRecords {
		return nil, fmt.Errorf("%d usable records; at least %d are needed", len(kept),
			minimumRecords)
	}
	j := &recordJudge{records: kept, by: r.Judge, tokens: tokens}
	var loss, errors []float64
	for d := range j.low {
		j.low[d], j.high[d] = math.Inf(1), math.Inf(-1)
	}
	for i := range kept {
		t := kept[i].traits()
		j.runs, loss = append(j.runs, t), append(loss, *kept[i].Loss)
		for d, v := range t.position() {
			j.low[d], j.high[d] = min(j.low[d], v), max(j.high[d], v)
		}
	}
	var err error
	if j.law, err = chooseSurface(j.runs, loss); err != nil {
		return nil, err
	}
	for _, e := range j.law.errors {
		errors = append(errors, math.Abs(e))
	}
	j.lossError, j.typical = usualError(errors), median(loss)
	j.link = fitLink(kept, j.runs)
	j.oneAspect = !variationOf(j.runs).depth
	j.summarise(summary)
	if r.assumed != "" {
		summary.Notes = append(summary.Notes, r.assumed)
	}
	return j, nil
}

// fitLink fits the scores to the recorded losses, with depth where that lowers the leave-one-out
// error; nil where scores are too few.
func fitLink(records []Record, runs []runTraits) *scoreLink {
	var best *scoreLink
	least := math.Inf(1)
	for _, depth := range []bool{false, true} {
		var x, y, weight []float64
		for i := range records {
			if records[i].Score == nil {
				continue
			}
			x = append(x, 1, *records[i].Loss)
			if depth {
				x = append(x, runs[i].depth)
			}
			y, weight = append(y, *records[i].Score), append(weight, 1)
		}
		if len(y) < minimumRecords {
			return nil
		}
		l, ok := leastSquares(x, y, weight)
		if !ok {
			continue
		}
		n := len(x) / len(y)
		var errors []float64
		for i, v := range y { // the leave-one-out residual of a linear fit is e/(1 − h)
			row := x[i*n : (i+1)*n]
			errors = append(errors, math.Abs(v-l.at(row))/(1-l.leverage(row)))
		}
		if rms := rootMeanSquare(errors); rms < least {
			least, best = rms, &scoreLink{line: l, depth: depth, err: usualError(errors)}
		}
	}
	return best
}

func (l *scoreLink) at(loss, depth float64) float64 {
	if l.depth {
		return l.line.at([]float64{1, loss, depth})
	}
	return l.line.at([]float64{1, loss})
}

func (j *recordJudge) traits(s *shapes.Shape, p *flops.Parameters) runTraits {
	params := float64(p.Total)
	return runTraits{
		params: math.Log(params), depth: math.Log(float64(s.Encoder.Layers + s.Decoder.Layers)),
		width: math.Log(float64(s.DModel)), tokens: math.Log(j.tokens(params)),
	}
}

func (j *recordJudge) outside(t *runTraits) float64 {
	worst := 0.0
	for d, v := range t.position() {
		worst = max(worst, j.low[d]-v, v-j.high[d])
	}
	return worst
}

// both returns loss and score with 80 % intervals: held-out errors, doubled for each doubling
// outside the records.
func (j *recordJudge) both(t *runTraits) (loss, score quantity.Interval) {
	beyond := math.Exp2(j.outside(t))
	v := j.law.loss(t)
	half := j.lossError * v * beyond
	loss = quantity.Interval{Value: v, Low: v - half, High: v + half}
	if j.link != nil {
		s := j.link.at(v, t.depth)
		slope := math.Abs(j.link.line.coef[1])
		half = math.Hypot(j.link.err*beyond, slope*half)
		score = quantity.Interval{Value: s, Low: s - half, High: s + half}
	}
	return loss, score
}

func (j *recordJudge) scores() bool { return j.by == ByDownstream && j.link != nil }

func (j *recordJudge) score(s *shapes.Shape, p *flops.Parameters) (value, half float64) {
	t := j.traits(s, p)
	loss, score := j.both(&t)
	if j.scores() {
		return score.Value, score.HalfWidth()
	}
	return -loss.Value, loss.HalfWidth()
}

// judges says whether the records can judge a shape at all. Where they cannot rank aspect ratios,
// that is at their own aspect ratios; else it is within one doubling of their depths and aspect
// ratios. Size may be extrapolated: that is what budgets are for, and the interval says how far it
// goes.
func (j *recordJudge) judges(t *runTraits) bool {
	const same = 0.15 // doublings: 11 %
	slack := [runDimensions]float64{math.Inf(1), 1, 1}
	if j.oneAspect {
		slack = [...]float64{math.Inf(1), math.Inf(1), same}
	}
	for d, v := range t.position() {
		if v < j.low[d]-slack[d] || v > j.high[d]+slack[d] {
			return false
		}
	}
	return true
}

// value is the score without its half-width, not a number for a shape that the records cannot
// judge.
func (j *recordJudge) value(s *shapes.Shape, p *flops.Parameters) float64 {
	t := j.traits(s, p)
	if !j.judges(&t) {
		return math.NaN()
	}
	loss := j.law.loss(&t)
	if j.scores() {
		return j.link.at(loss, t.depth)
	}
	return -loss
}

func (j *recordJudge) usual() float64 {
	half := j.lossError * j.typical
	if j.scores() {
		return math.Hypot(j.link.err, j.link.line.coef[1]*half)
	}
	return half
}

func (j *recordJudge) unit() string {
	if j.scores() {
		return scoreUnit
	}
	return lossUnit
}

func (j *recordJudge) measures(*shapes.Shape, *flops.Parameters) bool { return false }

func (j *recordJudge) describe(row *Row) {
	t := j.traits(&row.Shape, &row.Params)
	loss, score := j.both(&t)
	row.Quality.Upstream = hardware.Estimate{Interval: &loss}
	if j.link != nil {
		row.Quality.Downstream = hardware.Estimate{Interval: &score}
	} else {
		row.Quality.Downstream = hardware.Estimate{Missing: fmt.Sprintf(
			"fewer than %d records have a score", minimumRecords)}
	}
	var classes []data.Evidence
	best := math.Inf(1)
	here := t.position()
	for i := range j.records {
		if j.records[i].Evidence != "" {
			classes = append(classes, j.records[i].Evidence)
		}
		worst := 0.0
		for d, v := range j.runs[i].position() {
			worst = max(worst, math.Abs(v-here[d]))
		}
		if worst < best {
			best = worst
			row.Nearest = &Neighbour{Name: j.records[i].label(), Distance: math.Exp2(worst)}
		}
	}
	row.Evidence = data.Weakest(classes...)
	switch o := j.outside(&t); {
	case o == 0:
		row.Class = Interpolated
	case o <= 1:
		row.Class = Extrapolated
	default:
		row.Class = Rule
	}
}

func (m *Record) label() string {
	if m.Name != "" {
		return m.Name
	}
	layers := fmt.Sprint(m.EncoderLayers + m.DecoderLayers)
	if m.EncoderLayers > 0 && m.DecoderLayers > 0 {
		layers = fmt.Sprintf("%d+%d", m.EncoderLayers, m.DecoderLayers)
	}
	return fmt.Sprintf("%s layers of width %d", layers, m.DModel)
}

// summarise says what the judgement rests on, and what the records cannot tell.
func (j *recordJudge) summarise(out *EvidenceSummary) {
	out.Kind, out.Rows = "records", len(j.records)
	out.Law = fmt.Sprintf("%s, fitted to %d records; held-out error %.4f in ln loss",
		j.law.form.sentence, len(j.records), rootMeanSquare(j.law.errors))
	for i := range j.records {
		if e := j.records[i].Evidence; e != "" {
			out.Weakest = data.Weakest(out.Weakest, e)
			if out.Weakest == "" {
				out.Weakest = e
			}
			out.Recalled = out.Recalled || e == data.Recalled
		}
	}
	v := variationOf(j.runs)
	switch {
	case j.oneAspect:
		low, high := math.Exp2(j.low[2]), math.Exp2(j.high[2])
		out.Notes = append(out.Notes, fmt.Sprintf(
			"the records cannot rank aspect ratios: at one size all have nearly the same depth (d_model/layers from %.0f to %.0f), so depth and size cannot be told apart", low, high))
		out.Unranked = true
	case !j.law.form.shaped:
		out.Notes = append(out.Notes,
			"depth and width do not lower the held-out error: shapes of one size are not ranked")
		out.Unranked = true
	case !v.anyTokens:
		out.Notes = append(out.Notes,
			"all records have the same tokens: what another number of tokens does to the best shape is not known")
	}
}
