package data

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/suggest"
)

// Evidence says how a number reached this project.
type Evidence string

const (
	// MeasuredHere was measured or computed by this project.
	MeasuredHere Evidence = "measured-here"
	// Primary was read in the publication, data sheet or repository of those who produced it.
	Primary Evidence = "primary"
	// Secondary was read in somebody else's account of it.
	Secondary Evidence = "secondary"
	// Figure was read off a plot.
	Figure Evidence = "figure"
	// Recalled was written down from memory and could not be checked: shown with a footnote, never
	// relied on alone.
	Recalled Evidence = "recalled"
)

// strongestFirst is the order in which [Weakest] compares.
var strongestFirst = [...]Evidence{MeasuredHere, Primary, Secondary, Figure, Recalled}

// Weakest returns the weakest of the classes: that of a result which rests on all of them. Without
// any it returns "".
func Weakest(classes ...Evidence) Evidence {
	weakest := -1
	for _, class := range classes {
		weakest = max(weakest, slices.Index(strongestFirst[:], class))
	}
	if weakest < 0 {
		return ""
	}
	return strongestFirst[weakest]
}

// ParseEvidence reads the name of a class.
func ParseEvidence(text string) (Evidence, error) {
	if slices.Contains(strongestFirst[:], Evidence(text)) {
		return Evidence(text), nil
	}
	names := make([]string, len(strongestFirst))
	for i, class := range strongestFirst {
		names[i] = string(class)
	}
	return "", fmt.Errorf("unknown evidence class: %q%s; allowed: %s", text,
		suggest.Hint(suggest.Nearest(text, names)), strings.Join(names, ", "))
}
