package config

import (
	"slices"
	"strings"
)

// closest returns the candidate nearest to a word by edit distance, or "" when
// none is near enough to be a slip of the fingers.
func closest(word string, candidates []string) string {
	const longest = 40 // no field name is longer; keeps the table small
	if len(word) > longest {
		return ""
	}
	best, limit := "", 1+len(word)/3
	for _, c := range candidates {
		if d := editDistance(word, c); d <= limit && d < len(word) {
			best, limit = c, d-1
		}
	}
	return best
}

// unknownWord records a fault for a word that is none of the candidates.
func (r *reading) unknownWord(at Position, field, problem, value, word string, candidates []string) {
	r.faults = append(r.faults, Fault{
		Position: at, Field: field, Problem: problem, Value: value,
		Allowed:    strings.Join(slices.Sorted(slices.Values(candidates)), ", "),
		Suggestion: closest(strings.ToLower(word), candidates),
	})
}

// editDistance returns the Levenshtein distance of two words in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
