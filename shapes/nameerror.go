package shapes

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/suggest"
)

// UnknownError reports a reference that names no shape. Nothing is guessed: Suggestion is for the
// message only.
type UnknownError struct {
	Ref        string
	Reason     string // what is wrong with it, when more is known than that it is unknown
	Suggestion string // the closest catalogue name, or some that have it as a part; empty when none is close
}

func (e *UnknownError) Error() string {
	text := fmt.Sprintf("unknown shape: %q", e.Ref)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	if e.Suggestion != "" {
		text += `; did you mean "` + e.Suggestion + `"?`
	}
	return text
}

// NotCountableError reports a published model whose architecture a [Shape] cannot express: the ten
// T5-Efficient models that share heads or tie keys to values.
type NotCountableError struct {
	Name   string
	Reason string
}

func (e *NotCountableError) Error() string {
	return fmt.Sprintf("%s cannot be counted: %s", e.Name, e.Reason)
}

// AmbiguousError reports a name of the paper's kind that could mean several shapes, none of which
// was released under it.
type AmbiguousError struct {
	Ref     string
	Reason  string
	Choices []string // references that say which one is meant
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("ambiguous shape: %q: %s; write %s", e.Ref, e.Reason,
		strings.Join(e.Choices, " or "))
}

// EditError reports an edit that cannot be made.
type EditError struct {
	Ref     string // the whole reference
	Edit    string // the edit as written, e.g. "nl=0"
	Problem string
	Allowed string
}

func (e *EditError) Error() string {
	return fmt.Sprintf("shape %q: edit %q: %s; allowed: %s", e.Ref, e.Edit, e.Problem, e.Allowed)
}

// nearest returns the name or alias closest to a reference that was not found, empty when none is
// close.
func (c *index) nearest(ref string) string {
	key := strings.TrimPrefix(normalise(ref), "google/")
	var candidates []string
	for i := range c.entries {
		candidates = append(candidates, c.entries[i].Name)
		candidates = append(candidates, c.entries[i].Aliases...)
	}
	if near := suggest.Nearest(key, candidates); near != "" {
		return near
	}
	var parts []string // "llama-2-7b" of 7b
	const most = 3
	for i := range c.entries {
		if name := c.entries[i].Name; len(parts) < most && slices.Contains(strings.Split(name, "-"), key) {
			parts = append(parts, name)
		}
	}
	return strings.Join(parts, `" or "`)
}
