package page

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/figure"
	"github.com/deepnarrow/deepnarrow/reports/markdown"
)

// Keep stores a drawing of a bundle under a name of one word and an ending.
type Keep func(name string, write func(io.Writer) error) error

// Bundle writes the sections of [Write] as markdown that shows drawings beside it: keep gets each
// as PNG, which the markdown shows, and as SVG.
func Bundle(w io.Writer, head Head, sources []Source, keep Keep) error {
	v, err := viewOf(head, sources)
	if err != nil {
		return err
	}
	b := bundle{keep: keep}
	b.line("# " + markdown.Escape(v.Title))
	if v.Date != "" {
		b.line(markdown.Escape(v.Date))
	}
	b.line("Written by deepnarrow " + markdown.Escape(v.Version) + ". " + levelNote)
	for i := range v.Sections {
		if err := b.section(&v.Sections[i]); err != nil {
			return err
		}
	}
	_, err = w.Write(bytes.TrimLeft(b.text.Bytes(), "\n"))
	return err
}

// bundle collects markdown. What comes from results goes through [markdown.Escape].
type bundle struct {
	text  bytes.Buffer
	keep  Keep
	drawn int
	id    string // of the section
}

// line writes a paragraph.
func (b *bundle) line(text string) { fmt.Fprintf(&b.text, "\n%s\n", text) }

func (b *bundle) section(s *section) error {
	b.id, b.drawn = s.ID, 0
	b.line("## " + markdown.Escape(s.Heading))
	if s.File != "" {
		b.line("From " + markdown.Escape(s.File) + ".")
	}
	if s.Command != "" {
		b.line("Command: " + markdown.Escape(s.Command))
	}
	for _, warning := range s.Warnings {
		b.line("> Warning: " + markdown.Escape(warning))
	}
	b.tables(s.First)
	if s.ID == compareID {
		b.tables(s.Tables)
		return b.charts(nil, s.Plots)
	}
	for i := range s.Subjects {
		if err := b.subject(&s.Subjects[i]); err != nil {
			return err
		}
	}
	if err := b.charts(nil, s.Plots); err != nil {
		return err
	}
	b.tables(s.Tables)
	if len(s.Terms) > 0 {
		b.line("### Conventions")
		b.text.WriteByte('\n')
		for _, c := range s.Terms {
			fmt.Fprintf(&b.text, "- %s: %s\n", markdown.Escape(c.Key), markdown.Escape(c.Value))
		}
	}
	return nil
}

func (b *bundle) subject(s *subject) error {
	b.line("### " + markdown.Escape(s.Name))
	if s.Detail != "" {
		b.line(markdown.Escape(s.Detail))
	}
	if s.Command != "" {
		b.line("Command: " + markdown.Escape(s.Command))
	}
	cards := table{Table: reports.Table{Columns: columnsOf("what", "value", "note")}}
	for _, c := range s.Cards {
		cards.add(c.Label, c.Value, c.Note)
	}
	b.tables([]table{cards.cut()})
	if err := b.charts(s.Bars, s.Plots); err != nil {
		return err
	}
	b.tables(s.Tables)
	return nil
}

func (b *bundle) charts(all []bars, plots []plot) error {
	for i := range all {
		if err := b.picture(all[i].Title, "", all[i].draw); err != nil {
			return err
		}
	}
	for i := range plots {
		if err := b.picture(plots[i].Title, plots[i].Note, plots[i].draw); err != nil {
			return err
		}
	}
	return nil
}

func (b *bundle) picture(title, note string, draw func(io.Writer, figure.Format) error) error {
	b.drawn++
	name := fmt.Sprintf("%s-%d", b.id, b.drawn)
	for _, f := range []figure.Format{figure.PNG, figure.SVG} {
		if err := b.keep(name+"."+string(f), func(w io.Writer) error { return draw(w, f) }); err != nil {
			return err
		}
	}
	b.line(fmt.Sprintf("![%s](%s.png)", markdown.Escape(title), name))
	b.line(strings.TrimSpace(fmt.Sprintf("%s [SVG](%s.svg)", markdown.Escape(note), name)))
	return nil
}

func (b *bundle) tables(all []table) {
	for i := range all {
		if t := &all[i]; len(t.Rows) > 0 {
			b.table(t)
		}
	}
}

func (b *bundle) table(t *table) {
	if t.Title != "" {
		b.line("#### " + markdown.Escape(t.Title))
	}
	head, rows, numeric := t.Lay()
	if t.Flip {
		head, rows, numeric = flip(head, rows)
	}
	titles, rule := "|", "|"
	for c := range head {
		titles += " " + markdown.Escape(head[c]) + " |"
		if numeric[c] {
			rule += "---:|"
		} else {
			rule += "---|"
		}
	}
	b.line(titles + "\n" + rule)
	for _, row := range rows {
		b.text.WriteByte('|')
		for _, c := range row {
			b.text.WriteString(" " + markdown.Escape(c) + " |")
		}
		b.text.WriteByte('\n')
	}
	if t.More > 0 {
		b.line(t.left())
	}
	for _, note := range t.Notes {
		b.line(markdown.Escape(note))
	}
}

// flip lets rows stand side by side as columns.
func flip(head []string, rows [][]string) ([]string, [][]string, []bool) {
	all := make([][]string, len(head))
	for c := range head {
		all[c] = []string{head[c]}
		for _, row := range rows {
			all[c] = append(all[c], row[c])
		}
	}
	return all[0], all[1:], make([]bool, len(all[0]))
}
