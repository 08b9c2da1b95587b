package hardware

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// TestPlanByHand: 16 devices at 2 USD an hour, a step of 0.5 s and 1,000 tokens, goodput 0.8. 7,200
// steps take 3,600 s of steps and 4,500 s of wall clock, so 16 · 1.25 h = 20 device-hours and 40
// USD. The three other questions ask for the same run from its tokens, its clock and its bill.
func TestPlanByHand(t *testing.T) {
	rates := Rates{
		Price: Given("price", 2), MeanPower: Given("mean power", 200),
		PUE: Given("PUE", 1.5), GridIntensity: Given("grid intensity", 0.4),
	}
	for name, length := range map[string]Length{
		"steps":  {Steps: 7200},
		"tokens": {Tokens: 7.2e6},
		"clock":  {WallSeconds: 4500},
		"bill":   {MaxUSD: 40},
	} {
		s := Plan(16, Exactly(0.5), 1000, length, Given("goodput", 0.8), rates)
		for _, c := range []struct {
			what      string
			got       Estimate
			want, tol float64
		}{
			{"steps", s.Steps, 7200, 1e-9},
			{"tokens", s.Tokens, 7.2e6, 1e-9},
			{"wall seconds", s.Occupancy.WallSeconds, 4500, 1e-9},
			{"USD", s.Bill.CostUSD, 40, 1e-9},
			{"kWh", s.Bill.EnergyKWh, 20 * 0.2 * 1.5, 1e-9},
			{"kg", s.Bill.CO2Kg, 6 * 0.4, 1e-9},
		} {
			if c.got.Interval == nil {
				t.Errorf("from %s: no %s: %s", name, c.what, c.got.Missing)
			} else if !approx.Relative(c.got.Interval.Value, c.want, c.tol) {
				t.Errorf("from %s: %s = %g, by hand %g", name, c.what, c.got.Interval.Value, c.want)
			}
		}
	}
}

// TestPlanWithoutStepTime: a run of a given number of days has a bill even where nobody can say how many
// steps it makes.
func TestPlanWithoutStepTime(t *testing.T) {
	rates := Rates{
		Price: missingInput("price", "no price"), MeanPower: Given("mean power", 200),
		PUE: Given("PUE", 1.5), GridIntensity: Given("grid intensity", 0.4),
	}
	s := Plan(16, Estimate{Missing: "no peak"}, 1000, Length{WallSeconds: 4500},
		Given("goodput", 0.8), rates)
	if s.Steps.Interval != nil || s.Steps.Missing != "no peak" {
		t.Errorf("steps = %+v", s.Steps)
	}
	if s.Bill.EnergyKWh.Interval == nil || s.Bill.CostUSD.Missing != "no price" {
		t.Errorf("bill = %+v", s.Bill)
	}
}
