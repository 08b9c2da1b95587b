package recommend

import (
	"context"
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/fit"
)

// publishedLaw is what the shipped results say about fine-tuned encoder-decoders of the T5 kind:
//
//	loss  = E + A/b^α           b = 2/(1/Ne + 1/Nd)
//	score = c₀ + c₁·loss + c₂·ln min(el, 36)
//
// Ne and Nd are the matrix parameters of the encoder and decoder layers, el the encoder's layers. b
// is the size of a model with two equal stacks: the smaller stack limits the loss. For equal stacks
// the first line is the usual law in size, with no parameter more; the sum of two bottlenecks is a
// cousin of the bivariate law of Ghorbani et al. 2021 (arXiv 2109.07740).
//
// The form was chosen on the very rows it is fitted to, among about fifteen by their leave-one-out
// error, so that error is somewhat too kind. The cap on depth is a prior: gains diminish from 32–36
// layers (Tay et al. 2021, arXiv 2109.10686, as the project reads it), and no deeper shape is among
// the rows.
type publishedLaw struct {
	sizeOnly bool // the baseline: b is the parameter count, and depth is left out
	loss     *fit.Result
	curve    linear // the law of loss linearised at its optimum, for leverages
	link     linear
}

// plateau is the encoder depth beyond which no gain is assumed.
const plateau = 36

// coefficients is how many either line has.
const coefficients = 3

// minimumReadings is what three coefficients and a residual need.
const minimumReadings = 6

func (l *publishedLaw) size(t *traits) float64 {
	if l.sizeOnly {
		return t.params
	}
	return t.balanced
}

// lossAt returns the predicted upstream loss.
func (l *publishedLaw) lossAt(t *traits) float64 {
	p := l.loss.Params
	return p[0] + p[1]*math.Exp(-p[2]*math.Log(l.size(t)))
}

// tangent returns the derivatives of the loss in E, ln A and α.
func (l *publishedLaw) tangent(t *traits) [coefficients]float64 {
	p, ln := l.loss.Params, math.Log(l.size(t))
	term := p[1] * math.Exp(-p[2]*ln)
	return [...]float64{1, term, -term * ln}
}

// features are those of the link at a loss; the baseline's depth is left out of its fit.
func (l *publishedLaw) features(loss float64, t *traits) [coefficients]float64 {
	return [...]float64{1, loss, math.Log(min(t.encoderLayers, plateau))}
}

// columns is how many of the features the link reads.
func (l *publishedLaw) columns() int {
	if l.sizeOnly {
		return coefficients - 1
	}
	return coefficients
}

// scoreAt returns the predicted downstream score.
func (l *publishedLaw) scoreAt(t *traits) float64 { return l.scoreFrom(l.lossAt(t), t) }

// scoreFrom returns the score predicted from a known loss.
func (l *publishedLaw) scoreFrom(loss float64, t *traits) float64 {
	c := l.link.coef
	score := c[0] + c[1]*loss
	if !l.sizeOnly {
		score += c[2] * math.Log(min(t.encoderLayers, plateau))
	}
	return score
}

// fitPublished fits both lines to readings. from is an earlier fit to start at; nil searches.
func fitPublished(rows []reading, sizeOnly bool, from *publishedLaw) (*publishedLaw, error) {
	rows = convert(rows)
	l := &publishedLaw{sizeOnly: sizeOnly}
	var size, loss []float64
	for i := range rows {
		if m := &rows[i]; m.upstream != nil {
			size, loss = append(size, l.size(&m.traits)), append(loss, m.upstream.Value)
		}
	}
	if len(loss) < minimumReadings {
		return nil, fmt.Errorf(
			"%d upstream readings of the allowed evidence; at least %d are needed", len(loss),
			minimumReadings)
	}
	settings := &fit.Settings{Workers: 1}
	if from != nil {
		settings.From, settings.Only = [][]float64{from.loss.Params}, true
	}
	var err error
	law := fit.PowerOffset().On("size")
	l.loss, err = fit.Fit(context.Background(), law,
		fit.Data{Columns: map[string][]float64{"size": size}, Y: loss}, fit.Squared(), settings)
	if err != nil {
		return nil, fmt.Errorf("upstream law: %w", err)
	}
	var x, y, weight, tangents []float64
	for i := range rows {
		m := &rows[i]
		if m.upstream != nil {
			tangent := l.tangent(&m.traits)
			tangents = append(tangents, tangent[:]...)
		}
		if m.score != nil {
			features := l.features(l.lossAt(&m.traits), &m.traits)
			x, y, weight = append(x, features[:l.columns()]...), append(y, m.score.Value),
				append(weight, m.weight())
		}
	}
	var ok bool
	ones := make([]float64, len(loss))
	for i := range ones {
		ones[i] = 1
	}
	if l.curve, ok = leastSquares(tangents, loss, ones); !ok {
		return nil, fmt.Errorf("upstream law: the readings do not vary enough in size")
	}
	if len(y) < minimumReadings {
		return nil, fmt.Errorf(
			"%d downstream readings of the allowed evidence; at least %d are needed", len(y),
			minimumReadings)
	}
	if l.link, ok = leastSquares(x, y, weight); !ok {
		return nil, fmt.Errorf("downstream link: the readings do not vary enough in loss and depth")
	}
	return l, nil
}
