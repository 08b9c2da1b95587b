package recommend

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// How the published law's intervals are made was chosen on drawn readings, not on the paper's: the
// shapes, and which numbers each has, are those of the evidence, the numbers come from a law that
// is known. The criterion was written before any method was run:
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
// Run all of them: go test ./reports/recommend -run xxx -bench IntervalMethods -benchtime 500x

// span is an interval.
type span struct{ low, high float64 }

func spanAround(at, half float64) span { return span{at - half, at + half} }
func (s span) holds(v float64) bool    { return s.low <= v && v <= s.high }
func (s span) half() float64           { return (s.high - s.low) / 2 }

// method makes intervals of loss and score from a predictor and those fitted without each row of
// the tables.
type method struct {
	name string
	at   func(p *predictor, left []leftOut, t *traits) (loss, score span)
}

// studentScales are √(1 + h) of the regression textbook: what [predictor.scales] became.
func studentScales(p *predictor, t *traits) (curve, link float64) {
	return p.scales(p.law.lossAt(t), t)
}

// strainScales are √((1 + h)/(1 + h̄)), and 1 where the leverage h is below its mean h̄ over the
// rows: what [predictor.scales] was.
func strainScales(p *predictor, t *traits) (curve, link float64) {
	var meanCurve, meanLink, curves, links float64
	for i := range p.rows {
		m := &p.rows[i]
		if m.upstream != nil {
			tangent := p.law.tangent(&m.traits)
			meanCurve += p.law.curve.leverage(tangent[:])
			curves++
		}
		if m.score != nil {
			features := p.law.features(p.law.lossAt(&m.traits), &m.traits)
			meanLink += p.law.link.leverage(features[:])
			links++
		}
	}
	beyond := math.Exp2(p.near.outside(t.position()))
	curve, link = studentScales(p, t)
	return max(beyond, curve/math.Sqrt(1+meanCurve/curves)),
		max(beyond, link/math.Sqrt(1+meanLink/links))
}

// plainScales are constant amid the evidence.
func plainScales(p *predictor, t *traits) (curve, link float64) {
	beyond := math.Exp2(p.near.outside(t.position()))
	return beyond, beyond
}

// ranked returns the ⌈0.8·(n + 1)⌉-th smallest error.
func ranked(errors []float64) float64 {
	rank := int(math.Ceil(hardware.Level * float64(len(errors)+1)))
	if rank > len(errors) {
		return math.Inf(1)
	}
	return slices.Sorted(slices.Values(errors))[rank-1]
}

type scales func(p *predictor, t *traits) (curve, link float64)

// jackknife multiplies the scale of a shape by a quantile of the scaled errors.
func jackknife(scale scales, quantile func([]float64) float64) func(*predictor, []leftOut,
	*traits) (loss, score span) {
	return func(p *predictor, left []leftOut, t *traits) (span, span) {
		var losses, scores []float64
		for _, l := range left {
			curve, link := scale(l.predictor, &l.row.traits)
			losses, scores = append(losses, math.Abs(l.lossError)/curve),
				append(scores, math.Abs(l.scoreError)/link)
		}
		curve, link := scale(p, t)
		return spanAround(p.law.lossAt(t), quantile(losses)*curve),
			spanAround(p.law.scoreAt(t), quantile(scores)*link)
	}
}

// jackknifePlus puts each left-out error around the prediction that made it (Barber et al. 2021,
// arXiv 1905.02928, equation 1.5), scaled.
func jackknifePlus(scale scales) func(*predictor, []leftOut, *traits) (loss, score span) {
	return func(_ *predictor, left []leftOut, t *traits) (span, span) {
		var lossLow, lossHigh, scoreLow, scoreHigh []float64
		for _, l := range left {
			a, b := scale(l.predictor, &l.row.traits)
			c, d := scale(l.predictor, t)
			lossHalf, scoreHalf := math.Abs(l.lossError)/a*c, math.Abs(l.scoreError)/b*d
			loss, score := l.law.lossAt(t), l.law.scoreAt(t)
			lossLow, lossHigh = append(lossLow, lossHalf-loss), append(lossHigh, loss+lossHalf)
			scoreLow, scoreHigh = append(scoreLow, scoreHalf-score),
				append(scoreHigh, score+scoreHalf)
		}
		return span{-ranked(lossLow), ranked(lossHigh)}, span{-ranked(scoreLow), ranked(scoreHigh)}
	}
}

// student is the interval of the regression textbook: the t-quantile times the residual deviation
// times √(1 + h).
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
	return spanAround(p.law.lossAt(t), q(losses)*math.Sqrt(lossSum/float64(losses))*curve),
		spanAround(p.law.scoreAt(t), q(scores)*math.Sqrt(scoreSum/float64(scores))*link)
}

func methods() []method {
	return []method{
		{"Student t", student},
		{"plain jackknife", jackknife(plainScales, ranked)},
		{"plain jackknife, interpolated", jackknife(plainScales, usualError)},
		{"normalised jackknife", jackknife(strainScales, ranked)},
		{"normalised jackknife, interpolated", jackknife(strainScales, usualError)},
		{"studentised jackknife", jackknife(studentScales, ranked)},
		{"studentised jackknife, interpolated", jackknife(studentScales, usualError)},
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

// count draws the evidence again and again. refused counts draws that leave the law without a fit.
func (w *world) count(t testing.TB, m method, draws int) (c cells, refused int) {
	design := readings(nil)
	fresh, at := newTraits(t)
	for seed := range draws {
		r := rand.New(rand.NewPCG(uint64(seed), 6))
		if !w.trial(m, w.readingsOf(design, r), fresh, at, r, &c) {
			refused++
		}
	}
	return c, refused
}

// trial asks a method about each held-out row and about new shapes.
func (w *world) trial(m method, rows []reading, fresh []shapes.Shape, at []traits, r *rand.Rand,
	into *cells,
) bool {
	p, err := uncalibrated(rows, nil)
	if err != nil {
		return false
	}
	left, err := leaveEachOut(rows, p.law)
	if err != nil {
		return false
	}
	var again [][]leftOut
	for _, l := range left {
		inner, err := leaveEachOut(l.rest, p.law)
		if err != nil {
			return false
		}
		again = append(again, inner)
	}
	for i, l := range left {
		loss, score := m.at(l.predictor, again[i], &l.row.traits)
		into[0].add(loss, l.row.upstream.Value)
		into[1].add(score, l.row.score.Value)
	}
	for k := range at {
		lossReading, scoreReading := w.read(&fresh[k], r, 1)
		loss, score := m.at(p, left, &at[k])
		into[2].add(loss, lossReading)
		into[3].add(score, scoreReading)
	}
	return true
}

// The chosen method, as [newPredictor] has it, holds its level on readings whose law is known.
func TestIntervalsHoldOnDrawnReadings(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: coverage over many draws")
	}
	const (
		draws = 25
		// A share of 80 % of 4·25·12 held-out rows has a standard deviation of 1.2 %, doubled
		// because the rows of a draw share their fits. Three of them are 7 %. New shapes of the
		// other form fall outside 4 % oftener, by misfit.
		tolerance = 0.08
	)
	chosen := method{"as built", func(p *predictor, left []leftOut, t *traits) (span, span) {
		now := *p
		now.calibrate(left)
		law := now.predict(t)
		return spanAround(law.loss, law.lossHalf), spanAround(law.score, law.scoreHalf)
	}}
	var pooled cells
	for _, w := range worlds() {
		c, refused := w.count(t, chosen, draws)
		t.Logf("%s: held-out rows %.2f of losses, %.2f of scores; new shapes %.2f, %.2f", w.name,
			c[0].share(), c[1].share(), c[2].share(), c[3].share())
		if refused > 0 {
			t.Errorf("%s: %d draws of %d without a fit", w.name, refused, draws)
		}
		for i := range c {
			pooled[i].inside += c[i].inside
			pooled[i].asked += c[i].asked
		}
	}
	for i, what := range [...]string{
		"losses of held-out rows", "scores of held-out rows",
		"losses of new shapes", "scores of new shapes",
	} {
		if share := pooled[i].share(); !approx.Close(share, hardware.Level, tolerance) {
			t.Errorf("%.3f of the %s inside", share, what)
		}
	}
}

// BenchmarkIntervalMethods scores every method; b.N is how often each world is drawn.
func BenchmarkIntervalMethods(b *testing.B) {
	for _, m := range methods() {
		b.Run(m.name, func(b *testing.B) {
			var all []float64
			var miss, width float64
			for _, w := range worlds() {
				c, refused := w.count(b, m, b.N)
				if refused > 0 {
					b.Logf("%s: %d draws without a fit", w.name, refused)
				}
				for i := range c {
					all = append(all, c[i].share())
					miss += math.Abs(c[i].share() - hardware.Level)
					width += math.Log(c[i].halves / float64(c[i].asked))
				}
			}
			n := float64(len(all))
			b.ReportMetric(100*miss/n, "miss-%")
			b.ReportMetric(math.Exp(width/n), "half-width")
			b.ReportMetric(100*slices.Min(all), "least-%")
			b.ReportMetric(100*slices.Max(all), "most-%")
			for i, name := range [...]string{"row-loss", "row-score", "new-loss", "new-score"} {
				sum := 0.0
				for k := i; k < len(all); k += len(cells{}) {
					sum += all[k] * float64(len(cells{})) / n
				}
				b.ReportMetric(100*sum, name+"-%")
			}
		})
	}
}
