package records

import (
	"regexp"
	"strings"
)

// commaStyle is what a comma inside a number means in a table.
type commaStyle struct {
	known   bool
	decimal bool // 3,14 is 3.14; else 1,234 is 1234
	unsure  bool // nothing in the table tells
}

var (
	grouped = regexp.MustCompile(`^[+-]?\d{1,3}(?:[ ,.'_\x{00a0}\x{2009}\x{202f}]\d{3})+(?:[.,]\d+)?$`)
	decimal = regexp.MustCompile(`^[+-]?(?:\d{1,3}(?:[. \x{00a0}\x{2009}\x{202f}]\d{3})+|\d*),\d+(?:[eE][+-]?\d+)?$`)
	english = regexp.MustCompile(`^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$`)
)

// commaStyle looks through the columns for a number that tells what a comma means: 3,1 can only be
// a decimal comma, 1,234,567 only groups of thousands. Where cells are separated by semicolons,
// 1,234 alone tells nothing; elsewhere it is thousands, as it had to be quoted.
func (t *Table) commaStyle() commaStyle {
	if t.commas.known {
		return t.commas
	}
	s := commaStyle{known: true}
	const window = 1000 // rows that are looked at
	both, decimals, groups := 0, 0, 0
	for _, c := range t.columns {
		for row := range min(t.Len(), window) {
			cell := c.cells.at(row)
			if !strings.Contains(cell, ",") || strings.Trim(cell, "0123456789.,+-eE' \u00a0\u2009\u202f") != "" {
				continue
			}
			isDecimal, isGrouped := decimal.MatchString(cell), english.MatchString(cell)
			switch {
			case isDecimal && isGrouped && strings.TrimLeft(cell, "+-0")[0] != ',':
				both++
			case isDecimal:
				decimals++
			case isGrouped:
				groups++
			}
		}
	}
	s.decimal = decimals > 0 && groups == 0
	s.unsure = decimals == 0 && groups == 0 && both > 0 && t.commas.unsure ||
		decimals > 0 && groups > 0
	t.commas = s
	return s
}

// plain returns a number without separators of thousands and with a decimal point; other texts as
// they are.
func (s commaStyle) plain(text string) (string, string) {
	if !strings.ContainsAny(text, ",' _\u00a0\u2009\u202f") && strings.Count(text, ".") < 2 {
		if !s.decimal || !grouped.MatchString(text) {
			return text, ""
		}
		return "", "a point that may be decimal or part thousands, beside decimal commas"
	}
	separators := strings.NewReplacer(",", "", "'", "", " ", "", "_", "", "\u00a0", "", "\u2009", "",
		"\u202f", "")
	isDecimal, isGrouped := decimal.MatchString(text), english.MatchString(text)
	switch {
	case s.unsure && isDecimal && isGrouped:
		return "", "a comma that may be decimal or part thousands"
	case isDecimal && (s.decimal || !isGrouped):
		text = strings.ReplaceAll(text, ".", "")
		return strings.Replace(separators.Replace(strings.Replace(text, ",", "\x00", 1)), "\x00", ".",
			1), ""
	case isGrouped, grouped.MatchString(text) && !strings.Contains(text, "."):
		return separators.Replace(text), ""
	case grouped.MatchString(text) && strings.Count(text, ".") > 1:
		return strings.ReplaceAll(text, ".", ""), ""
	case grouped.MatchString(text) && !strings.Contains(text, ","):
		return separators.Replace(text), ""
	}
	return text, ""
}
