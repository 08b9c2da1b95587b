package hardware

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Level is the share of cases that the intervals of money, energy and CO2 are meant to cover.
const Level = 0.8

// Estimate is a number with its interval at [Level], or absent with the reason why.
type Estimate struct {
	Interval *quantity.Interval
	Missing  string // why there is none; empty when there is
}

// Input is an estimate that a result leans on, with where it came from.
type Input struct {
	Name string // "price", "mean power", "PUE", "grid intensity", "goodput"
	Estimate
	Origin   Origin
	Source   string
	Evidence data.Evidence
	Note     string
}

// Given is an input stated by the user, taken as exact.
func Given(name string, value float64) Input {
	return Input{
		Name: name, Estimate: Exactly(value), Origin: Flag,
		Source: "given on the command line",
	}
}

// Exactly is an estimate without uncertainty: a number that the user states.
func Exactly(value float64) Estimate {
	return Estimate{Interval: &quantity.Interval{Value: value, Low: value, High: value}}
}

func missingInput(name, reason string) Input {
	return Input{Name: name, Estimate: Estimate{Missing: reason}, Origin: Default}
}

// product multiplies independent positive estimates. The value is the product of the values; the
// distances of the bounds from it, in logarithms, add in quadrature, as for independent log-normal
// factors. It is absent when a factor is, with every missing factor's reason.
func product(factors ...Estimate) Estimate {
	value, down, up := 1.0, 0.0, 0.0
	var missing []string
	for _, f := range factors {
		if f.Interval == nil {
			missing = append(missing, f.Missing)
			continue
		}
		value *= f.Interval.Value
		down += square(math.Log(f.Interval.Value / f.Interval.Low))
		up += square(math.Log(f.Interval.High / f.Interval.Value))
	}
	if len(missing) > 0 {
		reasons := slices.Compact(slices.DeleteFunc(missing,
			func(reason string) bool { return reason == "" }))
		return Estimate{Missing: cmp.Or(strings.Join(reasons, "; "), "not stated")}
	}
	if value == 0 { // a price of 0, a run of 0 steps
		return Exactly(0)
	}
	return Estimate{Interval: &quantity.Interval{
		Value: value,
		Low:   value * math.Exp(-math.Sqrt(down)), High: value * math.Exp(math.Sqrt(up)),
	}}
}

// reciprocal is 1/x of a positive estimate.
func reciprocal(x Estimate) Estimate {
	if x.Interval == nil {
		return x
	}
	return Estimate{Interval: &quantity.Interval{
		Value: 1 / x.Interval.Value,
		Low:   1 / x.Interval.High, High: 1 / x.Interval.Low,
	}}
}

func square(x float64) float64 { return x * x }
