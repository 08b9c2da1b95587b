// Package approx compares numbers in tests. A comparison written out as math.Abs(got-want) > tolerance
// is false where one of them is not a number, and so passes what it should catch.
package approx

import "math"

// Close reports whether got is within tolerance of want: |got − want| ≤ tolerance, or both are the
// same infinity. Nothing is close to what is not a number, nor within a tolerance that is not one.
func Close(got, want, tolerance float64) bool {
	return got == want && tolerance >= 0 || math.Abs(got-want) <= tolerance
}

// Relative reports whether got is within a share of want: |got − want| ≤ tolerance·|want|, or both
// are the same infinity.
func Relative(got, want, tolerance float64) bool {
	if math.IsInf(want, 0) {
		return Close(got, want, 0) && tolerance >= 0
	}
	return Close(got, want, tolerance*math.Abs(want))
}
