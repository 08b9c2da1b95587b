package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
)

const autoLaw = "auto"

// lawChoice is what --law, --x and --y ask for, resolved against the columns that there are.
type lawChoice struct {
	name string
	// laws has one law, or those that auto chooses among; it is empty for an average of laws over
	// one predictor.
	laws     []fit.Law
	columns  []string
	response string
}

// curve tells an average of laws over one predictor.
func (c *lawChoice) curve() bool { return len(c.laws) == 0 }

// checkLaw refuses an unknown name before any file is read.
func checkLaw(name string) error {
	if name == autoLaw {
		return nil
	}
	_, err := fit.Lookup(name)
	var unknown *fit.UnknownNameError
	if errors.As(err, &unknown) {
		return unknownKind("law", name, append([]string{autoLaw}, unknown.Valid...))
	}
	return err
}

// response is the column that is predicted.
func response(law, y string) string {
	if y != "" {
		return y
	}
	if l, err := fit.Lookup(law); err == nil {
		return l.Response
	}
	return "loss"
}

// chooseLaws resolves the law. x is empty when --x is not given; has tells which columns there are.
func chooseLaws(name string, x []string, y string, has func(string) bool) (*lawChoice, error) {
	c := &lawChoice{name: name, response: response(name, y)}
	if name == autoLaw {
		return c, c.auto(x, has)
	}
	law, err := fit.Lookup(name)
	if err != nil {
		return nil, err
	}
	switch {
	case len(x) == 0 && len(law.Columns) == 1 && !has(law.Columns[0]):
		only, err := onlyPredictor(has)
		if err != nil {
			return nil, err
		}
		x = []string{only}
		fallthrough
	case len(x) > 0:
		if len(x) != len(law.Columns) {
			return nil, usage("", "--x names %d columns; law %s reads %d: %s", len(x), name,
				len(law.Columns), strings.Join(law.Columns, ", "))
		}
		law = law.On(x...)
	}
	c.laws, c.columns = []fit.Law{law}, law.Columns
	return c, nil
}

// auto lists the laws to choose among: an average over one predictor, or every law of a loss in
// several columns that are there.
func (c *lawChoice) auto(x []string, has func(string) bool) error {
	if len(x) == 1 {
		c.columns = x
		return nil
	}
	sizeAndData := []string{"params", "tokens"}
	for _, law := range fit.Laws() {
		switch {
		case len(law.Columns) < 2:
		case len(x) == 0 && !slices.ContainsFunc(law.Columns, func(col string) bool { return !has(col) }):
			c.laws = append(c.laws, law)
		case len(x) > 0 && len(x) == len(law.Columns) &&
			(len(x) > 2 || slices.Equal(law.Columns, sizeAndData) || slices.Equal(law.Columns, x)):
			c.laws = append(c.laws, law.On(x...))
		}
	}
	if len(c.laws) == 0 && len(x) > 1 {
		return usage("",
			"no law reads %d columns; --law auto takes one, params and tokens, or the columns of a law", len(x))
	}
	if len(c.laws) == 0 {
		only, err := onlyPredictor(has)
		if err != nil {
			return err
		}
		c.columns = []string{only}
		return nil
	}
	for _, law := range c.laws {
		for _, col := range law.Columns {
			if !slices.Contains(c.columns, col) {
				c.columns = append(c.columns, col)
			}
		}
	}
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
	if len(found) == 1 {
		return found[0], nil
	}
	if len(found) == 0 {
		return "", usage("--map tokens='their name' names one of ours",
			"no column to predict from; --x says which, such as --x tokens")
	}
	return "", usage("", "%s could each be the predictor; --x says which",
		strings.Join(found, ", "))
}

// objective parses --objective; empty is the default of the law's response.
func (c *lawChoice) objective(text string) (fit.Objective, error) {
	if text == "" {
		if len(c.laws) > 0 && c.laws[0].Response == "score" {
			return fit.Squared(), nil
		}
		return fit.LogHuber(defaultHuberDelta), nil
	}
	o, err := fit.ParseObjective(text)
	if err != nil {
		return o, usage("", "--objective: %w", err)
	}
	return o, nil
}

// defaultHuberDelta is the threshold of Hoffmann et al. 2022, eq. 3.
const defaultHuberDelta = 1e-3

// splitColumns splits --x a,b where a and b are columns; a column whose own name has a comma stays
// whole.
func splitColumns(args []string, has func(string) bool) []string {
	var out []string
	for _, arg := range args {
		if has(arg) {
			out = append(out, arg)
			continue
		}
		for _, part := range strings.Split(arg, ",") {
			out = append(out, strings.TrimSpace(part))
		}
	}
	return out
}

// parsePoint reads params=1e9,tokens=2e10.
func parsePoint(text string) (map[string]float64, error) {
	point := map[string]float64{}
	for _, pair := range strings.Split(text, ",") {
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
		point[name] = v
	}
	return point, nil
}
