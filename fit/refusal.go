package fit

import (
	"fmt"
	"strings"
)

// Kind says why no valid answer exists.
type Kind int

// Kinds of refusal.
const (
	TooFewPoints Kind = iota + 1
	BadValue
	ConstantColumn
	Unidentified
	AtBound
	NoInteriorMinimum
	NotConverged
)

var kindNames = map[Kind]string{
	TooFewPoints:      "too few points",
	BadValue:          "bad value",
	ConstantColumn:    "constant column",
	Unidentified:      "undetermined parameter",
	AtBound:           "parameter at a bound",
	NoInteriorMinimum: "no interior minimum",
	NotConverged:      "not converged",
}

func (k Kind) String() string { return kindNames[k] }

// Refusal is the error of data that cannot support what is asked. Fit returns it together with the
// result it reached for Unidentified, AtBound and NotConverged, whose numbers are for diagnosis
// only.
type Refusal struct {
	Kind Kind
	// Names lists the parameters or columns concerned.
	Names []string
	// Rows lists the rows concerned (BadValue).
	Rows   []int
	Reason string
}

func (r *Refusal) Error() string {
	s := r.Kind.String()
	if len(r.Names) > 0 {
		s += " " + strings.Join(r.Names, ", ")
	}
	return s + ": " + r.Reason
}

// badRow refuses a row for its values.
func badRow(row int, format string, args ...any) *Refusal {
	return &Refusal{Kind: BadValue, Rows: []int{row}, Reason: fmt.Sprintf(format, args...)}
}

func refuse(k Kind, names []string, format string, args ...any) *Refusal {
	return &Refusal{Kind: k, Names: names, Reason: fmt.Sprintf(format, args...)}
}
