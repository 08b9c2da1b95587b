package config

import "slices"

// closest returns the candidate nearest to a word by edit distance, or "" when
// none is near enough to be a slip of the fingers.
func closest(word string, candidates []string) string {
	const longest = 40 // no field name is longer; keeps the table small
	if len(word) > longest {
		return ""
	}
	best, limit := "", 1+len(word)/3
	for _, c := range candidates {
		if d := editDistance(word, c); d <= limit {
			best, limit = c, d-1
		}
	}
	return best
}

// didYouMean returns a suggestion, or the list of what is allowed.
func didYouMean(word string, candidates []string) string {
	if c := closest(word, candidates); c != "" {
		return "did you mean " + c + "?"
	}
	sorted := slices.Sorted(slices.Values(candidates))
	out := "allowed: "
	for i, c := range sorted {
		if i > 0 {
			out += ", "
		}
		out += c
	}
	return out
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
