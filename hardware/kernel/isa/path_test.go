package isa

import (
	"errors"
	"testing"
)

func TestChooseByName(t *testing.T) {
	for _, want := range Supported() {
		got, err := Choose(want.String())
		if err != nil || got != want {
			t.Errorf("Choose(%q) = %v, %v", want, got, err)
		}
	}
	if got, err := Choose(""); err != nil || got != Best() {
		t.Errorf("Choose(\"\") = %v, %v; want the best path, %v", got, err, Best())
	}
}

func TestChooseRefuses(t *testing.T) {
	cases := []string{"AVX2", "neon", " "}
	for p := Best() + 1; p <= AVX512; p++ {
		cases = append(cases, p.String())
	}
	for _, override := range cases {
		_, err := Choose(override)
		var refused *OverrideError
		if !errors.As(err, &refused) {
			t.Errorf("Choose(%q): error %v, want an *OverrideError", override, err)
			continue
		}
		if refused.Override != override || refused.Best != Best() {
			t.Errorf("Choose(%q): %+v", override, refused)
		}
	}
}

func TestErrorSaysWhatIsAllowed(t *testing.T) {
	cases := []struct {
		err  OverrideError
		want string
	}{
		{OverrideError{Override: "neon"}, `unknown instruction path "neon"; allowed: generic, avx2, avx512`},
		{
			OverrideError{Override: "avx512", Best: AVX2, Known: true},
			`instruction path "avx512" cannot run here: the best of this machine and build is avx2`,
		},
	}
	for _, c := range cases {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %s\nwant %s", got, c.want)
		}
	}
	if got := Path(7).String(); got != "Path(7)" {
		t.Errorf("Path(7) prints as %q", got)
	}
}
