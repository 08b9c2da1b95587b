package recommend

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// How the published law's intervals are made was chosen on drawn readings, not
// on the paper's: the shapes, and which numbers each has, are those of the
// evidence, the numbers come from a law that is known. The criterion was written
// before any method was run:
//
//   - The worlds are two laws times two noises. The first law has the form that is
//     fitted; the second has another, so that misfit is present. The noises are
//     Gaussian and Student's t with 3 degrees of freedom.
//   - In each world, for the loss and for the score, two shares are counted: rows of
//     the tables inside the interval made without them, and readings of new shapes
//     inside theirs. That is 16 shares a method.
//   - A method's miss is the mean distance of its shares from 80 %. Methods within
//     one point of the least miss tie, and of these the one with the narrowest
//     intervals wins (geometric mean over the 16 of the mean half-width).
//
// Run all of them: go test ./shapes/recommend -run xxx -bench IntervalMethods -benchtime 500x

// world draws readings from a known law.
type world struct {
	name  string
	truth func(s *shapes.Shape) (loss, score float64)
	draw  func(*rand.Rand) float64 // of variance 1
}

// Standard deviations of a drawn reading: those of the published rows around
// their law, rounded. A point read off the figure errs once more by as much.
const (
	lossNoise      = 0.01 // nats
	scoreNoise     = 0.4  // points
	superGLUENoise = 0.6  // points, around its line on the score
)

func worlds() []world {
	gauss := func(r *rand.Rand) float64 { return r.NormFloat64() }
	heavy := func(r *rand.Rand) float64 {
		const degrees = 3
		t := distuv.StudentsT{Sigma: 1, Nu: degrees}
		return t.Quantile(r.Float64()) / math.Sqrt(degrees/(degrees-2))
	}
	return []world{
		{"same form, Gaussian", sameForm, gauss},
		{"same form, Student t3", sameForm, heavy},
		{"other form, Gaussian", otherForm, gauss},
		{"other form, Student t3", otherForm, heavy},
	}
}

// sameForm is a [publishedLaw] with round coefficients.
func sameForm(s *shapes.Shape) (loss, score float64) {
	p := flops.CountParameters(s)
	t := traitsOf(s, &p)
	loss = 1.25 + 100*math.Pow(t.balanced, -0.29)
	return loss, 100 - 15*loss + 2*math.Log(min(t.encoderLayers, plateau))
}

// otherForm has the product of two power laws (Ghorbani et al. 2021, arXiv
// 2109.07740) in place of the balanced size, a best aspect ratio, a sigmoid link
// and a gain of depth that saturates and counts the decoder. The fitted form misses it by about as
// much as the noise.
func otherForm(s *shapes.Shape) (loss, score float64) {
	p := flops.CountParameters(s)
	encoder := float64(p.By[flops.EncoderAttention] + p.By[flops.EncoderFFN])
	decoder := float64(p.By[flops.DecoderAttention] + p.By[flops.DecoderCrossAttention] + p.By[flops.DecoderFFN])
	deep := float64(s.Encoder.Layers + s.Decoder.Layers)
	aspect := math.Log(2 * float64(s.DModel) / deep / 64)
	loss = 1.2 + 75*math.Pow(encoder, -0.10)*math.Pow(decoder, -0.17) + 0.025*aspect*aspect
	return loss, 95/(1+math.Exp(1.8*(loss-2.6))) + 5*(1-math.Exp(-deep/24))
}

// readingsOf redraws every number of the evidence.
func (w *world) readingsOf(design []reading, r *rand.Rand) []reading {
	out := slices.Clone(design)
	for i := range out {
		m := &out[i]
		blur := 1.0
		if !m.table {
			blur = math.Sqrt2
		}
		loss, score := w.read(&m.shape, r, blur)
		const slope, offset = 1.4, -40 // SuperGLUE on the score, as in the tables
		superGLUE := offset + slope*score + superGLUENoise*w.draw(r)
		redraw := func(at **data.Reading, value float64) {
			if *at != nil {
				*at = &data.Reading{Value: value, Evidence: (*at).Evidence}
			}
		}
		redraw(&m.upstream, loss)
		redraw(&m.score, score)
		redraw(&m.superGLUE, superGLUE)
	}
	return out
}

// read returns one reading of a shape.
func (w *world) read(s *shapes.Shape, r *rand.Rand, blur float64) (loss, score float64) {
	loss, score = w.truth(s)
	return loss + blur*lossNoise*w.draw(r), score + blur*scoreNoise*w.draw(r)
}

// newShapes lie amid the evidence: what happens beyond it is a rule that no
// drawn reading can judge.
var newShapes = []string{
	"t5-efficient-mini/nl=16", "t5-efficient-small/nl=14", "t5-efficient-small/nl=28", "t5-efficient-small/el=24,dl=12",
	"t5-efficient-base/nl=16", "t5-efficient-base/nl=28", "t5-efficient-base/el=24,dl=12",
	"t5-efficient-large/nl=16", "t5-efficient-large/nl=28", "t5-efficient-xl/nl=16",
}

func newTraits(t testing.TB) (list []shapes.Shape, at []traits) {
	t.Helper()
	for _, name := range newShapes {
		s, err := shapes.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		p := flops.CountParameters(&s)
		list, at = append(list, s), append(at, traitsOf(&s, &p))
	}
	return list, at
}

// span is an interval.
type span struct{ low, high float64 }

func around(at, half float64) span        { return span{at - half, at + half} }
func (s span) holds(v float64) bool       { return s.low <= v && v <= s.high }
func (s span) half() float64              { return (s.high - s.low) / 2 }

// method makes intervals of loss and score from a predictor and those fitted
// without each row of the tables.
type method struct {
	name string
	at   func(p *predictor, left []leftOut, t *traits) (loss, score span)
}

// leftOut is a predictor without one row, and that row.
type leftOut struct {
	*predictor
	row                   *reading
	lossError, scoreError float64
}

func leaveEachOut(rows []reading, from *publishedLaw) (left []leftOut, err error) {
	for i := range rows {
		m := &rows[i]
		if !m.table || m.upstream == nil || m.score == nil {
			continue
		}
		p, err := uncalibrated(slices.Delete(slices.Clone(rows), i, i+1), from)
		if err != nil {
			return nil, err
		}
		left = append(left, leftOut{p, m, m.upstream.Value - p.law.lossAt(&m.traits), m.score.Value - p.law.scoreAt(&m.traits)})
	}
	return left, nil
}

// studentScales are √(1 + h): the textbook's.
func studentScales(p *predictor, t *traits) (curve, link float64) {
	tangent, features := p.law.tangent(t), p.law.features(p.law.lossAt(t), t)
	beyond := math.Exp2(p.outside(t))
	return math.Sqrt(1+p.law.curve.leverage(tangent[:])) * beyond, math.Sqrt(1+p.law.link.leverage(features[:])) * beyond
}

func strainScales(p *predictor, t *traits) (curve, link float64) { return p.scales(p.law.lossAt(t), t) }

// plainScales are constant amid the evidence.
func plainScales(p *predictor, t *traits) (curve, link float64) {
	beyond := math.Exp2(p.outside(t))
	return beyond, beyond
}

// interpolated returns the value at rank 0.8·(n + 1) between two order
// statistics: by it the next of n + 1 exchangeable errors lies below with a
// chance nearest to 80 %.
func interpolated(errors []float64) float64 {
	rank := hardware.Level * float64(len(errors)+1)
	below := int(rank)
	if below >= len(errors) {
		return conformal(errors)
	}
	sorted := slices.Sorted(slices.Values(errors))
	return sorted[below-1] + (rank-float64(below))*(sorted[below]-sorted[below-1])
}

type scales func(p *predictor, t *traits) (curve, link float64)

// jackknife multiplies the scale of a shape by a quantile of the scaled errors.
func jackknife(scale scales, quantile func([]float64) float64) func(*predictor, []leftOut, *traits) (loss, score span) {
	return func(p *predictor, left []leftOut, t *traits) (span, span) {
		var losses, scores []float64
		for _, l := range left {
			curve, link := scale(l.predictor, &l.row.traits)
			losses, scores = append(losses, math.Abs(l.lossError)/curve), append(scores, math.Abs(l.scoreError)/link)
		}
		curve, link := scale(p, t)
		return around(p.law.lossAt(t), quantile(losses)*curve), around(p.law.scoreAt(t), quantile(scores)*link)
	}
}

// jackknifePlus puts each left-out error around the prediction that made it
// (Barber et al. 2021, arXiv 1905.02928, equation 1.5), scaled.
func jackknifePlus(scale scales) func(*predictor, []leftOut, *traits) (loss, score span) {
	return func(_ *predictor, left []leftOut, t *traits) (span, span) {
		var lossLow, lossHigh, scoreLow, scoreHigh []float64
		for _, l := range left {
			a, b := scale(l.predictor, &l.row.traits)
			c, d := scale(l.predictor, t)
			lossHalf, scoreHalf := math.Abs(l.lossError)/a*c, math.Abs(l.scoreError)/b*d
			loss, score := l.law.lossAt(t), l.law.scoreAt(t)
			lossLow, lossHigh = append(lossLow, lossHalf-loss), append(lossHigh, loss+lossHalf)
			scoreLow, scoreHigh = append(scoreLow, scoreHalf-score), append(scoreHigh, score+scoreHalf)
		}
		return span{-conformal(lossLow), conformal(lossHigh)}, span{-conformal(scoreLow), conformal(scoreHigh)}
	}
}

// student is the interval of the regression textbook: the t-quantile times the
// residual deviation times √(1 + h).
func student(p *predictor, _ []leftOut, t *traits) (loss, score span) {
	var lossSum, scoreSum float64
	losses, scores := -coefficients, -coefficients
	for i := range p.rows {
		m := &p.rows[i]
		if m.upstream != nil {
			e := m.upstream.Value - p.law.lossAt(&m.traits)
			lossSum += e * e
			losses++
		}
		if m.score != nil {
			e := m.score.Value - p.law.scoreAt(&m.traits)
			scoreSum += m.weight() * e * e
			scores++
		}
	}
	q := func(degrees int) float64 {
		return distuv.StudentsT{Sigma: 1, Nu: float64(degrees)}.Quantile((1 + hardware.Level) / 2)
	}
	curve, link := studentScales(p, t)
	return around(p.law.lossAt(t), q(losses)*math.Sqrt(lossSum/float64(losses))*curve),
		around(p.law.scoreAt(t), q(scores)*math.Sqrt(scoreSum/float64(scores))*link)
}

func methods() []method {
	return []method{
		{"Student t", student},
		{"plain jackknife", jackknife(plainScales, conformal)},
		{"plain jackknife, interpolated", jackknife(plainScales, interpolated)},
		{"normalised jackknife", jackknife(strainScales, conformal)},
		{"normalised jackknife, interpolated", jackknife(strainScales, interpolated)},
		{"studentised jackknife", jackknife(studentScales, conformal)},
		{"studentised jackknife, interpolated", jackknife(studentScales, interpolated)},
		{"normalised jackknife+", jackknifePlus(strainScales)},
	}
}

// tally counts readings inside intervals and adds their half-widths.
type tally struct {
	inside, asked int
	halves        float64
}

func (c *tally) add(s span, reading float64) {
	c.asked++
	c.halves += s.half()
	if s.holds(reading) {
		c.inside++
	}
}

func (c *tally) share() float64 { return float64(c.inside) / float64(c.asked) }

// cells of one world: loss and score of held-out rows, then of new shapes.
type cells [4]tally

// trial draws the evidence once and asks each method. It is false where a draw
// leaves the law without a fit.
func (w *world) trial(design []reading, fresh []shapes.Shape, at []traits, seed uint64, all []method, into []cells) bool {
	r := rand.New(rand.NewPCG(seed, 6))
	rows := w.readingsOf(design, r)
	p, err := uncalibrated(rows, nil)
	if err != nil {
		return false
	}
	left, err := leaveEachOut(rows, p.law)
	if err != nil {
		return false
	}
	again := make([][]leftOut, 0, len(left))
	for i := range rows {
		if m := &rows[i]; m.table && m.upstream != nil && m.score != nil {
			inner, err := leaveEachOut(slices.Delete(slices.Clone(rows), i, i+1), p.law)
			if err != nil {
				return false
			}
			again = append(again, inner)
		}
	}
	for k := range at {
		loss, score := w.read(&fresh[k], r, 1)
		for j := range all {
			lossSpan, scoreSpan := all[j].at(p, left, &at[k])
			into[j][2].add(lossSpan, loss)
			into[j][3].add(scoreSpan, score)
		}
	}
	for i := range left {
		m := left[i].row
		for j := range all {
			lossSpan, scoreSpan := all[j].at(left[i].predictor, again[i], &m.traits)
			into[j][0].add(lossSpan, m.upstream.Value)
			into[j][1].add(scoreSpan, m.score.Value)
		}
	}
	return true
}

// BenchmarkIntervalMethods scores every method; b.N is how often each world is drawn.
func BenchmarkIntervalMethods(b *testing.B) {
	design := readings(nil)
	fresh, at := newTraits(b)
	all := methods()
	var scores [][]cells
	refused := 0
	b.ResetTimer()
	for _, w := range worlds() {
		counts := make([]cells, len(all))
		for seed := range b.N {
			if !w.trial(design, fresh, at, uint64(seed), all, counts) {
				refused++
			}
		}
		scores = append(scores, counts)
	}
	b.StopTimer()
	for j := range all {
		var miss, width float64
		b.Logf("%s", all[j].name)
		for k, w := range worlds() {
			c := scores[k][j]
			b.Logf("  %-24s rows %.3f %.3f, new %.3f %.3f, half-widths %.4f %.2f %.4f %.2f", w.name, c[0].share(), c[1].share(), c[2].share(), c[3].share(),
				c[0].halves/float64(c[0].asked), c[1].halves/float64(c[1].asked), c[2].halves/float64(c[2].asked), c[3].halves/float64(c[3].asked))
			for i := range c {
				miss += math.Abs(c[i].share()-hardware.Level) / 16
				width += math.Log(c[i].halves/float64(c[i].asked)/(scores[k][0][i].halves/float64(scores[k][0][i].asked))) / 16
			}
		}
		b.Logf("  miss %.4f, width %.3f of the first method's", miss, math.Exp(width))
	}
	b.Logf("%d draws without a fit", refused)
}
