package reports

import (
	"io"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/plain"
)

// latexSpecial are the characters that LaTeX reads as commands, and those of our characters that its usual
// fonts lack.
var latexSpecial = strings.NewReplacer(
	`\`, `\textbackslash{}`, `{`, `\{`, `}`, `\}`, `$`, `\$`, `&`, `\&`, `#`, `\#`, `%`, `\%`, `_`, `\_`,
	`~`, `\textasciitilde{}`, `^`, `\textasciicircum{}`, `×`, `$\times$`, `→`, `$\to$`, `±`, `$\pm$`,
	`÷`, `$\div$`, `–`, `--`, `µ`, `$\mu$`, `≤`, `$\le$`, `<`, `$<$`, `>`, `$>$`, `†`, `$\dagger$`,
)

// writeLaTeX writes the table as a tabular of the package booktabs, its title above and its notes
// below as comments.
func (t *Table) writeLaTeX(w io.Writer) error {
	head, rows, numeric := t.Lay()
	var b strings.Builder
	comment := func(text string) {
		if text != "" {
			b.WriteString("% " + plain.Line(text) + "\n")
		}
	}
	line := func(cells []string) {
		for i, c := range cells {
			if i > 0 {
				b.WriteString(" & ")
			}
			text := latexSpecial.Replace(plain.Line(c))
			if i == 0 && strings.IndexAny(strings.TrimSpace(text), "[*") == 0 { // an option of the line break before it
				b.WriteString("{}")
			}
			b.WriteString(text)
		}
		b.WriteString(" \\\\\n")
	}
	comment(t.Title)
	b.WriteString(`\begin{tabular}{`)
	for _, right := range numeric {
		b.WriteString(map[bool]string{false: "l", true: "r"}[right])
	}
	b.WriteString("}\n\\toprule\n")
	line(head)
	b.WriteString("\\midrule\n")
	for _, row := range rows {
		line(row)
	}
	b.WriteString("\\bottomrule\n\\end{tabular}\n")
	for _, note := range t.Notes {
		comment(note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
