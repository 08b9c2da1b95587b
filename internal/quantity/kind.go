package quantity

// Kind is what an amount measures; it fixes the base unit, the accepted units and how it is
// printed.
type Kind int

const (
	// Number is a plain number, possibly negative: a loss, a score, an exponent.
	Number Kind = iota
	// FLOP is an amount of floating-point work. Base unit: FLOP.
	FLOP
	// FLOPRate is floating-point work per second. Base unit: FLOP/s.
	FLOPRate
	// Bytes is an amount of memory or of data. Base unit: byte.
	Bytes
	// ByteRate is a bandwidth. Base unit: byte/s.
	ByteRate
	// Duration is a time span. Base unit: second.
	Duration
	// Count is a number of things without a name: steps, sequences, devices.
	Count
	// Params is a number of parameters.
	Params
	// Tokens is a number of tokens.
	Tokens
	// PerSecond is a rate of things: tokens/s, steps/s. Base unit: 1/s.
	PerSecond
	// Money is US dollars.
	Money
	// HourlyPrice is US dollars for one device for one hour.
	HourlyPrice
	// Power is electrical power. Base unit: watt.
	Power
	// Energy is electrical energy. Base unit: kWh.
	Energy
	// CarbonIntensity is emissions of electricity. Base unit: kg CO2e per kWh.
	CarbonIntensity
	// CarbonMass is emissions. Base unit: kg CO2e.
	CarbonMass
	// Fraction is a share between 0 and 1, also written as a percentage.
	Fraction
	// Ratio is a factor of 0 or more, also written as a percentage: a power usage effectiveness, an
	// allowed increase.
	Ratio
)

// traits hold what differs between kinds apart from their units.
type traits struct {
	name    string   // for messages: "a count of FLOP"
	word    string   // for the help of a flag: "flop"
	allowed string   // examples of what is accepted
	bare    bool     // a number without a unit is accepted, in the base unit
	nouns   []string // what may follow a count
}

var kindTraits = [...]traits{
	Number: {name: "a number", word: "number", allowed: "3.2, -1.5, 1e-3", bare: true},
	FLOP: {
		name: "a count of FLOP", word: "flop", allowed: "1e21, 3.2 ZFLOP, 10 PF-days", bare: true,
	},
	FLOPRate: {name: "a rate in FLOP/s", word: "flop/s", allowed: "300 TFLOP/s, 1.2 PFLOP/s"},
	Bytes: {
		name: "an amount of bytes", word: "bytes",
		allowed: "80GB (1e9 bytes each), 16GiB (2^30 bytes each), 512 MB",
	},
	ByteRate: {name: "a bandwidth", word: "bytes/s", allowed: "900 GB/s, 2 TB/s, 400 Gbit/s"},
	Duration: {name: "a duration", word: "duration", allowed: "14d, 3h, 1d12h, 90s, 250ms"},
	Count:    {name: "a count", word: "count", allowed: "524288, 300k, 1.5M, 1e6", bare: true},
	Params: {
		name: "a count of parameters", word: "params", allowed: "60506624, 300M, 2.5B params",
		bare: true, nouns: []string{"params", "param", "parameters", "parameter"},
	},
	Tokens: {
		name: "a count of tokens", word: "tokens", allowed: "34359738368, 34.4B tokens, 1T",
		bare: true, nouns: []string{"tokens", "token"},
	},
	PerSecond: {
		name: "a rate per second", word: "rate", allowed: "3.7/s, 550022 tokens/s, 23 steps/s",
		bare: true,
	},
	Money: {
		name: "an amount of US dollars", word: "usd", allowed: "$2.00, 1500, $1.5M, 20 USD",
		bare: true,
	},
	HourlyPrice: {
		name: "a price per device-hour in US dollars", word: "usd/h",
		allowed: "$2.00/h, 1.10, 2 USD/h", bare: true,
	},
	Power:  {name: "a power", word: "watts", allowed: "250, 250 W, 0.4 kW", bare: true},
	Energy: {name: "an energy", word: "energy", allowed: "85.7 MWh, 120 kWh"},
	CarbonIntensity: {
		name: "a grid intensity", word: "intensity", allowed: "429 gCO2e/kWh, 0.429 kgCO2e/kWh",
	},
	CarbonMass: {name: "a mass of CO2e", word: "mass", allowed: "46.7 tCO2e, 120 kgCO2e, 300 g"},
	Fraction: {
		name: "a fraction between 0 and 1", word: "fraction", allowed: "0.37, 37%", bare: true,
	},
	Ratio: {name: "a ratio of 0 or more", word: "ratio", allowed: "1.12, 10%", bare: true},
}

// String names the kind as it appears in messages.
func (k Kind) String() string { return kindTraits[k].name }
