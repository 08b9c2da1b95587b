package quantity

import (
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/suggest"
)

// multiplier takes a number in some unit to the base unit: value · 10^pow10 · factor. The power of
// ten is kept apart so that it can be joined to the decimal exponent of the text, which rounds once
// instead of twice.
type multiplier struct {
	pow10  int
	factor float64
}

var one = multiplier{factor: 1}

type prefix struct {
	symbol string
	multiplier
}

var (
	noPrefix      = []prefix{{"", one}}
	siPrefixes    = thousands("k", "M", "G", "T", "P", "E", "Z", "Y")
	bytePrefixes  = slices.Concat(siPrefixes, binary("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))
	countPrefixes = slices.Insert(thousands("k", "M", "B", "T"), 2, prefix{"K", multiplier{3, 1}})
	moneyPrefixes = countPrefixes
	// Names of models and logs write 70m parameters and 300b tokens.
	modelPrefixes = append(slices.Clone(countPrefixes),
		prefix{"m", multiplier{6, 1}}, prefix{"b", multiplier{9, 1}}, prefix{"t", multiplier{12, 1}})
	smallPrefixes = siPrefixes[:5]
	gramPrefixes  = siPrefixes[:2]
	tonnePrefixes = siPrefixes[:3]
)

// thousands returns no prefix, and those of the powers of 1000.
func thousands(symbols ...string) []prefix {
	out := []prefix{{"", one}}
	for i, symbol := range symbols {
		out = append(out, prefix{symbol, multiplier{3 * (i + 1), 1}})
	}
	return out
}

// binary returns the prefixes of the powers of 1024.
func binary(symbols ...string) []prefix {
	var out []prefix
	for i, symbol := range symbols {
		out = append(out, prefix{symbol, multiplier{0, float64(int64(1) << (10 * (i + 1)))}})
	}
	return out
}

// unit is one family of spellings: every name may follow every prefix.
type unit struct {
	names    []string
	prefixes []prefix
	multiplier
}

const secondsPerDay = 86_400

var units = [...][]unit{
	Number: nil,
	FLOP: {
		{[]string{"FLOP", "FLOPs"}, siPrefixes, one},
		// One petaFLOP/s-day is 1e15 · 86,400 FLOP.
		{[]string{"F-days", "F-day", "FLOP/s-days", "FLOP/s-day"}, siPrefixes, multiplier{0, secondsPerDay}},
	},
	FLOPRate: {{[]string{"FLOP/s", "FLOPS"}, siPrefixes, one}},
	Bytes:    {{[]string{"B"}, bytePrefixes, one}, {[]string{"bytes", "byte"}, noPrefix, one}},
	ByteRate: {
		{[]string{"B/s"}, bytePrefixes, one},
		{[]string{"bytes/s"}, noPrefix, one},
		{[]string{"bit/s", "bps"}, siPrefixes, multiplier{0, 1.0 / 8}},
	},
	Duration: {
		{[]string{"w", "weeks", "week"}, noPrefix, multiplier{0, 7 * secondsPerDay}},
		{[]string{"d", "days", "day"}, noPrefix, multiplier{0, secondsPerDay}},
		{[]string{"h", "hours", "hour", "hr"}, noPrefix, multiplier{0, 3600}},
		{[]string{"m", "min", "minutes", "minute"}, noPrefix, multiplier{0, 60}},
		{[]string{"s", "sec", "seconds", "second"}, noPrefix, one},
		{[]string{"ms"}, noPrefix, multiplier{-3, 1}},
		{[]string{"us", "µs", "μs"}, noPrefix, multiplier{-6, 1}},
		{[]string{"ns"}, noPrefix, multiplier{-9, 1}},
	},
	Count:  {{[]string{""}, countPrefixes, one}},
	Params: {{[]string{""}, modelPrefixes, one}},
	Tokens: {{[]string{""}, modelPrefixes, one}},
	PerSecond: {{
		[]string{"/s", "tokens/s", "steps/s", "sequences/s", "samples/s", "it/s"},
		countPrefixes, one,
	}},
	Money: {{[]string{""}, moneyPrefixes, one}},
	HourlyPrice: {
		{[]string{"/h", "/hr", "/hour", "/device-hour"}, moneyPrefixes, one},
		{[]string{""}, noPrefix, one},
	},
	Power:  {{[]string{"W"}, smallPrefixes, one}},
	Energy: {{[]string{"Wh"}, smallPrefixes, multiplier{-3, 1}}},
	CarbonIntensity: {
		{[]string{"gCO2e/kWh", "gCO2/kWh", "g/kWh"}, gramPrefixes, multiplier{-3, 1}},
		{[]string{"tCO2e/MWh", "t/MWh"}, noPrefix, one},
	},
	CarbonMass: {
		{[]string{"gCO2e", "gCO2", "g"}, gramPrefixes, multiplier{-3, 1}},
		{[]string{"tCO2e", "tCO2", "t"}, tonnePrefixes, multiplier{3, 1}},
	},
	Fraction: {{[]string{"%"}, noPrefix, multiplier{-2, 1}}},
	Ratio:    {{[]string{"%"}, noPrefix, multiplier{-2, 1}}},
}

// lookUpUnit finds the multiplier of a unit's text (no spaces around it) for a kind.
func lookUpUnit(kind Kind, text string) (multiplier, bool) {
	if text == "" {
		return one, kindTraits[kind].bare
	}
	if kind == PerSecond {
		text = strings.Replace(text, " ", "", 1) // 550k tokens/s
	}
	if nouns := kindTraits[kind].nouns; nouns != nil {
		suffix, noun, found := strings.Cut(text, " ")
		switch {
		case slices.Contains(nouns, text): // 60 params
			return one, true
		case found && !slices.Contains(nouns, strings.TrimLeft(noun, " ")):
			return multiplier{}, false
		}
		text = suffix
	}
	for _, u := range units[kind] {
		for _, name := range u.names {
			head, found := strings.CutSuffix(text, name)
			if !found {
				continue
			}
			for _, p := range u.prefixes {
				if p.symbol == head {
					return multiplier{p.pow10 + u.pow10, p.factor * u.factor}, true
				}
			}
		}
	}
	return multiplier{}, false
}

// kindOfUnit names another kind that accepts the unit, for a message that says what was given
// instead.
func kindOfUnit(text string, wanted Kind) (Kind, bool) {
	for kind := range Kind(len(units)) {
		if kind == wanted || text == "" {
			continue
		}
		if _, ok := lookUpUnit(kind, text); ok {
			return kind, true
		}
	}
	return 0, false
}

// nearUnit is the spelling that was probably meant, or empty.
func nearUnit(kind Kind, text string) string {
	var names []string
	for _, u := range units[kind] {
		for _, name := range u.names {
			for _, p := range u.prefixes {
				names = append(names, p.symbol+name)
			}
		}
	}
	names = append(names, kindTraits[kind].nouns...)
	// The same letters in another case are the likeliest slip, before any edit.
	for _, name := range names {
		if strings.EqualFold(name, text) {
			return name
		}
	}
	lastWord := text[strings.LastIndexByte(text, ' ')+1:] // "B tokns"
	for _, word := range []string{text, lastWord} {
		if name := suggest.Nearest(word, names); name != "" {
			return name
		}
	}
	return ""
}
