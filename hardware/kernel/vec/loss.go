package vec

import "math"

// LossOptions configures CrossEntropy. The zero value writes no gradient but zeros: GradScale must
// be set.
type LossOptions struct {
	ZLoss     float64 // coefficient of z², z = log Σ exp(logit); 0 for none (PaLM and T5X use 1e-4)
	GradScale float64 // every gradient is multiplied by it: 1/(sum of weights) for the mean loss
}

// RowLoss is the loss of one position, or a sum of such, in nats; not scaled by GradScale.
type RowLoss struct {
	NLL    float64 // weight · (z − logit of the target)
	Z      float64 // weight · ZLoss · z²
	Weight float64
}

// SumLoss returns the sum of the rows in their order, so that it does not depend on who computed
// them.
func SumLoss(rows []RowLoss) RowLoss {
	var sum RowLoss
	for _, r := range rows {
		sum.NLL += r.NLL
		sum.Z += r.Z
		sum.Weight += r.Weight
	}
	return sum
}

// CrossEntropy writes the loss of each row of logits, cols wide, to losses and turns the logits
// into the gradient in place.
//
//	nll = w·(z − x_t), z = log Σ_j exp(x_j); z-loss = w·c·z²
//	g_j = s·w·(p_j·(1 + 2·c·z) − [j = t]), p = softmax(x)
//
// t is the row's target, w its weight, c and s the ZLoss and GradScale of o. weights may be nil:
// all 1. A row of weight 0 (a mask) has loss and gradient 0 whatever its logits and target are. A
// row with NaN or +Inf, or one that is masked throughout, has loss and gradient NaN. Other targets
// outside 0 … cols−1 panic. Not modelled: label smoothing.
// Source of the z-loss: Chowdhery et al. 2022, PaLM, §5, arXiv 2204.02311.
func (s *Set) CrossEntropy(logits []float32, cols int, targets []int32, weights []float32,
	o LossOptions, losses []RowLoss,
) {
	rows := rowsOf(logits, cols)
	exactly(targets, rows)
	exactly(losses, rows)
	if weights != nil {
		exactly(weights, rows)
	}
	var e exponentials
	for r := range rows {
		row, weight := logits[r*cols:(r+1)*cols], 1.0
		if weights != nil {
			weight = float64(weights[r])
		}
		if weight == 0 {
			clear(row)
			losses[r] = RowLoss{}
			continue
		}
		losses[r] = s.rowLoss(&e, row, int(targets[r]), weight, o)
	}
}

func (s *Set) rowLoss(e *exponentials, row []float32, target int, weight float64,
	o LossOptions,
) RowLoss {
	logit := float64(row[target])
	e.take(s, row, nil, nil)
	if e.sum == 0 {
		e.sum = math.NaN()
	}
	z := float64(e.max) + math.Log(e.sum)
	g := o.GradScale * weight
	e.normalise(s, row, g*(1+2*o.ZLoss*z)/e.sum)
	row[target] -= float32(g)
	return RowLoss{NLL: weight * (z - logit), Z: weight * o.ZLoss * z * z, Weight: weight}
}
