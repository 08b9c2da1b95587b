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
		width       int
		head, notes string
	}{
		{0, "kept second third first", ""},
		{48, "kept second third first", ""},
		{47, "kept second third", "Left out to fit: first."},
		{36, "kept second third", "Left out to fit: first."},
		{35, "kept third", "Left out to fit: second, first."},
		{23, "kept", "Left out to fit: second, third, first."},
		{9, "kept", ""}, // nothing helps: all, one field a line, its value below it
	} {
		table := wide()
		var b bytes.Buffer
		if err := table.write(&b, TextFormat, c.width); err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(b.String(), "\n")
		if got := strings.Join(strings.Fields(first), " "); got != c.head {
			t.Errorf("width %d: heading %q, want %q", c.width, got, c.head)
		}
		_, notes, _ := strings.Cut(b.String(), "\n\n")
		if got := strings.Join(strings.Fields(notes), " "); got != c.notes {
			t.Errorf("width %d: notes %q, want %q", c.width, got, c.notes)
		}
		for line := range strings.Lines(b.String()) {
			if n := displayWidth(strings.TrimRight(line, "\n")); c.width > 9 && n > c.width {
				t.Errorf("line of %d columns on %d: %q", n, c.width, line)
			}
		}
	}
}

// TestEmptyColumnGoesFirst: what shows nothing is least needed.
func TestEmptyColumnGoesFirst(t *testing.T) {
	table := wide()
	table.Rows[0][2] = Cell{}
	var b bytes.Buffer
	if err := table.write(&b, TextFormat, 36); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "Left out to fit: third.") {
		t.Errorf("the empty column stayed:\n%s", b.String())
	}
}

// TestOptionalColumnsInMarkdown: only a terminal is narrow.
func TestOptionalColumnsInMarkdown(t *testing.T) {
	table := wide()
	var b bytes.Buffer
	if err := table.write(&b, MarkdownFormat, 20); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "first") {
		t.Errorf("markdown lost a column:\n%s", b.String())
	}
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
	var b bytes.Buffer
	if err := table.write(&b, TextFormat, 30); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
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
	var b bytes.Buffer
	if err := table.write(&b, TextFormat, 20); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
