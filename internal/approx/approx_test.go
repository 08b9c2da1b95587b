package approx

import (
	"math"
	"testing"
)

func TestCloseAndRelative(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		got, want, tolerance float64
		close, relative      bool
	}{
		{1, 1, 0, true, true},
		{1.1, 1, 0.2, true, true},
		{11, 10, 0.2, false, true},
		{0.11, 0.10, 0.05, true, false},
		{-11, -10, 0.2, false, true},
		{-10, 10, 0.2, false, false},
		{0, 0, 0, true, true},
		{1, 1, -1, false, false},
		{nan, 1, 10, false, false},
		{1, nan, 10, false, false},
		{nan, nan, 10, false, false},
		{1, 1, nan, false, false},
		{1, 2, nan, false, false},
		{inf, inf, 0, true, true},
		{inf, -inf, inf, true, false},
		{inf, 1, 1e300, false, false},
		{1, inf, 1e300, false, false},
	} {
		if got := Close(c.got, c.want, c.tolerance); got != c.close {
			t.Errorf("Close(%g, %g, %g) = %t", c.got, c.want, c.tolerance, got)
		}
		if got := Relative(c.got, c.want, c.tolerance); got != c.relative {
			t.Errorf("Relative(%g, %g, %g) = %t", c.got, c.want, c.tolerance, got)
		}
	}
}
