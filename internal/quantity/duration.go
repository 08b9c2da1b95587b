package quantity

import (
	"math"
	"strconv"
	"strings"
)

// parseDuration reads one or more "number unit" terms from the longest unit to the shortest: 14d,
// 1d12h, 3h 30m.
func parseDuration(text string) (float64, error) {
	fail := func(problem, hint string) (float64, error) {
		return 0, &Error{Kind: Duration, Text: text, Problem: problem, Hint: hint}
	}
	rest := strings.Trim(text, " \t")
	if rest == "" {
		return fail("nothing given", "")
	}
	total, previous := 0.0, math.Inf(1)
	for rest != "" {
		number, tail, problem := scanNumber(rest)
		if problem != "" {
			return fail(problem, "")
		}
		tail = strings.TrimLeft(tail, " ")
		end := strings.IndexAny(tail, " 0123456789.+-")
		if end < 0 {
			end = len(tail)
		}
		unitText := tail[:end]
		m, ok := lookUpUnit(Duration, unitText)
		if !ok {
			problem, hint := explainUnit(Duration, unitText)
			return fail(problem, hint)
		}
		value, problem := toFloat(number, m)
		if problem != "" {
			return fail(problem, "")
		}
		if math.Signbit(value) {
			return fail("a negative amount", "")
		}
		size := m.factor * math.Pow10(m.pow10)
		if size >= previous {
			return fail("units not in order from longest to shortest", "")
		}
		total, previous = total+value, size
		rest = strings.TrimLeft(tail[end:], " ")
	}
	if total > Largest {
		return fail("too large (the limit is 1e36)", "")
	}
	return total, nil
}

// durationParts are the pairs in which long durations are told: a leading unit and the next smaller
// one.
var durationParts = []struct {
	name    string
	seconds float64
}{{"d", secondsPerDay}, {"h", 3600}, {"m", 60}, {"s", 1}}

// formatDuration tells seconds as a person would: 12.3 ms, 45.2 s, 4m 30s, 3h 12m, 3d 4h, 120d. The
// step is the smallest amount worth showing (half the width of an interval, say); 0 leaves it to
// the usual two terms.
func formatDuration(seconds, step float64, digits int) string {
	if seconds < 0 {
		return "-" + formatDuration(-seconds, step, digits)
	}
	if seconds == 0 {
		return "0 s"
	}
	if seconds < 59.95 { // what would round to 60.0 s is told in minutes
		c := shortDuration(seconds)
		place := digitPlace(seconds/c.size, digits)
		if step > 0 {
			place = min(supportedPlace(step/c.size), digitPlace(seconds/c.size, 1))
		}
		return roundedText(seconds/c.size, place) + " " + c.symbol
	}
	for i, part := range durationParts[:len(durationParts)-1] {
		next := durationParts[i+1]
		// Rounding to the smaller unit first lets 59m 59.8s become 1h rather than 60m.
		whole := math.Round(seconds/next.seconds) * next.seconds
		if whole < part.seconds {
			continue
		}
		const daysAlone = 100 // beyond that, hours are noise
		if step >= part.seconds || (part.name == "d" && whole >= daysAlone*secondsPerDay) {
			lead := roundedText(seconds/part.seconds, max(0, supportedPlace(step/part.seconds)))
			return lead + part.name
		}
		lead := math.Floor(whole / part.seconds)
		tail := math.Round((whole - lead*part.seconds) / next.seconds)
		text := strconv.FormatFloat(lead, 'f', 0, 64) + part.name
		if tail > 0 {
			text += " " + strconv.FormatFloat(tail, 'f', 0, 64) + next.name
		}
		return text
	}
	return roundedText(seconds, 0) + " s"
}

// shortDuration is the display unit of a time under a minute.
func shortDuration(seconds float64) displayUnit {
	best := shortDurations[0]
	for _, u := range shortDurations {
		if seconds >= u.size*0.9995 {
			best = u
		}
	}
	return best
}
