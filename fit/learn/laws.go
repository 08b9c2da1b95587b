package learn

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Auto asks for the law with the least held-out error or, over one predictor, an average of laws.
const Auto = "auto"

// QuestionError is a question that the columns at hand cannot answer.
type QuestionError struct {
	// About is the part of the question: "x" or "predict".
	About, Problem string
	// Word is a name that none of Names is; both may be empty. Without a word, Names are those that
	// were looked for and are not there.
	Word  string
	Names []string
}

func (e *QuestionError) Error() string { return e.Problem }

// laws is the law that a question asks for, resolved against the columns that there are.
type laws struct {
	// list has one law, or those that auto chooses among; it is empty for an average of laws over
	// one predictor.
	list     []fit.Law
	columns  []string
	response string
}

// curve tells an average of laws over one predictor.
func (l *laws) curve() bool { return len(l.list) == 0 }

// Response returns the column that a law predicts: y or, where y is empty, the law's own.
func Response(law, y string) string {
	if y != "" {
		return y
	}
	first, _, _ := strings.Cut(law, ",")
	if l, err := fit.Lookup(strings.TrimSpace(first)); err == nil {
		return l.Response
	}
	return "loss"
}

// defaultObjective returns the objective of a law that is told none: squared for a link to a score,
// else log-Huber with the threshold of Hoffmann et al. 2022, eq. 3.
func defaultObjective(response string) fit.Objective {
	if response == "score" {
		return fit.Squared()
	}
	return fit.LogHuber(1e-3)
}

func (l *laws) objective(asked *fit.Objective) fit.Objective {
	switch {
	case asked != nil:
		return *asked
	case l.curve():
		return defaultObjective("loss")
	}
	return defaultObjective(l.list[0].Response)
}

// resolve finds the laws. Without x a law reads its own columns; has tells which columns there are.
// The error is a [*QuestionError], or a [*fit.UnknownNameError].
func resolve(name string, x []string, y string, has func(string) bool) (*laws, error) {
	l := &laws{response: Response(name, y)}
	if name == Auto {
		return l, l.auto(x, has)
	}
	for one := range strings.SplitSeq(name, ",") {
		law, err := named(strings.TrimSpace(one), x, has)
		if err != nil {
			return nil, err
		}
		l.list = append(l.list, law)
	}
	l.read()
	return l, nil
}

// read sets the columns to those that the laws of the list read.
func (l *laws) read() {
	for _, law := range l.list {
		for _, c := range law.Columns {
			if !slices.Contains(l.columns, c) {
				l.columns = append(l.columns, c)
			}
		}
	}
}

// named returns the law of that name, reading the columns x.
func named(name string, x []string, has func(string) bool) (fit.Law, error) {
	law, err := fit.Lookup(name)
	if err != nil {
		return law, err
	}
	if law.Name == fit.ShapeAware().Name {
		if law, x = shapeAware(x, has); len(x) == 0 {
			return law, nil
		}
	}
	if len(x) == 0 && len(law.Columns) == 1 && !has(law.Columns[0]) {
		only, err := onlyPredictor(has)
		if err != nil {
			return law, err
		}
		x = []string{only}
	}
	if len(x) > 0 && len(x) != len(law.Columns) {
		return law, &QuestionError{About: "x", Problem: fmt.Sprintf(
			"%d columns are named; law %s reads %d: %s", len(x), name, len(law.Columns),
			strings.Join(law.Columns, ", "))}
	}
	if len(x) > 0 {
		law = law.On(x...)
	}
	return law, nil
}

// shapeAware returns the law of those of its four columns that are named or, where none is, that
// there are; with the names that are left to be resolved.
func shapeAware(x []string, has func(string) bool) (law fit.Law, rest []string) {
	read := x
	if len(x) == 0 {
		read = slices.DeleteFunc(fit.ShapeAware().Columns, func(name string) bool { return !has(name) })
	}
	if law, ok := fit.ShapeAwareOf(read...); ok {
		return law, nil
	}
	return fit.ShapeAware(), x
}

// auto lists the laws to choose among: an average over one predictor, or every law of a loss in
// several columns that are there.
func (l *laws) auto(x []string, has func(string) bool) error {
	if len(x) == 1 {
		l.columns = x
		return nil
	}
	lacking := func(column string) bool { return !has(column) }
	sizeAndData := []string{"params", "tokens"}
	for _, law := range fit.Laws() {
		switch {
		case len(law.Columns) < 2:
		case len(x) == 0 && !slices.ContainsFunc(law.Columns, lacking):
			l.list = append(l.list, law)
		case len(x) > 0 && len(x) == len(law.Columns) &&
			(len(x) > 2 || slices.Equal(law.Columns, sizeAndData) || slices.Equal(law.Columns, x)):
			l.list = append(l.list, law.On(x...))
		}
	}
	if len(l.list) == 0 && len(x) > 1 {
		return &QuestionError{About: "x", Problem: fmt.Sprintf(
			"no law reads %d columns; allowed with law auto: one, params and tokens, or the columns of a law",
			len(x))}
	}
	if len(l.list) == 0 {
		only, err := onlyPredictor(has)
		l.columns = []string{only}
		return err
	}
	l.read()
	return nil
}

// onlyPredictor is the one column that a curve can be over.
func onlyPredictor(has func(string) bool) (string, error) {
	usual := []string{"x", "tokens", "flops", "params", "step"}
	var found []string
	for _, name := range usual {
		if has(name) {
			found = append(found, name)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", &QuestionError{
			About: "x", Names: usual,
			Problem: "no column to predict from; allowed: a column of the records, such as tokens",
		}
	}
	return "", &QuestionError{
		About:   "x",
		Problem: strings.Join(found, ", ") + " could each be the predictor; allowed: one of them",
	}
}

// splitColumns splits a,b where a and b are columns; a column whose own name has a comma stays
// whole.
func splitColumns(args []string, has func(string) bool) []string {
	var out []string
	for _, arg := range args {
		if has(arg) {
			out = append(out, arg)
			continue
		}
		for part := range strings.SplitSeq(arg, ",") {
			out = append(out, strings.TrimSpace(part))
		}
	}
	return out
}

// Point is a row to predict: an amount in base units for each column.
type Point map[string]float64

// ParsePoint reads params=1e9,tokens=2e10, in the units of the columns.
func ParsePoint(text string) (Point, error) {
	point := Point{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf(
				"no pair: %q; allowed: column=amount, such as params=1e9,tokens=2e10", pair)
		}
		name = strings.TrimSpace(name)
		v, err := records.ParseAmount(name, strings.TrimSpace(value))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if !(v > 0) {
			return nil, fmt.Errorf("%s is %g; allowed: more than 0", name, v)
		}
		if _, twice := point[name]; twice {
			return nil, fmt.Errorf("%s is given twice", name)
		}
		point[name] = v
	}
	return point, nil
}

// in returns the point in the order of columns; the error is a [*QuestionError].
func (p Point) in(columns []string) ([]float64, error) {
	x := make([]float64, len(columns))
	for j, name := range columns {
		v, ok := p[name]
		if !ok {
			return nil, &QuestionError{
				About:   "predict",
				Problem: "the law reads " + name + ", which the point lacks",
			}
		}
		x[j] = v
	}
	return x, nil
}

// check refuses points in other columns than those predicted from, or without one that is needed,
// and parameters that the law does not have.
func (l *laws) check(q *Question) error {
	held := slices.Sorted(maps.Keys(q.Fix))
	for _, name := range append(held, slices.Sorted(maps.Keys(q.Bound))...) {
		if len(l.list) != 1 {
			return &QuestionError{About: "law", Problem: "parameters can be fixed or bound in one law only; allowed: one law by its name"}
		}
		j := l.list[0].Param(name)
		if v, fixed := q.Fix[name]; fixed && j >= 0 && l.list[0].Params[j].Log && !(v > 0) &&
			!(v == 0 && l.list[0].Params[j].Vanishes) {
			return &QuestionError{About: "fix", Problem: fmt.Sprintf(
				"%s is %g; allowed: a positive number", name, v)}
		}
		if j < 0 {
			var names []string
			for _, p := range l.list[0].Params {
				names = append(names, p.Name)
			}
			return &QuestionError{About: "fix", Word: name, Names: names, Problem: fmt.Sprintf(
				"%q is not a parameter of %s; allowed: %s", name, l.list[0].Name, strings.Join(names, ", "))}
		}
	}
	if len(l.list) == 1 && len(l.list[0].Params) > 0 && len(q.Fix) == len(l.list[0].Params) {
		return &QuestionError{About: "fix", Problem: "every parameter is held: nothing is left to fit"}
	}
	for _, p := range q.Points {
		for name := range p {
			if !slices.Contains(l.columns, name) {
				return &QuestionError{
					About: "predict", Word: name, Names: l.columns,
					Problem: fmt.Sprintf(
						"%q is not a column to predict from; allowed: %s", name,
						strings.Join(l.columns, ", ")),
				}
			}
		}
		if l.curve() {
			if _, err := p.in(l.columns); err != nil {
				return err
			}
		}
	}
	return nil
}

// String writes the point as [ParsePoint] reads it, with rounded amounts and blanks.
func (p Point) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		parts = append(parts, name+"="+quantity.Format(records.KindOf(name), p[name], 0))
	}
	return strings.Join(parts, ", ")
}
