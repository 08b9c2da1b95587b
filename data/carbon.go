package data

import (
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// GridIntensity is the emissions of electricity at a place.
type GridIntensity struct {
	Kind      string // country, world, zone, cloud-region, fuel
	Key       string // ISO 3166 alpha-3 code, zone or region name
	Name      string
	Provider  string  // gcp, aws, azure for cloud regions
	Intensity float64 // kg CO2e per kWh
	Year      *int
	// Its note: Google's carbon-free share is already in the location-based intensity and must not be
	// multiplied in twice.
	Provenance
}

var grid = embedded("facts/grid.csv", func(r *row) GridIntensity {
	return GridIntensity{
		Kind: r.required("kind"), Key: r.required("key"), Name: r.required("name"),
		Provider:  r.text("provider"),
		Intensity: r.amount("intensity", quantity.CarbonIntensity), Year: r.optionalCount("year"),
		Provenance: r.provenance(""),
	}
})

// Grid returns 324 intensities: countries, the world, Nordic zones, cloud regions, fuels.
func Grid() []GridIntensity { return slices.Clone(grid()) }

// PUE is a power usage effectiveness: facility energy over the energy of its computers, 1 or more.
type PUE struct {
	Kind     string // campus, operator, operator-default, industry, lower-bound
	Key      string
	Place    string
	Provider string
	Regions  []string // cloud regions at that place; several campuses may share one
	Value    float64
	Provenance
}

var pue = embedded("facts/pue.csv", func(r *row) PUE {
	return PUE{
		Kind: r.required("kind"), Key: r.required("key"), Place: r.required("place"),
		Provider: r.text("provider"), Regions: r.list("regions"),
		Value: r.amount("pue", quantity.Ratio), Provenance: r.provenance(""),
	}
})

// PUEs returns 47 values: campuses, operators, the industry.
func PUEs() []PUE { return slices.Clone(pue()) }

// Footprint is the published bill of one training run (Patterson et al. 2021, arXiv:2104.10350).
type Footprint struct {
	Model           string
	Accelerator     string // name in [Accelerators]
	Devices         int
	MeanPower       float64 // watts a device, with its share of the host
	DurationSeconds float64
	PUE             float64
	GridIntensity   float64 // kg CO2e per kWh
	Energy          float64 // kWh, facility
	Emissions       float64 // kg CO2e
	Provenance
}

var footprints = embedded("facts/footprints.csv", func(r *row) Footprint {
	return Footprint{
		Model: r.required("model"), Accelerator: r.required("accelerator"),
		Devices:         r.count("devices"),
		MeanPower:       r.amount("mean_power", quantity.Power),
		DurationSeconds: r.amount("duration", quantity.Duration),
		PUE:             r.amount("pue", quantity.Ratio),
		GridIntensity:   r.amount("grid_intensity", quantity.CarbonIntensity),
		Energy:          r.amount("energy", quantity.Energy),
		Emissions:       r.amount("emissions", quantity.CarbonMass),
		Provenance:      r.provenance(""),
	}
})

// Footprints is for the tests of package hardware. It returns the five runs: T5, GPT-3, GShard,
// Switch, XLM.
func Footprints() []Footprint { return slices.Clone(footprints()) }
