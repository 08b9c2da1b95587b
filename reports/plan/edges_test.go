package plan

import (
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// taking is an offer that takes so long and costs so much, exactly.
func taking(seconds, usd float64) *Offer {
	var o Offer
	o.Schedule.Occupancy.WallSeconds, o.Schedule.Bill.CostUSD = hardware.Exactly(seconds), hardware.Exactly(usd)
	return &o
}

// A limit that is met exactly is kept. The least of each limit that is stated is told, of those that fit.
func TestReasons(t *testing.T) {
	both := Limits{Devices: 8, WallSeconds: 10, USD: 100, Sure: 0.9}
	for name, c := range map[string]struct {
		limits Limits
		offers []*Offer
		kept   int
		why    string
	}{
		"at both limits":  {both, []*Offer{taking(10, 100)}, 1, "costs $100.00 or more on the counts that take 10 s or less"},
		"too long":        {both, []*Offer{taking(30, 10), taking(20, 10)}, 0, "takes 20 s or more on up to 8 devices"},
		"too much":        {both, []*Offer{taking(5, 300), taking(5, 400)}, 0, "costs $300.00 or more on up to 8 devices"},
		"one limit each":  {both, []*Offer{taking(5, 300), taking(20, 50)}, 0, "costs $300.00 or more on the counts that take 10 s or less"},
		"no limit":        {Limits{Devices: 8, Sure: 0.9}, []*Offer{taking(1e9, 1e9)}, 1, "no count keeps to both limits"},
		"a deadline only": {Limits{Devices: 8, WallSeconds: 10, Sure: 0.9}, []*Offer{taking(11, 1)}, 0, "takes 11 s or more on up to 8 devices"},
		"nothing planned": {both, nil, 0, "cannot be laid out on up to 8 devices"},
		"no time": {both, []*Offer{func() *Offer {
			o := taking(1, 1)
			o.Schedule.Occupancy.WallSeconds = hardware.Estimate{Missing: "no length"}
			return o
		}()}, 0, "no length"},
	} {
		r, kept := &reasons{limits: c.limits}, 0
		for _, o := range c.offers {
			if r.keeps(o, nil) {
				kept++
			}
		}
		if kept != c.kept || r.why() != c.why {
			t.Errorf("%s: %d kept, %q; want %d, %q", name, kept, r.why(), c.kept, c.why)
		}
	}
	// What does not fit is told by the least that it needs.
	r, no := &reasons{limits: both}, false
	for _, need := range []float64{300e9, 200e9, 250e9} {
		o := taking(1, 1)
		o.Fits, o.Memory.PeakBytes = &no, need
		if r.keeps(o, nil) {
			t.Error("an offer that does not fit is kept")
		}
	}
	if r.need != 200e9 || !strings.HasPrefix(r.why(), "fits on no count of up to 8 devices: 186 GiB a device of") {
		t.Errorf("needs %g: %s", r.need, r.why())
	}
	if r.keeps(taking(1, 1), &hardware.MissingError{Profile: "x", Field: "bandwidth"}) || r.missing != "its bandwidth is unknown" {
		t.Errorf("a profile without bandwidth: %q", r.missing)
	}
}

// The fewest devices serve traffic that is stated, else the fewest device-seconds of a request: 2 · 6/4
// = 3 against 1 · 2/1 = 2. The shorter answer decides a tie.
func TestBeats(t *testing.T) {
	way := func(perSecond float64, tp, copies, batch int, seconds float64) *Served {
		return &Served{
			Serving: Serving{PerSecond: perSecond, TP: tp, Batch: batch}, Copies: copies,
			Decoding: &hardware.Decoding{TotalSeconds: quantity.Interval{Value: seconds}},
		}
	}
	if got := way(0, 2, 1, 4, 6).deviceSeconds(); got != 3 {
		t.Errorf("%g device-seconds, want 3", got)
	}
	for name, c := range map[string]struct {
		better, worse *Served
	}{
		"fewer device-seconds": {way(0, 1, 1, 1, 2), way(0, 2, 1, 4, 6)},
		"fewer devices":        {way(5, 2, 2, 1, 9), way(5, 1, 5, 8, 1)},
		"a shorter answer":     {way(5, 1, 4, 8, 2), way(5, 2, 2, 8, 3)},
	} {
		if !c.better.beats(c.worse) || c.worse.beats(c.better) || c.better.beats(c.better) {
			t.Errorf("%s does not win", name)
		}
	}
}

// Copies by hand: 10 requests a second, each 3 s at the probability asked, 4 at once: ⌈7.5⌉ = 8 on 2
// devices each, busy 10 · 2/4/8 of the time at the usual 2 s. A device-hour is $3.60, $0.001 a second: a
// request takes 16 device-seconds/10 = $0.0016, a quarter of it in the input (0.1 + 0.4 of 2 s).
func TestServedBill(t *testing.T) {
	s := Served{
		Serving: Serving{PerSecond: 10, TP: 2, Batch: 4, Prompt: 100, Generate: 50, Tokens: 1500},
		Decoding: &hardware.Decoding{
			TotalSeconds:   quantity.Interval{Value: 2, Low: 1, High: 4},
			EncoderSeconds: quantity.Interval{Value: 0.1}, PrefillSeconds: quantity.Interval{Value: 0.4},
		},
	}
	price := hardware.Input{Estimate: hardware.Exactly(3.6)}
	s.bill(3, price)
	for name, c := range map[string]struct{ got, want float64 }{
		"copies": {float64(s.Copies), 8}, "load": {s.Load, 10 * 2.0 / 4 / 8}, "requests": {s.Requests.Interval.Value, 2},
		"at least": {s.Requests.Interval.Low, 1}, "at most": {s.Requests.Interval.High, 4},
		"in":  {s.PerMillionIn.Interval.Value, 0.0016 / 4 / 100 * 1e6},
		"out": {s.PerMillionOut.Interval.Value, 0.0016 * 3 / 4 / 50 * 1e6},
		// the life's ten requests take 2/4 · 2 device-seconds each
		"life": {s.Life.Interval.Value, 10 * 1 * 0.001}, "month": {s.PerMonth.Interval.Value, 16 * 0.001 * 365.25 * 86400 / 12},
	} {
		const rounding = 1e-12
		if d := c.got/c.want - 1; !(d < rounding && d > -rounding) {
			t.Errorf("%s: %g, want %g", name, c.got, c.want)
		}
	}
}

// The edges of what may be typed: 1 to 2^20 devices, a price of nothing, lengths from 1.
func TestEdges(t *testing.T) {
	for text, ok := range map[string]bool{
		"1xh100": true, "0xh100": false, "1048576xh100": true, "1048577xh100": false,
	} {
		if got, err := ParseClusters(nil, text); (err == nil) != ok {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	s, err := shapes.Parse("t5-base")
	if err != nil {
		t.Fatal(err)
	}
	for text, ok := range map[string]bool{
		"price=0": true, "batch=1": true, "batch=2147483647": true, "batch=2147483648": false, "tokens=0": false, "tokens=1": true,
		"tokens=1e36": true, "tokens=1.1e36": false, "price=1e36": true,
	} {
		changes, err := ParseWhatIf(text)
		if err == nil {
			_, err = changes[0].Of(Question{Shape: s}, nil)
		}
		if (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	many := make([]WhatIf, 1000)
	if all, err := Combinations([][]WhatIf{many}); err != nil || len(all) != 1000 {
		t.Errorf("a thousand: %d, %v", len(all), err)
	}
	if _, err := Combinations([][]WhatIf{many, make([]WhatIf, 2)}); err == nil {
		t.Error("two thousand are combined")
	}
}

// Prices of a list count where accelerator and region agree, or one of the two regions is open.
func TestQuoteRegions(t *testing.T) {
	p, err := hardware.Parse("h100")
	if err != nil {
		t.Fatal(err)
	}
	line := hardware.Quoted{Accelerator: p.Device, Region: "us-central1", USDPerHour: 2}
	for _, c := range []struct {
		at     string
		device string
		quoted bool
	}{{"us-central1", p.Device, true}, {"", p.Device, true}, {"europe-west4", p.Device, false}, {"us-central1", "other", false}} {
		line.Accelerator = c.device
		got := Quote([]Cluster{{Profile: p, Region: c.at}}, []hardware.Quoted{line}, "list.csv")
		if len(got) != 1 || (got[0].Profile.PriceUSDPerHour != p.PriceUSDPerHour) != c.quoted || c.quoted && got[0].Region != "us-central1" {
			t.Errorf("in %q on %s: %+v", c.at, c.device, got[0].Region)
		}
	}
}

// A batch of tokens taken for sequences is told beyond ten times the largest published.
func TestHugeBatch(t *testing.T) {
	var r Resolved
	r.Run.Workload = flops.Workload{Batch: 1e6, EncoderLength: 500, DecoderLength: 100}
	if w := r.Warnings(); len(w) != 0 {
		t.Errorf("6e8 positions: %v", w)
	}
	r.Run.Workload.Batch++
	if w := r.Warnings(); len(w) != 1 || !strings.Contains(w[0], "a batch of 1000001 is 600M tokens a step") {
		t.Errorf("beyond: %v", w)
	}
}
