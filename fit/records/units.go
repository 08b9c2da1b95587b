package records

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// kinds are the columns this project knows and what they measure.
var kinds = map[string]quantity.Kind{
	"params": quantity.Params, "non_embedding_params": quantity.Params,
	"encoder_params": quantity.Params, "decoder_params": quantity.Params,
	"tokens": quantity.Tokens, "unique_tokens": quantity.Tokens,
	"flops": quantity.FLOP, "data_bytes": quantity.Bytes,
	"loss": quantity.Number, "score": quantity.Number,
	"step": quantity.Count, "layers": quantity.Count, "encoder_layers": quantity.Count,
	"decoder_layers": quantity.Count,
	"d_model":        quantity.Count, "d_ff": quantity.Count, "d_kv": quantity.Count,
	"heads": quantity.Count, "vocab": quantity.Count,
	"seconds": quantity.Duration, "elapsed": quantity.Duration, "step_seconds": quantity.Duration,
}

// KindOf returns what a column of that name measures: a plain number unless the name is one of this
// project's.
func KindOf(name string) quantity.Kind {
	return kinds[fold(name)] // the zero kind is Number
}

// kindOf is KindOf of a name that other programs may give to a column too.
func kindOf(name string) quantity.Kind {
	if k, ok := kinds[fold(name)]; ok {
		return k
	}
	for ours, k := range kinds {
		if k != quantity.Number && synonym(ours, name) {
			return k
		}
	}
	return quantity.Number
}

// ParseAmount reads an amount as a cell of the named column would be: a bare number is in the base
// unit. The error is a [*quantity.Error].
func ParseAmount(column, text string) (float64, error) {
	r, err := quantity.Header{Name: column}.Reader(kindOf(column))
	if err != nil {
		return 0, err
	}
	return r.Parse(text)
}

// heading is what the first cell of a column says: its name, and a unit.
type heading struct {
	name string
	// unit is one that quantity may know, or a single letter; which it is depends on what the column
	// measures.
	unit string
	// pow10 is the power of ten of a unit in words or digits: 6 of "(millions)" or "(1e6)".
	pow10  int
	stated bool // pow10 or a known unit stands in the heading
}

// unitKinds are the kinds whose unit in a heading is believed under any name. Counts are not among
// them: their units are single letters.
var unitKinds = []quantity.Kind{
	quantity.FLOP, quantity.FLOPRate, quantity.Bytes, quantity.ByteRate,
	quantity.Duration, quantity.Energy, quantity.Power,
}

// scaleWords are powers of ten in words and in the abbreviations of headings; single letters are
// read for counts only (see letters).
var scaleWords = map[string]int{
	"thousand": 3, "thousands": 3, "kilo": 3,
	"million": 6, "millions": 6, "mega": 6, "mn": 6, "mln": 6, "mio": 6, "mil": 6, "mill": 6,
	"billion": 9, "billions": 9, "giga": 9, "bn": 9, "bln": 9, "bil": 9, "mrd": 9, "milliard": 9,
	"trillion": 12, "trillions": 12, "tera": 12, "tn": 12, "trn": 12,
	"quadrillion": 15, "quadrillions": 15, "peta": 15, "exa": 18, "quintillion": 18,
	"quintillions": 18, "zetta": 21, "sextillion": 21, "sextillions": 21, "yotta": 24,
	"percent": -2, "%": -2, "pct": -2,
}

// natural are units that a loss has anyway.
var natural = []string{"nat", "nats", "nats/token", "nats per token"}

var (
	counts  = []quantity.Kind{quantity.Params, quantity.Tokens, quantity.Count}
	letters = map[string]int{"k": 3, "m": 6, "b": 9, "g": 9, "t": 12}
	si      = map[string]int{"k": 3, "m": 6, "g": 9, "t": 12, "p": 15, "e": 18, "z": 21, "y": 24}

	power      = regexp.MustCompile(`^(?:1(?:\.0*)?e\+?|10\s*(?:\^|\*\*)\s*\{?\+?|e)(\d{1,2})\}?$`)
	plainPower = regexp.MustCompile(`^1(0{2,24})$`)
	suffixed   = regexp.MustCompile(`(?i)^(.+?)(?:\s*[,/]\s*|[\s_-]+)(?:in[\s_-]+)?([\p{L}%]+|1e\+?\d+|10\^\d+|e\d+)$`)
	ofNoun     = regexp.MustCompile(`(?i)^(?:#|no\.?|number|num|n)?[\s_]*(?:of[\s_]+)?([a-z]+|1e\d+)[\s_]+(?:of[\s_]+)?(params|parameters|tokens|flops?)$`)
	siFLOP     = regexp.MustCompile(`(?i)^(.*?)[\s_-]*(kilo|mega|giga|tera|peta|exa|zetta|yotta|[kmgtpezy])flops?$`)
	siDays     = regexp.MustCompile(`(?i)^(.*?)[\s_(-]*p(?:eta)?f(?:lops?)?(?:[/_-]?s)?[\s_-]*days?\)?$`)
	logarithm  = regexp.MustCompile(`(?i)^(log10|log2|log|ln|lg)[\s_(].*$`)
)

// scale returns the power of ten that a text says: millions, 1e6, 10^6, x10⁶, 1,000,000.
func scale(text string) (pow10 int, ok bool) {
	text = strings.ToLower(strings.Trim(text, " _-"))
	for _, before := range []string{"in ", "in_", "×", "x", "*"} {
		text = strings.TrimSpace(strings.TrimPrefix(text, before))
	}
	if pow10, ok = scaleWords[text]; ok {
		return pow10, true
	}
	text = strings.NewReplacer("⁰", "0", "¹", "1", "²", "2", "³", "3", "⁴", "4", "⁵", "5", "⁶", "6",
		"⁷", "7", "⁸", "8", "⁹", "9", "·", "", ",", "", "'", "", "_", "").Replace(text)
	if m := power.FindStringSubmatch(text); m != nil {
		pow10, _ = strconv.Atoi(m[1])
		return pow10, true
	}
	if m := plainPower.FindStringSubmatch(text); m != nil {
		return len(m[1]), true
	}
	if len(text) == 3 && strings.HasPrefix(text, "10") { // 10⁹ with its digit lowered
		return int(text[2] - '0'), text[2] > '2'
	}
	return 0, false
}

// parseHeading takes a unit off a heading when it is one: "loss (val)" stays whole.
func parseHeading(text string) heading {
	text = strings.TrimSpace(text)
	whole := heading{name: text}
	if b := quantity.ParseHeader(text); b.Unit != "" {
		if pow10, ok := scale(b.Unit); ok {
			return heading{name: b.Name, pow10: pow10, stated: true}
		}
		if unit := strings.ToLower(b.Unit); unit == "1" || slices.Contains(natural, unit) {
			return heading{name: b.Name, stated: true}
		}
		if word, rest, ok := strings.Cut(b.Unit, " "); ok { // (millions of tokens), (B tokens)
			if pow10, ok := scale(word); ok && rest != "" {
				return heading{name: b.Name, pow10: pow10, stated: true}
			}
		}
		for _, k := range append([]quantity.Kind{kindOf(b.Name)}, unitKinds...) {
			if _, err := b.Reader(k); err == nil && k != quantity.Number {
				return heading{name: b.Name, unit: b.Unit, stated: true}
			}
		}
		if n, ok := letters[strings.ToLower(b.Unit)]; ok && slices.Contains(counts, kindOf(b.Name)) {
			return heading{name: b.Name, pow10: n, stated: true}
		}
		whole.unit = b.Unit
		return whole
	}
	if m := suffixed.FindStringSubmatch(text); m != nil {
		kind := kindOf(m[1])
		large := kind == quantity.Params || kind == quantity.Tokens || kind == quantity.FLOP
		if pow10, ok := scale(m[2]); ok && (large || kind == quantity.Count && pow10 > 2) {
			return heading{name: m[1], pow10: pow10, stated: true}
		}
		if n, ok := letters[strings.ToLower(m[2])]; ok && large && kind != quantity.FLOP {
			return heading{name: m[1], pow10: n, stated: true}
		}
		if kind == quantity.Duration { // elapsed_hours, step_time_ms
			if _, err := (quantity.Header{Unit: strings.ToLower(m[2])}).Reader(kind); err == nil {
				return heading{name: m[1], unit: strings.ToLower(m[2]), stated: true}
			}
		}
	}
	if m := ofNoun.FindStringSubmatch(text); m != nil {
		if pow10, ok := scale(m[1]); ok {
			return heading{name: m[2], pow10: pow10, stated: true}
		}
		if n, ok := letters[strings.ToLower(m[1])]; ok && len(m[1]) == 1 {
			return heading{name: m[2], pow10: n, stated: true}
		}
	}
	if m := siDays.FindStringSubmatch(text); m != nil {
		return heading{name: strings.Trim(m[1]+"_flops", "_ "), unit: "PF-days", stated: true}
	}
	// A rate is called tflops too; what is far too large for one, or named as a sum, is none.
	if m := siFLOP.FindStringSubmatch(text); m != nil {
		n := siPower(m[2])
		if m[1] != "" && synonym("flops", m[1]+"_flops") || m[1] == "" && n >= si["e"] {
			return heading{name: strings.Trim(m[1]+"_flops", "_ "), pow10: n, stated: true}
		}
	}
	return whole
}

func siPower(prefix string) int {
	if n, ok := scaleWords[strings.ToLower(prefix)]; ok {
		return n
	}
	return si[strings.ToLower(prefix)]
}

// reading is how the cells of a column become amounts.
type reading struct {
	kind  quantity.Kind
	cells quantity.CellReader
	pow10 int
	base  float64 // of the logarithm that the cells hold; 0 for none
	style commaStyle
	said  string // the unit as the heading has it
}

// reader returns how a column is read when it is used under a name. A heading's bracket counts as a
// unit when it is one of the kind that the name has; one of another kind is an error.
func (t *Table) reader(c *column, name string) (reading, error) {
	kind := kindOf(name)
	if kind == quantity.Number {
		kind = kindOf(c.head.name)
	}
	h, r := c.head, reading{kind: kind, style: t.commaStyle()}
	plain, _ := quantity.Header{}.Reader(quantity.Number)
	if m := logarithm.FindStringSubmatch(c.heading); m != nil && kind != quantity.Number {
		switch strings.ToLower(m[1]) {
		case "log10", "lg":
			r.base = 10
		case "log2":
			r.base = 2
		case "ln":
			r.base = math.E
		default:
			return r, &quantity.Error{
				Kind: kind, Text: c.heading,
				Problem: "a logarithm of unknown base (call the column log10, log2 or ln)",
			}
		}
		r.cells = plain
		return r, nil
	}
	if !h.stated && kind != quantity.Number { // a unit that only the name makes one
		if m := suffixed.FindStringSubmatch(c.heading); m != nil {
			n, ok := scale(m[2])
			if !ok && slices.Contains(counts[:2], kind) {
				n, ok = letters[strings.ToLower(m[2])]
			}
			if ok {
				h = heading{name: m[1], pow10: n, stated: true}
			}
		}
		if m := siFLOP.FindStringSubmatch(c.heading); m != nil && kind == quantity.FLOP {
			h = heading{name: c.heading, pow10: siPower(m[2]), stated: true}
		}
		n, ok := letters[strings.ToLower(h.unit)]
		if kind == quantity.FLOP {
			n, ok = si[strings.ToLower(h.unit)]
		}
		if ok && kind != quantity.Bytes && kind != quantity.Duration {
			h = heading{name: h.name, pow10: n, stated: true}
		}
	}
	if h.stated && h.unit == "" {
		r.pow10 = h.pow10
		r.said = strings.TrimSpace(strings.TrimPrefix(c.heading, h.name))
		bare, err := quantity.Header{Name: h.name}.Reader(kind)
		r.cells = bare
		return r, err
	}
	head := quantity.Header{Name: h.name, Unit: h.unit}
	cells, err := head.Reader(kind)
	if err == nil && kind != quantity.Number {
		r.cells, r.said = cells, h.unit
		return r, nil
	}
	for _, k := range unitKinds {
		other, no := head.Reader(k)
		switch {
		case no != nil || head.Unit == "":
		case kind == quantity.Number:
			r.kind, r.cells, r.said = k, other, h.unit
			return r, nil
		default:
			return r, err
		}
	}
	r.cells, err = quantity.Header{Name: c.heading}.Reader(kind)
	return r, err
}

// how says what is not plain about a reading; empty when all is.
func (r *reading) how() string {
	switch {
	case r.base != 0:
		return "as logarithms of base " + strconv.FormatFloat(r.base, 'g', 4, 64)
	case r.pow10 == -2:
		return "in percent"
	case r.pow10 != 0:
		return "× 1e" + strconv.Itoa(r.pow10)
	case r.said != "":
		return "in " + r.said
	}
	return ""
}

// parse returns the amount of a cell, NaN of an absent one, or what is wrong with it.
func (r *reading) parse(cell string) (value float64, problem string) {
	if cell == "" {
		return math.NaN(), ""
	}
	text, percent := cell, false
	if last := len(text) - 1; last > 0 && text[last] == '%' && r.pow10 <= 0 {
		text, percent = strings.TrimRight(text[:last], " "), true
	}
	plain, problem := r.style.plain(text)
	if problem != "" {
		return math.NaN(), problem + ": " + quoted(cell)
	}
	pow10 := r.pow10
	if percent && pow10 == 0 {
		pow10 = -2
	}
	if pow10 != 0 {
		var ok bool
		if plain, ok = shifted(plain, pow10); !ok {
			return math.NaN(), "not a bare number, although the heading states a unit: " + quoted(cell)
		}
	}
	v, err := r.cells.Parse(plain)
	if err != nil {
		if q, ok := err.(*quantity.Error); ok {
			return math.NaN(), q.Problem + ": " + quoted(cell)
		}
		return math.NaN(), err.Error()
	}
	if r.base != 0 {
		if v = math.Pow(r.base, v); math.IsInf(v, 0) {
			return math.NaN(), "a logarithm of more than a number holds: " + quoted(cell)
		}
	}
	return v, ""
}

// shifted multiplies a bare decimal number by a power of ten in its exponent, so that it is rounded
// once.
func shifted(number string, pow10 int) (string, bool) {
	mantissa, exponent := number, 0
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.Atoi(number[i+1:]); err != nil {
			return "", false
		}
		mantissa = number[:i]
	}
	if mantissa == "" || strings.Trim(mantissa, "0123456789.+-") != "" {
		return "", false
	}
	if exponent += pow10; exponent == 0 {
		return mantissa, true
	}
	return mantissa + "e" + strconv.Itoa(exponent), true
}

func quoted(cell string) string {
	const most = 40
	if len(cell) > most {
		cell = cell[:most] + "…"
	}
	return strconv.Quote(cell)
}
