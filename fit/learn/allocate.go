package learn

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
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
	// BothStacks says that the law's tokens are the positions of encoder and decoder, as the records
	// of train and sweep have them; a plan counts those of the encoder.
	BothStacks bool
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
	objective := defaultObjective(q.Law.Response)
	if q.Objective != nil {
		objective = *q.Objective
	}
	d := c.data(c.Selection.Rows, q.Law.Columns, q.Law.Response)
	out := &Law{Source: fmt.Sprintf("fitted to %s, %d dropped", quantity.Of(d.Len(), "row"),
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
// not among [PublishedLaws].
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
	Served        *Served // nil where nothing is served
	result        *fit.Result
}

// Served is what serving adds to the life of a model.
type Served struct {
	Tokens float64
	Share  float64 // of the budget
	// Usual is the size that training alone would choose for the same loss, and Saved the share of the
	// FLOPs of its life, served as often, that the answer saves.
	Usual, Saved float64
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
// [CanAllocate] admits. Level is that of the interval where the law has no draws of its own. Tokens
// to be served take their share of the budget:
//
//	budget = k·params·tokens + k/3·params·served
//
// Errors: [*fit.Refusal].
//
// Source: of serving Sardana et al. 2024, eq. 1, arXiv 2401.00448.
func Allocate(law *Law, budget, served, level float64) (*Allocated, error) {
	k := cmp.Or(law.PerParamToken, flopsPerParamToken)
	set := &fit.AllocateSettings{Draws: law.Draws}
	if k != flopsPerParamToken || served > 0 {
		set.FLOPs = func(n, d float64) float64 { return k*n*d + k/forwardShare*n*served }
	}
	x, err := fit.Allocate(law.Result, budget, set)
	switch {
	case err != nil && served > 0:
		return nil, fmt.Errorf("with %.3g tokens served from the same budget: %w", served, err)
	case err != nil:
		return nil, err
	}
	if law.Draws != nil {
		level = law.Draws.Level
	}
	out := &Allocated{
		Law: law.Result.Law.Name, Source: law.Source, Allocation: x, Level: level,
		Nearest: nearestShapes(law.Result, x, k, served), PerParamToken: k, result: law.Result,
	}
	if served > 0 {
		out.Served, err = servedOf(law.Result, x, k, served)
	}
	return out, err
}

// forwardShare is how many times the forward pass a training step takes: backward is two.
const forwardShare = 3

// servedOf compares the life of the best model with that of the one that training alone would choose
// for its loss.
func servedOf(law *fit.Result, x *fit.Allocation, k, served float64) (*Served, error) {
	usual, err := fit.InferenceAware(law, x.Loss, 0, &fit.InferenceSettings{
		TrainingFLOPs: func(n, d float64) float64 { return k * n * d },
	})
	if err != nil {
		return nil, err
	}
	serving := k / forwardShare * served
	life := usual.TrainingFLOPs + serving*usual.Params
	return &Served{
		Tokens: served, Share: serving * x.Params / x.FLOPs, Usual: usual.Params,
		Saved: 1 - x.FLOPs/life,
	}, nil
}

// apart is how many times the size of one law is that of another before their difference is explained.
const apart = 1.2

// WhyApart says why laws of Chinchilla's form choose different sizes for one budget; empty where they
// do not. From eq. 4 of Hoffmann et al. 2022,
//
//	N = G·(C/6)^a,  a = β/(α + β),  G = (α·A/(β·B))^(1/(α + β)),
//
// so that two laws agree at one budget, where their lines in ln C cross.
func WhyApart(all []Allocated) string {
	if len(all) < 2 {
		return ""
	}
	first, last := &all[0], &all[0]
	for i := range all {
		if all[i].Allocation.Params < first.Allocation.Params {
			first = &all[i]
		}
		if all[i].Allocation.Params > last.Allocation.Params {
			last = &all[i]
		}
	}
	ratio := last.Allocation.Params / first.Allocation.Params
	if ratio < apart || first.Allocation.FLOPs != last.Allocation.FLOPs {
		return ""
	}
	line := func(a *Allocated) (slope, intercept float64) {
		v := func(name string) float64 { return a.result.Params[a.result.Law.Param(name)] }
		sum := v("alpha") + v("beta")
		return v("beta") / sum, math.Log(v("alpha")*v("A")/(v("beta")*v("B"))) / sum
	}
	if first.Law != fit.Chinchilla().Name || last.Law != first.Law {
		return ""
	}
	a, g := line(first)
	b, h := line(last)
	crossing := flopsPerParamToken * math.Exp((g-h)/(b-a))
	short := func(a *Allocated) string { name, _, _ := strings.Cut(a.Source, ","); return name }
	why := fmt.Sprintf("%s and %s are %.2g times apart: one has the best size grow as C^%.3f, the other as C^%.3f. They agree near %.2g FLOP; what separates them beyond is how fast data helps, beta %.3f against %.3f.",
		short(first), short(last), ratio, a, b, crossing,
		first.result.Params[first.result.Law.Param("beta")],
		last.result.Params[last.result.Law.Param("beta")])
	refit := func(a *Allocated) bool { return strings.Contains(a.Source, "Besiroglu") }
	if short(first) == printed && refit(last) || short(last) == printed && refit(first) {
		why += " Both are of the same runs; Besiroglu et al. 2024 (arXiv 2404.10102) found that the printed constants do not fit them, and fitted them again."
	}
	return why
}

// printed is the published law as its authors printed it.
const printed = "chinchilla"

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

// bothStacks says whether tokens are steps·batch·(encoder_length + decoder_length) in all rows, false
// where a row lacks a column or a stack.
func (r *Runs) bothStacks(rows []int) bool {
	var columns [5]*records.Numbers
	for i, name := range []string{"tokens", "steps", "batch", "encoder_length", "decoder_length"} {
		var err error
		if columns[i], err = r.Numbers(name); err != nil {
			return false
		}
	}
	return len(rows) > 0 && !slices.ContainsFunc(rows, func(row int) bool {
		var v [5]float64
		for i, c := range columns {
			v[i] = c.Values[row]
		}
		const rounded = 1e-3 // tokens of records may be
		positions := v[1] * v[2] * (v[3] + v[4])
		return !(v[3] > 0 && v[4] > 0 && math.Abs(v[0]-positions) <= rounded*positions)
	})
}

// flopsPerParamToken is the C of C = 6·N·D: two FLOP of a multiply-add, once forward and twice
// backward (Kaplan et al. 2020, §2.1, arXiv 2001.08361).
const flopsPerParamToken = 6

// nearestShapes returns the dense catalogue shapes next in size to the best one, each with the
// tokens that the budget leaves it: D = C/(k·N), less a third of those served.
func nearestShapes(law *fit.Result, best *fit.Allocation, k, served float64) []NearShape {
	const listed = 3
	const far = math.Ln2 // no shape beyond a factor of two is near
	distance := func(n NearShape) float64 {
		return math.Abs(math.Log(float64(n.Params) / best.Params))
	}
	var all []NearShape
	for _, e := range shapes.Catalogue() {
		sparse := e.Shape.Encoder.Experts+e.Shape.Decoder.Experts > 0 // the laws are of dense models
		if e.NotCountable != "" || !e.Shape.ReadsTokens() || sparse {
			continue
		}
		n := NearShape{Shape: e.Name, Params: flops.CountParameters(&e.Shape).Total}
		if distance(n) <= far {
			all = append(all, n)
		}
	}
	slices.SortStableFunc(all, func(a, b NearShape) int { return cmp.Compare(distance(a), distance(b)) })
	all = slices.DeleteFunc(all, func(n NearShape) bool {
		return best.FLOPs/(k*float64(n.Params)) <= served/forwardShare
	})
	all = all[:min(len(all), listed)]
	for i := range all {
		n := &all[i]
		n.Tokens = best.FLOPs/(k*float64(n.Params)) - served/forwardShare
		n.Loss = law.Law.OfSize(law.Params, float64(n.Params), n.Tokens)
	}
	return all
}
