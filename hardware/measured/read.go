// Package measured turns published measurements of training steps and of generation into runs that
// the model of package hardware can price. It is the one place that knows what sources leave unsaid.
package measured

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/hardware"
)

// Run is a published or user-given measurement as a run that the step-time model can price.
type Run struct {
	ID, Group, Source string
	Class             string // enc-dec, dec-only, enc-only
	Family            string // hardware family: rows of one family share the constant-MFU baseline
	Device            string // profile name
	Run               hardware.Run
	Seconds           float64 // measured, or worked out from the row's own metric
	// Assumed is what the row does not state and the run needs.
	Assumed []string
}

// UnscoredError says why a row cannot be held against the model.
type UnscoredError struct {
	ID, Reason string
}

func (e *UnscoredError) Error() string { return e.ID + ": not scored: " + e.Reason }

// Read turns a row into a run. The error is an [*UnscoredError].
//
// What a row leaves out is filled as follows, the same for every row: blank T5 and mT5 vocabularies
// by the reader of the rows; TP, PP and CP 1; the devices from the axes, and the data-parallel size
// from the devices; the batch from the passes; recomputation the least that fits in memory;
// attention unfused for relative positions and for trainers older than fused attention, fused
// elsewhere. Experts have no columns: rows with them are refused.
func Read(row data.StepTime) (Run, error) {
	r := rowReader{row: row, cores: 1, assumed: slices.Clone(row.Assumed)}
	out := Run{ID: row.ID, Group: row.Group, Source: sourceOf(row.Source), Class: row.Arch}
	for _, read := range [...]func(*Run){r.profile, r.shape, r.execution, r.layout, r.seconds} {
		if read(&out); r.reason != "" {
			break
		}
	}
	if unread := strings.Join(row.Unread, "; "); unread != "" {
		// What such a cell of shape or layout says is not what a run would assume.
		r.refuse("a cell cannot be read")
		r.reason += " (" + unread + ")"
	}
	if r.reason != "" {
		return Run{}, &UnscoredError{row.ID, r.reason}
	}
	out.Assumed = r.assumed
	return out, nil
}

var (
	revision = regexp.MustCompile(`/(?:blob|tree|raw)/[0-9a-f]{7,40}/`)
	address  = regexp.MustCompile(`https?://[^\s#;,)]+`)
)

// sourceOf names the document that a row is from, whatever its revision or the place in it: rows of
// two revisions are of one place.
func sourceOf(text string) string {
	if found := address.FindString(text); found != "" {
		text = found
	}
	return revision.ReplaceAllString(text, "/")
}

// rowReader fills a run from a row; the first thing that is missing stays in reason.
type rowReader struct {
	row    data.StepTime
	reason string
	xla    bool
	cores  int // ranks that the row counts for each device

	recomputeStated bool
	assumed         []string
}

// assume notes what the row does not state.
func (r *rowReader) assume(format string, args ...any) {
	r.assumed = append(r.assumed, fmt.Sprintf(format, args...))
}

func (r *rowReader) refuse(format string, args ...any) {
	if r.reason == "" {
		r.reason = fmt.Sprintf(format, args...)
	}
}

// need returns a count that a run cannot do without.
func (r *rowReader) need(n *int, what string) int {
	if n == nil || *n <= 0 {
		r.refuse("%s is not stated", what)
		return 1
	}
	return *n
}

func or(n *int, otherwise int) int {
	if n == nil || *n <= 0 {
		return otherwise
	}
	return *n
}
