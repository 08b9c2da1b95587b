package quantity

import (
	"math"
	"strconv"
	"strings"
)

// DefaultDigits is how many significant digits a table shows of a value whose interval is not
// known.
const DefaultDigits = 3

// Shortest is the shortest decimal text that reads back as the same float64: what CSV carries. JSON
// writes the same digits. The value must be finite; absence is decided before printing.
func Shortest(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }

// Grouped is a whole number in groups of three digits: "66,986,752". It is for exact counts that
// people read; the parser does not take the commas back.
func Grouped(value int64) string {
	text := strconv.FormatInt(value, 10)
	digits, sign := strings.CutPrefix(text, "-")
	var b strings.Builder
	if sign {
		b.WriteByte('-')
	}
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

// digitPlace is the power of ten of the last of n significant digits of a value (−2 for 1.23
// with 3 digits).
func digitPlace(value float64, digits int) int {
	if value == 0 {
		return 0
	}
	return exponentAfterRounding(value, digits) - digits + 1
}

// exponentAfterRounding is the decimal exponent of a value rounded to n digits: 1 for 9.99
// with 2 digits (10).
func exponentAfterRounding(value float64, digits int) int {
	text := strconv.FormatFloat(math.Abs(value), 'e', digits-1, 64)
	exponent, err := strconv.Atoi(text[strings.IndexByte(text, 'e')+1:])
	if err != nil {
		panic("quantity: a value to print is not finite: " + text)
	}
	return exponent
}

// supportedPlace is the power of ten of the last digit that a half-width supports: its first digit,
// or its second when the first is a 1 (12.34 ± 0.4 shows tenths, ± 0.14 hundredths).
func supportedPlace(halfWidth float64) int {
	if halfWidth <= 0 {
		return 0
	}
	// below 2 the first digit alone would round the half-width by up to a third
	const leadingOnes = 2
	place := exponentAfterRounding(halfWidth, 1)
	if e := exponentAfterRounding(halfWidth, 2); halfWidth/math.Pow(10, float64(e)) < leadingOnes {
		return e - 1
	}
	return place
}

// roundedText writes a value rounded at a power of ten, in plain decimals: place −2 gives 1.23,
// place 1 gives 1230.
//
// What would take more than a screen's width of zeros is told by its power of ten: 1.00e+300.
func roundedText(value float64, place int) string {
	const largest, smallest = 21, -15
	if value == 0 && place < smallest {
		return "0"
	}
	if value != 0 {
		switch e := exponentAfterRounding(value, 1); {
		case e >= largest && place <= 0:
			return strconv.FormatFloat(value, 'e', -1, 64)
		case e >= largest, e < smallest:
			return strconv.FormatFloat(value, 'e', max(0, e-place), 64)
		}
	}
	if place <= 0 {
		return withoutNegativeZero(strconv.FormatFloat(value, 'f', -place, 64))
	}
	// Rounding the decimal text keeps large values exact where dividing and multiplying would not.
	exponent := exponentAfterRounding(value, 1)
	if value == 0 || exponent < place-1 {
		return "0"
	}
	digits := max(exponent-place+1, 1)
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(value, 'e', digits-1, 64), 64)
	if err != nil {
		return strconv.FormatFloat(value, 'f', 0, 64)
	}
	return withoutNegativeZero(strconv.FormatFloat(rounded, 'f', 0, 64))
}

func withoutNegativeZero(text string) string {
	if strings.HasPrefix(text, "-") && strings.Trim(text, "-0.") == "" {
		return text[1:]
	}
	return text
}
