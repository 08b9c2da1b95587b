package evidence

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// SecondOpinion is one published set in which shape varies and on which the law was not fitted, with
// how far it orders its models as the law orders their shapes. Its scales are its own: only orders
// and slopes are compared.
type SecondOpinion struct {
	data.ShapeSet
	Numbers    int
	Weakest    data.Evidence
	Agreements []Agreement // by operation; empty where no two models differ in one operation alone
	// Rank is the rank correlation of the law with the set's first metric over its largest group of
	// at least four models of known shape; nil without one.
	Rank *float64
}

// Agreement compares the models of a set that differ in one operation alone.
type Agreement struct {
	Op string // nl, el, dl, dm or ff: the paper's letters
	// Pairs of one group and metric, and how many of them the law orders as the set does.
	Pairs, Agree int
	// Metric is the first one of the set; Slope is its mean change for a doubling, LawSlope that of
	// SuperGLUE (of the loss, where the metric is one) by the law. Positive is better.
	Metric          string
	Slope, LawSlope float64
	Against         []string // the largest contradictions of that metric
}

// SecondOpinions returns every set that is carried, in the order of the file, and the pairs of
// ArabicT5 last.
//
// Models of one stack are put into the law as if both stacks were like it, feed-forwards that are
// not known as four times d_model, and vocabularies as T5's: that changes levels, and not which of
// two shapes is ahead.
func SecondOpinions() ([]SecondOpinion, error) {
	e, err := usualEvidence[SuperGLUE]()
	if err != nil {
		return nil, err
	}
	results := data.ShapeResults()
	var out []SecondOpinion
	for _, set := range data.ShapeSets() {
		o := SecondOpinion{ShapeSet: set}
		var classes []data.Evidence
		var scales []scale
		for _, r := range results {
			if r.Set != set.Name {
				continue
			}
			o.Numbers++
			classes = append(classes, r.Evidence)
			scales = put(scales, &r)
		}
		o.Weakest = data.Weakest(classes...)
		o.compare(scales, e.law)
		out = append(out, o)
	}
	return append(out, arabic(e.law)), nil
}

// scale is the models of one group measured by one metric.
type scale struct {
	group, metric string
	sign          float64 // +1 where larger is better
	upstream      bool
	models        []opined
}

// opined is a model with its number.
type opined struct {
	name      string
	el, dl, d int
	ff, heads int // 0: not known
	params    float64
	value     float64
}

// put adds a number to its scale. What is neither good nor bad, whose shape is not known, or what the
// law itself was fitted to stays out.
func put(all []scale, r *data.ShapeResult) []scale {
	if r.Better == "" || r.DModel == 0 || strings.HasPrefix(r.Note, "d_k ") || r.Set == "tay2022" &&
		(r.Metric == "loss" || strings.Contains(r.Group, "2021")) {
		return all
	}
	i := slices.IndexFunc(all, func(s scale) bool { return s.group == r.Group && s.metric == r.Metric })
	if i < 0 {
		s := scale{group: r.Group, metric: r.Metric, sign: 1}
		if r.Better == data.Lower {
			s.sign = -1
		}
		s.upstream = strings.Contains(r.Metric, "loss") || r.Metric == "perplexity"
		all, i = append(all, s), len(all)
	}
	m := opined{
		name: r.Model, el: r.EncoderLayers, dl: r.DecoderLayers, d: r.DModel, ff: r.DFF,
		heads: r.Heads, value: r.Value,
	}
	if r.Params != nil {
		m.params = *r.Params
	}
	all[i].models = append(all[i].models, m)
	return all
}

// better returns how good the law predicts a model to be on a scale, larger is better. size, when
// above 0, is that of all models that were made equally large by means that are not known.
func (m *opined) better(law *publishedLaw, upstream bool, size float64) float64 {
	el, dl, d := float64(max(m.el, m.dl)), float64(m.dl), float64(m.d)
	if m.el > 0 && m.dl > 0 {
		el = float64(m.el)
	} else {
		dl = el
	}
	ff := float64(m.ff)
	if ff == 0 {
		ff = 4 * d
	}
	encoder, decoder := el*(4*d*d+2*d*ff), dl*(8*d*d+2*d*ff)
	const vocabulary = 32128
	t := traits{
		size:   2*encoder*decoder/(encoder+decoder) + vocabulary*d/4,
		aspect: 2 * d / (el + dl), encoderLayers: el,
	}
	if size > 0 {
		t.size = size
	}
	if upstream {
		return -law.lossAt(&t)
	}
	return law.scoreAt(&t)
}

// differ returns the one operation by which a model is larger than another, in doublings; none
// where they differ otherwise.
func (m *opined) differ(b *opined) (op string, doublings float64) {
	of := func(x, y int) float64 { return math.Log2(float64(x) / float64(y)) }
	single := (m.el == 0) == (b.el == 0) && (m.dl == 0) == (b.dl == 0)
	ratio := m.ff*b.d == b.ff*m.d // also where neither is known
	switch {
	case !single:
		return "", 0
	case m.el == b.el && m.dl == b.dl && m.d != b.d && (m.ff == b.ff || ratio):
		return "dm", of(m.d, b.d)
	case m.d == b.d && m.heads != b.heads:
		return "", 0
	case m.el == b.el && m.dl == b.dl && m.d == b.d && m.ff != b.ff && m.ff > 0 && b.ff > 0:
		return "ff", of(m.ff, b.ff)
	case m.d != b.d || m.ff != b.ff:
		return "", 0
	case m.el != b.el && m.dl != b.dl && m.el*b.dl == b.el*m.dl, m.dl == 0 && m.el != b.el:
		return "nl", of(m.el, b.el)
	case m.el == 0 && m.dl != b.dl:
		return "nl", of(m.dl, b.dl)
	case m.el != b.el && m.dl == b.dl:
		return "el", of(m.el, b.el)
	case m.dl != b.dl && m.el == b.el:
		return "dl", of(m.dl, b.dl)
	}
	return "", 0
}

// contradiction is a pair that the law orders the other way.
type contradiction struct {
	text string
	size float64
}

// compare fills in agreements and rank.
func (o *SecondOpinion) compare(scales []scale, law *publishedLaw) {
	most := 3
	for i := range scales {
		s := &scales[i]
		if s.metric != scales[0].metric || len(s.models) <= most {
			continue
		}
		var mine, theirs []float64
		for k := range s.models {
			mine = append(mine, s.models[k].better(law, s.upstream, 0))
			theirs = append(theirs, s.sign*s.models[k].value)
		}
		if r := fit.Spearman(mine, theirs); !math.IsNaN(r) {
			most, o.Rank = len(s.models), &r
		}
	}
	for _, op := range []string{"nl", "el", "dl", "dm", "ff"} {
		c := comparison{Agreement: Agreement{Op: op}, law: law}
		for i := range scales {
			s := &scales[i]
			for k := range s.models {
				for l := range s.models {
					c.pair(s, &s.models[k], &s.models[l])
				}
			}
		}
		if c.Pairs == 0 {
			continue
		}
		c.Slope, c.LawSlope = mean(c.slopes), mean(c.laws)
		slices.SortFunc(c.against, func(a, b contradiction) int { return cmp.Compare(b.size, a.size) })
		for _, one := range c.against[:min(2, len(c.against))] {
			c.Against = append(c.Against, one.text)
		}
		o.Agreements = append(o.Agreements, c.Agreement)
	}
}

// comparison is an agreement being counted. Slopes and contradictions are of the first metric that has
// a pair.
type comparison struct {
	Agreement
	law          *publishedLaw
	slopes, laws []float64
	against      []contradiction
}

// pair compares two models of a scale where the first is the larger by the operation.
func (c *comparison) pair(s *scale, large, small *opined) {
	found, doublings := large.differ(small)
	if found != c.Op || doublings <= 0 {
		return
	}
	size := 0.0
	if c.Op == "nl" && large.ff == 0 && large.params > 0 && large.params == small.params {
		size = large.params / 2 // one size for both, whatever was traded against depth
	}
	measured := s.sign * (large.value - small.value)
	predicted := large.better(c.law, s.upstream, size) - small.better(c.law, s.upstream, size)
	c.Metric = cmp.Or(c.Metric, s.metric)
	first := s.metric == c.Metric
	if first {
		c.slopes, c.laws = append(c.slopes, measured/doublings), append(c.laws, predicted/doublings)
	}
	if measured == 0 {
		return // rounded to a tie: no order to agree with
	}
	c.Pairs++
	switch {
	case measured > 0 == (predicted > 0):
		c.Agree++
	case first:
		text := fmt.Sprintf("%s beside %s: %+.3g %s", large.name, small.name, measured, s.metric)
		c.against = append(c.against, contradiction{text, math.Abs(measured)})
	}
}

// mean is 0 where what is left of the sum is rounding.
func mean(values []float64) float64 {
	sum, most := 0.0, 0.0
	for _, v := range values {
		sum, most = sum+v, max(most, math.Abs(v))
	}
	const rounding = 1e-12
	if math.Abs(sum) <= rounding*most {
		return 0
	}
	return sum / float64(len(values))
}

// arabic is the second opinion of pairs that differ in one operation; that of two is left out.
func arabic(law *publishedLaw) SecondOpinion {
	pairs := data.ShapePairs()
	o := SecondOpinion{
		ShapeSet: data.ShapeSet{
			Name: "arabict5_pairs", Title: "ArabicT5, depth and width pairs", Models: "encoder-decoder",
			Source: pairs[0].Source, Note: "medians over matched fine-tuning settings",
		},
		Numbers: len(pairs), Weakest: data.Primary,
	}
	var scales []scale
	for _, p := range pairs {
		model := func(name string, layers, d int, value float64) opined {
			return opined{name: name, el: layers, dl: layers, d: d, value: value}
		}
		scales = append(scales, scale{
			group: p.Task + p.Model, metric: p.Task, sign: 1, models: []opined{
				model(p.Model, p.Layers, p.DModel, p.MedianDifference),
				model(p.Beside, p.BesideLayers, p.BesideDModel, 0),
			},
		})
	}
	o.compare(scales, law)
	return o
}

// Opinions returns the second opinions on what changes from shape a to b: for each operation that
// changes, the sets that have pairs of it.
func (*publishedJudge) Opinions(a, b *shapes.Shape) ([]SecondOpinion, error) {
	all, err := SecondOpinions()
	if err != nil {
		return nil, err
	}
	changed := map[string]bool{
		"nl": a.Encoder.Layers != b.Encoder.Layers && a.Decoder.Layers != b.Decoder.Layers,
		"el": a.Encoder.Layers != b.Encoder.Layers && a.Decoder.Layers == b.Decoder.Layers,
		"dl": a.Encoder.Layers == b.Encoder.Layers && a.Decoder.Layers != b.Decoder.Layers,
		"dm": a.DModel != b.DModel, "ff": a.Encoder.DFF*b.DModel != b.Encoder.DFF*a.DModel,
	}
	if b.Encoder.Layers != b.Decoder.Layers {
		changed["el"], changed["dl"] = true, true
	}
	var out []SecondOpinion
	for _, o := range all {
		o.Agreements = slices.DeleteFunc(o.Agreements, func(a Agreement) bool { return !changed[a.Op] })
		if len(o.Agreements) > 0 {
			out = append(out, o)
		}
	}
	return out, nil
}
