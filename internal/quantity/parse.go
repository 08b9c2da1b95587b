package quantity

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/suggest"
)

// Error says why a text is not an amount of the wanted kind. Its message is "what is wrong: value;
// what is allowed".
type Error struct {
	Kind    Kind
	Text    string
	Problem string
	Hint    string // "; did you mean …?" or empty
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s%s; allowed: %s, such as %s", e.Problem, quote(e.Text), e.Hint,
		kindTraits[e.Kind].name, kindTraits[e.Kind].allowed)
}

// quote shortens hostile input before it is shown.
func quote(text string) string {
	const shown = 40
	if len(text) > shown {
		return fmt.Sprintf("%q…", text[:shown])
	}
	return fmt.Sprintf("%q", text)
}

// Parse returns the amount written in text, in the base unit of the kind. Errors are of type
// [*Error].
func Parse(kind Kind, text string) (float64, error) {
	if kind == Duration {
		return parseDuration(text)
	}
	number, m, err := split(kind, text)
	if err != nil {
		return 0, err
	}
	value, problem := toFloat(number, m)
	if problem == "" && kind != Number && math.Signbit(value) {
		problem = "a negative amount"
	}
	if problem == "" && kind == Fraction && value > 1 {
		problem = "more than 1 (100%)"
	}
	if problem != "" {
		return 0, &Error{Kind: kind, Text: text, Problem: problem}
	}
	return value, nil
}

// ParseExact returns the whole number written in text: the kinds [Count], [Params] and [Tokens]
// when every digit matters. A fraction of a thing, a negative count and anything beyond int64 are
// errors of type [*Error].
func ParseExact(kind Kind, text string) (int64, error) {
	number, m, err := split(kind, text)
	if err != nil {
		return 0, err
	}
	value, problem := toInteger(number, m)
	if problem == "" && number[0] == '-' {
		problem = "a negative count"
	}
	if problem != "" {
		return 0, &Error{Kind: kind, Text: text, Problem: problem}
	}
	return value, nil
}

// split separates an amount into its number and the multiplier of its unit.
func split(kind Kind, text string) (number string, m multiplier, err error) {
	fail := func(problem, hint string) (string, multiplier, error) {
		return "", multiplier{}, &Error{Kind: kind, Text: text, Problem: problem, Hint: hint}
	}
	body := strings.Trim(text, " \t")
	if body == "" {
		return fail("nothing given", "")
	}
	body, problem := stripCurrency(kind, body)
	if problem != "" {
		return fail(problem, "")
	}
	number, rest, problem := scanNumber(body)
	if problem != "" {
		return fail(problem, "")
	}
	unitText := strings.TrimLeft(rest, " ")
	if kind == Money || kind == HourlyPrice {
		unitText = stripDollarWord(unitText)
	}
	m, ok := lookUpUnit(kind, unitText)
	if ok {
		return number, m, nil
	}
	problem, hint := explainUnit(kind, unitText)
	return fail(problem, hint)
}

// explainUnit words the refusal of a unit.
func explainUnit(kind Kind, unitText string) (problem, hint string) {
	switch {
	case unitText == "":
		return "no unit", ""
	case kind == FLOP && strings.HasSuffix(unitText, "FLOPS"):
		return "FLOPS reads as FLOP per second, a rate", suggest.Hint(strings.TrimSuffix(unitText, "S"))
	case kind == FLOPRate && (strings.HasSuffix(unitText, "FLOP") ||
		strings.HasSuffix(unitText, "FLOPs")):
		return "a count of FLOP where a rate is needed", suggest.Hint(strings.TrimSuffix(unitText, "s") + "/s")
	case kind == Bytes && slices.Contains([]string{"k", "K", "M", "G", "T"}, unitText):
		return "unit without B", suggest.Hint(
			fmt.Sprintf("%sB (powers of 1000) or %[1]siB (powers of 1024)", unitText))
	}
	// A unit that differs in case only ("gib") is a slip, not another kind.
	near := nearUnit(kind, unitText)
	if other, ok := kindOfUnit(unitText, kind); ok && !strings.EqualFold(near, unitText) {
		return kindTraits[other].name + " where " + kindTraits[kind].name + " is needed", ""
	}
	return "unknown unit " + quote(unitText), suggest.Hint(near)
}

// stripCurrency removes a leading dollar sign or "USD " from an amount of money.
func stripCurrency(kind Kind, body string) (rest, problem string) {
	for _, sign := range []string{"€", "£", "¥", "₹"} {
		if strings.HasPrefix(body, sign) {
			return "", "only US dollars are read"
		}
	}
	rest, dollar := strings.CutPrefix(body, "$")
	if !dollar {
		rest, dollar = strings.CutPrefix(body, "USD ")
	}
	if dollar && kind != Money && kind != HourlyPrice {
		return "", "an amount of money where " + kindTraits[kind].name + " is needed"
	}
	return rest, ""
}

// stripDollarWord turns "USD" and "USD/h" into "" and "/h".
func stripDollarWord(unitText string) string {
	for _, word := range []string{"USD", "$"} {
		if rest, ok := strings.CutPrefix(unitText, word); ok {
			return rest
		}
	}
	return unitText
}
