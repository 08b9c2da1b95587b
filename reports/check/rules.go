package check

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/yamlfile"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes/config"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
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
	At       syntax.Position

	extends bool // the file says what it extends, be it nothing
}

// Setting is a line of the plan section: a flag of the command line.
type Setting struct {
	syntax.Position
	Key, Value string
}

// Apply hands every setting of the plan that is one of the flags to set, which says what is wrong
// with its value. A file that a setting names is taken from the folder of the rules. The error is a
// [*syntax.Error] with all that is unknown or wrong.
func (rules *Rules) Apply(folder string, flags []string, set func(flag, value string) error) error {
	var faults []syntax.Fault
	for _, s := range rules.Plan {
		fault := syntax.Fault{Position: s.Position, Field: "plan." + s.Key}
		if !slices.Contains(flags, s.Key) {
			fault.Problem = "is unknown"
			fault.Allowed = "the flags of deepnarrow plan: " + strings.Join(flags, ", ")
		} else if fault.Err = set(s.Key, s.from(folder)); fault.Err != nil {
			fault.Problem = "is not understood: " + fault.Err.Error()
		} else {
			continue
		}
		faults = append(faults, fault)
	}
	if len(faults) > 0 {
		return &syntax.Error{Faults: faults}
	}
	return nil
}

// from returns the value with the file that it names, if it names one, from a folder.
func (s Setting) from(folder string) string {
	name, rest := s.Value, ""
	isFile := s.Key == "architectures"
	if s.Key == "hardware" {
		name, rest = hardware.SplitSpec(s.Value)
		isFile = yamlfile.Called(name)
	}
	if !isFile || filepath.IsAbs(name) {
		return s.Value
	}
	return strings.TrimSuffix(filepath.Join(folder, name)+","+rest, ",")
}

// Lists says whether the rules mean a file, by its path from their folder: by their list, without
// one whether it is called as models are.
func (rules *Rules) Lists(path string) bool {
	if len(rules.Files) == 0 {
		return config.CalledModel(path)
	}
	return matchAny(rules.Files, path)
}

// Rule is one rule. Exactly one of Metric and a built-in of the same ID says what it looks at.
type Rule struct {
	syntax.Position
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

// BuiltInRules is what extends calls the built-in rules.
const BuiltInRules = "builtin"

// AtMost returns the rule that a metric is at most an amount, written as in a rules file.
func AtMost(m plan.Metric, amount string) (Rule, error) {
	limit, err := readLimit(m.Kind(), amount)
	return Rule{ID: "max-" + m.String(), Severity: Error, Metric: m, Max: limit}, err
}

// Complete puts the built-in rules where the project has none of its own, and the limits of the
// command line in place of rules of their ids. The rule that needs hardware goes where none is named
// (timed is false), but for one that the project states.
func (rules *Rules) Complete(timed bool, limits []Rule) {
	if len(rules.Rules) == 0 {
		rules.Rules = defaultRules(timed)
	}
	rules.Rules = slices.DeleteFunc(rules.Rules, func(r Rule) bool {
		return !timed && r.ID == fitsInMemory && r.Line == 0 ||
			slices.ContainsFunc(limits, func(l Rule) bool { return l.ID == r.ID })
	})
	rules.Rules = append(rules.Rules, limits...)
}

// Silent says whether the project switches the built-in rules off without saying so: it has rules,
// none of them built in, and extends nothing.
func (rules *Rules) Silent() bool {
	return len(rules.Rules) > 0 && !rules.extends && !slices.ContainsFunc(rules.Rules, func(r Rule) bool {
		return r.Metric == plan.NoMetric
	})
}

// Waiver excuses findings until a day.
type Waiver struct {
	syntax.Position
	Rule    string
	Files   []string
	Reason  string
	Expires time.Time // the last day it holds
}

// defaultRules are the built-in rules that hold for any project, used where it has none. Those that
// need hardware are among them only when one is named.
func defaultRules(timed bool) []Rule {
	var out []Rule
	for _, b := range builtins {
		if b.everywhere || b.id == fitsInMemory && timed {
			out = append(out, Rule{ID: b.id, Severity: b.severity})
		}
	}
	return out
}

// Match reports whether a path with slashes matches a glob: *, ? and [a-z] within one name, ** for
// any number of folders. A glob without a slash matches the last name of a path. A glob that is not
// well formed matches nothing.
func Match(glob, name string) bool {
	glob, name = path.Clean(glob), path.Clean(name)
	if !strings.Contains(glob, "/") && glob != "**" {
		name = path.Base(name)
	}
	return matchParts(strings.Split(glob, "/"), strings.Split(name, "/"))
}

// matchParts matches folder by folder. reach[j] says that the globs so far can match the first j
// names, so that many ** take no more than their product.
func matchParts(globs, names []string) bool {
	reach := make([]bool, len(names)+1)
	reach[0] = true
	for _, g := range globs {
		next := make([]bool, len(names)+1)
		if g == "**" {
			seen := false
			for j := range next {
				seen = seen || reach[j]
				next[j] = seen
			}
		} else {
			for j, name := range names {
				if ok, err := path.Match(g, name); reach[j] && ok && err == nil {
					next[j+1] = true
				}
			}
		}
		reach = next
	}
	return reach[len(names)]
}

func matchAny(globs []string, name string) bool {
	for _, g := range globs {
		if Match(g, name) {
			return true
		}
	}
	return len(globs) == 0
}
