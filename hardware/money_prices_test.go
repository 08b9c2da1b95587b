package hardware

import (
	"fmt"
	"strings"
	"testing"
)

// A price list is read by the names of its columns, in any order; every fault is told with its line.
func TestReadPrices(t *testing.T) {
	list := "date,GPU,USD per device hour,kind,region\n" +
		"2026-11-02,H100,$2.50,Spot,us-east-1\n" +
		",a100-80gb,1.1,,\n"
	got, err := ReadPrices("p.csv", strings.NewReader(list))
	want := []Quoted{
		{"H100 SXM 80GB", "us-east-1", "spot", 2.5, "2026-11-02"},
		{"A100 SXM 80GB", "", "on-demand", 1.1, ""},
	}
	if err != nil || len(got) != len(want) || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v, %v", got, err)
	}
	european, err := ReadPrices("p.csv", strings.NewReader("gpu;price\nh100;2,50\n"))
	if err != nil || european[0].USDPerHour != 2.5 {
		t.Errorf("%+v, %v", european, err)
	}
	p := found(t, "h100")
	at := got[0].At(p, "p.csv")
	if f := at.PriceUSDPerHour; f.Value != 2.5 || f.Note != "spot, us-east-1, 2026-11-02" || f.Origin != File {
		t.Errorf("%+v", f)
	}
	if p.PriceUSDPerHour.Value == 2.5 {
		t.Error("the profile was changed")
	}
	for text, told := range map[string]string{
		"":                                          "is empty",
		"accelerator,region\nh100,x\n":              "no column usd_per_device_hour",
		"price,kind\n1,spot\n":                      "no column accelerator",
		"gpu,price\n":                               "no prices",
		"gpu,price\nh100,-1\n":                      "p.csv:2",
		"gpu,price\nh100,free\n":                    "p.csv:2",
		"gpu,price\nh100,1e400\n":                   "p.csv:2",
		"gpu,price,date\nh100,1,yesterday\n":        `not a date: "yesterday"`,
		"gpu,price,kind\nh100,1,barter\n":           `unknown kind: "barter"; allowed: on-demand, reserved, spot`,
		"gpu,price\nh1000,1\nh100,1\nx99,2\n":       "p.csv:4",
		"gpu,price\n\"h100,1\n":                     "p.csv:2",
		"gpu,price\n" + strings.Repeat("x,1\n", 50): "p.csv:21",
	} {
		if _, err := ReadPrices("p.csv", strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), told) {
			t.Errorf("%q: %v, want %q", text, err, told)
		}
	}
}

func FuzzReadPrices(f *testing.F) {
	f.Add("accelerator,region,kind,usd_per_device_hour,date\nh100,us-east-1,spot,2.50,2026-11-02\n")
	f.Add("gpu,price\na100,1\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := ReadPrices("p.csv", strings.NewReader(text))
		for _, q := range list {
			if !(q.USDPerHour >= 0) || q.Accelerator == "" || q.Terms == "" || err != nil {
				t.Errorf("%+v, %v", q, err)
			}
		}
	})
}

// Counts by hand from the facts: servers of 8 H100 with parts of 1, 2 and 4; slices of v5e, and two of
// the largest; each number of servers up to 8, then four for every doubling.
func TestCountsByHand(t *testing.T) {
	for name, want := range map[string]string{
		"h100":    "1 2 4 8 16 24 32 40 48 56 64 80 96 112 128",
		"h200":    "8 16 24 32 40 48 56 64 80 96 112 128",
		"tpu-v5e": "1 4 8 16 32 64 128",
		"rtx4090": "1 2 4 8 16 24 32 40 48 56 64 80 96 112 128",
	} {
		p := found(t, name)
		if got := strings.Trim(fmt.Sprint(p.Counts(128)), "[]"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	p := found(t, "tpu-v5e")
	if got := p.Counts(600); got[len(got)-1] != 512 {
		t.Errorf("v5e up to 600: %v, two slices of 256 are to be had", got)
	}
}
