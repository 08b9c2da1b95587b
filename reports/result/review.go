package result

import (
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Difference is a result of diff: one metric of one pair.
type Difference struct {
	Name     string   `json:"name"`
	Only     string   `json:"only,omitempty"`
	Metric   string   `json:"metric,omitempty"`
	Unit     string   `json:"unit,omitempty"`
	Base     *float64 `json:"base,omitempty"`
	Change   *float64 `json:"change,omitempty"`
	Delta    *float64 `json:"delta,omitempty"`
	Relative *float64 `json:"relative,omitempty"` // delta as a fraction of base
	Overlap  bool     `json:"overlap"`            // the intervals share a value
	// of the difference: errors that both sides share cancel
	DeltaInterval    *quantity.Interval `json:"delta_interval,omitempty"`
	RelativeInterval *quantity.Interval `json:"relative_interval,omitempty"`
	BaseInterval     *quantity.Interval `json:"base_interval,omitempty"`
	ChangeInterval   *quantity.Interval `json:"change_interval,omitempty"`
	Attribution      []Effect           `json:"attribution"`
	// how the change was run, and the base where that differs; absent for results of a document
	*Run
	BaseRun *Run `json:"base_run,omitempty"`
}

// Effect is what one field contributes to a difference.
type Effect struct {
	Field string  `json:"field"`
	Delta float64 `json:"delta"`
}

// Changed is a field of a shape that differs.
type Changed struct {
	Field  string `json:"field"`
	Base   string `json:"base"`
	Change string `json:"change"`
}

// Finding is a result of check: one rule, judged on one configuration.
type Finding struct {
	File     string   `json:"file"`
	Line     int      `json:"line,omitempty"`
	Column   int      `json:"column,omitempty"`
	Rule     string   `json:"rule"`
	Severity string   `json:"severity"`
	Status   string   `json:"status"`
	Metric   string   `json:"metric,omitempty"`
	Value    *float64 `json:"value,omitempty"`
	Limit    *float64 `json:"limit,omitempty"`
	Unit     string   `json:"unit,omitempty"` // of value and limit
	Message  string   `json:"message"`
	Hint     string   `json:"hint,omitempty"`
	Waived   *Waived  `json:"waived,omitempty"`
	// how the configuration was run; absent where it could not be planned
	*Run
}

// Waived says why a finding is excused, and until when.
type Waived struct {
	Reason  string `json:"reason"`
	Expires string `json:"expires"`
}
