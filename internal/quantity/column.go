package quantity

import (
	"math"
	"slices"
)

// Interval is an estimate with its lower and upper bound, in the base unit of its kind. The level
// belongs to the result that holds it.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// HalfWidth is the larger of the two distances from the value to its bounds.
func (i Interval) HalfWidth() float64 { return max(i.High-i.Value, i.Value-i.Low) }

// displayUnit is a unit that values are shown in.
type displayUnit struct {
	symbol string
	size   float64 // in base units
}

var (
	decimalSteps = steps(1000, "", "k", "M", "G", "T", "P", "E", "Z", "Y")
	countSteps   = steps(1000, "", "k", "M", "B", "T")

	shortDurations = []displayUnit{{"ns", 1e-9}, {"µs", 1e-6}, {"ms", 1e-3}, {"s", 1}}
)

// steps are the units of the powers of a base, from 1 on.
func steps(base float64, symbols ...string) []displayUnit {
	out := make([]displayUnit, len(symbols))
	size := 1.0
	for i, symbol := range symbols {
		out[i] = displayUnit{symbol, size}
		size *= base
	}
	return out
}

// displayUnits are the units a kind is shown in, from small to large. Every symbol is one that
// [Parse] reads.
var displayUnits = [...][]displayUnit{
	Number:          {{"", 1}},
	FLOP:            withSuffix(decimalSteps, "FLOP"),
	FLOPRate:        withSuffix(decimalSteps, "FLOP/s"),
	Bytes:           steps(1024, "B", "KiB", "MiB", "GiB", "TiB", "PiB"),
	ByteRate:        withSuffix(decimalSteps[:6], "B/s"),
	Duration:        shortDurations,
	Count:           countSteps,
	Params:          countSteps,
	Tokens:          countSteps,
	PerSecond:       withSuffix(countSteps, "/s"),
	Money:           countSteps,
	HourlyPrice:     {{"/h", 1}},
	Power:           withSuffix(decimalSteps[:4], "W"),
	Energy:          {{"Wh", 1e-3}, {"kWh", 1}, {"MWh", 1e3}, {"GWh", 1e6}, {"TWh", 1e9}},
	CarbonIntensity: {{"gCO2e/kWh", 1e-3}},
	CarbonMass:      {{"gCO2e", 1e-3}, {"kgCO2e", 1}, {"tCO2e", 1e3}, {"ktCO2e", 1e6}},
	Fraction:        {{"%", 1e-2}},
	Ratio:           {{"", 1}},
}

func withSuffix(steps []displayUnit, suffix string) []displayUnit {
	out := slices.Clone(steps)
	for i := range out {
		out[i].symbol += suffix
	}
	return out
}

// Column prints the values of one table column in one unit, so that they can be compared by eye.
type Column struct {
	kind   Kind
	unit   displayUnit
	digits int
	human  bool // durations of a minute and more: each cell carries its own units (3d 4h)
}

// NewColumn chooses the unit for a column of values: the one that shows the smallest value other
// than 0 as 1 or more, but no value with more than six digits before the point. Bytes and FLOPs
// have at most four there, if the smallest is a thousandth or more. digits is the number of
// significant digits of a cell without an interval (0 means [DefaultDigits]). Whole digits are
// never rounded away without an interval to say so.
func NewColumn(kind Kind, digits int, values ...float64) Column {
	if digits <= 0 {
		digits = DefaultDigits
	}
	smallest, largest := math.Inf(1), 0.0
	for _, v := range values {
		if a := math.Abs(v); a > 0 && !math.IsInf(a, 0) {
			smallest, largest = min(smallest, a), max(largest, a)
		}
	}
	steps := displayUnits[kind]
	c := Column{kind: kind, unit: steps[0], digits: digits}
	if largest == 0 {
		c.unit = unitOfZero(steps)
		return c
	}
	c.human = kind == Duration && largest >= 59.95
	const mostWholeDigits = 1e6
	const easilyRead, least = 1e4, 1e-3
	machine := kind == Bytes || kind == FLOP
	const roundsUp = 0.9995 // 999.6 k is better told as 1.00 M
	for _, u := range steps {
		large := largest / c.unit.size
		if smallest >= u.size*roundsUp || large >= mostWholeDigits ||
			machine && large >= easilyRead && smallest >= least*u.size {
			c.unit = u
		}
	}
	return c
}

// unitOfZero is the base unit where the kind shows it, else the smallest.
func unitOfZero(steps []displayUnit) displayUnit {
	for _, u := range steps {
		if u.size == 1 {
			return u
		}
	}
	return steps[0]
}

// Unit is what belongs in the heading: "TFLOP/s", "GiB", "ms", "M"; empty when the cells need none
// or carry it.
func (c Column) Unit() string {
	switch {
	case c.human:
		return ""
	case c.kind == HourlyPrice:
		return "USD/h"
	case c.kind == Money && c.unit.symbol == "":
		return "USD"
	case c.kind == Money:
		return c.unit.symbol + " USD"
	}
	return c.unit.symbol
}

// cell is a value without its unit, to the column's significant digits. The value must be finite.
func (c Column) cell(value float64) string {
	if c.human {
		return formatDuration(value, 0, c.digits)
	}
	scaled := value / c.unit.size
	place := min(0, digitPlace(scaled, c.digits))
	if (c.kind == Money || c.kind == HourlyPrice) && c.unit.size == 1 && scaled >= 1 {
		place = -2 // cents
	}
	if c.kind == Fraction && c.digits == DefaultDigits {
		const tenth = 0.05     // the least that rounds to one
		place = max(place, -1) // shares are read in tenths of a percent
		if math.Abs(scaled) < tenth {
			scaled = 0
		}
	}
	return roundedText(scaled, place)
}

// rounded is the value of an interval without its unit, to the digits that the interval supports.
func (c Column) rounded(i Interval) string {
	halfWidth := i.HalfWidth()
	if halfWidth <= 0 {
		return c.cell(i.Value)
	}
	if c.human {
		return formatDuration(i.Value, halfWidth, c.digits)
	}
	return roundedText(i.Value/c.unit.size, c.intervalPlace(i))
}

// Interval is an estimate without its unit: "12.3 ± 0.4" when the bounds are about symmetric, else
// "12 (9 to 18)".
func (c Column) Interval(i Interval) string {
	return c.interval(i, func(number string) string { return number })
}

// interval words an estimate, each of its numbers dressed by dress.
func (c Column) interval(i Interval, dress func(string) string) string {
	halfWidth := i.HalfWidth()
	if halfWidth <= 0 {
		return dress(c.cell(i.Value))
	}
	if c.human {
		// Bounds are told with the digits of the value, so that the three can be compared.
		tell := func(seconds float64) string { return formatDuration(seconds, halfWidth, c.digits) }
		return tell(i.Value) + " (" + tell(i.Low) + " to " + tell(i.High) + ")"
	}
	place := c.intervalPlace(i)
	tell := func(value float64) string { return dress(roundedText(value/c.unit.size, place)) }
	const asymmetry = 0.1 // bounds within a tenth of each other read as one half-width
	if up, down := i.High-i.Value, i.Value-i.Low; math.Abs(up-down) <= asymmetry*halfWidth {
		return tell(i.Value) + " ± " + tell(halfWidth)
	}
	return tell(i.Value) + " (" + tell(i.Low) + " to " + tell(i.High) + ")"
}

// intervalPlace is the last digit the interval supports, but never so coarse that the value itself
// vanishes.
func (c Column) intervalPlace(i Interval) int {
	place := supportedPlace(i.HalfWidth() / c.unit.size)
	if i.Value != 0 {
		place = min(place, digitPlace(i.Value/c.unit.size, 1))
	}
	return place
}

// Format is one value with its unit, to a number of significant digits (0 means [DefaultDigits]): "1.23
// ZFLOP", "2.50B", "$1.50M", "3d 4h", "37.0%". [Parse] of the same kind reads it back.
func Format(kind Kind, value float64, digits int) string {
	c := NewColumn(kind, digits, value)
	return c.decorate(c.cell(value))
}

// FormatInterval is one estimate with its unit, to the digits that its interval supports: "46 ± 6
// TFLOP/s", "$1.2k ($1.0k to $1.5k)".
func FormatInterval(kind Kind, i Interval) string {
	c := NewColumn(kind, 0, i.Value)
	if c.symbolIsAttached() {
		return c.interval(i, c.decorate)
	}
	return c.decorate(c.Interval(i))
}

// FormatRounded returns the value of an interval with its unit, to the digits that the interval supports.
func FormatRounded(kind Kind, i Interval) string {
	c := NewColumn(kind, 0, i.Value)
	return c.decorate(c.rounded(i))
}

// symbolIsAttached tells units that are part of each number ($2.00, 2.5B, 37%) from those that
// follow a cell.
func (c Column) symbolIsAttached() bool {
	switch c.kind {
	case Money, HourlyPrice, Count, Params, Tokens, PerSecond, Fraction:
		return true
	}
	return false
}

// decorate puts the column's unit to a cell.
func (c Column) decorate(cell string) string {
	switch {
	case c.kind == Money || c.kind == HourlyPrice:
		return "$" + cell + c.unit.symbol
	case c.symbolIsAttached():
		return cell + c.unit.symbol
	case c.human, c.unit.symbol == "":
		return cell
	}
	return cell + " " + c.unit.symbol
}
