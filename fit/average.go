package fit

import (
	"cmp"
	"context"
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/parallel"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
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
	// leastFitted is the fewest rows that a fold is fitted to.
	leastFitted = 3
)

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

// FitAverage returns the average over laws of ln y (of y for raw objectives), each fitted with its
// irreducible loss held at several fractions of the lowest y and free, with equal row weights and
// with weights that rise with compute:
//
//	ŷ = exp Σ_m w_m·ln ŷ_m,   w = (u + v)/2,   u_m ∝ prior_m·Π_f (v_mf² + σ_m²)^(−p/2F)
//
// v_mf is the error of the member, fitted to the smallest 50, 70 and 90 % of the runs (F folds), on
// the rows beyond, σ_m its residual, p = 30 or the number of runs held out, if that is less. A law
// that a fold cannot support gets the worst error of that fold, and no more than weight is lost. v
// are the stacked weights: see [Average.stackedWeights]. In the prior laws weigh the same, and the
// members of each by N(E_m/y_min; 0.3, 0.4), E_m where the offset is held or, free, where it ended.
//
// Rows are held out by run when d.Run is set, and by [AverageSettings.Group] when given. Errors:
// *Refusal when no member can be fitted or no fold leaves rows to validate on; *missingColumnError;
// the context's error. It panics without laws.
func FitAverage(ctx context.Context, laws []Law, d Data, obj Objective, set *AverageSettings) (
	*Average, error,
) {
	s := settingsOf(set)
	if s.Fit == nil {
		s.Fit = &Settings{}
	}
	if d.Len() > MostValidated {
		d, s.Order, s.Group = d.thinned(MostValidated, s.Order, s.Group)
	}
	x := &Average{Rows: d.Len(), raw: obj.raw}
	var first error
	var usable []Law
	for _, law := range laws {
		if _, err := admit(&law, d, obj, 0, true); err != nil {
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
			loss := d.Columns[usable[0].Columns[0]]
			s.Order = Ranks(each(loss, func(v float64) float64 { return -v }))
		}
	}
	folds, units := s.folds(d)
	if len(folds) == 0 {
		return nil, refuse(TooFewPoints, nil,
			"nothing is left to validate a law on: %s of %s; needed: runs of at least three sizes",
			quantity.Of(d.Len(), "row"), quantity.Of(units, "run"))
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
