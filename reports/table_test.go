package reports

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

func sample() Report {
	d := result.NewDocument("sample", "test")
	d.Results = append(d.Results,
		map[string]any{"name": "a|b", "params": map[string]any{"total": 222903552}},
		map[string]any{
			"name": "c\nd", "tags": []string{"x", "y"},
			"flops": []any{map[string]any{"step": 1e21}},
		})
	return Report{Document: d, Tables: []Table{{
		Title: "A sample",
		Columns: []Column{
			{Title: "d_model"},
			{Title: "params", Kind: quantity.Params},
			{Title: "step", Kind: quantity.Duration},
			{Title: "exact"},
		},
		Rows: [][]Cell{
			{Text("a|b"), Amount(222903552), Estimate(
				quantity.Interval{Value: 0.12, Low: 0.11, High: 0.13}), Count(222903552)},
			{Text("c\nd").Marked("*"), Amount(60506624), {}, Count(1)},
		},
		Notes: []string{"* a note that is long enough to be wrapped on a narrow terminal"},
	}}}
}

func write(t *testing.T, f Format, width int) string {
	t.Helper()
	r := sample()
	var b bytes.Buffer
	if err := r.Write(&b, f, View{Width: width}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		format Format
		width  int
		want   string
	}{
		{MarkdownFormat, 0, `### A sample

| d_model | params [M] | step [ms] |       exact |
|:--------|-----------:|----------:|------------:|
| a\|b    |        223 |  120 ± 10 | 222,903,552 |
| c d\*   |       60.5 |         – |           1 |

- \* a note that is long enough to be wrapped on a narrow terminal
`},
		{
			CSVFormat, 0,
			"name,params.total,flops.0.step,tags\na|b,222903552,,\nc d,,1e+21,x;y\n",
		},
	} {
		if got := write(t, c.format, c.width); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.format, got, c.want)
		}
	}
}

// TestNarrow: nothing is wider than the terminal says it is.
func TestNarrow(t *testing.T) {
	for _, width := range []int{30, 40} {
		for line := range strings.Lines(write(t, TextFormat, width)) {
			if n := displayWidth(strings.TrimRight(line, "\n")); n > width {
				t.Errorf("line of %d columns on %d: %q", n, width, line)
			}
		}
	}
}

// A table in LaTeX keeps every word of a cell, and none is a command.
func TestTableInLaTeX(t *testing.T) {
	table := Table{
		Title:   "costs",
		Columns: []Column{{Title: "plan_a & b"}, {Title: "cost", Kind: quantity.Money}},
		Rows:    [][]Cell{{Text(`8 × h100, 50 % \input{x} #1 {y} $z ~ ^`), Amount(5)}},
		Notes:   []string{"a note\nof two lines"},
	}
	r := Report{Tables: []Table{table}}
	var b strings.Builder
	if err := r.Write(&b, LaTeXFormat, View{}); err != nil {
		t.Fatal(err)
	}
	want := `% costs
\begin{tabular}{lr}
\toprule
plan\_a \& b & cost [USD] \\
\midrule
8 $\times$ h100, 50 \% \textbackslash{}input\{x\} \#1 \{y\} \$z \textasciitilde{} \textasciicircum{} & 5.00 \\
\bottomrule
\end{tabular}
% a note of two lines
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// Rows that are alike are folded to three, which a note counts; --details shows all, and four or more of
// other rows stay.
func TestAlikeRowsFold(t *testing.T) {
	table := Table{Columns: []Column{{Title: "budget"}}, Alike: "budget refused"}
	for i := range 9 {
		if table.add(Text(fmt.Sprint("row ", i))); i > 2 {
			table.Folded = append(table.Folded, i)
		}
	}
	r := Report{Tables: []Table{table}}
	for _, c := range []struct {
		view View
		rows int
		note string
	}{{View{}, 6, "and 3 more budgets refused: --details"}, {View{Details: true}, 9, ""}} {
		var b strings.Builder
		if err := r.Write(&b, TextFormat, c.view); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(b.String(), "row "); got != c.rows || !strings.Contains(b.String(), c.note) ||
			strings.Contains(b.String(), "more") != (c.note != "") {
			t.Errorf("%+v: %d rows\n%s", c.view, got, b.String())
		}
	}
}
