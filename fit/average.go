package fit

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/parallel"
)

// AverageSettings steers [FitAverage]; nil means all defaults.
type AverageSettings struct {
	// Order ranks the rows from small to large runs; nil means the product of the columns of the
	// first law.
	Order []float64
	// Group numbers what is left out whole when the laws are validated: each group once, whatever
	// its size. Nil means to validate towards larger runs: the laws are fitted to the smaller ones
	// and scored on those beyond.
	Group []int
	// Depth adds to each law that reads params and not layers two forms that count N·layers^½ and
	// N·layers for N: over runs of several depths validation weighs them, and where all have one
	// depth they are one law, whose spread tells what another depth may do.
	Depth bool
	// Fit steers each fit; its Starts apply to the first fit of each form.
	Fit *Settings
}

// Average is a prediction by many fits of several laws, weighted by how well each predicted rows
// that it had not seen.
type Average struct {
	// Columns are the predictors of all laws, in the order that Predict takes them.
	Columns []string
	// Laws holds what each law contributes, in the order given.
	Laws []LawShare
	// Rows is the number of rows fitted, Units that of runs (or groups) that were held out, all
	// folds together.
	Rows, Units int
	// Noise is the root mean square residual, Validation the root mean square error of the average
	// on rows held out; in ln y or, for raw objectives, in y.
	Noise, Validation float64
	Warnings          []string

	members       []*member
	weights, soft []float64 // each sums to 1
	raw           bool
}

// averageConstants are the constants of an [Average].
//
// Evidence: measured-here. Chosen for eight of ten sets of runs by the nine others;
// docs/extrapolation.md has the sets and the settings compared.
const (
	// sharpness is how many independent errors a validation counts for: a member's weight falls
	// with its error to this power. The spread of the members is taken at softness instead, so that
	// it tells what else the rows would allow.
	sharpness, softness = 30.0, 2.0
	// offsetCentre and offsetSpread are the prior of a held offset as a fraction of the lowest y.
	offsetCentre, offsetSpread = 0.3, 0.4
	// A held-out error counts for at most clipped times the median one: a diverged run says nothing
	// about a law.
	clipped = 12.0
	// mostAveraged is how many rows are fitted at most, evenly taken: the laws have six parameters.
	mostAveraged = 1000
	// leastFitted is the fewest rows that a fold is fitted to.
	leastFitted = 3
)

// heldOffsets are the fractions of the lowest y at which the irreducible loss is held; it is also
// fitted.
func heldOffsets() []float64 { return []float64{0, 0.3, 0.5, 0.7, 0.85} }

// origins are the shares of runs that laws are fitted to when they are validated.
func origins() []float64 { return []float64{0.5, 0.7, 0.9} }

// recencies are the exponents γ of the row weights (order/largest order)^γ: what happens among the
// larger runs says more about those beyond.
func recencies() []float64 { return []float64{0, 1} }

// averageForms returns what is held beside the offset: the average takes a law of many parameters
// at a few values of the one that bends it.
func averageForms(law *Law) []map[string]float64 {
	if law.Name == powerSum().Name {
		return []map[string]float64{{"gamma": 0.15}, {"gamma": 0.3}, {"gamma": 0.45}, {"gamma": 0.6}}
	}
	return []map[string]float64{nil}
}

// depthPowers are the powers of [AverageSettings.Depth].
func depthPowers() []float64 { return []float64{0.5, 1} }

// variants returns the law, and its forms for the depth where the settings ask for them.
func (s *AverageSettings) variants(law Law) []Law {
	out := []Law{law}
	if s.Depth && slices.Contains(law.Columns, "params") && !slices.Contains(law.Columns, "layers") {
		for _, power := range depthPowers() {
			out = append(out, deepened(law, power))
		}
	}
	return out
}

// A member is one fitted law: held at an offset and a form, with row weights.
type member struct {
	law      int // index in the laws given
	problem  *problem
	columns  []int // of Average.Columns
	theta    []float64
	fraction float64 // of the lowest y at which the offset is held; NaN when it is free
	offset   float64 // the same, or where the free one ended; NaN without an offset
	// noise is the root mean square residual over the larger half of the rows, widened by √(n/(n−p))
	// for the parameters fitted; heldOut the errors of each fold; nil where the rows of the fold
	// cannot support the member.
	noise   float64
	heldOut [][]float64
}

// FitAverage returns the average over laws of ln y (of y for raw objectives), each fitted with its
// irreducible loss held at several fractions of the lowest y and free, with equal row weights and
// with weights that rise with compute:
//
//	ŷ = exp Σ_m w_m·ln ŷ_m,   w_m ∝ N(E_m/y_min; 0.3, 0.4)·Π_f (v_mf² + σ_m²)^(−15/F)
//
// E_m is where the offset is held or, free, where it ended; v_mf is the error of the member, fitted
// to the smallest 50, 70 and 90 % of the runs (F folds), on the rows beyond, σ_m its residual. A law
// that a fold cannot support gets the worst error of that fold, and no more than weight is lost.
//
// Rows are held out by run when d.Run is set, and by [AverageSettings.Group] when given. Errors:
// *Refusal when no member can be fitted or no fold leaves rows to validate on; *missingColumnError;
// the context's error. It panics without laws.
func FitAverage(ctx context.Context, laws []Law, d Data, obj Objective, set *AverageSettings) (
	*Average, error,
) {
	var s AverageSettings
	if set != nil {
		s = *set
	}
	if s.Fit == nil {
		s.Fit = &Settings{}
	}
	if d.Len() > mostAveraged {
		d, s.Order, s.Group = d.thinned(mostAveraged, s.Order, s.Group)
	}
	x := &Average{Rows: d.Len(), raw: obj.raw}
	var first error
	var usable []Law
	for _, law := range laws {
		if _, err := admit(&law, d, obj, &Settings{Priors: make([]Prior, 1)}); err != nil {
			first = cmp.Or(first, err)
			continue
		}
		usable = append(usable, law)
		for _, variant := range s.variants(law) {
			for _, c := range variant.Columns {
				if !slices.Contains(x.Columns, c) {
					x.Columns = append(x.Columns, c)
				}
			}
		}
	}
	if len(usable) == 0 {
		return nil, first
	}
	if s.Order == nil {
		s.Order = d.product(usable[0].Columns)
		if usable[0].Response == "score" { // of a link: a lower loss costs more compute
			s.Order = Ranks(negated(d.Columns[usable[0].Columns[0]]))
		}
	}
	folds, units := s.folds(d)
	if len(folds) == 0 {
		return nil, refuse(TooFewPoints, nil,
			"%d rows of %d runs leave nothing to validate a law on; needed: runs of at least three sizes",
			d.Len(), units)
	}
	for _, f := range folds {
		x.Units += f.units
	}
	if err := x.fit(ctx, usable, d, obj, folds, s); err != nil {
		return nil, err
	}
	x.weigh(usable, folds)
	return x, nil
}

// thinned returns n rows, evenly taken, with the order and the group of each.
func (d Data) thinned(n int, order []float64, group []int) (Data, []float64, []int) {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i * d.Len() / n
	}
	if order != nil {
		order = pick(order, rows)
	}
	if group != nil {
		group = pick(group, rows)
	}
	return d.Select(rows), order, group
}

// averageFold is one fold, with the number of runs held out.
type averageFold struct {
	fitted, scored []int
	units          int
}

// folds returns what is fitted and held out, and the number of units: groups, runs or rows.
func (s *AverageSettings) folds(d Data) ([]averageFold, int) {
	by := s.Group
	if by == nil {
		by = d.unitOf()
	}
	rows := map[int][]int{}
	top := map[int]float64{} // the largest order in the unit
	var units []int
	for i, u := range by {
		if rows[u] == nil {
			units = append(units, u)
		}
		rows[u] = append(rows[u], i)
		top[u] = max(top[u], s.Order[i])
	}
	slices.SortStableFunc(units, func(a, b int) int { return cmp.Compare(top[a], top[b]) })
	gather := func(units []int) (out []int) {
		for _, u := range units {
			out = append(out, rows[u]...)
		}
		return out
	}
	var folds []averageFold
	add := func(fitted, scored []int) {
		f := averageFold{gather(fitted), gather(scored), len(scored)}
		if len(f.fitted) >= leastFitted && len(f.scored) > 0 {
			folds = append(folds, f)
		}
	}
	if s.Group != nil {
		for k := range units {
			add(slices.Concat(units[:k], units[k+1:]), units[k:k+1])
		}
		return folds, len(units)
	}
	last := 0
	for _, share := range origins() {
		k := min(int(math.Round(share*float64(len(units)))), len(units)-1)
		if k > last {
			add(units[:k], units[k:])
			last = k
		}
	}
	return folds, len(units)
}

// unitOf numbers what is held out whole: the run of each row, or the row.
func (d Data) unitOf() []int {
	if d.Run != nil {
		return d.Run
	}
	out := make([]int, d.Len())
	for i := range out {
		out[i] = i
	}
	return out
}

// fit fits all members to all rows and to each fold.
func (x *Average) fit(ctx context.Context, laws []Law, d Data, obj Objective, folds []averageFold,
	s AverageSettings,
) error {
	type task struct {
		law     int
		form    Law
		held    map[string]float64
		recency float64
	}
	var tasks []task
	for i := range laws {
		for _, form := range s.variants(laws[i]) {
			for _, held := range averageForms(&laws[i]) {
				for _, r := range recencies() {
					if r == 0 || (s.Group == nil && laws[i].Response == "loss") {
						tasks = append(tasks, task{i, form, held, r})
					}
				}
			}
		}
	}
	found := make([][]*member, len(tasks))
	err := parallel.With(ctx, len(tasks), s.Fit.Workers, func() func(int) {
		return func(i int) {
			law := &tasks[i].form
			weighted := d
			weighted.Weight = recent(d.Weight, s.Order, tasks[i].recency)
			found[i] = memberFits(law, weighted, obj, folds, s, tasks[i].held)
			for _, m := range found[i] {
				m.law = tasks[i].law
				for _, c := range law.Columns {
					m.columns = append(m.columns, slices.Index(x.Columns, c))
				}
			}
		}
	})
	for _, f := range found {
		x.members = append(x.members, f...)
	}
	if err == nil && len(x.members) == 0 {
		err = refuse(NotConverged, nil, "no law has a finite fit to the rows")
	}
	return err
}

func negated(v []float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = -x
	}
	return out
}

// recent returns the weights times (order/largest)^recency.
func recent(weight, order []float64, recency float64) []float64 {
	if recency == 0 {
		return weight
	}
	top := slices.Max(order)
	out := make([]float64, len(order))
	for i, v := range order {
		out[i] = math.Pow(v/top, recency)
		if weight != nil {
			out[i] *= weight[i]
		}
	}
	return out
}

// memberFits fits one form of a law at each offset, to all rows and to each fold.
func memberFits(law *Law, d Data, obj Objective, folds []averageFold, s AverageSettings,
	held map[string]float64,
) []*member {
	set := *s.Fit
	set.Fixed = map[string]float64{}
	for name, v := range s.Fit.Fixed {
		set.Fixed[name] = v
	}
	for name, v := range held {
		set.Fixed[name] = v
	}
	full := newOffsetWalk(law, d, obj, &set)
	var out []*member
	for _, fraction := range full.fractions() {
		theta := full.at(fraction, nil)
		if theta == nil {
			continue
		}
		m := &member{problem: full.pb, theta: theta, fraction: fraction, offset: fraction}
		if full.offset >= 0 && math.IsNaN(fraction) {
			m.offset = math.Exp(theta[full.offset]) / full.low
		}
		m.noise = RMS(largerHalf(full.pb.residuals(theta), s.Order))
		free := full.pb.freeParams()
		if full.offset >= 0 && !math.IsNaN(fraction) {
			free--
		}
		n := float64(d.Len())
		m.noise *= math.Sqrt(n / math.Max(n-float64(free), 1))
		if m.noise < math.MaxFloat64 {
			out = append(out, m)
		}
	}
	for _, f := range folds {
		walk := newOffsetWalk(law, d.Select(f.fitted), obj, &set)
		scored := newProblem(law, d.Select(f.scored), obj)
		for _, m := range out {
			var errors []float64
			if theta := walk.at(m.fraction, m.theta); theta != nil {
				errors = clip(scored.residuals(theta))
			}
			m.heldOut = append(m.heldOut, errors)
		}
	}
	return out
}

// clip returns the errors, none larger than clipped times the median; nil when one is not finite.
func clip(errors []float64) []float64 {
	abs := make([]float64, len(errors))
	for i, e := range errors {
		if abs[i] = math.Abs(e); !(abs[i] < math.MaxFloat64) {
			return nil
		}
	}
	most := clipped * Median(abs)
	for i, e := range errors {
		errors[i] = max(-most, min(most, e))
	}
	return errors
}

// largerHalf returns the values of the half of the rows with the larger order.
func largerHalf(v, order []float64) []float64 {
	rows := make([]int, len(v))
	for i := range rows {
		rows[i] = i
	}
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(order[a], order[b]) })
	return clip(pick(v, rows[len(rows)/2:]))
}

// An offsetWalk fits one law with its offset held at one fraction after another, each fit starting
// where the last ended.
type offsetWalk struct {
	pb     *problem
	ws     *workspace
	offset int // index of the parameter, or −1
	low    float64
	starts [][]float64
	last   []float64
}

// averageStarts is the number of starts of the first fit of a walk.
const averageStarts = 6

func newOffsetWalk(law *Law, d Data, obj Objective, set *Settings) *offsetWalk {
	w := &offsetWalk{pb: newProblem(law, d, obj), offset: -1, low: slices.Min(d.Y)}
	w.pb.apply(set)
	w.ws = newWorkspace(w.pb.p)
	for j, p := range law.Params {
		if p.Vanishes && !w.pb.fixed[j] {
			w.offset = j
		}
	}
	w.starts = w.pb.startPoints(cmp.Or(set.Starts, averageStarts), set.Seed)
	return w
}

// fractions lists the offsets: the free one first, whose optimum is the start of the others.
func (w *offsetWalk) fractions() []float64 {
	if w.offset < 0 {
		return []float64{math.NaN()}
	}
	return append([]float64{math.NaN()}, heldOffsets()...)
}

// at returns the optimum with the offset at the fraction, from the given start if there is one, the
// last optimum and fresh starts; nil when the rows are too few or no descent ends in numbers.
func (w *offsetWalk) at(fraction float64, from []float64) []float64 {
	pb := *w.pb
	pb.fixed = slices.Clone(pb.fixed)
	pb.lo, pb.hi = slices.Clone(pb.lo), slices.Clone(pb.hi)
	if w.offset >= 0 && !math.IsNaN(fraction) {
		pb.fix(w.offset, math.Log(fraction*w.low))
	}
	if pb.n <= pb.freeParams() {
		return nil
	}
	starts := w.starts
	if from != nil {
		starts = [][]float64{from}
	}
	if w.last != nil {
		starts = append(slices.Clone(starts[:min(len(starts), 2)]), w.last)
	}
	best := optimum{value: math.Inf(1)}
	for _, s := range starts {
		if e := pb.descend(s, w.ws); e.value < best.value {
			best = e
		}
	}
	if best.theta == nil || slices.ContainsFunc(best.theta, math.IsNaN) {
		return nil
	}
	w.last = best.theta
	return best.theta
}
