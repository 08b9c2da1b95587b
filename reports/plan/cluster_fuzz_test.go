package plan

import "testing"

// FuzzParseClusters: a cluster that is read has a profile and a count that is none or positive.
func FuzzParseClusters(f *testing.F) {
	for _, text := range []string{
		"8xh100", "64xa100,price=1.20", "256xtpu-v5e,region=us-central1,h100", "0xh100", ",", "8x", "h100,region=",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseClusters(nil, text)
		if err != nil {
			return
		}
		for _, c := range all {
			if c.Devices < 0 || c.Profile.Name == "" {
				t.Errorf("%q: %+v", text, c)
			}
		}
	})
}
