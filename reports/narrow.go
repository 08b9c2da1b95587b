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
}

// leastWrap is the narrowest a column of sentences may become: about three words.
const leastWrap = 20

// narrow makes the layout as narrow as a terminal of that width wants it, as far as its columns
// allow: it leaves out optional columns, then breaks the cells of those that wrap. It returns the
// headings left out, in their order; where leaving out all of them does not help, none is.
func (l *layout) narrow(width int) string {
	whole := *l
	var left []string
	for l.width() > width {
		c := l.leastNeeded()
		if c < 0 {
			break
		}
		left = append(left, l.head[c])
		l.drop(c)
	}
	if l.width() > width && !l.wrap(width) {
		*l = whole
		return ""
	}
	slices.SortFunc(left, func(a, b string) int { return slices.Index(whole.head, a) - slices.Index(whole.head, b) })
	return strings.Join(left, ", ")
}

func (l *layout) width() int { return naturalWidth(l.head, l.rows) }

// leastNeeded returns the column to leave out next, the last of equals, or −1. One that shows
// nothing goes before all others.
func (l *layout) leastNeeded() int {
	least, rank := -1, 0
	for c := range l.columns {
		o := l.columns[c].Optional
		switch {
		case o == 0:
			continue
		case l.absent(c):
			o = -1
		}
		if least < 0 || o <= rank {
			least, rank = c, o
		}
	}
	return least
}

// absent says whether no row has anything in a column.
func (l *layout) absent(c int) bool {
	return !slices.ContainsFunc(l.rows, func(row []string) bool { return row[c] != absentCell })
}

// drop leaves out a column; the rows it was made from stay as they are.
func (l *layout) drop(c int) {
	without := func(cells []string) []string { return slices.Delete(slices.Clone(cells), c, c+1) }
	l.columns = slices.Delete(slices.Clone(l.columns), c, c+1)
	l.numeric = slices.Delete(slices.Clone(l.numeric), c, c+1)
	l.head = without(l.head)
	rows := make([][]string, len(l.rows))
	for r := range l.rows {
		rows[r] = without(l.rows[r])
	}
	l.rows = rows
}

// wrap breaks the cells of the columns that wrap, sharing the room they have; a broken row
// continues in rows that are empty elsewhere. It returns whether the table fits then.
func (l *layout) wrap(width int) bool {
	room, wrapping := width, 0
	for c := range l.columns {
		if l.columns[c].Wraps {
			wrapping++
			room -= 2
			continue
		}
		room -= l.columnWidth(c) + 2
	}
	if wrapping == 0 || room/wrapping < leastWrap {
		return false
	}
	var rows [][]string
	for _, row := range l.rows {
		pieces := make([][]string, len(row))
		lines := 1
		for c, cell := range row {
			pieces[c] = []string{cell}
			if l.columns[c].Wraps {
				pieces[c] = strings.Split(wrap(cell, room/wrapping), "\n")
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
			rows = append(rows, line)
		}
	}
	whole := l.rows
	if l.rows = rows; l.width() <= width {
		return true
	}
	l.rows = whole
	return false
}

func (l *layout) columnWidth(c int) int {
	widest := displayWidth(l.head[c])
	for _, row := range l.rows {
		widest = max(widest, displayWidth(row[c]))
	}
	return widest
}
