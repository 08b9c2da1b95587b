package axis

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

func TestLinearByHand(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0.8e9, 8.2e9, "[2e+09 4e+09 6e+09 8e+09]"},
		{-0.02, 0.04, "[-0.02 -0.01 0 0.01 0.02 0.03 0.04]"},
		{3, 3, "[3]"},
		{1, math.Nextafter(1, 2), "[1 1.0000000000000002]"},
		{-1.7e308, 1.7e308, "[-1.5e+308 -1e+308 -5e+307 0 5e+307 1e+308 1.5e+308]"},
		{2, 1, "[]"},
	} {
		if got := fmt.Sprint(rounded(Linear(c.low, c.high, 7))); got != c.want {
			t.Errorf("%v to %v: %s, want %s", c.low, c.high, got, c.want)
		}
	}
}

// rounded drops the last bits, by which a multiple of a step differs from the decimal number.
func rounded(values []float64) []float64 {
	out := []float64{}
	for _, v := range values {
		if math.Abs(v) < 1e300 && v != math.Nextafter(1, 2) {
			_, _ = fmt.Sscan(fmt.Sprintf("%.12g", v), &v)
		} else if math.Abs(v) >= 1e300 {
			_, _ = fmt.Sscan(fmt.Sprintf("%.6g", v), &v)
		}
		out = append(out, v)
	}
	return out
}

func TestLogByHand(t *testing.T) {
	var got []float64
	for _, k := range log(40, 300) {
		if k.Even || k.Major {
			got = append(got, k.Value)
		}
	}
	if want := "[50 100 200]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if n := len(log(1e-300, 1e300)); n < 6 || n > 10 {
		t.Errorf("%d ticks over 600 decades", n)
	}
}

// Ticks are few, in order and inside their bounds, whatever finite bounds there are.
func TestTicksEnd(t *testing.T) {
	bound := rapid.OneOf(
		rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64),
		rapid.Map(rapid.Float64Range(-320, 308), func(e float64) float64 { return math.Pow(10, e) }),
		rapid.Map(rapid.Float64Range(-320, 308), func(e float64) float64 { return -math.Pow(10, e) }),
		rapid.SampledFrom([]float64{
			0, math.MaxFloat64, -math.MaxFloat64,
			math.SmallestNonzeroFloat64,
		}))
	rapid.Check(t, func(t *rapid.T) {
		low, high := bound.Draw(t, "low"), bound.Draw(t, "high")
		if rapid.Bool().Draw(t, "near") {
			high = math.Nextafter(low, high)
		}
		low, high = min(low, high), max(low, high)
		const wanted = 7
		slack := (high/2 - low/2) * 1e-6 // a multiple of a step is rounded
		check := func(values []float64, most int) {
			if len(values) > most {
				t.Fatalf("%d ticks", len(values))
			}
			for i, v := range values {
				if !(v >= low-slack && v <= high+slack) || i > 0 && !(v > values[i-1]) {
					t.Fatalf("tick %v of %v between %v and %v", v, values, low, high)
				}
				if Label(v) == "" || utf8.RuneCountInString(Label(v)) > 16 {
					t.Fatalf("label %q", Label(v))
				}
			}
		}
		linear := Linear(low, high, wanted)
		if len(linear) == 0 {
			t.Fatal("no ticks")
		}
		check(linear, 3*wanted+3)
		var values []float64
		majors := 0
		for _, k := range log(low, high) {
			values = append(values, k.Value)
			if k.Major {
				majors++
			}
		}
		check(values, 70)
		if majors > 10 {
			t.Fatalf("%d labels", majors)
		}
	})
}

// TestDurationsInTheirUnits: from ten hours to sixty days the ticks are days.
func TestDurationsInTheirUnits(t *testing.T) {
	const hour, day = 3600.0, 86400.0
	var got []string
	for _, k := range LogOf(quantity.Duration, 10*hour, 60*day) {
		if k.Major || k.Even {
			got = append(got, Amount(quantity.Duration, k.Value))
		}
	}
	if want := []string{"12h", "1d", "2d", "5d", "10d", "20d", "50d"}; !slices.Equal(got, want) {
		t.Errorf("ticks %q, want %q", got, want)
	}
}
