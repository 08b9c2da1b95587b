package fit

import (
	"math"
	"slices"
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
	for _, m := range x.members {
		x.Noise += x.weights[slices.Index(x.members, m)] * m.noise * m.noise
	}
	x.Noise = math.Sqrt(x.Noise)
	for k := range laws {
		share := LawShare{Law: laws[k]}
		heaviest := -1
		for i, m := range x.members {
			if m.law == k {
				share.Weight += x.weights[i]
				if heaviest < 0 || x.weights[i] > x.weights[heaviest] {
					heaviest = i
				}
			}
		}
		if heaviest < 0 {
			continue
		}
		share.Law, share.Params = *x.members[heaviest].problem.law, x.members[heaviest].natural()
		var errors []float64
		for f := range folds {
			errors = append(errors, x.heldOutErrors(f, len(folds[f].scored), k)...)
		}
		share.Validation = RMS(errors)
		x.Laws = append(x.Laws, share)
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
	top, sum := slices.Max(log), 0.0
	for i := range log {
		log[i] = math.Exp(log[i] - top)
		sum += log[i]
	}
	for i := range log {
		log[i] /= sum
	}
	return log
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
	mean := make([]float64, rows)
	total := 0.0
	for i, m := range x.members {
		if m.heldOut[f] == nil || (law >= 0 && m.law != law) {
			continue
		}
		total += x.weights[i]
		for k, e := range m.heldOut[f] {
			mean[k] += x.weights[i] * e
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
