package learn

import (
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
)

// Question is what [Fit] is asked of recorded runs.
type Question struct {
	// Law is the name of a law, Auto, or the names of laws to compare, with commas between; X and Y
	// name the columns it reads and predicts, its own where they are empty.
	Law string
	X   []string
	Y   string
	// Objective is nil for the default of the law.
	Objective *fit.Objective
	// By names the columns that split the rows into groups, one fit each.
	By []string
	// FitWhere and ScoreWhere are nil for all rows to fit and none to score.
	FitWhere, ScoreWhere records.Where
	// Resamples is how many refits make the intervals; nil leaves it to [Fit].
	Resamples *int
	Global    bool // each refit starts in several places
	Profile   bool // intervals by profile likelihood too
	// Fix holds parameters of one law at values, and Bound keeps them inside ranges.
	Fix    map[string]float64
	Bound  map[string][2]float64
	Seed   uint64
	Level  float64 // probability inside the intervals
	Points []Point // to predict
	// NeedGroup says that a table without the column of the run is refused.
	NeedGroup bool
	// Progress, if set, is told how many steps the work has and returns what is called after each,
	// from several goroutines.
	Progress func(steps int) (step func())
}

const (
	// AutomaticResamples is how many refits one fit of up to automaticRows rows gets unasked.
	AutomaticResamples = 200
	automaticRows      = 2000
	globalStarts       = 8 // the fewest that make a bootstrap global
)

// resamples is how many refits a fit of that many rows gets.
func (q *Question) resamples(rows int) int {
	switch {
	case q.Resamples != nil:
		return *q.Resamples
	case len(q.By) == 0 && rows <= automaticRows:
		return AutomaticResamples
	}
	return 0
}

// Answer is what [Fit] found.
type Answer struct {
	X        []string // columns predicted from
	Response string
	// Groups is how many there are; Fits has one entry for each that is complete.
	Groups int
	Fits   []Fitted
	// Curve says that each fit is an average of laws over one predictor, to which objective and
	// refits do not apply.
	Curve    bool
	Warnings []string
}

// Refusal returns whether any fit is an answer, and the first refusal.
func (a *Answer) Refusal() (answered bool, first error) {
	for i := range a.Fits {
		if err := a.Fits[i].Refused; err == nil {
			answered = true
		} else if first == nil {
			first = err
		}
	}
	return answered, first
}
