package quantity

import (
	"math"
	"strings"
	"testing"
)

// FuzzParse checks that no text makes a parser panic, and that what is accepted is finite and in
// range.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"1e21", "2.5B params", "300 TFLOP/s", "16GiB", "1d12h", "$2.00/h",
		"012", "1_000", "1e400", "-0", "NaN", "37%", "1e99999999999", "\x00", "9223372036854775808",
		"µs", "1μs",
	} {
		for _, kind := range []Kind{FLOP, Bytes, Duration, Tokens, Money} {
			f.Add(int(kind), seed)
		}
	}
	f.Fuzz(func(t *testing.T, k int, text string) {
		kind := Kind(uint(k) % uint(Ratio+1))
		value, err := Parse(kind, text)
		switch {
		case err != nil:
			if len(err.Error()) > 1000 {
				t.Fatalf("an error of %d bytes", len(err.Error()))
			}
		case math.IsNaN(value) || math.IsInf(value, 0):
			t.Fatalf("Parse(%v, %q) = %v", kind, text, value)
		case value < 0 && kind != Number:
			t.Fatalf("Parse(%v, %q) = %v", kind, text, value)
		case !strings.ContainsAny(text, "0123456789"):
			t.Fatalf("Parse(%v, %q) = %v without a digit", kind, text, value)
		default:
			// What was read can be printed and read again.
			if again, err := Parse(kind, Format(kind, value, 6)); err != nil && value > 1e-30 && value < 1e30 {
				t.Fatalf("Format(%v, %v) = %q: %v, %v", kind, value, Format(kind, value, 6), again,
					err)
			}
		}
		if n, err := ParseExact(Count, text); err == nil && n < 0 {
			t.Fatalf("ParseExact(%q) = %d", text, n)
		}
		h := ParseHeader(text)
		if r, err := h.Reader(kind); err == nil {
			if _, err := r.Parse(text); err == nil && strings.TrimSpace(text) == "" {
				t.Fatal("an empty cell was read")
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(Tokens, "34.4B tokens"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCell(b *testing.B) {
	r, err := ParseHeader("loss").Reader(Number)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Parse("2.34567"); err != nil {
			b.Fatal(err)
		}
	}
}
