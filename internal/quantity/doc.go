// Package quantity is the one grammar of amounts: flags, YAML, CSV headers and cells are parsed
// here and nowhere else, and tables are printed here, so that a prefix or a digit is decided in one
// place.
//
// A [Kind] says what an amount measures and in which base unit it is held (float64: FLOP, FLOP/s,
// bytes, bytes/s, seconds, US dollars, watts, kWh, kg CO2e/kWh, kg CO2e). A count of FLOP and a
// rate of FLOP/s are different kinds: one given for the other is an error that says so.
//
//	amount   = number [space] [unit]            1e21   2.5B params   300 TFLOP/s   16GiB   $2.00/h   37%
//	number   = ["-"|"+"] digits ["." digits] ["e" ["-"|"+"] digits]
//	duration = number unit {[space] number unit}   14d   1d12h   3h 30m   250ms
//
// A number has no leading zeros (012 is refused, not read as octal), no separators (1_000 and 1,000
// are refused), no hexadecimal, NaN or infinity, and must fit in a float64 without becoming
// infinite or zero. Only [Number] may be negative. Where a bare number would be a trap (bytes,
// durations, rates, energy, carbon) a unit is required.
package quantity
