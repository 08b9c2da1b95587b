// Package sweep runs a grid of shapes and lengths of training as one scaling study: small T5 models
// on one machine, one record a run, in the form that fits of scaling laws read.
//
// A [Grid] lists the runs. [Run] takes them in order, cheapest first, under a budget of time, and
// hands each record over as soon as its run ends: a caller that stores it at once, in a file of its
// [FileName], loses at most the run in flight. Runs of a study differ in shape, steps and seed alone.
// Studies that outgrow a machine are
// split with [Emit], which prints a job array whose tasks run one entry each, and joined with
// [Merge].
package sweep

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Grid is every shape trained for every number of tokens.
type Grid struct {
	Shapes []shapes.Shape
	// positions of both stacks, as [kernel.Record] counts them; rounded up to whole steps
	Tokens   []int64
	Options  kernel.Options // of every run
	Schedule kernel.Schedule
}

// Entry is one run of a grid.
type Entry struct {
	Shape shapes.Shape
	Steps int
}

// GridError reports a grid that holds no study.
type GridError struct{ Field, Value, Allowed string }

func (e *GridError) Error() string {
	return fmt.Sprintf("grid: %s is %s; allowed: %s", e.Field, e.Value, e.Allowed)
}

// Entries lists the runs, those with the least work (parameters times steps, roughly) first, so
// that a budget that ends early leaves a study of small runs and not one large one. Errors: a
// [*GridError] for an empty or repeated axis, or those of [kernel.Supported].
func (g *Grid) Entries() ([]Entry, error) {
	if len(g.Shapes) == 0 || len(g.Tokens) == 0 {
		axes := fmt.Sprintf("%d shapes × %d token counts", len(g.Shapes), len(g.Tokens))
		return nil, &GridError{Field: "axes", Value: axes, Allowed: "at least one of each"}
	}
	perStep := int64(g.Options.Batch) * int64(g.Options.EncoderLength+g.Options.DecoderLength)
	if perStep < 1 {
		return nil, &GridError{"batch and lengths", "empty", "at least one position a step"}
	}
	seen := map[string]bool{}
	var entries []Entry
	for _, s := range g.Shapes {
		if err := kernel.Supported(&s); err != nil {
			return nil, err
		}
		for _, tokens := range g.Tokens {
			if tokens < 1 {
				return nil, &GridError{"tokens", fmt.Sprint(tokens), "at least 1"}
			}
			e := Entry{Shape: s, Steps: int((tokens + perStep - 1) / perStep)}
			if seen[e.name()] {
				const allowed = "shapes of different names and token counts that differ by a step"
				return nil, &GridError{"run " + e.name(), "listed twice", allowed}
			}
			seen[e.name()] = true
			entries = append(entries, e)
		}
	}
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.work(), b.work()) })
	return entries, nil
}

// name identifies a run within its grid: the shape's name and the steps.
func (e *Entry) name() string { return fmt.Sprintf("%s@%d", e.Shape.Name, e.Steps) }

// work grows with the time of a run: weights of the layers and the head times steps.
func (e *Entry) work() float64 {
	s := &e.Shape
	total := float64(s.Vocab) * float64(s.DModel)
	for _, k := range []*shapes.Stack{&s.Encoder, &s.Decoder} {
		total += float64(k.Layers) * float64(s.DModel) * float64(4*k.Inner()+k.FFNMatrices()*k.DFF)
	}
	return total * float64(e.Steps)
}

// fileName is Name with what file systems and job schedulers object to replaced, one to one so that
// names stay different.
func fileName(run string) string {
	var b strings.Builder
	for _, c := range []byte(run) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}
