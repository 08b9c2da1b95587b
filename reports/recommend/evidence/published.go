package evidence

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
)

// publishedLaw is what the shipped results say about fine-tuned encoder-decoders of the T5 kind:
//
//	loss  = E + A/s^α · exp(q·ln²(a/64))    s = 2/(1/Ne + 1/Nd) + V·d_model/4
//	score = c₀ + c₁·loss + c₂/el            a = d_model/((el + dl)/2)
//
// Ne and Nd are the matrix parameters of the encoder and decoder layers, el and dl their layers, V
// the vocabulary. s is the size of a model with two equal stacks, for the smaller stack limits the
// loss, and a quarter of the embedding: of 512 positions of an input 128 are read off it as
// targets. For one size the loss is least at the aspect ratio of T5-Base, 64, and grows to either
// side. The last term is the depth: each doubling of the encoder gains half of what the one before
// gained, so that the plateau is what the rows show, and not a cap.
//
// The forms were chosen on the 24 losses and 21 scores they are fitted to, among about forty of the
// first and ten of the second, by leaving out each row and by leaving out each direction in which the rows vary (all other
// depths of Base, all its widths, all its feed-forwards, all models above Large); docs/evidence.md
// has the errors. No row has stacks of different depth: how the two sizes join is a prior, a cousin
// of the bivariate law of Ghorbani et al. 2021 (arXiv 2109.07740), with which the one recalled row
// of such a shape agrees.
type publishedLaw struct {
	sizeOnly bool       // the baseline: s is the parameter count, and shape is left out
	loss     []float64  // E, A, α and q
	curve    fit.Linear // the law of loss linearised at its optimum, for leverages
	link     fit.Linear
}

// bestAspect is d_model over layers of T5-Base, about which the penalty is centred: with a free
// centre the rows put it at 62, and predict rows left out no better.
const bestAspect = 64

// minimumReadings is what the coefficients of either line and a residual need.
const minimumReadings = 6

// upstreamLaw returns the law of loss in size and aspect ratio.
func upstreamLaw() fit.Law {
	return fit.Law{
		Name: "aspect-offset", Formula: "E + A/size^alpha * exp(q * ln(aspect/64)^2)",
		Columns: []string{"size", "aspect"}, Response: "loss", Features: 2,
		Prepare: func(x, z []float64) {
			z[0] = math.Log(x[0])
			away := math.Log(x[1] / bestAspect)
			z[1] = -away * away
		}, Params: []fit.Param{
			{Name: "E", Log: true, Vanishes: true},
			{Name: "A", Log: true},
			{Name: "alpha", Low: 0.01, High: 2, Start: [2]float64{0.1, 0.6}},
			{Name: "q", Low: 0, High: 1, Start: [2]float64{0.01, 0.1}, Vanishes: true},
		}, Terms: []fit.Term{
			{Coef: "E"},
			{Coef: "A", Decays: []fit.Decay{{Exponent: "alpha"}, {Exponent: "q", Feature: 1}}},
		},
	}
}

// predictors are the columns of the law of loss.
func (l *publishedLaw) predictors(t *traits) []float64 {
	if l.sizeOnly {
		return []float64{t.params}
	}
	return []float64{t.size, t.aspect}
}

// lossAt returns the predicted upstream loss.
func (l *publishedLaw) lossAt(t *traits) float64 {
	p := l.loss
	if l.sizeOnly {
		return p[0] + p[1]*math.Exp(-p[2]*math.Log(t.params))
	}
	away := math.Log(t.aspect / bestAspect)
	return p[0] + p[1]*math.Exp(p[3]*away*away-p[2]*math.Log(t.size))
}

// tangent returns the derivatives of the loss in E, ln A, α and q, where the law predicts loss.
func (l *publishedLaw) tangent(t *traits, loss float64) []float64 {
	term := loss - l.loss[0]
	if l.sizeOnly {
		return []float64{1, term, -term * math.Log(t.params)}
	}
	away := math.Log(t.aspect / bestAspect)
	return []float64{1, term, -term * math.Log(t.size), term * away * away}
}

// features are those of the link at a loss.
func (l *publishedLaw) features(loss float64, t *traits) []float64 {
	if l.sizeOnly {
		return []float64{1, loss}
	}
	return []float64{1, loss, 1 / t.encoderLayers}
}

// scoreAt returns the predicted downstream score.
func (l *publishedLaw) scoreAt(t *traits) float64 { return l.scoreFrom(l.lossAt(t), t) }

// scoreFrom returns the score predicted from a known loss.
func (l *publishedLaw) scoreFrom(loss float64, t *traits) float64 {
	c := l.link.Coef
	score := c[0] + c[1]*loss
	if !l.sizeOnly {
		score += c[2] / t.encoderLayers
	}
	return score
}

// fitPublished fits both lines to readings. from is an earlier fit to start at; nil searches.
func fitPublished(rows []reading, sizeOnly bool, from *publishedLaw) (*publishedLaw, error) {
	l := &publishedLaw{sizeOnly: sizeOnly}
	measured := slices.DeleteFunc(slices.Clone(rows), func(m reading) bool { return m.loss == nil })
	if n := len(measured); n < minimumReadings {
		return nil, fmt.Errorf(
			"%d upstream readings of the allowed evidence; needed: at least %d", n,
			minimumReadings)
	}
	if from != nil && l.refit(measured, from) {
		return l, l.fitLines(rows)
	}
	law := upstreamLaw()
	if sizeOnly {
		law = fit.PowerOffset()
	}
	in := fit.Data{Columns: map[string][]float64{}}
	for i := range measured {
		for j, v := range l.predictors(&measured[i].traits) {
			in.Columns[law.Columns[j]] = append(in.Columns[law.Columns[j]], v)
		}
		in.Y = append(in.Y, measured[i].loss.Value)
	}
	found, err := fit.Fit(context.Background(), law, in, fit.Squared(), &fit.Settings{Workers: 1})
	if err != nil {
		return nil, fmt.Errorf("upstream law: %w", err)
	}
	l.loss = found.Params
	return l, l.fitLines(rows)
}

// refit moves the optimum of other rows, found by a search, to that of these, which all have a
// loss, by Gauss-Newton steps in E, ln A, α and q; it is not ok where they do not settle inside the bounds.
func (l *publishedLaw) refit(rows []reading, from *publishedLaw) bool {
	const most, settled = 30, 1e-6 // nats, to within a hundredth of their last printed digit
	l.loss = slices.Clone(from.loss)
	y := make([]float64, len(rows))
	var x []float64
	for range most {
		x = x[:0]
		for i := range rows {
			m := &rows[i]
			at := l.lossAt(&m.traits)
			x, y[i] = append(x, l.tangent(&m.traits, at)...), m.loss.Value-at
		}
		step, ok := fit.LeastSquares(x, y, nil)
		if !ok {
			return false
		}
		largest := 0.0
		for j, d := range step.Coef {
			if j == 1 {
				l.loss[j] *= math.Exp(d)
			} else {
				l.loss[j] += d
			}
			largest = max(largest, math.Abs(d))
		}
		if !(l.loss[0] > 0) || !(l.loss[2] > 0) || !l.sizeOnly && l.loss[3] < 0 {
			return false
		}
		if largest < settled {
			return true
		}
	}
	return false
}

// fitLines fits the link from loss to score, on measured losses where there are, and linearises the
// law of loss.
func (l *publishedLaw) fitLines(rows []reading) error {
	var x, y, tangents, losses []float64
	for i := range rows {
		m := &rows[i]
		loss := l.lossAt(&m.traits)
		if m.loss != nil {
			tangents, losses = append(tangents, l.tangent(&m.traits, loss)...), append(losses, m.loss.Value)
			loss = m.loss.Value
		}
		if m.score != nil {
			x, y = append(x, l.features(loss, &m.traits)...), append(y, m.score.Value)
		}
	}
	var ok bool
	if l.curve, ok = fit.LeastSquares(tangents, losses, nil); !ok {
		return fmt.Errorf("upstream law: the readings do not vary enough in size and shape")
	}
	if len(y) < minimumReadings {
		return fmt.Errorf(
			"%d downstream readings of the allowed evidence; needed: at least %d", len(y),
			minimumReadings)
	}
	if l.link, ok = fit.LeastSquares(x, y, nil); !ok {
		return fmt.Errorf("downstream link: the readings do not vary enough in loss and depth")
	}
	return nil
}
