package reports

import "strings"

// View is how much of a report text shows, and how. The default is the headline and the columns that
// fit [tableWidth].
type View struct {
	Width   int  // columns of the screen; 0 = a pipe: lines of words of any length, and tables that lose no cell
	Wide    bool // all columns
	Details bool // all tables and notes
	Quiet   bool // the result only, not what else there is to see
	Color   bool
}

// tableWidth is how wide a table of the default view may be, and a line of prose of any.
const tableWidth = 100

// columns is how wide a table may be before it loses columns; 0 = any.
func (v View) columns() int {
	switch {
	case v.Wide:
		return 0
	case v.Width == 0:
		return tableWidth
	}
	return min(v.Width, tableWidth)
}

// lines is how wide a line of a table may be, words broken; 0 = any.
func (v View) lines() int {
	if v.Wide {
		return v.Width
	}
	return v.columns()
}

// prose is how wide a line of words may be; 0 = any.
func (v View) prose() int { return min(v.Width, tableWidth) }

// more names the flags that show what the view leaves out, empty where it shows everything.
func (v View) more() string {
	var flags []string
	if v.Wide {
		flags = append(flags, "--wide")
	}
	if v.Details {
		flags = append(flags, "--details")
	}
	if len(flags) == 0 {
		return ""
	}
	return "more: " + strings.Join(append(flags, "--format json"), ", ")
}

// style is how a terminal with colours shows a text: the parameter of its escape sequence.
type style string

const (
	bold  style = "1"
	red   style = "31"
	green style = "32"

	styleEnd = "\x1b[0m"
)

// Alarm paints what needs attention.
func (v View) Alarm(text string) string { return v.paint(text, red) }

// paint gives a text its style, line by line; texts are free of control characters by then.
func (v View) paint(text string, s style) string {
	if !v.Color || s == "" || text == "" {
		return text
	}
	on := "\x1b[" + string(s) + "m"
	return on + strings.ReplaceAll(text, "\n", styleEnd+"\n"+on) + styleEnd
}
