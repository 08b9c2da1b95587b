package plan_test

import (
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/reports/plan"
)

func TestParseClusters(t *testing.T) {
	got, err := plan.ParseClusters(nil, "8xh100, 64 x A100-80GB,price=1.20",
		"256×tpu-v5e,region=us-central1,RTX 4090")
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		devices               int
		name, region, spelled string
	}{
		{8, "H100 SXM 80GB", "", "8xh100"},
		{64, "A100 SXM 80GB", "", "64xA100-80GB,price=1.20"},
		{256, "TPU v5e", "us-central1", "256xtpu-v5e,region=us-central1"},
		{0, "RTX 4090", "", "RTX 4090"},
	}
	if len(got) != len(want) {
		t.Fatalf("%d clusters, want %d", len(got), len(want))
	}
	for i, w := range want {
		c := &got[i]
		if c.Devices != w.devices || c.Profile.Name != w.name || c.Region != w.region || c.String() != w.spelled {
			t.Errorf("%d: %d × %s in %q as %q, want %+v", i, c.Devices, c.Profile.Name, c.Region, c, w)
		}
		again, err := plan.ParseClusters(nil, c.String())
		if err != nil || len(again) != 1 || again[0].String() != c.String() {
			t.Errorf("%s read again is %v, %v", c, again, err)
		}
	}
	if p := got[1].Profile.PriceUSDPerHour.Value; p != 1.2 {
		t.Errorf("price %v, want the 1.20 typed", p)
	}
	for text, told := range map[string]string{
		"":                               "not a cluster",
		"8x":                             "not a cluster",
		"0xh100":                         "out of range: 0",
		"99999999999999999999xh100":      "out of range",
		"8xh100,,h200":                   "not a cluster",
		"8xh1000":                        "unknown hardware",
		"8xh100,prise=2":                 "prise",
		"8xh100,region=a,region=b":       "given twice",
		"8xh100,region=":                 "region: empty",
		"8xnothing,4xnowhere,price=1.20": "nowhere",
	} {
		if _, err := plan.ParseClusters(nil, text); err == nil || !strings.Contains(err.Error(), told) {
			t.Errorf("%q: %v, want %q", text, err, told)
		}
	}
}
