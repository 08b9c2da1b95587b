package evidence

import (
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// recordJudge judges by the caller's records.
type recordJudge struct {
	plain
	law     chosen
	records []Record
	runs    []runTraits
	// lossError is the 80 % quantile of the held-out errors in ln loss.
	lossError float64
	link      *scoreLink // nil without scores
	by        JudgedBy
	tokens    func(params float64) float64
	near      region
	notes     []string
	typical   float64 // median loss, which turns errors in ln loss into nats
	oneAspect bool    // depth and size go together in the records
}

// scoreLink is a line from loss, and depth where that helps, to score.
type scoreLink struct {
	line  fit.Linear
	depth bool
	err   float64 // 80 % quantile of the held-out errors
}

// position returns size, depth and aspect in doublings.
func (t *runTraits) position() []float64 {
	return []float64{t.params / math.Ln2, t.depth / math.Ln2, t.aspect() / math.Ln2}
}

// minimumRecords is what the smallest law and its held-out error need.
const minimumRecords = 6

// newRecordJudge returns with an error the notes alone.
func newRecordJudge(b *Basis, c *Candidates) (*recordJudge, error) {
	kept, notes := b.usable(c.Template)
	j := &recordJudge{records: kept, by: b.JudgedBy, tokens: c.Tokens, notes: notes}
	j.plain = plain{j.Judgement}
	if len(kept) < minimumRecords {
		return j, fmt.Errorf("%d usable records; needed: at least %d", len(kept), minimumRecords)
	}
	var loss, errors []float64
	var positions [][]float64
	for i := range kept {
		t := kept[i].traits()
		j.runs, loss = append(j.runs, t), append(loss, *kept[i].Loss)
		positions = append(positions, t.position())
	}
	j.near = regionOf(positions)
	var err error
	if j.law, err = chooseSurface(j.runs, loss); err != nil {
		return j, err
	}
	for _, e := range j.law.errors {
		errors = append(errors, math.Abs(e))
	}
	j.lossError, j.typical = usualError(errors), fit.Median(loss)
	j.link = fitLink(kept, j.runs)
	j.oneAspect = !variationOf(j.runs).depth
	j.notes = append(j.notes, j.untold()...)
	if c.Assumed != "" {
		j.notes = append(j.notes, c.Assumed)
	}
	return j, nil
}

// fitLink fits the scores to the recorded losses, with depth where that lowers the leave-one-out
// error; nil where scores are too few.
func fitLink(records []Record, runs []runTraits) *scoreLink {
	var best *scoreLink
	least := math.Inf(1)
	for _, depth := range []bool{false, true} {
		var x, y []float64
		for i := range records {
			if records[i].Score == nil {
				continue
			}
			x = append(x, 1, *records[i].Loss)
			if depth {
				x = append(x, runs[i].depth)
			}
			y = append(y, *records[i].Score)
		}
		if len(y) < minimumRecords {
			return nil
		}
		l, ok := fit.LeastSquares(x, y, nil)
		if !ok {
			continue
		}
		n := len(x) / len(y)
		var errors []float64
		for i, v := range y { // the leave-one-out residual of a linear fit is e/(1 − h)
			row := x[i*n : (i+1)*n]
			errors = append(errors, math.Abs(v-l.At(row))/(1-l.Leverage(row)))
		}
		if rms := fit.RMS(errors); rms < least {
			least, best = rms, &scoreLink{line: l, depth: depth, err: usualError(errors)}
		}
	}
	return best
}

func (l *scoreLink) at(loss, depth float64) float64 {
	if l.depth {
		return l.line.At([]float64{1, loss, depth})
	}
	return l.line.At([]float64{1, loss})
}

func (j *recordJudge) traits(s Subject) runTraits {
	params := float64(s.Params.Total)
	return runTraits{
		params: math.Log(params), depth: math.Log(float64(s.Shape.Encoder.Layers + s.Shape.Decoder.Layers)),
		width: math.Log(float64(s.Shape.DModel)), tokens: math.Log(j.tokens(params)),
	}
}

// both returns loss and score with 80 % intervals: held-out errors, doubled for each doubling
// outside the records.
func (j *recordJudge) both(t *runTraits) (loss, score quantity.Interval) {
	beyond := math.Exp2(j.near.outside(t.position()))
	v := j.law.loss(t)
	half := j.lossError * v * beyond
	loss = around(v, half)
	if j.link != nil {
		s := j.link.at(v, t.depth)
		slope := math.Abs(j.link.line.Coef[1])
		half = math.Hypot(j.link.err*beyond, slope*half)
		score = around(s, half)
	}
	return loss, score
}

func (j *recordJudge) scores() bool { return j.by == ByDownstream && j.link != nil }

func (j *recordJudge) Score(s Subject) (value, half float64) {
	t := j.traits(s)
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
	slack := [...]float64{math.Inf(1), 1, 1}
	if j.oneAspect {
		slack = [...]float64{math.Inf(1), math.Inf(1), same}
	}
	for d, v := range t.position() {
		if v < j.near.low[d]-slack[d] || v > j.near.high[d]+slack[d] {
			return false
		}
	}
	return true
}

// Value is the score without its half-width, not a number for a shape that the records cannot
// judge.
func (j *recordJudge) Value(s Subject) float64 {
	t := j.traits(s)
	if !j.judges(&t) {
		return math.NaN()
	}
	loss := j.law.loss(&t)
	if j.scores() {
		return j.link.at(loss, t.depth)
	}
	return -loss
}

func (j *recordJudge) Usual() float64 {
	half := j.lossError * j.typical
	if j.scores() {
		return math.Hypot(j.link.err, j.link.line.Coef[1]*half)
	}
	return half
}

func (j *recordJudge) Unit() string {
	if j.scores() {
		return scoreUnit
	}
	return LossUnit
}

func (j *recordJudge) Judgement(s Subject) Judgement {
	t := j.traits(s)
	here := t.position()
	loss, score := j.both(&t)
	at, factor := j.near.nearest(here)
	downstream := estimated(score)
	if j.link == nil {
		downstream = hardware.Estimate{Missing: fmt.Sprintf(
			"fewer than %d records have a score", minimumRecords)}
	}
	return Judgement{
		Quality: Quality{estimated(loss), downstream},
		Class:   j.near.classify(here),
		Nearest: &Neighbour{Name: j.records[at].label(), Distance: factor}, Basis: j.lawText(),
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

func (j *recordJudge) lawText() string {
	return fmt.Sprintf("%s, fitted to %s; held-out error %.4f in ln loss",
		j.law.form.sentence, quantity.Of(len(j.records), "record"), fit.RMS(j.law.errors))
}

func (j *recordJudge) Summary() (Summary, error) {
	return Summary{
		Kind: "records", Law: j.lawText(), Rows: len(j.records), Notes: j.notes,
		Unranked: j.oneAspect || !j.law.form.shaped,
	}, nil
}

// untold says what the records cannot tell.
func (j *recordJudge) untold() []string {
	switch {
	case j.oneAspect:
		low, high := math.Exp2(j.near.low[2]), math.Exp2(j.near.high[2])
		return []string{fmt.Sprintf(
			"the records cannot rank aspect ratios: at one size all have nearly the same depth (d_model/layers from %.0f to %.0f), so depth and size cannot be told apart",
			low, high)}
	case !j.law.form.shaped:
		return []string{"depth and width do not lower the held-out error: shapes of one size are not ranked"}
	case !variationOf(j.runs).anyTokens:
		return []string{"all records have the same tokens: what another number of tokens does to the best shape is not known"}
	}
	return []string{}
}

// Tells says whether the law reads the operation: depth where it can be told from size, and d_model
// in laws of width.
func (j *recordJudge) Tells(letters string) bool {
	switch letters {
	case "nl", "el", "dl":
		return j.law.form.shaped
	case "dm":
		return j.law.form.shaped && j.law.law != nil
	}
	return false
}

func (j *recordJudge) Cited(s Subject) []Cited {
	t := j.traits(s)
	here := t.position()
	var out []Cited
	for i := range j.records {
		m := &j.records[i]
		loss := j.law.loss(&j.runs[i])
		c := Cited{
			Name: m.label(), Distance: math.Exp2(j.near.distance(i, here)),
			Upstream: &data.Reading{Value: *m.Loss}, LawUpstream: &loss,
		}
		if m.Score != nil {
			c.Score = &data.Reading{Value: *m.Score}
		}
		out = append(out, c)
	}
	return nearestFirst(out)
}
