package hardware

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

func between(value, low, high float64) Estimate {
	return Estimate{Interval: &quantity.Interval{Value: value, Low: low, High: high}}
}

func expectInterval(t *testing.T, what string, got Estimate, value, low, high float64) {
	t.Helper()
	if got.Interval == nil {
		t.Errorf("%s: absent: %s", what, got.Missing)
		return
	}
	expect(t, what+", value", got.Interval.Value, value)
	expect(t, what+", low", got.Interval.Low, low)
	expect(t, what+", high", got.Interval.High, high)
}

// 2 (1 to 4) times 3 (3/e to 3·e²): the logarithms of the bounds are ln 2 and ln 2 off, 1 and 2 off,
// and add in quadrature on each side.
func TestProductByHand(t *testing.T) {
	got := product(between(2, 1, 4), between(3, 3/math.E, 3*math.E*math.E))
	expectInterval(t, "product", got, 6, 6*math.Exp(-math.Hypot(math.Ln2, 1)),
		6*math.Exp(math.Hypot(math.Ln2, 2)))
	expectInterval(t, "reciprocal", reciprocal(between(2, 1, 8)), 0.5, 0.125, 1)
	expectInterval(t, "exact", Exactly(7), 7, 7, 7)
}

// A run of 7,200 steps of 0.5 (0.25 to 2) s on 16 devices at a goodput of 0.8 and 2 USD: an hour and
// a quarter of wall clock, half of that at the low bound and four times at the high one, and as much
// of hours, money, energy and CO2, whose rates are exact.
func TestBillBoundsByHand(t *testing.T) {
	rates := Rates{
		Price: Given("price", 2), MeanPower: Given("mean power", 500),
		PUE: Given("PUE", 1.2), GridIntensity: Given("grid intensity", 0.5),
	}
	step := between(0.5, 0.25, 2)
	s := Plan(16, step, 1000, Length{Steps: 7200}, Given("goodput", 0.8), rates)
	for name, c := range map[string]struct {
		got   Estimate
		value float64
	}{
		"wall":  {s.Occupancy.WallSeconds, 4500},
		"hours": {s.Bill.DeviceHours, 20},
		"cost":  {s.Bill.CostUSD, 40},
		"kWh":   {s.Bill.EnergyKWh, 20 * 0.5 * 1.2},
		"CO2":   {s.Bill.CO2Kg, 20 * 0.5 * 1.2 * 0.5},
	} {
		expectInterval(t, name, c.got, c.value, c.value/2, 4*c.value)
	}
	expectInterval(t, "steps", s.Steps, 7200, 7200, 7200)
	expectInterval(t, "tokens", s.Tokens, 7.2e6, 7.2e6, 7.2e6)

	// Asked from the clock, or from the bill, the uncertain step makes the steps uncertain: slow
	// steps are few.
	for name, length := range map[string]Length{
		"clock": {WallSeconds: 4500}, "bill": {MaxUSD: 40},
	} {
		s := Plan(16, step, 1000, length, Given("goodput", 0.8), rates)
		expectInterval(t, "steps from the "+name, s.Steps, 7200, 1800, 14400)
		expectInterval(t, "tokens from the "+name, s.Tokens, 7.2e6, 1.8e6, 14.4e6)
		expectInterval(t, "wall from the "+name, s.Occupancy.WallSeconds, 4500, 4500, 4500)
		expectInterval(t, "cost from the "+name, s.Bill.CostUSD, 40, 40, 40)
	}

	// The goodput's own interval widens both sides: at 0.4 the run takes twice as long.
	wide := occupy(16, step, Input{Estimate: between(0.8, 0.4, 1)})
	expectInterval(t, "wall", wide.WallSeconds, 0.625,
		0.625*math.Exp(-math.Hypot(math.Ln2, math.Log(1.25))),
		0.625*math.Exp(math.Hypot(math.Log(4), math.Ln2)))
}

// A limit of 700 W: half of it where the device waits, 342/300 of it with its host. A mean of 220 W:
// a tenth less, 310 with its host. What the user states is exact.
func TestMeanPowerByHand(t *testing.T) {
	h100, v3 := found(t, "h100"), found(t, "tpu-v3")
	expectInterval(t, "limit", h100.meanPower(nil).Estimate, 700, 350, 798)
	expectInterval(t, "mean", v3.meanPower(nil).Estimate, 220, 198, 310)
	watts := 512.0
	expectInterval(t, "given", h100.meanPower(&watts).Estimate, 512, 512, 512)
	own, err := Override(h100, "watts=600")
	if err != nil {
		t.Fatal(err)
	}
	expectInterval(t, "flag", own.meanPower(nil).Estimate, 600, 600, 600)
	// With an uncertain power the energy is as uncertain, and the cost is not.
	rates := Rates{
		Price: Given("price", 1), MeanPower: h100.meanPower(nil), PUE: Given("PUE", 1),
		GridIntensity: Given("grid intensity", 1),
	}
	bill := rates.bill(Occupancy{Devices: 2, WallSeconds: Exactly(3600)})
	expectInterval(t, "kWh", bill.EnergyKWh, 1.4, 0.7, 1.4*342/300)
	expectInterval(t, "kg", bill.CO2Kg, 1.4, 0.7, 1.4*342/300)
	expectInterval(t, "USD", bill.CostUSD, 2, 2, 2)
}

// The interval of a time: sd² = residual² + Σ slope²·sd², and the half-width is the 0.9 quantile of
// the normal distribution, 1.28155. A time that is all software has slope 1 in that constant and 0
// in the others.
func TestIntervalByHand(t *testing.T) {
	const quantile = 1.2815515655446004 // tables of the normal distribution
	r := Run{
		Profile: found(t, "a100"), Shape: t5(512, 2048, 8, 6, 6),
		Workload: flops.Workload{Batch: 8, EncoderLength: 64, DecoderLength: 64},
	}
	c := Calibration{Constants: Priors(), Residual: 0.3}
	c.Covariance[SoftwareTime][SoftwareTime] = 0.4 * 0.4
	c.Covariance[FusedCore][FusedCore] = 9 // which nothing here reads
	all := func(m *Machine) float64 { return 2 * m.slowdown }
	got := c.interval(&r, all, 2)
	// the slope is a difference quotient of 10⁻⁴
	const nudged = 1e-6
	for what, pair := range map[string][2]float64{
		"low":  {got.Low, 2 * math.Exp(-quantile*0.5)},
		"high": {got.High, 2 * math.Exp(quantile*0.5)},
	} {
		if !approx.Relative(pair[0], pair[1], nudged) {
			t.Errorf("%s: %g, by hand %g", what, pair[0], pair[1])
		}
	}
	if got.Value != 2 {
		t.Errorf("value %g", got.Value)
	}
	// Two constants of slope 1 whose errors cancel.
	c.Covariance[MatmulShare][MatmulShare] = 0.4 * 0.4
	c.Covariance[MatmulShare][SoftwareTime] = 0.4 * 0.4
	c.Covariance[SoftwareTime][MatmulShare] = 0.4 * 0.4
	over := func(m *Machine) float64 { return m.slowdown / m.rate }
	m, err := NewMachineWith(&r.Profile, r.Execution, r.Software, &c.Constants)
	if err != nil {
		t.Fatal(err)
	}
	seconds := over(&m)
	alike := c.interval(&r, over, seconds)
	if want := seconds * math.Exp(quantile*0.3); !approx.Relative(alike.High, want, nudged) {
		t.Errorf("errors that cancel: %g, by hand %g", alike.High, want)
	}
}
