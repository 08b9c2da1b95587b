// Package suggest finds the word that a person probably meant, for the "did you mean" of error
// messages.
package suggest

import "strings"

// Nearest returns the candidate closest to word, empty when none is close enough to be worth
// proposing.
//
// Distance is the number of insertions, deletions, substitutions and swaps of neighbours (optimal
// string alignment), letter case counting for nothing. A candidate is close enough when the
// distance is at most a third of the longer word and at least one letter agrees; a candidate that
// starts with word (three letters or more) also is. Ties go to the earlier candidate, so the answer
// does not change between calls.
func Nearest(word string, candidates []string) string {
	folded := strings.ToLower(word)
	best, bestDistance := "", -1
	for _, candidate := range candidates {
		other := strings.ToLower(candidate)
		limit := max(len(folded), len(other)) / 3
		if len(folded) <= 4 && len(other) <= 4 {
			limit = 1
		}
		begins := len(folded) >= 3 && strings.HasPrefix(other, folded)
		if gap := len(folded) - len(other); !begins && max(gap, -gap) > limit {
			continue // each letter of the gap is an edit
		}
		d := 1
		if !begins || folded == other {
			d = distance(folded, other)
		}
		limit = max(limit, 1)
		if d > limit || d >= max(len(folded), len(other)) {
			continue
		}
		if bestDistance < 0 || d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// Hint is the end of a message that proposes a word: "; did you mean GiB?", or nothing for none.
func Hint(word string) string {
	if word == "" {
		return ""
	}
	return "; did you mean " + word + "?"
}

// distance is the optimal string alignment distance of a and b in bytes. Names here are ASCII; a
// multi-byte letter merely counts as more than one edit.
func distance(a, b string) int {
	// beyond this nobody mistyped a name, and the table stays small for hostile input
	const longest = 64
	if len(a) > longest || len(b) > longest {
		return max(len(a), len(b))
	}
	var rows [3][longest + 1]int
	before, previous, current := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous, current = previous, current, before
	}
	return previous[len(b)]
}
