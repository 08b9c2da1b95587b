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
	cases := []struct {
		word, want string
		ok         bool
	}{
		{"tpu v3", "TPU v3", true},
		{"TPU 3v", "TPU v3", true}, // one swap
		{"h100 smx", "H100 SXM", true},
		{"encodr-length", "encoder-length", true},
		{"h10", "H100 SXM", true}, // a beginning of three letters or more
		{"Gb", "GB", true},
		{"gib", "GiB", true},
		{"x", "", false},
		{"", "", false},
		{"radeon", "", false},
		{strings.Repeat("a", 1000), "", false},
	}
	for _, c := range cases {
		got, ok := Nearest(c.word, names)
		if got != c.want || ok != c.ok {
			t.Errorf("Nearest(%q) = %q, %v; want %q, %v", c.word, got, ok, c.want, c.ok)
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
