package quantity

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
	"pgregory.net/rapid"
)

func TestFormat(t *testing.T) {
	cases := []struct {
		kind   Kind
		value  float64
		digits int
		want   string
	}{
		{FLOP, 1.234e21, 3, "1.23 ZFLOP"},
		{FLOP, 9.996e20, 3, "1.00 ZFLOP"}, // 999.6 E rounds up into the next prefix
		{FLOPRate, 312e12, 0, "312 TFLOP/s"},
		{Bytes, 80e9, 3, "74.5 GiB"},
		{Bytes, 16 << 30, 3, "16.0 GiB"},
		{ByteRate, 2.039e12, 3, "2.04 TB/s"},
		{Params, 60506624, 3, "60.5M"},
		{Tokens, 34359738368, 3, "34.4B"},
		{Count, 512, 3, "512"},
		{Money, 2, 3, "$2.00"},
		{Money, 1234567, 3, "$1.23M"},
		{HourlyPrice, 1.1, 3, "$1.10/h"},
		{Energy, 85700, 3, "85.7 MWh"},
		{CarbonMass, 46700, 3, "46.7 tCO2e"},
		{CarbonIntensity, 0.429, 3, "429 gCO2e/kWh"},
		{Fraction, 0.37, 3, "37.0%"},
		{Ratio, 1.12, 3, "1.12"},
		{Number, -2.021, 4, "-2.021"},
		{Number, 0, 3, "0"},
		{Number, 1e300, 3, "1e+300"}, // no screen of zeros
		{Number, 1.234e-300, 3, "1.23e-300"},
		{Params, 1e305, 3, "1e+293T"},
		{Bytes, 0, 3, "0 B"},
		{Duration, 0.25, 3, "250 ms"},
		{Duration, 12.34, 3, "12.3 s"},
		{Duration, 59.96, 3, "1m"},
		{Duration, 270, 3, "4m 30s"},
		{Duration, 3599.9, 3, "1h"},
		{Duration, 3*3600 + 12*60, 3, "3h 12m"},
		{Duration, 3*86400 + 4*3600, 3, "3d 4h"},
		{Duration, 120.4 * 86400, 3, "120d"},
		{Duration, 0, 3, "0 s"},
	}
	for _, c := range cases {
		if got := Format(c.kind, c.value, c.digits); got != c.want {
			t.Errorf("Format(%v, %v, %d) = %q, want %q", c.kind, c.value, c.digits, got, c.want)
		}
	}
}

func TestColumnSharesOneUnit(t *testing.T) {
	c := NewColumn(Params, 3, 15_570_688, 60_506_624, 11_307_321_344)
	if c.Unit() != "M" {
		t.Errorf("unit %q, want M", c.Unit())
	}
	for value, want := range map[float64]string{
		15_570_688: "15.6", 60_506_624: "60.5",
		11_307_321_344: "11307",
	} {
		if got := c.cell(value); got != want {
			t.Errorf("Cell(%v) = %q, want %q", value, got, want)
		}
	}
	// Seven orders of magnitude apart: the largest keeps at most six whole digits.
	if c := NewColumn(FLOP, 3, 1e15, 3e22); c.Unit() != "EFLOP" || c.cell(3e22) != "30000" || c.cell(1e15) != "0.00100" {
		t.Errorf("wide column: %s %s %s", c.Unit(), c.cell(3e22), c.cell(1e15))
	}
	// Step times share ms; once a minute is reached every cell tells its own units.
	if c := NewColumn(Duration, 3, 0.043, 1.5); c.Unit() != "ms" || c.cell(1.5) != "1500" {
		t.Errorf("short durations: %s %s", c.Unit(), c.cell(1.5))
	}
	if c := NewColumn(Duration, 3, 5, 86400*2.5); c.Unit() != "" || c.cell(5) != "5.00 s" || c.cell(86400*2.5) != "2d 12h" {
		t.Errorf("long durations: %q %s %s", c.Unit(), c.cell(5), c.cell(86400*2.5))
	}
	for _, c := range []struct {
		column Column
		want   string
	}{
		{NewColumn(Money, 3, 20), "USD"},
		{NewColumn(Money, 3, 2e6), "M USD"},
		{NewColumn(HourlyPrice, 3, 2), "USD/h"},
		{NewColumn(FLOPRate, 3, 0), "FLOP/s"},
	} {
		if got := c.column.Unit(); got != c.want {
			t.Errorf("heading %q, want %q", got, c.want)
		}
	}
}

func TestIntervalDecidesDigits(t *testing.T) {
	cases := []struct {
		kind Kind
		i    Interval
		want string
	}{
		{Number, Interval{12.3456, 11.9456, 12.7456}, "12.3 ± 0.4"},
		{Number, Interval{12.3456, 12.2056, 12.4856}, "12.35 ± 0.14"},
		{Number, Interval{1234, 1190, 1278}, "1230 ± 40"},
		{Number, Interval{12, 9, 18}, "12 (9 to 18)"},
		{Number, Interval{0.3, -49.7, 50.3}, "0.3 ± 50.0"}, // the value is never rounded away
		{Number, Interval{5, 5, 5}, "5.00"},
		{FLOPRate, Interval{45.6e12, 40e12, 51.2e12}, "46 ± 6 TFLOP/s"},
		{Duration, Interval{3.2 * 86400, 2.2 * 86400, 5 * 86400}, "3d (2d to 5d)"},
		{Duration, Interval{3.2 * 86400, 3.1 * 86400, 3.3 * 86400}, "3d 5h (3d 2h to 3d 7h)"},
		{Duration, Interval{0.25, 0.2, 0.3}, "250 ± 50 ms"},
		{Money, Interval{1234, 1000, 1500}, "$1.2k ($1.0k to $1.5k)"},
		{Params, Interval{2.5e9, 2.4e9, 2.6e9}, "2.50B ± 0.10B"},
		{Fraction, Interval{0.37, 0.34, 0.40}, "37% ± 3%"},
	}
	for _, c := range cases {
		if got := FormatInterval(c.kind, c.i); got != c.want {
			t.Errorf("FormatInterval(%v, %v) = %q, want %q", c.kind, c.i, got, c.want)
		}
	}
	c := NewColumn(Params, 3, 6e7)
	if got := c.rounded(Interval{6.05e7, 5.8e7, 6.3e7}); got != "60" && got != "61" {
		t.Errorf("Rounded = %q", got)
	}
}

func TestGroupedAndShortest(t *testing.T) {
	for value, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1,000",
		66_986_752: "66,986,752", -1234: "-1,234", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := Grouped(value); got != want {
			t.Errorf("Grouped(%d) = %q, want %q", value, got, want)
		}
	}
	if got := Shortest(0.1); got != "0.1" {
		t.Errorf("Shortest(0.1) = %q", got)
	}
}

// Whatever is printed can be read back as the same kind, to the digits printed.
func TestParseReadsWhatFormatPrints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := Kind(rapid.IntRange(0, int(Ratio)).Draw(t, "kind"))
		digits := rapid.IntRange(1, 9).Draw(t, "digits")
		value := math.Pow(10, rapid.Float64Range(-5, 22).Draw(t, "exponent"))
		if kind == Fraction {
			value = math.Min(1, value)
		}
		text := Format(kind, value, digits)
		got, err := Parse(kind, text)
		if err != nil {
			t.Fatalf("Format(%v, %v, %d) = %q: %v", kind, value, digits, text, err)
		}
		tolerance := 0.5 * math.Pow(10, float64(1-digits)) * value * (1 + 1e-9)
		if kind == Duration && value >= 59.95 {
			tolerance = durationRounding(value)
		}
		if kind == Money && value >= 1 && value < 1000 {
			tolerance = 0.005 * (1 + 1e-9) // cents
		}
		if kind == Fraction && digits == DefaultDigits {
			tolerance = math.Max(tolerance, 0.0005*(1+1e-9)) // tenths of a percent
		}
		if kind == HourlyPrice && value >= 1 {
			tolerance = math.Max(0.005*(1+1e-9), value*1e-15)
		}
		if !approx.Close(got, value, tolerance) {
			t.Fatalf("Format(%v, %v, %d) = %q reads as %v", kind, value, digits, text, got)
		}
	})
}

// durationRounding is half the smaller of the two terms in which a long duration is told.
func durationRounding(seconds float64) float64 {
	switch {
	case seconds < 3600:
		return 0.5001
	case seconds < 86400:
		return 30.01
	case seconds < 100*86400:
		return 1800.1
	}
	return 43200.1 + seconds*1e-15
}

// The shortest text of any amount that may be written reads back as the same bits.
func TestShortestRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float64Range(1/Largest, Largest).Draw(t, "value")
		if got, err := Parse(Number, Shortest(value)); err != nil || got != value {
			t.Fatalf("%v reads as %v, %v", value, got, err)
		}
	})
}

// An exact count reads back with every suffix that divides it.
func TestExactAgreesWithFloat(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1<<53).Draw(t, "n")
		text := rapid.SampledFrom([]string{"", "k", "M"}).Draw(t, "suffix")
		exact, err := ParseExact(Count, Shortest(float64(n))+text)
		if err != nil {
			return // beyond int64 with the suffix
		}
		float, err := Parse(Count, Shortest(float64(n))+text)
		if err != nil || float != float64(exact) {
			t.Fatalf("%d%s: exact %d, float %v (%v)", n, text, exact, float, err)
		}
	})
}
