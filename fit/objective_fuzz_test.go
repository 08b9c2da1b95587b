package fit

import (
	"errors"
	"testing"
)

// FuzzParseObjective: an objective that is read writes the name of itself.
func FuzzParseObjective(f *testing.F) {
	for _, text := range []string{"log-huber:1e-3", "huber:0.5", "lad", "quantile:0.9", "asymmetric:1", "squared:", "huber:NaN"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseObjective(text)
		if err != nil {
			return
		}
		again, err := ParseObjective(o.String())
		if err != nil || again != o {
			t.Errorf("%q is %v, which reads as %v, error %v", text, o, again, err)
		}
	})
}

// FuzzLookup: a law is found by its own name, and nothing else is.
func FuzzLookup(f *testing.F) {
	f.Add("chinchilla")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		law, err := Lookup(text)
		var unknown *UnknownNameError
		if err == nil && law.Name != text || err != nil && !errors.As(err, &unknown) {
			t.Errorf("%q is %q, error %v", text, law.Name, err)
		}
	})
}
