package quantity

import (
	"strconv"
	"strings"
)

// Listed joins words as a sentence does: "a", "a and b", "a, b and c".
func Listed(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// Of returns a number with its noun: "1 row", "2 rows", "1 entry", "2 entries".
func Of(n int, noun string) string {
	digits := strconv.Itoa(n)
	switch {
	case n == 1:
		return digits + " " + noun
	case strings.HasSuffix(noun, "y") && !strings.HasSuffix(noun, "ay") && !strings.HasSuffix(noun, "ey"):
		return digits + " " + strings.TrimSuffix(noun, "y") + "ies"
	}
	return digits + " " + noun + "s"
}
