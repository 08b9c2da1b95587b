package quantity

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// The expected values are the definitions of the units (SI and IEC prefixes, 86,400 seconds a day),
// worked by hand.
func TestParse(t *testing.T) {
	cases := []struct {
		kind Kind
		text string
		want float64
	}{
		{FLOP, "1e21", 1e21},
		{FLOP, "1.5E+21", 1.5e21},
		{FLOP, "300 TFLOP", 300e12},
		{FLOP, "300TFLOPs", 300e12},
		{FLOP, "3.2 ZFLOP", 3.2e21},
		{FLOP, "1 PF-days", 8.64e19},
		{FLOP, "10PF-day", 8.64e20},
		{FLOP, "2 PFLOP/s-days", 1.728e20},
		{FLOPRate, "300 TFLOP/s", 300e12},
		{FLOPRate, "312TFLOPS", 312e12},
		{FLOPRate, "1.2 PFLOP/s", 1.2e15},
		{Bytes, "80GB", 80e9},
		{Bytes, "16GiB", 16 * 1 << 30},
		{Bytes, "0.5 MiB", 524288},
		{Bytes, "512 bytes", 512},
		{ByteRate, "900 GB/s", 900e9},
		{ByteRate, "400 Gbit/s", 50e9},
		{ByteRate, "400Gbps", 50e9},
		{Duration, "14d", 14 * 86400},
		{Duration, "1d12h", 129600},
		{Duration, "3h 30m", 12600},
		{Duration, "90s", 90},
		{Duration, "250ms", 0.25},
		{Duration, "10 µs", 1e-5},
		{Duration, "2 weeks", 1209600},
		{Count, "300k", 300e3},
		{Count, "524288", 524288},
		{Params, "2.5B params", 2.5e9},
		{Params, "60 parameters", 60},
		{Tokens, "34.4B tokens", 34.4e9},
		{Params, "70m", 70e6},
		{Tokens, "300b", 300e9},
		{Tokens, "1e12", 1e12},
		{PerSecond, "550k tokens/s", 550e3},
		{PerSecond, "23/s", 23},
		{Money, "$2.00", 2},
		{Money, "$1.5M", 1.5e6},
		{Money, "20 USD", 20},
		{Money, "USD 20", 20},
		{HourlyPrice, "$2.00/h", 2},
		{HourlyPrice, "1.10", 1.1},
		{HourlyPrice, "2 USD/h", 2},
		{Power, "220", 220},
		{Power, "0.4 kW", 400},
		{Energy, "85.7 MWh", 85700},
		{Energy, "500 Wh", 0.5},
		{CarbonIntensity, "429 gCO2e/kWh", 0.429},
		{CarbonIntensity, "0.429 kgCO2e/kWh", 0.429},
		{CarbonIntensity, "0.429 t/MWh", 0.429},
		{CarbonMass, "46.7 tCO2e", 46700},
		{CarbonMass, "300 g", 0.3},
		{Fraction, "37%", 0.37},
		{Fraction, "0.37", 0.37},
		{Ratio, "1.12", 1.12},
		{Ratio, "150%", 1.5},
		{Number, "-1.5e-3", -0.0015},
		{Number, ".5", 0.5},
	}
	for _, c := range cases {
		got, err := Parse(c.kind, c.text)
		if err != nil || got != c.want {
			t.Errorf("Parse(%v, %q) = %v, %v; want %v", c.kind, c.text, got, err, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	cases := []struct {
		kind    Kind
		text    string
		mention string
	}{
		{FLOP, "", "nothing given"},
		{FLOP, "   ", "nothing given"},
		{FLOP, "300 TFLOP/s", "a rate in FLOP/s where a count of FLOP is needed"},
		{FLOP, "300 TFLOPS", "did you mean TFLOP?"},
		{FLOPRate, "300 TFLOP", "did you mean TFLOP/s?"},
		{FLOPRate, "300 TFLOPs", "a count of FLOP where a rate is needed"},
		{FLOPRate, "3e14", "no unit"},
		{FLOP, "1e400", "too large"},
		{FLOP, "1e99999999999999999999", "too large"},
		{FLOP, "1e308 ZFLOP", "too large"},
		{FLOP, "1e-400", "too close to zero"},
		{FLOP, "-1e21", "a negative amount"},
		{FLOP, "-0", "a negative amount"},
		{FLOP, "NaN", "not a finite number"},
		{FLOP, "+Inf", "not a finite number"},
		{FLOP, "0x10", "only decimal"},
		{Count, "012", "leading zero"},
		{Count, "1_000", "separator"},
		{Count, "1,000", "separator"},
		{Count, "1e3_0", "separator"},
		{Count, "5.", "decimal point"},
		{Count, "300m", "did you mean M?"},
		{Count, "5 6", "unknown unit"},
		{Params, "2.5B tokens", "a count of tokens where a count of parameters is needed"},
		{Tokens, "34.4B tokns", "did you mean"},
		{Bytes, "16", "no unit"},
		{Bytes, "16G", "16iB"[2:]},
		{Bytes, "16gib", "did you mean GiB?"},
		{Bytes, "16Gb", "did you mean GB?"},
		{Bytes, "900 GB/s", "a bandwidth where an amount of bytes is needed"},
		{ByteRate, "80GB", "an amount of bytes where a bandwidth is needed"},
		{Bytes, "80GB junk", "unknown unit"},
		{Duration, "14", "no unit"},
		{Duration, "3h4h", "order"},
		{Duration, "3h4d", "order"},
		{Duration, "3fortnights", "unknown unit"},
		{Duration, "-3h", "negative"},
		{Duration, "$3", "no number"},
		{Money, "€20", "only US dollars"},
		{
			Money, "$2/h",
			"a price per device-hour in US dollars where an amount of US dollars is needed",
		},
		{Money, "$", "no number"},
		{Tokens, "$20", "an amount of money where"},
		{Fraction, "150%", "more than 1"},
		{Fraction, "1.01", "more than 1"},
		{Energy, "85", "no unit"},
		{Number, "abc", "no number"},
		{Number, "1e", "unknown unit"},
		{Number, "1\x00", "unknown unit"},
		{Number, strings.Repeat("9", 400), "too large"},
	}
	for _, c := range cases {
		got, err := Parse(c.kind, c.text)
		var wrong *Error
		if !errors.As(err, &wrong) {
			t.Errorf("Parse(%v, %q) = %v, want an error", c.kind, c.text, got)
			continue
		}
		if !strings.Contains(err.Error(), c.mention) {
			t.Errorf("Parse(%v, %q): %q does not mention %q", c.kind, c.text, err, c.mention)
		}
		if !strings.Contains(err.Error(), "; allowed: ") {
			t.Errorf("Parse(%v, %q): %q does not say what is allowed", c.kind, c.text, err)
		}
	}
}

func TestErrorReadsWhatValueAllowed(t *testing.T) {
	_, err := Parse(Bytes, "16gib")
	const want = `unknown unit "gib": "16gib"; did you mean GiB?; allowed: an amount of bytes, such as 80GB (1e9 bytes each), 16GiB (2^30 bytes each), 512 MB`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestParseExact(t *testing.T) {
	cases := []struct {
		text string
		want int64
		fail string
	}{
		{"66986752", 66986752, ""},
		{"2.5B", 2_500_000_000, ""},
		{"34.4B tokens", 34_400_000_000, ""},
		{"1.10e2", 110, ""},
		{"0", 0, ""},
		{"0.000", 0, ""},
		{"9223372036854775807", math.MaxInt64, ""},
		{"9223372036854775808", 0, "too large"},
		{"1e19", 0, "too large"},
		{"1e21", 0, "too large"},
		{"1e999999999999", 0, "too large"},
		{"9223372037B", 0, "too large"},
		{"1.5", 0, "not a whole"},
		{"0.0001k", 0, "not a whole"},
		{"1e-999999999999", 0, "not a whole"},
		{"-5", 0, "negative"},
		{"012", 0, "leading zero"},
	}
	for _, c := range cases {
		got, err := ParseExact(Tokens, c.text)
		if c.fail == "" && (err != nil || got != c.want) {
			t.Errorf("ParseExact(%q) = %v, %v; want %v", c.text, got, err, c.want)
		}
		if c.fail != "" && (err == nil || !strings.Contains(err.Error(), c.fail)) {
			t.Errorf("ParseExact(%q) = %v, %v; want an error with %q", c.text, got, err, c.fail)
		}
	}
}

func TestHeaders(t *testing.T) {
	cases := []struct {
		heading, name string
		kind          Kind
		cell          string
		want          float64
	}{
		{"step_time [ms]", "step_time", Duration, "250", 0.25},
		{"tokens (B)", "tokens", Tokens, "34.4", 34.4e9},
		{"memory [B]", "memory", Bytes, "512", 512},
		{"memory (GiB)", "memory", Bytes, "2", 2 << 30},
		{" flops ", "flops", FLOP, "1e21", 1e21},
		{"flops", "flops", FLOP, "3 ZFLOP", 3e21},
		{"loss", "loss", Number, "-1.5", -1.5},
		{"cost [USD]", "cost", Money, "12.5", 12.5},
		{"mfu (%)", "mfu", Fraction, "37", 0.37},
		// base unit: a bare number in a column is not a trap
		{"step_time_s", "step_time_s", Duration, "7.7431", 7.7431},
	}
	for _, c := range cases {
		h := ParseHeader(c.heading)
		if h.Name != c.name {
			t.Errorf("ParseHeader(%q).Name = %q, want %q", c.heading, h.Name, c.name)
		}
		r, err := h.Reader(c.kind)
		if err != nil {
			t.Errorf("%q: %v", c.heading, err)
			continue
		}
		if got, err := r.Parse(c.cell); err != nil || got != c.want {
			t.Errorf("%q cell %q = %v, %v; want %v", c.heading, c.cell, got, err, c.want)
		}
	}
}

func TestHeadersRefuse(t *testing.T) {
	if _, err := ParseHeader("rate [TFLOP]").Reader(FLOPRate); err == nil {
		t.Error("a count's unit was taken for a rate's")
	}
	r, err := ParseHeader("step_time [ms]").Reader(Duration)
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range []string{"", "250 s", "nan", "-1", "1e400", "0x1"} {
		if got, err := r.Parse(cell); err == nil {
			t.Errorf("cell %q = %v, want an error", cell, got)
		}
	}
	for _, heading := range []string{"", "[ms]", "x []", "(", "a)"} {
		if h := ParseHeader(heading); h.Unit != "" {
			t.Errorf("ParseHeader(%q) found the unit %q", heading, h.Unit)
		}
	}
}

func TestFlags(t *testing.T) {
	memory := 16.0 * (1 << 30)
	f := NewFlag(Bytes, &memory)
	if f.String() != "16.0 GiB" || f.Type() != "bytes" {
		t.Errorf("default %q of type %q", f, f.Type())
	}
	if err := f.Set("80GB"); err != nil || memory != 80e9 || f.String() != "80GB" {
		t.Errorf("Set(80GB): %v, %v, %q", err, memory, f)
	}
	if err := f.Set("80"); err == nil || memory != 80e9 {
		t.Error("a refused text must leave the value alone")
	}
	steps := 7
	e := NewCountFlag(&steps)
	if e.String() != "7" || e.Type() != "count" {
		t.Errorf("default %q of type %q", e, e.Type())
	}
	if err := e.Set("512k"); err != nil || steps != 512000 || e.String() != "512k" {
		t.Errorf("Set(512k): %v, %d", err, steps)
	}
	for _, text := range []string{"1.5", "0", "-3", "1e10", "NaN"} {
		if err := e.Set(text); err == nil || steps != 512000 {
			t.Errorf("%s was accepted: %d", text, steps)
		}
	}
	var seconds float64
	d := NewDaysFlag(&seconds)
	for text, want := range map[string]float64{"2": 172800, "1.5d": 129600, "36h": 129600} {
		if err := d.Set(text); err != nil || seconds != want || d.Type() != "days" {
			t.Errorf("Set(%s): %v, %v s, want %v", text, err, seconds, want)
		}
	}
	if err := d.Set("3kg"); err == nil {
		t.Error("3 kg were taken for days")
	}
}
