// Package axis chooses where the ticks of a drawing are. Every routine ends, with a bounded number
// of ticks, for any two bounds: the number is computed before the first tick is.
package axis

import (
	"math"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Linear returns the multiples of 1, 2 or 5 times a power of ten from low to high: about wanted of
// them, at most 3·wanted + 3. Bounds that no step can divide, being equal or neighbours among the
// floating-point numbers, are their own ticks. Without two finite bounds in order there are none.
func Linear(low, high float64, wanted int) []float64 {
	if !finite(low) || !finite(high) || low > high {
		return nil
	}
	step := Step(low, high, wanted)
	const rounding = 1e-9 // of a step
	first, last := math.Ceil(low/step-rounding), math.Floor(high/step+rounding)
	if !(step > 0) || !finite(first) || !finite(last) {
		return ends(low, high)
	}
	var out []float64
	for i := range min(int(last-first)+1, 3*wanted+3) {
		v := min(max((first+float64(i))*step, low), high) + 0 // −0 becomes 0
		if n := len(out); n == 0 || v > out[n-1] {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return ends(low, high)
	}
	return out
}

func ends(low, high float64) []float64 {
	if low == high {
		return []float64{low}
	}
	return []float64{low, high}
}

// Step is 1, 2 or 5 times a power of ten: the least by which wanted steps reach from low to high.
// It is 0 where the range is too narrow to be divided.
func Step(low, high float64, wanted int) float64 {
	rough := (high/2 - low/2) / (float64(wanted) / 2) // the difference itself may overflow
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, m := range []float64{1, 2, 5, 10} {
		if rough <= m*power*(1+1e-12) && finite(m*power) {
			return m * power
		}
	}
	return 0
}

// Tick is a place on a logarithmic axis.
type Tick struct {
	Value float64
	Even  bool // 2 or 5 times a power of ten
	// Major are the powers that are far enough apart to be labelled: at most 10.
	Major bool
}

// Decades is the number of powers of ten between two positive bounds.
func Decades(low, high float64) float64 { return math.Log10(high) - math.Log10(low) }

// log returns the powers of ten from low to high and, over fewer than 6 decades, their multiples up
// to 9; over more than 60 decades only the powers that are labelled. Without two positive finite
// bounds in order there are none.
func log(low, high float64) []Tick {
	if !(low > 0) || !finite(high) || low > high {
		return nil
	}
	decades := Decades(low, high)
	every := math.Max(1, math.Ceil(decades/8))
	var out []Tick
	last := int(math.Ceil(math.Log10(high)))
	for e := int(math.Floor(math.Log10(low))); e <= last; e++ {
		major := math.Mod(float64(e), every) == 0
		if decades > 60 && !major {
			continue
		}
		for m := 1; m < 10; m++ {
			// the decimal number itself: 10^e times m would round
			v, err := strconv.ParseFloat(strconv.Itoa(m)+"e"+strconv.Itoa(e), 64)
			if err != nil || v < low || v > high || m > 1 && decades >= 6 {
				continue
			}
			out = append(out, Tick{v, m == 2 || m == 5, m == 1 && major})
		}
	}
	return out
}

// LogOf is [log] of amounts of a kind: durations have their ticks in whole minutes, hours or days, the
// largest that the range holds.
func LogOf(kind quantity.Kind, low, high float64) []Tick {
	unit := 1.0
	for _, u := range []float64{60, 60 * 60, 24 * 60 * 60} {
		if kind == quantity.Duration && high >= u {
			unit = u
		}
	}
	out := log(low/unit, high/unit)
	for i := range out {
		out[i].Value *= unit
	}
	return out
}

// Label writes 1e+09 as 10⁹, 1.5e8 as 1.5·10⁸ and 0.30000000000000004 as 0.3; numbers of six digits
// and more, or of three zeros behind the point, are written with their power of ten.
func Label(v float64) string {
	const digits = 6
	a := math.Abs(v)
	if !(a >= 1e5 || a < 1e-3 && a > 0) || !finite(v) {
		return strconv.FormatFloat(v, 'g', digits, 64)
	}
	number, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', digits-1, 64), "e")
	number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	n, _ := strconv.Atoi(exponent)
	power := "10" + raised.Replace(strconv.Itoa(n))
	switch number {
	case "1":
		return power
	case "-1":
		return "-" + power
	}
	return number + "·" + power
}

var raised = strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5",
	"⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")

// Amount writes a place on an axis of amounts: with the prefix of its size and its unit where that is
// short; compute, and what is long, as a power of ten.
func Amount(kind quantity.Kind, v float64) string {
	const longest = 9 // characters
	if kind != quantity.Number && kind != quantity.FLOP {
		text := strings.TrimSuffix(quantity.Format(kind, v, 2), ".00")
		text = strings.Replace(text, ".0", "", 1)
		if len(text) <= longest {
			return text
		}
	}
	return Label(v)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
