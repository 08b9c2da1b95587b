package page

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/deepnarrow/deepnarrow/reports/figure"
	"github.com/deepnarrow/deepnarrow/reports/markdown"
)

// Keep stores a drawing of a bundle under a name of one word and an ending.
type Keep func(name string, write func(io.Writer) error) error

// Bundle writes the sections of [Write] as markdown that shows drawings beside it: keep gets each
// as PNG, which the markdown shows, and as SVG.
func Bundle(w io.Writer, title string, sources []Source, keep Keep) error {
	v, err := viewOf(title, sources)
	if err != nil {
		return err
	}
	b := bundle{keep: keep}
	b.line("# " + markdown.Escape(v.Title))
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
	b.line("From " + markdown.Escape(s.File) + ".")
	for _, warning := range s.Warnings {
		b.line("> Warning: " + markdown.Escape(warning))
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
	if len(s.Conventions) > 0 {
		b.line("### Conventions")
		b.text.WriteByte('\n')
		for _, c := range s.Conventions {
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
	cards := table{Columns: columnsOf("what", "value", "note")}
	for _, c := range s.Cards {
		cards.Rows = append(cards.Rows, row{Cells: []cell{
			words(c.Label), words(c.Value),
			words(c.Note),
		}})
	}
	b.tables([]table{cards})
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
	head, rule := "|", "|"
	for _, c := range t.Columns {
		head += " " + markdown.Escape(c.Title) + " |"
		if c.Numeric {
			rule += "---:|"
		} else {
			rule += "---|"
		}
	}
	b.line(head + "\n" + rule)
	for _, r := range t.Rows {
		b.text.WriteByte('|')
		for _, c := range r.Cells {
			b.text.WriteString(" " + markdown.Escape(c.Text) + " |")
		}
		b.text.WriteByte('\n')
	}
	if t.More > 0 {
		b.line(t.left())
	}
	if t.Note != "" {
		b.line(markdown.Escape(t.Note))
	}
}
