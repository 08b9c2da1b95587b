package check

import (
	"errors"
	"maps"
	"slices"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// KeepChanged leaves the candidates of which a file changed that they rest on. Where the rules changed,
// or one of the other files that all candidates rest on, all are left.
func (q *Request) KeepChanged(changed func(file string) bool, others ...string) {
	rests := append([]string{q.Rules.File}, others...)
	for i := range q.Rules.Rules {
		rests = append(rests, q.Rules.Rules[i].File)
	}
	if slices.ContainsFunc(rests, changed) {
		return
	}
	q.Candidates = slices.DeleteFunc(q.Candidates, func(c Candidate) bool {
		return !slices.ContainsFunc(c.files(), changed)
	})
}

// files lists the files that a candidate was read from.
func (c *Candidate) files() []string {
	out := []string{c.File, c.CheckpointFile}
	if c.Config != nil {
		for _, f := range c.Config.Fields {
			out = append(out, f.File)
		}
	}
	var faults *syntax.Error
	if errors.As(c.Err, &faults) {
		for _, f := range faults.Faults {
			out = append(out, f.File)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Harden makes every rule fail that would warn.
func (r *Rules) Harden() {
	for i := range r.Rules {
		r.Rules[i].Severity = Error
	}
}

// Updated returns the baseline with the measures of costs; files that were not measured keep theirs. It
// says which files are new and which changed, in the order of costs.
func (b Baseline) Updated(costs []Cost) (updated Baseline, fresh, changed []string) {
	updated = BaselineOf(costs)
	for i := range costs {
		file := costs[i].Path
		if old, known := b[file]; !known {
			fresh = append(fresh, file)
		} else if !maps.Equal(old, updated[file]) {
			changed = append(changed, file)
		}
	}
	for file, measures := range b {
		if _, measured := updated[file]; !measured {
			updated[file] = measures
		}
	}
	return updated, fresh, changed
}
