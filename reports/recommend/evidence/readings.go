package evidence

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Score says which downstream score is predicted.
type Score uint8

// The scores of Tay et al. 2021 (arXiv 2109.10686), in points.
const (
	SuperGLUE Score = iota // the only one that figures carry
	Average                // mean of GLUE, SuperGLUE and SQuAD
	GLUE
	SQuAD
	scores
)

var scoreNames = [scores]string{"superglue", "average", "glue", "squad"}

var scoreTitles = [scores]string{"SuperGLUE", "average", "GLUE", "SQuAD"}

// String returns the name used in flags, e.g. "superglue".
func (s Score) String() string { return scoreNames[s] }

// ParseScore returns the score of that name; the error lists all names.
func ParseScore(name string) (Score, error) {
	if i := slices.Index(scoreNames[:], name); i >= 0 {
		return Score(i), nil
	}
	return 0, fmt.Errorf("unknown score: %q; allowed: %s", name, strings.Join(scoreNames[:], ", "))
}

// reading is one published shape with what was measured of it. All are runs of Tay et al. 2021
// (arXiv 2109.10686): one set-up, one scale of losses, one fine-tuning protocol.
type reading struct {
	name   string // the paper's
	shape  *shapes.Shape
	traits traits
	loss   *data.Reading // nats a token
	score  *data.Reading // points
	from   []Citation
}

// both reports whether a row has both numbers.
func (m *reading) both() bool { return m.loss != nil && m.score != nil }

// Citation is where numbers of a shape were read.
type Citation struct {
	Model, File, Where string
	Evidence           data.Evidence
}

// traits are what the laws read of an encoder-decoder.
type traits struct {
	params float64
	// size is 2/(1/Ne + 1/Nd) + V·d/4: see [publishedLaw].
	size float64
	// aspect is d_model over the mean layers of a stack.
	aspect float64
	// The dimensions in which evidence is near or far.
	balanced, encoderLayers, depthRatio, dModel, ffnRatio, innerRatio float64
}

// matrices returns the matrix parameters of the layers of each stack.
func matrices(p *flops.Parameters) (encoder, decoder float64) {
	return float64(p.By[flops.EncoderAttention] + p.By[flops.EncoderFFN]),
		float64(p.By[flops.DecoderAttention] + p.By[flops.DecoderCrossAttention] + p.By[flops.DecoderFFN])
}

func traitsOf(subject Subject) traits {
	s, p := subject.Shape, subject.Params
	encoder, decoder := matrices(p)
	d, el, dl := float64(s.DModel), float64(s.Encoder.Layers), float64(s.Decoder.Layers)
	balanced := 2 * encoder * decoder / (encoder + decoder)
	return traits{
		params: float64(p.Total), balanced: balanced, size: balanced + float64(s.Vocab)*d/4,
		aspect: 2 * d / (el + dl), encoderLayers: el, depthRatio: dl / el, dModel: d,
		ffnRatio: float64(s.Encoder.DFF) / d, innerRatio: float64(s.Encoder.Inner()) / d,
	}
}

// readings returns the published rows with a loss or that score, one a shape, each number of the
// strongest class: the points of the figures first, then the tables, then the losses of the same
// group's later figure for sizes that neither has. The later figure's scores are of another
// fine-tuning protocol and stay out.
func readings(score Score, allowed func(data.Evidence) bool) []reading {
	var all []reading
	at := func(name, ref string) *reading {
		m := paperShapes()[ref]
		if i := slices.IndexFunc(all, func(r reading) bool { return r.shape.SameArchitecture(*m.shape) }); i >= 0 {
			return &all[i]
		}
		m.name = name
		all = append(all, m)
		return &all[len(all)-1]
	}
	keep := func(into **data.Reading, value float64, class data.Evidence) bool {
		if *into != nil || !allowed(class) {
			return false
		}
		*into = &data.Reading{Value: value, Evidence: class}
		return true
	}
	for _, r := range data.PaperPoints() {
		m := at(r.Model, r.Shape)
		used := keep(&m.loss, r.Loss, r.Evidence)
		used = score == SuperGLUE && keep(&m.score, r.SuperGLUE, r.Evidence) || used
		m.cite(used, "tay2021_points.csv", r.Model, r.Source, r.Evidence)
	}
	for _, r := range data.PaperResults() {
		m := at(r.Model, r.Shape)
		used := r.Upstream != nil && keep(&m.loss, -r.Upstream.Value, r.Upstream.Evidence)
		if v := ofTable(&r, score); v != nil {
			used = keep(&m.score, v.Value, v.Evidence) || used
		}
		m.cite(used, "paper_results.csv", r.Model, r.Source, r.Evidence)
	}
	for _, r := range data.ShapeResults() {
		if r.Set != "tay2022" || r.Metric != "loss" || !strings.HasPrefix(r.Group, "T5,") {
			continue
		}
		ref := "t5-efficient-" + strings.ToLower(r.Model)
		if _, ok := paperShapes()[ref]; !ok {
			continue // NL24 and its like, which are points already
		}
		m := at(r.Model, ref)
		m.cite(keep(&m.loss, r.Value, r.Evidence), "shape_results.csv", r.Model, r.Source, r.Evidence)
	}
	return slices.DeleteFunc(all, func(m reading) bool { return m.loss == nil && m.score == nil })
}

// paperShapes are the shapes that the published rows name.
var paperShapes = sync.OnceValue(func() map[string]reading {
	refs := []string{"t5-efficient-tiny", "t5-efficient-mini", "t5-efficient-small"}
	for _, r := range data.PaperPoints() {
		refs = append(refs, r.Shape)
	}
	for _, r := range data.PaperResults() {
		refs = append(refs, r.Shape)
	}
	out := map[string]reading{}
	for _, ref := range refs {
		s, err := shapes.Parse(ref)
		if err != nil {
			panic("evidence: embedded results name no shape: " + err.Error()) // a mistake made here
		}
		p := flops.CountParameters(&s)
		out[ref] = reading{shape: &s, traits: traitsOf(Subject{&s, &p})}
	}
	return out
})

// ofTable returns a score of a row of the tables; the average of the three where it is not printed.
func ofTable(r *data.PaperResult, score Score) *data.Reading {
	switch score {
	case SuperGLUE:
		return r.SuperGLUE
	case GLUE:
		return r.GLUE
	case SQuAD:
		return r.SQuAD
	}
	if r.Average != nil || r.GLUE == nil || r.SuperGLUE == nil || r.SQuAD == nil {
		return r.Average
	}
	return &data.Reading{
		Value:    (r.GLUE.Value + r.SuperGLUE.Value + r.SQuAD.Value) / 3,
		Evidence: data.Weakest(r.GLUE.Evidence, r.SuperGLUE.Evidence, r.SQuAD.Evidence),
	}
}

func (m *reading) cite(used bool, file, model, where string, class data.Evidence) {
	if used {
		m.from = append(m.from, Citation{model, file, where, class})
	}
}

// evidenceFor returns the readings that a judge rests on, and those recalled ones that only widen
// its intervals. Where the caller names no classes, recalled numbers decide nothing as long as the
// others suffice for the score.
func evidenceFor(score Score, named []data.Evidence) (rows, widening []reading) {
	if len(named) > 0 {
		return readings(score, func(e data.Evidence) bool { return slices.Contains(named, e) }), nil
	}
	rows = readings(score, func(e data.Evidence) bool { return e != data.Recalled })
	if countScores(rows) < minimumReadings {
		return readings(score, func(data.Evidence) bool { return true }), nil
	}
	return rows, readings(score, func(e data.Evidence) bool { return e == data.Recalled })
}

func countScores(rows []reading) int {
	n := 0
	for i := range rows {
		if rows[i].score != nil {
			n++
		}
	}
	return n
}

// Published returns where results of exactly this shape were read, recalled ones too.
func Published(s Subject) []Citation {
	m := of(allReadings(), s)
	if m == nil {
		return nil
	}
	return m.from
}

// allReadings are the readings of every score and class by parameter count.
var allReadings = sync.OnceValue(func() map[int64][]*reading {
	return byParams(readings(Average, func(data.Evidence) bool { return true }))
})
