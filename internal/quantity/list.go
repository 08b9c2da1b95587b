package quantity

import "strings"

// SplitList returns the items of a list as flags take it: apart at commas, where key=value belongs
// to the item before it ("a100,price=1.20,h100" is "a100,price=1.20" and "h100") and a comma in
// parentheses ends nothing. Spaces around an item do not count; an empty item is kept, for the
// reader of the items to refuse.
func SplitList(text string) []string {
	var items []string
	depth, start := 0, 0
	add := func(piece string) {
		piece = strings.TrimSpace(piece)
		if n := len(items); n > 0 && strings.Contains(piece, "=") {
			items[n-1] += "," + piece
			return
		}
		items = append(items, piece)
	}
	for i := range len(text) {
		switch text[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth <= 0 {
				add(text[start:i])
				start = i + 1
			}
		}
	}
	add(text[start:])
	return items
}
