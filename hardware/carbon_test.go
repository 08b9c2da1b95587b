package hardware

import (
	"errors"
	"strings"
	"testing"
)

func TestFindRegion(t *testing.T) {
	for name, want := range map[string]string{
		"us-central1": "us-central1", "US-Central1": "us-central1",
		"us-east1": "us-east1", "us-east-1": "us-east-1", // Google's and Amazon's
		"East US 2": "East US 2", "eastus2": "East US 2", "east-us-2": "East US 2",
		"France": "FRA", "fr": "FRA", "FRA": "FRA", "uk": "GBR", "SE3": "SE3",
		"Eemshaven": "europe-west4", "Singapore": "SGP", "world": "WORLD",
	} {
		if r, err := findRegion(name); err != nil || r.Key != want {
			t.Errorf("FindRegion(%q) = %q, %v; want %q", name, r.Key, err, want)
		}
	}
	for name, mention := range map[string]string{
		"": "unknown region", "us-central9": "did you mean us-central1?",
		"Frnce":    "did you mean France?",
		"Virginia": "several places", "coal": "unknown region", "zz": "unknown region",
	} {
		_, err := findRegion(name)
		var wrong *RegionError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), mention) {
			t.Errorf("FindRegion(%q): %v, want a mention of %q", name, err, mention)
		}
	}
}

// Values from the pages that the rows name.
func TestRegionRates(t *testing.T) {
	v3, err := Find("tpu-v3")
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		region               string
		kgPerKWh             float64
		pue, pueLow, pueHigh float64
	}{
		{"us-central1", 0.41272, 1.09, 1.07, 1.11}, // two campuses at Council Bluffs
		{"europe-west4", 0.20881, 1.08, 1.08, 1.08},
		{"us-east-1", 0.415755, 1.15, 1.15, 1.15}, // Amazon publishes one average
		{"Central US", 0.47223, 1.16, 1.16, 1.16},
		{"UK South", 0.228, 1.16, 1.16, 1.16}, // no campus listed: Microsoft's average
		{"FRA", 0.0, 1.56, 1.05, 1.59},        // a country has no operator: the industry
		{"", 0.475, 1.56, 1.05, 1.59},
	}
	const rounding = 1e-9
	for _, c := range cases {
		rates, err := ResolveRates(v3, StatedRates{Region: c.region})
		if err != nil {
			t.Fatal(err)
		}
		if got := rates.GridIntensity.Interval.Value; c.kgPerKWh > 0 && !near(got, c.kgPerKWh, rounding) {
			t.Errorf("%q: %g kg/kWh, want %g", c.region, got, c.kgPerKWh)
		}
		if i := rates.PUE.Interval; !near(i.Value, c.pue, rounding) || !near(i.Low, c.pueLow, rounding) || !near(i.High, c.pueHigh, rounding) {
			t.Errorf("%q: PUE %+v, want %g (%g to %g)", c.region, *i, c.pue, c.pueLow, c.pueHigh)
		}
		for _, input := range []Input{rates.GridIntensity, rates.PUE} {
			if input.Source == "" || input.Evidence == "" || input.Note == "" {
				t.Errorf("%q: %+v", c.region, input)
			}
			if i := input.Interval; i.Low > i.Value || i.High < i.Value {
				t.Errorf("%q: %s %+v", c.region, input.Name, *i)
			}
		}
	}
	world, err := ResolveRates(v3, StatedRates{})
	if err != nil {
		t.Fatal(err)
	}
	if i := world.GridIntensity.Interval; i.Low > 0.15 || i.High < 0.6 {
		t.Errorf("the world's countries differ more than %+v", *i)
	}
}

func near(got, want, tolerance float64) bool {
	return got >= want-tolerance &&
		got <= want+tolerance
}

func TestEveryRegionHasRates(t *testing.T) {
	for _, r := range Regions() {
		if found, err := findRegion(r.Key); err != nil || found.Key != r.Key {
			t.Errorf("%s: %q, %v", r.Key, found.Key, err)
		}
		if pue := r.pue(); pue.Interval == nil || pue.Interval.Value < 1 {
			t.Errorf("%s: PUE %+v", r.Key, pue)
		}
	}
}
