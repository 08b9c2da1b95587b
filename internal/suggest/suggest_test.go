package suggest

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{
		"TPU v3", "A100 SXM 40GB", "H100 SXM", "encoder-length", "decoder-length",
		"GB", "GiB",
	}
	cases := []struct{ word, want string }{
		{"tpu v3", "TPU v3"},
		{"TPU 3v", "TPU v3"}, // one swap
		{"h100 smx", "H100 SXM"},
		{"encodr-length", "encoder-length"},
		{"h10", "H100 SXM"}, // a beginning of three letters or more
		{"Gb", "GB"},
		{"gib", "GiB"},
		{"x", ""},
		{"", ""},
		{"radeon", ""},
		{strings.Repeat("a", 1000), ""},
	}
	for _, c := range cases {
		if got := Nearest(c.word, names); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.word, got, c.want)
		}
	}
}

func TestDistanceByHand(t *testing.T) {
	cases := []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"a", "b", 1}}
	for _, c := range cases {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
