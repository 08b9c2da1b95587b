package reports

import (
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/reports/markdown"
)

// write returns the table as text or markdown, its title above and its notes below, and which flags
// show more of it. This is the only file that knows tablewriter's options.
func (t *Table) write(f Format, v View) (text string, left View, err error) {
	folded, some := t.fold(v)
	t = &folded
	left.Details = (len(t.Basis) > 0 || some) && !v.Details
	shown, hidden := t.with(v)
	left.Wide = hidden && !v.Wide
	head, rows, numeric := shown.Lay()
	var b strings.Builder
	l := layout{columns: shown.Columns, head: head, rows: rows, numeric: numeric, source: shown.Rows}
	switch {
	case f == MarkdownFormat:
		head, rows = escaped(head, rows)
		t.title(&b, "### ", v, markdown.Escape)
		err = render(&b, renderer.NewMarkdown(), head, rows, numeric)
	case len(head) == 0:
		t.title(&b, "", v, plain.Line)
	default:
		left.Wide = l.leaveOut(v.columns()) || left.Wide
		t.title(&b, "", v, plain.Line)
		if l.fit(v.lines(), v.Width > 0) || v.Width == 0 {
			l.paint(v)
			err = render(&b, plainLines(), l.head, l.rows, l.numeric)
		} else {
			stacked(&b, l.head, l.rows, v.lines())
		}
	}
	if err != nil {
		return "", left, err
	}
	notes := t.Notes
	if v.Details {
		notes = slices.Concat(t.Notes, t.Basis)
	}
	if len(notes) > 0 && (f != MarkdownFormat || len(head) > 0) {
		b.WriteByte('\n')
	}
	for _, note := range notes {
		if note = plain.Line(note); f == MarkdownFormat {
			note = "- " + markdown.Escape(note)
		} else {
			note = Wrap(note, v.prose())
		}
		b.WriteString(note + "\n")
	}
	return trimLines(b.String()), left, nil
}

func (t *Table) title(b *strings.Builder, prefix string, v View, harmless func(string) string) {
	if t.Title == "" {
		return
	}
	text := prefix + harmless(t.Title)
	if prefix == "" {
		text = v.paint(Wrap(text, v.prose()), bold)
	}
	b.WriteString(text + "\n\n")
}

// plainLines draws columns apart by spaces with one line under the heading.
func plainLines() tw.Renderer {
	return renderer.NewBlueprint(tw.Rendition{
		Borders: tw.BorderNone,
		Symbols: tw.NewSymbolCustom("plain").WithRow("─").WithColumn("").WithCenter(
			"─").WithMidLeft("").WithMidRight("").WithHeaderMid("─"),
		Settings: tw.Settings{
			Lines: tw.Lines{
				ShowHeaderLine: tw.On, ShowTop: tw.Off, ShowBottom: tw.Off, ShowFooterLine: tw.Off,
			}, Separators: tw.Separators{
				BetweenColumns: tw.Off, BetweenRows: tw.Off,
				ShowHeader: tw.On,
			},
		},
	})
}

func render(b *strings.Builder, style tw.Renderer, head []string, rows [][]string,
	numeric []bool,
) error {
	align := make(tw.Alignment, len(head))
	for i := range align {
		align[i] = tw.AlignLeft
		if numeric[i] {
			align[i] = tw.AlignRight
		}
	}
	padding := tw.CellPadding{Global: tw.Padding{Right: strings.Repeat(" ", gap), Overwrite: true}}
	if _, markdown := style.(*renderer.Markdown); markdown {
		padding = tw.CellPadding{Global: tw.Padding{Left: " ", Right: " "}}
	}
	cells := tw.CellConfig{
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Alignment:  tw.CellAlignment{PerColumn: align}, Padding: padding,
	}
	table := tablewriter.NewTable(
		b, tablewriter.WithRenderer(style),
		tablewriter.WithConfig(tablewriter.Config{
			Header: cells, Row: cells, Behavior: tw.Behavior{TrimSpace: tw.Off},
		}),
		tablewriter.WithEastAsian(tw.Off),
	)
	table.Header(head)
	if err := table.Bulk(rows); err != nil {
		return err
	}
	return table.Render()
}

const gap = 2 // between columns

// naturalWidth is the width of the table as [plainLines] draws it: the line under the heading goes
// on below the gap behind the last column.
func naturalWidth(head []string, rows [][]string) int {
	total := 0
	for c := range head {
		widest := displayWidth(head[c])
		for _, row := range rows {
			widest = max(widest, displayWidth(row[c]))
		}
		total += widest + gap
	}
	return total
}

func displayWidth(s string) int { return twwidth.Width(s) }

// stacked writes a table too wide for the terminal as one block per row, one field a line.
func stacked(b *strings.Builder, head []string, rows [][]string, width int) {
	label := 0
	for _, h := range head {
		label = max(label, displayWidth(h))
	}
	for r, row := range rows {
		if r > 0 {
			b.WriteByte('\n')
		}
		for c, cell := range row {
			field(b, head[c], cell, label+2, width)
		}
	}
}

// field writes a value from column indent on behind its heading; one that does not fit there even
// when wrapped stands below it.
func field(b *strings.Builder, head, value string, indent, width int) {
	lines := strings.Split(Wrap(value, width-indent), "\n")
	if slices.ContainsFunc(lines, func(l string) bool { return displayWidth(l) > width-indent }) {
		const below = 2
		b.WriteString(Wrap(head, width))
		for line := range strings.SplitSeq(Wrap(value, width-below), "\n") {
			b.WriteString("\n" + strings.Repeat(" ", below) + line)
		}
		b.WriteByte('\n')
		return
	}
	b.WriteString(head + strings.Repeat(" ", indent-displayWidth(head)))
	b.WriteString(strings.Join(lines, "\n"+strings.Repeat(" ", indent)) + "\n")
}

// Wrap breaks a line at spaces so that it fits the width, but not before a % sign or about a ±; 0 leaves it
// whole. A command to type goes on behind a backslash, so that it can be copied.
func Wrap(line string, width int) string {
	if width <= 0 {
		return line
	}
	return wrapWords(strings.Fields(line), width)
}

func wrapWords(words []string, width int) string {
	const more, indent = ` \`, "  "
	var b strings.Builder
	at, command := 0, false
	for i := len(words) - 1; i > 0; i-- {
		if strings.HasPrefix(words[i], "%") || strings.HasPrefix(words[i], "±") || words[i-1] == "±" {
			words[i-1] += " " + words[i]
			words = slices.Delete(words, i, i+1)
		}
	}
	for i, word := range words {
		n, room := displayWidth(word), width
		if command {
			room -= len(more)
		}
		switch {
		case at == 0:
		case at+1+n <= room:
			b.WriteByte(' ')
			at++
		case command:
			b.WriteString(more + "\n" + indent)
			at = len(indent)
		default:
			b.WriteByte('\n')
			at = 0
		}
		b.WriteString(word)
		at += n
		command = (command || word == "deepnarrow" && isCommand(words[i:])) && !endsClause(word)
	}
	return b.String()
}

// isCommand reports whether words are a command with flags: elsewhere the program's name is prose.
func isCommand(words []string) bool {
	end := slices.IndexFunc(words, endsClause) + 1
	if end == 0 {
		end = len(words)
	}
	return slices.ContainsFunc(words[:end], func(w string) bool { return strings.HasPrefix(w, "--") })
}

func endsClause(word string) bool { return strings.ContainsAny(word[len(word)-1:], ".,;:") }

// escaped returns heading and rows with every cell safe inside a markdown table.
func escaped(head []string, rows [][]string) ([]string, [][]string) {
	all := append([][]string{head}, rows...)
	out := make([][]string, len(all))
	for r, row := range all {
		out[r] = make([]string, len(row))
		for c, cell := range row {
			out[r][c] = markdown.Escape(cell)
		}
	}
	return out[0], out[1:]
}

// trimLines drops what pads the last column: spaces, and the end of a style behind them.
func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		if before, padded := strings.CutSuffix(lines[i], " "+styleEnd); padded {
			lines[i] = before
		}
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
