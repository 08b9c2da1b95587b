package recommend

import (
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/hardware"
)

// predictor is the published law with the errors it makes on rows it was not
// fitted to, and where its evidence lies.
type predictor struct {
	law                 *publishedLaw
	rows                []reading // scores converted
	lossError           float64   // quantile of the normalised leave-one-out errors
	scoreError          float64
	meanCurve, meanLink float64 // mean leverages of the rows
	low, high           [dimensions]float64
}

// prediction is what a law says of one shape, with 80 % half-widths.
type prediction struct {
	loss, lossHalf   float64
	score, scoreHalf float64
}

// newPredictor fits the published laws and calibrates their intervals by
// leave-one-out over the rows of the paper's tables: the points of Figure 1 are
// read less exactly, and would widen the intervals of all.
//
// The half-width of an interval is q·σ(x) with σ from [predictor.scales] and q the
// ⌈0.8·(n+1)⌉-th smallest of the n errors |eᵢ|/σᵢ(xᵢ), each made by laws fitted
// without row i: the jackknife of Barber et al. 2021 (arXiv 1905.02928) on
// normalised errors (Lei et al. 2018, arXiv 1604.04173, section 5.2).
func newPredictor(rows []reading, from *publishedLaw) (*predictor, error) {
	p, err := uncalibrated(rows, from)
	if err != nil {
		return nil, err
	}
	var loss, score []float64
	for i := range rows {
		m := &rows[i]
		if !m.table || m.upstream == nil || m.score == nil {
			continue
		}
		without, err := uncalibrated(slices.Delete(slices.Clone(rows), i, i+1), p.law)
		if err != nil {
			return nil, err
		}
		curve, link := without.scales(without.law.lossAt(&m.traits), &m.traits)
		loss = append(loss, math.Abs(m.upstream.Value-without.law.lossAt(&m.traits))/curve)
		score = append(score, math.Abs(m.score.Value-without.law.scoreAt(&m.traits))/link)
	}
	p.lossError, p.scoreError = conformal(loss), conformal(score)
	return p, nil
}

// conformal returns the ⌈0.8·(n+1)⌉-th smallest error, infinite where n is too small.
func conformal(errors []float64) float64 {
	rank := int(math.Ceil(hardware.Level * float64(len(errors)+1)))
	if rank > len(errors) {
		return math.Inf(1)
	}
	return slices.Sorted(slices.Values(errors))[rank-1]
}

// uncalibrated returns a predictor whose half-widths are zero.
func uncalibrated(rows []reading, from *publishedLaw) (*predictor, error) {
	law, err := fitPublished(rows, false, from)
	if err != nil {
		return nil, err
	}
	p := &predictor{law: law, rows: convert(rows)}
	for j := range p.low {
		p.low[j], p.high[j] = math.Inf(1), math.Inf(-1)
	}
	var curves, links float64
	for i := range p.rows {
		m := &p.rows[i]
		if m.upstream != nil {
			tangent := law.tangent(&m.traits)
			p.meanCurve += law.curve.leverage(tangent[:])
			curves++
		}
		if m.score != nil {
			features := law.features(law.lossAt(&m.traits), &m.traits)
			p.meanLink += law.link.leverage(features[:])
			links++
			for j, v := range m.traits.position() {
				p.low[j], p.high[j] = min(p.low[j], v), max(p.high[j], v)
			}
		}
	}
	p.meanCurve /= curves
	p.meanLink /= links
	return p, nil
}

// predict returns what the laws say of a shape.
func (p *predictor) predict(t *traits) prediction {
	loss := p.law.lossAt(t)
	curve, link := p.scales(loss, t)
	return prediction{
		loss: loss, lossHalf: p.lossError * curve,
		score: p.law.scoreFrom(loss, t), scoreHalf: p.scoreError * link,
	}
}

// scales returns how much wider than usual the errors of the two lines are at
// a shape with a predicted loss:
//
//	σ = max(1, √((1 + h)/(1 + h̄))) · 2^outside
//
// h is the leverage of the shape, h̄ the mean leverage of the rows, outside the
// doublings by which the shape lies beyond the measured ones. The last factor is
// a rule, not an estimate: nothing says how wrong a law is where nothing was
// measured.
func (p *predictor) scales(loss float64, t *traits) (curve, link float64) {
	tangent, features := p.law.tangent(t), p.law.features(loss, t)
	strain := func(h, mean float64) float64 { return max(1, math.Sqrt((1+h)/(1+mean))) }
	beyond := math.Exp2(p.outside(t))
	return strain(p.law.curve.leverage(tangent[:]), p.meanCurve) * beyond,
		strain(p.law.link.leverage(features[:]), p.meanLink) * beyond
}

// dimensions in which evidence is near or far.
const dimensions = 7

// position returns the base-2 logarithms of the dimensions.
func (t *traits) position() [dimensions]float64 {
	return [...]float64{
		math.Log2(t.balanced), math.Log2(t.encoderLayers), math.Log2(t.depthRatio),
		math.Log2(t.dModel), math.Log2(t.ffnRatio), math.Log2(t.innerRatio), math.Log2(t.heads),
	}
}

// outside returns how many doublings a shape lies beyond the measured ones, in
// its worst dimension.
func (p *predictor) outside(t *traits) float64 {
	worst := 0.0
	for j, v := range t.position() {
		worst = max(worst, p.low[j]-v, v-p.high[j])
	}
	return worst
}

// classify says how near the evidence a shape is that was not measured.
func (p *predictor) classify(t *traits) Class {
	switch o := p.outside(t); {
	case o == 0:
		return Interpolated
	case o <= 1:
		return Extrapolated
	}
	return Rule
}

// nearest returns the measured shape with the smallest largest distance.
func (p *predictor) nearest(t *traits) *Neighbour {
	best, name := math.Inf(1), ""
	here := t.position()
	for i := range p.rows {
		m := &p.rows[i]
		if m.score == nil {
			continue
		}
		worst := 0.0
		for j, v := range m.traits.position() {
			worst = max(worst, math.Abs(v-here[j]))
		}
		if worst < best {
			best, name = worst, m.shape.Name
		}
	}
	return &Neighbour{Name: name, Distance: math.Exp2(best)}
}
