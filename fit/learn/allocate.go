package learn

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Law is a law of a loss with where its parameters come from.
type Law struct {
	Result *fit.Result
	Draws  *fit.Bootstrapped // nil without
	Source string
	// PerParamToken is k of C = k·params·tokens: 6 or, where the records count their FLOPs another
	// way (both stacks of an encoder-decoder, attention), the median of their ratio. Zero means 6.
	PerParamToken float64
}

// LawQuestion asks for one law of positive columns, fitted to all rows.
type LawQuestion struct {
	Law       fit.Law
	Objective *fit.Objective // nil for the default
	Resamples int            // for the interval; 0 for none
	Seed      uint64
	Level     float64
	Progress  func(steps int) (step func()) // as in [Question]
}

// FitLaw fits a law to the runs with positive numbers in its columns and response.
//
// Errors: [*records.ColumnError], [*fit.Refusal], the context's.
func FitLaw(ctx context.Context, runs *Runs, q *LawQuestion) (*Law, error) {
	c, err := runs.columns(append(slices.Clone(q.Law.Columns), q.Law.Response)...)
	if err != nil {
		return nil, err
	}
	c.keepPositive()
	objective := DefaultObjective(q.Law.Response)
	if q.Objective != nil {
		objective = *q.Objective
	}
	d := c.data(c.Selection.Rows, q.Law.Columns, q.Law.Response)
	out := &Law{Source: fmt.Sprintf("fitted to %d rows, %d dropped", d.Len(),
		len(c.Drops)+len(c.Lost))}
	out.PerParamToken = runs.perParamToken(c.Selection.Rows)
	if out.Result, err = fit.Fit(ctx, q.Law, d, objective,
		&fit.Settings{Seed: q.Seed}); err != nil {
		return nil, err
	}
	if q.Resamples > 0 {
		set := &fit.BootstrapSettings{Resamples: q.Resamples, Seed: q.Seed, Level: q.Level}
		if q.Progress != nil {
			set.Progress = q.Progress(q.Resamples)
		}
		out.Draws, err = fit.Bootstrap(ctx, out.Result, d, set)
	}
	return out, err
}

// PublishedLaws lists the published laws in params and tokens.
func PublishedLaws() []string {
	var out []string
	for _, p := range data.LawParameters() {
		if p.Form == "L = "+fit.Chinchilla().Formula && !slices.Contains(out, p.Law) {
			out = append(out, p.Law)
		}
	}
	return out
}

// PublishedLaw returns a Chinchilla law with published constants; ok is false for a name that is
// not
// among [PublishedLaws].
func PublishedLaw(name string) (law *Law, ok bool) {
	if !slices.Contains(PublishedLaws(), name) {
		return nil, false
	}
	constants, _ := data.Law(name)
	out := &Law{Result: &fit.Result{Law: fit.Chinchilla()}}
	for _, p := range out.Result.Law.Params {
		v, ok := constants[p.Name]
		if !ok {
			return nil, false
		}
		out.Result.Params = append(out.Result.Params, v)
	}
	for _, p := range data.LawParameters() {
		if p.Law == name {
			out.Source = fmt.Sprintf("%s, %s (%s)", name, p.Source, p.Evidence)
		}
	}
	return out, len(constants) == len(out.Result.Params)
}

// Allocated is the best split of one budget under one law.
type Allocated struct {
	Law        string
	Source     string // where its parameters come from
	Allocation *fit.Allocation
	Level      float64
	Nearest    []NearShape
	// PerParamToken is the k by which FLOPs were counted, see [Law].
	PerParamToken float64
}

// NearShape is a catalogue shape near the best size, trained on the rest of the budget.
type NearShape struct {
	Shape  string
	Params int64
	Tokens float64
	Loss   float64
}

// CanAllocate says whether a law has what [Allocate] needs: params and tokens, and nothing else.
func CanAllocate(law fit.Law) bool {
	return len(law.Columns) == 2 && slices.Contains(law.Columns, "params") &&
		slices.Contains(law.Columns, "tokens")
}

// Allocate splits a budget in FLOP between params and tokens where the law's loss is lowest, see
// [fit.Allocate], with the catalogue shapes next in size. The law is one of those that
// [CanAllocate] admits. Level is that of the interval where the law has no draws of its own.
//
// Errors: [*fit.Refusal].
func Allocate(law *Law, budget, level float64) (*Allocated, error) {
	k := cmp.Or(law.PerParamToken, flopsPerParamToken)
	set := &fit.AllocateSettings{Draws: law.Draws}
	if k != flopsPerParamToken {
		set.FLOPs = func(n, d float64) float64 { return k * n * d }
	}
	x, err := fit.Allocate(law.Result, budget, set)
	if err != nil {
		return nil, err
	}
	if law.Draws != nil {
		level = law.Draws.Level
	}
	return &Allocated{
		Law: law.Result.Law.Name, Source: law.Source, Allocation: x, Level: level,
		Nearest: nearestShapes(law.Result, x, k), PerParamToken: k,
	}, nil
}

// perParamToken returns the median of flops/(params·tokens) over the rows, 6 where it is that or the
// rows lack a column.
func (r *Runs) perParamToken(rows []int) float64 {
	var columns [3]*records.Numbers
	for i, name := range []string{"flops", "params", "tokens"} {
		var err error
		if columns[i], err = r.Numbers(name); err != nil {
			return flopsPerParamToken
		}
	}
	var ratios []float64
	for _, row := range rows {
		v := columns[0].Values[row] / (columns[1].Values[row] * columns[2].Values[row])
		if v > 0 && !math.IsInf(v, 0) {
			ratios = append(ratios, v)
		}
	}
	const same = 0.01 // rounding of printed FLOPs
	if k := fit.Median(ratios); len(ratios) > 0 && math.Abs(k/flopsPerParamToken-1) > same {
		return k
	}
	return flopsPerParamToken
}

// flopsPerParamToken is the C of C = 6·N·D: two FLOP of a multiply-add, once forward and twice
// backward (Kaplan et al. 2020, §2.1, arXiv 2001.08361).
const flopsPerParamToken = 6

// nearestShapes returns the catalogue shapes next in size to the best one, each with the tokens
// that
// the budget leaves it: D = C/(k·N).
func nearestShapes(law *fit.Result, best *fit.Allocation, k float64) []NearShape {
	const listed = 3
	const far = math.Ln2 // no shape beyond a factor of two is near
	distance := func(n NearShape) float64 {
		return math.Abs(
			math.Log(float64(n.Params) / best.Params))
	}
	var all []NearShape
	for _, e := range shapes.Catalogue() {
		if e.NotCountable != "" || !e.Shape.ReadsTokens() {
			continue
		}
		n := NearShape{Shape: e.Name, Params: flops.CountParameters(&e.Shape).Total}
		if distance(n) <= far {
			all = append(all, n)
		}
	}
	slices.SortStableFunc(all, func(a, b NearShape) int {
		return cmp.Compare(distance(a),
			distance(b))
	})
	all = all[:min(len(all), listed)]
	for i := range all {
		n := &all[i]
		n.Tokens = best.FLOPs / (k * float64(n.Params))
		x := []float64{float64(n.Params), n.Tokens}
		if law.Law.Columns[0] == "tokens" {
			slices.Reverse(x)
		}
		n.Loss = law.Predict(x...)
	}
	return all
}
