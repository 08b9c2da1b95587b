package hardware

import (
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// footprintTolerance: the published inputs (days, watts) carry two to three digits, so that
// published energies and masses can only be met to a few per cent.
const footprintTolerance = 0.05

// The five training runs of Patterson et al. 2021 (arXiv:2104.10350) from their devices, days,
// watts, PUE and grid.
func TestPublishedFootprints(t *testing.T) {
	for _, f := range data.Footprints() {
		profile, err := Find(f.Accelerator)
		if err != nil {
			t.Fatal(err)
		}
		rates, err := ResolveRates(profile, StatedRates{
			MeanPowerWatts: &f.MeanPower, PUE: &f.PUE,
			KgCO2ePerKWh: &f.GridIntensity,
		})
		if err != nil {
			t.Fatal(err)
		}
		bill := rates.bill(Occupancy{Devices: f.Devices, WallSeconds: Exactly(f.DurationSeconds)})
		energy, co2 := bill.EnergyKWh.Interval, bill.CO2Kg.Interval
		if energy == nil || !approx.Relative(energy.Value, f.Energy, footprintTolerance) {
			t.Errorf("%s: %+v kWh, published %g", f.Model, energy, f.Energy)
		}
		if co2 == nil || !approx.Relative(co2.Value, f.Emissions, footprintTolerance) {
			t.Errorf("%s: %+v kg, published %g", f.Model, co2, f.Emissions)
		}
		t.Logf("%s: %.1f MWh (published %.1f, %+.1f %%), %.1f t (published %.1f, %+.1f %%)",
			f.Model,
			energy.Value/1e3, f.Energy/1e3, 100*(energy.Value/f.Energy-1), co2.Value/1e3,
			f.Emissions/1e3, 100*(co2.Value/f.Emissions-1))
		if energy.Low != energy.High && !approx.Relative(energy.High, energy.Low, 1e-12) {
			t.Errorf("%s: exact inputs gave the interval %+v", f.Model, energy)
		}
	}
}

// 16 devices for 10 hours of steps at goodput 0.8 are 200 device-hours; at $2 that is $400.
func TestCostByHand(t *testing.T) {
	o := occupy(16, Exactly(10*3600), Given("goodput", 0.8))
	if got := o.deviceHours().Interval.Value; !approx.Close(got, 200, 1e-9) {
		t.Errorf("%g device-hours, want 200", got)
	}
	price := Given("price", 2)
	if got := cost(o, price).Interval.Value; !approx.Close(got, 400, 1e-9) {
		t.Errorf("$%g, want 400", got)
	}
	// And back: $400 pay for 10 hours of steps.
	if got := affordableStepSeconds(400, 16, price, Given("goodput", 0.8)).Interval.Value; !approx.Close(
		got, 36000, 1e-6) {
		t.Errorf("%g s, want 36000", got)
	}
	if got := stepSecondsUntil(45000, Given("goodput", 0.8)).Interval.Value; !approx.Close(
		got, 36000, 1e-6) {
		t.Errorf("%g s, want 36000", got)
	}
}

func TestFreeDevicesAndNoSteps(t *testing.T) {
	o := occupy(1, Exactly(0), DefaultGoodput())
	if got := cost(o, Given("price", 2)); got.Interval == nil || *got.Interval != (quantity.Interval{}) {
		t.Errorf("a run of no steps costs %+v", got)
	}
	if got := affordableStepSeconds(10, 1, Given("price", 0), DefaultGoodput()); got.Interval != nil || got.Missing == "" {
		t.Errorf("a price of 0 limits nothing: %+v", got)
	}
}

func TestMissingInputsAreToldNotGuessed(t *testing.T) {
	cpu, err := Find("cpu")
	if err != nil {
		t.Fatal(err)
	}
	rates, err := ResolveRates(cpu, StatedRates{})
	if err != nil {
		t.Fatal(err)
	}
	bill := rates.bill(Occupancy{Devices: 1, WallSeconds: Exactly(3600)})
	if bill.CostUSD.Interval != nil || !strings.Contains(bill.CostUSD.Missing, "--price") {
		t.Errorf("cost %+v", bill.CostUSD)
	}
	if bill.EnergyKWh.Interval == nil {
		t.Errorf("energy %+v", bill.EnergyKWh)
	}
	v5e, err := Find("tpu-v5e") // no power published
	if err != nil {
		t.Fatal(err)
	}
	rates, err = ResolveRates(v5e, StatedRates{Region: "us-central1"})
	if err != nil {
		t.Fatal(err)
	}
	bill = rates.bill(Occupancy{Devices: 4, WallSeconds: Exactly(3600)})
	if bill.EnergyKWh.Interval != nil || bill.CO2Kg.Interval != nil ||
		!strings.Contains(bill.CO2Kg.Missing, "--watts") || bill.CostUSD.Interval.Value != 4*1.2 {
		t.Errorf("%+v", bill)
	}
	if got := cost(Occupancy{Devices: 1, WallSeconds: Estimate{Missing: "no step time"}}, rates.Price); got.Missing != "no step time" {
		t.Errorf("%+v", got)
	}
}

func TestDefaults(t *testing.T) {
	// Llama 3's "more than 90 %" between the two values Google reports.
	if g := DefaultGoodput(); *g.Interval != (quantity.Interval{Value: 0.9, Low: 0.85, High: 0.97}) || g.Source == "" {
		t.Errorf("%+v", g)
	}
	v3, err := Find("tpu-v3")
	if err != nil {
		t.Fatal(err)
	}
	// The interval around the chip's mean of 220 W must hold the T5 run's 310 W, which has its host
	// in it.
	if p := v3.meanPower(nil); p.Interval.Value != 220 || p.Interval.High < 310-1e-9 {
		t.Errorf("%+v", p.Interval)
	}
	v100, err := Find("v100")
	if err != nil {
		t.Fatal(err)
	}
	if p := v100.meanPower(nil); p.Interval.High < 342-1e-9 || !strings.Contains(p.Note, "limit") {
		t.Errorf("%+v", p)
	}
	low := 0.9
	if _, err := ResolveRates(v3, StatedRates{PUE: &low}); err == nil {
		t.Error("a PUE below 1 was accepted")
	}
	var unknown *RegionError
	if _, err := ResolveRates(v3, StatedRates{Region: "atlantis"}); !errors.As(err, &unknown) {
		t.Errorf("%v", err)
	}
}

// Bounds enclose the value, grow with every uncertain factor, and scale with devices and hours.
func TestProductProperties(t *testing.T) {
	factor := rapid.Custom(func(t *rapid.T) Estimate {
		v := math.Exp(rapid.Float64Range(-20, 20).Draw(t, "log value"))
		down, up := rapid.Float64Range(0, 1).Draw(t, "down"), rapid.Float64Range(0, 1).Draw(t, "up")
		return Estimate{Interval: &quantity.Interval{
			Value: v, Low: v * math.Exp(-down),
			High: v * math.Exp(up),
		}}
	})
	const rounding = 1e-12
	rapid.Check(t, func(t *rapid.T) {
		a, b := factor.Draw(t, "a"), factor.Draw(t, "b")
		p := product(a, b).Interval
		if !(p.Low <= p.Value*(1+rounding) && p.Value <= p.High*(1+rounding)) {
			t.Fatalf("%+v", p)
		}
		if width, wa := math.Log(p.High/p.Low), math.Log(a.Interval.High/a.Interval.Low); width < wa/math.Sqrt2-rounding {
			t.Fatalf("width %g of the product below that of a factor, %g", width, wa)
		}
		back := product(product(a, b), reciprocal(Exactly(b.Interval.Value))).Interval
		if !approx.Relative(back.Value, a.Interval.Value, rounding) {
			t.Fatalf("%g, want %g", back.Value, a.Interval.Value)
		}
	})
}
