package check

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"

	"github.com/deepnarrow/deepnarrow/reports/compare"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// Changes are the files of a repository that differ from a revision. Paths have slashes.
type Changes struct {
	// Files says by the path from the root: 'A' where the file was not there, 'D' where it is not
	// there any more, 'M' otherwise.
	Files map[string]byte
	Root  string                          // of the repository, as candidates are named
	Path  func(file string) string        // of a candidate's file from the root
	Below func(file string) string        // the path of a file from the folder of the rules
	Was   func(path string) *shapes.Shape // at the revision; nil where that cannot be read
}

// Models returns the files that are called as models are, and those of them that are still there.
func (c *Changes) Models() (all, left []string) {
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		if file := path.Join(c.Root, name); config.CalledModel(file) {
			if all = append(all, file); c.Files[name] != 'D' {
				left = append(left, file)
			}
		}
	}
	return all, left
}

// OnlyChanged leaves the candidates that differ, themselves or in a file that they rest on, and
// says what they were; all of them where the rules differ, or one of the others, on which all rest.
// It adds the files that are gone of those that the globs mean, or without globs the rules.
func (q *Request) OnlyChanged(since *Changes, globs []string, others ...string) {
	q.keepChanged(func(file string) bool {
		_, changed := since.Files[since.Path(file)]
		return file != "" && changed
	}, others...)
	for i := range q.Candidates {
		c := &q.Candidates[i]
		name := since.Path(c.File)
		if c.New = since.Files[name] == 'A'; !c.New && c.Config != nil {
			c.Base = since.Was(name)
		}
	}
	for name, status := range since.Files {
		here := path.Join(since.Root, name)
		meant := slices.Contains(globs, here) || len(globs) > 0 && matchAny(globs, here)
		if len(globs) == 0 {
			meant = len(q.Rules.Files) > 0 && matchAny(q.Rules.Files, since.Below(here))
		}
		if status == 'D' && meant {
			q.Removed = append(q.Removed, here)
		}
	}
	slices.Sort(q.Removed)
}

func (q *Request) keepChanged(changed func(file string) bool, others ...string) {
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

// Compared returns what the candidates are beside what they were, those that are gone last, and why
// some cannot be compared. The error is that of a question that a shape does not suit.
func (q *Request) Compared() (pairs []compare.Pair, told []string, err error) {
	for i := range q.Candidates {
		c := &q.Candidates[i]
		switch {
		case c.Err != nil:
			told = append(told, fmt.Sprintf("%s: cannot be compared: %v", c.File, c.Err))
		case c.New:
			pairs = append(pairs, compare.Pair{Name: c.File, Only: "change"})
		case c.Base == nil:
			told = append(told, c.File+": cannot be compared: it was not read at "+q.Since)
		default:
			changed, err := compare.Shapes(q.Question, c.Base, &c.Config.Shape)
			if err != nil {
				return nil, nil, err
			}
			if len(changed.Fields) > 0 {
				pairs = append(pairs, changed.Pair(c.File))
			}
		}
	}
	for _, name := range q.Removed {
		pairs = append(pairs, compare.Pair{Name: name, Only: "base"})
	}
	return pairs, told, nil
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
	updated = baselineOf(costs)
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
