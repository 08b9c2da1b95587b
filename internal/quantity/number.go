package quantity

import (
	"math"
	"strconv"
	"strings"
)

// scanNumber splits text after its leading decimal number. The problem is empty when the number is
// well formed.
func scanNumber(text string) (number, rest, problem string) {
	i := 0
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		i++
	}
	whole := i
	i = skipDigits(text, i)
	wholeDigits := i - whole
	fractionDigits := 0
	if i < len(text) && text[i] == '.' {
		end := skipDigits(text, i+1)
		fractionDigits = end - i - 1
		if fractionDigits == 0 {
			return "", "", "a decimal point without digits after it"
		}
		i = end
	}
	if wholeDigits+fractionDigits == 0 {
		switch strings.ToLower(strings.TrimLeft(text, "+-")) {
		case "nan", "inf", "infinity":
			return "", "", "not a finite number"
		}
		return "", "", "no number"
	}
	if text[whole:i] == "0" && i < len(text) && strings.IndexByte("xXob", text[i]) >= 0 {
		return "", "", "only decimal numbers are read"
	}
	if wholeDigits > 1 && text[whole] == '0' {
		return "", "", "a number with a leading zero (octal is not read)"
	}
	// "e" is an exponent only when digits follow: 1E alone is left to be refused as a unit.
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		j := i + 1
		if j < len(text) && (text[j] == '-' || text[j] == '+') {
			j++
		}
		if end := skipDigits(text, j); end > j {
			i = end
		}
	}
	if i < len(text) && (text[i] == '_' || text[i] == ',') {
		return "", "", "a separator inside a number (write the digits together)"
	}
	return text[:i], text[i:], ""
}

func skipDigits(text string, i int) int {
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	return i
}

// decimal splits a scanned number into its digits, the power of ten they stand at, and its sign:
// value = ± digits · 10^exponent. Exponents beyond a million are clamped: they overflow or vanish
// all the same.
func decimal(number string) (digits string, exponent int, negative bool) {
	const clamp = 1_000_000
	if number[0] == '-' || number[0] == '+' {
		negative = number[0] == '-'
		number = number[1:]
	}
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		e, err := strconv.Atoi(number[i+1:])
		if err != nil {
			e = clamp
			if number[i+1] == '-' {
				e = -clamp
			}
		}
		exponent = max(-clamp, min(clamp, e))
		number = number[:i]
	}
	whole, fraction, _ := strings.Cut(number, ".")
	return strings.TrimLeft(whole+fraction, "0"), exponent - len(fraction), negative
}

// No amount is larger than Largest or, but for zero, smaller than 1 / Largest: far beyond whatever is
// meant, and products and squares of several stay finite.
const Largest = 1e36

// toFloat is the scanned number times the multiplier, correctly rounded in its decimal part.
func toFloat(number string, m multiplier) (value float64, problem string) {
	text := number
	if m.pow10 != 0 {
		digits, exponent, negative := decimal(number)
		if digits == "" {
			digits = "0"
		}
		text = digits + "e" + strconv.Itoa(exponent+m.pow10)
		if negative {
			text = "-" + text
		}
	}
	value, err := strconv.ParseFloat(text, 64)
	value *= m.factor
	if err != nil || math.Abs(value) > Largest {
		return 0, "too large (the limit is 1e36)"
	}
	if digits, _, _ := decimal(number); digits != "" && math.Abs(value) < 1/Largest {
		return 0, "too close to zero (the limit is 1e-36)"
	}
	return value, ""
}

// toInteger is the scanned number times the multiplier when that is a whole number within int64.
func toInteger(number string, m multiplier) (value int64, problem string) {
	digits, exponent, negative := decimal(number)
	exponent += m.pow10
	if digits == "" {
		return 0, ""
	}
	for exponent < 0 && digits[len(digits)-1] == '0' {
		digits, exponent = digits[:len(digits)-1], exponent+1
	}
	if exponent < 0 {
		return 0, "not a whole number"
	}
	const int64Digits = 19
	if len(digits)+exponent > int64Digits {
		return 0, "too large for an exact count (the limit is 9223372036854775807)"
	}
	value, err := strconv.ParseInt(digits+strings.Repeat("0", exponent), 10, 64)
	if err != nil {
		return 0, "too large for an exact count (the limit is 9223372036854775807)"
	}
	if negative {
		value = -value
	}
	return value, ""
}
