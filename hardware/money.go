package hardware

import (
	"fmt"
	"math"
	"sync"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

const secondsPerHour = 3600

// DefaultGoodput is the share of wall-clock time spent in steps that count when nobody states it:
// Llama 3's "more than 90 %" as the value, between what Google reports before and after its work on
// restarts (0.85 and 0.97). A run on a few devices loses less to failures but as much to
// checkpoints and evaluation.
func DefaultGoodput() Input { return defaultGoodput() }

var defaultGoodput = sync.OnceValue(func() Input {
	var value Input
	low, high := math.Inf(1), 0.0
	for _, g := range data.Goodputs() {
		low, high = min(low, g.Value), max(high, g.Value)
		if g.AtLeast {
			value = Input{
				Name: "goodput", Estimate: Exactly(g.Value), Origin: Default,
				Source: g.Source, Evidence: g.Evidence, Note: g.Run,
			}
		}
	}
	value.Interval.Low, value.Interval.High = low, high
	return value
})

// Occupancy is what a run takes from a cluster: how many devices for how long on the wall clock.
type Occupancy struct {
	Devices     int
	WallSeconds Estimate
}

// occupy returns the occupancy of a run from the seconds that its steps take in all: wall clock = steps
// / goodput.
func occupy(devices int, stepSeconds Estimate, goodput Input) Occupancy {
	return Occupancy{Devices: devices, WallSeconds: product(stepSeconds,
		reciprocal(goodput.Estimate))}
}

// deviceHours is devices times wall-clock hours.
func (o Occupancy) deviceHours() Estimate {
	return product(o.WallSeconds, Exactly(float64(o.Devices)/secondsPerHour))
}

// Price is the price of a device-hour in US dollars: the one given, or the profile's example.
// Prices change, differ by two between providers, and halve under contracts; the interval of an
// example is the example itself.
func (p Profile) Price(given *float64) Input {
	switch {
	case given != nil:
		return Given("price", *given)
	case p.PriceUSDPerHour == nil:
		return missingInput("price", fmt.Sprintf("no price of %s is known; add --price", p.Name))
	}
	f := *p.PriceUSDPerHour
	return Input{
		Name: "price", Estimate: Exactly(f.Value), Origin: f.Origin, Source: f.Source,
		Evidence: f.Evidence, Note: f.Note,
	}
}

// cost is the bill of a run in US dollars.
//
//	cost = devices · step hours · price / goodput = device-hours · price
//
// Storage, network traffic and people are not in it.
func cost(o Occupancy, price Input) Estimate { return product(o.deviceHours(), price.Estimate) }

// affordableStepSeconds is how long the steps of a run may take in all for a bill of at most so
// many US dollars: the inverse of [cost]. Its low bound is the safe one.
func affordableStepSeconds(maxUSD float64, devices int, price, goodput Input) Estimate {
	if price.Interval != nil && price.Interval.Value == 0 {
		return Estimate{Missing: "at a price of 0 no bill limits the run"}
	}
	return product(Exactly(maxUSD*secondsPerHour/float64(devices)), reciprocal(price.Estimate),
		goodput.Estimate)
}

// stepSecondsUntil is how long the steps of a run may take in all to end within a wall-clock time:
// the inverse of [occupy]. Its low bound is the safe one.
func stepSecondsUntil(wallSeconds float64, goodput Input) Estimate {
	return product(Exactly(wallSeconds), goodput.Estimate)
}

// Bill is what a run costs on every axis but time.
type Bill struct {
	DeviceHours Estimate
	CostUSD     Estimate
	EnergyKWh   Estimate
	CO2Kg       Estimate
	Inputs      []Input // what it leans on, in the order of the formulas
}

// Rates are the inputs that turn an occupancy into a bill.
type Rates struct {
	Price, MeanPower, PUE, GridIntensity Input
}

// bill adds up a run at given rates. What a missing rate prevents is absent with the reason; the
// rest stands.
func (r Rates) bill(o Occupancy) Bill {
	energy := energy(o, r.MeanPower, r.PUE)
	return Bill{
		DeviceHours: o.deviceHours(), CostUSD: cost(o, r.Price), EnergyKWh: energy,
		CO2Kg:  emissions(energy, r.GridIntensity),
		Inputs: []Input{r.Price, r.MeanPower, r.PUE, r.GridIntensity},
	}
}

// StatedRates are the rates that a user states; nil leaves the default.
type StatedRates struct {
	PriceUSDPerHour *float64
	MeanPowerWatts  *float64
	PUE             *float64 // 1 or more
	KgCO2ePerKWh    *float64
	Region          string // a cloud region, a country, or empty
}

// nowhere holds the rates of a run of which no region is known.
var nowhere = sync.OnceValue(func() Rates {
	return Rates{PUE: Region{}.pue(), GridIntensity: Region{}.intensity()}
})

// ResolveRates returns the rates of a profile in a region: what the user states, else the sourced
// default. Errors: an unknown region ([*RegionError]), a PUE below 1.
func ResolveRates(p Profile, stated StatedRates) (Rates, error) {
	if stated.PUE != nil && *stated.PUE < 1 {
		return Rates{}, fmt.Errorf(
			"PUE: %s; allowed: 1 or more, facility energy over computer energy",
			quantity.Shortest(*stated.PUE))
	}
	rates := nowhere()
	if stated.Region != "" {
		region, err := findRegion(stated.Region)
		if err != nil {
			return Rates{}, err
		}
		rates.PUE, rates.GridIntensity = region.pue(), region.intensity()
	}
	rates.Price, rates.MeanPower = p.Price(stated.PriceUSDPerHour),
		p.meanPower(stated.MeanPowerWatts)
	if stated.PUE != nil {
		rates.PUE = Given("PUE", *stated.PUE)
	}
	if stated.KgCO2ePerKWh != nil {
		rates.GridIntensity = Given("grid intensity", *stated.KgCO2ePerKWh)
	}
	return rates, nil
}
