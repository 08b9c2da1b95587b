package hardware

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
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
		Name: name, Estimate: Exactly(value), Origin: Flag, Source: "given on the command line",
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
		reasons := slices.Compact(slices.DeleteFunc(missing, func(r string) bool { return r == "" }))
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
		Value: 1 / x.Interval.Value, Low: 1 / x.Interval.High, High: 1 / x.Interval.Low,
	}}
}

func square(x float64) float64 { return x * x }

// AtMost returns the number that the estimate stays below with a probability between 0 and 1.
//
//	ln x = ln value + z(p)/z(0.9) · ln(bound/value), the bound on the side of p
//
// log-normal on either side of the value: at 0.9 it is the upper bound of the 80 % interval, at 0.5
// the value. Absent where the estimate is.
func (e Estimate) AtMost(p float64) (float64, bool) {
	i := e.Interval
	if i == nil {
		return 0, false
	}
	bound, z := i.High, math.Sqrt2*math.Erfinv(2*p-1)/fit.NormalQuantile90
	if z < 0 {
		bound, z = i.Low, -z
	}
	if z == 0 || i.Value <= 0 {
		return i.Value, true
	}
	return i.Value * math.Exp(z*math.Log(bound/i.Value)), true
}

// Probability returns how probable it is that the estimate stays at or below a limit, the inverse of
// [Estimate.AtMost]; false where the estimate is absent.
func (e Estimate) Probability(limit float64) (float64, bool) {
	i := e.Interval
	switch {
	case i == nil:
		return 0, false
	case limit >= i.Value && i.High == i.Value:
		return 1, true
	case limit < i.Value && i.Low == i.Value || limit <= 0:
		return 0, true
	}
	bound := i.High
	if limit < i.Value {
		bound = i.Low
	}
	z := fit.NormalQuantile90 * math.Log(limit/i.Value) / math.Abs(math.Log(bound/i.Value))
	return 0.5 * math.Erfc(-z/math.Sqrt2), true
}
