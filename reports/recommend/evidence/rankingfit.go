package evidence

import (
	"errors"
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/fit"
)

// fitRanking fits what ranks shapes to groups of runs: the mean of all forms that can be fitted,
// each weighted by how well it explains each group from the others. A form is tried pooled, as one
// law for all, and with a level for each group.
//
// A form's leftover r is the share of the variation inside held-out groups that it leaves, Σ(e −
// ē)²/Σ(c − c̄)²: levels do not matter to a ranking. Its weight is r^(−G/2), the likelihood of G
// Gaussian errors of estimated variance, one for each of the G groups (Akaike weights; Burnham and
// Anderson 2002, doi 10.1007/b97636): few groups cannot tell forms apart, and the mean is surer
// than the pick; many groups leave the best form. With a single group the held-out error of its
// rows decides.
//
// The string names the form with the most weight.
func fitRanking(groups []runGroup) (ranking, string, error) {
	whole := pool(groups)
	if len(groups) == 1 {
		s, err := chooseSurface(whole.runs, whole.cost)
		if err != nil {
			return nil, "", err
		}
		return func(t *runTraits) float64 { return -s.loss(t) }, s.form.name, nil
	}
	var ranks []ranking // in units of the outcome
	var names []string
	var logs []float64 // of weights
	var reasons error
	for _, f := range forms(variationOf(whole.runs)) {
		for _, levelled := range []bool{false, true} {
			if f.law != nil && levelled {
				continue
			}
			learn := func(some []runGroup) (ranking, error) { return f.rank(some, levelled) }
			left, err := leftover(groups, learn)
			var rank ranking
			if err == nil {
				rank, err = learn(groups)
			}
			if err != nil {
				reasons = errors.Join(reasons, fmt.Errorf("%s: %w", f.name, err))
				continue
			}
			name := f.name
			if levelled {
				name += ", a level for each group"
			}
			ranks, names = append(ranks, rank), append(names, name)
			logs = append(logs, -float64(len(groups))/2*math.Log(max(left, exactly)))
		}
	}
	if len(ranks) == 0 {
		return nil, "", fmt.Errorf("no law fits: %w", reasons)
	}
	mean, name := meanRanking(ranks, names, logs)
	return mean, name, nil
}

// meanRanking returns the mean of rankings by the logarithms of their weights, and names the one of
// the most weight.
func meanRanking(ranks []ranking, names []string, logs []float64) (ranking, string) {
	weights, most := fit.Normalised(logs), 0
	for i, w := range weights {
		if w > weights[most] {
			most = i
		}
	}
	return func(t *runTraits) float64 {
		sum := 0.0
		for i, w := range weights {
			sum += w * ranks[i](t)
		}
		return sum
	}, fmt.Sprintf("%s (%.0f %% of the weight of %d)", names[most], 100*weights[most], len(weights))
}

// exactly is the leftover below which a form counts as exact: what float64 loses in a fit.
const exactly = 1e-12

// mostFolds is how many parts of the groups are held out in turn: each group by itself where there
// are no more, for time.
const mostFolds = 10

// leftover returns r of [fitRanking].
func leftover(groups []runGroup, learn func([]runGroup) (ranking, error)) (float64, error) {
	var left, total float64
	folds := min(len(groups), mostFolds)
	for fold := range folds {
		var rest []runGroup
		for i := range groups {
			if i%folds != fold {
				rest = append(rest, groups[i])
			}
		}
		rank, err := learn(rest)
		if err != nil {
			return 0, err
		}
		for i := fold; i < len(groups); i += folds {
			g := &groups[i]
			errs := make([]float64, len(g.runs))
			for k := range g.runs {
				errs[k] = g.cost[k] + rank(&g.runs[k])
			}
			// Groups count alike, whatever the scale of their outcomes.
			if t := scatter(g.cost); t > 0 {
				left += scatter(errs) / t
				total++
			}
		}
	}
	if total == 0 {
		return 0, fmt.Errorf("in no group does the outcome vary")
	}
	return left / total, nil
}

// scatter returns Σ(v − v̄)².
func scatter(v []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		sum += (x - mean) * (x - mean)
	}
	return sum
}

func pool(groups []runGroup) runGroup {
	var all runGroup
	for i := range groups {
		all.runs, all.cost = append(all.runs, groups[i].runs...),
			append(all.cost, groups[i].cost...)
	}
	return all
}

// rank fits one form to groups. Polynomials are fitted to the outcomes themselves, which may be
// negative scores. Slopes are pulled a little to zero.
func (f *form) rank(groups []runGroup, levelled bool) (ranking, error) {
	whole := pool(groups)
	if f.law != nil {
		for _, c := range whole.cost {
			if c <= 0 {
				return nil, fmt.Errorf("the law is of losses above 0")
			}
		}
		s, err := fitSurface(*f, whole.runs, whole.cost, nil)
		if err != nil {
			return nil, err
		}
		return func(t *runTraits) float64 { return -s.loss(t) }, nil
	}
	s := surface{form: *f, means: meanOf(whole.runs)}
	var x, y, weight []float64
	columns := 0
	for g := range groups {
		for i := range groups[g].runs {
			row := f.features(s.centred(&groups[g].runs[i]))
			if levelled {
				row = append(make([]float64, len(groups)), row[1:]...)
				row[g] = 1
			}
			columns = len(row)
			x, y, weight = append(x, row...), append(y, groups[g].cost[i]), append(weight, 1)
		}
	}
	constants := 1
	if levelled {
		constants = len(groups)
	}
	x, y, weight = shrunk(x, y, weight, columns, constants)
	l, ok := fit.LeastSquares(x, y, weight)
	if !ok {
		return nil, fmt.Errorf("the rows do not vary enough")
	}
	slopes := l.Coef[constants:]
	return func(t *runTraits) float64 {
		sum := 0.0
		for j, v := range f.features(s.centred(t))[1:] {
			sum -= slopes[j] * v
		}
		return sum
	}, nil
}

// ridge is the weight, in rows' worth of standardised columns, that pulls slopes to zero: enough
// for columns that the groups cannot tell apart, as tokens are from a level for each group where
// each group has its own number of tokens.
const ridge = 1e-3

// constant is the share of its length that a column varies by, below which it counts as a constant.
const constant = 1e-9

// shrunk appends a row for each slope that pulls it to zero.
func shrunk(x, y, weight []float64, columns, constants int) (xs, ys, weights []float64) {
	n := len(y)
	for j := constants; j < columns; j++ {
		values, length := make([]float64, n), 0.0
		for i := range n {
			values[i] = x[i*columns+j]
			length += values[i] * values[i]
		}
		row := make([]float64, columns)
		row[j] = math.Sqrt(scatter(values))
		// a square of two levels, for one: it is pinned to zero
		if row[j] <= constant*math.Sqrt(length) {
			row[j] = math.Sqrt(length) + constant
		}
		x, y, weight = append(x, row...), append(y, 0), append(weight, ridge)
	}
	return x, y, weight
}
