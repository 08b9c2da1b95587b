package calibrate

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/hardware/measured"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
)

// HoldOut says what is left out together.
type HoldOut string

const (
	ByGroup  HoldOut = "group"  // rows of one model and device in one source
	BySource HoldOut = "source" // all rows of one publication
	ByDevice HoldOut = "device" // all rows of one device type
	Given    HoldOut = "none"   // nothing: the rows are the user's
)

// Scored is one row beside its prediction by a model that has not seen it.
type Scored struct {
	ID, Group, Class, Device, Family string
	FP8                              bool    // whether the products are in fp8
	Measured                         float64 // seconds
	Predicted, Low, High             float64 // seconds, at hardware.Level
	// Baseline is the prediction by the median MFU of the training rows on the same hardware
	// family, or on all hardware where the family has none.
	Baseline float64
	Assumed  []string // what the row does not state
}

// Unscored is a row that cannot be held against the model, and why.
type Unscored struct {
	ID, Reason string
}

// Score is the error of a set of rows.
type Score struct {
	Class, Hardware   string // "all" for the totals
	N                 int
	MedianAbsLog      float64 // median |ln(measured/predicted)|
	Within125         float64 // share with a ratio of at most 1.25
	Within2           float64
	Coverage80        float64 // share inside the interval
	BaselineMedian    float64 // of the baseline, on the same rows
	BaselineWithin2   float64
	BaselineWithin125 float64
}

// Validation is the outcome of replaying measured rows through the predictor.
type Validation struct {
	HoldOut  HoldOut
	Rows     []Scored
	Unscored []Unscored
	Decoding bool // the rows are of generation, their class the software stack
}

// readRuns turns rows into runs. Rows of another quality than A and B miss what matters and are not
// scored; a user's own rows need not state one.
func readRuns(rows []data.StepTime) (runs []measured.Run, unscored []Unscored) {
	for _, row := range rows {
		switch row.Quality {
		case "A", "B", "":
		default:
			unscored = append(unscored, Unscored{row.ID, "quality " + row.Quality +
				": the source leaves out what matters"})
			continue
		}
		run, err := measured.Read(row)
		var why *measured.UnscoredError
		if errors.As(err, &why) {
			unscored = append(unscored, Unscored{why.ID, why.Reason})
			continue
		}
		c := hardware.Priors()
		if seconds := logSeconds(&run.Run, &c); math.IsNaN(seconds) || math.IsInf(seconds, 0) {
			unscored = append(unscored, Unscored{row.ID, missingOf(&run.Run)})
			continue
		}
		runs = append(runs, run)
	}
	// Predictions must not depend on the order of records.
	slices.SortStableFunc(runs, func(a, b measured.Run) int { return cmp.Compare(a.ID, b.ID) })
	return runs, unscored
}

// missingOf returns why a run has no prediction.
func missingOf(r *hardware.Run) string {
	m, err := hardware.NewMachine(&r.Profile, r.Execution, r.Software)
	if err == nil {
		_, err = m.StepSeconds(&r.Shape, r.Workload, r.Layout)
	}
	if err == nil {
		return "no finite prediction"
	}
	return err.Error()
}

// Validate scores rows by models fitted to the others, for several ways of leaving rows out: for each
// group, source or device of the rows, a fit to all rows outside it.
func Validate(rows []data.StepTime, ways ...HoldOut) []Validation {
	runs, unscored := readRuns(rows)
	all := newJoint(runs).fit(nil, fitSteps)
	all.share()
	out := make([]Validation, len(ways))
	for i, by := range ways {
		out[i] = Validation{HoldOut: by, Unscored: unscored, Rows: all.leaveOut(runs, by)}
	}
	return out
}

// leaveOut scores the runs of a fit, each by a fit to the runs outside its group, source or device.
func (f *jointFit) leaveOut(runs []measured.Run, by HoldOut) []Scored {
	key := func(r *measured.Run) string {
		switch by {
		case BySource:
			return r.Source
		case ByDevice:
			return r.Device
		}
		return r.Group
	}
	folds := map[string][]int{}
	for i := range runs {
		folds[key(&runs[i])] = append(folds[key(&runs[i])], i)
	}
	out := make([]Scored, len(runs))
	names := slices.Collect(maps.Keys(folds))
	parallel.Each(len(names), 0, func(k int) {
		var train []measured.Run
		for i := range runs {
			if key(&runs[i]) != names[k] {
				train = append(train, runs[i])
			}
		}
		model, base := newJoint(train).fit(f, fitSteps), newBaseline(train)
		for _, i := range folds[names[k]] {
			out[i] = model.score(&runs[i], base)
		}
	})
	return out
}

const fitSteps = 40 // far more than the about ten that a fit takes

// validateNew scores rows that the shipped constants have not seen, as [Validate] does, with the
// shipped model and the published rows as the baseline's training rows.
func validateNew(rows []data.StepTime) Validation {
	runs, unscored := readRuns(rows)
	v := Validation{HoldOut: Given, Unscored: unscored}
	train, _ := readRuns(data.StepTimes())
	base := newBaseline(train)
	for i := range runs {
		r := &runs[i]
		// steps of a source that the fit has seen are of no new place
		fit := hardware.ShippedAt(&r.Run.Profile, r.Run.Software, r.Source)
		seconds, sd := predictWith(&fit, &r.Run)
		v.Rows = append(v.Rows, scored(r, seconds, sd, base))
	}
	return v
}

func (f *jointFit) score(r *measured.Run, b baseline) Scored {
	seconds, sd := f.predict(r)
	return scored(r, seconds, sd, b)
}

func scored(r *measured.Run, seconds, sd float64, b baseline) Scored {
	half := math.Exp(quantile90 * sd)
	s := Scored{
		ID: r.ID, Group: r.Group, Class: r.Class, Device: r.Device, Family: r.Family,
		FP8:      r.Run.Software.Matmul == hardware.FP8,
		Measured: r.Seconds, Predicted: seconds, Low: seconds / half, High: seconds * half,
		Assumed: r.Assumed,
	}
	if b.byFamily != nil {
		s.Baseline = b.seconds(r)
	}
	return s
}

// Table scores all rows together, then by class, by hardware family, and by both. Own steps have no
// totals: all are of one kernel on one kind of machine.
func (v *Validation) Table() []Score {
	const all = "all"
	cells := map[[2]string][]Scored{}
	for _, r := range v.Rows {
		keys := [][2]string{{r.Class, r.Family}, {all, all}, {r.Class, all}, {all, r.Family}}
		if v.HoldOut == ByShape {
			keys = keys[:1]
		}
		for _, k := range keys {
			cells[k] = append(cells[k], r)
		}
	}
	var table []Score
	for k, rows := range cells {
		s := scoreOf(rows)
		s.Class, s.Hardware = k[0], k[1]
		table = append(table, s)
	}
	first := func(name string) int { // the totals stand first
		if name == all {
			return 0
		}
		return 1
	}
	slices.SortFunc(table, func(a, b Score) int {
		return cmp.Or(cmp.Compare(first(a.Class), first(b.Class)), cmp.Compare(a.Class, b.Class),
			cmp.Compare(first(a.Hardware), first(b.Hardware)), cmp.Compare(a.Hardware, b.Hardware))
	})
	return table
}

func scoreOf(rows []Scored) Score {
	s := Score{N: len(rows)}
	var errors, baselines []float64
	for _, r := range rows {
		e, b := math.Abs(math.Log(r.Measured/r.Predicted)),
			math.Abs(math.Log(r.Measured/r.Baseline))
		errors, baselines = append(errors, e), append(baselines, b)
		count := func(at *float64, yes bool) {
			if yes {
				*at++
			}
		}
		count(&s.Within125, e <= math.Log(1.25))
		count(&s.Within2, e <= math.Log(2))
		count(&s.Coverage80, r.Measured >= r.Low && r.Measured <= r.High)
		count(&s.BaselineWithin125, b <= math.Log(1.25))
		count(&s.BaselineWithin2, b <= math.Log(2))
	}
	for _, share := range []*float64{
		&s.Within125, &s.Within2, &s.Coverage80, &s.BaselineWithin125,
		&s.BaselineWithin2,
	} {
		*share /= float64(max(1, len(rows)))
	}
	s.MedianAbsLog, s.BaselineMedian = fit.Median(errors), fit.Median(baselines)
	return s
}

// baseline is what calculators in use do: one utilisation for each hardware family, the median of
// the training rows.
type baseline struct {
	byFamily map[string]float64
	all      float64
}

func newBaseline(train []measured.Run) baseline {
	rates := map[string][]float64{}
	var all []float64
	for i := range train {
		r := &train[i]
		mfu := available(r) / r.Seconds
		rates[r.Family] = append(rates[r.Family], mfu)
		all = append(all, mfu)
	}
	b := baseline{byFamily: map[string]float64{}, all: fit.Median(all)}
	for family, list := range rates {
		b.byFamily[family] = fit.Median(list)
	}
	return b
}

// available returns the step's matmul FLOPs over the peak of all devices: the time at an MFU of 1.
func available(r *measured.Run) float64 {
	run := &r.Run
	return flops.CountUnder(flops.MatmulConvention, &run.Shape, run.Workload,
		run.Execution.Recompute).Step / (run.PeakFLOPsPerSecond() * float64(run.Devices()))
}

func (b *baseline) seconds(r *measured.Run) float64 {
	mfu, ok := b.byFamily[r.Family]
	if !ok {
		mfu = b.all
	}
	return available(r) / mfu
}
