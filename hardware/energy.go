package hardware

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// How far the mean power of a run lies from what a data sheet states. The reference is Patterson et
// al. 2021 (arXiv:2104.10350), whose watts include a device's share of the host (data
// footprints.csv).
const (
	// TPU v3 runs drew up to 310 W a device with the host, against 220 W as the chip's own measured
	// mean.
	hostOverMean = 310.0 / 220
	// V100 runs drew up to 342 W a device with the host against a limit of 300 W.
	hostOverLimit = 342.0 / 300
	// A device that waits for network, memory or input stays well below its limit. An assumption:
	// the TPU docs' mean of 220 W lies between a minimum of 123 W and a maximum of 262 W, so a run
	// near the minimum draws about half.
	lowOverLimit = 0.5
	// Means over runs of different models differ by about a tenth on one device.
	lowOverMean = 0.9
)

// meanPower is the mean electrical power of one device over a run in watts: the one given, or from
// the profile. A measured mean is the value itself; a thermal limit is taken at full, as is usual
// where nothing better is known. Either way the interval reaches down to a device that waits and up
// to one that carries its share of the host.
func (p Profile) meanPower(given *float64) Input {
	switch {
	case given != nil:
		return Given("mean power", *given)
	case p.PowerWatts == nil:
		return missingInput("mean power", fmt.Sprintf(
			"no power of %s is known; add --watts", p.Name))
	}
	f := *p.PowerWatts
	input := Input{
		Name: "mean power", Origin: f.Origin, Source: f.Source, Evidence: f.Evidence, Note: f.Note,
	}
	switch {
	case f.Origin == Flag: // stated by the user for this run
		input.Estimate = Exactly(f.Value)
	case p.PowerKind == MeanPower:
		input.Interval = &quantity.Interval{
			Value: f.Value, Low: lowOverMean * f.Value, High: hostOverMean * f.Value,
		}
	default:
		input.Interval = &quantity.Interval{
			Value: f.Value, Low: lowOverLimit * f.Value, High: hostOverLimit * f.Value,
		}
		input.Note = "a limit taken as the mean: " + f.Note
	}
	return input
}

// energy is what a run draws from the grid in kWh.
//
//	energy = mean device watts · devices · wall-clock hours · PUE / 1000
//
// Symbols: PUE is facility energy over the energy of its computers. Time lost to restarts and
// checkpoints draws power as well, so the hours are those of the wall clock. Making the devices is
// not in it.
// Source: Patterson et al. 2021, section 2, arXiv:2104.10350.
func energy(o Occupancy, meanPower, pue Input) Estimate {
	const wattsPerKilowatt = 1000
	return product(o.deviceHours(), meanPower.Estimate, pue.Estimate, Exactly(1.0/wattsPerKilowatt))
}

// emissions is the CO2 equivalent of an energy in kg: energy · grid intensity, at the place's
// yearly mean. Offsets and contracts for green power are not in it.
func emissions(energyKWh Estimate, gridIntensity Input) Estimate {
	return product(energyKWh, gridIntensity.Estimate)
}
