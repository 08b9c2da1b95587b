package fit

import (
	"math"
)

// weigh sets the weights and what follows from them.
func (x *Average) weigh(laws []Law, folds []averageFold) {
	// An error counts no more often than there are runs or groups that it was made on.
	sharp := min(sharpness, float64(x.Units))
	x.weights, x.soft = x.weightsAt(sharp, len(folds)), x.weightsAt(min(softness, sharp), len(folds))
	var all []float64
	for f := range folds {
		all = append(all, x.heldOutErrors(f, len(folds[f].scored), -1)...)
	}
	x.Validation = RMS(all) // before the stacked weights, which make it small by their choice
	for i, w := range x.stackedWeights(sharp, folds) {
		x.weights[i] = (x.weights[i] + w) / 2
	}
	for i, m := range x.members {
		x.Noise += x.weights[i] * m.noise * m.noise
	}
	x.Noise = math.Sqrt(x.Noise)
	for k := range laws {
		weight, at := heaviest(x.weights, func(i int) bool { return x.members[i].law == k })
		if at < 0 {
			continue
		}
		var errors []float64
		for f := range folds {
			errors = append(errors, x.heldOutErrors(f, len(folds[f].scored), k)...)
		}
		m := x.members[at]
		x.Laws = append(x.Laws, LawShare{*m.problem.law, weight, RMS(errors), m.natural()})
	}
}

// weightsAt returns the weights for a power of the validation error.
func (x *Average) weightsAt(power float64, folds int) []float64 {
	worst := x.worstErrors(folds)
	log := x.prior()
	for i, p := range log {
		log[i] = math.Log(p)
	}
	for i, m := range x.members {
		for f, e := range m.heldOut {
			v := worst[f]
			if e != nil {
				v = RMS(e)
			}
			log[i] -= power / float64(folds) * math.Log(math.Hypot(v, m.noise)+leastError)
		}
	}
	return Normalised(log)
}

// prior returns the weights before any error is seen: laws start with equal weight, and the members
// of each differ by where the offset is held or ended.
func (x *Average) prior() []float64 {
	prior, law := make([]float64, len(x.members)), map[int]float64{}
	for i, m := range x.members {
		prior[i] = 1
		if !math.IsNaN(m.offset) {
			prior[i] = math.Exp(-square((m.offset-offsetCentre)/offsetSpread) / 2)
		}
		law[m.law] += prior[i]
	}
	for i, m := range x.members {
		prior[i] /= law[m.law] * float64(len(law))
	}
	return prior
}

// worstErrors returns the largest error of any member in each fold.
func (x *Average) worstErrors(folds int) []float64 {
	worst := make([]float64, folds)
	for _, m := range x.members {
		for f, e := range m.heldOut {
			if e != nil {
				worst[f] = max(worst[f], RMS(e))
			}
		}
	}
	return worst
}

// heldOutErrors returns the weighted mean error on each row held out in fold f, of the members of
// one law, or of all when it is negative; those that could not be fitted are left out.
func (x *Average) heldOutErrors(f, rows, law int) []float64 {
	return meanErrors(x.weights, rows, func(i int) []float64 {
		if m := x.members[i]; law < 0 || m.law == law {
			return m.heldOut[f]
		}
		return nil
	})
}

// heaviest returns the weight of some members together, and the heaviest of them; −1 without any.
func heaviest(weights []float64, among func(i int) bool) (total float64, at int) {
	at = -1
	for i, w := range weights {
		if among(i) {
			total += w
			if at < 0 || w > weights[at] {
				at = i
			}
		}
	}
	return total, at
}

// meanErrors returns the weighted mean error on each row of the members that have errors there; nil
// where none has any weight.
func meanErrors(weights []float64, rows int, errors func(i int) []float64) []float64 {
	mean, total := make([]float64, rows), 0.0
	for i, w := range weights {
		if own := errors(i); own != nil && w != 0 {
			total += w
			for k, e := range own {
				mean[k] += w * e
			}
		}
	}
	if total == 0 {
		return nil
	}
	for k := range mean {
		mean[k] /= total
	}
	return mean
}
