package reports

import (
	"bytes"
	"strings"
	"testing"
)

// wide is a table of which the columns of 10 are needed and the others not: 1 goes first. A column
// is 10 wide and has a gap of 2 behind it: 48 in all.
func wide() Table {
	cell := strings.Repeat("x", 10)
	return Table{
		Columns: []Column{
			{Title: "kept"},
			{Title: "second", Optional: 2},
			{Title: "third", Optional: 3},
			{Title: "first", Optional: 1},
		},
		Rows: [][]Cell{{Text(cell), Text(cell), Text(cell), Text(cell)}},
	}
}

// TestOptionalColumns: the heading and the note say what each width leaves. The widths are one
// column more and one less than what the columns need.
func TestOptionalColumns(t *testing.T) {
	for _, c := range []struct {
		width int
		head  string
		more  bool
	}{
		{0, "kept second third first", false},
		{48, "kept second third first", false},
		{47, "kept second third", true},
		{36, "kept second third", true},
		{35, "kept third", true},
		{23, "kept", true},
		{9, "kept", true}, // too narrow even so: one field a line, its value below it
	} {
		text := shown(t, wide(), TextFormat, View{Width: c.width})
		first, _, _ := strings.Cut(text, "\n")
		if got := strings.Join(strings.Fields(first), " "); got != c.head {
			t.Errorf("width %d: heading %q, want %q", c.width, got, c.head)
		}
		if more := strings.Contains(text, "more:"); more != c.more {
			t.Errorf("width %d: says more: %t, want %t", c.width, more, c.more)
		}
		for line := range strings.Lines(text) {
			if n := displayWidth(strings.TrimRight(line, "\n")); c.width > 9 && n > c.width {
				t.Errorf("line of %d columns on %d: %q", n, c.width, line)
			}
		}
	}
}

// TestEmptyColumn: what shows nothing is left out, and nothing is said of it.
func TestEmptyColumn(t *testing.T) {
	table := wide()
	table.Rows[0][2] = Cell{}
	for _, f := range []Format{TextFormat, MarkdownFormat} {
		if text := shown(t, table, f, View{Wide: true}); strings.Contains(text, "third") || strings.Contains(text, "more") {
			t.Errorf("the empty column stayed:\n%s", text)
		}
	}
}

// TestViews: what a view leaves out its last line names.
func TestViews(t *testing.T) {
	table := wide()
	table.Columns[1].Wide, table.Basis = true, []string{"rests on this"}
	for _, c := range []struct {
		view View
		want string
	}{
		{View{}, "more: --wide, --details, --format json\n"},
		{View{Wide: true}, "more: --details, --format json\n"},
		{View{Details: true}, "more: --wide, --format json\n"},
		{View{Quiet: true}, "x\n"},
		{View{Wide: true, Details: true}, "rests on this\n"},
	} {
		if text := shown(t, table, TextFormat, c.view); !strings.HasSuffix(text, c.want) {
			t.Errorf("%+v: ends otherwise than in %q:\n%s", c.view, c.want, text)
		}
	}
}

// TestColours: a style is put around what it is of, and no line is wider for it.
func TestColours(t *testing.T) {
	table := Table{Columns: []Column{{Title: "fits"}}, Rows: [][]Cell{{answerCell("no", false)}}}
	const want = "\x1b[1mfits\x1b[0m\n──────\n\x1b[31mno\x1b[0m\n"
	if got := shown(t, table, TextFormat, View{Width: 20, Color: true}); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCutColumn: a name that is too long ends in an ellipsis.
func TestCutColumn(t *testing.T) {
	table := Table{
		Columns: []Column{{Title: "name"}, {Title: "also", Cuts: true}},
		Rows:    [][]Cell{{Text("a100"), Text("a100-80gb, a100-sxm-80gb")}},
	}
	if got := shown(t, table, TextFormat, View{Width: 24}); !strings.Contains(got, "a100  a100-80gb, a100…\n") {
		t.Errorf("not cut:\n%s", got)
	}
}

// TestOptionalColumnsInMarkdown: only a terminal is narrow.
func TestOptionalColumnsInMarkdown(t *testing.T) {
	if text := shown(t, wide(), MarkdownFormat, View{Width: 20}); !strings.Contains(text, "first") {
		t.Errorf("markdown lost a column:\n%s", text)
	}
}

// shown is a report of one table.
func shown(t *testing.T, table Table, f Format, v View) string {
	t.Helper()
	var b bytes.Buffer
	r := Report{Tables: []Table{table}}
	if err := r.Write(&b, f, v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestWrappedColumn: a sentence goes on under itself.
func TestWrappedColumn(t *testing.T) {
	table := Table{
		Columns: []Column{{Title: "#"}, {Title: "reason", Wraps: true}},
		Rows: [][]Cell{
			{Text("1"), Text("deeper and narrower than the anchor")},
			{Text("2"), Text("measured")},
		},
	}
	const want = `#  reason
─────────────────────────────
1  deeper and narrower than
   the anchor
2  measured
`
	if got := shown(t, table, TextFormat, View{Width: 30}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A command is broken as a shell reads it; the program's name in a sentence is a word.
func TestWrap(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{
			"Faster: deepnarrow plan t5-base --dp 16 --zero 2",
			"Faster: deepnarrow \\\n  plan t5-base --dp \\\n  16 --zero 2",
		},
		{
			"It is what deepnarrow list hardware names; --prices FILE takes yours.",
			"It is what deepnarrow\nlist hardware names;\n--prices FILE takes\nyours.",
		},
		{"a word", "a word"},
	} {
		if got := Wrap(c.line, 21); got != c.want {
			t.Errorf("Wrap(%q) = %q, want %q", c.line, got, c.want)
		}
	}
}

// TestFieldsFit: a sentence in a block goes on under itself, a long word stands below its heading.
func TestFieldsFit(t *testing.T) {
	table := Table{
		Title:   "Two shapes side by side",
		Columns: []Column{{Title: "shape"}, {Title: "reason"}, {Title: "downstream"}},
		Rows:    [][]Cell{{Text("base/el=36,dl=26"), Text("deeper than the anchor"), Text("79")}},
	}
	const want = `Two shapes side by
side

shape
  base/el=36,dl=26
reason      deeper
            than the
            anchor
downstream  79
`
	if got := shown(t, table, TextFormat, View{Width: 20}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
