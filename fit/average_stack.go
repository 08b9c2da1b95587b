package fit

import "math"

// stackedWeights returns the weights of the members whose mean errs least on the rows held out,
// shrunk towards the prior as far as power errors are few:
//
//	½·ln(wᵀGw + Σ w_m·σ_m²) + KL(w ‖ prior)/power → min,   G_ml = mean over rows of e_m·e_l
//
// e_m is the error of a member on a row held out, σ_m its residual. Weights of one error for each
// member cannot see that two members err to opposite sides; these can. A member that a fold refuses
// has the worst error of that fold there, independent of the others'.
//
// Source: stacking, Wolpert 1992, Neural Networks 5(2); Breiman 1996, Machine Learning 24; with an
// entropy to the prior in the role of their bounds.
func (x *Average) stackedWeights(power float64, folds []averageFold) []float64 {
	n := len(x.members)
	prior, worst := x.prior(), x.worstErrors(len(folds))
	rows := 0
	for _, f := range folds {
		rows += len(f.scored)
	}
	gram := make([]float64, n*n)
	for i, m := range x.members {
		for f := range folds {
			share := float64(len(folds[f].scored)) / float64(rows)
			if m.heldOut[f] == nil {
				gram[i*n+i] += share * square(worst[f])
				continue
			}
			for l := range i + 1 {
				if other := x.members[l].heldOut[f]; other != nil {
					gram[i*n+l] += share * meanProduct(m.heldOut[f], other)
				}
			}
		}
		for l := range i {
			gram[l*n+i] = gram[i*n+l]
		}
	}
	noise := make([]float64, n)
	for i, m := range x.members {
		noise[i] = square(m.noise) + square(leastError)
	}
	return stack{gram, noise, prior, 1 / power}.weights()
}

func meanProduct(a, b []float64) float64 {
	sum := 0.0
	for k := range a {
		sum += a[k] * b[k]
	}
	return sum / float64(len(a))
}

// stack is the problem of [Average.stackedWeights].
type stack struct {
	gram, noise, prior []float64
	shrink             float64
}

const (
	stackSteps = 500
	// stackGain ends the descent: a change of the objective that no digit of a prediction shows.
	stackGain = 1e-7
)

// weights descends from the prior by multiplicative steps, which keep weights positive, each as long
// as the objective falls.
func (s stack) weights() []float64 {
	n := len(s.prior)
	w, next := make([]float64, n), make([]float64, n)
	copy(w, s.prior)
	slope, ahead := make([]float64, n), make([]float64, n)
	value, length := s.at(w, slope), 1.0
	for range stackSteps {
		gain := 0.0
		for ; length > 1e-9; length /= 2 {
			sum := 0.0
			for i := range w {
				next[i] = w[i] * math.Exp(-length*slope[i])
				sum += next[i]
			}
			for i := range next {
				next[i] /= sum
			}
			if v := s.at(next, ahead); v < value {
				gain, value = value-v, v
				break
			}
		}
		if gain == 0 {
			break
		}
		w, next, slope, ahead = next, w, ahead, slope
		length *= 2
		if gain < stackGain {
			break
		}
	}
	return w
}

// at returns the objective and its slopes ∂/∂w_m less their weighted mean.
func (s stack) at(w, slope []float64) float64 {
	n := len(w)
	q, kl := 0.0, 0.0
	for i, wi := range w {
		row, sum := s.gram[i*n:(i+1)*n], 0.0
		for l, wl := range w {
			sum += row[l] * wl
		}
		slope[i] = sum + s.noise[i]/2
		q += wi * (sum + s.noise[i])
	}
	mean := 0.0
	for i, wi := range w {
		far := math.Log(max(wi, math.SmallestNonzeroFloat64) / s.prior[i])
		kl += wi * far
		slope[i] = slope[i]/q + s.shrink*far
		mean += wi * slope[i]
	}
	for i := range slope {
		slope[i] -= mean
	}
	return math.Log(q)/2 + s.shrink*kl
}
