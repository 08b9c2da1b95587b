package reports

import (
	"slices"
	"strings"
)

// layout is a table as strings.
type layout struct {
	columns []Column
	head    []string
	rows    [][]string
	numeric []bool
	source  [][]Cell // what the rows were made from
}

const (
	leastWrap = 14 // the narrowest a column of words may become: an estimate with one bound
	leastCut  = 12 // and one of names that are cut
)

// leaveOut drops optional columns, those of the smallest number first and the last of equals, until
// the table can be made as narrow as the width; 0 is any. It returns whether any went.
func (l *layout) leaveOut(width int) bool {
	left := false
	for width > 0 && l.least() > width {
		least := -1
		for c := range l.columns {
			if o := l.columns[c].Optional; o > 0 && (least < 0 || o <= l.columns[least].Optional) {
				least = c
			}
		}
		if least < 0 {
			break
		}
		l.drop(least)
		left = true
	}
	return left
}

// least is the width of the table with its flexible columns as narrow as they may become.
func (l *layout) least() int {
	total := 0
	for c := range l.columns {
		widest := l.columnWidth(c)
		switch {
		case l.columns[c].Wraps:
			widest = min(widest, leastWrap)
		case l.columns[c].Cuts && l.columns[c].Optional > 0: // what names a row is cut last
			widest = min(widest, max(leastCut, displayWidth(l.head[c])))
		}
		total += widest + gap
	}
	return total
}

// drop leaves out a column; the rows it was made from stay as they are.
func (l *layout) drop(c int) {
	l.columns = without(l.columns, c)
	l.numeric = without(l.numeric, c)
	l.head = without(l.head, c)
	for r := range l.rows {
		l.rows[r], l.source[r] = without(l.rows[r], c), without(l.source[r], c)
	}
}

func without[T any](cells []T, c int) []T { return slices.Delete(slices.Clone(cells), c, c+1) }

// fit breaks and cuts the cells of flexible columns, which share the room that the others leave; a
// broken row continues in rows that are empty elsewhere. It returns whether the table is no wider than
// the width then; 0 is any. Without cuts, as in a pipe, no cell loses its end.
func (l *layout) fit(width int, cuts bool) bool {
	if width == 0 || naturalWidth(l.head, l.rows) <= width {
		return true
	}
	room, natural := width, map[int]int{}
	for c := range l.columns {
		if n := l.columnWidth(c); l.columns[c].Wraps || l.columns[c].Cuts && cuts {
			natural[c] = n
			room -= gap
		} else {
			room -= n + gap
		}
	}
	share := shares(room, natural)
	for c := range natural {
		if l.columns[c].Wraps && share[c] < min(leastWrap, natural[c]) || share[c] < min(leastCut, natural[c]) {
			return false
		}
	}
	var rows [][]string
	var source [][]Cell
	for r, row := range l.rows {
		pieces := make([][]string, len(row))
		lines := 1
		for c, cell := range row {
			pieces[c] = []string{cell}
			switch {
			case natural[c] == 0:
			case l.columns[c].Wraps:
				pieces[c] = strings.Split(fold(cell, share[c]), "\n")
			default:
				pieces[c] = []string{cut(cell, share[c])}
			}
			lines = max(lines, len(pieces[c]))
		}
		for n := range lines {
			line := make([]string, len(row))
			for c := range row {
				if n < len(pieces[c]) {
					line[c] = pieces[c][n]
				}
			}
			rows, source = append(rows, line), append(source, l.source[r])
		}
	}
	if naturalWidth(l.head, rows) > width {
		return false
	}
	l.rows, l.source = rows, source
	return true
}

// fold is [Wrap] that also breaks words, after a comma or slash where there is one, and keeps the mark
// of a cell behind its last word.
func fold(text string, width int) string {
	var words []string
	for _, word := range strings.Fields(text) {
		for displayWidth(word) > width {
			head := cut(word, width)
			head = strings.TrimSuffix(head, "…")
			if i := strings.LastIndexAny(head, ",/"); i > 0 {
				head = head[:i+1]
			}
			if head == "" {
				break
			}
			words, word = append(words, head), word[len(head):]
		}
		words = append(words, word)
	}
	if last := len(words) - 1; last > 0 && strings.Trim(words[last], "*+=†") == "" {
		words = append(words[:last-1], words[last-1]+" "+words[last])
	}
	return wrapWords(words, width)
}

// shares divides the room between flexible columns: evenly, but none gets more than it needs.
func shares(room int, natural map[int]int) map[int]int {
	out := map[int]int{}
	for left := len(natural); left > 0; {
		even, before := room/left, left
		for c, n := range natural {
			if out[c] == 0 && n <= even {
				out[c], room, left = n, room-n, left-1
			}
		}
		if left == before {
			for c := range natural {
				if out[c] == 0 {
					out[c] = max(1, even)
				}
			}
			break
		}
	}
	return out
}

// cut ends a text that is too long in an ellipsis.
func cut(text string, width int) string {
	if displayWidth(text) <= width {
		return text
	}
	kept := 0
	for i, r := range text {
		if kept += displayWidth(string(r)); kept > width-1 {
			return strings.TrimRight(text[:i], " ,") + "…"
		}
	}
	return text
}

// paint gives headings and cells their styles.
func (l *layout) paint(v View) {
	for c := range l.head {
		l.head[c] = v.paint(l.head[c], bold)
	}
	for r, row := range l.rows {
		for c := range row {
			row[c] = v.paint(row[c], l.source[r][c].style)
		}
	}
}

func (l *layout) columnWidth(c int) int {
	widest := displayWidth(l.head[c])
	for _, row := range l.rows {
		widest = max(widest, displayWidth(row[c]))
	}
	return widest
}
