package check

import (
	"time"

	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// Severity is what breaking a rule means.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Rules are what configurations are judged by.
type Rules struct {
	File     string // of the rules; empty for the default ones
	Files    []string
	Plan     []Setting
	Rules    []Rule
	Waivers  []Waiver
	Baseline string // path of the baseline as the file says it; empty without
	At       config.Position
}

// Setting is a line of the plan section: a flag of the command line.
type Setting struct {
	config.Position
	Key, Value string
}

// Rule is one rule. Exactly one of Metric and a built-in of the same ID says what it looks at.
type Rule struct {
	config.Position
	ID       string
	Severity Severity
	Message  string   // of the project; empty for the rule's own
	Files    []string // globs; empty for all files

	Metric           plan.Metric
	Max, Min, Equals *Limit
	MaxIncrease      *float64 // against the baseline, as a fraction

	// Settings of built-in rules; zero = the rule's default.
	Multiple  int
	Sizes     []int
	Headroom  float64
	Axis      plan.Metric
	MinSaving float64
}

// Limit is an amount as the file writes it.
type Limit struct {
	Value float64 // in base units
	Text  string
}

// Waiver excuses findings until a day.
type Waiver struct {
	config.Position
	Rule    string
	Files   []string
	Reason  string
	Expires time.Time // the last day it holds
}

// DefaultRules are the built-in rules that hold for any project, used where it has none. Those that
// need hardware are among them only when one is named.
func DefaultRules(timed bool) []Rule {
	var out []Rule
	for _, b := range builtins {
		if b.everywhere || b.id == "fits-in-memory" && timed {
			out = append(out, Rule{ID: b.id, Severity: b.severity})
		}
	}
	return out
}
