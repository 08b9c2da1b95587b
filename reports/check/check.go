package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// Status is how a rule came out.
type Status string

// The statuses.
const (
	Pass    Status = "pass"
	Warn    Status = "warn"  // broken, severity warning
	Fail    Status = "fail"  // broken, severity error
	InError Status = "error" // could not be evaluated
)

// Candidate is one configuration to judge.
type Candidate struct {
	File string // as it is shown
	Path string // with slashes, from the folder of the rules: what globs and the baseline match

	Config *config.Result // nil when it could not be read
	Err    error          // why

	Checkpoint     *tensors.Header // tensors beside the configuration; nil when there are none
	CheckpointFile string
	CheckpointErr  error // why the tensors beside could not be read

	// At the revision that is compared with: the shape, nil where it is not known, and whether the
	// file was not there yet.
	Base *shapes.Shape
	New  bool
}

// Request is what to judge and by what.
type Request struct {
	Candidates []Candidate
	Rules      Rules
	Question   plan.Question // about each candidate
	Baseline   Baseline      // nil when there is none
	Today      time.Time     // the day on which waivers are judged
	Since      string        // the revision that candidates are compared with; empty for none
	Removed    []string      // files that were there at Since

	// Recommend answers what else could be trained; nil is [recommend.Recommend]. It is called from
	// several goroutines at once.
	Recommend func(recommend.Request) (recommend.Result, error)
}

// Finding is what came of one rule on one configuration.
type Finding struct {
	File         string
	Line, Column int // 0 when no line is to blame
	Rule         string
	Severity     Severity
	Status       Status

	Metric       plan.Metric // of a limit, else empty
	Kind         quantity.Kind
	Value, Limit *float64 // unrounded, in base units; nil when the rule is not a comparison
	Message      string
	Hint         string        // what would mend it, or empty
	Waiver       *Waiver       // the waiver that turned a broken rule into a pass
	Run          *hardware.Run // what was judged, as resolved; nil when it could not be planned
}

// Result is every finding, by file in the order given and by rule in the order of the rules.
type Result struct {
	Findings []Finding
	Costs    []Cost // of the configurations that could be measured
	// about what was read: defaults that stand in for what a file leaves out, and rules that apply
	// to nothing
	Warnings []string
	Since    string // the revision that the costs are compared with; empty for none
	Removed  []string
}

// Cost is what one configuration costs.
type Cost struct {
	File, Path, Shape string
	Measures          plan.Measures
	Base              *plan.Measures // at [Result.Since]; nil where it is not known
	New               bool           // the file was not there at [Result.Since]
}

// Count returns how many findings have a status.
func (r *Result) Count(s Status) int {
	n := 0
	for i := range r.Findings {
		if r.Findings[i].Status == s {
			n++
		}
	}
	return n
}

// readable is the rule that every file must be readable.
const readable = "config-readable"

// Check applies the rules to the configurations.
func Check(q Request) Result {
	if q.Recommend == nil {
		q.Recommend = recommend.Recommend
	}
	judges := make([]judge, len(q.Candidates)) // what is predicted of one does not depend on the others
	parallel.Each(len(judges), 0, func(i int) { judges[i] = q.judge(&q.Candidates[i]) })
	out := Result{Since: q.Since, Removed: q.Removed}
	used := make([]bool, len(q.Rules.Waivers))
	applied := map[string]bool{}
	for i := range q.Candidates {
		c, j := &q.Candidates[i], &judges[i]
		if j.shape == nil {
			out.Findings = append(out.Findings, unreadable(c)...)
			continue
		}
		if j.err == nil {
			out.Costs = append(out.Costs, Cost{
				File: c.File, Path: c.Path, Shape: j.shape.Name,
				Measures: j.measures, Base: j.base, New: c.New,
			})
		}
		for n := range q.Rules.Rules {
			rule := &q.Rules.Rules[n]
			if !matchAny(rule.Files, c.Path) {
				continue
			}
			applied[rule.ID] = true
			for _, o := range j.outcomes[n] {
				f := j.finding(rule, o)
				q.waive(&f, c, used)
				out.Findings = append(out.Findings, f)
			}
		}
	}
	out.Warnings = q.readWarnings()
	for i := range judges {
		for _, w := range judges[i].warnings { // each once, not by file
			if !slices.Contains(out.Warnings, w) {
				out.Warnings = append(out.Warnings, w)
			}
		}
	}
	out.Warnings = append(out.Warnings, q.unused(used, applied)...)
	return out
}

// readWarnings tells what was assumed of the files, each kind once: of the first file, and of how many
// others.
func (q *Request) readWarnings() []string {
	var out []string
	var others []int
	at := map[string]int{} // by what it says, the place left out
	for i := range q.Candidates {
		c := q.Candidates[i].Config
		if c == nil {
			continue
		}
		for _, w := range c.Warnings {
			text := w.String()
			kind := strings.TrimPrefix(text, w.Position.String())
			if n, told := at[kind]; told {
				others[n]++
				continue
			}
			at[kind] = len(out)
			out, others = append(out, text), append(others, 0)
		}
	}
	for i, n := range others {
		if n > 0 {
			out[i] += fmt.Sprintf(" (and %d more like it)", n)
		}
	}
	return out
}

// judge measures a configuration and applies the rules of its file.
func (q *Request) judge(c *Candidate) judge {
	j := judge{Request: q, candidate: c}
	if c.Err != nil || c.Config == nil || c.Config.Shape.DModel == 0 {
		return j
	}
	j.shape, j.outcomes = &c.Config.Shape, make([][]outcome, len(q.Rules.Rules))
	answer, err := q.Question.Of(j.shape).Answer()
	if j.answer, j.err = &answer, err; err == nil {
		run := answer.Run
		j.measures, j.run, j.warnings = answer.Measures(), &run, answer.Resolved.Warnings()
	}
	if c.Base != nil {
		if base, err := q.Question.Of(c.Base).Answer(); err == nil {
			measures := base.Measures()
			j.base = &measures
		}
	}
	for n := range q.Rules.Rules {
		if rule := &q.Rules.Rules[n]; matchAny(rule.Files, c.Path) {
			j.outcomes[n] = j.apply(rule)
		}
	}
	j.answer = nil // large, and of thousands of configurations too much
	return j
}

// unreadable reports a file that holds no shape, a finding for each fault.
func unreadable(c *Candidate) []Finding {
	f := Finding{File: c.File, Rule: readable, Severity: Error, Status: InError}
	var faults *syntax.Error
	switch {
	case errors.As(c.Err, &faults):
		var out []Finding
		for _, fault := range faults.Faults {
			f.Line, f.Column, f.Message = 0, 0, fault.String()
			if fault.File == c.File {
				f.Line, f.Column = fault.Line, fault.Column
				f.Message = strings.TrimPrefix(f.Message, fault.Position.String()+": ")
			}
			out = append(out, f)
		}
		return out
	case c.Err != nil:
		f.Message = c.Err.Error()
	default:
		f.Message = "holds tensors but no shape"
		f.Hint = "put its config.json beside it"
	}
	return []Finding{f}
}

// waive turns a broken rule that is excused into a pass, and says when an excuse has run out.
func (q *Request) waive(f *Finding, c *Candidate, used []bool) {
	if f.Status != Fail && f.Status != Warn {
		return
	}
	for i := range q.Rules.Waivers {
		w := &q.Rules.Waivers[i]
		if w.Rule != f.Rule || !matchAny(w.Files, c.Path) {
			continue
		}
		used[i] = true
		if q.Today.After(w.Expires.AddDate(0, 0, 1).Add(-time.Nanosecond)) {
			f.Message += fmt.Sprintf(" (its waiver ended on %s: %s)",
				w.Expires.Format(time.DateOnly), w.Reason)
			continue
		}
		f.Status, f.Waiver = Pass, w
		return
	}
}

// unused names waivers and rules without effect: they hide that nothing is checked.
func (q *Request) unused(used []bool, applied map[string]bool) []string {
	var out []string
	for i, w := range q.Rules.Waivers {
		if !used[i] {
			out = append(out, fmt.Sprintf("%s: the waiver for %s matches no finding; remove it", w.Position,
				w.Rule))
		}
	}
	for i := range q.Rules.Rules {
		if r := &q.Rules.Rules[i]; !applied[r.ID] && len(r.Files) > 0 {
			out = append(out, fmt.Sprintf("%s: the files of %s match none of those checked",
				r.Position, r.ID))
		}
	}
	return out
}

// judge is one configuration being judged.
type judge struct {
	*Request
	candidate *Candidate
	shape     *shapes.Shape  // nil when it could not be read
	answer    *plan.Answer   // while the rules are applied
	measures  plan.Measures  // of the answer
	base      *plan.Measures // of the configuration before; nil where that is not known
	run       *hardware.Run  // of the answer
	warnings  []string       // of the answer
	err       error          // why there are none
	outcomes  [][]outcome    // by rule
}

// outcome is what a rule says.
type outcome struct {
	broken  bool
	unknown bool   // the rule could not be evaluated; message says why
	field   string // the field of the shape to look at
	at      syntax.Position

	metric       plan.Metric
	kind         quantity.Kind
	value, limit *float64
	message      string
	hint         string
}

func cannot(format string, args ...any) []outcome {
	return []outcome{{unknown: true, message: "cannot be evaluated: " +
		fmt.Sprintf(format, args...)}}
}

func (j *judge) apply(rule *Rule) []outcome {
	if rule.Metric != plan.NoMetric {
		return j.limits(rule)
	}
	return rule.builtIn().judge(j, rule)
}

// finding dresses an outcome.
func (j *judge) finding(rule *Rule, o outcome) Finding {
	f := Finding{
		File: j.candidate.File, Rule: rule.ID, Severity: rule.Severity, Status: Pass,
		Metric: o.metric, Kind: o.kind, Value: o.value, Limit: o.limit, Message: o.message,
		Hint: o.hint,
	}
	if j.err == nil {
		f.Run = j.run
	}
	switch {
	case o.unknown:
		f.Status = InError
	case o.broken && rule.Severity == Warning:
		f.Status = Warn
	case o.broken:
		f.Status = Fail
	}
	if o.broken && rule.Message != "" {
		f.Message = rule.Message + ": " + f.Message
	}
	at := o.at
	if at.Line == 0 {
		at = j.place(o.field)
	}
	switch {
	case at.Line == 0:
	case at.File == "" || at.File == j.candidate.File ||
		j.candidate.Config.Format == config.Safetensors:
		f.Line, f.Column = at.Line, at.Column
	case o.broken:
		f.Message += " (said in " + at.String() + ")"
	}
	return f
}

// place returns where the file says a field of the shape.
func (j *judge) place(field string) syntax.Position {
	if at, ok := j.candidate.Config.Fields[field]; ok {
		return at.Position
	}
	first, _, _ := strings.Cut(field, " ")
	return j.candidate.Config.Fields[first].Position
}
